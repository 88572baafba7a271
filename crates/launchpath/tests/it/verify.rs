//! Certificates: written by the engine, re-checked by the separate checker, and never confirmed once anything in them or in the
//! evidence is changed.

use std::collections::BTreeSet;

use launchpath_diagnose::{certify, diagnose};
use launchpath_intake::open_bytes;
use launchpath_verify::{Outcome, Report, Standing, check};
use serde_json::{Value, json};

use crate::program::{launchpath, scenario};

const BUNDLES: &[&str] = &[
    "incident/as-reported",
    "incident/as-collected",
    "incident/as-rehearsed",
    "base/nat",
    "base/isolated",
    "base/public",
];

pub(crate) fn bundle(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(scenario(name)).expect("the bundle")).expect("JSON")
}

pub(crate) fn certificate(bundle: &Value) -> Value {
    let world = open_bytes("bundle.json", bundle.to_string().as_bytes()).expect("a world");
    serde_json::to_value(certify(&world, &diagnose(&world), bundle)).expect("JSON")
}

pub(crate) fn verified(certificate: &Value, bundle: &Value) -> Report {
    check(certificate, bundle).expect("a certificate")
}

/// The world of `base/nat` with one thing broken.
pub(crate) fn broken(edit: impl Fn(&mut Value)) -> Value {
    let mut bundle = bundle("base/nat");
    edit(&mut bundle);
    bundle
}

pub(crate) fn answer<'a>(bundle: &'a mut Value, operation: &str) -> &'a mut Value {
    let calls = bundle["calls"].as_array_mut().expect("calls");
    let call = calls.iter_mut().find(|call| call["operation"] == operation).expect("the call");
    &mut call["response"]
}

/// Bundles of every kind of verdict: as they are kept, and with a network and a policy broken.
pub(crate) fn worlds() -> Vec<(String, Value)> {
    let mut worlds: Vec<(String, Value)> =
        BUNDLES.iter().map(|name| ((*name).to_owned(), bundle(name))).collect();
    worlds.push((
        "nat without egress".to_owned(),
        broken(|bundle| {
            answer(bundle, "DescribeSecurityGroups")["SecurityGroups"][0]["IpPermissionsEgress"] = json!([]);
        }),
    ));
    worlds.push((
        "nat without a default route".to_owned(),
        broken(|bundle| {
            for table in answer(bundle, "DescribeRouteTables")["RouteTables"].as_array_mut().expect("tables")
            {
                let routes = table["Routes"].as_array_mut().expect("routes");
                routes.retain(|route| route["DestinationCidrBlock"] != "0.0.0.0/0");
            }
        }),
    ));
    worlds.push((
        "nat with a closed ACL".to_owned(),
        broken(|bundle| {
            for entry in answer(bundle, "DescribeNetworkAcls")["NetworkAcls"][0]["Entries"]
                .as_array_mut()
                .expect("entries")
            {
                entry["RuleAction"] = json!("deny");
            }
        }),
    ));
    worlds.push((
        "nat with a foreign trust policy".to_owned(),
        broken(|bundle| {
            for call in bundle["calls"].as_array_mut().expect("calls") {
                if call["operation"] == "GetRole" && call["request"]["RoleName"] == "agent-role" {
                    call["response"]["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] =
                        json!("lambda.amazonaws.com");
                }
            }
        }),
    ));
    worlds
}

#[test]
fn every_certificate_of_the_kept_bundles_is_confirmed() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in BUNDLES {
        let path = folder.path().join("certificate.json").display().to_string();
        let bundle = scenario(name);
        let words = ["diagnose", "--bundle", &bundle, "--format", "certificate", "-o", &path];
        let code = launchpath(&words).code;
        assert!([0, 1, 3, 4].contains(&code), "{name}: {code}");
        let run = launchpath(&["verify", &path, "--bundle", &bundle, "--format", "json"]);
        assert_eq!(run.code, 0, "{name}: {} {}", run.stdout, run.stderr);
        let report = run.json();
        assert_eq!(report["result"], "confirmed", "{name}");
        assert!(report["counts"]["holds"].as_u64() > Some(50), "{name}: {}", report["counts"]);
        let selected = launchpath(&[
            "verify",
            &path,
            "--bundle",
            &bundle,
            "--query",
            "items[?decisive && standing != 'holds']",
        ]);
        assert_eq!(selected.stdout, "[]\n", "{name}");
    }
}

#[test]
fn what_is_broken_on_purpose_is_re_checked_by_a_rule() {
    for (name, fault) in [
        ("nat without egress", "net.runtime_sg_egress_blocks"),
        ("nat without a default route", "net.no_egress_route"),
        ("nat with a closed ACL", "net.nacl"),
        ("nat with a foreign trust policy", "iam.trust_policy"),
    ] {
        let (_, bundle) = worlds().into_iter().find(|(world, _)| world == name).expect("a world");
        let report = verified(&certificate(&bundle), &bundle);
        let fails: Vec<_> = report.of(Standing::Fails).collect();
        assert!(fails.is_empty(), "{name}: {fails:?}");
        let cause = report.items.iter().find(|item| item.what.starts_with(fault)).expect("the cause");
        assert_eq!(cause.standing, Standing::Holds, "{name}: {cause:?}");
    }
}

