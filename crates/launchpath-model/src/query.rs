//! When a "not found" counts: the query-validity rule.
//!
//! An empty answer proves absence only of what the question could have shown: right account and Region, filters that
//! cover the thing, pages finished, a time window that holds it with the delivery lag respected. [`prove_absent`] is
//! the only way to an [`Absence`]; everything else becomes a [`Gap`] that says why the query was blind.
//!
//! The founding incident fell for exactly this: an interface was searched by its description, and the service
//! leaves the description empty.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::evidence::{Evidence, EvidenceId, Outcome};
use crate::ids::{AccountId, Region};
use crate::known::{Absence, Gap, GapReason};
use crate::time::Timestamp;

/// The five states of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadState {
    /// Answered, with rows.
    Seen,
    /// Answered, without rows (or the service said "no such thing").
    SeenEmpty,
    /// Refused.
    Denied,
    /// Failed or throttled.
    Failed,
    /// Nobody asked.
    NotAsked,
}

/// One query of a kind of thing, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The call, without its rows.
    pub call: Arc<Evidence>,
    /// How it ended.
    pub state: ReadState,
}

impl Read {
    /// The read a call amounts to, given how many rows it brought.
    pub fn new(call: impl Into<Arc<Evidence>>, rows: usize) -> Self {
        let call = call.into();
        let state = match call.outcome {
            Outcome::Ok if rows > 0 => ReadState::Seen,
            Outcome::Ok | Outcome::NotFound => ReadState::SeenEmpty,
            Outcome::Denied => ReadState::Denied,
            Outcome::Error | Outcome::Throttled => ReadState::Failed,
        };
        Self { call, state }
    }

    /// The call, to put what it asked into other words.
    pub fn call_mut(&mut self) -> &mut Evidence {
        Arc::make_mut(&mut self.call)
    }
}

/// The thing whose absence is asked about: what is known of it, in the words of the query's own filters.
///
/// A filter on an attribute the target does not declare excludes the proof: we do not know that the filter lets the
/// thing through.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// In words, for the gap: "an AgentCore interface in subnet-1".
    pub what: String,
    /// The Region it would be in; `None` for global things.
    pub region: Option<Region>,
    /// The account it would be in.
    pub account: Option<AccountId>,
    attributes: BTreeMap<String, Vec<String>>,
    demands: Vec<(String, String)>,
    window: Option<(Timestamp, Timestamp)>,
    lag_seconds: i64,
    /// The command that would decide.
    pub command: String,
}

impl Target {
    /// A thing in words, and the command that would show it.
    pub fn new(what: impl Into<String>, command: impl Into<String>) -> Self {
        Self { what: what.into(), command: command.into(), ..Self::default() }
    }

    /// The Region it would be in.
    pub fn in_region(mut self, region: Option<&Region>) -> Self {
        self.region = region.cloned();
        self
    }

    /// The account it would be in.
    pub fn in_account(mut self, account: Option<&AccountId>) -> Self {
        self.account = account.cloned();
        self
    }

    /// Declares an attribute by the name of the filter or request member that selects on it
    /// (`vpc-id`, `SubnetIds`, `tag:Name`, `EventName`, …). Several values: it has each of them.
    pub fn with(mut self, filter: &str, value: impl Into<String>) -> Self {
        self.attributes.entry(filter.to_owned()).or_default().push(value.into());
        self
    }

    /// Only a query that names the request member `member` could see it; `why` says what others look at instead.
    pub fn only_if_asked(mut self, member: &str, why: impl Into<String>) -> Self {
        self.demands.push((member.to_owned(), why.into()));
        self
    }

    /// It would have happened in this window, and shows up `lag_seconds` later at the latest.
    pub fn between(mut self, from: Timestamp, to: Timestamp, lag_seconds: i64) -> Self {
        self.window = Some((from, to));
        self.lag_seconds = lag_seconds;
        self
    }
}

