//! KMS: key policies.
//!
//! AWS: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>

use launchpath_model::World;
use serde_json::Value;

use super::{Lowered, Recorded};

pub(super) fn lower(world: &mut World, call: &Recorded) -> Lowered {
    if call.evidence.operation != "GetKeyPolicy" {
        return Lowered::UnknownOperation;
    }
    let table = &mut world.key_policies;
    // The policy comes as a text that is a document.
    let document = match call.member("Policy") {
        Some(Value::String(text)) => serde_json::from_str::<Value>(text).ok(),
        Some(other @ Value::Object(_)) => Some(other.clone()),
        _ => None,
    };
    let Some(document) = document.filter(|_| call.is_ok()) else {
        table.record(call.read_without("Policy"));
        return Lowered::Done;
    };
    table.record(call.read(1));
    let Some(key) = call.asked("KeyId") else {
        return Lowered::NoKey("which key the policy belongs to");
    };
    table.insert(key.to_owned(), document, call.evidence.id.clone());
    Lowered::Done
}
