//! Prefix lists, AWS-managed ones (S3, DynamoDB) included.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html>

use ipnet::IpNet;
use serde::Deserialize;

use crate::ids::PrefixListId;

/// A prefix list: a row of DescribeManagedPrefixLists or DescribePrefixLists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PrefixList {
    /// Its id.
    pub prefix_list_id: PrefixListId,
    /// For AWS-managed lists the service name, for example `com.amazonaws.us-east-1.s3`.
    pub prefix_list_name: Option<String>,
    /// `IPv4` or `IPv6`.
    pub address_family: Option<String>,
    /// `AWS` or an account.
    pub owner_id: Option<String>,
    /// The blocks, as DescribePrefixLists gives them.
    pub cidrs: Option<Vec<IpNet>>,
}

/// A row of GetManagedPrefixListEntries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrefixListEntry {
    /// The block.
    pub cidr: IpNet,
}
