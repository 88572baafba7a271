//! Permissions: that the cited statements match, and that no other document of the certificate decides otherwise.
//!
//! A small reading of the policy language: effect, principal, action, resource, and the two conditions that trust policies are
//! written with. A statement with another condition is not decided here, it is said so. Start with [`check`].

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::report::{Found, Notes, Standing, fails, holds, not_checked};
use crate::subject::Subject;
use crate::{list, text};

/// What became of one permission.
pub(crate) struct Permission {
    pub(crate) action: String,
    pub(crate) allowed: bool,
    pub(crate) denied: bool,
    pub(crate) standing: Standing,
}

/// The service that assumes the execution role.
const SERVICE: &str = "bedrock-agentcore.amazonaws.com";

pub(crate) fn check(
    certificate: &Value,
    bundle: &Bundle,
    subject: &Subject,
    notes: &mut Notes,
) -> Vec<Permission> {
    let mut all = Vec::new();
    for (index, claim) in list(certificate, "permissions").iter().enumerate() {
        let decision = text(claim, "decision");
        let what = format!(
            "{decision}: {} may {} on {}",
            text(claim, "principal"),
            text(claim, "action"),
            text(claim, "resource")
        );
        // The service asks for this runtime of this account.
        let mut claim = claim.clone();
        let runtime = &certificate["runtime"];
        if text(&claim, "action") == "sts:AssumeRole" {
            claim["source"] = json!({ "account": runtime["account"], "arn": runtime["arn"] });
        }
        let found = match foreign(&claim, bundle, subject) {
            Some(why) => why,
            None => judge(&claim, bundle).unwrap_or_else(fails),
        };
        let standing = notes.note(format!("/permissions/{index}"), what, found);
        let decision = text(&claim, "decision");
        all.push(Permission {
            action: text(&claim, "action").to_owned(),
            allowed: decision == "Allowed",
            denied: matches!(decision, "ExplicitlyDenied" | "ImplicitlyDenied"),
            standing,
        });
    }
    all
}

/// What makes the question another one than the launch's: somebody else asks, it is about something else, or a document is none of
/// the role's.
fn foreign(claim: &Value, bundle: &Bundle, subject: &Subject) -> Option<Found> {
    let (action, principal, resource) =
        (text(claim, "action"), text(claim, "principal"), text(claim, "resource"));
    let Some(role) = subject.role() else {
        return Some(not_checked("the bundle does not say which role the runtime has"));
    };
    let name = role.rsplit('/').next().unwrap_or_default();
    let trust = action == "sts:AssumeRole";
    let (asks, on) = if trust { (SERVICE, role) } else { (role, resource) };
    if principal != asks || resource != on {
        return Some(fails(format!("the runtime's role is {role}, and {asks} asks")));
    }
    if let Some(why) = (!trust).then(|| elsewhere(action, resource, subject)).flatten() {
        return Some(fails(why));
    }
    for place in list(claim, "documents") {
        let id = text(place, "call");
        let Some(call) = bundle.call(id) else {
            return Some(fails(format!("the bundle has no call {id:?}")));
        };
        let (operation, request) = (text(call, "operation"), &call["request"]);
        let own = match (operation, text(place, "pointer")) {
            ("GetRole", "/response/Role/AssumeRolePolicyDocument") if trust => {
                call.pointer("/response/Role/Arn").and_then(Value::as_str) == Some(role)
            }
            ("GetRolePolicy", "/response/PolicyDocument") if !trust => text(request, "RoleName") == name,
            ("GetPolicyVersion", "/response/PolicyVersion/Document") if !trust => {
                let arn = text(request, "PolicyArn");
                let current = call.pointer("/response/PolicyVersion/IsDefaultVersion");
                current != Some(&Value::Bool(false)) && is_attached(arn, name, role, bundle)
            }
            _ => false,
        };
        if !own {
            return Some(fails(format!("the document in call {id} is none of {name}'s")));
        }
    }
    None
}

/// Whether the role has the managed policy: attached, or as its boundary.
fn is_attached(arn: &str, name: &str, role: &str, bundle: &Bundle) -> bool {
    let attached = bundle
        .answers("ListAttachedRolePolicies")
        .filter(|call| text(&call["request"], "RoleName") == name)
        .flat_map(|call| list(&call["response"], "AttachedPolicies"));
    attached.into_iter().any(|policy| text(policy, "PolicyArn") == arn)
        || bundle.answers("GetRole").map(|call| &call["response"]["Role"]).any(|described| {
            text(described, "Arn") == role
                && described.pointer("/PermissionsBoundary/PermissionsBoundaryArn").and_then(Value::as_str)
                    == Some(arn)
        })
}

