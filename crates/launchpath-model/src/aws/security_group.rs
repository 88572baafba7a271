//! Security groups.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::ids::{AccountId, PeeringConnectionId, PrefixListId, SecurityGroupId, VpcId};

/// A security group: stateful, allow rules only.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SecurityGroup {
    /// Its id.
    pub group_id: SecurityGroupId,
    /// Its name.
    pub group_name: Option<String>,
    /// Its VPC.
    pub vpc_id: Option<VpcId>,
    /// The owner's account.
    pub owner_id: Option<AccountId>,
    /// Inbound rules.
    pub ip_permissions: Option<Vec<IpPermission>>,
    /// Outbound rules.
    pub ip_permissions_egress: Option<Vec<IpPermission>>,
}

/// One rule: a protocol, ports, and the peers it admits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IpPermission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol number, or `-1` for every protocol.
    pub ip_protocol: String,
    /// First port, or the ICMP type (-1: every type).
    pub from_port: Option<i64>,
    /// Last port, or the ICMP code (-1: every code).
    pub to_port: Option<i64>,
    /// IPv4 peers.
    pub ip_ranges: Vec<IpRange>,
    /// IPv6 peers.
    pub ipv6_ranges: Vec<Ipv6Range>,
    /// Peers that are members of a group.
    pub user_id_group_pairs: Vec<GroupPair>,
    /// Peers in a prefix list.
    pub prefix_list_ids: Vec<PrefixListReference>,
}

/// An IPv4 peer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IpRange {
    /// The block.
    pub cidr_ip: Option<Ipv4Net>,
    /// The rule's description.
    pub description: Option<String>,
}

/// An IPv6 peer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipv6Range {
    /// The block.
    pub cidr_ipv6: Option<Ipv6Net>,
}

/// A group whose members are peers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupPair {
    /// The group.
    pub group_id: Option<SecurityGroupId>,
    /// Its name, where no id is given.
    pub group_name: Option<String>,
    /// Its owner.
    pub user_id: Option<AccountId>,
    /// Its VPC, when it is in a peered one.
    pub vpc_id: Option<VpcId>,
    /// The peering that makes the reference valid.
    pub vpc_peering_connection_id: Option<PeeringConnectionId>,
}

/// A prefix list whose entries are peers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PrefixListReference {
    /// The list.
    pub prefix_list_id: PrefixListId,
}

/// An inclusive port range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PortRange {
    /// First port.
    pub from: i64,
    /// Last port.
    pub to: i64,
}

/// A group as other resources name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupIdentifier {
    /// The group.
    pub group_id: SecurityGroupId,
    /// Its name.
    pub group_name: Option<String>,
}
