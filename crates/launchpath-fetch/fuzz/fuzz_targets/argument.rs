//! Any argument is told what it means or refused with a reason; a registry reference means the same when it is written again.
#![no_main]

use launchpath_fetch::Locator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Locator::read(text) {
        Ok(Locator::Registry(reference)) => {
            let written = format!("docker://{reference}");
            let Ok(Locator::Registry(again)) = Locator::read(&written) else { panic!("{written} is none") };
            assert_eq!(again, reference);
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
