//! Loose answers of the AWS CLI, saved one by one: recognised by their members, whatever the file is called.
//!
//! Nobody wrote their requests down, so an empty list in them proves nothing. A saved refusal ("An error occurred
//! (AccessDenied) when calling …") counts as a refused call. Start with [`MEMBERS`].

use launchpath_model::World;
use launchpath_model::evidence::{CallError, Evidence, EvidenceId, Outcome};
use launchpath_model::ids::{AccountId, Region};
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::documents::{MAX_DOCUMENT_BYTES, ReadError};
use crate::error::{IntakeError, Problem};
use crate::json::{Place, parse, text};
use crate::lower::{self, Recorded};
use crate::open::{Reader, outcome_of_text};

/// A list (or object) member that only one operation answers with: member, service, operation.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("Vpcs", "ec2", "DescribeVpcs"),
    ("DhcpOptions", "ec2", "DescribeDhcpOptions"),
    ("Subnets", "ec2", "DescribeSubnets"),
    ("AvailabilityZones", "ec2", "DescribeAvailabilityZones"),
    ("RouteTables", "ec2", "DescribeRouteTables"),
    ("NetworkAcls", "ec2", "DescribeNetworkAcls"),
    ("SecurityGroups", "ec2", "DescribeSecurityGroups"),
    ("VpcEndpoints", "ec2", "DescribeVpcEndpoints"),
    ("NatGateways", "ec2", "DescribeNatGateways"),
    ("InternetGateways", "ec2", "DescribeInternetGateways"),
    ("EgressOnlyInternetGateways", "ec2", "DescribeEgressOnlyInternetGateways"),
    ("VpnGateways", "ec2", "DescribeVpnGateways"),
    ("NetworkInterfaces", "ec2", "DescribeNetworkInterfaces"),
    ("Reservations", "ec2", "DescribeInstances"),
    ("VpcPeeringConnections", "ec2", "DescribeVpcPeeringConnections"),
    ("TransitGateways", "ec2", "DescribeTransitGateways"),
    ("TransitGatewayAttachments", "ec2", "DescribeTransitGatewayAttachments"),
    ("TransitGatewayVpcAttachments", "ec2", "DescribeTransitGatewayVpcAttachments"),
    ("TransitGatewayRouteTables", "ec2", "DescribeTransitGatewayRouteTables"),
    ("agentRuntimes", "bedrock-agentcore-control", "ListAgentRuntimes"),
    ("runtimeEndpoints", "bedrock-agentcore-control", "ListAgentRuntimeEndpoints"),
    ("imageDetails", "ecr", "DescribeImages"),
    ("images", "ecr", "BatchGetImage"),
    ("repositories", "ecr", "DescribeRepositories"),
    ("policyText", "ecr", "GetRepositoryPolicy"),
    ("Role", "iam", "GetRole"),
    ("Roles", "iam", "ListRoles"),
    ("PolicyNames", "iam", "ListRolePolicies"),
    ("AttachedPolicies", "iam", "ListAttachedRolePolicies"),
    ("PolicyVersion", "iam", "GetPolicyVersion"),
    ("logGroups", "logs", "DescribeLogGroups"),
    ("logStreams", "logs", "DescribeLogStreams"),
    ("events", "logs", "FilterLogEvents"),
    ("Events", "cloudtrail", "LookupEvents"),
    ("Records", "cloudtrail", "LookupEvents"),
    ("MetricDataResults", "cloudwatch", "GetMetricData"),
    ("Datapoints", "cloudwatch", "GetMetricStatistics"),
    ("HostedZoneSummaries", "route53", "ListHostedZonesByVPC"),
    ("ResourceRecordSets", "route53", "ListResourceRecordSets"),
    ("ProfileAssociations", "route53profiles", "ListProfileAssociations"),
    ("ProfileResourceAssociations", "route53profiles", "ListProfileResourceAssociations"),
    ("ResolverRules", "route53resolver", "ListResolverRules"),
    ("ResolverRuleAssociations", "route53resolver", "ListResolverRuleAssociations"),
    ("Entries", "ec2", "GetManagedPrefixListEntries"),
    ("Routes", "ec2", "SearchTransitGatewayRoutes"),
    ("TransitGatewayRouteTablePropagations", "ec2", "GetTransitGatewayRouteTablePropagations"),
];

