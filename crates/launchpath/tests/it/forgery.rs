//! Certificates that somebody forged with care: every digest is made anew, every citation resolves, and the verdict is not so.
//!
//! None may be confirmed. What the checker can refute it must refute.

use launchpath_verify::{Outcome, Report, Standing};
use serde_json::{Value, json};

use crate::verify::{broken, bundle, certificate, verified, worlds};

/// Gives the certificate the digests that the bundle has now, as any forger would.
fn seal(certificate: &mut Value, bundle: &Value) {
    // The checker names the digest of a document that is not the certified one.
    let digest = |document: &Value| {
        let mut other = certificate.clone();
        other["bundle"]["sha256"] = json!("none");
        let report = verified(&other, document);
        let item = report.items.iter().find(|item| item.at == "/bundle/sha256").expect("the digest");
        item.why.rsplit(' ').next().expect("a digest").to_owned()
    };
    let calls = bundle["calls"].as_array().expect("calls");
    let cited = calls.iter().map(|call| {
        let claim =
            json!({ "service": call["service"], "operation": call["operation"], "sha256": digest(call) });
        (call["id"].as_str().expect("an id").to_owned(), claim)
    });
    let cited = Value::Object(cited.collect());
    let whole = digest(bundle);
    certificate["calls"] = cited;
    certificate["bundle"] = json!({ "sha256": whole, "calls": calls.len() });
}

fn sealed(mut certificate: Value, bundle: &Value) -> Report {
    seal(&mut certificate, bundle);
    verified(&certificate, bundle)
}

fn stage<'a>(certificate: &'a mut Value, name: &str) -> &'a mut Value {
    let chain = certificate["chain"].as_array_mut().expect("a chain");
    chain.iter_mut().find(|stage| stage["stage"] == name).expect("the stage")
}

fn call_id(bundle: &Value, operation: &str) -> String {
    let calls = bundle["calls"].as_array().expect("calls");
    let call = calls.iter().find(|call| call["operation"] == operation).expect("the call");
    call["id"].as_str().expect("an id").to_owned()
}

fn push(bundle: &mut Value, call: Value) {
    bundle["calls"].as_array_mut().expect("calls").push(call);
}

/// The healthy world's certificate with one cause that stops it at a stage.
fn blocked(bundle: &Value, fault: &str, at: &str, evidence: &str, claim: &Value) -> Value {
    let mut forged = certificate(bundle);
    let order: Vec<String> = forged["chain"]
        .as_array()
        .expect("a chain")
        .iter()
        .filter(|stage| stage["side"] == false)
        .map(|stage| stage["stage"].as_str().expect("a name").to_owned())
        .collect();
    let position = order.iter().position(|name| name == at).expect("the stage");
    for (index, name) in order.iter().enumerate().skip(position) {
        let stage = stage(&mut forged, name);
        stage["state"] = json!(if index == position { "failed" } else { "not_reached" });
        stage["claims"] = json!([]);
        stage["evidence"] = if index == position { json!([evidence]) } else { json!([]) };
        stage["follows"] = if index == position {
            json!({ "by": "cause", "fault": fault })
        } else {
            json!({ "by": "break" })
        };
    }
    let last = order[..position].iter().rev().find(|name| stage(&mut forged, name)["state"] == "reached");
    forged["break"] = json!({ "last_reached": last, "first_unreached": at, "note": "" });
    forged["causes"] = json!([{
        "fault": fault, "stage": at, "status": "confirmed", "primary": true, "subjects": [],
        "because": [{ "text": "it is so", "evidence": [evidence], "claims": [claim] }],
    }]);
    forged["also_blocking"] = json!([]);
    forged["verdict"] = json!("blocked");
    forged["exit_code"] = json!(1);
    forged
}

fn not_confirmed(name: &str, report: &Report) {
    let decisive: Vec<_> = report.items.iter().filter(|item| item.decisive).collect();
    assert_ne!(report.result, Outcome::Confirmed, "{name}: {decisive:#?}");
}

fn refuted(name: &str, report: &Report) {
    assert_eq!(report.result, Outcome::Refuted, "{name}");
    // By what was forged, not by a digest.
    assert!(report.of(Standing::Fails).all(|item| item.at != "/bundle/sha256"), "{name}");
}

