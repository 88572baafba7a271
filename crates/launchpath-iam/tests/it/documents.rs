//! Reading, refusing and printing policy documents.

use launchpath_iam::{DocumentKind, Policy, PolicyErrorKind, Severity, check_length, managed_policies};
use serde_json::json;

#[test]
fn one_value_or_a_list_everywhere() {
    let short = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": { "AWS": "111122223333" }, "Action": "s3:*", "Resource": "*",
            "Condition": { "NumericLessThan": { "s3:max-keys": 10 }, "Bool": { "aws:SecureTransport": true } },
        },
    });
    let long = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": ["111122223333"] }, "Action": ["s3:*"], "Resource": ["*"],
            "Condition": { "Bool": { "aws:SecureTransport": ["true"] }, "NumericLessThan": { "s3:max-keys": ["10"] } },
        }],
    });
    assert_eq!(Policy::from_value(&short).unwrap(), Policy::from_value(&long).unwrap());
}

#[test]
fn errors_say_where_and_what_aws_answers() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "A",
      "Effect": "allow",
      "Action": "s3:*",
      "Resource": "*"
    },
    {
      "Effect": "Allow",
      "Action": "s3",
      "Resource": "*",
      "Conditions": {},
      "Condition": { "StringEqual": { "a:b": "c" }, "Bool": { "a:b": {} } }
    }
  ]
}"#;
    let findings = Policy::read(text).findings;
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "Statement[0].Effect (line 6 column 17): `allow` is no effect: it is `Allow` or `Deny`",
            "Statement[1].Conditions (line 14 column 21): unknown element `Conditions` (`Condition`?)",
            "Statement[1].Action (line 12 column 17): `s3` is no action: it needs a service prefix such as `s3:`",
            "Statement[1].Condition.StringEqual (line 15 column 37): `StringEqual` is no condition operator \
             (`StringEquals`?)",
            "Statement[1].Condition.Bool.a:b (line 15 column 70): expected a string, number or boolean, found an \
             object",
        ]
    );
    let aws: Vec<Option<String>> = findings.iter().map(launchpath_iam::PolicyError::aws_says).collect();
    assert_eq!(aws[0].as_deref(), Some("MalformedPolicyDocument: Syntax errors in policy."));
    assert_eq!(aws[3].as_deref(), Some("MalformedPolicyDocument: Invalid Condition type : StringEqual."));
}

#[test]
fn hostile_documents_are_errors() {
    let deep = "[".repeat(100_000);
    let nested = format!("{}{}", "{\"a\":".repeat(60), "1") + &"}".repeat(60);
    let long = format!("{{\"Id\": \"{}\"}}", "x".repeat(2 << 20));
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "\"x\"",
        "{",
        &deep,
        &nested,
        &long,
        "{\"Statement\": 1}",
        "{\"Statement\": [null]}",
        "{\"Statement\": {}, \"Statement\": {}}",
        "{\"Version\": 2012}",
        "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": null}}",
        "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"a:b\", \"NotAction\": \"a:b\"}}",
        "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Principal\": \"me\"}}",
        "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Condition\": {\"NullIfExists\": {\"a:b\": true}}}}",
    ] {
        let reading = Policy::read(text);
        assert!(reading.usable().is_err(), "{text:.80}");
    }
}

#[test]
fn an_empty_statement_list_is_readable() {
    assert_eq!(Policy::parse("{\"Statement\": []}").unwrap().statements, []);
}

#[test]
fn repeated_members_are_refused() {
    let text = r#"{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "a:b", "Resource": "*",
        "Condition": {"StringEquals": {"a:b": "1", "A:B": "2"}}}}"#;
    let kinds: Vec<PolicyErrorKind> =
        Policy::read(text).findings.into_iter().map(|error| error.kind).collect();
    assert_eq!(
        kinds,
        [PolicyErrorKind::Duplicate("Effect".into()), PolicyErrorKind::Duplicate("A:B".into())]
    );
}

#[test]
fn operators_in_another_case_are_understood_with_a_warning() {
    let text = r#"{"Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*",
        "Condition": {"foranyvalue:stringlikeifexists": {"a:b": "1"}}}}"#;
    let reading = Policy::read(text);
    assert_eq!(reading.findings.len(), 1);
    assert_eq!(reading.findings[0].severity(), Severity::Warning);
    let policy = reading.storable().unwrap();
    assert_eq!(policy.statements[0].conditions[0].operator.to_string(), "ForAnyValue:StringLikeIfExists");
}

#[test]
fn each_kind_has_its_rules() {
    let policy = |statement| Policy::from_value(&json!({ "Statement": [statement] })).unwrap();
    let told = |policy: &Policy, kind| {
        policy.check(kind).iter().map(|error| error.kind.to_string()).collect::<Vec<_>>()
    };
    let identity = policy(json!({ "Sid": "a b", "Effect": "Allow", "Action": "s3:*", "Resource": "bucket" }));
    assert_eq!(
        told(&identity, DocumentKind::Managed),
        ["`bucket` is neither `*` nor an ARN", "`a b` is no statement id: letters and digits only"]
    );
    assert_eq!(
        told(&identity, DocumentKind::Trust),
        [
            "Principal is missing",
            "Resource does not belong into a trust policy",
            "`a b` is no statement id: letters and digits only"
        ]
    );
    let trust = policy(json!({
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:role/*" }, "Action": "sts:AssumeRole"
    }));
    assert_eq!(
        told(&trust, DocumentKind::Trust),
        ["`arn:aws:iam::111122223333:role/*` is no principal: a wildcard cannot stand for a part of a name"]
    );
    assert_eq!(
        told(&trust, DocumentKind::InlineRole)[0],
        "Principal does not belong into an identity-based policy"
    );
}

#[test]
fn lengths_are_counted_as_aws_counts() {
    let text = format!("{{{}}}", " ".repeat(7_000));
    assert!(check_length(&text, DocumentKind::Managed).is_none());
    let error = check_length(&text, DocumentKind::Scp).unwrap();
    assert_eq!(error.aws_says().unwrap(), "LimitExceeded: Cannot exceed quota for PolicySize: 5120");
}

#[test]
fn managed_policies_print_and_parse() {
    for managed in managed_policies() {
        let printed = managed.policy.to_value();
        assert_eq!(Policy::from_value(&printed).as_ref(), Ok(&*managed.policy), "{}", managed.name);
        assert_eq!(managed.policy.check(DocumentKind::Managed), [], "{}", managed.name);
    }
}
