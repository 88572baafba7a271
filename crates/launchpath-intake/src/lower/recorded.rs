//! One call with its answer, and the questions every service asks of it.

use std::sync::Arc;

use launchpath_model::evidence::{CallError, Evidence, Outcome};
use launchpath_model::query::Read;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::IntakeError;
use crate::json::Place;

/// One call, its answer, and the place of the answer for errors.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) evidence: Arc<Evidence>,
    /// The answer; `null` when there is none.
    pub(crate) response: Value,
    /// Where the answer stands.
    pub(crate) place: Place,
}

impl Recorded {
    pub(crate) fn new(evidence: Evidence, response: Value, place: Place) -> Self {
        Self { evidence: Arc::new(evidence), response, place }
    }

    /// Whether the service answered.
    pub(crate) fn is_ok(&self) -> bool {
        self.evidence.outcome == Outcome::Ok
    }

    /// A text member of the request.
    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        self.evidence.request_member(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A member of the answer; `null` counts as missing.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.response.get(name).filter(|value| !value.is_null())
    }

    /// A text member of the answer.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The whole answer, typed; `None` when there is none.
    pub(crate) fn whole<T: DeserializeOwned>(&self) -> Result<Option<T>, IntakeError> {
        if !self.is_ok() || self.response.is_null() {
            return Ok(None);
        }
        must_be_object(&self.place, &self.response)?;
        self.place.typed(&self.response).map(Some)
    }

    /// A member of the answer, typed; `None` when the call was not answered or the answer has no such member.
    pub(crate) fn typed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, IntakeError> {
        if !self.is_ok() {
            return Ok(None);
        }
        if !self.response.is_null() {
            must_be_object(&self.place, &self.response)?;
        }
        self.member(name).map(|value| self.place.member(name).typed(value)).transpose()
    }

    /// An object member of the answer, typed; `None` when the call was not answered or the answer has no such member.
    pub(crate) fn object<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, IntakeError> {
        if self.is_ok()
            && let Some(value) = self.member(name)
        {
            must_be_object(&self.place.member(name), value)?;
        }
        self.typed(name)
    }

    /// A list of objects, typed; `None` when the call was not answered or the answer has no such member.
    pub(crate) fn objects<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Vec<T>>, IntakeError> {
        for (index, row) in self.raw_rows(name).iter().enumerate() {
            must_be_object(&self.place.member(name).index(index), row)?;
        }
        self.typed(name)
    }

    /// The rows of a list member; each must name itself in the text member `id_member`.
    pub(crate) fn rows<T: DeserializeOwned>(
        &self,
        name: &str,
        id_member: &str,
    ) -> Result<Option<Vec<T>>, IntakeError> {
        let rows = self.objects::<T>(name)?;
        for (index, row) in self.raw_rows(name).iter().enumerate() {
            if row.get(id_member).and_then(Value::as_str).is_none_or(str::is_empty) {
                let place = self.place.member(name).index(index);
                return Err(place.error(format!("a member `{id_member}`"), "none"));
            }
        }
        Ok(rows)
    }

    /// The rows of a list member as received; empty when there is none or the call was not answered.
    pub(crate) fn raw_rows(&self, name: &str) -> &[Value] {
        match self.member(name) {
            Some(Value::Array(rows)) if self.is_ok() => rows,
            _ => &[],
        }
    }

