//! Properties that hold for every policy and request.

use launchpath_iam::{
    CompiledPolicySet, Context, ContextValue, Decision, Document, Effect, Formula, Glob, Guardrails, Layer,
    Layers, Level, NamedPolicy, Policy, Principal, Request, Statement,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::world::{ACCOUNT, OTHER, ROLE, SESSION, USER};

const KEYS: [&str; 4] = ["k:a", "k:b", "aws:PrincipalArn", "aws:PrincipalTag/t"];
const VALUES: [&str; 5] = ["1", "2", "true", "arn:aws:iam::111122223333:role/exec", ""];

fn actions() -> impl Strategy<Value = Vec<&'static str>> {
    let all =
        ["s3:GetObject", "s3:Get*", "s3:*", "*", "S3:PUTObject", "sts:AssumeRole", "ec2:*", "s?:*", "kms:*"];
    subsequence(all.to_vec(), 1..3)
}

fn resources() -> impl Strategy<Value = Vec<&'static str>> {
    let all = [
        "*",
        "arn:aws:s3:::bucket/*",
        "arn:aws:s3:::bucket/${aws:PrincipalTag/t}",
        "arn:aws:s3:::*/key",
        "arn:aws:iam::*:role/*",
        "arn:aws:s3:*",
        "arn:aws:kms:*:*:key/*",
    ];
    subsequence(all.to_vec(), 1..3)
}

fn principals() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("*")),
        select(vec![ACCOUNT, OTHER, USER, ROLE, SESSION, "arn:aws:iam::111122223333:root", "*"])
            .prop_map(|name| json!({ "AWS": name })),
        Just(json!({ "Service": "s3.amazonaws.com" })),
        Just(json!({ "AWS": [USER, "arn:aws:iam::111122223333:root"], "Service": ["s3.amazonaws.com"] })),
    ]
}

fn conditions() -> impl Strategy<Value = Value> {
    let operators = vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "Null",
        "Bool",
        "NumericLessThan",
        "NumericNotEquals",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringNotEquals",
        "ForAnyValue:StringLike",
        "ArnLike",
        "ArnNotEquals",
        "DateLessThan",
        "IpAddress",
        "BinaryEquals",
        "StringEqualsIgnoreCase",
        "NotIpAddress",
    ];
    let wanted =
        vec!["1", "2", "*", "true", "${aws:PrincipalTag/t}", "arn:aws:iam::*:role/*", "10.0.0.0/8", "?"];
    let one = (select(operators), select(KEYS.to_vec()), subsequence(wanted, 1..3));
    proptest::collection::vec(one, 0..3).prop_map(|list| {
        let mut block: Map<String, Value> = Map::new();
        for (operator, key, wanted) in list {
            block.insert(operator.to_owned(), json!({ key: wanted }));
        }
        Value::Object(block)
    })
}

fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let flags =
        (any::<bool>(), prop::bool::weighted(0.15), prop::bool::weighted(0.15), prop::bool::weighted(0.2));
    (flags, actions(), resources(), principals(), conditions()).prop_map(
        move |(
            (allow, not_action, not_resource, not_principal),
            actions,
            resources,
            principals,
            conditions,
        )| {
            let mut members = Map::new();
            members.insert("Effect".into(), if allow { "Allow" } else { "Deny" }.into());
            members.insert(if not_action { "NotAction" } else { "Action" }.into(), json!(actions));
            members.insert(if not_resource { "NotResource" } else { "Resource" }.into(), json!(resources));
            if with_principal {
                members.insert(if not_principal { "NotPrincipal" } else { "Principal" }.into(), principals);
            }
            members.insert("Condition".into(), conditions);
            Value::Object(members)
        },
    )
}

