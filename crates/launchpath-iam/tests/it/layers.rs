//! How the layers combine, rule by rule as AWS documents them.

use launchpath_iam::Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied, Unknown};
use launchpath_iam::{
    Context, EndpointKind, Guardrails, Layer, Layers, NamedPolicy, Principal, Reason, Request, evaluate,
};
use serde_json::json;

use crate::world::{
    ACCOUNT, BUCKET, OTHER, ROLE, SESSION, USER, allow, ask, decide, deny, grant, layer, levels, policy,
};

fn with_identity(statements: serde_json::Value) -> Layers {
    Layers { identity: layer(statements), ..Layers::none() }
}

#[test]
fn nothing_allows_nothing() {
    assert_eq!(decide(&ask(USER, "s3:GetObject", BUCKET), &Layers::none()), ImplicitlyDenied);
}

#[test]
fn a_deny_in_any_layer_wins() {
    let request = ask(SESSION, "s3:ListBucket", BUCKET);
    let open = || {
        let mut layers = with_identity(allow("s3:*", "*"));
        layers.resource = layer(grant(json!("*"), "s3:*", "*"));
        layers.boundary = layer(allow("*", "*"));
        layers.session = layer(allow("*", "*"));
        layers.endpoint = layer(grant(json!("*"), "*", "*"));
        layers.scps = levels([allow("*", "*")]);
        layers.rcps = levels([grant(json!("*"), "*", "*")]);
        layers
    };
    assert_eq!(decide(&request, &open()), Allowed);
    let no = || layer(json!([allow("*", "*"), deny("s3:List*", "*")]));
    let no_one = || {
        let mut denies = grant(json!("*"), "s3:List*", "*");
        denies["Effect"] = "Deny".into();
        json!([grant(json!("*"), "*", "*"), denies])
    };
    for change in [
        |layers: &mut Layers, no: Layer, _: serde_json::Value| layers.identity = no,
        |layers: &mut Layers, no: Layer, _: serde_json::Value| layers.boundary = no,
        |layers: &mut Layers, no: Layer, _: serde_json::Value| layers.session = no,
        |layers: &mut Layers, _: Layer, _: serde_json::Value| {
            layers.scps = levels([allow("*", "*"), json!([allow("*", "*"), deny("s3:*", "*")])]);
        },
        |layers: &mut Layers, _: Layer, no: serde_json::Value| layers.resource = layer(no),
        |layers: &mut Layers, _: Layer, no: serde_json::Value| layers.endpoint = layer(no),
        |layers: &mut Layers, _: Layer, no: serde_json::Value| layers.rcps = levels([no]),
    ] {
        let mut layers = open();
        change(&mut layers, no(), no_one());
        assert_eq!(decide(&request, &layers), ExplicitlyDenied, "{layers:?}");
    }
}

#[test]
fn every_gate_must_allow() {
    let request = ask(SESSION, "s3:ListBucket", BUCKET);
    let open = with_identity(allow("s3:*", "*"));
    assert_eq!(decide(&request, &open), Allowed);
    let other = || layer(allow("ec2:*", "*"));
    for layers in [
        Layers { boundary: other(), ..open.clone() },
        Layers { session: other(), ..open.clone() },
        Layers { endpoint: layer(grant(json!("*"), "ec2:*", "*")), ..open.clone() },
        Layers { scps: levels([allow("*", "*"), allow("ec2:*", "*")]), ..open.clone() },
        Layers { rcps: levels([grant(json!("*"), "ec2:*", "*")]), ..open.clone() },
    ] {
        assert_eq!(decide(&request, &layers), ImplicitlyDenied, "{layers:?}");
    }
}

