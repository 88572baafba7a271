//! Citations: that each resolves in the bundle and says what is claimed.
//!
//! What a value proves is not judged here. Start with [`check_all`].

use serde_json::Value;

use crate::bundle::Bundle;
use crate::cause::excluded;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::{Shown, list, text};

/// Checks every claim of a statement and that every call it rests on is in the certificate's list; says how many claims cite a
/// value, and whether all hold.
pub(crate) fn check_all(
    certificate: &Value,
    statement: &Value,
    at: &str,
    bundle: &Bundle,
    notes: &mut Notes,
) -> (usize, bool) {
    let mut all = true;
    for (index, id) in list(statement, "evidence").iter().enumerate() {
        let id = id.as_str().unwrap_or_default();
        if certificate["calls"].get(id).is_none() {
            let found = fails("the certificate has no digest of it");
            notes.note(format!("{at}/evidence/{index}"), format!("it rests on call {id}"), found);
            all = false;
        }
    }
    let mut values = 0;
    for (index, claim) in list(statement, "claims").iter().enumerate() {
        let cited = text(claim, "call");
        let listed = list(statement, "evidence").iter().any(|id| id.as_str() == Some(cited));
        let found = if listed {
            evaluate(claim, bundle)
        } else {
            fails("it cites a call that the statement does not rest on")
        };
        values += usize::from(text(claim, "claim") != "outcome");
        let standing = notes.note(format!("{at}/claims/{index}"), words(claim), found);
        all &= standing == Standing::Holds;
    }
    (values, all)
}

/// What the claim says.
fn words(claim: &Value) -> String {
    let place = format!("{} of call {}", text(claim, "pointer"), text(claim, "call"));
    match text(claim, "claim") {
        "outcome" => match claim["code"].as_str() {
            Some(code) => {
                format!("call {} ended with {} ({code})", text(claim, "call"), text(claim, "outcome"))
            }
            None => format!("call {} ended with {}", text(claim, "call"), text(claim, "outcome")),
        },
        "value" => format!("{place} is {}", claim["equals"]),
        "contains" => format!("{place} holds {}", claim["text"]),
        "empty" => format!("{place} is an empty list of a whole answer"),
        other => format!("a claim of the kind {other:?}"),
    }
}

fn evaluate(claim: &Value, bundle: &Bundle) -> Found {
    match text(claim, "claim") {
        "outcome" => outcome(claim, bundle),
        "value" => match bundle.at(claim) {
            Ok(found) if *found == claim["equals"] => holds("it is"),
            Ok(found) => fails(format!("it is {}", excerpt(&found))),
            Err(why) => fails(why),
        },
        "contains" => match (bundle.at(claim), claim["text"].as_str()) {
            (Ok(found), Some(part))
                if !part.is_empty() && found.as_str().is_some_and(|text| text.contains(part)) =>
            {
                holds("it does")
            }
            (Ok(found), _) => fails(format!("it is {}", excerpt(&found))),
            (Err(why), _) => fails(why),
        },
        "empty" => match bundle.at(claim) {
            Ok(found) if found.as_array().is_some_and(Vec::is_empty) => whole(claim, bundle),
            Ok(found) => fails(format!("it is {}", excerpt(&found))),
            Err(why) => fails(why),
        },
        other => not_checked(format!("a kind of claim that this version does not know: {other:?}")),
    }
}

fn outcome(claim: &Value, bundle: &Bundle) -> Found {
    let id = text(claim, "call");
    let Some(call) = bundle.call(id) else { return fails("the bundle has no such call") };
    let (ended, code) = (text(call, "outcome"), call.pointer("/error/code"));
    if ended != text(claim, "outcome") {
        return fails(format!("it ended with {ended:?}"));
    }
    if code.and_then(Value::as_str) != claim["code"].as_str() {
        return fails(format!("its code is {}", code.unwrap_or(&Value::Null)));
    }
    holds("it did")
}

/// Whether the answer holds everything: it succeeded and names no next page.
fn whole(claim: &Value, bundle: &Bundle) -> Found {
    let Some(call) = bundle.call(text(claim, "call")) else { return fails("the bundle has no such call") };
    if text(call, "outcome") != "ok" {
        return fails(format!("the call ended with {:?}", text(call, "outcome")));
    }
    let page = ["nextToken", "NextToken", "NextMarker", "Marker", "next_token"];
    let next = page.iter().find(|member| call["response"][**member].as_str().is_some_and(|t| !t.is_empty()));
    match next {
        Some(member) => fails(format!("the answer goes on: it has a {member}")),
        None if call["response"]["IsTruncated"] == Value::Bool(true) => fails("the answer is cut off"),
        None => holds("it is, and no page follows"),
    }
}

/// A value, not longer than a line.
pub(crate) fn excerpt(value: &Value) -> String {
    let whole = match value {
        // A document that only its size tells from a value is not printed to be cut.
        Value::Array(items) => return format!("a list of {}", items.len()),
        Value::Object(members) => return format!("an object of {} members", members.len()),
        scalar => scalar.to_string(),
    };
    if whole.chars().count() <= 80 { whole } else { whole.chars().take(79).chain(['…']).collect() }
}

/// The exclusions: their citations, and the rule by which they exclude, for the kinds that have one.
pub(crate) fn check_exclusions(shown: &Shown, notes: &mut Notes) {
    for (index, ruled) in list(shown.certificate, "ruled_out").iter().enumerate() {
        let at = format!("/ruled_out/{index}");
        let (values, all) = check_all(shown.certificate, ruled, &at, shown.bundle, notes);
        let what = format!("{} is not the cause: {}", text(ruled, "fault"), text(ruled, "because"));
        let found = if list(ruled, "evidence").is_empty() {
            fails("it rests on nothing")
        } else if !all {
            fails("a citation does not hold")
        } else if let Some(rule) = excluded(text(ruled, "fault"), shown) {
            holds(rule)
        } else if values == 0 {
            not_checked("its calls are there; no value is cited")
        } else {
            not_checked("the values it names are there; that they exclude the fault was not re-checked")
        };
        notes.note(at, what, found);
    }
}
