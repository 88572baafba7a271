//! Condition operators, one table per rule.

use launchpath_iam::{Context, ContextValue, Decision, Layers, Principal, Request};
use serde_json::{Value, json};

use crate::world::{ACCOUNT, USER, allow, decide, layer};

/// `Some(true)`: the condition holds; `None`: it cannot be told.
fn holds_in(condition: &Value, context: Context) -> Option<bool> {
    let mut statement = allow("a:b", "*");
    statement["Condition"] = condition.clone();
    let layers = Layers { identity: layer(statement), ..Layers::none() };
    let request =
        Request::new(Principal::parse(USER).unwrap(), "a:b", "*", context).unwrap().in_account(ACCOUNT);
    match decide(&request, &layers) {
        Decision::Allowed => Some(true),
        Decision::ImplicitlyDenied => Some(false),
        _ => None,
    }
}

/// The request's values of `k:k`; `null` leaves the key out.
fn holds(operator: &str, wanted: &Value, actual: &Value) -> Option<bool> {
    let context = match actual {
        Value::Null => Context::complete(),
        Value::Array(values) => {
            Context::complete().with_values("K:k", values.iter().map(|value| value.as_str().unwrap()))
        }
        value => Context::complete().with("k:K", value.as_str().unwrap()),
    };
    holds_in(&json!({ operator: { "k:k": wanted } }), context)
}

