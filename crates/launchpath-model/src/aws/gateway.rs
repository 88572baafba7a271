//! Gateways: NAT, internet, egress-only, virtual private.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGateway.html>, `API_InternetGateway`.

use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::ids::{
    EgressOnlyInternetGatewayId, InternetGatewayId, NatGatewayId, NetworkInterfaceId, SubnetId, VpcId,
    VpnGatewayId,
};

/// A NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NatGateway {
    /// Its id.
    pub nat_gateway_id: NatGatewayId,
    /// Its VPC.
    pub vpc_id: Option<VpcId>,
    /// Its subnet; a public NAT gateway needs that subnet's route to an internet gateway.
    pub subnet_id: Option<SubnetId>,
    /// `available`, `failed`, …
    pub state: Option<String>,
    /// `public` or `private`.
    pub connectivity_type: Option<String>,
    /// `zonal` or `regional`; a regional one has no subnet and spans the zones of its VPC.
    pub availability_mode: Option<String>,
    /// Its addresses.
    pub nat_gateway_addresses: Option<Vec<NatGatewayAddress>>,
    /// Why it failed.
    pub failure_message: Option<String>,
}

/// One address of a NAT gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NatGatewayAddress {
    /// The public address.
    pub public_ip: Option<Ipv4Addr>,
    /// The private address.
    pub private_ip: Option<Ipv4Addr>,
    /// Its interface.
    pub network_interface_id: Option<NetworkInterfaceId>,
}

/// The VPC a gateway is attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GatewayAttachment {
    /// The VPC.
    pub vpc_id: VpcId,
    /// `attached`, `available`, …
    pub state: Option<String>,
}

/// An internet gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InternetGateway {
    /// Its id.
    pub internet_gateway_id: InternetGatewayId,
    /// Where it is attached.
    pub attachments: Option<Vec<GatewayAttachment>>,
}

/// An egress-only internet gateway (IPv6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EgressOnlyInternetGateway {
    /// Its id.
    pub egress_only_internet_gateway_id: EgressOnlyInternetGatewayId,
    /// Where it is attached.
    pub attachments: Option<Vec<GatewayAttachment>>,
}

/// A virtual private gateway (VPN, Direct Connect).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VpnGateway {
    /// Its id.
    pub vpn_gateway_id: VpnGatewayId,
    /// Where it is attached.
    pub vpc_attachments: Option<Vec<GatewayAttachment>>,
    /// `available`, …
    pub state: Option<String>,
}