#[test]
fn an_honest_certificate_survives_the_seal() {
    for (name, bundle) in worlds() {
        let report = sealed(certificate(&bundle), &bundle);
        assert!(
            report.of(Standing::Fails).next().is_none(),
            "{name}: {:?}",
            report.of(Standing::Fails).next()
        );
    }
}

#[test]
fn an_answer_of_another_runtime_or_of_before_a_failure_is_no_answer() {
    let invocation = |id: &str, runtime: &str, at: &str, ok: bool| {
        let mut call = json!({
            "id": id, "service": "bedrock-agentcore", "operation": "InvokeAgentRuntime", "region": "us-east-1",
            "request": { "agentRuntimeArn": format!("arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/{runtime}"),
                "qualifier": "DEFAULT" },
            "at": at, "outcome": if ok { "ok" } else { "error" },
        });
        if ok {
            call["response"] = json!({ "statusCode": 200 });
        } else {
            call["error"] = json!({ "code": "RuntimeClientError", "message": "Runtime health check failed or timed out" });
        }
        call
    };
    let claimed = |bundle: &Value| {
        let mut forged = certificate(bundle);
        for index in 0..forged["chain"].as_array().expect("a chain").len() {
            let stage = &mut forged["chain"][index];
            if stage["side"] == false && stage["state"] != "reached" {
                stage["state"] = json!("reached");
                stage["claims"] = json!([]);
                stage["evidence"] = json!(["answer"]);
                stage["follows"] =
                    if stage["stage"] == "response" { Value::Null } else { json!({ "by": "later_stage" }) };
            }
        }
        forged["break"] = Value::Null;
        forged["causes"] = json!([]);
        forged["also_blocking"] = json!([]);
        forged["warnings"] = json!([]);
        forged["verdict"] = json!("launches");
        forged["exit_code"] = json!(0);
        sealed(forged, bundle)
    };
    let mut own = bundle("base/nat");
    push(&mut own, invocation("answer", "agent-abcdefghij", "2026-10-20T09:00:00Z", true));
    assert_eq!(claimed(&own).result, Outcome::Confirmed, "{:?}", claimed(&own));
    let mut other = bundle("base/nat");
    push(&mut other, invocation("answer", "agent-abcdefghik", "2026-10-20T09:00:00Z", true));
    not_confirmed("another runtime", &claimed(&other));
    let mut failed = own.clone();
    push(&mut failed, invocation("failure", "agent-abcdefghij", "2026-10-20T09:10:00Z", false));
    not_confirmed("a later failure", &claimed(&failed));
}

#[test]
fn a_foreign_element_blocks_nothing() {
    let mut world = bundle("base/nat");
    let groups = crate::verify::answer(&mut world, "DescribeSecurityGroups")["SecurityGroups"]
        .as_array_mut()
        .expect("groups");
    let mut closed = groups[0].clone();
    closed["GroupId"] = json!("sg-closed");
    closed["IpPermissionsEgress"] = json!([]);
    groups.push(closed);
    let place = json!({ "call": call_id(&world, "DescribeSecurityGroups"),
        "pointer": format!("/response/SecurityGroups/{}", groups_len(&world) - 1) });
    let evidence = call_id(&world, "DescribeSecurityGroups");
    let claim = json!({ "claim": "value", "call": evidence, "pointer": format!("{}/GroupId", place["pointer"].as_str().expect("a pointer")),
        "equals": "sg-closed" });
    let mut forged = blocked(&world, "net.runtime_sg_egress_blocks", "artifact_fetch", &evidence, &claim);
    for path in forged["paths"].as_array_mut().expect("paths") {
        path["state"] = json!("blocked");
        path["hops"] = json!([{ "kind": "security_group", "id": "sg-closed", "at": "an interface", "reply": false,
            "direction": "egress", "state": "dropped", "text": "", "described": [place] }]);
    }
    refuted("a group that is not the runtime's", &sealed(forged.clone(), &world));
    // The runtime's own, and a need that no launch has.
    let mut own = broken(|_| ());
    crate::verify::answer(&mut own, "DescribeSecurityGroups")["SecurityGroups"][0]["IpPermissionsEgress"]
        .as_array_mut()
        .expect("rules")
        .iter_mut()
        .for_each(|rule| {
            *rule = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] });
        });
    let claim = json!({ "claim": "outcome", "call": evidence, "outcome": "ok", "code": null });
    let mut forged = blocked(&own, "net.runtime_sg_egress_blocks", "artifact_fetch", &evidence, &claim);
    for path in forged["paths"].as_array_mut().expect("paths") {
        let hop = path["hops"][1].clone();
        path["packet"]["destination_port"] = json!(25);
        path["state"] = json!("blocked");
        path["hops"] = json!([hop]);
        path["hops"][0]["state"] = json!("dropped");
    }
    not_confirmed("another port", &sealed(forged, &own));
}