fn table(rows: &[(&str, Value, Value, Option<bool>)]) {
    for (operator, wanted, actual, expected) in rows {
        assert_eq!(holds(operator, wanted, actual), *expected, "{operator} {wanted} {actual}");
    }
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn strings() {
    table(&[
        ("StringEquals", json!("a"), json!("a"), YES),
        ("StringEquals", json!("a"), json!("A"), NO),
        ("StringEquals", json!(["a", "b"]), json!("b"), YES),
        ("StringEquals", json!("a*"), json!("ab"), NO),
        ("StringEquals", json!("a*"), json!("a*"), YES),
        ("StringNotEquals", json!(["a", "b"]), json!("b"), NO),
        ("StringNotEquals", json!(["a", "b"]), json!("c"), YES),
        ("StringEqualsIgnoreCase", json!("Äb"), json!("äB"), YES),
        ("StringNotEqualsIgnoreCase", json!("Ab"), json!("aB"), NO),
        ("StringLike", json!("a*"), json!("ab"), YES),
        ("StringLike", json!("a?"), json!("abc"), NO),
        ("StringLike", json!("A*"), json!("ab"), NO),
        ("StringNotLike", json!(["a*", "b*"]), json!("bc"), NO),
        ("StringNotLike", json!(["a*", "b*"]), json!("cc"), YES),
    ]);
}

#[test]
fn numbers_dates_booleans_bytes() {
    table(&[
        ("NumericEquals", json!(10), json!("10.0"), YES),
        ("NumericNotEquals", json!("10"), json!("11"), YES),
        ("NumericLessThan", json!("10"), json!("9"), YES),
        ("NumericLessThan", json!("10"), json!("10"), NO),
        ("NumericLessThanEquals", json!("10"), json!("10"), YES),
        ("NumericGreaterThan", json!("-1"), json!("0"), YES),
        ("NumericGreaterThanEquals", json!("1e3"), json!("999.9"), NO),
        ("NumericEquals", json!("ten"), json!("10"), NO),
        ("NumericEquals", json!("10"), json!("ten"), NO),
        ("NumericNotEquals", json!("10"), json!("ten"), None),
        ("DateEquals", json!("2026-01-01T00:00:00Z"), json!("1767225600"), YES),
        ("DateLessThan", json!("2026-01-01T00:00:00Z"), json!("2025-12-31T23:59:59Z"), YES),
        ("DateGreaterThan", json!("2026-01-01"), json!("2026-01-01T01:00:00+02:00"), NO),
        ("DateNotEquals", json!("2026"), json!("2026-01-01T00:00Z"), NO),
        ("Bool", json!(true), json!("True"), YES),
        ("Bool", json!("false"), json!("true"), NO),
        ("Bool", json!("true"), json!("yes"), NO),
        ("BinaryEquals", json!("QmluYXJ5"), json!("QmluYXJ5"), YES),
        ("BinaryEquals", json!("QmluYXJ5"), json!("QmluYXJ6"), NO),
    ]);
}

#[test]
fn addresses_and_arns() {
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    table(&[
        ("IpAddress", json!("203.0.113.0/24"), json!("203.0.113.9"), YES),
        ("IpAddress", json!("203.0.113.9"), json!("203.0.113.9"), YES),
        ("IpAddress", json!("203.0.113.0/24"), json!("203.0.114.9"), NO),
        ("IpAddress", json!(["10.0.0.0/8", "2001:db8::/32"]), json!("2001:DB8::1"), YES),
        ("IpAddress", json!("nonsense"), json!("203.0.113.9"), NO),
        ("NotIpAddress", json!("nonsense"), json!("203.0.113.9"), None),
        ("NotIpAddress", json!("203.0.113.0/24"), json!("198.51.100.1"), YES),
        ("IpAddress", json!("203.0.113.0/24"), json!("::ffff:203.0.113.9"), None),
        ("ArnEquals", json!("arn:aws:sns:*:111122223333:*"), json!(topic), YES),
        ("ArnLike", json!("arn:aws:sns:us-*:*:t?"), json!(topic), NO),
        ("ArnLike", json!("arn:aws:sns:*:t"), json!(topic), NO),
        ("ArnNotLike", json!("arn:aws:sns:*:111122223333:*"), json!(topic), NO),
        ("ArnNotEquals", json!("arn:aws:sqs:*:*:*"), json!(topic), YES),
    ]);
}

#[test]
fn absent_keys() {
    table(&[
        ("StringEquals", json!("a"), json!(null), NO),
        ("StringNotEquals", json!("a"), json!(null), YES),
        ("NumericNotEquals", json!("1"), json!(null), YES),
        ("DateNotEquals", json!("2026"), json!(null), YES),
        ("NotIpAddress", json!("10.0.0.0/8"), json!(null), YES),
        ("ArnNotLike", json!("arn:aws:*"), json!(null), YES),
        ("Bool", json!("false"), json!(null), NO),
        ("StringEqualsIfExists", json!("a"), json!(null), YES),
        ("StringEqualsIfExists", json!("a"), json!("b"), NO),
        ("StringNotEqualsIfExists", json!("a"), json!(null), YES),
        ("NumericLessThanIfExists", json!("1"), json!(null), YES),
        ("Null", json!("true"), json!(null), YES),
        ("Null", json!("false"), json!(null), NO),
        ("Null", json!(true), json!("x"), NO),
        ("Null", json!(false), json!("x"), YES),
        ("Null", json!(true), json!(""), YES),
        ("StringEquals", json!([]), json!("x"), NO),
        ("StringEquals", json!("a"), json!([]), NO),
    ]);
}

#[test]
fn several_values() {
    table(&[
        ("ForAllValues:StringEquals", json!(["a", "b"]), json!(["a", "b"]), YES),
        ("ForAllValues:StringEquals", json!(["a", "b"]), json!(["a", "c"]), NO),
        ("ForAllValues:StringEquals", json!("a"), json!(null), YES),
        ("ForAllValues:StringEquals", json!("a"), json!(""), YES),
        ("ForAllValues:StringNotEquals", json!("a"), json!(["b", "c"]), YES),
        ("ForAllValues:StringNotEquals", json!("a"), json!(["a", "c"]), NO),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), json!(["c", "b"]), YES),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), json!(["c", "d"]), NO),
        ("ForAnyValue:StringEquals", json!("a"), json!(null), NO),
        ("ForAnyValue:StringEquals", json!("a"), json!(""), NO),
        ("ForAnyValue:StringNotEquals", json!("a"), json!(null), NO),
        ("ForAnyValue:StringNotLike", json!("a*"), json!(["ab", "c"]), YES),
        ("ForAnyValue:StringNotLike", json!(["a*", "c"]), json!(["ab", "c"]), NO),
        ("ForAnyValue:StringEqualsIfExists", json!("a"), json!(null), YES),
        ("ForAllValues:Bool", json!("true"), json!(["true", "false"]), NO),
        // Without a set operator AWS leaves the answer open.
        ("StringEquals", json!("a"), json!(["a", "b"]), None),
        ("StringEquals", json!(["a", "b"]), json!(["a", "b"]), YES),
        ("StringEquals", json!("c"), json!(["a", "b"]), NO),
    ]);
}

#[test]
fn variables() {
    let context = || Context::complete().with("aws:PrincipalTag/team", "blue*").with("k:k", "team-blue*");
    let run = |operator: &str, wanted: &str| holds_in(&json!({ operator: { "k:k": wanted } }), context());
    assert_eq!(run("StringEquals", "team-${aws:principaltag/TEAM}"), YES);
    // A wildcard that came from the request is a plain character.
    assert_eq!(run("StringLike", "team-${aws:PrincipalTag/team}"), YES);
    assert_eq!(run("StringLike", "*-${aws:PrincipalTag/none, 'blue'}${*}"), YES);
    assert_eq!(run("StringEquals", "${aws:PrincipalTag/none}"), NO);
    assert_eq!(run("StringNotEquals", "${aws:PrincipalTag/none}"), YES);
    assert_eq!(run("StringEquals", "team-blue${*}"), YES);
    assert_eq!(run("StringEquals", "${aws:username}"), NO);
    let unknown = context().with_value("aws:PrincipalTag/team", ContextValue::NotKnown("?".into()));
    assert_eq!(holds_in(&json!({ "StringLike": { "k:k": "${aws:PrincipalTag/team}" } }), unknown), None);
}

