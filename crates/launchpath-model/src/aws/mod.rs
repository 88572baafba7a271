//! AWS resources as the AWS CLI prints them, one file per resource.
//!
//! Members this program does not use are ignored, unknown enum values are kept ([`crate::open_enum`]). A list member is
//! `Option<Vec<…>>`: `None` means that the document does not say, `Some(vec![])` that there is none. The difference
//! matters: nothing may be ruled out on what the document does not say.

pub mod agentcore;
pub mod dns_profile;
pub mod gateway;
pub mod hosted_zone;
pub mod image;
pub mod instance;
pub mod log;
pub mod metric;
pub mod network_acl;
pub mod network_interface;
pub mod peering;
pub mod prefix_list;
pub mod resolver_rule;
pub mod role;
pub mod route_table;
pub mod security_group;
pub mod trail;
pub mod transit_gateway;
pub mod vpc;
pub mod vpc_endpoint;

use serde::Deserialize;

/// A resource tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tag {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}
