//! Error answers: their code, message and what they say about the asker's knowledge.

use std::fmt;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use roxmltree::Document;
use serde_json::Value;

use super::xml;
use crate::facts::Protocol;
use crate::record::Outcome;

/// An answer that is not the one asked for, or none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The service's error code, or one of ours: `ConnectionFailed`, `TimedOut`, …
    pub(crate) code: String,
    /// The service's words.
    pub(crate) message: String,
    /// The HTTP status; `None` when no answer came.
    pub(crate) http: Option<u16>,
    /// The Region that S3 names when it was asked in another.
    pub(crate) bucket_region: Option<String>,
    /// The same once more, in the form that the retry strategy reads.
    meta: Box<ErrorMetadata>,
}

impl Refusal {
    /// A refusal with a code, a message and, when an answer came, its status.
    pub(crate) fn new(code: &str, message: &str, http: Option<u16>) -> Self {
        let meta = Box::new(ErrorMetadata::builder().code(code).message(message).build());
        Self { code: code.to_owned(), message: message.to_owned(), http, bucket_region: None, meta }
    }

    /// Reads the error of a service.
    pub(crate) fn read(protocol: &Protocol, http: u16, type_header: Option<&str>, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let found = match protocol {
            Protocol::Ec2 | Protocol::Query | Protocol::RestXml => from_xml(&text),
            Protocol::Json { .. } | Protocol::RestJson => from_json(&text, type_header),
        };
        let (code, message) = found.unwrap_or_else(|| {
            // A HEAD request has no body; the AWS CLI then calls the status the code.
            let message: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
            (http.to_string(), message)
        });
        Self::new(&code, &message, Some(http))
    }

    /// How the bundle classifies it.
    pub(crate) fn outcome(&self) -> Outcome {
        let code = self.code.as_str();
        if THROTTLING_ERRORS.contains(&code) || self.http == Some(429) {
            return Outcome::Throttled;
        }
        if code.contains("NotFound") || code.contains("NoSuch") || code == "404" {
            return Outcome::NotFound;
        }
        let denied = ["AccessDenied", "Unauthorized", "NotAuthorized", "Forbidden", "AuthFailure"];
        if denied.iter().any(|part| code.contains(part)) || code == "403" {
            return Outcome::Denied;
        }
        Outcome::Error
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}

fn from_json(text: &str, type_header: Option<&str>) -> Option<(String, String)> {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let member = |names: &[&str]| names.iter().find_map(|name| body.get(*name)?.as_str()).map(str::to_owned);
    let code = type_header.map(str::to_owned).or_else(|| member(&["__type", "code", "Code"]))?;
    // `com.amazonaws.x#AccessDeniedException:http://…` is an `AccessDeniedException`.
    let code = code.rsplit('#').next()?.split(':').next()?.trim().to_owned();
    Some((code, member(&["message", "Message", "errorMessage"]).unwrap_or_default()))
}

fn from_xml(text: &str) -> Option<(String, String)> {
    let document = Document::parse(text).ok()?;
    let error = document.descendants().find(|node| xml::child(*node, "Code").is_some())?;
    let member = |name| xml::child(error, name).map(|n| xml::text(n).trim().to_owned());
    Some((member("Code")?, member("Message").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Protocol = Protocol::RestJson;

    #[test]
    fn codes_are_read_from_every_place_services_put_them() {
        for (protocol, header, body, code) in [
            (
                &Protocol::Ec2,
                None,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
                "UnauthorizedOperation",
            ),
            (
                &Protocol::Query,
                None,
                "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>",
                "NoSuchEntity",
            ),
            (
                &Protocol::RestXml,
                None,
                "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>",
                "NoSuchKey",
            ),
            (&JSON, Some("AccessDeniedException:http://x/"), r#"{"message":"no"}"#, "AccessDeniedException"),
            (
                &JSON,
                None,
                r#"{"__type":"com.amazonaws.ecr#ImageNotFoundException","message":"no"}"#,
                "ImageNotFoundException",
            ),
        ] {
            let refusal = Refusal::read(protocol, 400, header, body.as_bytes());
            assert_eq!((refusal.code.as_str(), refusal.message.as_str()), (code, "no"));
        }
    }

    #[test]
    fn outcomes_tell_a_refusal_from_an_absence() {
        for (code, http, outcome) in [
            ("AccessDenied", 403, Outcome::Denied),
            ("AccessDeniedException", 400, Outcome::Denied),
            ("UnauthorizedOperation", 403, Outcome::Denied),
            ("403", 403, Outcome::Denied),
            ("NoSuchEntity", 404, Outcome::NotFound),
            ("InvalidSubnetID.NotFound", 400, Outcome::NotFound),
            ("RepositoryPolicyNotFoundException", 400, Outcome::NotFound),
            ("404", 404, Outcome::NotFound),
            ("ThrottlingException", 400, Outcome::Throttled),
            ("RequestLimitExceeded", 503, Outcome::Throttled),
            ("501", 501, Outcome::Error),
            ("InternalFailure", 500, Outcome::Error),
            ("ExpiredToken", 403, Outcome::Error),
        ] {
            assert_eq!(Refusal::new(code, "", Some(http)).outcome(), outcome, "{code}");
        }
    }

    #[test]
    fn a_page_of_html_is_an_error_and_not_an_absence() {
        let refusal = Refusal::read(&JSON, 501, None, b"<html>not implemented</html>");
        assert_eq!((refusal.code.as_str(), refusal.outcome()), ("501", Outcome::Error));
    }
}