/// Why the action on this resource is nothing that a launch needs.
fn elsewhere(action: &str, resource: &str, subject: &Subject) -> Option<String> {
    let needed = match action {
        "ecr:GetAuthorizationToken" => resource == "*",
        "ecr:BatchGetImage" | "ecr:GetDownloadUrlForLayer" => subject.image().is_some_and(|image| {
            let end = format!(":ecr:{}:{}:repository/{}", image.region, image.account, image.repository);
            resource.starts_with("arn:") && resource.ends_with(&end)
        }),
        "logs:CreateLogStream" | "logs:PutLogEvents" => {
            resource.contains(&format!(":log-group:/aws/bedrock-agentcore/runtimes/{}-", subject.id()))
        }
        _ => false,
    };
    (!needed).then(|| format!("no launch of this runtime needs {action} on {resource}"))
}

/// How a statement answers the question.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    /// It matches if its condition holds.
    IfCondition,
    Yes,
}

/// The error says what does not resolve.
fn judge(claim: &Value, bundle: &Bundle) -> Result<Found, String> {
    let documents = list(claim, "documents");
    for cited in list(claim, "statements") {
        let document = read(&cited["document"], bundle)?;
        let number = cited["statement"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let statement =
            document.get(number).ok_or_else(|| format!("the document has no statement {number}"))?;
        if text(statement, "Effect") != text(cited, "effect") {
            return Err(format!("statement {number} has the effect {:?}", text(statement, "Effect")));
        }
        if matches(statement, claim) == Match::No {
            return Err(format!("statement {number} does not match the request"));
        }
        if !documents.contains(&cited["document"]) {
            return Err("a cited statement stands in none of the documents".to_owned());
        }
    }
    let boundary = boundary(claim, bundle);
    let mut allows = Match::No;
    let mut denies = Match::No;
    let mut bounds: Option<Match> = None;
    for place in documents {
        let statements = read(place, bundle)?;
        let best = |effect: &str| {
            let of_effect = statements.iter().filter(|statement| text(statement, "Effect") == effect);
            of_effect.map(|statement| matches(statement, claim)).max().unwrap_or(Match::No)
        };
        denies = denies.max(best("Deny"));
        let arn = bundle.call(text(place, "call")).map_or("", |call| text(&call["request"], "PolicyArn"));
        if !arn.is_empty() && boundary == Boundary::Is(arn.to_owned()) {
            bounds = Some(best("Allow"));
        } else {
            allows = allows.max(best("Allow"));
        }
    }
    Ok(decide(claim, &Weighed { allows, denies, bounds, boundary }, bundle))
}

/// What the statements of all documents say together.
struct Weighed {
    allows: Match,
    denies: Match,
    /// What the boundary's document allows, when it is among them.
    bounds: Option<Match>,
    boundary: Boundary,
}

fn decide(claim: &Value, weighed: &Weighed, bundle: &Bundle) -> Found {
    let cites = |effect: &str| list(claim, "statements").iter().any(|cited| text(cited, "effect") == effect);
    let conditions = || not_checked("the statements have conditions that this checker does not weigh");
    let foreign = text(claim, "action") != "sts:AssumeRole"
        && account(text(claim, "resource"))
            .is_some_and(|owner| account(text(claim, "principal")).is_some_and(|asking| asking != owner));
    match text(claim, "decision") {
        "Allowed" => match (weighed.allows, weighed.denies, &weighed.boundary, weighed.bounds) {
            (_, Match::Yes, ..) => fails("a statement denies it"),
            (Match::No, ..) if !cites("Allow") => {
                not_checked("the statement that allows it is not in the bundle")
            }
            (Match::No, ..) => fails("no statement allows it"),
            (.., Some(Match::No)) => fails("the permissions boundary does not allow it"),
            (Match::Yes, Match::No, Boundary::None, _) | (Match::Yes, Match::No, _, Some(Match::Yes))
                if !foreign =>
            {
                match unseen(claim, bundle) {
                    None => holds("a statement allows it, and none denies it"),
                    Some(why) => not_checked(why),
                }
            }
            (Match::Yes, Match::No, ..) => {
                not_checked("a boundary or another account's policy is not in the bundle")
            }
            _ => conditions(),
        },
        "ExplicitlyDenied" => match weighed.denies {
            Match::Yes => holds("a statement denies it"),
            Match::IfCondition => conditions(),
            Match::No if cites("Deny") => fails("no statement denies it"),
            Match::No => not_checked("the statement that denies it is not in the bundle"),
        },
        "ImplicitlyDenied" => match (weighed.allows, weighed.bounds) {
            (_, Some(Match::No)) => holds("the permissions boundary does not allow it"),
            (Match::Yes, None) if foreign || weighed.boundary != Boundary::None => {
                not_checked("a boundary or another account's policy decides, which is not in the bundle")
            }
            (Match::Yes, Some(Match::Yes)) if foreign => not_checked("another account's policy decides"),
            (Match::Yes, None | Some(Match::Yes)) => fails("a statement allows it"),
            (Match::IfCondition, _) | (_, Some(Match::IfCondition)) => conditions(),
            (Match::No, _) if list(claim, "documents").is_empty() => not_checked("no document was weighed"),
            (Match::No, _) => match unseen(claim, bundle).or_else(|| of_repository(claim, bundle)) {
                None => holds("no statement of any document allows it"),
                Some(why) => not_checked(why),
            },
        },
        "Unknown" => not_checked("nothing is claimed"),
        other => fails(format!("no decision is called {other:?}")),
    }
}

/// The account of an ARN, when it names one.
fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// The permissions boundary of the role that asks.
#[derive(PartialEq, Eq)]
enum Boundary {
    None,
    Is(String),
    /// The bundle does not describe the role.
    NotSeen,
}

fn boundary(claim: &Value, bundle: &Bundle) -> Boundary {
    if text(claim, "action") == "sts:AssumeRole" {
        return Boundary::None;
    }
    let role = bundle
        .answers("GetRole")
        .map(|call| &call["response"]["Role"])
        .find(|role| text(role, "Arn") == text(claim, "principal"));
    match role {
        None => Boundary::NotSeen,
        Some(role) => {
            match role.pointer("/PermissionsBoundary/PermissionsBoundaryArn").and_then(Value::as_str) {
                Some(arn) => Boundary::Is(arn.to_owned()),
                None => Boundary::None,
            }
        }
    }
}

/// The policy of the repository that may allow what the role's own policies do not.
fn of_repository(claim: &Value, bundle: &Bundle) -> Option<String> {
    let (_, name) = text(claim, "resource").split_once(":repository/")?;
    let none = bundle
        .called("GetRepositoryPolicy")
        .any(|call| text(&call["request"], "repositoryName") == name && text(call, "outcome") == "not_found");
    (!none).then(|| format!("the bundle does not show that repository {name} has no policy of its own"))
}

/// A policy of the role that is listed in the bundle and not among the documents.
fn unseen(claim: &Value, bundle: &Bundle) -> Option<String> {
    if text(claim, "action") == "sts:AssumeRole" {
        return None;
    }
    let role = text(claim, "principal").rsplit('/').next().unwrap_or_default();
    let of_role = |call: &&Value| text(&call["request"], "RoleName") == role;
    let weighed = |operation: &str, member: &str, name: &str| {
        list(claim, "documents").iter().any(|place| {
            bundle.call(text(place, "call")).is_some_and(|call| {
                text(call, "operation") == operation && text(&call["request"], member) == name
            })
        })
    };
    let inline: Vec<&Value> = bundle.answers("ListRolePolicies").filter(of_role).collect();
    let attached: Vec<&Value> = bundle.answers("ListAttachedRolePolicies").filter(of_role).collect();
    if inline.is_empty() || attached.is_empty() {
        return Some(format!("the bundle does not list the policies of {role}"));
    }
    if inline.iter().chain(&attached).any(|call| call["response"]["IsTruncated"] == Value::Bool(true)) {
        return Some(format!("the list of the policies of {role} goes on"));
    }
    for name in
        inline.iter().flat_map(|call| list(&call["response"], "PolicyNames")).filter_map(Value::as_str)
    {
        if !weighed("GetRolePolicy", "PolicyName", name) {
            return Some(format!("the inline policy {name} is not among the documents"));
        }
    }
    for policy in attached.iter().flat_map(|call| list(&call["response"], "AttachedPolicies")) {
        let arn = text(policy, "PolicyArn");
        if !weighed("GetPolicyVersion", "PolicyArn", arn) {
            return Some(format!("the document of {arn} is not in the bundle"));
        }
    }
    None
}

/// The statements of the document at a place.
fn read(place: &Value, bundle: &Bundle) -> Result<Vec<Value>, String> {
    let document = bundle.at(place)?;
    let document = match document.as_str() {
        Some(text) => {
            serde_json::from_str(&decoded(text)).map_err(|_| "the document is no JSON".to_owned())?
        }
        None => document.into_owned(),
    };
    Ok(match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    })
}

