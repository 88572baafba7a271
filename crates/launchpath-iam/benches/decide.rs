//! Decisions per second on one core: compiled policies, with and without explanation.
//!
//! `cargo bench -p launchpath-iam --bench decide`, with a number as argument for rounds over the requests. The same
//! policy and requests are given to other engines by `bench/iam_peers.sh`.
#![expect(clippy::print_stdout, reason = "the figures")]
#![expect(clippy::expect_used, reason = "the data are part of the crate")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark needs a clock")]

use std::hint::black_box;
use std::time::Instant;

use launchpath_iam::{
    CompiledPolicySet, Context, Guardrails, Layer, Layers, Level, Policy, Principal, Request, evaluate,
};
use serde_json::{Value, json};

const POLICY: &str = include_str!("../bench/data/policy.json");
const REQUESTS: &str = include_str!("../bench/data/requests.json");

fn requests() -> Vec<(Request, String)> {
    let data: Value = serde_json::from_str(REQUESTS).expect("requests are JSON");
    let principal = Principal::parse(data["principal"].as_str().expect("a principal")).expect("a principal");
    let account = data["account"].as_str().expect("an account");
    let list = data["requests"].as_array().expect("a list of requests").iter();
    list.map(|item| {
        let mut context = Context::complete();
        for (key, value) in item["context"].as_object().expect("a context") {
            context = context.with(key, value.as_str().expect("a string"));
        }
        let text = |name: &str| item[name].as_str().expect("a string").to_owned();
        let request =
            Request::new(principal.clone(), &text("action"), &text("resource"), context).expect("one action");
        (request.in_account(account), text("expected"))
    })
    .collect()
}

fn policy(document: &Value) -> Policy {
    Policy::from_value(document).expect("a policy")
}

/// All layers at work: a boundary, two levels of service control policies, an endpoint policy.
fn every_layer(identity: Layer) -> Layers {
    let everything = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let regions = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
          "Condition": { "StringNotEqualsIfExists": { "aws:RequestedRegion": ["us-east-1", "us-west-2"] },
                         "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/exec" } } },
    ]});
    let endpoint =
        json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" } });
    let level = |name: &str, document: &Value| Level {
        name: name.into(),
        policies: Layer::one(name, policy(document)),
    };
    Layers {
        identity,
        boundary: Layer::one("boundary", policy(&everything)),
        scps: Guardrails::Known(vec![level("root", &everything), level("ou", &regions)]),
        endpoint: Layer::one("endpoint", policy(&endpoint)),
        ..Layers::none()
    }
}

fn measure(name: &str, rounds: usize, requests: &[(Request, String)], mut decide: impl FnMut(&Request)) {
    for (request, _) in requests {
        decide(request);
    }
    let start = Instant::now();
    for _ in 0..rounds {
        for (request, _) in requests {
            decide(black_box(request));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let count = rounds * requests.len();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_second = count as f64 / seconds;
    println!("{name:<44} {per_second:>12.0} decisions/s  ({count} in {seconds:.2} s)");
}

fn main() {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let requests = requests();
    let document: Value = serde_json::from_str(POLICY).expect("the policy is JSON");
    let identity = Layer::one("exec", policy(&document));
    let only_identity = Layers { identity: identity.clone(), ..Layers::none() };
    let all_layers = every_layer(identity);
    for (name, layers) in [("identity policy", &only_identity), ("all layers", &all_layers)] {
        let set = CompiledPolicySet::new(layers);
        for (request, expected) in &requests {
            assert_eq!(set.decide(request).as_str(), expected, "{request}");
        }
        measure(&format!("{name}, compiled"), rounds, &requests, |request| {
            black_box(set.decide(request));
        });
        measure(&format!("{name}, compiled, explained"), rounds / 10, &requests, |request| {
            black_box(set.evaluate(request));
        });
        measure(&format!("{name}, from documents, explained"), rounds / 50, &requests, |request| {
            black_box(evaluate(request, layers));
        });
    }
}