/// Request members that page, format or time a query without excluding anything by themselves.
const NEUTRAL_MEMBERS: &[&str] = &[
    "MaxResults",
    "maxResults",
    "MaxItems",
    "PageSize",
    "NextToken",
    "nextToken",
    "Marker",
    "limit",
    "DryRun",
    "AllAvailabilityZones",
    "AllRegions",
    "interleaved",
    "startFromHead",
    "includeShadowTrails",
    "IncludeAllInstances",
    "IncludeManagedResources",
    "orderBy",
    "descending",
];

/// Request members that hold a start or an end of the time searched.
const START_MEMBERS: &[&str] = &["StartTime", "startTime"];
const END_MEMBERS: &[&str] = &["EndTime", "endTime"];

/// Whether the query names another thing by its identity (`RoleName`, `SubnetIds`, a log group's name): then it is no answer
/// about the target at all, neither blind nor refused.
fn is_about_another(read: &Read, target: &Target) -> bool {
    let Some(request) = read.call.request.as_ref().and_then(Value::as_object) else {
        return false;
    };
    request.iter().any(|(name, value)| {
        let by_identity = !FILTER_MEMBERS.contains(&name.as_str()) && !is_neutral(name);
        let wanted = texts_of(Some(value));
        let exact = !wanted.is_empty() && !wanted.iter().any(|text| text.contains(['*', '?']));
        by_identity
            && exact
            && target.attributes.get(name).is_some_and(|has| !has.iter().any(|value| wanted.contains(value)))
    })
}

/// Request members that hold filters.
const FILTER_MEMBERS: &[&str] = &["Filters", "Filter", "filters", "LookupAttributes"];

fn is_neutral(name: &str) -> bool {
    NEUTRAL_MEMBERS.contains(&name) || START_MEMBERS.contains(&name) || END_MEMBERS.contains(&name)
}

/// Why this query could not have seen the target; empty when it could.
pub fn blind_spots(read: &Read, target: &Target) -> Vec<String> {
    let call = &read.call;
    let mut why = Vec::new();
    let Some(request) = &call.request else {
        return vec!["the request is not recorded, so the answer may have been filtered".to_owned()];
    };
    if let (Some(asked), Some(wanted)) = (&call.region, &target.region)
        && asked != wanted
    {
        why.push(format!("it asked Region {asked}, not {wanted}"));
    }
    if let (Some(asked), Some(wanted)) = (&call.account, &target.account)
        && asked != wanted
    {
        why.push(format!("it asked account {asked}, not {wanted}"));
    }
    if !call.complete {
        why.push("more pages follow that were not read".to_owned());
    }
    for (member, reason) in &target.demands {
        if request.get(member).is_none() {
            why.push(format!("it does not name {member}: {reason}"));
        }
    }
    for (name, value) in request.as_object().into_iter().flatten() {
        member_blind_spots(name, value, target, &mut why);
    }
    window_blind_spots(request, call.at, target, &mut why);
    why
}

fn member_blind_spots(name: &str, value: &Value, target: &Target, why: &mut Vec<String>) {
    if is_neutral(name) {
        return;
    }
    match name {
        "Filters" | "Filter" | "filters" => {
            for filter in value.as_array().into_iter().flatten() {
                let key = text_of(filter.get("Name").or_else(|| filter.get("name")));
                let values = texts_of(filter.get("Values").or_else(|| filter.get("values")));
                selector_blind_spot(&key, &values, target, why);
            }
        }
        "LookupAttributes" => {
            for attribute in value.as_array().into_iter().flatten() {
                let key = text_of(attribute.get("AttributeKey"));
                selector_blind_spot(&key, &[text_of(attribute.get("AttributeValue"))], target, why);
            }
        }
        _ => selector_blind_spot(name, &texts_of(Some(value)), target, why),
    }
}

fn selector_blind_spot(key: &str, wanted: &[String], target: &Target, why: &mut Vec<String>) {
    if wanted.is_empty() {
        return;
    }
    let shown = wanted.join(", ");
    match target.attributes.get(key) {
        None => {
            why.push(format!(
                "it selects on {key} = {shown}, and nothing says that {} has that",
                target.what
            ));
        }
        Some(has) if has.iter().any(|value| wanted.iter().any(|pattern| wildcard_match(pattern, value))) => {}
        Some(has) => {
            let is = if has.iter().all(String::is_empty) { "empty".to_owned() } else { has.join(", ") };
            why.push(format!("it selects on {key} = {shown}; the {key} of {} is {is}", target.what));
        }
    }
}

