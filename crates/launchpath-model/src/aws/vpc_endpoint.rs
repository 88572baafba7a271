//! VPC endpoints: interface, gateway, gateway load balancer.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html>

use serde::Deserialize;
use serde_json::Value;

use super::security_group::GroupIdentifier;
use crate::ids::{AccountId, NetworkInterfaceId, RouteTableId, SubnetId, VpcEndpointId, VpcId};
use crate::open_enum;

open_enum! {
    /// The kind of an endpoint.
    EndpointType {
        /// Interfaces in subnets, with security groups.
        Interface = "Interface",
        /// A route-table target (S3, DynamoDB).
        Gateway = "Gateway",
        /// A route-table target in front of appliances.
        GatewayLoadBalancer = "GatewayLoadBalancer",
        /// VPC Lattice resource endpoint.
        Resource = "Resource",
        /// VPC Lattice service network endpoint.
        ServiceNetwork = "ServiceNetwork",
    }
}

/// A VPC endpoint.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VpcEndpoint {
    /// Its id.
    pub vpc_endpoint_id: VpcEndpointId,
    /// Its kind.
    pub vpc_endpoint_type: Option<EndpointType>,
    /// Its VPC.
    pub vpc_id: VpcId,
    /// For example `com.amazonaws.us-east-1.ecr.api`.
    pub service_name: String,
    /// `available`, `pending`, …; compare without case: AWS itself uses both.
    pub state: Option<String>,
    /// The endpoint policy, a document as text (or an object, as some tools print it).
    pub policy_document: Option<Value>,
    /// Route tables that carry its route (gateway endpoints).
    pub route_table_ids: Option<Vec<RouteTableId>>,
    /// Subnets with an interface (interface endpoints).
    pub subnet_ids: Option<Vec<SubnetId>>,
    /// Security groups of its interfaces.
    pub groups: Option<Vec<GroupIdentifier>>,
    /// Whether the service's public name resolves to it inside the VPC.
    pub private_dns_enabled: Option<bool>,
    /// Its interfaces.
    pub network_interface_ids: Option<Vec<NetworkInterfaceId>>,
    /// The names it answers to.
    pub dns_entries: Option<Vec<DnsEntry>>,
    /// `ipv4`, `ipv6` or `dualstack`.
    pub ip_address_type: Option<String>,
    /// How its names are answered.
    pub dns_options: Option<DnsOptions>,
    /// The owner's account.
    pub owner_id: Option<AccountId>,
}

/// How the names of an endpoint are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DnsOptions {
    /// True (S3 only): the private names serve on-premises resolvers; inside the VPC the public name stays public.
    pub private_dns_only_for_inbound_resolver_endpoint: Option<bool>,
}

/// A name of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DnsEntry {
    /// The name.
    pub dns_name: Option<String>,
    /// Its zone.
    pub hosted_zone_id: Option<String>,
}

impl VpcEndpoint {
    /// Whether it takes traffic. `None`: the document does not say.
    pub fn is_available(&self) -> Option<bool> {
        self.state.as_ref().map(|state| state.eq_ignore_ascii_case("available"))
    }

    /// The service without its Region, for example `ecr.api` of `com.amazonaws.us-east-1.ecr.api`.
    pub fn service(&self) -> &str {
        let mut parts = self.service_name.splitn(4, '.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("com" | "cn"), Some(_), Some(_), Some(service)) => service,
            _ => &self.service_name,
        }
    }
}
