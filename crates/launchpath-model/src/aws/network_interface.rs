//! Elastic network interfaces.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html>

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

use super::Tag;
use super::security_group::GroupIdentifier;
use crate::ids::{AccountId, InstanceId, NetworkInterfaceId, SubnetId, VpcId};

/// The tag AgentCore puts on its interfaces.
///
/// AWS: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/BedrockAgentCoreNetworkServiceRolePolicy.html>
pub const AGENTCORE_TAG: &str = "AmazonBedrockAgentCoreManaged";

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkInterface {
    /// Its id.
    pub network_interface_id: NetworkInterfaceId,
    /// Its subnet.
    pub subnet_id: Option<SubnetId>,
    /// Its VPC.
    pub vpc_id: Option<VpcId>,
    /// Its zone's name.
    pub availability_zone: Option<String>,
    /// The primary private address.
    pub private_ip_address: Option<Ipv4Addr>,
    /// All private addresses.
    pub private_ip_addresses: Option<Vec<PrivateAddress>>,
    /// IPv6 addresses.
    pub ipv6_addresses: Option<Vec<Ipv6Address>>,
    /// Free text; AgentCore leaves it empty.
    pub description: Option<String>,
    /// `interface`, `vpc_endpoint`, `nat_gateway`, `agentic_ai`, …: kept as text, AWS adds kinds.
    pub interface_type: Option<String>,
    /// `in-use`, `available`, …
    pub status: Option<String>,
    /// The owner's account.
    pub owner_id: Option<AccountId>,
    /// Whether AWS manages it.
    pub requester_managed: Option<bool>,
    /// Who asked for it.
    pub requester_id: Option<String>,
    /// Its security groups.
    pub groups: Option<Vec<GroupIdentifier>>,
    /// Whether it drops packets not from or to itself.
    pub source_dest_check: Option<bool>,
    /// Tags.
    pub tag_set: Option<Vec<Tag>>,
    /// What it is attached to.
    pub attachment: Option<Attachment>,
    /// Its public address.
    pub association: Option<PublicAssociation>,
}

/// A private address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PrivateAddress {
    /// The address.
    pub private_ip_address: Option<Ipv4Addr>,
    /// Whether it is the primary one.
    pub primary: Option<bool>,
    /// Its public address.
    pub association: Option<PublicAssociation>,
}

/// An IPv6 address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipv6Address {
    /// The address.
    pub ipv6_address: Option<Ipv6Addr>,
}

/// A public address mapped to a private one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PublicAssociation {
    /// The public address.
    pub public_ip: Option<Ipv4Addr>,
}

/// What an interface is attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attachment {
    /// `eni-attach-…` or, for AgentCore and Lambda, `ela-attach-…`.
    pub attachment_id: Option<String>,
    /// `attached`, …
    pub status: Option<String>,
    /// The instance.
    pub instance_id: Option<InstanceId>,
    /// The owner of the instance; `amazon-aws` for AgentCore.
    pub instance_owner_id: Option<String>,
}

impl NetworkInterface {
    /// Whether AgentCore made it, by the tag or the interface type. The description says nothing.
    ///
    /// `None` when the document holds neither the tag nor tags at all, so that it cannot be told.
    pub fn is_agentcore(&self) -> Option<bool> {
        if self.interface_type.as_deref() == Some("agentic_ai") {
            return Some(true);
        }
        self.tag_set.as_ref().map(|tags| tags.iter().any(|tag| tag.key == AGENTCORE_TAG))
    }
}
