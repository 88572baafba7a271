//! `launchpath can`: one question from documents or evidence, and many from a file.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Run, launchpath, scenario};
use crate::reach::{launchpath_reading, lines, shared_data};

const ROLE: &str = "arn:aws:iam::123456789012:role/agent-role";
const REPOSITORY: &str = "arn:aws:ecr:us-east-1:123456789012:repository/agent";

fn can(question: [&str; 3], more: &[&str]) -> Run {
    launchpath(&[&["can"], question.as_slice(), more].concat())
}

fn decision(question: [&str; 3], more: &[&str]) -> (i32, String) {
    let run = can(question, &[more, &["--format", "json"]].concat());
    (run.code, run.json()["decision"].as_str().unwrap_or_default().to_owned())
}

/// Writes a policy and returns its path.
fn policy(folder: &Path, name: &str, statements: &Value) -> String {
    let path = folder.join(name);
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    std::fs::write(&path, format!("{document:#}")).expect("written");
    path.display().to_string()
}

fn allow(action: &str) -> Value {
    json!([{ "Sid": "Some", "Effect": "Allow", "Action": action, "Resource": "*" }])
}

#[test]
fn documents_alone_decide() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let pull = policy(folder.path(), "pull.json", &allow("ecr:BatchGetImage"));
    let push = policy(folder.path(), "push.json", &allow("ecr:PutImage"));
    let all = policy(folder.path(), "all.json", &allow("*"));
    let deny = json!([{ "Effect": "Deny", "Action": "ecr:*", "Resource": "*" }]);
    let deny = policy(folder.path(), "deny.json", &deny);
    let ask = [ROLE, "ecr:BatchGetImage", REPOSITORY];
    let identity = ["--identity-policy", &pull];
    let with = |more: &[&str]| decision(ask, &[&identity, more].concat());
    assert_eq!(with(&[]), (0, "Allowed".to_owned()));
    assert_eq!(with(&["--boundary", &push]), (1, "ImplicitlyDenied".to_owned()));
    assert_eq!(with(&["--session-policy", &push, "--session-policy", &all]), (0, "Allowed".to_owned()));
    assert_eq!(with(&["--scp", &push]), (1, "ImplicitlyDenied".to_owned()));
    assert_eq!(
        with(&["--scp", &push, "--scp", &all]),
        (0, "Allowed".to_owned()),
        "policies of one level add up"
    );
    let levels = ["--scp", &format!("root={all}"), "--scp", &format!("ou-1={push}")];
    assert_eq!(with(&levels), (1, "ImplicitlyDenied".to_owned()), "every level must allow");
    assert_eq!(with(&["--scp", &all, "--scp", &deny]), (1, "ExplicitlyDenied".to_owned()));
    assert_eq!(with(&["--identity-policy", &deny]), (1, "ExplicitlyDenied".to_owned()));
    assert_eq!(with(&["--endpoint-policy", &deny]).0, 1);
    assert_eq!(with(&["--scp", "unknown"]), (3, "Unknown".to_owned()));
    assert_eq!(with(&["--scp", "none", "--rcp", "none"]), (0, "Allowed".to_owned()));
    assert_eq!(decision(ask, &["--identity-policy", &push]), (1, "ImplicitlyDenied".to_owned()));
}

#[test]
fn the_text_says_the_decision_then_why() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let push = policy(folder.path(), "push.json", &allow("ecr:PutImage"));
    let run = can([ROLE, "ecr:BatchGetImage", REPOSITORY], &["--identity-policy", &push, "--width", "120"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("Denied: nothing allows it: "), "{}", run.stdout);
    for part in [
        "Because",
        "statement \"Some\"",
        "nearly allows it",
        "ecr:PutImage",
        "Taken for granted",
        "service control",
    ] {
        assert!(run.stdout.contains(part), "{part} in {}", run.stdout);
    }
}

