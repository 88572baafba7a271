//! Route 53 Profiles: DNS settings that many VPCs share, private zones and interface endpoints among them.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Route_53_Profiles.html>

use serde::Deserialize;

use crate::ids::{DnsProfileId, HostedZoneId, ResolverRuleId, VpcEndpointId, VpcId};

/// A profile in use by a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DnsProfileAssociation {
    /// The profile.
    pub profile_id: DnsProfileId,
    /// The VPC.
    pub resource_id: VpcId,
    /// `COMPLETE`, `CREATING`, …
    pub status: Option<String>,
    /// Among several profiles of a VPC the lowest number is asked first.
    pub priority: Option<i64>,
}

/// Something a profile holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DnsProfileResource {
    /// The profile that holds it.
    pub profile_id: Option<DnsProfileId>,
    /// A private zone, an interface endpoint, a resolver rule, a group of firewall rules.
    pub resource_arn: String,
    /// `COMPLETE`, `CREATING`, …
    pub status: Option<String>,
}

/// Whether something of a profile is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is being made, removed, or in a state this program does not know.
    Changing,
}

fn in_force(status: Option<&str>) -> InForce {
    match status {
        None | Some("COMPLETE" | "UPDATING") => InForce::Yes,
        Some("DELETED" | "FAILED") => InForce::No,
        Some(_) => InForce::Changing,
    }
}

impl DnsProfileAssociation {
    /// Whether the VPC uses the profile.
    pub fn in_force(&self) -> InForce {
        in_force(self.status.as_deref())
    }
}

impl DnsProfileResource {
    /// Whether the profile uses it.
    pub fn in_force(&self) -> InForce {
        in_force(self.status.as_deref())
    }

    /// The private zone it is.
    pub fn hosted_zone(&self) -> Option<HostedZoneId> {
        let (_, id) = self.resource_arn.split_once(":hostedzone/")?;
        Some(HostedZoneId::from(id))
    }

    /// The interface endpoint it is.
    pub fn vpc_endpoint(&self) -> Option<VpcEndpointId> {
        let (_, id) = self.resource_arn.split_once(":vpc-endpoint/")?;
        Some(VpcEndpointId::from(id))
    }

    /// The rule it is, which may send names to other resolvers.
    pub fn resolver_rule(&self) -> Option<ResolverRuleId> {
        let (_, id) = self.resource_arn.split_once(":resolver-rule/")?;
        Some(ResolverRuleId::from(id))
    }
}
