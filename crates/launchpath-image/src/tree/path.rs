//! Names of members as components below the root.

use super::Oddity;

/// The components of a name: no empty ones, no `.`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Components<'p> {
    pub(super) parts: Vec<&'p str>,
    pub(super) absolute: bool,
}

/// Reads a member's name. `..` is refused wherever it stands.
pub(super) fn components(name: &[u8]) -> Result<Components<'_>, Oddity> {
    let text = std::str::from_utf8(name).map_err(|_| Oddity::NameNotText)?;
    if text.contains('\0') {
        return Err(Oddity::NameNotText);
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Oddity::ParentEscape);
    }
    Ok(Components { parts, absolute: text.starts_with('/') })
}

/// `parts` as an absolute path.
pub(super) fn join(parts: &[impl AsRef<str>]) -> String {
    if parts.is_empty() {
        return "/".to_owned();
    }
    parts.iter().fold(String::new(), |path, part| path + "/" + part.as_ref())
}
