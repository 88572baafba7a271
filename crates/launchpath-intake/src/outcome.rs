//! AWS error codes to outcomes: refused, not there, throttled, or another failure.

use launchpath_model::evidence::Outcome;

/// Codes of a missing permission. Wrong or expired credentials are no refusal: nobody was asked.
///
/// AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "AuthorizationError",
    "NotAuthorized",
    "Forbidden",
    "403",
];

/// Codes of a service that is asked too often.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "429",
];

/// How a call with this error code (and HTTP status, when known) ended.
///
/// An invocation is not classified: its failure is [`Outcome::Error`] whatever the code.
///
/// ```
/// use launchpath_intake::{bundle::Outcome, outcome_of};
/// assert_eq!(outcome_of("InvalidSubnetID.NotFound", Some(400)), Outcome::NotFound);
/// assert_eq!(outcome_of("Client.UnauthorizedOperation", Some(403)), Outcome::Denied);
/// assert_eq!(outcome_of("ExpiredToken", Some(403)), Outcome::Error);
/// ```
pub fn outcome_of(code: &str, http: Option<u16>) -> Outcome {
    let code = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    if DENIED.contains(&code) {
        return Outcome::Denied;
    }
    if THROTTLED.contains(&code) || http == Some(429) {
        return Outcome::Throttled;
    }
    let missing = code == "404"
        || code.starts_with("NoSuch")
        || code.ends_with("NotFound")
        || code.ends_with("NotFoundException")
        || code.ends_with("NotFoundFault");
    if missing { Outcome::NotFound } else { Outcome::Error }
}

#[cfg(test)]
mod tests {
    use super::outcome_of;
    use launchpath_model::evidence::Outcome;

    #[test]
    fn codes_of_every_protocol_are_sorted() {
        for (code, outcome) in [
            ("AccessDeniedException", Outcome::Denied),
            ("UnauthorizedOperation", Outcome::Denied),
            ("NoSuchEntity", Outcome::NotFound),
            ("ResourceNotFoundException", Outcome::NotFound),
            ("RepositoryPolicyNotFoundException", Outcome::NotFound),
            ("InvalidVpcID.NotFound", Outcome::NotFound),
            ("ImageNotFoundException", Outcome::NotFound),
            ("RequestLimitExceeded", Outcome::Throttled),
            ("ThrottlingException", Outcome::Throttled),
            ("ValidationException", Outcome::Error),
            ("InvalidClientTokenId", Outcome::Error),
            ("UnknownOperationException", Outcome::Error),
            ("", Outcome::Error),
        ] {
            assert_eq!(outcome_of(code, None), outcome, "{code}");
        }
    }
}
