//! Private hosted zones of a VPC.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByVPC.html>

use serde::Deserialize;

use crate::ids::{AccountId, HostedZoneId};

/// A zone associated with a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostedZone {
    /// Its id.
    pub hosted_zone_id: HostedZoneId,
    /// Its name, with the final dot as Route 53 prints it.
    pub name: String,
    /// Who made it.
    pub owner: Option<ZoneOwner>,
}

/// The owner of a zone: an account, or a service that keeps it for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ZoneOwner {
    /// The account, when an account owns it.
    pub owning_account: Option<AccountId>,
    /// The service, for example `efs.amazonaws.com`: nobody can read the records of its zone.
    pub owning_service: Option<String>,
}

impl HostedZone {
    /// The service that keeps the zone for itself.
    pub fn owning_service(&self) -> Option<&str> {
        self.owner.as_ref()?.owning_service.as_deref()
    }
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
