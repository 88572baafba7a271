//! `permissions --check`: which actions a caller has, and what each missing one leaves undecided.

use serde_json::{Value, json};

use crate::denial::diagnosis;
use crate::program::{Run, launchpath, scenario};

fn bundle(name: &str) -> Value {
    let text = std::fs::read_to_string(scenario(name)).expect("the bundle");
    serde_json::from_str(&text).expect("JSON")
}

/// Refuses every call of an operation.
fn refuse(bundle: &mut Value, operation: &str, message: &str) {
    for call in bundle["calls"].as_array_mut().expect("calls") {
        if call["operation"] == operation {
            let members = call.as_object_mut().expect("a call");
            members.remove("response");
            members.insert("outcome".into(), json!("denied"));
            members.insert(
                "error".into(),
                json!({ "code": "AccessDeniedException", "message": message, "http": 400 }),
            );
        }
    }
}

fn check(bundle: &Value, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("case.json");
    std::fs::write(&path, bundle.to_string()).expect("written");
    launchpath(&[&["permissions", "--check", "--bundle", &path.display().to_string()], more].concat())
}

fn action<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let actions = answer["actions"].as_array().expect("actions");
    actions.iter().find(|action| action["action"] == name).unwrap_or_else(|| panic!("{name} in {answer:#}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn what_is_allowed_says_what_would_be_undecided_without() {
    let run = check(&bundle("base/nat"), &["--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json();
    assert_eq!(answer["refused"], 0);
    let routes = action(&answer, "ec2:DescribeRouteTables");
    assert_eq!(
        (routes["state"].as_str(), routes["leaves_undecided"]["basis"].as_str()),
        (Some("allowed"), Some("withheld"))
    );
    let faults = texts(&routes["leaves_undecided"]["faults"]);
    // By the method of the denial sweep: nothing but this case, diagnosed without the answer.
    let whole = diagnosis(&bundle("base/nat"));
    let mut less = bundle("base/nat");
    refuse(&mut less, "DescribeRouteTables", "no");
    let open = |diagnosis: &launchpath_diagnose::Diagnosis| -> Vec<String> {
        diagnosis.unknown.iter().map(|fault| fault.fault.clone()).collect()
    };
    let (before, after) = (open(&whole), open(&diagnosis(&less)));
    let mut lost: Vec<&str> =
        after.iter().filter(|fault| !before.contains(fault)).map(String::as_str).collect();
    lost.sort_unstable();
    assert!(lost.contains(&"net.no_egress_route"), "{lost:?}");
    assert_eq!(faults, lost);
    assert!(texts(&routes["leaves_undecided"]["stages"]).contains(&"artifact_fetch"), "{routes}");
    // Nobody needed a transit gateway, so nobody asked; what would hang on it is what the checks declare.
    let gateway = action(&answer, "ec2:SearchTransitGatewayRoutes");
    assert_eq!(
        (gateway["state"].as_str(), gateway["leaves_undecided"]["basis"].as_str()),
        (Some("unknown"), Some("declared"))
    );
    // The secret address is not recorded; what was fetched with it is.
    assert_eq!(action(&answer, "ecr:GetDownloadUrlForLayer")["state"], "allowed");
}

#[test]
fn a_refusal_names_the_faults_and_stages_that_it_leaves_open() {
    let mut bundle = bundle("base/nat");
    refuse(
        &mut bundle,
        "GetRolePolicy",
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:GetRolePolicy on resource: role agent-role",
    );
    refuse(&mut bundle, "DescribeRouteTables", "You are not authorized to perform this operation.");
    let run = check(&bundle, &["--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let answer = run.json();
    assert_eq!(answer["refused"], 2);
    let policy = action(&answer, "iam:GetRolePolicy");
    assert_eq!(policy["state"], "refused");
    let faults = texts(&policy["leaves_undecided"]["faults"]);
    assert!(
        faults.contains(&"iam.exec_role_ecr_denied") && faults.contains(&"logs.role_cannot_write"),
        "{faults:?}"
    );
    assert!(!faults.contains(&"net.no_egress_route"), "{faults:?}");
    let faults = texts(&action(&answer, "ec2:DescribeRouteTables")["leaves_undecided"]["faults"]);
    assert!(faults.contains(&"net.no_egress_route"), "{faults:?}");
    let text = check(&bundle, &["--width", "140"]);
    assert_eq!(text.code, 1);
    assert!(text.stdout.starts_with("2 permissions are refused to "), "{}", text.stdout);
    for part in [
        "iam:GetRolePolicy [c21], every call was refused: ",
        "logs.role_cannot_write",
        "launchpath permissions",
    ] {
        assert!(text.stdout.contains(part), "{part} in {}", text.stdout);
    }
    // The diagnosis itself says what the refused calls leave open.
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("case.json");
    std::fs::write(&path, bundle.to_string()).expect("written");
    let run = launchpath(&["diagnose", "--bundle", &path.display().to_string(), "--width", "140"]);
    assert!(run.stdout.contains("refused: iam GetRolePolicy [c21] leaves open "), "{}", run.stdout);
    assert!(run.stdout.contains("refused: ec2 DescribeRouteTables [c9] leaves open "), "{}", run.stdout);
}

#[test]
fn a_refusal_of_two_actions_is_put_down_to_the_one_that_aws_names() {
    let mut bundle = bundle("base/nat");
    bundle["calls"].as_array_mut().expect("calls").push(json!({
        "id": "z1", "service": "route53", "operation": "ListHostedZonesByVPC", "request": {}, "outcome": "denied",
        "error": { "code": "AccessDenied", "http": 403,
            "message": "User: arn:aws:iam::123456789012:user/me is not authorized to perform: ec2:DescribeVpcs" },
    }));
    let answer = check(&bundle, &["--format", "json"]).json();
    assert_eq!(action(&answer, "ec2:DescribeVpcs")["state"], "refused");
    assert_eq!(action(&answer, "route53:ListHostedZonesByVPC")["state"], "unknown");
}

#[test]
fn what_failed_is_neither_allowed_nor_refused() {
    let mut bundle = bundle("base/nat");
    refuse(&mut bundle, "DescribeSubnets", "slow down");
    for call in bundle["calls"].as_array_mut().expect("calls") {
        if call["operation"] == "DescribeSubnets" {
            call["outcome"] = json!("throttled");
        }
    }
    let run = check(&bundle, &["--format", "json"]);
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert_eq!(action(&run.json(), "ec2:DescribeSubnets")["state"], "unknown");
}

#[test]
fn every_action_of_the_policy_is_judged_once() {
    let answer = check(&bundle("incident/as-collected"), &["--format", "json"]).json();
    let judged: Vec<&str> =
        answer["actions"].as_array().expect("actions").iter().filter_map(|a| a["action"].as_str()).collect();
    let policy = launchpath(&["permissions"]).json();
    let statements = policy["Statement"].as_array().expect("statements");
    for action in statements.iter().flat_map(|statement| texts(&statement["Action"])) {
        let times = judged.iter().filter(|judged| **judged == action).count();
        // What fetches an image for an inspection is no part of a collection.
        assert_eq!(times, usize::from(action != "ecr:GetAuthorizationToken"), "{action}");
    }
}

#[test]
fn wrong_words_are_usage_errors() {
    let nat = scenario("base/nat");
    for words in [
        &["permissions", "--check"][..],
        &["permissions", "agent-abcdefghij"],
        &["permissions", "--bundle", &nat],
        &["permissions", "--format", "text"],
        &["permissions", "--check", "agent", "--bundle", &nat],
        &["permissions", "--check", "--bundle", &nat, "--format", "terraform"],
    ] {
        let run = launchpath(words);
        assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{words:?}: {}", run.stderr);
    }
    let run = launchpath(&["permissions", "--check", "--bundle", &nat, "--query", "refused"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "0\n"), "{}", run.stderr);
}
