//! `--bundle` of the commands that look at an image: the record as a call of a new bundle, or of one that is there.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use launchpath_intake::{Bundle, Call};
use launchpath_model::time::Timestamp;
use serde_json::Value;

use crate::commands::collect;
use crate::disk;
use crate::failure::Failure;

const COLLECTOR: &str = concat!("launchpath ", env!("CARGO_PKG_VERSION"));

/// Reads the bundle that is to be added to, before anything else: a mistake in it must not cost a rehearsal.
pub(crate) fn open(path: &Path) -> Result<Bundle, Failure> {
    let there = if path.is_dir() { path.join("bundle.json").exists() } else { path.exists() };
    if there { disk::whole_bundle(path) } else { Ok(Bundle::new(COLLECTOR)) }
}

/// Adds the call and writes the bundle, whole or not at all.
pub(crate) fn save(
    mut bundle: Bundle,
    path: &Path,
    operation: &str,
    request: Value,
    response: Value,
) -> Result<(), Failure> {
    add(&mut bundle, operation, request, response);
    collect::save(path, bundle.to_json().as_bytes())
}

/// Adds the call.
pub(crate) fn add(bundle: &mut Bundle, operation: &str, request: Value, response: Value) {
    let mut call = Call::new(&bundle.next_id(), "launchpath", operation);
    call.at = now();
    call.request = Some(request);
    call.response = Some(without_secrets(response));
    bundle.push(call);
    // A new bundle's "now"; one that was collected keeps its own.
    bundle.collected_at = bundle.collected_at.or_else(now);
}

/// What a process printed is as foreign as a log line, and masked like one.
fn without_secrets(mut response: Value) -> Value {
    if let Some(Value::String(output)) = response.get_mut("output") {
        *output = launchpath_aws::mask_text(output);
    }
    response
}

fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_millis(i64::try_from(since.as_secs()).ok()?.checked_mul(1000)?)
}
