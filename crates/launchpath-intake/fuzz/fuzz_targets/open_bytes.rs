//! No bytes make intake panic, hang or allocate without bound; what opens once opens the same again.
#![no_main]

use launchpath_intake::{Bundle, open_bundle, open_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let first = open_bytes("input.json", bytes);
    assert_eq!(first, open_bytes("input.json", bytes));
    if let Ok(bundle) = Bundle::from_json("input.json", bytes) {
        let text = bundle.to_json();
        let again = Bundle::from_json("input.json", text.as_bytes()).expect("what was printed can be read");
        assert_eq!(again.to_json(), text);
        let _ = open_bundle(&bundle);
    }
});