#[test]
fn control_policies_need_an_allow_on_every_level() {
    let request = ask(USER, "s3:ListBucket", BUCKET);
    let mut layers = with_identity(allow("s3:*", "*"));
    layers.scps = levels([allow("*", "*"), allow("s3:*", "*"), allow("s3:ListBucket", "*")]);
    assert_eq!(decide(&request, &layers), Allowed);
    layers.scps = levels([allow("s3:ListBucket", "*"), allow("ec2:*", "*"), allow("*", "*")]);
    let outcome = evaluate(&request, &layers);
    assert_eq!(outcome.decision, ImplicitlyDenied);
    let blamed = outcome
        .because
        .iter()
        .any(|reason| matches!(reason, Reason::NoAllow { level: Some(level), .. } if level == "level-1"));
    assert!(blamed, "{:?}", outcome.because);
}

#[test]
fn service_linked_roles_are_free_of_control_policies() {
    let network = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/s";
    let mut layers = with_identity(allow("ec2:CreateNetworkInterface", "*"));
    layers.scps = levels([json!([allow("*", "*"), deny("ec2:*", "*")])]);
    let resource = "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1";
    assert_eq!(decide(&ask(network, "ec2:CreateNetworkInterface", resource), &layers), Allowed);
    assert_eq!(decide(&ask(SESSION, "ec2:CreateNetworkInterface", resource), &layers), ExplicitlyDenied);
    layers.scps = Guardrails::Unknown("not collected".into());
    assert_eq!(decide(&ask(network, "ec2:CreateNetworkInterface", resource), &layers), Allowed);
    assert_eq!(decide(&ask(SESSION, "ec2:CreateNetworkInterface", resource), &layers), Unknown);
}

