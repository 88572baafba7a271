//! VPC peering connections.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnection.html>

use ipnet::Ipv4Net;
use serde::Deserialize;

use crate::ids::{AccountId, PeeringConnectionId, Region, VpcId};

/// A peering connection.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PeeringConnection {
    /// Its id.
    pub vpc_peering_connection_id: PeeringConnectionId,
    /// One side.
    pub accepter_vpc_info: PeeredVpc,
    /// The other side.
    pub requester_vpc_info: PeeredVpc,
    /// Its state.
    pub status: Option<PeeringStatus>,
}

/// One side of a peering.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PeeredVpc {
    /// The VPC.
    pub vpc_id: VpcId,
    /// Its owner.
    pub owner_id: Option<AccountId>,
    /// Its Region.
    pub region: Option<Region>,
    /// Its primary block.
    pub cidr_block: Option<Ipv4Net>,
}

/// State of a peering.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PeeringStatus {
    /// `active`, `pending-acceptance`, …
    pub code: Option<String>,
}
