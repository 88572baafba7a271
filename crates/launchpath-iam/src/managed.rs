//! AWS-managed policies as data: documents that anybody can look up, with source and date.
//!
//! Not a mirror of all of them: an attached managed policy that is not here and was not collected is unknown. AWS
//! edits these policies, so each entry says which version it is and between which dates it was the default.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

use crate::document::Policy;
use crate::layers::NamedPolicy;

/// One version of an AWS-managed policy.
#[derive(Debug, Clone)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: String,
    /// Its ARN in the `aws` partition.
    pub arn: String,
    /// The version, such as `v1`.
    pub version: String,
    /// When the version was made, RFC 3339.
    pub edited: String,
    /// When it was seen to be the default, as a date.
    pub seen: String,
    /// The page it was read from.
    pub source: String,
    /// The document.
    pub policy: Arc<Policy>,
}

#[derive(Deserialize)]
struct File {
    name: String,
    arn: String,
    version: String,
    edited: String,
    seen: String,
    source: String,
    document: Value,
}

const FILES: [&str; 2] = [
    include_str!("../data/managed/BedrockAgentCoreFullAccess.json"),
    include_str!("../data/managed/BedrockAgentCoreNetworkServiceRolePolicy.json"),
];

static POLICIES: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(|| {
    let read = |text: &&str| {
        let file: File = serde_json::from_str(text).ok()?;
        let policy = Policy::from_value(&file.document).ok()?;
        Some(ManagedPolicy {
            name: file.name,
            arn: file.arn,
            version: file.version,
            edited: file.edited,
            seen: file.seen,
            source: file.source,
            policy: Arc::new(policy),
        })
    };
    FILES.iter().filter_map(read).collect()
});

/// All managed policies in the data, by name.
pub fn managed_policies() -> &'static [ManagedPolicy] {
    &POLICIES
}

/// The data on an AWS-managed policy, by its ARN in whatever partition.
pub fn managed_policy(arn: &str) -> Option<&'static ManagedPolicy> {
    let name = arn.split_once(":iam::aws:policy/")?.1;
    POLICIES.iter().find(|policy| policy.arn.split_once(":policy/").is_some_and(|(_, own)| own == name))
}

/// An attached policy of which only the ARN is known: from the data, if it is an AWS-managed policy that has been in
/// its version since before `at` (RFC 3339); else unknown.
///
/// AWS can have edited the policy since the data was read. Whoever has collected the document should use that.
pub fn attached(arn: &str, at: &str) -> NamedPolicy {
    let Some(known) = managed_policy(arn) else {
        return NamedPolicy::unknown(arn, "the policy is attached, but its document was not collected");
    };
    let day = |text: &str| text.get(..10).map(ToOwned::to_owned);
    if day(at) < day(&known.edited) {
        let reason =
            format!("only version {} of {} is known, and it was not made yet", known.version, known.edited);
        return NamedPolicy::unknown(arn, reason);
    }
    NamedPolicy::known(arn, known.policy.clone())
}

#[cfg(test)]
mod tests {
    use super::{FILES, managed_policies, managed_policy};

    #[test]
    fn every_file_is_read() {
        assert_eq!(managed_policies().len(), FILES.len());
        assert!(managed_policies().is_sorted_by_key(|policy| &policy.name));
        for policy in managed_policies() {
            assert_eq!(managed_policy(&policy.arn).map(|found| &found.name), Some(&policy.name));
            assert!(policy.source.starts_with("https://docs.aws.amazon.com/"));
        }
        assert!(managed_policy("arn:aws-cn:iam::aws:policy/BedrockAgentCoreFullAccess").is_some());
        assert!(managed_policy("arn:aws:iam::111122223333:policy/BedrockAgentCoreFullAccess").is_none());
    }
}