#[test]
fn the_management_account_is_free_of_control_policies() {
    let mut layers = with_identity(allow("s3:*", "*"));
    layers.scps = levels([deny("*", "*")]);
    layers.rcps = levels([json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" })]);
    let request = ask(USER, "s3:ListBucket", BUCKET);
    assert_eq!(decide(&request, &layers), ExplicitlyDenied);
    layers.management_account = Some(ACCOUNT.into());
    assert_eq!(decide(&request, &layers), Allowed);
}

#[test]
fn resource_control_policies_count_where_the_service_honours_them() {
    let mut layers = with_identity(allow("*", "*"));
    layers.rcps = levels([json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" })]);
    assert_eq!(decide(&ask(USER, "s3:ListBucket", BUCKET), &layers), ExplicitlyDenied);
    // The list of services grows, so absence from it is no exemption.
    let runtime = "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/x";
    assert_eq!(decide(&ask(USER, "bedrock-agentcore:InvokeAgentRuntime", runtime), &layers), Unknown);
}

#[test]
fn same_account_grants_differ_by_whom_they_name() {
    let cases = [
        // principal, named, with boundary and session policy that do not allow
        (USER, json!({ "AWS": USER }), Allowed),
        (USER, json!("*"), Allowed),
        (USER, json!({ "AWS": ACCOUNT }), ImplicitlyDenied),
        (SESSION, json!({ "AWS": SESSION }), Allowed),
        (SESSION, json!({ "AWS": ROLE }), ImplicitlyDenied),
        (SESSION, json!({ "AWS": "*" }), Allowed),
        (SESSION, json!({ "AWS": "arn:aws:sts::111122223333:assumed-role/exec/two" }), ImplicitlyDenied),
        (ROLE, json!({ "AWS": ROLE }), ImplicitlyDenied),
        (USER, json!({ "AWS": ROLE }), ImplicitlyDenied),
    ];
    for (who, named, expected) in cases {
        let mut layers = Layers::none();
        layers.resource = layer(grant(named.clone(), "s3:*", "*"));
        layers.boundary = layer(allow("ec2:*", "*"));
        if who != USER {
            layers.session = layer(allow("ec2:*", "*"));
        }
        assert_eq!(decide(&ask(who, "s3:ListBucket", BUCKET), &layers), expected, "{who} {named}");
    }
    // Without boundary and session policy the role's grant is enough, the account's still is not.
    let mut layers = Layers { resource: layer(grant(json!({ "AWS": ROLE }), "s3:*", "*")), ..Layers::none() };
    assert_eq!(decide(&ask(SESSION, "s3:ListBucket", BUCKET), &layers), Allowed);
    layers.resource = layer(grant(json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }), "s3:*", "*"));
    assert_eq!(decide(&ask(SESSION, "s3:ListBucket", BUCKET), &layers), ImplicitlyDenied);
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let request = || ask(SESSION, "s3:ListBucket", BUCKET).in_account(OTHER);
    let identity = layer(allow("s3:*", "*"));
    for named in [json!({ "AWS": ACCOUNT }), json!({ "AWS": ROLE }), json!({ "AWS": SESSION }), json!("*")] {
        let resource = layer(grant(named, "s3:*", "*"));
        let one = Layers { resource: resource.clone(), ..Layers::none() };
        assert_eq!(decide(&request(), &one), ImplicitlyDenied);
        let both = Layers { identity: identity.clone(), resource, ..Layers::none() };
        assert_eq!(decide(&request(), &both), Allowed);
        let bounded = Layers { boundary: layer(allow("ec2:*", "*")), ..both };
        assert_eq!(decide(&request(), &bounded), ImplicitlyDenied);
    }
    assert_eq!(decide(&request(), &Layers { identity, ..Layers::none() }), ImplicitlyDenied);
}

#[test]
fn an_unknown_owner_leaves_it_open_only_where_it_matters() {
    let request =
        Request::new(Principal::parse(USER).unwrap(), "s3:ListBucket", BUCKET, Context::complete()).unwrap();
    let identity = layer(allow("s3:*", "*"));
    let outcome = evaluate(&request, &Layers { identity: identity.clone(), ..Layers::none() });
    assert_eq!(outcome.decision, Unknown);
    assert_eq!(outcome.remaining_text().unwrap(), "allowed if principal and resource are in one account");
    let resource = layer(grant(json!({ "AWS": USER }), "s3:*", "*"));
    assert_eq!(decide(&request, &Layers { identity, resource, ..Layers::none() }), Allowed);
}

#[test]
fn trust_policies_must_allow_by_themselves() {
    let role = "arn:aws:iam::111122223333:role/target";
    let request = ask(USER, "sts:AssumeRole", role);
    let trust =
        |principal| layer(json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }));
    let identity = layer(allow("sts:AssumeRole", "*"));
    let trusting_account = trust(json!({ "AWS": ACCOUNT }));
    let only_identity = Layers { identity: identity.clone(), ..Layers::none() };
    assert_eq!(decide(&request, &only_identity), ImplicitlyDenied);
    let both = Layers { identity, resource: trusting_account.clone(), ..Layers::none() };
    assert_eq!(decide(&request, &both), Allowed);
    let only_account = Layers { resource: trusting_account, ..Layers::none() };
    assert_eq!(decide(&request, &only_account), ImplicitlyDenied);
    let names_user = Layers { resource: trust(json!({ "AWS": USER })), ..Layers::none() };
    assert_eq!(decide(&request, &names_user), Allowed);
}

#[test]
fn a_service_assumes_a_role_by_its_trust_policy_alone() {
    let role = "arn:aws:iam::111122223333:role/exec";
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Service": "bedrock-agentcore.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": ACCOUNT },
            "ArnLike": { "aws:SourceArn": "arn:aws:bedrock-agentcore:us-east-1:111122223333:*" },
        },
    });
    let layers = Layers { resource: layer(trust), ..Layers::none() };
    let ask = |service: &str, source: &str| {
        let context = Context::complete().with("aws:SourceAccount", ACCOUNT).with("aws:SourceArn", source);
        Request::new(Principal::service(service), "sts:AssumeRole", role, context).unwrap()
    };
    let runtime = "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/x";
    assert_eq!(decide(&ask("bedrock-agentcore.amazonaws.com", runtime), &layers), Allowed);
    assert_eq!(decide(&ask("bedrock.amazonaws.com", runtime), &layers), ImplicitlyDenied);
    let elsewhere = "arn:aws:bedrock-agentcore:us-west-2:111122223333:runtime/x";
    let outcome = evaluate(&ask("bedrock-agentcore.amazonaws.com", elsewhere), &layers);
    assert_eq!(outcome.decision, ImplicitlyDenied);
    let told: Vec<String> = outcome.because.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("aws:SourceArn") && line.contains("us-west-2")), "{told:?}");
}

