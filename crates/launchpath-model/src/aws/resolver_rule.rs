//! Rules of the Route 53 Resolver: for which names a VPC's queries are sent to other resolvers.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ResolverRule.html>

use serde::Deserialize;

use super::dns_profile::InForce;
use crate::ids::{ResolverRuleId, VpcId};

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResolverRule {
    /// Its id.
    pub id: ResolverRuleId,
    /// The name it is for, with everything below it; `.` is every name.
    pub domain_name: Option<String>,
    /// `FORWARD` and `DELEGATE` send queries elsewhere, `SYSTEM` takes names out of a wider rule, `RECURSIVE` is AWS's own.
    pub rule_type: Option<String>,
    /// Where queries are sent.
    pub target_ips: Vec<ResolverTarget>,
    /// `COMPLETE`, `DELETING`, …
    pub status: Option<String>,
}

/// A resolver that queries are sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResolverTarget {
    /// Its IPv4 address.
    pub ip: Option<String>,
}

/// A rule in use by a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResolverRuleAssociation {
    /// The rule.
    pub resolver_rule_id: ResolverRuleId,
    /// The VPC.
    #[serde(rename = "VPCId")]
    pub vpc_id: VpcId,
    /// `COMPLETE`, `CREATING`, …
    pub status: Option<String>,
}

impl ResolverRuleAssociation {
    /// Whether the VPC uses the rule.
    pub fn in_force(&self) -> InForce {
        match self.status.as_deref() {
            None | Some("COMPLETE") => InForce::Yes,
            Some("FAILED" | "OVERRIDDEN") => InForce::No,
            Some(_) => InForce::Changing,
        }
    }
}