fn window_blind_spots(request: &Value, at: Option<Timestamp>, target: &Target, why: &mut Vec<String>) {
    let time_of = |names: &[&str]| {
        let value = names.iter().find_map(|name| request.get(*name))?;
        serde_json::from_value::<Timestamp>(value.clone()).ok()
    };
    let Some((from, to)) = target.window else {
        return;
    };
    if let Some(start) = time_of(START_MEMBERS)
        && start > from
    {
        why.push(format!("it searched from {start}, and this may have happened from {from}"));
    }
    if let Some(end) = time_of(END_MEMBERS)
        && end < to
    {
        why.push(format!("it searched to {end}, and this may have happened until {to}"));
    }
    match at {
        Some(at) if at < to.plus_seconds(target.lag_seconds) => why.push(format!(
            "it was asked at {at}; such records arrive up to {} minutes late",
            target.lag_seconds / 60
        )),
        Some(_) => {}
        None => why.push("when it was asked is not recorded".to_owned()),
    }
}

/// `*` and `?` as EC2 filters understand them.
fn wildcard_match(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*' {
            p += 1;
            t += 1;
        } else if p < pattern.len() && pattern[p] == '*' {
            star = Some(p);
            mark = t;
            p += 1;
        } else if let Some(at) = star {
            p = at + 1;
            mark += 1;
            t = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn texts_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                // ECR's imageIds: [{"imageTag": "latest"}] selects on the tag or digest it names.
                Value::Object(members) => {
                    members.values().map(|v| text_of(Some(v))).collect::<Vec<_>>().join("/")
                }
                other => text_of(Some(other)),
            })
            .collect(),
        Some(Value::Null) | None => Vec::new(),
        other => vec![text_of(other)],
    }
}

/// Proves that the target is not there, or says why that cannot be said.
///
/// `reads` are all queries of the target's kind; rows that match the target must have been ruled out by the caller.
pub fn prove_absent<'a>(reads: impl IntoIterator<Item = &'a Read>, target: &Target) -> Result<Absence, Gap> {
    let mut proofs = Vec::new();
    let mut blind: Vec<(EvidenceId, String)> = Vec::new();
    let mut refused: Option<Gap> = None;
    for read in reads.into_iter().filter(|read| !is_about_another(read, target)) {
        match read.state {
            ReadState::Seen | ReadState::SeenEmpty => {
                let spots = blind_spots(read, target);
                if spots.is_empty() {
                    proofs.push(read.call.id.clone());
                } else {
                    blind.push((read.call.id.clone(), spots.join("; ")));
                }
            }
            ReadState::Denied | ReadState::Failed => {
                refused = refused.or_else(|| Some(refusal(&read.call, target)));
            }
            ReadState::NotAsked => {}
        }
    }
    if !proofs.is_empty() {
        proofs.sort();
        return Ok(Absence::proven_by(proofs));
    }
    if let Some(gap) = refused {
        return Err(gap);
    }
    let Some((_, why)) = blind.first() else {
        return Err(Gap::not_asked(&target.what, &target.command));
    };
    Err(Gap {
        what: target.what.clone(),
        reason: GapReason::NotVisible { why: why.clone() },
        evidence: blind.iter().map(|(id, _)| id.clone()).collect(),
        command: Some(target.command.clone()),
    })
}