/// IAM hands documents out percent-encoded.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn matches(statement: &Value, claim: &Value) -> Match {
    let (action, resource) = (text(claim, "action").to_lowercase(), text(claim, "resource"));
    let acts = fits(statement, "Action", |pattern| wildcard(&pattern.to_lowercase(), &action));
    let trust = statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some();
    let on = if trust {
        // The statements of a trust policy name who may ask, not on what.
        principal(statement, text(claim, "principal"))
    } else {
        fits(statement, "Resource", |pattern| wildcard(pattern, resource))
    };
    if !acts || !on {
        return Match::No;
    }
    let variables =
        ["Resource", "NotResource"].iter().any(|member| statement[*member].to_string().contains("${"));
    let conditions = statement.get("Condition");
    let readable =
        conditions.is_none_or(|all| all.as_object().is_some_and(|all| all.values().all(Value::is_object)));
    if variables || !readable {
        return Match::IfCondition;
    }
    let operators = conditions.and_then(Value::as_object).into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(move |(key, wanted)| (operator, key, wanted))
        })
        .map(|(operator, key, wanted)| condition(operator, key, wanted, claim))
        .fold(Match::Yes, |all, one| match (all, one) {
            (Match::No, _) | (_, Match::No) => Match::No,
            (Match::IfCondition, _) | (_, Match::IfCondition) => Match::IfCondition,
            _ => Match::Yes,
        })
}