    /// For a loose file, whose request nobody wrote down: the one candidate that its name holds, or the only candidate.
    ///
    /// `None` for recorded requests: those say themselves what they asked.
    pub(crate) fn only_one_of<'a>(&self, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        if self.evidence.request.is_some() {
            return None;
        }
        let candidates: std::collections::BTreeSet<&str> = candidates.collect();
        let file = self.evidence.file.as_deref().unwrap_or_default();
        let mut named = candidates.iter().filter(|candidate| names(file, candidate));
        match (named.next(), named.next()) {
            (Some(one), None) => Some(one),
            (None, _) => candidates.first().filter(|_| candidates.len() == 1).copied(),
            (Some(_), Some(_)) => None,
        }
    }

    /// The read this call amounts to.
    ///
    /// A "not found" for several ids at once rules out only those that the message names.
    ///
    /// AWS: EC2 fails the whole request when one of the ids does not exist, and names it in the message,
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
    pub(crate) fn read(&self, rows: usize) -> Read {
        let mut call = self.asked_in_target_words();
        if call.outcome == Outcome::NotFound {
            let call = Arc::make_mut(&mut call);
            if !narrow_to_named(call) {
                call.outcome = Outcome::Error;
            }
        }
        Read::new(call, rows)
    }

    /// The evidence with a request that selects by the names that targets declare. What the bundle says stays as it is.
    fn asked_in_target_words(&self) -> Arc<Evidence> {
        let mut call = Arc::clone(&self.evidence);
        if call.service == "logs"
            && let Some(Value::Object(request)) = &mut Arc::make_mut(&mut call).request
        {
            super::logs::select_by_name(request);
        }
        // A request that lacks what the operation demands was not written down in full: it must not read as "all".
        let demanded = DEMANDED.iter().filter(|(operation, _)| *operation == call.operation);
        let mut missing =
            demanded.flat_map(|(_, members)| *members).filter(|name| call.request_member(name).is_none());
        if missing.next().is_some() {
            Arc::make_mut(&mut call).request = None;
        }
        call
    }

    /// The read of a call that was refused, or answered without the member it should have: the latter proves nothing.
    pub(crate) fn read_without(&self, member: &str) -> Read {
        if !self.is_ok() {
            return self.read(0);
        }
        let mut shared = self.asked_in_target_words();
        let call = Arc::make_mut(&mut shared);
        call.outcome = Outcome::Error;
        call.error = Some(CallError { code: format!("an answer without {member}"), ..CallError::default() });
        Read::new(shared, 0)
    }

    /// Marks the evidence as incomplete when the answer says that more follows.
    pub(crate) fn note_completeness(&mut self) {
        let more = ["NextToken", "nextToken"].iter().any(|name| self.text(name).is_some())
            || ["IsTruncated", "AdditionalRoutesAvailable"]
                .iter()
                .any(|name| self.member(name).is_some_and(|value| value == &Value::Bool(true)))
            || self.log_page_is_not_the_last();
        if self.is_ok() && more {
            Arc::make_mut(&mut self.evidence).complete = false;
        }
    }

    /// AWS: GetLogEvents is at the end when it returns the token that it was called with,
    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>
    fn log_page_is_not_the_last(&self) -> bool {
        let asked = self.asked("nextToken");
        let tokens = [self.text("nextForwardToken"), self.text("nextBackwardToken")];
        tokens.iter().any(Option::is_some) && !tokens.contains(&asked)
    }
}

/// Derived readers take a list for an object, member by member; no AWS answer means that.
fn must_be_object(place: &Place, value: &Value) -> Result<(), IntakeError> {
    if value.is_object() { Ok(()) } else { Err(place.error("an object", crate::json::excerpt(value))) }
}

/// Members without which AWS refuses the request, by operation (log groups by the name [`super::logs`] gives them).
const DEMANDED: &[(&str, &[&str])] = &[
    ("GetAgentRuntime", &["agentRuntimeId"]),
    ("ListAgentRuntimeVersions", &["agentRuntimeId"]),
    ("ListAgentRuntimeEndpoints", &["agentRuntimeId"]),
    ("GetAgentRuntimeEndpoint", &["agentRuntimeId", "endpointName"]),
    ("DescribeVpcAttribute", &["VpcId", "Attribute"]),
    ("GetManagedPrefixListEntries", &["PrefixListId"]),
    ("SearchTransitGatewayRoutes", &["TransitGatewayRouteTableId"]),
    ("GetTransitGatewayRouteTablePropagations", &["TransitGatewayRouteTableId"]),
    ("DescribeImages", &["repositoryName"]),
    ("BatchGetImage", &["repositoryName", "imageIds"]),
    ("GetRepositoryPolicy", &["repositoryName"]),
    ("GetRole", &["RoleName"]),
    ("ListRolePolicies", &["RoleName"]),
    ("GetRolePolicy", &["RoleName", "PolicyName"]),
    ("ListAttachedRolePolicies", &["RoleName"]),
    ("GetPolicy", &["PolicyArn"]),
    ("GetPolicyVersion", &["PolicyArn", "VersionId"]),
    ("DescribeLogStreams", &["logGroupName"]),
    ("FilterLogEvents", &["logGroupName"]),
    ("GetLogEvents", &["logGroupName", "logStreamName"]),
    ("HeadObject", &["Bucket", "Key"]),
    ("ListHostedZonesByVPC", &["VPCId"]),
    ("ListResourceRecordSets", &["HostedZoneId"]),
    ("GetImageConfig", &["repositoryName", "digest"]),
];

