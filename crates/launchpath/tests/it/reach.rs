//! `launchpath reach`: one question and many, from bundles and from folders of describe outputs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Run, launchpath, scenario};

/// Public question sets; a test that needs them says so where they are missing.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn shared_data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is missing", path.display());
    None
}

/// Runs `launchpath` with these words and bytes on its standard input.
pub(crate) fn launchpath_reading(words: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_launchpath"))
        .args(words)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("piped").write_all(input).expect("written");
    let pid = child.id();
    let output = child.wait_with_output().expect("it ends");
    Run {
        pid,
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Standard output as JSON Lines.
pub(crate) fn lines(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn reach(from: &str, to: &str, bundle: &str, more: &[&str]) -> Run {
    launchpath(&[&["reach", from, to, "--bundle", bundle], more].concat())
}

fn answer(from: &str, to: &str, bundle: &str, more: &[&str]) -> Value {
    reach(from, to, bundle, &[more, &["--format", "json"]].concat()).json()
}

/// A base world with its calls changed and a query that shows that there are no private zones.
fn changed(base: &str, change: impl Fn(&str, &mut Value)) -> (tempfile::TempDir, String) {
    let text = std::fs::read_to_string(scenario(base)).expect("the scenario");
    let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
    let calls = bundle["calls"].as_array_mut().expect("calls");
    for call in calls.iter_mut() {
        let operation = call["operation"].as_str().unwrap_or_default().to_owned();
        change(&operation, &mut call["response"]);
    }
    calls.push(json!({
        "id": "c99", "service": "route53", "operation": "ListHostedZonesByVPC", "at": "2026-10-20T09:30:00Z", "outcome": "ok",
        "request": { "VPCId": "vpc-1", "VPCRegion": "us-east-1" }, "response": { "HostedZoneSummaries": [] },
    }));
    calls.push(json!({
        "id": "c98", "service": "route53profiles", "operation": "ListProfileAssociations", "region": "us-east-1",
        "at": "2026-10-20T09:30:00Z", "outcome": "ok", "request": { "ResourceId": "vpc-1" },
        "response": { "ProfileAssociations": [] },
    }));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("case.json");
    std::fs::write(&path, bundle.to_string()).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

/// The isolated world whose endpoints admit nobody.
fn guarded() -> (tempfile::TempDir, String) {
    changed("base/isolated", |operation, response| {
        for group in response["SecurityGroups"].as_array_mut().into_iter().flatten() {
            if operation == "DescribeSecurityGroups" && group["GroupId"] == "sg-endpoint" {
                group["IpPermissions"] = json!([]);
            }
        }
    })
}

#[test]
fn a_healthy_runtime_reaches_what_its_launch_needs() {
    for base in ["base/isolated", "base/nat"] {
        for from in [
            "agent",
            "agent-abcdefghij",
            "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-abcdefghij",
        ] {
            for to in [
                "ecr.api",
                "ecr.dkr",
                "s3",
                "logs:443",
                "com.amazonaws.us-east-1.ecr.api",
                "api.ecr.us-east-1.amazonaws.com",
            ] {
                let run = reach(from, to, &scenario(base), &[]);
                assert_eq!(run.code, 0, "{base} {from} {to}: {}{}", run.stdout, run.stderr);
                assert!(run.stdout.starts_with(&format!("Reachable: {from}")), "{}", run.stdout);
            }
        }
    }
}

#[test]
fn the_way_names_the_deciding_rules_and_calls() {
    let text = reach("subnet-b", "ecr.api", &scenario("base/isolated"), &[]).stdout;
    for part in [
        "api.ecr.us-east-1.amazonaws.com is vpce-ecr-api",
        "sg-runtime egress rule 0: all (every port) to 0.0.0.0/0",
        "rule 100 allows all",
        "tcp 443 from group sg-runtime",
        "[c11]",
        "Not seen, and taken to change nothing",
        "aws route53 list-hosted-zones-by-vpc",
    ] {
        let joined: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(part), "{part} in {text}");
    }
    let value = answer("subnet-b", "ecr.api", &scenario("base/isolated"), &[]);
    assert_eq!(value["reachable"], true);
    let trace = value["trace"].as_array().expect("a trace");
    assert!(trace.iter().all(|hop| hop["verdict"] == "passed"));
    assert!(trace.iter().any(|hop| hop["leg"] == "reply"), "answers have a way, too");
    assert!(value["evidence"].as_array().is_some_and(|ids| ids.contains(&"c11".into())), "{value}");
}

#[test]
fn a_guarded_endpoint_is_named_with_an_edit_that_opens_it() {
    let (_folder, bundle) = guarded();
    let run = reach("agent", "ecr.api", &bundle, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.starts_with("Not reachable: agent to ecr.api, TCP port 443\n"), "{}", run.stdout);
    assert!(run.stdout.contains("DROPPED: security group sg-endpoint"), "{}", run.stdout);
    assert!(run.stdout.contains("then it is reachable"), "{}", run.stdout);
    assert!(run.stdout.contains("aws ec2 authorize-security-group-ingress"), "{}", run.stdout);
    let value = answer("agent", "ecr.api", &bundle, &[]);
    assert_eq!(value["reachable"], false);
    let blockers = value["blocked_by"].as_array().expect("blockers");
    assert!(
        blockers.iter().all(|blocker| blocker["kind"] == "security-group" && blocker["id"] == "sg-endpoint")
    );
    assert_eq!(value["fix"]["then_reachable"], true);
    assert_eq!(value["fix"]["edits"][0]["edit"], "add_group_rule");
    assert_eq!(value["by_source"].as_array().map(Vec::len), Some(2), "both subnets were asked");
}

#[test]
fn an_answer_that_differs_between_subnets_is_partly() {
    // The other subnet's table has no way out.
    let (_folder, bundle) = changed("base/nat", |operation, response| {
        if operation == "DescribeRouteTables" {
            for table in response["RouteTables"].as_array_mut().into_iter().flatten() {
                let associations = table["Associations"].as_array_mut().expect("associations");
                associations.retain(|association| association["SubnetId"] != "subnet-b");
            }
            let tables = response["RouteTables"].as_array_mut().expect("tables");
            tables.push(json!({
                "RouteTableId": "rtb-b", "VpcId": "vpc-1", "PropagatingVgws": [], "Tags": [], "OwnerId": "123456789012",
                "Associations": [{ "RouteTableAssociationId": "rtbassoc-b", "RouteTableId": "rtb-b", "SubnetId": "subnet-b",
                    "Main": false, "AssociationState": { "State": "associated" } }],
                "Routes": [{ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active",
                    "Origin": "CreateRouteTable" }],
            }));
        }
    });
    let run = reach("agent", "ecr.api", &bundle, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.starts_with("Partly reachable: agent"), "{}", run.stdout);
    assert!(run.stdout.contains("subnet-a reachable, subnet-b not reachable"), "{}", run.stdout);
    assert_eq!(answer("agent", "ecr.api", &bundle, &[])["reachable"], "partly");
    assert_eq!(reach("subnet-a", "ecr.api", &bundle, &[]).code, 0);
    assert_eq!(reach("subnet-b", "ecr.api", &bundle, &[]).code, 1);
}

#[test]
fn what_is_not_in_the_evidence_is_unknown_with_a_command() {
    for (from, to, base, command) in [
        (
            "other-runtime1",
            "ecr.api",
            "base/nat",
            "get-agent-runtime --region us-east-1 --agent-runtime-id other-runtime1",
        ),
        ("eni-none", "ecr.api", "base/nat", "describe-network-interfaces"),
        ("i-0abc", "ecr.api", "base/nat", "describe-instances"),
        ("agent", "i-0abc", "base/nat", "describe-instances"),
        ("subnet-none", "ecr.api", "base/nat", "describe-subnets"),
    ] {
        let run = reach(from, to, &scenario(base), &[]);
        assert_eq!(run.code, 3, "{from} {to}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.starts_with("Unknown: "), "{}", run.stdout);
        assert!(run.stdout.contains(command), "{from} {to}: {command} in {}", run.stdout);
        let value = answer(from, to, &scenario(base), &[]);
        assert_eq!(value["reachable"], "unknown");
        assert!(
            value["unknown"][0]["command"].as_str().is_some_and(|text| text.contains(command)),
            "{value}"
        );
    }
    let public = reach("agent", "ecr.api", &scenario("base/public"), &[]);
    assert_eq!(public.code, 3, "{}", public.stdout);
    assert!(public.stdout.contains("mode PUBLIC"), "{}", public.stdout);
}

#[test]
fn protocols_and_ports_are_asked_about_as_said() {
    let bundle = scenario("base/nat");
    for (to, protocol, flow) in [
        ("ecr.api", "tcp", "TCP port 443"),
        ("ecr.api:8443", "tcp", "TCP port 8443"),
        ("10.0.2.20", "tcp", "every TCP port"),
        ("10.0.2.20:8000-9000", "udp", "UDP ports 8000 to 9000"),
        ("10.0.2.20", "icmp", "ICMP type 8 code 0"),
        ("10.0.2.20:3/4", "icmp", "ICMP type 3 code 4"),
        ("10.0.2.20", "50", "protocol 50"),
    ] {
        let value = answer("subnet-a", to, &bundle, &["--protocol", protocol]);
        assert_eq!(value["flow"], flow, "{to} {protocol}");
    }
    assert_eq!(reach("eni-a", "ecr.api", &bundle, &["--security-group", "sg-1"]).code, 252);
    for (to, protocol) in [
        ("ecr.api", "carrier-pigeon"),
        ("ecr.api:70000", "tcp"),
        ("10.0.0.1:9-8", "tcp"),
        ("10.0.0.1:1", "50"),
        ("a b", "tcp"),
    ] {
        let run = reach("subnet-a", to, &bundle, &["--protocol", protocol]);
        assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{to} {protocol}");
    }
}

#[test]
fn wrong_words_are_usage_errors() {
    let bundle = scenario("base/nat");
    for words in [
        &["reach"][..],
        &["reach", "agent"],
        &["reach", "agent", "ecr.api"],
        &["reach", "10.0.0.1", "ecr.api", "--bundle", &bundle],
        &["reach", "agent", "ecr.api", "--flows", "x.jsonl"],
        &["reach", "--flows", "/nonexistent/flows.jsonl"],
        &["reach", "agent", "ecr.api", "--bundle", "/nonexistent"],
    ] {
        let run = launchpath(words);
        assert_eq!((run.code, run.stdout.as_str()), (252, ""), "{words:?} {}", run.stderr);
        assert!(!run.stderr.is_empty());
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("bad.json");
    std::fs::write(&path, "{ not json").expect("written");
    assert_eq!(reach("agent", "ecr.api", &path.display().to_string(), &[]).code, 2);
}

#[test]
fn a_hostile_name_does_not_reach_the_terminal() {
    let (_folder, bundle) = changed("base/isolated", |_, response| {
        for endpoint in response["VpcEndpoints"].as_array_mut().into_iter().flatten() {
            if endpoint["VpcEndpointId"] == "vpce-ecr-api" {
                endpoint["VpcEndpointId"] = json!("vpce-\u{1b}[31m*x*\u{202e}");
            }
        }
    });
    let run = reach("agent", "ecr.api", &bundle, &[]);
    assert!(run.stdout.contains("vpce-*x*"), "{}", run.stdout);
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn records_are_answered_in_order_and_bad_ones_do_not_stop_the_rest() {
    let good = |id: &str| {
        json!({ "id": id, "source": { "subnet": "subnet-a", "security_groups": ["sg-runtime"] },
            "destination": { "service": "ecr.api" }, "protocol": "tcp", "port": 443 })
    };
    let mut bytes = Vec::new();
    for line in [
        good("first").to_string().into_bytes(),
        b"{ not json".to_vec(),
        b"".to_vec(),
        br#"{"id": "no-source", "destination": {"ip": "10.0.0.1"}}"#.to_vec(),
        br#"{"id": 7, "source": {"eni": "eni-x"}, "destination": {"ip": "10.0.0.1"}, "protocol": "pigeon"}"#
            .to_vec(),
        b"\"\xff\"".to_vec(),
        good("last").to_string().into_bytes(),
    ] {
        bytes.extend(line);
        bytes.push(b'\n');
    }
    let run = launchpath_reading(&["reach", "--flows", "-", "--bundle", &scenario("base/isolated")], &bytes);
    let answers = lines(&run);
    let ids: Vec<&Value> = answers.iter().map(|line| &line["id"]).collect();
    assert_eq!(
        ids,
        [&json!("first"), &Value::Null, &json!("no-source"), &json!(7), &Value::Null, &json!("last")]
    );
    assert_eq!(answers[0]["reachable"], true);
    assert_eq!(answers[5]["reachable"], true);
    assert!(answers[1..5].iter().all(|line| line["error"].is_string() && line.get("reachable").is_none()));
    assert!(answers[1]["error"].as_str().is_some_and(|error| error.contains("line 2")), "{}", answers[1]);
    assert_eq!(run.code, 2);
}

#[test]
fn a_record_names_its_own_evidence_beside_the_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::copy(scenario("base/isolated"), data.join("bundle.json")).expect("copied");
    let record = |id: &str, data: Value| {
        json!({ "id": id, "source": { "subnet": "subnet-a", "security_groups": ["sg-runtime"] },
            "destination": { "service": "s3" }, "protocol": "tcp", "port": 443, "data": data })
    };
    let flows = folder.path().join("flows.jsonl");
    let records =
        [record("own", json!("data")), record("missing", json!("none")), record("unsaid", Value::Null)];
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    std::fs::write(&flows, &text).expect("written");
    let run = launchpath(&["reach", "--flows", &flows.display().to_string()]);
    let answers = lines(&run);
    assert_eq!(answers[0]["reachable"], true, "{}", run.stdout);
    for (line, part) in [(&answers[1], "none"), (&answers[2], "--bundle")] {
        assert!(line["error"].as_str().is_some_and(|error| error.contains(part)), "{line}");
    }
    assert_eq!(run.code, 2);
    // With a bundle for all of them nothing is missing.
    let all = launchpath(&[
        "reach",
        "--format",
        "json",
        "--flows",
        &flows.display().to_string(),
        "--bundle",
        &scenario("base/isolated"),
    ]);
    assert_eq!(all.code, 0, "{}", all.stdout);
    assert!(lines(&all).iter().all(|line| line["reachable"] == true));
}

#[test]
fn public_snapshots_are_answered_as_expected() {
    // Rests on what AWS data does not hold; the table of differences of the engine says why.
    const EXPLAINED: [&str; 1] = ["net-a30013cc95"];
    let Some(data) = shared_data() else { return };
    let path = data.join("network/vectors.jsonl");
    let run = launchpath(&["reach", "--flows", &path.display().to_string()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let text = std::fs::read_to_string(&path).expect("the vectors");
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let answers = lines(&run);
    assert_eq!(answers.len(), records.len());
    for (record, answer) in records.iter().zip(&answers) {
        assert_eq!(record["id"], answer["id"], "the order is the file's");
        let expected = &record["expected"];
        let named = |blocker: &Value| {
            let all = answer["blocked_by"].as_array();
            all.into_iter().flatten().any(|own| own["kind"] == blocker["kind"] && own["id"] == blocker["id"])
        };
        let right = answer["reachable"] == expected["reachable"]
            && expected.get("blocked_by").filter(|blocker| blocker.is_object()).is_none_or(named);
        let explained = EXPLAINED.contains(&record["id"].as_str().unwrap_or_default());
        assert!(right != explained, "expected {expected}\n   got {answer}");
        if explained {
            assert_eq!(answer["reachable"], "unknown");
        }
    }
}

#[test]
fn a_folder_of_describe_outputs_is_a_whole_snapshot() {
    let Some(data) = shared_data() else { return };
    let text = std::fs::read_to_string(data.join("network/vectors.jsonl")).expect("the vectors");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut asked = 0;
    for record in records {
        let (source, destination) = (&record["source"], &record["destination"]);
        let expected = &record["expected"]["reachable"];
        let from_instance =
            source["kind"] == "instance" && record["protocol"] == "tcp" && expected.is_boolean();
        let (Some(to), true) = (destination["ip"].as_str(), from_instance) else { continue };
        let bundle =
            data.join("network").join(record["data"].as_str().expect("a folder")).join("aws_configs");
        let to = format!("{to}:{}", record["port"]);
        let from = source["id"].as_str().expect("an id");
        let value = answer(from, &to, &bundle.display().to_string(), &[]);
        assert_eq!(&value["reachable"], expected, "{}: {value}", record["id"]);
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
}