/// The two conditions that trust policies for services are written with; every other is left open.
///
/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>
fn condition(operator: &str, key: &str, wanted: &Value, claim: &Value) -> Match {
    let context = &claim["source"];
    let actual = match key.to_lowercase().as_str() {
        "aws:sourceaccount" => context["account"].as_str(),
        "aws:sourcearn" => context["arn"].as_str(),
        _ => None,
    };
    let Some(actual) = actual else { return Match::IfCondition };
    let fits: fn(&str, &str) -> bool = match operator {
        "StringEquals" => |wanted, actual| wanted == actual,
        "StringLike" => wildcard,
        "ArnLike" | "ArnEquals" => |wanted, actual| {
            let (wanted, actual): (Vec<&str>, Vec<&str>) =
                (wanted.splitn(6, ':').collect(), actual.splitn(6, ':').collect());
            wanted.len() == actual.len()
                && wanted.iter().zip(actual).all(|(wanted, actual)| wildcard(wanted, actual))
        },
        _ => return Match::IfCondition,
    };
    let any = match wanted {
        Value::String(one) => fits(one, actual),
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(|one| fits(one, actual)),
        _ => return Match::IfCondition,
    };
    if any { Match::Yes } else { Match::No }
}

/// Whether a member of the statement, or its negation, admits the value.
fn fits(statement: &Value, member: &str, matches: impl Fn(&str) -> bool) -> bool {
    let any = |value: &Value| match value {
        Value::String(pattern) => matches(pattern),
        Value::Array(patterns) => patterns.iter().filter_map(Value::as_str).any(&matches),
        _ => false,
    };
    match (statement.get(member), statement.get(format!("Not{member}"))) {
        (Some(value), _) => any(value),
        (None, Some(value)) => !any(value),
        (None, None) => false,
    }
}

fn principal(statement: &Value, who: &str) -> bool {
    let named = |value: &Value| match value {
        Value::String(all) => all == "*",
        Value::Object(kinds) => kinds.iter().any(|(kind, names)| {
            let fits = |name: &str| name == "*" && kind == "AWS" || name == who;
            match names {
                Value::String(name) => fits(name),
                Value::Array(names) => names.iter().filter_map(Value::as_str).any(fits),
                _ => false,
            }
        }),
        _ => false,
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(value), _) => named(value),
        (None, Some(value)) => !named(value),
        (None, None) => false,
    }
}

/// `*` is any text, `?` any character.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::{decoded, wildcard};

    #[test]
    fn wildcards_match_whole_texts() {
        for (pattern, text, expected) in [
            ("ecr:*", "ecr:batchgetimage", true),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbx", false),
            ("arn:aws:ecr:*:*:repository/x", "arn:aws:ecr:us-east-1:1:repository/xy", false),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(decoded("%7B%22a%22%3A1%7D%"), "{\"a\":1}%");
    }
}