/// Operations whose refusal can be read from a saved error text, beside those of [`MEMBERS`].
const OTHER_OPERATIONS: &[(&str, &str)] = &[
    ("bedrock-agentcore-control", "GetAgentRuntime"),
    ("bedrock-agentcore-control", "GetAgentRuntimeEndpoint"),
    ("bedrock-agentcore-control", "ListAgentRuntimeVersions"),
    ("bedrock-agentcore", "InvokeAgentRuntime"),
    ("ec2", "DescribeVpcAttribute"),
    ("ec2", "DescribeManagedPrefixLists"),
    ("ec2", "DescribePrefixLists"),
    ("iam", "GetRolePolicy"),
    ("iam", "GetPolicy"),
    ("logs", "GetLogEvents"),
    ("s3", "HeadObject"),
    ("sts", "GetCallerIdentity"),
];

/// Operations whose answer does not say what it belongs to: lowered last, when the other files tell the candidates.
const NEED_OTHERS: &[&str] = &[
    "ListRolePolicies",
    "ListAttachedRolePolicies",
    "GetPolicyVersion",
    "DescribeLogStreams",
    "FilterLogEvents",
    "ListHostedZonesByVPC",
    "ListResourceRecordSets",
    "ListProfileResourceAssociations",
    "GetManagedPrefixListEntries",
    "SearchTransitGatewayRoutes",
    "GetTransitGatewayRouteTablePropagations",
];

/// What the files of a directory turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// The one bundle among them, when it is alone.
    pub(crate) bundle: Option<(String, Value)>,
    calls: Vec<Recorded>,
    /// Files that are no answers, with the reason.
    others: Vec<(EvidenceId, String)>,
    /// The first part of a bundle without the rest: its file, and what it is.
    misshapen: Option<(String, String)>,
    next: usize,
}

impl Sorted {
    fn next_id(&mut self) -> EvidenceId {
        self.next += 1;
        EvidenceId::from(format!("f{}", self.next).as_str())
    }
}

