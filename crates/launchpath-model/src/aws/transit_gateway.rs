//! Transit gateways: attachments, route tables, routes.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html>

use ipnet::IpNet;
use serde::Deserialize;

use crate::ids::{SubnetId, TransitGatewayAttachmentId, TransitGatewayId, TransitGatewayRouteTableId, VpcId};

/// A transit gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGateway {
    /// Its id.
    pub transit_gateway_id: TransitGatewayId,
    /// Its owner.
    pub owner_id: Option<String>,
    /// `available`, …
    pub state: Option<String>,
    /// Options.
    pub options: Option<TransitGatewayOptions>,
}

/// Options of a transit gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayOptions {
    /// `enable`: rules may refer to groups of other attached VPCs. Off unless switched on.
    pub security_group_referencing_support: Option<String>,
}

/// An attachment of any kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayAttachment {
    /// Its id.
    pub transit_gateway_attachment_id: TransitGatewayAttachmentId,
    /// Its gateway.
    pub transit_gateway_id: TransitGatewayId,
    /// `vpc`, `vpn`, `peering`, `direct-connect-gateway`, …
    pub resource_type: Option<String>,
    /// The attached resource.
    pub resource_id: Option<String>,
    /// `available`, …
    pub state: Option<String>,
    /// The route table its traffic is looked up in.
    pub association: Option<AttachmentAssociation>,
}

/// The route table of an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AttachmentAssociation {
    /// The table.
    pub transit_gateway_route_table_id: Option<TransitGatewayRouteTableId>,
    /// `associated`, …
    pub state: Option<String>,
}

/// A VPC attachment with its subnets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayVpcAttachment {
    /// Its id.
    pub transit_gateway_attachment_id: TransitGatewayAttachmentId,
    /// Its gateway.
    pub transit_gateway_id: TransitGatewayId,
    /// The attached VPC.
    pub vpc_id: VpcId,
    /// `available`, …
    pub state: Option<String>,
    /// One subnet per zone it can reach.
    pub subnet_ids: Option<Vec<SubnetId>>,
    /// Options.
    pub options: Option<TransitGatewayVpcAttachmentOptions>,
}

/// Options of a VPC attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayVpcAttachmentOptions {
    /// `enable`: a flow keeps to one zone, chosen without regard to where its packets come from.
    pub appliance_mode_support: Option<String>,
}

/// A transit gateway route table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayRouteTable {
    /// Its id.
    pub transit_gateway_route_table_id: TransitGatewayRouteTableId,
    /// Its gateway.
    pub transit_gateway_id: TransitGatewayId,
    /// Whether new attachments are associated with it.
    pub default_association_route_table: Option<bool>,
}

/// A route of SearchTransitGatewayRoutes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayRoute {
    /// The destination.
    pub destination_cidr_block: Option<IpNet>,
    /// Where it leads.
    pub transit_gateway_attachments: Option<Vec<TransitGatewayRouteAttachment>>,
    /// `active` or `blackhole`.
    pub state: Option<String>,
    /// `static` or `propagated`.
    pub r#type: Option<String>,
}

/// The attachment a route leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayRouteAttachment {
    /// The attachment.
    pub transit_gateway_attachment_id: Option<TransitGatewayAttachmentId>,
    /// `vpc`, `vpn`, …
    pub resource_type: Option<String>,
    /// The attached resource.
    pub resource_id: Option<String>,
}

/// An attachment whose blocks are copied into a route table: a row of GetTransitGatewayRouteTablePropagations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TransitGatewayPropagation {
    /// The attachment.
    pub transit_gateway_attachment_id: Option<TransitGatewayAttachmentId>,
    /// `vpc`, `vpn`, …
    pub resource_type: Option<String>,
    /// The attached resource.
    pub resource_id: Option<String>,
    /// `enabled`, …
    pub state: Option<String>,
}