fn groups_len(bundle: &Value) -> usize {
    let id = call_id(bundle, "DescribeSecurityGroups");
    let calls = bundle["calls"].as_array().expect("calls");
    let call = calls.iter().find(|call| call["id"] == json!(id)).expect("the call");
    call["response"]["SecurityGroups"].as_array().expect("groups").len()
}

#[test]
fn a_way_without_the_elements_that_stand_in_it_is_not_open() {
    let (_, world) = worlds().into_iter().find(|(name, _)| name == "nat with a closed ACL").expect("a world");
    let mut forged = certificate(&world);
    for path in forged["paths"].as_array_mut().expect("paths") {
        path["state"] = json!("open");
        path["hops"].as_array_mut().expect("hops").retain(|hop| hop["kind"] != "network_acl");
    }
    let report = sealed(forged, &world);
    refuted("ACLs left out", &report);
    assert!(report.of(Standing::Holds).all(|item| !item.why.contains("passes every element")), "{report:?}");
}

#[test]
fn a_foreign_role_or_action_denies_nothing() {
    let world = bundle("base/nat");
    let other = world["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .find(|call| call["operation"] == "GetRole" && call["request"]["RoleName"] != "agent-role")
        .expect("another role");
    let id = other["id"].as_str().expect("an id");
    let claim = json!({ "claim": "outcome", "call": id, "outcome": "ok", "code": null });
    let mut forged = blocked(&world, "iam.trust_policy", "session_placement", id, &claim);
    forged["permissions"] = json!([{ "principal": "bedrock-agentcore.amazonaws.com", "action": "sts:AssumeRole",
        "resource": other["response"]["Role"]["Arn"], "decision": "ImplicitlyDenied", "statements": [],
        "documents": [{ "call": id, "pointer": "/response/Role/AssumeRolePolicyDocument" }] }]);
    refuted("another role", &sealed(forged.clone(), &world));
    forged["permissions"][0]["resource"] = json!("arn:aws:iam::123456789012:role/agent-role");
    refuted("another role's document", &sealed(forged, &world));

    let id = call_id(&world, "GetRolePolicy");
    let claim = json!({ "claim": "outcome", "call": id, "outcome": "ok", "code": null });
    let mut forged = blocked(&world, "iam.exec_role_ecr_denied", "artifact_fetch", &id, &claim);
    forged["permissions"] = json!([{ "principal": "arn:aws:iam::123456789012:role/agent-role",
        "action": "ecr:DeleteRepository", "resource": "arn:aws:ecr:us-east-1:123456789012:repository/agent",
        "decision": "ImplicitlyDenied", "statements": [],
        "documents": [{ "call": id, "pointer": "/response/PolicyDocument" }] }]);
    refuted("an action that no launch needs", &sealed(forged.clone(), &world));
    forged["permissions"][0]["action"] = json!("ecr:BatchGetImage");
    forged["permissions"][0]["resource"] = json!("arn:aws:ecr:us-east-1:123456789012:repository/other");
    refuted("another repository", &sealed(forged, &world));
}

#[test]
fn a_document_that_is_left_out_allows_nothing() {
    let mut world = bundle("base/nat");
    let names = crate::verify::answer(&mut world, "ListRolePolicies");
    names["PolicyNames"].as_array_mut().expect("names").push(json!("deny"));
    push(
        &mut world,
        json!({ "id": "deny", "service": "iam", "operation": "GetRolePolicy", "region": "us-east-1", "outcome": "ok",
            "at": "2026-10-20T09:00:00Z", "request": { "RoleName": "agent-role", "PolicyName": "deny" },
            "response": { "RoleName": "agent-role", "PolicyName": "deny", "PolicyDocument": { "Statement": [
                { "Effect": "Deny", "Action": "ecr:*", "Resource": "*" }] } } }),
    );
    let honest = certificate(&world);
    let index = honest["permissions"]
        .as_array()
        .expect("permissions")
        .iter()
        .position(|permission| permission["action"] == "ecr:BatchGetImage")
        .expect("the permission");
    assert_eq!(honest["permissions"][index]["decision"], "ExplicitlyDenied");
    let mut forged = honest;
    forged["permissions"][index] = certificate(&bundle("base/nat"))["permissions"][index].clone();
    let report = sealed(forged, &world);
    let item = report.items.iter().find(|item| item.at == format!("/permissions/{index}")).expect("the item");
    assert_ne!(item.standing, Standing::Holds, "{item:?}");
}

#[test]
fn words_that_say_nothing_of_the_fault_prove_nothing() {
    let world = bundle("incident/as-rehearsed");
    let honest = certificate(&world);
    for (from, to) in [
        ("ModuleNotFoundError: No module named 'langchain.callbacks'", "INFO:src.main: starting"),
        ("app.dependency_drift", "contract.wrong_port"),
    ] {
        let text = honest.to_string().replace(from, to);
        let forged: Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(forged, honest, "{from}");
        not_confirmed(to, &sealed(forged, &world));
    }
    // The rehearsal of another image.
    let text = world.to_string();
    let image =
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/bedrock-agentcore-bedrock_manus_runtime_vpc:latest";
    let mut other: Value = serde_json::from_str(&text).expect("JSON");
    for call in
        other["calls"].as_array_mut().expect("calls").iter_mut().filter(|c| c["operation"] == "Rehearse")
    {
        call["request"]["image"] = json!(image.replace("latest", "older"));
        call["response"]["image"] = json!(image.replace("latest", "older"));
    }
    not_confirmed("another image", &sealed(honest, &other));
}

#[test]
fn a_verdict_needs_more_than_that_nothing_is_said_against_it() {
    let (_, world) = worlds().into_iter().find(|(name, _)| name == "incident/as-rehearsed").expect("a world");
    let honest = certificate(&world);
    // Everything that speaks against "nothing left to find" is left out.
    let mut forged = honest.clone();
    for member in ["causes", "also_blocking", "unknown", "warnings", "ruled_out"] {
        forged[member] = json!([]);
    }
    let failed = stage(&mut forged, "process_start");
    failed["state"] = json!("unknown");
    failed["follows"] = Value::Null;
    forged["break"]["first_unreached"] = json!("health");
    forged["verdict"] = json!("no_fault_found");
    forged["exit_code"] = json!(3);
    not_confirmed("no fault found", &sealed(forged, &world));
    // A kind of fault without a rule, as a cause that is not the first.
    let mut forged = honest.clone();
    forged["causes"][0]["fault"] = json!("svc.quota");
    forged["causes"][0]["primary"] = json!(false);
    stage(&mut forged, "process_start")["follows"]["fault"] = json!("svc.quota");
    not_confirmed("a kind without a rule", &sealed(forged, &world));
    // The cause at another stage.
    let mut forged = honest.clone();
    forged["causes"][0]["stage"] = json!("artifact_fetch");
    not_confirmed("another stage", &sealed(forged, &world));
    // A status that nobody knows.
    let mut forged = honest.clone();
    forged["causes"][0]["status"] = json!("certain");
    refuted("another status", &sealed(forged, &world));
    // Stages left out, moved, twice.
    for edit in [
        |chain: &mut Vec<Value>| drop(chain.pop()),
        |chain: &mut Vec<Value>| chain.swap(9, 10),
        |chain: &mut Vec<Value>| {
            let copy = chain[3].clone();
            chain.insert(3, copy);
        },
    ] {
        let mut forged = honest.clone();
        edit(forged["chain"].as_array_mut().expect("a chain"));
        refuted("the chain", &sealed(forged, &world));
    }
}

#[test]
fn the_runtime_is_the_one_that_the_bundle_describes() {
    for (name, bundle) in worlds() {
        for member in ["arn", "id", "name", "account", "region", "network_mode", "platform_version", "status"]
        {
            let mut forged = certificate(&bundle);
            forged["runtime"][member] = json!("another");
            not_confirmed(&format!("{name} {member}"), &sealed(forged, &bundle));
        }
    }
}

#[test]
fn two_calls_of_one_id_are_refuted() {
    let mut world = bundle("base/nat");
    let copy = world["calls"][0].clone();
    let honest = certificate(&world);
    push(&mut world, copy);
    refuted("an id twice", &sealed(honest, &world));
}
