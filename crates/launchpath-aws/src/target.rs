//! What the user calls a runtime: an id, a name or an ARN.

use crate::settings::CollectError;

/// A runtime as it was named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The id, when it was given by id or ARN.
    pub(crate) id: Option<String>,
    /// The name, when it was given by name.
    pub(crate) name: Option<String>,
    /// The Region of the ARN.
    pub(crate) region: Option<String>,
    /// The account of the ARN.
    pub(crate) account: Option<String>,
}

impl Target {
    /// Reads what the user typed. A name has no hyphen; an id always has one.
    // AWS: `agentRuntimeName` is [a-zA-Z][a-zA-Z0-9_]{0,47} and an id is the name, a hyphen and ten
    // letters and digits,
    // https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_CreateAgentRuntime.html
    pub(crate) fn parse(text: &str) -> Result<Self, CollectError> {
        let text = text.trim();
        let bad = || CollectError::Runtime(text.to_owned());
        let (rest, region, account) = if text.starts_with("arn:") {
            let fields: Vec<&str> = text.splitn(6, ':').collect();
            let [_, _, "bedrock-agentcore", region, account, resource] = fields[..] else {
                return Err(bad());
            };
            let id = resource.strip_prefix("runtime/").ok_or_else(bad)?;
            let id = id.split(['/', ':']).next().unwrap_or_default();
            (id, Some(region.to_owned()), Some(account.to_owned()))
        } else {
            (text, None, None)
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if rest.is_empty() || !rest.chars().all(fits) {
            return Err(bad());
        }
        let is_id = rest.contains('-') || region.is_some();
        let text = Some(rest.to_owned());
        Ok(Self { id: text.clone().filter(|_| is_id), name: text.filter(|_| !is_id), region, account })
    }

    /// What the user typed, without the rest of an ARN.
    pub(crate) fn label(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_and_arns_are_told_apart() {
        let id = Target::parse("my_agent-7XCALx4Xuw").unwrap();
        assert_eq!((id.id.as_deref(), id.name.as_deref()), (Some("my_agent-7XCALx4Xuw"), None));
        let name = Target::parse("my_agent").unwrap();
        assert_eq!((name.id.as_deref(), name.name.as_deref()), (None, Some("my_agent")));
        let arn = Target::parse(
            "arn:aws:bedrock-agentcore:eu-west-1:111122223333:runtime/my_agent-7XCALx4Xuw/runtime-endpoint/DEFAULT",
        )
        .unwrap();
        assert_eq!(arn.id.as_deref(), Some("my_agent-7XCALx4Xuw"));
        assert_eq!(arn.region.as_deref(), Some("eu-west-1"));
        assert_eq!(arn.account.as_deref(), Some("111122223333"));
    }

    #[test]
    fn other_things_are_refused() {
        for text in [
            "",
            "a b",
            "../x",
            "arn:aws:lambda:us-east-1:1:function:x",
            "arn:aws:bedrock-agentcore:us-east-1:1:memory/x",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
