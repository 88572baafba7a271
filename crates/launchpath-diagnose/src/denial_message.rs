//! Reads the texts with which AWS refuses a call: who, what, on what, and which kind of policy is to blame.
//!
//! Not every refusal says so much: older texts hold an encoded message or nothing at all; what a text does not say stays `None`.
//! Start with [`Denial::read`].
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

/// The kind of policy a refusal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// A policy of the caller itself.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The caller's permissions boundary.
    Boundary,
    /// A service control policy of the organisation.
    ServiceControl,
    /// A resource control policy of the organisation.
    ResourceControl,
    /// A session policy.
    Session,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// The trust policy of a role.
    Trust,
}

impl PolicyKind {
    /// AWS's words for each kind, as they stand in the texts.
    const WORDS: &'static [(&'static str, Self)] = &[
        ("identity-based policy", Self::Identity),
        ("resource-based policy", Self::Resource),
        ("permissions boundary", Self::Boundary),
        ("service control policy", Self::ServiceControl),
        ("resource control policy", Self::ResourceControl),
        ("session policy", Self::Session),
        ("VPC endpoint policy", Self::Endpoint),
        ("role trust policy", Self::Trust),
    ];

    /// AWS's words for it.
    pub fn words(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("policy", |(words, _)| words)
    }

    /// Whether it is a limit set around the caller, which no policy of the caller's own can lift.
    pub fn is_guardrail(self) -> bool {
        matches!(
            self,
            Self::Boundary | Self::ServiceControl | Self::ResourceControl | Self::Session | Self::Endpoint
        )
    }
}

/// What a refusal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// Who asked; an ARN.
    pub principal: Option<String>,
    /// The action, for example `iam:PassRole`.
    pub action: Option<String>,
    /// The resource; mostly an ARN, not always.
    pub resource: Option<String>,
    /// The kind of policy to blame.
    pub policy: Option<PolicyKind>,
    /// Whether a statement denies, or none allows.
    pub explicit: Option<bool>,
}

const PERFORM: &str = "not authorized to perform: ";
const EXPLICIT: &str = " with an explicit deny in ";
const IMPLICIT: &str = " because no ";

impl Denial {
    /// Reads a text; `None` when it names neither an action nor a kind of policy.
    pub fn read(text: &str) -> Option<Self> {
        // Consoles and tools break the lines where they like.
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = format!(" {}", words.join(" "));
        let mut denial = Self::default();
        if let Some((reason, explicit)) = reason(&text) {
            denial.policy =
                PolicyKind::WORDS.iter().find(|(words, _)| reason.starts_with(words)).map(|(_, kind)| *kind);
            denial.explicit = denial.policy.map(|_| explicit);
        }
        if let Some((before, after)) = text.split_once(PERFORM) {
            denial.principal = principal(before);
            denial.action = word(after);
            denial.resource = resource(after);
        }
        (denial.action.is_some() || denial.policy.is_some()).then_some(denial)
    }

    /// Whether the text blames a limit set around the caller.
    pub fn is_by_guardrail(&self) -> bool {
        self.policy.is_some_and(PolicyKind::is_guardrail)
    }
}

/// What follows the article of the reason, and whether it is an explicit deny.
fn reason(text: &str) -> Option<(&str, bool)> {
    if let Some((_, reason)) = text.split_once(EXPLICIT) {
        let reason = ["a ", "an ", "the "].iter().find_map(|article| reason.strip_prefix(article));
        return Some((reason?, true));
    }
    text.split_once(IMPLICIT).map(|(_, reason)| (reason, false))
}

fn principal(before: &str) -> Option<String> {
    let (_, who) = before.rsplit_once("User: ")?;
    who.split(' ').next().filter(|who| who.starts_with("arn:")).map(str::to_owned)
}

fn word(text: &str) -> Option<String> {
    let word = text.split(' ').next()?.trim_end_matches(['.', ',', ';']);
    word.contains(':').then(|| word.to_owned())
}

/// From its label to the reason: a resource that is no ARN may hold spaces.
fn resource(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(" on resource: ")?;
    let ends = [EXPLICIT, IMPLICIT, " Encoded authorization", " (Service: ", " (RequestID: "];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let named = rest.get(..end)?.trim();
    // Without a reason other words may follow an ARN.
    let named = if named.starts_with("arn:") { named.split(' ').next()? } else { named };
    let named = named.trim_end_matches(['.', ',']);
    (!named.is_empty()).then(|| named.to_owned())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests read files, the crate does not")]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::{Denial, PolicyKind};

    #[test]
    fn reads_every_part() {
        let text = "An error occurred (AccessDeniedException) when calling the CreateAgentRuntime operation: User: \
                    arn:aws:sts::123456789012:assumed-role/dev/me is not\nauthorized to perform: iam:PassRole on resource: \
                    arn:aws:iam::123456789012:role/agent-role because no permissions boundary allows the iam:PassRole action";
        let denial = Denial::read(text).unwrap();
        assert_eq!(denial.principal.as_deref(), Some("arn:aws:sts::123456789012:assumed-role/dev/me"));
        assert_eq!(denial.action.as_deref(), Some("iam:PassRole"));
        assert_eq!(denial.resource.as_deref(), Some("arn:aws:iam::123456789012:role/agent-role"));
        assert_eq!((denial.policy, denial.explicit), (Some(PolicyKind::Boundary), Some(false)));
        assert!(denial.is_by_guardrail());
    }

    #[test]
    fn a_text_that_says_nothing_is_not_read() {
        for text in [
            "Access Denied",
            "You are not authorized to perform this operation. Encoded authorization failure message: x",
        ] {
            assert_eq!(Denial::read(text), None, "{text}");
        }
    }

    #[test]
    fn every_kind_is_told_both_ways() {
        for (words, kind) in PolicyKind::WORDS {
            let explicit = Denial::read(&format!("denied with an explicit deny in a {words}")).unwrap();
            assert_eq!((explicit.policy, explicit.explicit), (Some(*kind), Some(true)));
            let implicit = Denial::read(&format!("denied because no {words} allows the x:Y action")).unwrap();
            assert_eq!((implicit.policy, implicit.explicit), (Some(*kind), Some(false)));
        }
    }

    /// Texts from the field. They are not part of the repository; without them the test says so and passes.
    #[test]
    fn agrees_with_texts_from_the_field() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cloudtrail/deny_messages.jsonl");
        let Ok(records) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            return;
        };
        for record in records.lines() {
            let record: Value = serde_json::from_str(record).unwrap();
            let denial = Denial::read(record["text"].as_str().unwrap()).unwrap_or_default();
            let kind = denial.policy.map(|kind| match kind {
                PolicyKind::Identity => "identity",
                PolicyKind::Resource => "resource",
                PolicyKind::Boundary => "permissions-boundary",
                PolicyKind::ServiceControl => "scp",
                PolicyKind::ResourceControl => "rcp",
                PolicyKind::Session => "session",
                PolicyKind::Endpoint => "vpc-endpoint",
                PolicyKind::Trust => "role-trust",
            });
            let expected = &record["expected"];
            assert_eq!(kind, expected["policy_type"].as_str(), "{record}");
            assert_eq!(denial.explicit, expected["explicit"].as_bool(), "{record}");
            for (name, read) in
                [("principal", &denial.principal), ("action", &denial.action), ("resource", &denial.resource)]
            {
                if let Some(wanted) = expected[name].as_str() {
                    assert_eq!(read.as_deref(), Some(wanted), "{name} of {record}");
                }
            }
        }
    }
}