/// The gap that a refused, failed or throttled call leaves.
pub fn refusal(call: &Evidence, target: &Target) -> Gap {
    let reason = match call.outcome {
        Outcome::Denied => GapReason::Denied { action: call.iam_action() },
        Outcome::Throttled => GapReason::Throttled,
        _ => GapReason::Failed { code: call.error.as_ref().map(|e| e.code.clone()).unwrap_or_default() },
    };
    Gap {
        what: target.what.clone(),
        reason,
        evidence: vec![call.id.clone()],
        command: Some(target.command.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, Target, prove_absent, wildcard_match};
    use crate::evidence::{Evidence, EvidenceId, Outcome};
    use crate::ids::Region;
    use crate::known::GapReason;
    use serde_json::{Value, json};

    fn read(request: Option<Value>, outcome: Outcome) -> Read {
        let call = Evidence {
            id: EvidenceId::from("c1"),
            service: "ec2".into(),
            operation: "DescribeNetworkInterfaces".into(),
            region: Some(Region::from("us-east-1")),
            account: None,
            request,
            at: "2025-10-18T04:23:40Z".parse().ok(),
            outcome,
            error: None,
            complete: true,
            file: None,
        };
        Read::new(call, 0)
    }

    fn agentcore_interface() -> Target {
        Target::new("an AgentCore interface", "aws ec2 describe-network-interfaces")
            .in_region(Some(&Region::from("us-east-1")))
            .with("subnet-id", "subnet-1")
            .with("description", "")
    }

    #[test]
    fn a_filter_on_the_description_proves_nothing() {
        let request = json!({ "Filters": [{ "Name": "description", "Values": ["*bedrock*"] }] });
        let gap = prove_absent([&read(Some(request), Outcome::Ok)], &agentcore_interface()).unwrap_err();
        assert_eq!(
            gap.reason,
            GapReason::NotVisible {
                why: "it selects on description = *bedrock*; the description of an AgentCore interface is empty".into()
            }
        );
    }

    #[test]
    fn a_filter_on_the_subnet_proves_absence() {
        let request = json!({ "Filters": [{ "Name": "subnet-id", "Values": ["subnet-1"] }] });
        assert!(prove_absent([&read(Some(request), Outcome::Ok)], &agentcore_interface()).is_ok());
    }

    #[test]
    fn another_subnet_another_region_an_unknown_filter_and_an_unknown_request_prove_nothing() {
        let elsewhere = Target::new("it", "").in_region(Some(&Region::from("eu-west-1")));
        assert!(prove_absent([&read(Some(json!({})), Outcome::Ok)], &elsewhere).is_err());
        for request in [
            Some(json!({ "Filters": [{ "Name": "subnet-id", "Values": ["subnet-2"] }] })),
            Some(json!({ "Filters": [{ "Name": "owner-id", "Values": ["1"] }] })),
            Some(json!({ "NetworkInterfaceIds": ["eni-1"] })),
            None,
        ] {
            assert!(prove_absent([&read(request, Outcome::Ok)], &agentcore_interface()).is_err());
        }
    }

    #[test]
    fn a_question_about_another_thing_is_no_answer_about_this_one() {
        let role = Target::new("role a", "aws iam get-role --role-name a").with("RoleName", "a");
        for outcome in [Outcome::Ok, Outcome::NotFound, Outcome::Denied] {
            let gap = prove_absent([&read(Some(json!({ "RoleName": "b" })), outcome)], &role).unwrap_err();
            assert_eq!(gap.reason, GapReason::NotAsked);
        }
    }

    #[test]
    fn a_refusal_is_the_reason() {
        let gap =
            prove_absent([&read(Some(json!({})), Outcome::Denied)], &agentcore_interface()).unwrap_err();
        assert_eq!(gap.reason, GapReason::Denied { action: "ec2:DescribeNetworkInterfaces".into() });
    }

    #[test]
    fn an_event_needs_its_window_and_its_lag() {
        let time = |text: &str| text.parse().ok();
        let (Some(from), Some(to)) = (time("2025-10-18T04:00:00Z"), time("2025-10-18T04:20:00Z")) else {
            unreachable!("both are times")
        };
        let target = Target::new("an event", "").between(from, to, 900);
        let gap = prove_absent([&read(Some(json!({})), Outcome::Ok)], &target).unwrap_err();
        assert!(matches!(gap.reason, GapReason::NotVisible { why } if why.contains("15 minutes late")));
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*bedrock*", "x bedrock y", true),
            ("*bedrock*", "", false),
            ("a?c", "abc", true),
            ("*", "", true),
            ("a*", "b", false),
        ] {
            assert_eq!(wildcard_match(pattern, text), expected, "{pattern} {text}");
        }
    }
}