/// Every claim of a certificate: where it stands, and the claim.
fn claims(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "claims" {
                    for (index, claim) in member.as_array().into_iter().flatten().enumerate() {
                        found.push((format!("{at}/claims/{index}"), claim.clone()));
                    }
                }
                claims(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                claims(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Another value of the same kind.
fn changed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 7.0),
        Value::Bool(bool) => json!(!bool),
        Value::Array(_) => json!([{ "new": 1 }]),
        _ => json!("x"),
    }
}

/// The place of a claim in a bundle, to change it.
fn place<'a>(bundle: &'a mut Value, claim: &Value) -> Option<&'a mut Value> {
    let calls = bundle["calls"].as_array_mut()?;
    let call = calls.iter_mut().find(|call| call["id"] == claim["call"])?;
    call.pointer_mut(claim["pointer"].as_str()?)
}

#[test]
fn a_cited_value_that_is_changed_in_the_bundle_is_found_at_its_claim() {
    let mut tried = 0;
    for (name, bundle) in worlds() {
        let certificate = certificate(&bundle);
        let mut all = Vec::new();
        claims(&certificate, "", &mut all);
        let mut places = BTreeSet::new();
        for (at, claim) in all {
            // One change for each place: many sentences cite the same one.
            if !places.insert(format!("{} {} {}", claim["call"], claim["pointer"], claim["inside"])) {
                continue;
            }
            let mut forged = bundle.clone();
            match claim["claim"].as_str() {
                Some("outcome") => {
                    let calls = forged["calls"].as_array_mut().expect("calls");
                    let call = calls.iter_mut().find(|call| call["id"] == claim["call"]).expect("the call");
                    call["outcome"] = json!("throttled");
                }
                Some("contains") => *place(&mut forged, &claim).expect("the place") = json!("something else"),
                Some(_) if claim["inside"].is_string() => {
                    *place(&mut forged, &claim).expect("the place") = json!("{}");
                }
                _ => {
                    let value = place(&mut forged, &claim).expect("the place");
                    *value = changed(value);
                }
            }
            let report = verified(&certificate, &forged);
            assert_eq!(report.result, Outcome::Refuted, "{name} {at}");
            let failed = |wanted: &str| report.of(Standing::Fails).any(|item| item.at == wanted);
            // The digests see it, and so does the claim itself: whoever forges the digests, too, gains nothing.
            assert!(failed("/bundle/sha256") && failed(&at), "{name} {at} {claim}");
            tried += 1;
        }
    }
    println!("{tried} cited values changed in the bundle, each found by its digest and at its claim");
    assert!(tried > 300, "{tried}");
}

#[test]
fn a_claim_that_is_changed_in_the_certificate_is_found() {
    let mut tried = 0;
    // One world of each kind of verdict and of break: each has thousands of members.
    let kinds = [
        "incident/as-rehearsed",
        "base/isolated",
        "nat with a closed ACL",
        "nat with a foreign trust policy",
    ];
    for (name, bundle) in worlds().into_iter().filter(|(name, _)| kinds.contains(&name.as_str())) {
        let certificate = certificate(&bundle);
        let mut all = Vec::new();
        claims(&certificate, "", &mut all);
        // The same claim stands behind many sentences: once is enough.
        let mut seen = BTreeSet::new();
        for (at, claim) in all.into_iter().filter(|(_, claim)| seen.insert(claim.to_string())) {
            for member in claim.as_object().into_iter().flat_map(|members| members.keys()) {
                if member == "claim" {
                    continue;
                }
                let mut forged = certificate.clone();
                let value = forged.pointer_mut(&format!("{at}/{member}")).expect("the member");
                *value = changed(value);
                let report = verified(&forged, &bundle);
                assert_eq!(report.result, Outcome::Refuted, "{name} {at}/{member} {claim}");
                tried += 1;
            }
        }
        for (pointer, value) in skeleton(&certificate, &verified(&certificate, &bundle)) {
            let mut forged = certificate.clone();
            *forged.pointer_mut(&pointer).expect("the member") = value.clone();
            let report = verified(&forged, &bundle);
            assert_eq!(report.result, Outcome::Refuted, "{name} {pointer} {value}");
            tried += 1;
        }
    }
    println!("{tried} members of certificates changed, each refuted");
    assert!(tried > 1200, "{tried}");
}

