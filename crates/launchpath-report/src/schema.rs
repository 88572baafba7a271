//! The published schema of the JSON format.

use serde_json::{Value, json};

use crate::diagnosis::{Diagnosis, SCHEMA_VERSION};

/// The JSON Schema (draft 2020-12) of what [`crate::Format::Json`] prints.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Diagnosis).to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert(
            "title".to_owned(),
            json!(format!("launchpath diagnosis, schema_version {SCHEMA_VERSION}")),
        );
    }
    schema
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_top_level_member_is_described_and_the_break_has_its_public_name() {
        let schema = super::schema();
        let members = schema["properties"].as_object().unwrap();
        for name in ["schema_version", "verdict", "chain", "break", "causes", "next_probes", "evidence"] {
            assert!(members[name].get("description").is_some(), "{name}");
        }
        assert!(!members.contains_key("broken"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