fn document(with_principal: bool, most: usize) -> impl Strategy<Value = Policy> {
    let versions = select(vec![Some("2012-10-17"), Some("2008-10-17"), None]);
    (versions, proptest::collection::vec(statement(with_principal), 1..most)).prop_map(
        |(version, statements)| {
            let mut document = json!({ "Statement": statements });
            if let Some(version) = version {
                document["Version"] = version.into();
            }
            Policy::from_value(&document).unwrap()
        },
    )
}

fn some_layer(with_principal: bool, most: usize) -> impl Strategy<Value = Layer> {
    let policies = proptest::collection::vec(document(with_principal, most), 1..3);
    prop_oneof![
        1 => Just(Layer::NotApplicable),
        2 => policies.prop_map(|policies| Layer::Known(
            policies.into_iter().map(|policy| NamedPolicy::known("p", policy)).collect()
        )),
    ]
}

fn some_levels(with_principal: bool) -> impl Strategy<Value = Guardrails> {
    let levels = proptest::collection::vec(document(with_principal, 4), 1..3);
    prop_oneof![
        2 => Just(Guardrails::NotApplicable),
        1 => levels.prop_map(|policies| Guardrails::Known(
            policies.into_iter().map(|policy| Level { name: "l".into(), policies: Layer::one("p", policy) }).collect()
        )),
    ]
}

fn layers() -> impl Strategy<Value = Layers> {
    let plain = (some_layer(false, 20), some_layer(true, 5), some_layer(false, 4), some_layer(false, 4));
    let rest = (some_layer(true, 3), some_levels(false), some_levels(true));
    (plain, rest).prop_map(|((identity, resource, boundary, session), (endpoint, scps, rcps))| Layers {
        identity,
        resource,
        boundary,
        session,
        scps,
        rcps,
        endpoint,
        ..Layers::none()
    })
}

type Facts = Vec<(&'static str, Option<Vec<&'static str>>)>;

fn facts() -> impl Strategy<Value = Facts> {
    let value = prop_oneof![
        1 => Just(None),
        3 => subsequence(VALUES.to_vec(), 1..3).prop_map(Some),
    ];
    proptest::collection::vec(value, KEYS.len()).prop_map(|values| KEYS.into_iter().zip(values).collect())
}

fn context(facts: &Facts) -> Context {
    facts.iter().fold(Context::complete(), |context, (key, values)| match values {
        Some(values) => context.with_values(key, values.iter().copied()),
        None => context,
    })
}

fn who() -> impl Strategy<Value = &'static str> {
    select(vec![
        USER,
        ROLE,
        SESSION,
        "arn:aws:iam::111122223333:root",
        "s3.amazonaws.com",
        "anonymous",
        "arn:aws:sts::111122223333:federated-user/F",
        "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s",
    ])
}

