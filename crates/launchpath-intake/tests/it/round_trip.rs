//! Properties: what is printed is what was read, and no bytes make the reader panic.

use launchpath_intake::bundle::{Bundle, Call, CallError, Outcome};
use launchpath_intake::{MemoryDocuments, ZipDocuments, open, open_bundle, open_bytes};
use launchpath_model::time::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\\u{0}-\\u{7f}é]{0,8}".prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[A-Za-z]{1,8}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names no known member has.
fn extra() -> impl Strategy<Value = Map<String, Value>> {
    btree_map("x_[a-z]{1,6}", json_value(), 0..3).prop_map(|members| members.into_iter().collect())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000_000).prop_map(|milliseconds| Timestamp::from_millis(milliseconds).unwrap())
}

/// How many values there are in `value`, itself included.
fn nodes(value: &mut Value) -> usize {
    1 + children(value).map(nodes).sum::<usize>()
}

/// The value that is number `left` in document order.
fn node<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    children(value).find_map(|child| node(child, left))
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(members) => Box::new(members.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Ok),
        Just(Outcome::Denied),
        Just(Outcome::NotFound),
        Just(Outcome::Error),
        Just(Outcome::Throttled)
    ]
}

prop_compose! {
    fn call()(
        service in "[a-z0-9-]{1,10}", operation in "[A-Za-z]{1,12}", region in option::of("[a-z]{2}-[a-z]{4}-1"),
        request in option::of(extra()), at in option::of(time()), outcome in outcome(),
        error in option::of(("[A-Za-z]{0,8}", ".{0,12}", option::of(any::<u16>()))),
        response in option::of(json_value().prop_filter("null is no answer", |value| !value.is_null())),
        file in option::of("[a-z/]{1,8}"), extra in extra(),
    ) -> Call {
        let mut call = Call::new("c1", &service, &operation);
        call.region = region.map(Into::into);
        call.request = request.map(Value::Object);
        call.at = at;
        call.outcome = outcome;
        call.error = error.map(|(code, message, http)| CallError { code, message, http });
        call.file = file.filter(|_| response.is_none());
        call.response = response;
        call.extra = extra;
        call
    }
}

prop_compose! {
    fn bundle()(
        calls in vec(call(), 0..5), at in option::of(time()), runtime in option::of("[a-z]{1,8}"),
        account in option::of("[0-9]{12}"), extra in extra(),
    ) -> Bundle {
        let mut bundle = Bundle::new("a test");
        bundle.collected_at = at;
        bundle.account = account.map(Into::into);
        bundle.subject.runtime = runtime;
        bundle.extra = extra;
        for mut call in calls {
            call.id = bundle.next_id().as_str().into();
            bundle.push(call);
        }
        bundle
    }
}

proptest! {
    #[test]
    fn a_printed_bundle_reads_as_the_same_bundle(bundle in bundle()) {
        let text = bundle.to_json();
        let again = Bundle::from_json("bundle.json", text.as_bytes()).unwrap();
        prop_assert_eq!(&again.calls.len(), &bundle.calls.len());
        prop_assert_eq!(again.to_json(), text);
    }

    #[test]
    fn members_in_any_order_are_printed_in_that_order(bundle in bundle(), seed in any::<usize>()) {
        let Value::Object(members) = bundle.to_value() else { unreachable!("a bundle is an object") };
        let mut members: Vec<_> = members.into_iter().collect();
        let length = members.len();
        members.rotate_left(seed % length);
        let text = Value::Object(members.into_iter().collect()).to_string();
        let again = Bundle::from_json("bundle.json", text.as_bytes()).unwrap();
        prop_assert_eq!(again.to_value().to_string(), text);
    }

    #[test]
    fn a_bundle_in_memory_and_its_text_give_the_same_world(mut bundle in bundle()) {
        for call in &mut bundle.calls {
            call.file = None;
        }
        let from_text = open_bytes("bundle.json", bundle.to_json().as_bytes());
        prop_assert_eq!(open_bundle(&bundle), from_text);
    }

    #[test]
    fn no_bytes_panic(name in ".{0,12}", bytes in vec(any::<u8>(), 0..200)) {
        let _ = open_bytes(&name, &bytes);
        let _ = open_bytes("x.json", &[b"{\"format\":\"launchpath-bundle/1\",\"calls\":", bytes.as_slice()].concat());
        let _ = open_bytes("x.zip", &[b"PK\x03\x04", bytes.as_slice()].concat());
    }

    #[test]
    fn no_json_panics(value in json_value(), member in "(Subnets|Role|events|Events|images|MetricDataResults|agentRuntimeArn|PrefixLists|Records)") {
        let document = serde_json::json!({ member: value }).to_string();
        let _ = open(&MemoryDocuments::from_iter([("x.json", document.as_bytes()), ("y", b"")]));
    }

    #[test]
    fn a_damaged_archive_does_not_panic(at in 0_usize..400, byte in any::<u8>()) {
        let bundle = br#"{"format":"launchpath-bundle/1","calls":[]}"#;
        let mut archive = crate::hostile::zip(&[("bundle.json", bundle), ("calls/c1.json", b"{}")]);
        let length = archive.len();
        archive[at % length] = byte;
        if let Ok(documents) = ZipDocuments::new(&archive) {
            let _ = open(&documents);
        }
    }
}

proptest! {
    // Each case reads the whole bundle.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_member_of_the_incident_may_be_anything(at in any::<prop::sample::Index>(), value in json_value()) {
        let path = crate::folder::scenarios().join("incident/as-collected.json");
        let mut bundle: Value = serde_json::from_slice(&crate::folder::file(&path).unwrap()).unwrap();
        let count = nodes(&mut bundle);
        *node(&mut bundle, &mut at.index(count)).unwrap() = value;
        if let Err(error) = open_bytes("bundle.json", bundle.to_string().as_bytes()) {
            prop_assert!(error.file() == Some("bundle.json"), "{error}");
        }
    }
}
