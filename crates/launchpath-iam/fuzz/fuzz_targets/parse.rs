//! Any text: reading never panics, and what can be read prints and parses to the same.
//! `cargo +nightly fuzz run parse` in `crates/launchpath-iam`; seeds are the documents in `data` and `bench/data`.
#![no_main]

use launchpath_iam::{DocumentKind, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::read(text).usable() else { return };
    let _ = policy.check(DocumentKind::Managed);
    let printed = policy.to_value();
    assert_eq!(Policy::read_value(&printed).usable().as_ref(), Ok(&policy));
});
