//! What a registry wants to see before it answers: `WWW-Authenticate`.
//!
//! Docker: <https://distribution.github.io/distribution/spec/auth/token/>.

/// What a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token of a token service.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The first challenge that is understood.
    pub(super) fn read<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<Self> {
        headers.into_iter().find_map(Self::of)
    }

    fn of(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (key, value) in parameters(rest) {
            match key.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

/// `key="value",key=value`: a comma in quotes separates nothing.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        found.push((key.trim().to_owned(), value.trim().to_owned()));
        rest = after.trim_start_matches([' ', ',']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a:pull,push""#;
        let bearer = Challenge::Bearer {
            realm: "https://auth.test/token".into(),
            service: Some("registry.test".into()),
            scope: Some("repository:a:pull,push".into()),
        };
        assert_eq!(Challenge::read([header]), Some(bearer));
        assert_eq!(Challenge::read(["Negotiate", r#"Basic realm="ECR""#]), Some(Challenge::Basic));
        assert_eq!(Challenge::read(["bearer service=x"]), None);
        assert!(Challenge::read(["", "=", "Bearer \"", "Bearer realm=\""]).is_some());
    }
}