/// Request members that hold conditions, not ids.
const CONDITIONS: &[&str] = &["Filters", "Filter", "filters", "LookupAttributes", "acceptedMediaTypes"];

/// Reduces lists of ids in the request to those that the error message names. False when one of them ends up empty.
fn narrow_to_named(call: &mut Evidence) -> bool {
    let message = call.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    let Some(Value::Object(members)) = &mut call.request else {
        return true;
    };
    for (name, value) in members {
        let Value::Array(items) = value else { continue };
        if items.len() < 2 || CONDITIONS.contains(&name.as_str()) {
            continue;
        }
        items.retain(|item| match item {
            Value::String(id) => names(&message, id),
            Value::Object(members) => {
                members.values().filter_map(Value::as_str).any(|id| names(&message, id))
            }
            _ => false,
        });
        if items.is_empty() {
            return false;
        }
    }
    true
}

/// Whether `message` holds `id` as a word of its own.
fn names(message: &str, id: &str) -> bool {
    let part_of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !id.is_empty()
        && message.match_indices(id).any(|(at, _)| {
            let before = message[..at].chars().next_back();
            let after = message[at + id.len()..].chars().next();
            !before.is_some_and(part_of_id) && !after.is_some_and(part_of_id)
        })
}

#[cfg(test)]
mod tests {
    use super::{Recorded, names};
    use crate::json::Place;
    use launchpath_model::evidence::{CallError, Evidence, EvidenceId, Outcome};
    use launchpath_model::query::{ReadState, Target, prove_absent};
    use serde_json::{Value, json};

    fn recorded(request: Value, outcome: Outcome, message: &str, response: Value) -> Recorded {
        let evidence = Evidence {
            id: EvidenceId::from("c1"),
            service: "ec2".to_owned(),
            operation: "DescribeSubnets".to_owned(),
            region: None,
            account: None,
            request: Some(request),
            at: None,
            outcome,
            error: Some(CallError { message: message.to_owned(), ..CallError::default() }),
            complete: true,
            file: None,
        };
        Recorded::new(evidence, response, Place::default())
    }

    #[test]
    fn a_not_found_of_several_ids_rules_out_only_the_named_one() {
        let request = json!({ "SubnetIds": ["subnet-1", "subnet-2"] });
        let message = "The subnet ID 'subnet-2' does not exist";
        let read = recorded(request, Outcome::NotFound, message, Value::Null).read(0);
        let subnet = |id: &str| Target::new(id, "").with("SubnetIds", id);
        assert!(prove_absent([&read], &subnet("subnet-2")).is_ok());
        assert!(prove_absent([&read], &subnet("subnet-1")).is_err());
    }

    #[test]
    fn a_not_found_that_names_none_of_several_ids_proves_nothing() {
        let request = json!({ "SubnetIds": ["subnet-1", "subnet-2"] });
        let read = recorded(request, Outcome::NotFound, "not found", Value::Null).read(0);
        assert_eq!(read.state, ReadState::Failed);
    }

    #[test]
    fn an_answer_without_its_list_proves_nothing() {
        let read = recorded(json!({}), Outcome::Ok, "", json!({})).read_without("Subnets");
        assert!(prove_absent([&read], &Target::new("a subnet", "")).is_err());
    }

    #[test]
    fn pages_that_follow_make_the_evidence_incomplete() {
        for (request, response, complete) in [
            (json!({}), json!({ "NextToken": "x" }), false),
            (json!({}), json!({ "nextToken": null }), true),
            (json!({}), json!({ "NextToken": "" }), true),
            (json!({}), json!({ "IsTruncated": true, "Marker": "m" }), false),
            (json!({}), json!({ "IsTruncated": false }), true),
            (json!({}), json!({ "nextForwardToken": "f/2", "nextBackwardToken": "b/1" }), false),
            (
                json!({ "nextToken": "f/2" }),
                json!({ "nextForwardToken": "f/2", "nextBackwardToken": "b/1" }),
                true,
            ),
        ] {
            let mut call = recorded(request, Outcome::Ok, "", response.clone());
            call.note_completeness();
            assert_eq!(call.evidence.complete, complete, "{response}");
        }
    }

    #[test]
    fn an_id_is_named_only_as_a_whole_word() {
        assert!(names("imageTag:'v1'}", "v1"));
        assert!(!names("imageTag:'v10'}", "v1"));
        assert!(!names("sg-12 sg-123", "sg-1"));
        assert!(!names("anything", ""));
    }
}
