//! The service's limits, as its documentation gives them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// A limit of the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Limit {
    name: String,
    /// The number.
    pub(super) value: u64,
    /// The number as people say it.
    pub(super) in_words: String,
    /// Since when it is known to hold.
    #[serde(rename = "from")]
    _from: String,
    /// Where it is from.
    pub(super) source: String,
}

#[derive(Deserialize)]
struct Architecture {
    value: String,
    source: String,
}

#[derive(Deserialize)]
struct Table {
    limits: Vec<Limit>,
    architecture: Architecture,
    ports: BTreeMap<String, Value>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program and tests read it")]
    serde_json::from_str(include_str!("../../data/limits.json"))
        .expect("a data file of this crate is well formed")
});

/// The limit of a name.
pub(super) fn limit(name: &str) -> Option<&'static Limit> {
    TABLE.limits.iter().find(|limit| limit.name == name)
}

/// The architecture that microVMs run, and where that is from.
pub(super) fn architecture() -> (&'static str, &'static str) {
    (&TABLE.architecture.value, &TABLE.architecture.source)
}

/// The port of a protocol; `None` for a protocol that is not known.
pub(super) fn port(protocol: &str) -> Option<u64> {
    TABLE.ports.get(protocol)?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::{limit, port};

    #[test]
    fn every_limit_has_a_source() {
        for name in [
            "container_image_bytes",
            "code_zip_bytes",
            "code_unzipped_bytes",
            "layers_with_named_user",
            "environment_bytes",
            "environment_variables",
        ] {
            assert!(limit(name).is_some_and(|limit| limit.value > 0 && !limit.source.is_empty()), "{name}");
        }
        assert_eq!((port("MCP"), port("source"), port("SMTP")), (Some(8000), None, None));
    }
}
