//! Network ACLs.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAcl.html>

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use super::security_group::PortRange;
use crate::ids::{NetworkAclId, SubnetId, VpcId};

/// A network ACL: stateless, rules in ascending number, first match decides.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkAcl {
    /// Its id.
    pub network_acl_id: NetworkAclId,
    /// Its VPC.
    pub vpc_id: Option<VpcId>,
    /// Whether it is the VPC's default ACL.
    pub is_default: Option<bool>,
    /// The subnets it guards.
    pub associations: Option<Vec<AclAssociation>>,
    /// Its rules, both directions.
    pub entries: Option<Vec<AclEntry>>,
}

/// A subnet an ACL guards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AclAssociation {
    /// The subnet.
    pub subnet_id: Option<SubnetId>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AclEntry {
    /// 1 to 32766, and 32767 for the `*` rule that refuses the rest.
    pub rule_number: i64,
    /// True for traffic leaving the subnet.
    pub egress: bool,
    /// IANA protocol number as text; `-1` is every protocol.
    pub protocol: String,
    /// `allow` or `deny`.
    pub rule_action: String,
    /// IPv4 peer.
    pub cidr_block: Option<Ipv4Net>,
    /// IPv6 peer.
    pub ipv6_cidr_block: Option<Ipv6Net>,
    /// Destination ports, for TCP and UDP.
    pub port_range: Option<PortRange>,
    /// ICMP type and code, -1 for every one.
    pub icmp_type_code: Option<IcmpTypeCode>,
}

/// ICMP type and code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IcmpTypeCode {
    /// 0 to 255, or -1 for every type.
    pub r#type: i64,
    /// 0 to 255, or -1 for every code.
    pub code: i64,
}
