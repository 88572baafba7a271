//! One type per kind of identifier, so that a subnet id never stands where a group id is meant.
//!
//! The text is kept as received: other tools' snapshots hold ids of every shape, and a strange id is no reason
//! to refuse evidence. It is shared, not copied: answers, traces and repairs name the same few things again and again.

use std::sync::Arc;

macro_rules! string_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&$name> for Arc<str> {
            fn from(id: &$name) -> Self {
                Self::clone(&id.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

string_id! {
    /// A 12-digit AWS account id.
    AccountId,
    /// An AWS Region name, for example `us-east-1`.
    Region,
    /// An Availability Zone id, for example `use1-az2`: the same zone for every account, unlike its name.
    AzId,
    /// `vpc-…`
    VpcId,
    /// `subnet-…`
    SubnetId,
    /// `sg-…`
    SecurityGroupId,
    /// `acl-…`
    NetworkAclId,
    /// `rtb-…`
    RouteTableId,
    /// `pl-…`
    PrefixListId,
    /// `vpce-…`
    VpcEndpointId,
    /// `nat-…`
    NatGatewayId,
    /// `igw-…`
    InternetGatewayId,
    /// `eigw-…`
    EgressOnlyInternetGatewayId,
    /// `eni-…`
    NetworkInterfaceId,
    /// `i-…`
    InstanceId,
    /// `pcx-…`
    PeeringConnectionId,
    /// `tgw-…`
    TransitGatewayId,
    /// `tgw-attach-…`
    TransitGatewayAttachmentId,
    /// `tgw-rtb-…`
    TransitGatewayRouteTableId,
    /// `vgw-…`
    VpnGatewayId,
    /// `dopt-…`
    DhcpOptionsId,
    /// A Route 53 hosted zone id.
    HostedZoneId,
    /// A Route 53 Profile, `rp-…`
    DnsProfileId,
    /// A rule of the Route 53 Resolver, `rslvr-rr-…`
    ResolverRuleId,
    /// The id of an AgentCore runtime: `<name>-<10 characters>`.
    RuntimeId,
}
