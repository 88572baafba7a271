//! Digests of JSON values, the same whoever prints them.
//!
//! Canonical JSON: members sorted by name (by their code points), no white space between tokens, texts and numbers as
//! `serde_json` prints them. Start with [`of`].

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// SHA-256 of the canonical form, in hexadecimal.
pub(super) fn of(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (at, (name, member)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::String(name.clone()));
                canonical(member, out);
            }
            out.push('}');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn the_order_of_members_does_not_count_and_every_value_does() {
        assert_eq!(
            super::of(&json!({"a": [1, null], "b": "ü"})),
            super::of(&json!({"b": "ü", "a": [1, null]}))
        );
        assert_ne!(super::of(&json!({"a": [1, null]})), super::of(&json!({"a": [null, 1]})));
        // The digest of `{}`, as any other program computes it.
        assert_eq!(super::of(&json!({})), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