#[test]
fn a_key_that_was_not_given_stays_open() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let statements = json!([{ "Effect": "Allow", "Action": "ecr:*", "Resource": "*",
        "Condition": { "StringEquals": { "aws:SourceVpc": "vpc-1" } } }]);
    let path = policy(folder.path(), "vpc.json", &statements);
    let ask = [ROLE, "ecr:BatchGetImage", REPOSITORY];
    let with = |more: &[&str]| decision(ask, &[&["--identity-policy", path.as_str()], more].concat()).0;
    assert_eq!(with(&[]), 3);
    assert_eq!(with(&["--context", "aws:SourceVpc=vpc-1"]), 0);
    assert_eq!(with(&["--context", "aws:sourcevpc=vpc-2"]), 1);
    assert_eq!(with(&["--context", "aws:SourceVpc"]), 1, "said to be absent");
    assert_eq!(with(&["--complete-context"]), 1);
    let open = can(ask, &["--identity-policy", &path]);
    assert!(open.stdout.starts_with("Unknown: ") && open.stdout.contains("aws:SourceVpc"), "{}", open.stdout);
    assert!(open.stdout.contains("It is allowed "), "{}", open.stdout);
    // Twice is a list.
    let tags = json!([{ "Effect": "Allow", "Action": "ecr:*", "Resource": "*",
        "Condition": { "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] } } }]);
    let path = policy(folder.path(), "tags.json", &tags);
    let keys = |second: &str| {
        let second = format!("aws:TagKeys={second}");
        decision(ask, &["--identity-policy", &path, "--context", "aws:TagKeys=a", "--context", &second]).0
    };
    assert_eq!((keys("b"), keys("c")), (0, 1));
}

#[test]
fn an_answer_of_the_aws_cli_is_a_document_too() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let document = json!({ "Version": "2012-10-17", "Statement": allow("ecr:BatchGetImage") });
    for (name, around) in [
        ("inline", json!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": document })),
        ("version", json!({ "PolicyVersion": { "Document": document, "VersionId": "v1" } })),
        ("text", json!({ "Policy": document.to_string() })),
        ("content", json!({ "Policy": { "PolicySummary": {}, "Content": document.to_string() } })),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, around.to_string()).expect("written");
        let path = path.display().to_string();
        let answer = decision([ROLE, "ecr:BatchGetImage", REPOSITORY], &["--identity-policy", &path]);
        assert_eq!(answer, (0, "Allowed".to_owned()), "{name}");
    }
}

#[test]
fn a_document_that_aws_would_not_understand_is_malformed_input() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let bad =
        policy(folder.path(), "bad.json", &json!([{ "Effect": "Perhaps", "Action": "*", "Resource": "*" }]));
    let run = can([ROLE, "ecr:BatchGetImage", REPOSITORY], &["--identity-policy", &bad]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(run.stderr.contains("bad.json") && run.stderr.contains("Effect"), "{}", run.stderr);
    let torn = folder.path().join("torn.json");
    std::fs::write(&torn, "{ \"Statement\": [").expect("written");
    assert_eq!(can([ROLE, "a:B", "*"], &["--scp", &torn.display().to_string()]).code, 2);
}

#[test]
fn what_aws_would_refuse_is_told_with_its_place_and_its_answer() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let statements = json!([
        { "Sid": "not alphanumeric", "Effect": "Allow", "Action": "ecr:*", "Resource": "repository/agent" },
        { "Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": { "NumericEquals": { "a:b": "ten" } } },
        { "Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Principal": "*" },
    ]);
    let bad = policy(folder.path(), "bad.json", &statements);
    let ask = [ROLE, "ecr:BatchGetImage", REPOSITORY];
    let unwrapped = |run: Run| run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = unwrapped(can(ask, &["--identity-policy", &bad]));
    for part in [
        "Wrong in the documents",
        "Statement[0] (line 4 column 5): `repository/agent` is neither `*` nor an ARN",
        "MalformedPolicyDocument: Resource repository/agent must be in ARN format or \"*\".",
        "Statement IDs (SID) in a single policy must be unique and alphanumeric.",
        "`ten` is no number; AWS takes it",
        "Policy document should not specify a principal.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let answer = can(ask, &["--identity-policy", &bad, "--format", "json"]).json();
    assert_eq!(answer["findings"].as_array().map(Vec::len), Some(4), "{answer:#}");
    assert_eq!(answer["findings"][0]["at"]["path"], "Statement[1].Condition.NumericEquals.a:b", "{answer:#}");
    // More characters than a session policy may have, white space not counted.
    let long = json!([{ "Effect": "Allow", "Action": "ecr:*", "Resource": format!("arn:aws:ecr:::{}", "x".repeat(2048)) }]);
    let long = policy(folder.path(), "long.json", &long);
    let run = can(ask, &["--identity-policy", &bad, "--session-policy", &long, "--width", "200"]);
    assert!(
        run.stdout.contains("the limit is 2048") && run.stdout.contains("LimitExceeded"),
        "{}",
        run.stdout
    );
    // A trust policy has no resource, and that is right.
    let trust = json!([{ "Effect": "Allow", "Principal": { "Service": "bedrock-agentcore.amazonaws.com" }, "Action": "sts:AssumeRole" }]);
    let trust = policy(folder.path(), "trust.json", &trust);
    let ask = ["bedrock-agentcore.amazonaws.com", "sts:AssumeRole", ROLE];
    let run = can(ask, &["--resource-policy", &trust]);
    assert!(run.code == 0 && !run.stdout.contains("Wrong in"), "{}", run.stdout);
    // Where the meaning is lost, the error says what AWS says.
    let lost = policy(
        folder.path(),
        "lost.json",
        &json!([{ "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "StringEqual": { "a:b": "c" } } }]),
    );
    let run = can(ask, &["--resource-policy", &lost]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("AWS answers MalformedPolicyDocument: "), "{}", run.stderr);
}

#[test]
fn wrong_words_are_usage_errors() {
    let bundle = scenario("base/nat");
    for words in [
        &["can"][..],
        &["can", ROLE, "ecr:BatchGetImage"],
        &["can", "agent-role", "ecr:BatchGetImage", "*"],
        &["can", ROLE, "BatchGetImage", "*"],
        &["can", ROLE, "ecr:*", "*"],
        &["can", ROLE, "ecr:BatchGetImage", "agent"],
        &["can", ROLE, "ecr:BatchGetImage", "*", "--context", "=x"],
        &["can", ROLE, "ecr:BatchGetImage", "*", "--identity-policy", "/nonexistent"],
        &["can", ROLE, "ecr:BatchGetImage", "*", "--identity-policy", "none", "--identity-policy", "none"],
        &["can", "--requests", "-", "--bundle", &bundle],
        &["can", "--requests", "/nonexistent"],
    ] {
        let run = launchpath(words);
        assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{words:?} {}", run.stderr);
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn a_role_of_the_bundle_is_judged_by_its_own_policies() {
    for base in ["base/isolated", "base/nat", "base/public"] {
        let bundle = scenario(base);
        let said = ["--bundle", &bundle, "--scp", "none", "--rcp", "none"];
        let session = "arn:aws:sts::123456789012:assumed-role/agent-role/session";
        for principal in ["agent-role", ROLE, session] {
            let pull = can([principal, "ecr:BatchGetImage", REPOSITORY], &said);
            assert_eq!(pull.code, 0, "{base} {principal}: {}{}", pull.stdout, pull.stderr);
            assert_eq!(can([principal, "ecr:GetAuthorizationToken", "*"], &said).code, 0);
            assert_eq!(can([principal, "ecr:PutImage", REPOSITORY], &said).code, 1);
            let unseen = can([principal, "ecr:BatchGetImage", REPOSITORY], &["--bundle", &bundle]);
            assert_eq!(unseen.code, 3, "nobody looked at the organisation");
            assert!(
                unseen.stdout.contains("aws organizations list-policies-for-target"),
                "{}",
                unseen.stdout
            );
        }
        // Denied whatever the organisation says.
        assert_eq!(can(["agent-role", "ecr:PutImage", REPOSITORY], &["--bundle", &bundle]).code, 1);
        let value = can(
            ["agent-role", "ecr:BatchGetImage", REPOSITORY],
            &[&said[..], &["--format", "json"]].concat(),
        );
        assert!(value.json()["evidence"].as_array().is_some_and(|ids| ids.len() >= 4), "{}", value.stdout);
    }
}

#[test]
fn the_trust_policy_of_the_bundle_answers_for_the_service() {
    let bundle = scenario("base/isolated");
    let ask = ["bedrock-agentcore.amazonaws.com", "sts:AssumeRole", ROLE];
    let source = "aws:SourceArn=arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-abcdefghij";
    let with = |account: &str| {
        let account = format!("aws:SourceAccount={account}");
        can(ask, &["--bundle", &bundle, "--rcp", "none", "--context", &account, "--context", source])
    };
    assert_eq!(with("123456789012").code, 0, "{}", with("123456789012").stdout);
    assert_eq!(with("210987654321").code, 1);
    let open = can(ask, &["--bundle", &bundle, "--rcp", "none"]);
    assert_eq!(open.code, 3);
    assert!(open.stdout.contains("aws:SourceAccount"), "{}", open.stdout);
    let other =
        can(["lambda.amazonaws.com", "sts:AssumeRole", ROLE], &["--bundle", &bundle, "--rcp", "none"]);
    assert_eq!(other.code, 1, "{}", other.stdout);
}

#[test]
fn what_the_bundle_does_not_hold_is_unknown_with_a_command() {
    let bundle = scenario("base/isolated");
    let said = ["--bundle", &bundle, "--scp", "none", "--rcp", "none"];
    let foreign = "arn:aws:iam::210987654321:role/agent-role";
    let foreign_repository = "arn:aws:ecr:us-east-1:210987654321:repository/agent";
    let registry =
        "get-repository-policy --region us-east-1 --repository-name agent --registry-id 210987654321";
    for (question, commands) in [
        (["other-role", "ecr:BatchGetImage", REPOSITORY], &["list-role-policies --role-name other-role"][..]),
        (
            ["arn:aws:iam::123456789012:user/ann", "ecr:BatchGetImage", REPOSITORY],
            &["list-user-policies --user-name ann"],
        ),
        (
            [foreign, "ecr:BatchGetImage", foreign_repository],
            &["list-role-policies --role-name agent-role", registry],
        ),
        ([foreign, "sts:AssumeRole", foreign], &["get-role --role-name agent-role"]),
        (
            ["agent-role", "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:123456789012:repository/other"],
            &["get-repository-policy --region us-east-1 --repository-name other"],
        ),
    ] {
        let run = can(question, &said);
        assert_eq!(run.code, 3, "{question:?}: {}{}", run.stdout, run.stderr);
        for command in commands {
            assert!(run.stdout.contains(command), "{question:?}: {command} in {}", run.stdout);
        }
    }
    // The role's own policies must allow, whatever another account's repository says.
    assert_eq!(can([ROLE, "ecr:BatchGetImage", foreign_repository], &said).code, 1);
    // The bundle proves that the repository has no policy that could let another account in.
    assert_eq!(can([foreign, "ecr:BatchGetImage", REPOSITORY], &said).code, 1);
}

#[test]
fn a_denied_call_is_no_absence() {
    let text = std::fs::read_to_string(scenario("base/nat")).expect("the scenario");
    let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
    for call in bundle["calls"].as_array_mut().expect("calls") {
        if call["operation"] == "GetRolePolicy" {
            call["outcome"] = json!("denied");
            call["error"] = json!({ "code": "AccessDenied", "message": "no", "http": 403 });
            call["response"] = Value::Null;
        }
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("case.json");
    std::fs::write(&path, bundle.to_string()).expect("written");
    let path = path.display().to_string();
    let run = can(
        ["agent-role", "ecr:BatchGetImage", REPOSITORY],
        &["--bundle", &path, "--scp", "none", "--rcp", "none"],
    );
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stdout.contains("access denied (iam:GetRolePolicy)"), "{}", run.stdout);
}

#[test]
fn records_are_answered_in_order_and_bad_ones_do_not_stop_the_rest() {
    let good = json!({ "id": "good", "request": { "principal": ROLE, "action": "ecr:BatchGetImage", "resource": REPOSITORY },
        "policies": { "identity": [{ "Version": "2012-10-17", "Statement": allow("ecr:*") }] } });
    let input = format!("{good}\nnot json\n{{\"id\": 5, \"request\": {{}}}}\n[1]\n\n{good}\n");
    let run = launchpath_reading(&["can", "--requests", "-"], input.as_bytes());
    let answers = lines(&run);
    assert_eq!(answers.len(), 5, "{}", run.stdout);
    for (index, answer) in answers.iter().enumerate() {
        if index == 0 || index == 4 {
            assert_eq!((&answer["id"], &answer["decision"]), (&json!("good"), &json!("Allowed")));
            assert!(answer["because"][0]["text"].is_string(), "{answer}");
        } else {
            assert!(answer["error"].is_string() && answer.get("decision").is_none(), "{answer}");
        }
    }
    assert_eq!(answers[2]["id"], 5);
    assert_eq!(run.code, 2);
}

#[test]
fn public_requests_are_answered_as_expected() {
    let Some(data) = shared_data() else { return };
    let path = data.join("iam/vectors.jsonl");
    let run = launchpath(&["can", "--requests", &path.display().to_string()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let text = std::fs::read_to_string(&path).expect("the vectors");
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let answers = lines(&run);
    assert_eq!(answers.len(), records.len());
    for (record, answer) in records.iter().zip(&answers) {
        assert_eq!(record["id"], answer["id"], "the order is the file's");
        let (expected, own) =
            (&record["expected"]["decision"], answer["decision"].as_str().unwrap_or_default());
        let right = expected == own || (expected == "Denied" && own.ends_with("Denied"));
        assert!(right, "expected {expected}\n   got {answer}");
    }
}

#[test]
fn the_documented_rules_hold_through_the_batch_form() {
    let folder = crate::program::repository("crates/launchpath-iam/tests/documented");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the rows").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    assert!(files.len() >= 8, "{files:?}");
    for path in files {
        let run = launchpath(&["can", "--requests", &path.display().to_string()]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let text = std::fs::read_to_string(&path).expect("the rows");
        let answers = lines(&run);
        assert_eq!(answers.len(), text.lines().count());
        for (row, answer) in text.lines().zip(&answers) {
            let row: Value = serde_json::from_str(row).expect("JSON");
            assert_eq!((&row["id"], &row["expected"]), (&answer["id"], &answer["decision"]), "{answer}");
        }
    }
}
