//! Private hosted zones of a VPC.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByVPC.html>

use serde::Deserialize;

use crate::ids::HostedZoneId;

/// A zone associated with a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostedZone {
    /// Its id.
    pub hosted_zone_id: HostedZoneId,
    /// Its name, with the final dot as Route 53 prints it.
    pub name: String,
}

/// A record set of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceRecordSet {
    /// The name, with the final dot.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, …
    pub r#type: String,
    /// Its values.
    pub resource_records: Option<Vec<ResourceRecord>>,
    /// Its alias target.
    pub alias_target: Option<AliasTarget>,
}

/// One value of a record set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceRecord {
    /// The value.
    pub value: String,
}

/// An alias target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AliasTarget {
    /// For a VPC endpoint one of its DNS entries.
    #[serde(rename = "DNSName")]
    pub dns_name: Option<String>,
}
