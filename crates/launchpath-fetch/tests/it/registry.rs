//! Registries: proofs of identity, redirections, digests, refusals.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use launchpath_fetch::{Artifact, Container, Credentials, FetchError, Options, Secret, open};
use launchpath_image::digest::Digest;
use launchpath_image::tree::Limits;

use crate::image::Image;
use crate::server::{Asked, Reply, Server};

/// The paths and bodies of a registry with one image, `team/agent:v1`.
fn parts(image: &Image) -> BTreeMap<String, Vec<u8>> {
    let manifest = image.manifest_bytes();
    let mut parts = BTreeMap::new();
    for name in ["v1".to_owned(), Digest::of(&manifest).to_string()] {
        parts.insert(format!("/v2/team/agent/manifests/{name}"), manifest.clone());
    }
    for blob in &image.blobs {
        parts.insert(format!("/v2/team/agent/blobs/{}", Digest::of(blob)), blob.clone());
    }
    parts
}

fn answer(parts: &BTreeMap<String, Vec<u8>>, asked: &Asked) -> Reply {
    match parts.get(&asked.path) {
        Some(bytes) => Reply::new(200, bytes.clone())
            .header("content-type", "application/vnd.oci.image.manifest.v1+json"),
        None => {
            Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\u0007 unknown"}]}"#)
        }
    }
}

fn fetch(reference: &str, options: &Options) -> Result<Container, FetchError> {
    match open(reference, options)? {
        Artifact::Container(container) => Ok(*container),
        _ => panic!("{reference} is no container image"),
    }
}

fn password(user: &str, password: &str) -> Options {
    let secret = Secret::Password(password.to_owned());
    Options { credentials: Some(Credentials { user: user.to_owned(), secret }), ..Options::default() }
}

#[test]
fn an_open_registry_is_asked_for_documents_then_for_layers() {
    let image = Image::with_files(&[("app/main.py", "import os\n")]);
    let all = parts(&image);
    let server = Server::start(move |asked| answer(&all, asked));
    let digest = Digest::of(&image.manifest_bytes());
    for selector in [":v1".to_owned(), format!("@{digest}"), format!(":old@{digest}")] {
        let mut container =
            fetch(&format!("{}/team/agent{selector}", server.host), &Options::default()).unwrap();
        assert_eq!(container.documents().manifest.as_ref().unwrap().digest, digest);
        let tree = container.tree(Limits::default()).unwrap();
        assert_eq!(tree.read("/app/main.py", 100).unwrap(), b"import os\n");
    }
    // Manifest, config, layer: nothing is asked twice, and layers are asked for last.
    let paths: Vec<String> = server.asked().into_iter().take(3).map(|asked| asked.path).collect();
    assert!(
        paths[0].ends_with("/manifests/v1") && paths[1].contains("/blobs/") && paths[2].contains("/blobs/")
    );
    let error =
        fetch(&format!("{}/team/agent:v2", server.host), &Options::default()).err().unwrap().to_string();
    assert!(error.contains("team/agent:v2 (manifest unknown) is missing"), "{error}");
}