#[test]
fn key_policies_must_allow_by_themselves() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/k";
    let request = ask(SESSION, "kms:Decrypt", key);
    let identity = layer(allow("kms:*", "*"));
    assert_eq!(decide(&request, &Layers { identity: identity.clone(), ..Layers::none() }), ImplicitlyDenied);
    let resource = layer(grant(json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }), "kms:*", "*"));
    assert_eq!(decide(&request, &Layers { identity: identity.clone(), resource, ..Layers::none() }), Allowed);
    let list = ask(SESSION, "kms:ListKeys", "*");
    assert_eq!(decide(&list, &Layers { identity, ..Layers::none() }), Allowed);
}

#[test]
fn the_root_user_needs_no_policy_at_home() {
    let root = "arn:aws:iam::111122223333:root";
    assert_eq!(decide(&ask(root, "s3:ListBucket", BUCKET), &Layers::none()), Allowed);
    let scps = levels([json!([allow("*", "*"), deny("s3:*", "*")])]);
    assert_eq!(
        decide(&ask(root, "s3:ListBucket", BUCKET), &Layers { scps, ..Layers::none() }),
        ExplicitlyDenied
    );
    let abroad = ask(root, "s3:ListBucket", BUCKET).in_account(OTHER);
    assert_eq!(decide(&abroad, &Layers::none()), ImplicitlyDenied);
}

#[test]
fn anonymous_callers_need_a_public_resource() {
    let request = ask("anonymous", "s3:GetObject", "arn:aws:s3:::bucket/key");
    let public = Layers { resource: layer(grant(json!("*"), "s3:GetObject", "*")), ..Layers::none() };
    assert_eq!(decide(&request, &public), Allowed);
    let private = Layers { resource: layer(grant(json!({ "AWS": ACCOUNT }), "s3:*", "*")), ..Layers::none() };
    assert_eq!(decide(&request, &private), ImplicitlyDenied);
    let identity = with_identity(allow("*", "*"));
    assert_eq!(decide(&request, &identity), ImplicitlyDenied);
}

#[test]
fn federated_users_have_what_their_session_policy_gives() {
    let request = ask("arn:aws:sts::111122223333:federated-user/Fay", "s3:ListBucket", BUCKET);
    let identity = layer(allow("s3:*", "*"));
    let plain = Layers { identity: identity.clone(), ..Layers::none() };
    assert_eq!(decide(&request, &plain), ImplicitlyDenied);
    let session = Layers { session: layer(allow("s3:List*", "*")), ..plain };
    assert_eq!(decide(&request, &session), Allowed);
    let named = json!({ "AWS": "arn:aws:sts::111122223333:federated-user/Fay" });
    let resource = layer(grant(named, "s3:*", "*"));
    assert_eq!(decide(&request, &Layers { resource, ..Layers::none() }), Allowed);
    // Whether Ann made Fay's session, the session's name does not tell.
    let resource = layer(grant(json!({ "AWS": USER }), "s3:*", "*"));
    let layers = Layers { resource, session: layer(allow("s3:*", "*")), ..Layers::none() };
    assert_eq!(decide(&request, &layers), Unknown);
}

