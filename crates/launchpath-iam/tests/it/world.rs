//! Short ways to write policies and requests in tests.

use launchpath_iam::{
    Context, Decision, Guardrails, Layer, Layers, Level, Policy, Principal, Request, evaluate,
};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER: &str = "999900001111";
pub(crate) const USER: &str = "arn:aws:iam::111122223333:user/Ann";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/exec";
pub(crate) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/exec/one";
pub(crate) const BUCKET: &str = "arn:aws:s3:::bucket";

pub(crate) fn policy(statements: Value) -> Policy {
    let statements = if statements.is_array() { statements } else { json!([statements]) };
    Policy::from_value(&json!({ "Version": "2012-10-17", "Statement": statements })).unwrap()
}

pub(crate) fn layer(statements: Value) -> Layer {
    Layer::one("p", policy(statements))
}

pub(crate) fn levels(policies: impl IntoIterator<Item = Value>) -> Guardrails {
    let levels = policies.into_iter().enumerate();
    Guardrails::Known(
        levels
            .map(|(i, statements)| Level { name: format!("level-{i}"), policies: layer(statements) })
            .collect(),
    )
}

pub(crate) fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

pub(crate) fn deny(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": action, "Resource": resource })
}

pub(crate) fn grant(principal: Value, action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource })
}

pub(crate) fn ask(principal: &str, action: &str, resource: &str) -> Request {
    Request::new(Principal::parse(principal).unwrap(), action, resource, Context::complete())
        .unwrap()
        .in_account(ACCOUNT)
}

pub(crate) fn decide(request: &Request, layers: &Layers) -> Decision {
    evaluate(request, layers).decision
}