/// What the verdict is made of, each member with every other value it could have; of ways and elements, those that were
/// re-checked.
fn skeleton(certificate: &Value, report: &Report) -> Vec<(String, Value)> {
    let held: BTreeSet<&str> = report.of(Standing::Holds).map(|item| item.at.as_str()).collect();
    let mut changes: Vec<(String, Value)> =
        vec![("/bundle/sha256".to_owned(), json!("0".repeat(64))), ("/bundle/calls".to_owned(), json!(1))];
    let others = |at: &str, all: &[&str]| -> Vec<(String, Value)> {
        let now = certificate.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        all.iter().filter(|other| **other != now).map(|other| (at.to_owned(), json!(other))).collect()
    };
    changes.extend(others("/verdict", &["launches", "blocked", "undecided", "no_fault_found"]));
    for code in [0, 1, 3, 4].into_iter().filter(|code| certificate["exit_code"] != json!(code)) {
        changes.push(("/exit_code".to_owned(), json!(code)));
    }
    for id in certificate["calls"].as_object().into_iter().flat_map(|calls| calls.keys()) {
        changes.push((format!("/calls/{id}/sha256"), json!("0".repeat(64))));
        changes.push((format!("/calls/{id}/operation"), json!("DescribeNothing")));
    }
    if certificate["break"].is_object() {
        changes.push(("/break/last_reached".to_owned(), json!("lifecycle")));
        changes.push(("/break/first_unreached".to_owned(), json!("lifecycle")));
        changes.push(("/break".to_owned(), Value::Null));
    }
    let chain = certificate["chain"].as_array().expect("a chain");
    // A stage before the break that is not reached, or one behind it that is, moves the break.
    let failed = |stage: &Value| {
        stage["side"] == false && (stage["state"] == "failed" || stage["state"] == "not_reached")
    };
    if let Some(first) = chain.iter().position(failed) {
        for (index, stage) in chain.iter().enumerate().filter(|(_, stage)| stage["side"] == false) {
            if index < first && stage["state"] == "reached" {
                changes.push((format!("/chain/{index}/state"), json!("failed")));
            }
            if index > first {
                changes.push((format!("/chain/{index}/state"), json!("reached")));
            }
        }
    }
    for (index, path) in certificate["paths"].as_array().into_iter().flatten().enumerate() {
        if held.contains(format!("/paths/{index}").as_str()) {
            let other = if path["state"] == "open" { "blocked" } else { "open" };
            changes.push((format!("/paths/{index}/state"), json!(other)));
        }
        for (hop, element) in path["hops"].as_array().into_iter().flatten().enumerate() {
            let at = format!("/paths/{index}/hops/{hop}");
            let filter =
                matches!(element["kind"].as_str(), Some("network_acl" | "security_group" | "route_table"));
            if filter && held.contains(at.as_str()) {
                let other = if element["state"] == "passed" { "dropped" } else { "passed" };
                changes.push((format!("{at}/state"), json!(other)));
                changes.push((format!("{at}/id"), json!("another")));
            }
            if element["decided_by"].is_object() {
                let pointer = element["decided_by"]["pointer"].as_str().unwrap_or_default();
                let (list, _) = pointer.rsplit_once('/').unwrap_or_default();
                changes.push((format!("{at}/decided_by/pointer"), json!(format!("{list}/99"))));
            }
        }
    }
    for (index, permission) in certificate["permissions"].as_array().into_iter().flatten().enumerate() {
        for (statement, _) in permission["statements"].as_array().into_iter().flatten().enumerate() {
            let at = format!("/permissions/{index}/statements/{statement}");
            changes.push((format!("{at}/statement"), json!(99)));
            changes.push((format!("{at}/effect"), json!("Maybe")));
        }
    }
    changes
}

#[test]
fn what_is_no_certificate_and_what_can_have_none_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let nat = scenario("base/nat");
    for (name, text) in [
        ("a.json", "{"),
        ("b.json", "{}"),
        ("c.json", "[1]"),
        ("d.json", "{\"format\":\"launchpath-certificate/9\"}"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let run = launchpath(&["verify", &path.display().to_string(), "--bundle", &nat]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(name) && run.stderr.contains("expected"), "{}", run.stderr);
    }
    for words in [
        &["diagnose", "--bundle", &nat, "--format", "certificate", "--saw", "it fails"][..],
        &["diagnose", "--bundle", &nat, "--format", "certificate", "--redact"],
        &["diagnose", "agent-1", "--region", "us-east-1", "--format", "certificate"],
    ] {
        let run = launchpath(words);
        assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains("--format certificate: "), "{}", run.stderr);
    }
}

#[test]
fn the_form_of_the_bundle_does_not_change_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = bundle("base/nat");
    // The same evidence as a directory in which one answer lies in a file of its own.
    let mut split = source.clone();
    let call = &mut split["calls"][3];
    let answer = call.as_object_mut().and_then(|call| call.remove("response")).expect("an answer");
    call["file"] = json!("calls/subnets.json");
    let directory = folder.path().join("case");
    std::fs::create_dir_all(directory.join("calls")).expect("a folder");
    std::fs::write(directory.join("bundle.json"), split.to_string()).expect("written");
    std::fs::write(directory.join("calls/subnets.json"), answer.to_string()).expect("written");
    let of = |path: &str| launchpath(&["diagnose", "--bundle", path, "--format", "certificate"]).stdout;
    let whole = of(&scenario("base/nat"));
    assert!(!whole.is_empty());
    assert_eq!(of(&directory.display().to_string()), whole);
}
