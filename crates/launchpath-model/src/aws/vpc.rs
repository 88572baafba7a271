//! VPCs, their DHCP options, subnets and Availability Zones.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html>, `API_Subnet`, `API_DhcpOptions`.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use super::Tag;
use crate::ids::{AccountId, AzId, DhcpOptionsId, SubnetId, VpcId};

/// A VPC.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Vpc {
    /// Its id.
    pub vpc_id: VpcId,
    /// The primary IPv4 block.
    pub cidr_block: Option<Ipv4Net>,
    /// All IPv4 blocks, the primary one included.
    pub cidr_block_association_set: Option<Vec<CidrAssociation>>,
    /// All IPv6 blocks.
    pub ipv6_cidr_block_association_set: Option<Vec<Ipv6CidrAssociation>>,
    /// The DHCP option set; the literal `default` means AmazonProvidedDNS.
    pub dhcp_options_id: Option<DhcpOptionsId>,
    /// Whether it is the account's default VPC of the Region.
    pub is_default: Option<bool>,
    /// The owner's account.
    pub owner_id: Option<AccountId>,
    /// `available` or `pending`.
    pub state: Option<String>,
}

/// One IPv4 block of a VPC.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CidrAssociation {
    /// The block.
    pub cidr_block: Option<Ipv4Net>,
    /// Its state.
    pub cidr_block_state: Option<CidrState>,
}

/// One IPv6 block of a VPC or subnet.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ipv6CidrAssociation {
    /// The block.
    pub ipv6_cidr_block: Option<Ipv6Net>,
    /// Its state.
    #[serde(alias = "Ipv6CidrBlockState")]
    pub ipv6_cidr_block_state: Option<CidrState>,
}

/// State of a block: `associated`, `disassociated`, …
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CidrState {
    /// The state, as received.
    pub state: Option<String>,
}

impl CidrState {
    /// Whether the block is in use.
    pub fn is_associated(&self) -> bool {
        self.state.as_deref().is_none_or(|state| state == "associated")
    }
}

impl Vpc {
    /// The IPv4 blocks in use, the primary one first.
    pub fn ipv4_blocks(&self) -> Vec<Ipv4Net> {
        let mut blocks: Vec<Ipv4Net> = self.cidr_block.into_iter().collect();
        for association in self.cidr_block_association_set.iter().flatten() {
            if let Some(block) = association.cidr_block
                && association.cidr_block_state.as_ref().is_none_or(CidrState::is_associated)
                && !blocks.contains(&block)
            {
                blocks.push(block);
            }
        }
        blocks
    }

    /// The IPv6 blocks in use.
    pub fn ipv6_blocks(&self) -> Vec<Ipv6Net> {
        let associations = self.ipv6_cidr_block_association_set.iter().flatten();
        associations
            .filter(|a| a.ipv6_cidr_block_state.as_ref().is_none_or(CidrState::is_associated))
            .filter_map(|a| a.ipv6_cidr_block)
            .collect()
    }
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Subnet {
    /// Its id.
    pub subnet_id: SubnetId,
    /// Its VPC.
    pub vpc_id: VpcId,
    /// Zone name, for example `us-east-1a`: differs between accounts.
    pub availability_zone: Option<String>,
    /// Zone id, for example `use1-az2`: the same for all accounts.
    pub availability_zone_id: Option<AzId>,
    /// The IPv4 block.
    pub cidr_block: Option<Ipv4Net>,
    /// The IPv6 blocks.
    pub ipv6_cidr_block_association_set: Option<Vec<Ipv6CidrAssociation>>,
    /// Free IPv4 addresses.
    pub available_ip_address_count: Option<i64>,
    /// Whether instances get a public address at launch; AgentCore interfaces never do.
    pub map_public_ip_on_launch: Option<bool>,
    /// `available`, `pending`, …
    pub state: Option<String>,
    /// The owner's account.
    pub owner_id: Option<AccountId>,
    /// Tags.
    pub tags: Option<Vec<Tag>>,
    /// Whether internet gateways are cut off from it.
    pub block_public_access_states: Option<BlockPublicAccessStates>,
}

/// VPC Block Public Access, as it holds for a subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BlockPublicAccessStates {
    /// `off`, `block-bidirectional`, or `block-ingress` (NAT and egress-only gateways still work).
    pub internet_gateway_block_mode: Option<String>,
}

/// A zone of a Region, as this account names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AvailabilityZone {
    /// Zone name.
    pub zone_name: String,
    /// Zone id.
    pub zone_id: Option<AzId>,
    /// `available`, …
    pub state: Option<String>,
}

/// A DHCP option set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DhcpOptions {
    /// Its id.
    pub dhcp_options_id: DhcpOptionsId,
    /// The options.
    pub dhcp_configurations: Option<Vec<DhcpConfiguration>>,
}

/// One DHCP option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DhcpConfiguration {
    /// For example `domain-name-servers`.
    pub key: String,
    /// Its values.
    pub values: Vec<DhcpValue>,
}

/// One value of a DHCP option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DhcpValue {
    /// For example `AmazonProvidedDNS` or an address.
    pub value: String,
}

impl DhcpOptions {
    /// The configured resolvers, or `None` when the document does not say.
    pub fn name_servers(&self) -> Option<Vec<&str>> {
        let configurations = self.dhcp_configurations.as_ref()?;
        let servers = configurations.iter().filter(|c| c.key == "domain-name-servers");
        Some(servers.flat_map(|c| c.values.iter().map(|v| v.value.as_str())).collect())
    }
}
