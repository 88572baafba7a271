//! Any batch record: an answer or an error, never a panic, and the bare decision agrees with the explained one.
//! `cargo +nightly fuzz run answer` in `crates/launchpath-iam`.
#![no_main]

use launchpath_iam::{CompiledPolicySet, batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let _ = batch::answer_line(line);
    let Ok(record) = serde_json::from_str(line) else { return };
    let Ok((request, layers)) = batch::read(&record) else { return };
    let set = CompiledPolicySet::new(&layers);
    assert_eq!(set.decide(&request), set.evaluate(&request).decision);
});
