//! Records in the spellings people have at hand, and records that nobody can answer.

use launchpath_iam::batch;
use serde_json::{Value, json};

use crate::world::{ACCOUNT, ROLE, SESSION, USER};

const OBJECT: &str = "arn:aws:s3:::bucket/key";

fn allow() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] })
}

fn deny() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }] })
}

fn request(principal: Value) -> Value {
    json!({ "principal": principal, "action": "s3:GetObject", "resource": OBJECT, "resource_account": ACCOUNT })
}

fn decision(record: &Value) -> String {
    let answer = batch::answer(record);
    answer["decision"].as_str().unwrap_or_else(|| panic!("{record}\n{answer}")).to_owned()
}

fn error(record: &Value) -> String {
    let answer = batch::answer(record);
    assert!(answer.get("decision").is_none(), "{answer}");
    answer["error"].as_str().unwrap_or_else(|| panic!("{record}\n{answer}")).to_owned()
}

#[test]
fn layers_count_under_every_name_they_go_by() {
    for name in [
        "permission_boundary",
        "permissions_boundary",
        "permissionBoundary",
        "PermissionsBoundary",
        "boundary",
        "session",
        "sessionPolicies",
        "session_policy",
        "identity-policies",
    ] {
        let mut policies = json!({ "resource": null });
        policies[name] = deny();
        let record = json!({ "id": name, "request": request(json!(SESSION)), "policies": policies });
        assert_eq!(decision(&record), "ExplicitlyDenied", "{name}");
    }
    for name in ["scps", "SCP", "serviceControlPolicies", "service_control_policies"] {
        for levels in
            [json!([deny()]), deny(), json!([[deny()]]), json!([{ "name": "root", "policies": [deny()] }])]
        {
            let mut policies = json!({ "identity": allow() });
            policies[name] = levels.clone();
            let record = json!({ "request": request(json!(USER)), "policies": policies });
            assert_eq!(decision(&record), "ExplicitlyDenied", "{name} {levels}");
        }
    }
}

#[test]
fn a_layer_that_is_none_is_an_error_and_never_passed_over() {
    let record = |policies: Value| json!({ "request": request(json!(USER)), "policies": policies });
    let told = error(&record(json!({ "identity": allow(), "bounds": deny() })));
    assert!(told.contains("`policies.bounds`") && told.contains("permission_boundary"), "{told}");
    let told = error(&record(json!({ "boundary": allow(), "permission_boundary": deny() })));
    assert!(told.contains("twice"), "{told}");
    let told = error(&record(json!({ "vpc_endpoint_kind": "tunnel" })));
    assert!(told.contains("gateway"), "{told}");
}

#[test]
fn principals_are_read_as_policies_write_them() {
    let decided = |principal: Value| {
        decision(&json!({ "request": request(principal), "policies": { "identity": allow() } }))
    };
    for principal in [
        json!(USER),
        json!({ "AWS": USER }),
        json!({ "type": "User", "arn": USER }),
        json!({ "type": "AssumedRole", "id": SESSION, "role_arn": ROLE }),
        json!({ "Type": "assumed-role", "Arn": SESSION, "roleArn": ROLE }),
    ] {
        assert_eq!(decided(principal.clone()), "Allowed", "{principal}");
    }
    for principal in [json!({ "Service": "s3.amazonaws.com" }), json!({ "type": "Anonymous" }), json!("*")] {
        assert_eq!(decided(principal.clone()), "ImplicitlyDenied", "{principal}");
    }
}

#[test]
fn requests_and_contexts_in_other_shapes() {
    let keyed = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": { "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] }, "Null": { "aws:TagKeys": "false" } } } });
    let mut asked = request(json!(USER));
    asked["context"] = json!([{ "ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["a", "b"], "ContextKeyType": "stringList" }]);
    asked["policies"] = json!({ "identity": { "PolicyName": "p", "PolicyDocument": keyed } });
    asked["id"] = json!("flat");
    assert_eq!(decision(&asked), "Allowed");
    asked["context"][0]["ContextKeyValues"] = json!(["a", "c"]);
    assert_eq!(decision(&asked), "ImplicitlyDenied");
    asked["context"] = json!([1]);
    assert!(error(&asked).contains("ContextKeyName"));
    let unsaid = json!({ "request": { "principal": USER, "action": "s3:ListAllMyBuckets", "wildcard_only_action": true },
        "policies": { "identity": [allow()] } });
    assert_eq!(decision(&unsaid), "Allowed");
}

#[test]
fn a_request_that_nobody_can_make_is_an_error() {
    for (action, told) in
        [("GetObject", "names no service"), ("s3:*", "wildcard"), ("s3:", "behind the colon")]
    {
        let mut asked = request(json!(USER));
        asked["action"] = json!(action);
        let error = error(&json!({ "id": 7, "request": asked, "policies": {} }));
        assert!(error.contains(told) && error.contains(action), "{error}");
    }
    assert!(
        error(&json!({ "request": { "principal": USER, "action": "s3:GetObject" } })).contains("`resource`")
    );
    assert!(error(&json!({ "request": request(json!("Ann")) })).contains("`Ann`"));
    assert!(error(&json!({})).contains("`request`"));
}
