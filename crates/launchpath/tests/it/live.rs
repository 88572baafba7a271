//! Live runs of the real binary against the emulator: a healthy world, then one broken thing at a time.
//!
//! The emulator has no CloudTrail look-ups and every runtime becomes READY: what that hides must show as unknown.

use crate::denial;
use crate::emulator::Emulator;
use crate::program::{codes, launchpath};
use serde_json::Value;

#[test]
fn a_healthy_world_has_no_cause_and_no_noise() {
    let Some(emulator) = Emulator::start() else { return };
    for options in [&[][..], &["--isolated"]] {
        let world = emulator.world(options);
        let runtime = world["runtime"].as_str().expect("an id");
        let run = emulator.launchpath(&["diagnose", runtime, "--format", "json"]);
        assert_eq!(run.code, 3, "nothing proves an answer: {}", run.stderr);
        let diagnosis = run.json();
        assert_eq!(diagnosis["causes"], Value::Array(Vec::new()), "{options:?}");
        assert_eq!(diagnosis["also_blocking"], Value::Array(Vec::new()), "{options:?}");
        assert_eq!(diagnosis["warnings"], Value::Array(Vec::new()), "{options:?}");
        // What the emulator lacks is unknown, visibly.
        let chain = diagnosis["chain"].to_string();
        assert!(chain.contains("AssumeRole events: the call failed"), "{chain}");
    }
}

#[test]
fn one_broken_thing_is_the_primary_cause() {
    let Some(emulator) = Emulator::start() else { return };
    let breaks = [
        "endpoint_removed",
        "egress_removed",
        "igw_instead_of_nat",
        "trust_wrong",
        "tag_deleted",
        "dns_off",
        "s3_gateway_removed",
        "endpoint_sg_blocks",
        "no_route_out",
        "nacl_blocks_return",
    ];
    for broken in breaks {
        let world = emulator.world(&["--break", broken]);
        let runtime = world["runtime"].as_str().expect("an id");
        let expected = world["expected_fault"].as_str().expect("the fault");
        let run = emulator.launchpath(&["diagnose", runtime, "--format", "json"]);
        assert_eq!(run.code, 1, "{broken}: {}\n{}", run.stdout, run.stderr);
        let diagnosis = run.json();
        assert_eq!(codes(&diagnosis["causes"]), [expected], "{broken}");
        assert_eq!(diagnosis["causes"][0]["primary"], true, "{broken}");
        assert_eq!(codes(&diagnosis["also_blocking"]), Vec::<&str>::new(), "{broken}");
        assert_eq!(
            diagnosis["causes"][0]["fix"]["verified"]["reaches"], "response",
            "{broken}: the fix is proven"
        );
    }
}

#[test]
fn a_live_run_can_be_replayed_byte_for_byte() {
    let Some(emulator) = Emulator::start() else { return };
    let world = emulator.world(&["--break", "endpoint_sg_blocks"]);
    let runtime = world["runtime"].as_str().expect("an id");
    let folder = tempfile::tempdir().expect("a temporary directory");
    for form in ["bundle.json", "bundle.zip", "folder/"] {
        let path = format!("{}/{form}", folder.path().display());
        for format in ["text", "markdown", "json"] {
            let live =
                emulator.launchpath(&["diagnose", runtime, "--format", format, "--save-bundle", &path]);
            let replayed = launchpath(&["diagnose", "--bundle", &path, "--format", format]);
            assert_eq!(live.stdout, replayed.stdout, "{form} {format}");
            assert_eq!((live.code, replayed.code), (1, 1));
        }
    }
}

#[test]
fn a_permission_check_of_a_live_account_says_what_its_collection_would_say() {
    let Some(emulator) = Emulator::start() else { return };
    let world = emulator.world(&[]);
    let runtime = world["runtime"].as_str().expect("an id");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("bundle.json").display().to_string();
    assert_eq!(emulator.launchpath(&["collect", runtime, "-o", &path]).code, 0);
    let saved = launchpath(&["permissions", "--check", "--bundle", &path, "--format", "json"]).json();
    let live = emulator.launchpath(&["permissions", "--check", runtime, "--format", "json"]);
    // The emulator fails at what it does not have: that is neither allowed nor refused.
    assert_eq!(live.code, 3, "{}{}", live.stdout, live.stderr);
    let live = live.json();
    assert!(live["identity"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:")), "{}", live["identity"]);
    let states = |answer: &Value| -> Vec<(String, String)> {
        let actions = answer["actions"].as_array().expect("actions").iter();
        actions.map(|action| (action["action"].to_string(), action["state"].to_string())).collect()
    };
    assert_eq!(states(&live), states(&saved));
    assert!(live["allowed"].as_u64().is_some_and(|allowed| allowed > 15), "{}", live["allowed"]);
}

#[test]
fn the_denial_sweep_holds_on_what_was_collected() {
    let Some(emulator) = Emulator::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary directory");
    for options in [&[][..], &["--break", "endpoint_sg_blocks"], &["--break", "trust_wrong"]] {
        let world = emulator.world(options);
        let runtime = world["runtime"].as_str().expect("an id");
        let path = folder.path().join("bundle.json").display().to_string();
        let run = emulator.launchpath(&["collect", runtime, "-o", &path]);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
        let bundle: Value = serde_json::from_slice(&std::fs::read(&path).expect("the bundle")).expect("JSON");
        denial::sweep(&format!("{options:?}"), &bundle);
    }
}

#[test]
fn a_runtime_is_found_by_its_name_and_a_wrong_one_is_not() {
    let Some(emulator) = Emulator::start() else { return };
    let world = emulator.world(&[]);
    let runtime = world["runtime"].as_str().expect("an id");
    let by_id = emulator.launchpath(&["diagnose", runtime, "--format", "json"]).json();
    let name = by_id["runtime"]["name"].as_str().expect("a name").to_owned();
    let by_name = emulator.launchpath(&["diagnose", &name, "--format", "json"]).json();
    assert_eq!(by_name["runtime"]["id"], by_id["runtime"]["id"]);
    let nobody = emulator.launchpath(&["diagnose", "nobody-aaaaaaaaaa", "--format", "json"]);
    assert_eq!(nobody.code, 3, "{}", nobody.stderr);
    assert!(nobody.json()["causes"].as_array().is_some_and(Vec::is_empty));
}
