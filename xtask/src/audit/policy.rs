//! The part of `deny.toml` that is enforced here. Other members are cargo-deny's and are passed over.

use serde::Deserialize;

/// The rules.
#[derive(Deserialize)]
pub(super) struct Policy {
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
    pub(super) sources: Sources,
}

/// Which licences are accepted.
#[derive(Deserialize)]
pub(super) struct Licenses {
    /// SPDX identifiers.
    pub(super) allow: Vec<String>,
}

/// Which crates are not.
#[derive(Deserialize)]
pub(super) struct Bans {
    pub(super) deny: Vec<Exception>,
    /// Versions that may stand beside another one.
    pub(super) skip: Vec<Exception>,
}

/// Where crates may come from.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Sources {
    pub(super) allow_registry: Vec<String>,
}

/// A crate, or some of its versions, and why it is listed.
#[derive(Deserialize)]
pub(super) struct Exception {
    /// `name`, or `name@1` for all versions that begin so.
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) reason: String,
}

impl Exception {
    /// Whether this line speaks of that version.
    pub(super) fn covers(&self, name: &str, version: &str) -> bool {
        match self.name.split_once('@') {
            None => self.name == name,
            Some((named, prefix)) => {
                let rest = version.strip_prefix(prefix);
                named == name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        }
    }
}

impl Sources {
    /// Whether a source, as the lock file writes it, is an allowed registry.
    pub(super) fn knows(&self, source: &str) -> bool {
        let registry = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+"));
        registry.is_some_and(|address| self.allow_registry.iter().any(|allowed| allowed == address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_prefix_ends_at_a_dot() {
        let line = Exception { name: "syn@2".to_owned(), reason: String::new() };
        assert!(line.covers("syn", "2.0.1"));
        assert!(!line.covers("syn", "20.0.1"));
        assert!(!line.covers("synstructure", "2.0.1"));
        let any = Exception { name: "syn".to_owned(), reason: String::new() };
        assert!(any.covers("syn", "3.0.0"));
    }
}