#[test]
fn not_principal_with_deny() {
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let run = |who: &str, named: serde_json::Value, boundary: Layer| {
        let layers = Layers {
            identity: layer(allow("*", "*")),
            resource: layer(json!({
                "Effect": "Deny", "NotPrincipal": { "AWS": named }, "Action": "s3:*", "Resource": "*"
            })),
            boundary,
            ..Layers::none()
        };
        decide(&ask(who, "s3:ListBucket", BUCKET), &layers)
    };
    let no = || Layer::NotApplicable;
    assert_eq!(run(USER, json!([USER, root]), no()), Allowed);
    assert_eq!(run(USER, json!([root]), no()), ExplicitlyDenied);
    assert_eq!(run(USER, json!([USER]), no()), Unknown);
    assert_eq!(run(SESSION, json!([SESSION, ROLE, root]), no()), Allowed);
    assert_eq!(run(SESSION, json!([ROLE, root]), no()), Unknown);
    assert_eq!(run(SESSION, json!([USER, root]), no()), ExplicitlyDenied);
    // AWS documents that a boundary makes such a statement deny whomever it names.
    assert_eq!(run(USER, json!([USER, root]), layer(allow("*", "*"))), ExplicitlyDenied);
    assert_eq!(run(USER, json!([USER, root]), Layer::Unknown("denied".into())), Unknown);
}

#[test]
fn gateway_endpoints_read_principals_their_own_way() {
    let run = |principal: serde_json::Value, kind| {
        let mut layers = with_identity(allow("*", "*"));
        layers.endpoint = layer(grant(principal, "*", "*"));
        layers.endpoint_kind = kind;
        decide(&ask(SESSION, "s3:ListBucket", BUCKET), &layers)
    };
    assert_eq!(run(json!("*"), EndpointKind::Gateway), Allowed);
    assert_eq!(run(json!({ "AWS": ACCOUNT }), EndpointKind::Gateway), ImplicitlyDenied);
    assert_eq!(run(json!({ "AWS": ACCOUNT }), EndpointKind::Interface), Allowed);
    assert_eq!(run(json!({ "AWS": ACCOUNT }), EndpointKind::Unknown), Unknown);
    assert_eq!(run(json!({ "AWS": ROLE }), EndpointKind::Gateway), Unknown);
}

#[test]
fn an_endpoint_condition_on_the_account_breaks_downloads_signed_by_aws() {
    // Image layers come from a bucket of AWS, with requests that AWS signs.
    let endpoint = json!({
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalAccount": ACCOUNT } },
    });
    let layers = Layers {
        identity: layer(allow("s3:GetObject", "*")),
        resource: layer(grant(json!("*"), "s3:GetObject", "*")),
        endpoint: layer(endpoint),
        ..Layers::none()
    };
    let layer_object = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/x";
    let aws = ask("arn:aws:iam::999900001111:role/ecr", "s3:GetObject", layer_object).in_account(OTHER);
    assert_eq!(decide(&aws, &layers), ImplicitlyDenied);
    let own = ask(SESSION, "s3:GetObject", layer_object).in_account(OTHER);
    assert_eq!(decide(&own, &layers), Allowed);
}

#[test]
fn an_unseen_document_widens_only_as_far_as_it_may() {
    let request = ask(USER, "s3:ListBucket", BUCKET);
    let unseen = || NamedPolicy::unknown("arn:aws:iam::aws:policy/X", "not collected");
    let known = NamedPolicy::known("inline", policy(allow("s3:*", "*")));
    let layers = Layers { identity: Layer::Known(vec![known, unseen()]), ..Layers::none() };
    let outcome = evaluate(&request, &layers);
    assert_eq!(outcome.decision, Unknown);
    assert_eq!(
        outcome.remaining_text().unwrap(),
        "allowed unless the identity-based policy arn:aws:iam::aws:policy/X denies it (not collected)"
    );
    let denied = NamedPolicy::known("inline", policy(deny("s3:*", "*")));
    let layers = Layers { identity: Layer::Known(vec![denied, unseen()]), ..Layers::none() };
    assert_eq!(decide(&request, &layers), ExplicitlyDenied);
    let bounded = Layers {
        identity: Layer::Known(vec![unseen()]),
        boundary: layer(allow("ec2:*", "*")),
        ..Layers::none()
    };
    assert_eq!(decide(&request, &bounded), ImplicitlyDenied);
}

