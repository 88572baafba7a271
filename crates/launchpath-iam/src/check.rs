//! Checks that depend on what a document is for: which elements it must and must not have, and how long it may be.
//!
//! Not needed for evaluation, which takes what is in force as it is.

use crate::arn::ArnParts;
use crate::document::{Policy, PrincipalSpec, Principals, Statement};
use crate::error::{PolicyError, PolicyErrorKind};
use crate::location::Location;
use crate::principal::is_account_id;

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// A managed policy, also as a permissions boundary.
    Managed,
    /// An inline policy of a user.
    InlineUser,
    /// An inline policy of a group.
    InlineGroup,
    /// An inline policy of a role.
    InlineRole,
    /// A role's trust policy.
    Trust,
    /// A session policy.
    Session,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// A policy on a resource (bucket, key, repository, runtime).
    Resource,
    /// The policy of a VPC endpoint.
    Endpoint,
}

impl DocumentKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Managed | Self::InlineUser | Self::InlineGroup | Self::InlineRole => {
                "an identity-based policy"
            }
            Self::Trust => "a trust policy",
            Self::Session => "a session policy",
            Self::Scp => "a service control policy",
            Self::Rcp => "a resource control policy",
            Self::Resource => "a resource-based policy",
            Self::Endpoint => "a VPC endpoint policy",
        }
    }

    /// How many characters a document may have, and whether white space counts; `None` where it depends on the
    /// service. Inline policies of one user, group or role share their limit. All are defaults that AWS can raise.
    ///
    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>,
    /// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>,
    /// <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>
    pub fn limit(self) -> Option<(usize, WhiteSpace)> {
        Some(match self {
            Self::Managed => (6_144, WhiteSpace::Free),
            Self::InlineUser | Self::Trust | Self::Session => (2_048, WhiteSpace::Free),
            Self::InlineGroup => (5_120, WhiteSpace::Free),
            Self::InlineRole => (10_240, WhiteSpace::Free),
            Self::Scp | Self::Rcp => (5_120, WhiteSpace::Counts),
            Self::Endpoint => (20_480, WhiteSpace::Counts),
            Self::Resource => return None,
        })
    }

    /// `Principal` is demanded, or forbidden.
    fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Rcp | Self::Resource | Self::Endpoint)
    }
}

/// Whether white space counts towards a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhiteSpace {
    /// It does.
    Counts,
    /// It does not.
    Free,
}

impl Policy {
    /// Checks a readable document against the rules for its kind. What is wrong in any kind is found by parsing.
    pub fn check(&self, kind: DocumentKind) -> Vec<PolicyError> {
        let mut findings = Vec::new();
        let mut report = |kind, at: &Location| findings.push(PolicyError { kind, at: at.clone() });
        let mut sids: Vec<&str> = Vec::new();
        for statement in &self.statements {
            for error in statement_errors(statement, kind) {
                report(error, &statement.at);
            }
            if let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty()) {
                let letters =
                    kind == DocumentKind::Resource || sid.bytes().all(|b| b.is_ascii_alphanumeric());
                if !letters || sids.contains(&sid) {
                    report(PolicyErrorKind::InvalidSid(sid.to_owned()), &statement.at);
                }
                sids.push(sid);
            }
        }
        findings
    }
}

/// Checks the length of a document's text against the limit for its kind.
pub fn check_length(text: &str, kind: DocumentKind) -> Option<PolicyError> {
    let (limit, white_space) = kind.limit()?;
    let size = match white_space {
        WhiteSpace::Counts => text.chars().count(),
        WhiteSpace::Free => text.chars().filter(|c| !c.is_whitespace()).count(),
    };
    (size > limit)
        .then(|| PolicyError { kind: PolicyErrorKind::TooLarge { size, limit }, at: Location::default() })
}

fn statement_errors(statement: &Statement, kind: DocumentKind) -> Vec<PolicyErrorKind> {
    let mut errors = Vec::new();
    let element = match &statement.principal {
        Some(Principals::NoneOf(_)) => "NotPrincipal",
        _ => "Principal",
    };
    match (&statement.principal, kind.has_principal()) {
        (Some(_), false) => errors.push(PolicyErrorKind::Misplaced(element, kind.noun())),
        (None, true) => errors.push(PolicyErrorKind::Missing("Principal")),
        // AWS: neither trust policies nor control policies have NotPrincipal.
        (Some(Principals::NoneOf(_)), true) if matches!(kind, DocumentKind::Trust | DocumentKind::Rcp) => {
            errors.push(PolicyErrorKind::Misplaced("NotPrincipal", kind.noun()));
        }
        _ => {}
    }
    let principals = statement.principal.as_ref().map(Principals::items).unwrap_or_default();
    errors.extend(principals.iter().filter_map(principal_error));
    match (&statement.resource, kind) {
        (Some(_), DocumentKind::Trust) => {
            errors.push(PolicyErrorKind::Misplaced("Resource", kind.noun()));
        }
        (None, DocumentKind::Trust | DocumentKind::Resource) => {}
        (None, _) => errors.push(PolicyErrorKind::Missing("Resource")),
        (Some(resource), _) => {
            let bad = |text: &&String| *text != "*" && !looks_like_arn(text, kind);
            let bad = resource.items().iter().filter(bad);
            errors.extend(bad.map(|text| PolicyErrorKind::InvalidResource(text.clone())));
        }
    }
    errors
}

/// Whether a resource has the form IAM asks for. Some services take short forms in their own policies.
fn looks_like_arn(text: &str, kind: DocumentKind) -> bool {
    if text.starts_with("${") || kind == DocumentKind::Resource && !text.starts_with("arn") {
        return true;
    }
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn") && (parts.count() >= 4 || text.ends_with('*'))
}

fn principal_error(spec: &PrincipalSpec) -> Option<PolicyErrorKind> {
    let error = |why| Some(PolicyErrorKind::InvalidPrincipal(spec.parts().1.to_owned(), why));
    match spec {
        PrincipalSpec::Aws(text) if text != "*" && text.contains(['*', '?']) => {
            error("a wildcard cannot stand for a part of a name")
        }
        PrincipalSpec::Aws(text) if text == "*" || is_account_id(text) => None,
        PrincipalSpec::Aws(text) => {
            let unique_id = text.starts_with('A') && text.bytes().all(|b| b.is_ascii_alphanumeric());
            match ArnParts::split(text) {
                Some(arn) if matches!(arn.service, "iam" | "sts") => {
                    if arn.resource.starts_with("group/") {
                        error("a group is no principal")
                    } else {
                        None
                    }
                }
                None if unique_id => None,
                _ => error("it is no account id and no ARN of IAM or STS"),
            }
        }
        PrincipalSpec::Service(text) if !text.contains('.') && text != "*" => {
            error("a service is named like `ec2.amazonaws.com`")
        }
        _ => None,
    }
}