#[test]
fn variables_in_resources() {
    let run = |element: &str, pattern: &str, resource: &str| {
        let layers = Layers {
            identity: layer(json!({ "Effect": "Allow", "Action": "s3:*", element: pattern })),
            ..Layers::none()
        };
        let request =
            Request::new(Principal::parse(USER).unwrap(), "s3:GetObject", resource, Context::complete())
                .unwrap();
        decide(&request.in_account(ACCOUNT), &layers)
    };
    let own = "arn:aws:s3:::home/Ann/x";
    assert_eq!(run("Resource", "arn:aws:s3:::home/${aws:username}/*", own), Decision::Allowed);
    assert_eq!(run("Resource", "arn:aws:s3:::home/${aws:username}", own), Decision::ImplicitlyDenied);
    assert_eq!(run("NotResource", "arn:aws:s3:::home/${aws:username}/*", own), Decision::ImplicitlyDenied);
    // A variable without a value matches no resource, so NotResource excepts none.
    assert_eq!(run("Resource", "arn:aws:s3:::${aws:PrincipalTag/x}*", own), Decision::ImplicitlyDenied);
    assert_eq!(run("NotResource", "arn:aws:s3:::${aws:PrincipalTag/x}*", own), Decision::Allowed);
    assert_eq!(run("Resource", "arn:aws:s3:::${aws:PrincipalTag/x, 'home'}/*", own), Decision::Allowed);
}

#[test]
fn unknown_keys_are_unknown_in_every_operator() {
    for (operator, wanted) in [
        ("StringEquals", "true"),
        ("StringNotEquals", "true"),
        ("StringEqualsIfExists", "true"),
        ("Null", "true"),
        ("ForAllValues:StringLike", "true"),
        ("ForAnyValue:StringLike", "true"),
        ("NumericLessThan", "5"),
        ("DateLessThan", "2026-01-01"),
        ("Bool", "true"),
        ("IpAddress", "10.0.0.0/8"),
        ("ArnLike", "arn:aws:sns:*:*:*"),
    ] {
        let condition = json!({ operator: { "k:k": wanted } });
        assert_eq!(holds_in(&condition, Context::partial("not asked")), None, "{operator}");
    }
}

#[test]
fn what_no_value_can_satisfy_is_no_question() {
    let partial = || Context::partial("not asked");
    for (operator, wanted, expected) in [
        ("NumericEquals", json!("ten"), NO),
        ("DateLessThan", json!(["tomorrow", "noon"]), NO),
        ("IpAddress", json!("nonsense"), NO),
        ("ForAnyValue:NumericLessThan", json!("ten"), NO),
        ("StringEquals", json!([]), NO),
        ("NumericEquals", json!(["ten", "10"]), None),
        ("NumericNotEquals", json!("ten"), None),
        ("NumericEqualsIfExists", json!("ten"), None),
        ("ForAllValues:NumericEquals", json!("ten"), None),
    ] {
        assert_eq!(
            holds_in(&json!({ operator: { "k:k": wanted } }), partial()),
            expected,
            "{operator} {wanted}"
        );
    }
}

#[test]
fn keys_that_follow_from_the_request() {
    let partial = || Context::partial("not asked");
    for (key, value) in [
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:PrincipalArn", USER),
        ("aws:PrincipalType", "User"),
        ("aws:username", "Ann"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:ResourceAccount", ACCOUNT),
    ] {
        assert_eq!(holds_in(&json!({ "StringEquals": { key: value } }), partial()), YES, "{key}");
    }
    assert_eq!(holds_in(&json!({ "Null": { "aws:PrincipalServiceName": true } }), partial()), YES);
    assert_eq!(holds_in(&json!({ "StringEquals": { "aws:userid": "x" } }), partial()), None);
}

#[test]
fn all_conditions_of_a_statement_count() {
    let context = || Context::complete().with("k:a", "1").with("k:b", "2");
    let both = json!({ "StringEquals": { "k:a": "1", "k:b": "2" }, "Null": { "k:c": true } });
    assert_eq!(holds_in(&both, context()), YES);
    let one = json!({ "StringEquals": { "k:a": "1", "k:b": "3" }, "Null": { "k:c": true } });
    assert_eq!(holds_in(&one, context()), NO);
}
