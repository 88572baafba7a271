//! How the tool itself fails, and the exit codes for it. A runtime that is broken is no failure of the tool.
//!
//! 2 malformed input; the AWS CLI's codes for the rest: 130 interrupted, 252 usage or unreadable input, 253 environment or
//! credentials, 254 the service refused so much that nothing could be said, 255 a bug.

use std::fmt;

use launchpath_aws::CollectError;
use launchpath_intake::IntakeError;
use launchpath_intake::error::Problem;

/// Exit code of a usage error.
pub(crate) const USAGE: u8 = 252;

/// A failure of the tool, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    advice: Option<String>,
}

impl Failure {
    /// Wrong words on the command line, or input that cannot be read.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: USAGE, error: error.into(), advice: None }
    }

    /// Input that says something impossible.
    pub(crate) fn malformed(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into(), advice: None }
    }

    /// The environment is not fit: an output that cannot be written, no credentials.
    pub(crate) fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 253, error: error.into(), advice: None }
    }

    /// The user stopped it.
    pub(crate) fn interrupted() -> Self {
        Self { code: 130, error: anyhow::anyhow!("interrupted; nothing was written"), advice: None }
    }

    /// The service refused everything that matters.
    pub(crate) fn refused() -> Self {
        Self {
            code: 254,
            error: anyhow::anyhow!(
                "every call about the runtime was refused, so nothing can be said about it"
            ),
            advice: Some("grant the policy that `launchpath permissions` prints".to_owned()),
        }
    }

    /// A bug of this program.
    pub(crate) fn bug() -> Self {
        Self {
            code: 255,
            error: anyhow::anyhow!("launchpath has a bug; its message is above"),
            advice: Some("please report it with the bundle, or with the command".to_owned()),
        }
    }

    /// The same failure with what to do.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Whether the environment is to blame, not the input.
    pub(crate) fn is_of_the_environment(&self) -> bool {
        self.code == 253
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.error.to_string();
        for cause in self.error.chain().skip(1).map(ToString::to_string) {
            // Many an error tells its cause itself.
            if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        f.write_str(&text)?;
        if let Some(advice) = &self.advice {
            write!(f, "\n  {advice}")?;
        }
        Ok(())
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        let code = match error.problem() {
            Problem::Malformed | Problem::Refused => 2,
            Problem::Unreadable | Problem::Empty => USAGE,
        };
        Self { code, error: error.into(), advice: None }
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        let code = match error {
            CollectError::NoCredentials
            | CollectError::Credentials(_)
            | CollectError::LongLived
            | CollectError::NoRegion => 253,
            CollectError::RegionConflict { .. } | CollectError::EndpointUrl(_) | CollectError::Runtime(_) => {
                USAGE
            }
        };
        Self { code, error: error.into(), advice: None }
    }
}