/// Files that file managers and archivers leave behind.
pub(crate) fn is_litter(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/")
        || file.starts_with("._")
        || matches!(file, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

/// Whether the name promises JSON.
fn is_json(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".json")
}

/// Reads and recognises every document, in the order of their names.
pub(crate) fn read_all(reader: &mut Reader<'_>) -> Result<Sorted, IntakeError> {
    let names: Vec<String> = reader.names.keys().filter(|name| !is_litter(name)).cloned().collect();
    let mut sorted = Sorted::default();
    let mut bundles = Vec::new();
    for name in names {
        let document = match reader.read_unless_too_large(&name)? {
            Some(bytes) => document(&name, &bytes)?,
            // Something else lies there, such as an image; only what claims to be an answer must fit.
            None if !is_json(&name) => Document::Other("too large for an answer of the AWS CLI"),
            None => return Err(ReadError::TooLarge { limit: MAX_DOCUMENT_BYTES }.of(&name)),
        };
        match document {
            Document::Json(value) if Bundle::recognises(&value) => bundles.push((name, value)),
            Document::Json(value) => take_answers(&mut sorted, &name, value),
            Document::Refusal(service, operation, error) => {
                let id = sorted.next_id();
                let outcome = outcome_of_text(&error.code);
                let mut evidence = evidence(id, service, operation, &name);
                evidence.outcome = outcome;
                evidence.error = Some(error);
                sorted.calls.push(Recorded::new(evidence, Value::Null, Place::file(&name)));
            }
            Document::Other(why) => {
                let id = sorted.next_id();
                sorted.others.push((id, format!("{name}: {why}")));
            }
        }
    }
    match bundles.as_slice() {
        [] => {}
        [_] if sorted.calls.is_empty() => sorted.bundle = bundles.pop(),
        [(one, _)] => {
            return Err(IntakeError::new(Problem::Refused, "either a bundle or loose answers", "both")
                .in_file(one)
                .advise("open the bundle's file itself, or call it bundle.json"));
        }
        [_, (second, _), ..] => {
            return Err(IntakeError::new(Problem::Refused, "one bundle", "several")
                .in_file(second)
                .advise("open one of the files"));
        }
    }
    Ok(sorted)
}

/// Lowers what was recognised.
pub(crate) fn world(sorted: Sorted) -> Result<World, IntakeError> {
    if sorted.calls.is_empty() {
        if let Some((name, found)) = sorted.misshapen {
            let expected = "a bundle (an object with `format` and `calls`), or an answer of the AWS CLI";
            return Err(IntakeError::new(Problem::Malformed, expected, found)
                .in_file(&name)
                .advise("give the bundle as `launchpath collect` wrote it"));
        }
        let found = sorted.others.first().map_or_else(|| "no document".to_owned(), |(_, why)| why.clone());
        return Err(IntakeError::new(Problem::Empty, "a bundle, or answers of the AWS CLI as JSON", found)
            .advise("collect with `launchpath collect`, or save the CLI's answers with `--output json`"));
    }
    let (late, early): (Vec<_>, Vec<_>) =
        sorted.calls.into_iter().partition(|call| NEED_OTHERS.contains(&call.evidence.operation.as_str()));
    let mut world = World::default();
    lower::all(&mut world, early.into_iter().chain(late).collect())?;
    world.not_understood.extend(sorted.others);
    Ok(world)
}

enum Document {
    Json(Value),
    Refusal(&'static str, &'static str, CallError),
    Other(&'static str),
}

fn document(name: &str, bytes: &[u8]) -> Result<Document, IntakeError> {
    let must_be_json = is_json(name);
    let text = match text(name, bytes) {
        Ok(text) => text,
        Err(error) if must_be_json => return Err(error),
        Err(_) => return Ok(Document::Other("no text")),
    };
    let start = text.trim_start();
    if start.is_empty() {
        return Ok(Document::Other("an empty file: the command that should have filled it failed"));
    }
    let looks_like_json = start.starts_with('{') || (must_be_json && start.starts_with('['));
    if !looks_like_json {
        return match refusal(start) {
            Some((service, operation, error)) => Ok(Document::Refusal(service, operation, error)),
            // Let the parser say what is wrong with it.
            None if must_be_json => parse(name, bytes).map(Document::Json),
            None => Ok(Document::Other("no JSON and no error message of the AWS CLI")),
        };
    }
    match parse(name, bytes) {
        Ok(value) => Ok(Document::Json(value)),
        Err(error) if must_be_json || error.found().contains("end of the file") => Err(error),
        Err(_) => Ok(Document::Other("no JSON")),
    }
}

/// The error message that the AWS CLI prints instead of an answer.
fn refusal(text: &str) -> Option<(&'static str, &'static str, CallError)> {
    let (_, rest) = text.split_once("An error occurred (")?;
    let (code, rest) = rest.split_once(") when calling the ")?;
    let (operation, rest) = rest.split_once(" operation")?;
    let from_members = MEMBERS.iter().map(|(_, service, operation)| (*service, *operation));
    let (service, operation) =
        from_members.chain(OTHER_OPERATIONS.iter().copied()).find(|(_, known)| *known == operation)?;
    let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
    let message = message.lines().next().unwrap_or_default().trim();
    Some((service, operation, CallError { code: code.to_owned(), message: message.to_owned(), http: None }))
}

fn evidence(id: EvidenceId, service: &str, operation: &str, file: &str) -> Evidence {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    let is_account = |part: &&&str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit());
    Evidence {
        id,
        service: service.to_owned(),
        operation: operation.to_owned(),
        // Snapshots of several accounts or Regions keep each in a folder of its name.
        region: folders.iter().find(|part| is_region(part)).map(|part| Region::from(*part)),
        account: folders.iter().find(is_account).map(|part| AccountId::from(*part)),
        request: None,
        at: None,
        outcome: Outcome::Ok,
        error: None,
        complete: true,
        file: Some(file.to_owned()),
    }
}

/// Whether the text has the form of a Region's name: `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., number] = words.as_slice() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    first.len() == 2
        && (1..=2).contains(&middle.len())
        && is_word(first)
        && middle.iter().all(is_word)
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Adds one call for each answer the document holds: snapshots of other tools put several into one file.
fn take_answers(sorted: &mut Sorted, name: &str, value: Value) {
    let place = Place::file(name);
    let mut push = |service: &str, operation: &str, request: Option<Value>, response: Value, place: Place| {
        let mut evidence = evidence(sorted.next_id(), service, operation, name);
        evidence.request = request;
        sorted.calls.push(Recorded::new(evidence, response, place));
    };
    if let Some((service, operation)) = whole_answer(&value) {
        push(service, operation, None, value, place);
        return;
    }
    let mut count = 0;
    if let Value::Object(members) = &value {
        let token = ["NextToken", "nextToken", "IsTruncated"];
        for (member, content) in members.iter().filter(|(_, content)| !content.is_null()) {
            let found = MEMBERS.iter().find(|(known, _, _)| known == member).map(|(_, s, o)| (*s, *o));
            let found = found.or_else(|| ambiguous(member, content));
            let Some((service, operation)) = found else { continue };
            count += 1;
            // Each answer carries its own member and what says whether it is complete.
            let is_own = |name: &String| {
                name == member || token.contains(&name.as_str()) || name == "failures" || name == "Label"
            };
            let own = members.iter().filter(|(name, _)| is_own(name) || !is_known(name));
            let response = own.map(|(name, content)| (name.clone(), content.clone())).collect();
            push(service, operation, None, Value::Object(response), place.clone());
        }
        // Snapshots of other tools wrap one answer per route table; the member says which question it was.
        for (member, operation, filter) in [
            ("TransitGatewayStaticRoutes", "SearchTransitGatewayRoutes", Some("static")),
            ("TransitGatewayPropagations", "GetTransitGatewayRouteTablePropagations", None),
        ] {
            for (index, table) in rows(members.get(member)).iter().enumerate() {
                let id = table.get("TransitGatewayRouteTableId").cloned().unwrap_or_default();
                let filters: Vec<Value> =
                    filter.iter().map(|kind| json!({ "Name": "type", "Values": [kind] })).collect();
                let request = json!({ "TransitGatewayRouteTableId": id, "Filters": filters });
                count += 1;
                push("ec2", operation, Some(request), table.clone(), place.member(member).index(index));
            }
        }
    }
    if count == 0 {
        let id = sorted.next_id();
        sorted.others.push((id, format!("{name}: no answer of the AWS CLI that launchpath reads")));
        if let Some(found) = misshapen(&value) {
            sorted.misshapen.get_or_insert_with(|| (name.to_owned(), found));
        }
    }
}

/// What a document is that was meant as a bundle and lost what is around its calls.
fn misshapen(value: &Value) -> Option<String> {
    let is_call =
        |value: &Value| ["service", "operation", "outcome"].iter().all(|name| value.get(name).is_some());
    match value {
        Value::Array(items) if items.first().is_some_and(is_call) => {
            Some(format!("the list of {} calls of a bundle", items.len()))
        }
        value => is_call(value).then(|| "one call of a bundle".to_owned()),
    }
}

fn rows(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_known(member: &str) -> bool {
    MEMBERS.iter().any(|(known, _, _)| *known == member) || matches!(member, "PrefixLists" | "Policy")
}

/// Answers that are one object, not a list.
fn whole_answer(value: &Value) -> Option<(&'static str, &'static str)> {
    let has = |name: &str| value.get(name).is_some_and(|member| !member.is_null());
    if has("agentRuntimeEndpointArn") {
        return Some(("bedrock-agentcore-control", "GetAgentRuntimeEndpoint"));
    }
    if has("agentRuntimeArn") {
        return Some(("bedrock-agentcore-control", "GetAgentRuntime"));
    }
    if has("EnableDnsSupport") || has("EnableDnsHostnames") {
        return Some(("ec2", "DescribeVpcAttribute"));
    }
    if has("PolicyDocument") && has("PolicyName") {
        return Some(("iam", "GetRolePolicy"));
    }
    if has("Account") && has("Arn") && has("UserId") {
        return Some(("sts", "GetCallerIdentity"));
    }
    None
}

/// Members that several operations answer with; their content decides.
fn ambiguous(member: &str, content: &Value) -> Option<(&'static str, &'static str)> {
    match member {
        "PrefixLists" => {
            let blocks = rows(Some(content)).iter().any(|row| row.get("Cidrs").is_some());
            Some(("ec2", if blocks { "DescribePrefixLists" } else { "DescribeManagedPrefixLists" }))
        }
        "Policy" if content.get("Arn").is_some() => Some(("iam", "GetPolicy")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_litter, is_region, refusal};
    use crate::{MemoryDocuments, open};
    use launchpath_model::query::{ReadState, Target, prove_absent};
    use serde_json::json;

    fn files(files: &[(&str, &str)]) -> Result<launchpath_model::World, crate::IntakeError> {
        open(&files.iter().map(|(name, text)| (*name, text.as_bytes())).collect::<MemoryDocuments>())
    }

    #[test]
    fn a_part_of_a_bundle_is_malformed_and_an_unread_answer_is_not() {
        use crate::error::Problem;
        let call = r#"{"id": "c1", "service": "ec2", "operation": "DescribeVpcs", "outcome": "ok"}"#;
        for (text, found) in [
            (call.to_owned(), "one call of a bundle"),
            (format!("[{call}, {call}]"), "the list of 2 calls of a bundle"),
        ] {
            let error = files(&[("x.json", &text)]).unwrap_err();
            assert_eq!(
                (error.problem(), error.file()),
                (Problem::Malformed, Some("x.json")),
                "{text}: {error}"
            );
            assert_eq!(error.found(), found, "{text}");
            // Beside an answer it is a file that was not understood, as ever.
            let world = files(&[("x.json", &text), ("y.json", r#"{"Vpcs": []}"#)]).unwrap();
            assert_eq!(world.not_understood.len(), 1);
        }
        for text in [r#"{"Addresses": []}"#, "{}", "[]", "[[]]", "null", "\"x\""] {
            assert_eq!(files(&[("x.json", text)]).unwrap_err().problem(), Problem::Empty, "{text}");
        }
    }

    #[test]
    fn an_empty_list_whose_request_nobody_wrote_down_proves_nothing() {
        let world = files(&[("x.json", r#"{"NetworkInterfaces": []}"#)]).unwrap();
        let reads = world.network.network_interfaces.reads();
        assert_eq!(reads[0].state, ReadState::SeenEmpty);
        assert!(prove_absent(reads, &Target::new("an interface", "")).is_err());
    }

    #[test]
    fn a_saved_error_message_is_a_refused_call() {
        let text = "\nAn error occurred (AccessDenied) when calling the GetRole operation: User: x is not authorized\n";
        let world = files(&[("role.json", text), ("subnets.txt", r#"{"Subnets": []}"#)]).unwrap();
        assert_eq!(world.roles.reads()[0].state, ReadState::Denied);
        let (service, operation, error) = refusal(text).unwrap();
        assert_eq!((service, operation), ("iam", "GetRole"));
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("AccessDenied", "User: x is not authorized")
        );
    }

    #[test]
    fn one_file_may_hold_several_answers() {
        let text = json!({ "Vpcs": [{ "VpcId": "vpc-1" }], "Subnets": [{ "SubnetId": "subnet-1" }], "NextToken": "t" });
        let world = files(&[("all.json", &text.to_string())]).unwrap();
        assert_eq!((world.network.vpcs.len(), world.network.subnets.len(), world.evidence.len()), (1, 1, 2));
        assert!(
            world.evidence.values().all(|call| !call.complete && call.file.as_deref() == Some("all.json"))
        );
    }

    #[test]
    fn a_list_without_owner_is_matched_by_file_name_or_by_being_the_only_one() {
        let role = |name: &str| json!({ "Role": { "RoleName": name } }).to_string();
        let list =
            json!({ "AttachedPolicies": [{ "PolicyName": "p", "PolicyArn": "arn:aws:iam::aws:policy/p" }] });
        let list = list.to_string();
        let by_name =
            files(&[("a.json", &role("one")), ("b.json", &role("two")), ("policies.two.json", &list)])
                .unwrap();
        assert!(by_name.attached_policies.seen(&"two".to_owned()).is_some());
        let only = files(&[("z.json", &role("one")), ("a.json", &list)]).unwrap();
        assert!(only.attached_policies.seen(&"one".to_owned()).is_some());
        let open = files(&[("a.json", &role("one")), ("b.json", &role("two")), ("c.json", &list)]).unwrap();
        assert!(open.attached_policies.is_empty());
        assert_eq!(open.not_understood.len(), 1);
        // Somebody did ask: the gap is not "not asked".
        assert_eq!(open.attached_policies.reads().len(), 1);
    }

    #[test]
    fn a_lone_bundle_is_opened_whatever_it_is_called_and_two_are_refused() {
        let bundle = r#"{"format":"launchpath-bundle/1","region":"eu-west-1","calls":[]}"#;
        let world = files(&[("case.json", bundle), ("README.md", "# case")]).unwrap();
        assert_eq!(world.region.map(|region| region.to_string()).as_deref(), Some("eu-west-1"));
        assert!(files(&[("a.json", bundle), ("b.json", bundle)]).is_err());
        assert!(files(&[("a.json", bundle), ("b.json", r#"{"Vpcs":[]}"#)]).is_err());
    }

    #[test]
    fn nothing_readable_is_an_error() {
        for documents in
            [&[][..], &[("README.md", "[x](y)")], &[("x.json", r#"{"FlowLogs":[]}"#)], &[("x.json", "")]]
        {
            assert!(files(documents).is_err(), "{documents:?}");
        }
    }

    #[test]
    fn regions_and_litter() {
        assert!(is_region("us-east-1") && is_region("us-gov-west-1") && is_region("ap-southeast-4"));
        assert!(!is_region("aws_configs") && !is_region("us-east-1a") && !is_region("test-subnet-1"));
        assert!(is_litter("__MACOSX/x/._bundle.json") && is_litter("a/.DS_Store") && !is_litter("a/b.json"));
    }
}