fn question() -> impl Strategy<Value = (&'static str, &'static str, &'static str, Option<&'static str>, Facts)>
{
    let what = select(vec![
        ("s3:GetObject", "arn:aws:s3:::bucket/key"),
        ("s3:PutObject", "arn:aws:s3:::bucket/1"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/x"),
        ("ec2:RunInstances", "*"),
        ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/k"),
    ]);
    (who(), what, select(vec![Some(ACCOUNT), Some(OTHER), None]), facts())
        .prop_map(|(who, (action, resource), account, facts)| (who, action, resource, account, facts))
}

fn request(who: &str, action: &str, resource: &str, account: Option<&str>, context: Context) -> Request {
    let request = Request::new(Principal::parse(who).unwrap(), action, resource, context).unwrap();
    match account {
        Some(account) => request.in_account(account),
        None => request,
    }
}

fn decide(request: &Request, layers: &Layers) -> Decision {
    CompiledPolicySet::new(layers).decide(request)
}

/// Every policy in every layer that has some.
fn each_policy(layers: &mut Layers) -> Vec<&mut NamedPolicy> {
    fn of(layer: &mut Layer) -> Vec<&mut NamedPolicy> {
        match layer {
            Layer::Known(policies) => policies.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
    fn of_levels(guardrails: &mut Guardrails) -> Vec<&mut NamedPolicy> {
        match guardrails {
            Guardrails::Known(levels) => {
                levels.iter_mut().flat_map(|level| of(&mut level.policies)).collect()
            }
            _ => Vec::new(),
        }
    }
    let Layers { identity, resource, boundary, session, endpoint, scps, rcps, .. } = layers;
    let mut list = of(identity);
    for layer in [resource, boundary, session, endpoint] {
        list.extend(of(layer));
    }
    list.extend(of_levels(scps));
    list.extend(of_levels(rcps));
    list
}

fn add(layers: &Layers, place: usize, statement: &Value, effect: Effect) -> Option<Layers> {
    let mut changed = layers.clone();
    let mut policies = each_policy(&mut changed);
    let count = policies.len();
    if count == 0 {
        return None;
    }
    let target = &mut *policies[place % count];
    let Document::Known(policy) = &target.document else { return None };
    let mut policy = Policy::clone(policy);
    let with_principal = policy.statements.first().is_some_and(|first| first.principal.is_some());
    let document = json!({ "Statement": [statement] });
    let mut added: Statement = Policy::from_value(&document).unwrap().statements.remove(0);
    added.effect = effect;
    if !with_principal {
        added.principal = None;
    }
    policy.statements.push(added);
    target.document = Document::Known(policy.into());
    Some(changed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn wildcards_match_like_a_regular_expression(pattern in "[ab:é*?]{0,12}", text in "[ab:é]{0,12}") {
        let oracle: String = pattern.chars().map(|c| match c {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            c => regex::escape(&c.to_string()),
        }).collect();
        let oracle = Regex::new(&format!("^(?s:{oracle})$")).unwrap();
        prop_assert_eq!(Glob::new(&pattern).matches(&text), oracle.is_match(&text));
    }

    #[test]
    fn an_allow_never_takes_away(
        (who, action, resource, account, facts) in question(),
        layers in layers(), place in 0usize..20, added in statement(true),
    ) {
        let request = request(who, action, resource, account, context(&facts));
        let before = decide(&request, &layers);
        if let Some(changed) = add(&layers, place, &added, Effect::Allow) {
            let after = decide(&request, &changed);
            match before {
                Decision::Allowed => prop_assert_eq!(after, Decision::Allowed),
                Decision::Unknown => prop_assert!(!after.is_denied()),
                Decision::ExplicitlyDenied => prop_assert_eq!(after, Decision::ExplicitlyDenied),
                Decision::ImplicitlyDenied => prop_assert_ne!(after, Decision::ExplicitlyDenied),
            }
        }
    }

    #[test]
    fn a_deny_never_gives(
        (who, action, resource, account, facts) in question(),
        layers in layers(), place in 0usize..20, added in statement(true),
    ) {
        let request = request(who, action, resource, account, context(&facts));
        let before = decide(&request, &layers);
        if let Some(changed) = add(&layers, place, &added, Effect::Deny) {
            let after = decide(&request, &changed);
            match before {
                Decision::Allowed => {}
                Decision::Unknown => prop_assert_ne!(after, Decision::Allowed),
                Decision::ExplicitlyDenied => prop_assert_eq!(after, Decision::ExplicitlyDenied),
                Decision::ImplicitlyDenied => prop_assert!(after.is_denied()),
            }
        }
    }

    #[test]
    fn order_never_matters(
        (who, action, resource, account, facts) in question(), layers in layers(), turn in 0usize..7,
    ) {
        let request = request(who, action, resource, account, context(&facts));
        let mut turned = layers.clone();
        for named in each_policy(&mut turned) {
            if let Document::Known(policy) = &named.document {
                let mut policy = Policy::clone(policy);
                let count = policy.statements.len();
                policy.statements.rotate_left(turn % count);
                policy.statements.reverse();
                named.document = Document::Known(policy.into());
            }
        }
        if let Layer::Known(policies) = &mut turned.identity {
            policies.reverse();
        }
        prop_assert_eq!(decide(&request, &layers), decide(&request, &turned));
    }

    #[test]
    fn print_and_parse_is_identity(policy in document(true, 6)) {
        let printed = policy.to_value();
        prop_assert_eq!(&Policy::from_value(&printed).unwrap(), &policy);
        let text = serde_json::to_string_pretty(&policy).unwrap();
        prop_assert_eq!(&Policy::parse(&text).unwrap(), &policy);
        let read: Policy = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &policy);
    }

    #[test]
    fn what_is_unknown_only_widens(
        (who, action, resource, account, facts) in question(),
        layers in layers(), hidden_keys in 0u8..16, hidden_policies in any::<u32>(), hidden_layers in 0u8..128,
        hide_account in any::<bool>(),
    ) {
        let known = request(who, action, resource, account, context(&facts));
        let mut seen = context(&facts);
        for (index, key) in KEYS.iter().enumerate() {
            if hidden_keys & (1 << index) != 0 {
                seen.set(key, ContextValue::NotKnown("hidden".into()));
            }
        }
        // Other resources tell their account themselves.
        let account = if hide_account && resource.starts_with("arn:aws:s3:") { None } else { account };
        let seen = request(who, action, resource, account, seen);
        let mut partial = layers.clone();
        for (index, policy) in each_policy(&mut partial).into_iter().enumerate() {
            if hidden_policies & (1 << (index % 32)) != 0 && index % 3 == 0 {
                policy.document = Document::Unknown("hidden".into());
            }
        }
        let hidden = || Layer::Unknown("hidden".into());
        for (bit, layer) in [
            &mut partial.identity, &mut partial.resource, &mut partial.boundary, &mut partial.session,
            &mut partial.endpoint,
        ].into_iter().enumerate() {
            // Hide few layers, else everything is unknown.
            if hidden_layers.trailing_zeros() >= 2 && hidden_layers >> 2 & (1 << bit) != 0 {
                *layer = hidden();
            }
        }
        if hidden_layers % 11 == 1 {
            partial.scps = Guardrails::Unknown("hidden".into());
        }
        if hidden_layers % 11 == 2 {
            partial.rcps = Guardrails::Unknown("hidden".into());
        }
        let full = decide(&known, &layers);
        match decide(&seen, &partial) {
            Decision::Unknown => {}
            // An unseen part may deny explicitly, too; it never allows.
            Decision::ImplicitlyDenied => prop_assert!(full.is_denied(), "{full:?}"),
            definite => prop_assert_eq!(full, definite),
        }
    }

    #[test]
    fn explanation_and_decision_agree(
        (who, action, resource, account, facts) in question(), layers in layers(), partial in any::<bool>(),
    ) {
        let context = if partial { Context::partial("hidden") } else { context(&facts) };
        let request = request(who, action, resource, account, context);
        let set = CompiledPolicySet::new(&layers);
        let outcome = set.evaluate(&request);
        prop_assert_eq!(set.decide(&request), outcome.decision);
        prop_assert!(!outcome.because.is_empty());
        match outcome.remaining {
            None => prop_assert_ne!(outcome.decision, Decision::Unknown),
            Some(formula) => {
                prop_assert_eq!(outcome.decision, Decision::Unknown);
                prop_assert!(!matches!(formula, Formula::Always | Formula::Never));
                prop_assert!(!formula.questions().is_empty());
            }
        }
    }

    #[test]
    fn parsing_never_panics(text in "\\PC{0,200}", json in "[\\[\\]{}\":,a-z0-9 *$]{0,80}") {
        let _ = Policy::read(&text);
        let _ = Policy::read(&json);
        let _ = Policy::read(&format!("{{\"Statement\":{json}}}"));
        let _ = Principal::parse(&text);
    }
}
