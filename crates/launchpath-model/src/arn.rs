//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use std::fmt;
use std::str::FromStr;

/// An ARN split into its six parts. Region and account may be empty, as in `arn:aws:iam::111122223333:role/x`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arn {
    /// `aws`, `aws-us-gov`, `aws-cn`, …
    pub partition: String,
    /// The service's namespace, for example `bedrock-agentcore`.
    pub service: String,
    /// Empty for global services.
    pub region: String,
    /// Empty for resources that are named globally, such as S3 objects.
    pub account: String,
    /// Everything after the fifth colon.
    pub resource: String,
}

/// The text is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnArn(pub String);

impl fmt::Display for NotAnArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an ARN: expected arn:partition:service:region:account:resource", self.0)
    }
}

impl std::error::Error for NotAnArn {}

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Self, NotAnArn> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned).ok_or_else(|| NotAnArn(text.to_owned()));
        let prefix = next()?;
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        if prefix != "arn" || arn.partition.is_empty() || arn.service.is_empty() || arn.resource.is_empty() {
            return Err(NotAnArn(text.to_owned()));
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

impl Arn {
    /// The last part of the resource after `/`, or after `:` where there is no `/`.
    ///
    /// ```
    /// let arn: launchpath_model::Arn = "arn:aws:iam::111122223333:role/service/agent".parse()?;
    /// assert_eq!(arn.resource_name(), "agent");
    /// # Ok::<(), launchpath_model::arn::NotAnArn>(())
    /// ```
    pub fn resource_name(&self) -> &str {
        self.resource.rsplit(['/', ':']).next().unwrap_or(&self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn an_arn_prints_as_it_was_read() {
        let text = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x:*";
        assert_eq!(text.parse::<Arn>().map(|arn| arn.to_string()), Ok(text.to_owned()));
    }

    #[test]
    fn text_that_is_no_arn_is_refused() {
        for text in ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:role/x", "arn:aws:iam::1:"] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }
}
