//! The benchmark's policy and requests, given to the crate `iam-rs`.

use std::hint::black_box;
use std::time::Instant;

use iam_rs::{
    Arn, Context, ContextValue, Decision, EvaluationOptions, IAMPolicy, IAMRequest, PolicyEvaluator, Principal,
    PrincipalId,
};
use serde_json::Value;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let read = |path: Option<String>| std::fs::read_to_string(path.expect("a path")).expect("a file");
    let policy: IAMPolicy = serde_json::from_str(&read(arguments.next())).expect("a policy");
    let data: Value = serde_json::from_str(&read(arguments.next())).expect("requests");
    let seconds: f64 = arguments.next().expect("seconds").parse().expect("seconds");
    let mut requests = Vec::new();
    let mut refused = 0;
    for item in data["requests"].as_array().expect("a list") {
        let Ok(resource) = Arn::parse(item["resource"].as_str().expect("a resource")) else {
            refused += 1;
            continue;
        };
        let mut context = Context::new();
        for (key, value) in item["context"].as_object().expect("a context") {
            context.insert(key.clone(), ContextValue::String(value.as_str().expect("a value").to_owned()));
        }
        let who = Principal::Aws(PrincipalId::String(data["principal"].as_str().expect("a name").to_owned()));
        let action = item["action"].as_str().expect("an action");
        let expected = item["expected"].as_str().expect("a decision").to_owned();
        requests.push((IAMRequest::new_with_context(who, action, resource, context), expected));
    }
    let plain = PolicyEvaluator::with_policies(vec![policy]);
    let mut agreed = 0;
    for (request, expected) in &requests {
        let decision = plain.evaluate(request).map(|result| result.decision);
        let name = match decision {
            Ok(Decision::Allow) => "Allowed",
            Ok(Decision::Deny) => "ExplicitlyDenied",
            Ok(Decision::NotApplicable) => "ImplicitlyDenied",
            Err(_) => "error",
        };
        agreed += usize::from(name == expected);
    }
    println!("iam-rs: agrees on {agreed} of {} ({refused} requests on `*` cannot be put)", requests.len() + refused);
    let options = EvaluationOptions { collect_match_details: true, ..EvaluationOptions::default() };
    let explained = plain.clone().with_options(options);
    for (name, evaluator) in [("iam-rs", &plain), ("iam-rs, explained", &explained)] {
        let start = Instant::now();
        let mut count = 0_u64;
        while start.elapsed().as_secs_f64() < seconds {
            for (request, _) in &requests {
                let _ = black_box(evaluator.evaluate(black_box(request)));
                count += 1;
            }
        }
        println!("{name:<44} {:>12.0} decisions/s", count as f64 / start.elapsed().as_secs_f64());
    }
}