#[test]
fn a_token_service_is_asked_once_with_what_login_left() {
    let image = Image::with_files(&[("a", "")]);
    let all = parts(&image);
    let tokens = Server::start(|asked| match asked.authorization.as_deref() {
        Some("Basic dXNlcjpwYXNzOndvcmQ=") if asked.path.starts_with("/token?") => {
            Reply::new(200, r#"{"access_token": "t0ken"}"#)
        }
        _ => Reply::new(401, r#"{"details": "incorrect username or password"}"#),
    });
    let realm = format!("http://{}/token", tokens.host);
    let server = Server::start(move |asked| match asked.authorization.as_deref() {
        Some("Bearer t0ken") => answer(&all, asked),
        _ => Reply::new(401, "").header(
            "WWW-Authenticate",
            format!(r#"Bearer realm="{realm}",service="registry.test",scope="repository:team/agent:pull""#),
        ),
    });
    let reference = format!("{}/team/agent:v1", server.host);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("config.json");
    let auths = format!(r#"{{"auths": {{"{}": {{"auth": "dXNlcjpwYXNzOndvcmQ="}}}}}}"#, server.host);
    fs::write(&file, auths).unwrap();
    let options = Options { credential_files: vec![file], ..Options::default() };
    let mut container = fetch(&reference, &options).unwrap();
    container.tree(Limits::default()).unwrap();
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/token?service=registry.test&scope=repository%3Ateam%2Fagent%3Apull");
    let error = fetch(&reference, &password("somebody", "s3cret")).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("denies access: asked as user `somebody` (incorrect username or password)"),
        "{text}"
    );
    assert!(!format!("{error:?}").contains("s3cret") && error.advice().is_some());
    let text = fetch(&reference, &Options::default()).err().unwrap().to_string();
    assert!(text.contains("asked without credentials"), "{text}");
}

#[test]
fn a_refresh_token_is_changed_into_a_token() {
    let image = Image::with_files(&[("a", "")]);
    let all = parts(&image);
    let tokens = Server::start(|asked| {
        let right = asked.method == "POST" && asked.body.contains("&refresh_token=re%2Ffresh");
        if right { Reply::new(200, r#"{"token": "t0ken"}"#) } else { Reply::new(400, "") }
    });
    let realm = format!("http://{}/token", tokens.host);
    let server = Server::start(move |asked| match asked.authorization.as_deref() {
        Some("Bearer t0ken") => answer(&all, asked),
        _ => Reply::new(401, "").header("www-authenticate", format!("Bearer realm=\"{realm}\"")),
    });
    let secret = Secret::Refresh("re/fresh".to_owned());
    let credentials = Some(Credentials { user: String::new(), secret });
    let options = Options { credentials, ..Options::default() };
    fetch(&format!("{}/team/agent:v1", server.host), &options).unwrap();
}

#[test]
fn passwords_stay_with_the_registry_when_a_layer_lies_elsewhere() {
    let image = Image::with_files(&[("a", "elsewhere")]);
    let all = Arc::new(parts(&image));
    let elsewhere = Arc::clone(&all);
    let storage = Server::start(move |asked| answer(&elsewhere, asked));
    let host = storage.host.clone();
    let server = Server::start(move |asked| match asked.authorization.as_deref() {
        // "AWS:t0ken", as ECR's token is used.
        Some("Basic QVdTOnQwa2Vu") if asked.path.contains("/blobs/") => {
            Reply::new(307, "").header("location", format!("http://{host}{}", asked.path))
        }
        Some("Basic QVdTOnQwa2Vu") => answer(&all, asked),
        _ => Reply::new(401, "").header("www-authenticate", "Basic realm=\"ECR\""),
    });
    let reference = format!("{}/team/agent:v1", server.host);
    let mut container = fetch(&reference, &password("AWS", "t0ken")).unwrap();
    let tree = container.tree(Limits::default()).unwrap();
    assert_eq!(tree.read("/a", 100).unwrap(), b"elsewhere");
    assert_eq!(storage.asked().len(), 2);
    assert!(storage.asked().iter().all(|asked| asked.authorization.is_none()));
    let text = fetch(&reference, &Options::default()).err().unwrap().to_string();
    assert!(text.contains("asked without credentials (it wants a user and a password)"), "{text}");
}

#[test]
fn a_registry_that_lies_is_caught() {
    let image = Image::with_files(&[("a", "")]);
    let other = Image::with_files(&[("evil", "")]);
    let digest = Digest::of(&image.manifest_bytes());
    let mut forged = parts(&image);
    forged.insert(format!("/v2/team/agent/manifests/{digest}"), other.manifest_bytes());
    let config = Digest::of(image.blobs.last().unwrap());
    let mut changed = image.blobs.last().unwrap().clone();
    changed[0] = b' ';
    forged.insert(format!("/v2/team/agent/blobs/{config}"), changed);
    let server = Server::start(move |asked| answer(&forged, asked));
    for (selector, what) in [
        (format!("@{digest}"), "the manifest has the digest"),
        (":v1".to_owned(), "the config has the digest"),
    ] {
        let text = fetch(&format!("{}/team/agent{selector}", server.host), &Options::default())
            .err()
            .unwrap()
            .to_string();
        assert!(text.contains(what), "{text}");
    }
}

#[test]
fn a_registry_that_stumbles_is_asked_again_and_one_that_limits_is_named() {
    let image = Image::with_files(&[("a", "")]);
    let all = parts(&image);
    let stumbles = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        if stumbles.fetch_add(1, Ordering::SeqCst) == 0 { Reply::new(503, "") } else { answer(&all, asked) }
    });
    assert!(fetch(&format!("{}/team/agent:v1", server.host), &Options::default()).is_ok());
    for (status, expected) in
        [(429, "limits the rate of requests"), (418, "the registry answers 418"), (301, "leads nowhere")]
    {
        let server = Server::start(move |_| Reply::new(status, ""));
        let text =
            fetch(&format!("{}/team/agent:v1", server.host), &Options::default()).err().unwrap().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn plain_http_ends_at_this_machine() {
    // A redirection, or a token service, that leads to plain HTTP elsewhere is not followed.
    let server = Server::start(|_| Reply::new(302, "").header("location", "http://192.0.2.1/blob"));
    let text =
        fetch(&format!("{}/team/agent:v1", server.host), &Options::default()).err().unwrap().to_string();
    assert!(text.contains("plain HTTP is used on this machine only"), "{text}");
    let server = Server::start(|_| {
        Reply::new(401, "").header("www-authenticate", "Bearer realm=\"http://192.0.2.1/token\"")
    });
    let text =
        fetch(&format!("{}/team/agent:v1", server.host), &password("u", "p")).err().unwrap().to_string();
    assert!(text.contains("its token service: plain HTTP is used on this machine only"), "{text}");
}
