//! Credentials for registries: given by the caller, or where `docker login` and `podman login` leave them.
//!
//! Credential helpers are programs; they are named in a refusal and never run.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;

/// A user and a secret. The secret is in no message.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user; `AWS` for ECR.
    pub user: String,
    /// The password or token.
    pub secret: Secret,
}

/// How a registry is convinced.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// A password.
    Password(String),
    /// A refresh token, which the registry's token service changes into an access token.
    Refresh(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, …)", self.user)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A file that `docker login` or `podman login` writes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: std::collections::BTreeMap<String, Entry>,
    cred_helpers: std::collections::BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// What the files say of a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) credentials: Option<Credentials>,
    /// A helper that would know more.
    pub(crate) helper: Option<String>,
}

/// Where credentials are kept, the first file first.
pub fn credential_files() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let docker = variable("DOCKER_CONFIG").or_else(|| home.map(|home| home.join(".docker")));
    [
        variable("REGISTRY_AUTH_FILE"),
        variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Looks for a registry in `files`. A file that is not there or cannot be read knows nothing.
pub(crate) fn kept(files: &[PathBuf], registry: &str, repository: &str) -> Kept {
    let mut kept = Kept::default();
    for path in files {
        let Some(file) = read(path) else { continue };
        if let Some(credentials) = file.find(registry, repository) {
            return Kept { credentials: Some(credentials), helper: None };
        }
        let helper = file.cred_helpers.get(registry).or(file.creds_store.as_ref());
        kept.helper = kept.helper.or_else(|| helper.cloned());
    }
    kept
}

fn read(path: &Path) -> Option<File> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

impl File {
    /// The entry of the longest part of `registry/repository`.
    fn find(&self, registry: &str, repository: &str) -> Option<Credentials> {
        let mut place = format!("{registry}/{repository}");
        loop {
            let fitting = self.auths.iter().find(|(key, _)| is_key_of(key, &place));
            if let Some(credentials) = fitting.and_then(|(_, entry)| entry.credentials()) {
                return Some(credentials);
            }
            let end = place.rfind('/')?;
            place.truncate(end);
        }
    }
}

/// Whether a key of `auths` stands for a place. Docker writes addresses of several ages.
fn is_key_of(key: &str, place: &str) -> bool {
    let key = key.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    key == place || (place == "docker.io" && (key == "index.docker.io" || key == "registry-1.docker.io"))
}

impl Entry {
    fn credentials(&self) -> Option<Credentials> {
        let decoded = self.auth.as_ref().and_then(|text| {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
            String::from_utf8(bytes).ok()
        });
        let pair = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'));
        let user =
            pair.map(|(user, _)| user.to_owned()).or_else(|| self.username.clone()).unwrap_or_default();
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Some(Credentials { user, secret: Secret::Refresh(token.clone()) });
        }
        let password = pair.map(|(_, password)| password.to_owned()).or_else(|| self.password.clone())?;
        (!user.is_empty()).then_some(Credentials { user, secret: Secret::Password(password) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Kept, Secret, kept};

    fn look(file: &str, registry: &str, repository: &str) -> Kept {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("config.json");
        std::fs::write(&path, file).unwrap();
        kept(&[place.path().join("missing.json"), path], registry, repository)
    }

    fn password(user: &str, password: &str) -> Kept {
        let secret = Secret::Password(password.to_owned());
        Kept { credentials: Some(Credentials { user: user.to_owned(), secret }), helper: None }
    }

    #[test]
    fn what_login_left_is_found() {
        // "user:pass:word"
        let file = r#"{"auths": {"https://registry.test/v2/": {"auth": "dXNlcjpwYXNzOndvcmQ="},
            "registry.test/team": {"username": "team", "password": "p"},
            "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNzOndvcmQ="},
            "tokens.test": {"auth": "MDA6", "identitytoken": "refresh"}}}"#;
        assert_eq!(look(file, "registry.test", "agent"), password("user", "pass:word"));
        assert_eq!(look(file, "registry.test", "team/agent"), password("team", "p"));
        assert_eq!(look(file, "docker.io", "library/python"), password("user", "pass:word"));
        let refresh = look(file, "tokens.test", "a").credentials.unwrap();
        assert_eq!(refresh.secret, Secret::Refresh("refresh".into()));
        assert_eq!(look(file, "registry.test.evil", "a"), Kept::default());
        assert!(!format!("{refresh:?}").contains("refresh"));
    }

    #[test]
    fn a_helper_is_named_and_not_run() {
        let file = r#"{"credHelpers": {"registry.test": "ecr-login"}, "auths": {"registry.test": {}}}"#;
        assert_eq!(look(file, "registry.test", "a").helper.as_deref(), Some("ecr-login"));
        assert_eq!(look("no JSON", "registry.test", "a"), Kept::default());
    }
}
