//! The configuration blob of an image: a presigned address from ECR, one download, its digest checked.
//!
//! The address is a secret and never leaves this file.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::client::{Ask, Client};
use crate::wire::refusal::Refusal;

/// A configuration is a few kilobytes; anything near this is something else.
const MAX_BYTES: usize = 4 << 20;

/// Fetches the blob that `request` (`registryId`, `repositoryName`, `digest`) names.
pub(crate) async fn fetch(client: &Client, region: &str, request: &Value) -> Result<Value, Refusal> {
    let mut layer = request.clone();
    if let Some(members) = layer.as_object_mut() {
        let digest = members.remove("digest").unwrap_or_default();
        members.insert("layerDigest".to_owned(), digest);
    }
    let ask = Ask {
        service: "ecr",
        operation: "GetDownloadUrlForLayer",
        region,
        request: &layer,
        max_pages: 1,
        max_items: 1,
    };
    let answer = client.ask(&ask).await?;
    let url = answer.get("downloadUrl").and_then(Value::as_str);
    let url =
        url.ok_or_else(|| Refusal::new("UnreadableAnswer", "the answer has no download address", None))?;
    // The refusal of a download may quote the address, so its words are ours.
    let blob = client.fetch(url).await.map_err(|refusal| {
        Refusal::new(&refusal.code, "the configuration could not be downloaded", refusal.http)
    })?;
    if !(200..300).contains(&blob.status) {
        let code = blob.status.to_string();
        return Err(Refusal::new(&code, "the configuration could not be downloaded", Some(blob.status)));
    }
    let digest = request.get("digest").and_then(Value::as_str).unwrap_or_default();
    read(&blob.body, digest)
}

fn read(body: &[u8], digest: &str) -> Result<Value, Refusal> {
    let refuse = |code: &str, message: &str| Err(Refusal::new(code, message, None));
    if body.len() > MAX_BYTES {
        return refuse("AnswerTooLarge", "the configuration is larger than 4 MiB");
    }
    if digest != digest_of(body) {
        return refuse(
            "DigestMismatch",
            "the configuration does not have the digest that the manifest names",
        );
    }
    match serde_json::from_slice(body) {
        Ok(document @ Value::Object(_)) => Ok(document),
        _ => refuse("UnreadableAnswer", "the configuration is not a JSON object"),
    }
}

fn digest_of(body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(body) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_blob_that_was_named_is_taken() {
        let body = br#"{"architecture":"arm64"}"#;
        assert_eq!(read(body, &digest_of(body)).unwrap(), json!({"architecture": "arm64"}));
        assert_eq!(read(body, "sha256:00").unwrap_err().code, "DigestMismatch");
        assert_eq!(read(b"[]", &digest_of(b"[]")).unwrap_err().code, "UnreadableAnswer");
        let large = vec![b' '; MAX_BYTES + 1];
        assert_eq!(read(&large, &digest_of(&large)).unwrap_err().code, "AnswerTooLarge");
    }
}
