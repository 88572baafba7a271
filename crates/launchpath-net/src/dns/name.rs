//! The names of AWS services: which name a service is called by, and which service a name belongs to.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct ServiceNames {
    service: String,
    names: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program; a test reads it")]
static SERVICES: LazyLock<Vec<ServiceNames>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/services.json")).expect("the table of service names")
});

/// The suffix of AWS names: the partition's own domain.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

pub(super) fn fill(template: &str, region: &str) -> String {
    template.replace("{region}", region).replace("amazonaws.com", domain(region))
}

/// The name under which a service of a Region is called.
pub fn name_of_service(service: &str, region: &str) -> String {
    match SERVICES.iter().find(|entry| entry.service == service) {
        Some(entry) => entry.names.first().map(|name| fill(name, region)).unwrap_or_default(),
        None => format!("{service}.{region}.{}", domain(region)),
    }
}

/// The AWS service of the Region that a name belongs to (`ecr.dkr`, `s3`, `logs`), as endpoint services call it.
pub fn service_of_name(name: &str, region: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    for entry in SERVICES.iter() {
        if entry.names.iter().any(|pattern| name_matches(&fill(pattern, region), &name)) {
            return Some(entry.service.clone());
        }
    }
    let label = name.strip_suffix(&format!(".{region}.{}", domain(region)))?;
    (!label.contains('.')).then(|| label.to_owned())
}

/// Whether `name` is `pattern`, whose first label may be `*` (any number of labels).
pub(super) fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => name.strip_suffix(rest).is_some_and(|head| head.ends_with('.') && head.len() > 1),
        None => pattern == name,
    }
}

/// The length of the zone in which private DNS of an endpoint of `service` answers for `name`: that of the service's name
/// without its wildcard.
pub(super) fn zone_of_service(service: &str, name: &str, region: &str) -> Option<usize> {
    let listed = SERVICES.iter().filter(|entry| entry.service == service).flat_map(|entry| &entry.names);
    let fitting = listed.map(|pattern| fill(pattern, region)).filter(|pattern| name_matches(pattern, name));
    let zone = fitting.map(|pattern| zone_length(&pattern)).max();
    zone.or_else(|| (service_of_name(name, region)? == service).then_some(name.len()))
}

/// The length of a name without the wildcard before it.
pub(super) fn zone_length(pattern: &str) -> usize {
    pattern.strip_prefix("*.").unwrap_or(pattern).len()
}

#[cfg(test)]
mod tests {
    use super::{name_of_service, service_of_name};

    #[test]
    fn names_and_services() {
        for (name, service) in [
            ("api.ecr.us-east-1.amazonaws.com", Some("ecr.api")),
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com", Some("ecr.dkr")),
            ("prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com", Some("s3")),
            ("logs.us-east-1.amazonaws.com.", Some("logs")),
            ("api.ecr.eu-west-1.amazonaws.com", None),
            ("pypi.org", None),
        ] {
            assert_eq!(service_of_name(name, "us-east-1").as_deref(), service, "{name}");
        }
        assert_eq!(
            name_of_service("bedrock-runtime", "us-east-1"),
            "bedrock-runtime.us-east-1.amazonaws.com"
        );
        assert_eq!(name_of_service("s3", "cn-north-1"), "s3.cn-north-1.amazonaws.com.cn");
    }
}
