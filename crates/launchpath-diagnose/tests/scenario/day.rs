//! `base: nat on 2025-10-18`: a base world moved, as a whole, to another day.
//!
//! The rules of the service change with time, so a case of a certain day has to happen on that day. Every time in the base is
//! moved by the same number of days; dates that stand alone (versions of policies) stay.

use launchpath_model::Timestamp;
use serde_json::Value;

const TIME: usize = "2026-10-20T08:00:00".len();

/// Moves every time of a bundle so that it is collected on `day`.
pub(crate) fn moved_to(bundle: &str, day: &str) -> Result<String, String> {
    let parsed: Value = serde_json::from_str(bundle).map_err(|error| error.to_string())?;
    let collected = parsed["collected_at"].as_str().and_then(|at| at.get(..10)).ok_or("no collected_at")?;
    let midnight =
        |day: &str| format!("{day}T00:00:00Z").parse::<Timestamp>().map_err(|_| format!("{day} is no day"));
    let offset = midnight(day)?.seconds_since(midnight(collected)?);
    let mut moved = String::with_capacity(bundle.len());
    let mut rest = bundle;
    while let Some(found) = rest.find('T') {
        // `2026-10-20T08:00:00`: ten characters before the letter, eight after it.
        let start = found.saturating_sub(10);
        let time =
            rest.get(start..start + TIME).and_then(|text| format!("{text}Z").parse::<Timestamp>().ok());
        let end = if let (Some(time), 10..) = (time, found) {
            let shifted = time.plus_seconds(offset).to_string();
            moved.push_str(&rest[..start]);
            moved.push_str(&shifted[..TIME]);
            start + TIME
        } else {
            moved.push_str(&rest[..=found]);
            found + 1
        };
        rest = &rest[end..];
    }
    moved.push_str(rest);
    Ok(moved)
}
