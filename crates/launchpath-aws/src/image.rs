//! What fetching an image or code needs of AWS: ECR's token, the bytes of an object in S3.
//!
//! Nothing of it is evidence: the token is a secret and goes to the registry only, the bytes go to the caller's file. What is seen
//! in them is recorded by whoever looks.

use std::fmt;
use std::io::Write;

use serde_json::{Map, Value, json};

use crate::client::{Ask, Client, RawAnswer};
use crate::settings::{CollectError, Settings};
use crate::wire::refusal::Refusal;

/// AWS: a code archive has at most 250 MB; more is downloaded only to say so.
const MAX_CODE: u64 = 512 << 20;
/// One request's share of an object.
const PART: u64 = 16 << 20;

/// Why AWS does not give what an image is fetched with.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Nothing could be asked.
    #[error(transparent)]
    Connect(#[from] CollectError),
    /// The service refused.
    #[error("{what} was refused: {code}: {message}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The error's code.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The answer is not what the service documents.
    #[error("the answer to {what} cannot be read")]
    Unreadable {
        /// What was asked for.
        what: String,
    },
    /// Larger than any code archive.
    #[error("{what} has {bytes} bytes; a code archive has at most {MAX_CODE}")]
    TooLarge {
        /// Which object.
        what: String,
        /// Its size.
        bytes: u64,
    },
    /// The caller's file cannot be written.
    #[error("the download cannot be written: {0}")]
    Write(#[source] std::io::Error),
}

/// A user and a token for a registry, good for some hours.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The user; always `AWS`.
    pub user: String,
    /// The token.
    pub password: String,
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistryLogin({}, …)", self.user)
    }
}

/// An object that holds a code archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeObject {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The version; the latest when there is none.
    pub version: Option<String>,
}

impl fmt::Display for CodeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A login for the private registries of a Region.
pub async fn registry_login(settings: &Settings, region: &str) -> Result<RegistryLogin, ImageError> {
    let what = "ecr GetAuthorizationToken";
    let settings = Settings { region: Some(region.to_owned()), ..settings.clone() };
    let client = Client::connect(&settings, None).await?;
    let answer = client.image("ecr", "GetAuthorizationToken", region, &json!({})).await;
    let answer = accepted(what, answer)?;
    let unreadable = || ImageError::Unreadable { what: what.to_owned() };
    let document: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    let token = document["authorizationData"][0]["authorizationToken"].as_str().ok_or_else(unreadable)?;
    let bytes = aws_smithy_types::base64::decode(token).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let (user, password) = text.split_once(':').ok_or_else(unreadable)?;
    Ok(RegistryLogin { user: user.to_owned(), password: password.to_owned() })
}

/// Downloads a code archive to `output`, in parts of one and the same object.
pub async fn download_code(
    settings: &Settings,
    object: &CodeObject,
    output: &mut (dyn Write + Send),
) -> Result<u64, ImageError> {
    let client = Client::connect(settings, None).await?;
    let mut region = client.region().to_owned();
    let what = object.to_string();
    let mut request = Map::new();
    request.insert("Bucket".to_owned(), object.bucket.clone().into());
    request.insert("Key".to_owned(), object.key.clone().into());
    if let Some(version) = &object.version {
        request.insert("VersionId".to_owned(), version.clone().into());
    }
    let head = Value::Object(request.clone());
    let ask = Ask {
        service: "s3",
        operation: "HeadObject",
        region: &region,
        request: &head,
        max_pages: 1,
        max_items: 1,
    };
    let head = client.ask(&ask).await.map_err(|refusal| refused(&what, &refusal))?;
    let size = head.get("ContentLength").and_then(Value::as_u64);
    let size = size.ok_or_else(|| ImageError::Unreadable { what: what.clone() })?;
    if size > MAX_CODE {
        return Err(ImageError::TooLarge { what, bytes: size });
    }
    // An object that is replaced meanwhile is refused instead of mixed.
    if let Some(tag) = head.get("ETag") {
        request.insert("IfMatch".to_owned(), tag.clone());
    }
    let (mut done, mut moved) = (0, false);
    while done < size {
        let last = (done + PART).min(size) - 1;
        request.insert("Range".to_owned(), format!("bytes={done}-{last}").into());
        let answer = client.image("s3", "GetObject", &region, &Value::Object(request.clone())).await;
        if let Ok(RawAnswer { status: 300..=499, bucket_region: Some(named), .. }) = &answer
            && !moved
            && *named != region
        {
            moved = true;
            region.clone_from(named);
            continue;
        }
        let answer = accepted(&what, answer)?;
        if answer.body.len() as u64 != last + 1 - done {
            return Err(ImageError::Unreadable { what });
        }
        output.write_all(&answer.body).map_err(ImageError::Write)?;
        done = last + 1;
    }
    Ok(size)
}

/// An answer that says yes.
fn accepted(what: &str, answer: Result<RawAnswer, Refusal>) -> Result<RawAnswer, ImageError> {
    let answer = answer.map_err(|refusal| refused(what, &refusal))?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let typed = member("__type").map(|text| text.rsplit('#').next().unwrap_or_default().to_owned());
    let code = typed.or(answer.type_header).unwrap_or_else(|| answer.status.to_string());
    let message = member("message").or_else(|| member("Message")).unwrap_or_default();
    Err(ImageError::Refused { what: what.to_owned(), code, message })
}

fn refused(what: &str, refusal: &Refusal) -> ImageError {
    ImageError::Refused {
        what: what.to_owned(),
        code: refusal.code.clone(),
        message: refusal.message.clone(),
    }
}
