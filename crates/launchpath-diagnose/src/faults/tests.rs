//! The catalogue held to its own rules: codes, metadata, documentation, scenarios.

#![expect(clippy::disallowed_methods, reason = "the rules are about files beside the code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{all, find};
use crate::chain::Stage;

const HEADINGS: &[&str] = &[
    "## What happens",
    "## Why",
    "## How launchpath knows",
    "## Confirm by hand",
    "## Fix",
    "## References",
];

/// Every code, so that a rename shows in review: codes are forever.
const CODES: &[&str] = &[
    "app.dependency_drift",
    "app.dependency_not_packaged",
    "app.missing_source_file",
    "app.slow_init",
    "app.startup_exception",
    "app.wedged_state",
    "build.failed",
    "client.timeout",
    "client.wrong_target",
    "contract.blocked_event_loop",
    "contract.first_request_5xx",
    "contract.host_header_421",
    "contract.mcp_session",
    "contract.non2xx_masked",
    "contract.protocol_mismatch",
    "contract.wrong_path",
    "contract.wrong_port",
    "fs.byo_mount",
    "iam.caller_cannot_invoke",
    "iam.caller_cannot_pass_role",
    "iam.exec_role_ecr_denied",
    "iam.exec_role_permissions",
    "iam.policy_race",
    "iam.runtime_api_denied",
    "iam.scp_deny",
    "iam.slr_missing_or_denied",
    "iam.trust_policy",
    "image.arch_mismatch",
    "image.file_permissions",
    "image.layers_user_overlay",
    "image.manifest_unsupported",
    "image.stale_tag",
    "image.tag_missing",
    "image.wrong_server_model",
    "life.idle_reaped",
    "life.never_idle",
    "life.session_expired",
    "life.session_pins_version",
    "logs.app_silent",
    "logs.kms_unusable",
    "logs.role_cannot_write",
    "net.central_egress_path",
    "net.dns_off",
    "net.downstream_unreachable",
    "net.endpoint_sg_blocks",
    "net.eni_create_failed",
    "net.eni_lingering",
    "net.missing_vpc_endpoint",
    "net.nacl",
    "net.no_egress_route",
    "net.public_subnet_no_nat",
    "net.runtime_sg_egress_blocks",
    "net.s3_path_missing",
    "net.unsupported_az",
    "request.invalid",
    "svc.auth_mismatch",
    "svc.mmdsv2_required",
    "svc.opaque_create_failed",
    "svc.quota",
    "svc.session_conflict",
    "svc.transient_cold_start",
    "svc.update_drops_fields",
    "svc.version_not_ready",
    "tool.network_config_dropped",
    "tool.state_lost",
];

fn folder(code: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults").join(code.replace('.', "/"))
}

#[test]
fn codes_are_what_they_were() {
    let codes: Vec<&str> = all().iter().map(|fault| fault.code).collect();
    assert_eq!(codes, CODES);
    let unique: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(unique.len(), codes.len());
    for code in codes {
        let parts: Vec<&str> = code.split('.').collect();
        let word = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        assert!(parts.len() == 2 && parts.iter().all(word), "{code} is not area.fault_name");
        assert!(find(code).is_some());
    }
}

#[test]
fn every_fault_folder_is_registered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults");
    let mut found = BTreeSet::new();
    for area in fs::read_dir(root).expect("the areas").flatten().filter(|entry| entry.path().is_dir()) {
        for fault in
            fs::read_dir(area.path()).expect("an area").flatten().filter(|entry| entry.path().is_dir())
        {
            found.insert(format!("{}.{}", area.file_name().display(), fault.file_name().display()));
        }
    }
    let registered: BTreeSet<String> = CODES.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(found, registered);
}

#[test]
fn metadata_is_complete() {
    for fault in all() {
        assert!(fault.title.len() > 10 && !fault.title.ends_with('.'), "{}: {}", fault.code, fault.title);
        assert!(fault.prior > 0.0, "{}", fault.code);
        assert!(!fault.needs.is_empty(), "{}", fault.code);
        assert!(Stage::ALL.contains(&fault.stage), "{}", fault.code);
    }
}

#[test]
fn every_page_has_its_headings_in_order() {
    for fault in all() {
        let found: Vec<&str> = fault.doc.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(found, HEADINGS, "{}", fault.code);
        assert!(fault.doc.contains("https://"), "{}: no reference", fault.code);
    }
}

#[test]
fn every_fault_has_a_case_that_fires_a_near_miss_and_one_without_evidence() {
    for fault in all() {
        let files = fs::read_dir(folder(fault.code).join("scenarios")).expect("scenarios");
        let text: String =
            files.flatten().map(|file| fs::read_to_string(file.path()).expect("a scenario")).collect();
        let says = |keys: &[&str]| {
            text.lines().any(|line| {
                line.split_once(':').is_some_and(|(key, value)| {
                    keys.contains(&key.trim()) && value.trim().split(' ').next() == Some(fault.code)
                })
            })
        };
        assert!(says(&["primary", "found", "also"]), "{}: no case in which it fires", fault.code);
        assert!(says(&["not", "ruled out"]), "{}: no near miss", fault.code);
        assert!(says(&["unknown"]), "{}: no case without evidence", fault.code);
    }
}
