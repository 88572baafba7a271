//! What is made at the engine bears its maker's mark, so that a later rehearsal removes what a killed one left behind.

use serde_json::{Value, json};

use super::client::{Client, escaped};
use crate::maker;

/// The label that says who made a container, a network or an image.
pub(super) const LABEL: &str = "launchpath.maker";

/// Labels for what this process makes; none where a process cannot be told from a later one of its number.
pub(super) fn labels() -> Value {
    maker::own().map_or_else(|| json!({}), |mark| json!({ LABEL: mark }))
}

/// Removes what makers that are gone left behind. An engine that refuses has its reasons; the rehearsal goes on.
pub(super) fn sweep(client: &Client) {
    let filter = escaped(&json!({ "label": [LABEL] }).to_string());
    for (list, kind) in [
        ("/containers/json?all=1&filters=", "containers"),
        ("/networks?filters=", "networks"),
        ("/images/json?filters=", "images"),
    ] {
        let Ok((200, found)) = client.ask("GET", &format!("{list}{filter}"), None) else { continue };
        for thing in found.as_array().into_iter().flatten() {
            let mark = thing.get("Labels").and_then(|labels| labels.get(LABEL)).and_then(Value::as_str);
            let id = thing.get("Id").or_else(|| thing.get("ID")).and_then(Value::as_str);
            if let (Some(true), Some(id)) = (mark.and_then(maker::is_gone), id) {
                let _gone_already = client.ask("DELETE", &format!("/{kind}/{}?force=1", escaped(id)), None);
            }
        }
    }
}