#[test]
fn an_unknown_key_leaves_exactly_its_condition() {
    let mut denial = deny("s3:*", "*");
    denial["Condition"] = json!({ "StringNotEquals": { "aws:SourceVpc": "vpc-1" } });
    let layers = with_identity(json!([allow("s3:*", "*"), denial]));
    let context = Context::partial("not asked");
    let request = Request::new(Principal::parse(USER).unwrap(), "s3:ListBucket", BUCKET, context)
        .unwrap()
        .in_account(ACCOUNT);
    let outcome = evaluate(&request, &layers);
    assert_eq!(outcome.decision, Unknown);
    assert_eq!(
        outcome.remaining_text().unwrap(),
        "allowed unless aws:SourceVpc StringNotEquals \"vpc-1\" in statement 2 of the identity-based policy p \
         (aws:sourcevpc: not asked)"
    );
}

#[test]
fn caller_identity_is_free() {
    let layers = with_identity(deny("*", "*"));
    assert_eq!(decide(&ask(USER, "sts:GetCallerIdentity", "*"), &layers), Allowed);
    assert_eq!(decide(&ask("anonymous", "sts:GetCallerIdentity", "*"), &layers), ImplicitlyDenied);
}

#[test]
fn reasons_name_statement_and_failing_part() {
    let mut tagged = allow("s3:ListBucket", "arn:aws:s3:::other");
    tagged["Sid"] = "Other".into();
    let mut conditional = allow("s3:ListBucket", BUCKET);
    conditional["Condition"] = json!({ "StringEquals": { "s3:prefix": ["a", "b"] } });
    let layers = with_identity(json!([tagged, conditional, allow("ec2:*", "*")]));
    let request = ask(USER, "s3:ListBucket", BUCKET);
    let told: Vec<String> = evaluate(&request, &layers).because.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "no identity-based policy allows it (3 statements)",
            "statement 2 of the identity-based policy p nearly allows it: condition StringEquals wants s3:prefix to \
             be any of \"a\", \"b\"; it is not in the request",
            "statement \"Other\" of the identity-based policy p nearly allows it: Resource is \
             \"arn:aws:s3:::other\", not arn:aws:s3:::bucket",
        ]
    );
    // Every statement that denies is told, not only the first.
    let denied = with_identity(json!([deny("s3:*", "*"), allow("s3:*", "*"), deny("*", BUCKET)]));
    let told: Vec<String> = evaluate(&request, &denied).because.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "statement 1 of the identity-based policy p denies it",
            "statement 3 of the identity-based policy p denies it",
        ]
    );
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Deny\", \"Action\": \"s3:*\", \"Resource\": \"*\"}\n  ]\n}";
    let written = Layers {
        identity: Layer::one("exec", launchpath_iam::Policy::parse(text).unwrap()),
        ..Layers::none()
    };
    let told: Vec<String> = evaluate(&request, &written).because.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["statement 1 of the identity-based policy exec (line 4 column 5) denies it"]);
}

#[test]
fn a_log_group_prefix_typed_wrong_is_named() {
    let layers = with_identity(allow(
        "logs:PutLogEvents",
        "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/agentcore/*",
    ));
    let group = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock-agentcore/runtimes/x-DEFAULT:log-stream:s";
    let outcome = evaluate(&ask(SESSION, "logs:PutLogEvents", group), &layers);
    assert_eq!(outcome.decision, ImplicitlyDenied);
    let told = outcome.because.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told.contains("/aws/bedrock/agentcore/*"), "{told}");
}
