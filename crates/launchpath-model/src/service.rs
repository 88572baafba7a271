//! Facts about the service that change: supported zones, dates, error texts, limits.
//!
//! The facts are data (`data/*.json`), each with its source and the dates between which it holds, so that an old
//! bundle is judged by the rules of its day. What a table does not hold is unknown, never "unsupported".
//!
//! Start with [`supported_zones`] and [`error_texts`].

use std::sync::LazyLock;

use serde::Deserialize;

use crate::ids::{AzId, Region};
use crate::time::Timestamp;

/// Where a fact comes from and how well it is known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Provenance {
    /// A page, a service model or a report.
    pub source: String,
    /// `documented`, `service_model`, `aws_authored`, `observed` or `inferred`.
    pub evidence: String,
}

#[derive(Debug, Deserialize)]
struct ZoneRow {
    region: String,
    az_ids: Vec<String>,
    #[serde(default)]
    valid_from: Option<Timestamp>,
    #[serde(default)]
    valid_until: Option<Timestamp>,
    #[serde(flatten)]
    provenance: Provenance,
}

/// The zones AgentCore supports in a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportedZones {
    /// Zone ids, sorted.
    pub zone_ids: Vec<AzId>,
    /// Where this is from.
    pub provenance: Provenance,
}

static ZONES: LazyLock<Vec<ZoneRow>> =
    LazyLock::new(|| read_table(include_str!("../data/supported_zones.json")));

/// The zones VPC-mode runtimes may use in `region` at `when`. `None`: no row is known, so nothing can be said.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>
pub fn supported_zones(region: &Region, when: Option<Timestamp>) -> Option<SupportedZones> {
    let row = ZONES.iter().find(|row| {
        row.region == region.as_str()
            && when.is_none_or(|t| {
                row.valid_from.is_none_or(|from| from <= t) && row.valid_until.is_none_or(|until| t < until)
            })
    })?;
    let mut zone_ids: Vec<AzId> = row.az_ids.iter().map(|id| AzId::from(id.as_str())).collect();
    zone_ids.sort();
    Some(SupportedZones { zone_ids, provenance: row.provenance.clone() })
}

/// One error text of the service and what it means.
#[derive(Clone, Debug, Deserialize)]
pub struct ErrorText {
    /// Its name here, for example `health_check_failed`.
    pub id: String,
    /// Lower-case fragments that occur in this order.
    pub contains: Vec<String>,
    /// What it says, in one sentence.
    pub means: String,
    /// The launch stage that did not succeed, when the text tells.
    #[serde(default)]
    pub fails: Option<String>,
    /// The launch stages that must have been passed for the text to appear.
    #[serde(default)]
    pub proves: Vec<String>,
    /// The single fault the text names, where it names one.
    #[serde(default)]
    pub fault: Option<String>,
    /// Where this is from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

static ERROR_TEXTS: LazyLock<Vec<ErrorText>> =
    LazyLock::new(|| read_table(include_str!("../data/error_texts.json")));

/// Every known error text, most specific first.
pub fn error_texts() -> &'static [ErrorText] {
    &ERROR_TEXTS
}

/// The known error text that `message` contains.
pub fn recognise_error(message: &str) -> Option<&'static ErrorText> {
    let lower = message.to_lowercase();
    ERROR_TEXTS.iter().find(|text| {
        let mut rest = lower.as_str();
        text.contains.iter().all(|fragment| match rest.find(fragment.as_str()) {
            Some(at) => {
                rest = &rest[at + fragment.len()..];
                true
            }
            None => false,
        })
    })
}

#[derive(Debug, Deserialize)]
struct DateRow {
    name: String,
    date: Timestamp,
    #[serde(flatten)]
    provenance: Provenance,
}

static DATES: LazyLock<Vec<DateRow>> = LazyLock::new(|| read_table(include_str!("../data/dates.json")));

/// A date on which the service changed, and where it is from.
///
/// # Panics
/// When the table has no such row: names are literals of this workspace, and a test reads them all.
pub fn date(name: &str) -> (Timestamp, &'static Provenance) {
    let row = DATES.iter().find(|row| row.name == name);
    #[expect(clippy::expect_used, reason = "a literal name, checked by tests")]
    let row = row.expect("the table of dates has the row");
    (row.date, &row.provenance)
}

#[derive(Debug, Deserialize)]
struct LimitRow {
    name: String,
    value: i64,
    #[serde(flatten)]
    provenance: Provenance,
}

static LIMITS: LazyLock<Vec<LimitRow>> = LazyLock::new(|| read_table(include_str!("../data/limits.json")));

/// A limit or default of the service, and where it is from.
///
/// # Panics
/// When the table has no such row: names are literals of this workspace, and a test reads them all.
pub fn limit(name: &str) -> (i64, &'static Provenance) {
    let row = LIMITS.iter().find(|row| row.name == name);
    #[expect(clippy::expect_used, reason = "a literal name, checked by tests")]
    let row = row.expect("the table of limits has the row");
    (row.value, &row.provenance)
}

/// Reads a data file that is part of the program; its shape is checked by this module's tests.
fn read_table<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    #[expect(clippy::expect_used, reason = "the file is part of the program and tests read it")]
    serde_json::from_str(text).expect("a data file of this crate is well formed")
}

#[cfg(test)]
mod tests {
    use super::{date, error_texts, limit, recognise_error, supported_zones};
    use crate::ids::{AzId, Region};

    #[test]
    fn the_zone_of_the_founding_incident_is_not_supported() {
        let zones = supported_zones(&Region::from("us-east-1"), "2025-10-18T00:00:00Z".parse().ok());
        let ids = zones.map(|z| z.zone_ids).unwrap_or_default();
        assert!(ids.contains(&AzId::from("use1-az2")));
        assert!(!ids.contains(&AzId::from("use1-az6")));
    }

    #[test]
    fn a_region_without_a_row_is_unknown() {
        assert_eq!(supported_zones(&Region::from("us-west-1"), None), None);
        // Not among the nine Regions of October 2025; the later row does not hold then.
        assert_eq!(supported_zones(&Region::from("eu-north-1"), "2025-10-18T00:00:00Z".parse().ok()), None);
    }

    #[test]
    fn the_two_neighbouring_errors_are_kept_apart() {
        let id = |text: &str| recognise_error(text).map(|t| t.id.as_str());
        assert_eq!(
            id("RuntimeClientError: Runtime health check failed or timed out."),
            Some("health_check_failed")
        );
        assert_eq!(
            id(
                "Runtime initialization time exceeded. Please make sure that initialization completes in 120s."
            ),
            Some("initialization_exceeded")
        );
        assert_eq!(id("something else"), None);
    }

    #[test]
    fn every_table_reads() {
        assert!(!error_texts().is_empty());
        for name in ["managed_s3_gateway_ends", "mmdsv2_enforced", "platform_v2_available"] {
            let _ = date(name);
        }
        for name in [
            "container_start_seconds",
            "zip_start_seconds",
            "layers_with_named_user",
            "idle_timeout_seconds",
            "max_lifetime_seconds",
            "synchronous_request_seconds",
            "interface_linger_seconds",
            "session_id_min_length",
        ] {
            assert!(limit(name).0 > 0);
        }
    }
}
