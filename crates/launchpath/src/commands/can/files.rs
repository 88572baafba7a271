//! Policy documents from the command line.
//!
//! A file holds the document itself or the AWS CLI's answer around it. A document that AWS would not understand is malformed
//! input: the user can mend it. Start with [`read`].

use std::path::Path;

use launchpath_iam::{
    DocumentKind, Guardrails, Layer, Layers, Level, NamedPolicy, Policy, PolicyError, check_length,
};
use launchpath_intake::IntakeError;
use launchpath_intake::error::Problem;
use serde_json::Value;

use super::Policies;
use crate::cli::PolicyArguments;
use crate::disk;
use crate::failure::Failure;

/// The word for "there is no such policy".
const NONE: &str = "none";

/// The word for "there may be such a policy".
const UNKNOWN: &str = "unknown";

/// What the command line says of each layer; `None` where it says nothing.
#[derive(Default)]
pub(super) struct Given {
    pub(super) identity: Option<Layer>,
    pub(super) resource: Option<Layer>,
    pub(super) boundary: Option<Layer>,
    pub(super) session: Option<Layer>,
    pub(super) scps: Option<Guardrails>,
    pub(super) rcps: Option<Guardrails>,
    pub(super) endpoint: Option<Layer>,
    /// What is wrong with the documents though their meaning is clear.
    pub(super) findings: Vec<Finding>,
}

/// Something that is wrong with a document of the command line.
pub(super) struct Finding {
    pub(super) file: String,
    pub(super) error: PolicyError,
}

/// Reads every file.
pub(super) fn read(arguments: &PolicyArguments) -> Result<Given, Failure> {
    let trust = arguments.resource_policy.as_slice();
    let mut reader = Reader { findings: Vec::new() };
    let mut given = Given {
        identity: reader.layer("--identity-policy", DocumentKind::InlineRole, &arguments.identity_policy)?,
        resource: reader.layer("--resource-policy", DocumentKind::Resource, trust)?,
        boundary: reader.layer("--boundary", DocumentKind::Managed, arguments.boundary.as_slice())?,
        session: reader.layer("--session-policy", DocumentKind::Session, &arguments.session_policy)?,
        scps: reader.guardrails("--scp", DocumentKind::Scp, &arguments.scp)?,
        rcps: reader.guardrails("--rcp", DocumentKind::Rcp, &arguments.rcp)?,
        endpoint: reader.layer(
            "--endpoint-policy",
            DocumentKind::Endpoint,
            arguments.endpoint_policy.as_slice(),
        )?,
        findings: Vec::new(),
    };
    given.findings = reader.findings;
    Ok(given)
}

/// Documents alone: a kind of policy of which the command line says nothing does not exist.
pub(super) fn alone(given: &Given) -> Policies {
    let said = [
        (given.identity.is_some(), "identity-based policies"),
        (given.resource.is_some(), "resource-based policy"),
        (given.boundary.is_some(), "permissions boundary"),
        (given.session.is_some(), "session policies"),
        (given.scps.is_some(), "service control policies"),
        (given.rcps.is_some(), "resource control policies"),
        (given.endpoint.is_some(), "VPC endpoint policy"),
    ];
    let left_out: Vec<&str> = said.iter().filter(|(given, _)| !given).map(|(_, name)| *name).collect();
    let mut assumed = Vec::new();
    if !left_out.is_empty() {
        assumed.push(format!("what was not given does not exist: {}", left_out.join(", ")));
    }
    Policies { layers: Layers::none(), gaps: Vec::new(), assumed, evidence: Vec::new() }
}

impl Given {
    /// Puts what was given in the place of what the layers held.
    pub(super) fn put_into(self, layers: &mut Layers) {
        let Self { identity, resource, boundary, session, scps, rcps, endpoint, findings: _ } = self;
        let parts = [
            (identity, &mut layers.identity),
            (resource, &mut layers.resource),
            (boundary, &mut layers.boundary),
            (session, &mut layers.session),
            (endpoint, &mut layers.endpoint),
        ];
        for (given, layer) in parts {
            if let Some(given) = given {
                *layer = given;
            }
        }
        if let Some(scps) = scps {
            layers.scps = scps;
        }
        if let Some(rcps) = rcps {
            layers.rcps = rcps;
        }
    }
}

/// Reads documents and keeps what is wrong with them.
struct Reader {
    findings: Vec<Finding>,
}

impl Reader {
    fn layer(
        &mut self,
        option: &str,
        kind: DocumentKind,
        files: &[String],
    ) -> Result<Option<Layer>, Failure> {
        match files {
            [] => return Ok(None),
            [word] if word == NONE => return Ok(Some(Layer::NotApplicable)),
            [word] if word == UNKNOWN => return Ok(Some(Layer::Unknown(format!("{option} says so")))),
            _ => {}
        }
        let policies = files.iter().map(|file| self.policy(option, kind, file)).collect::<Result<_, _>>()?;
        Ok(Some(Layer::Known(policies)))
    }

    /// Control policies by level; files without one are all of one level.
    fn guardrails(
        &mut self,
        option: &str,
        kind: DocumentKind,
        words: &[String],
    ) -> Result<Option<Guardrails>, Failure> {
        match words {
            [] => return Ok(None),
            [word] if word == NONE => return Ok(Some(Guardrails::NotApplicable)),
            [word] if word == UNKNOWN => return Ok(Some(Guardrails::Unknown(format!("{option} says so")))),
            _ => {}
        }
        let mut levels: Vec<(String, Vec<NamedPolicy>)> = Vec::new();
        for word in words {
            // A path with `=` in it is meant as a path where the part before looks like one.
            let (level, file) = match word.split_once('=') {
                Some((level, file)) if !level.contains(['/', '\\', '.']) => (level, file),
                _ => ("the account", word.as_str()),
            };
            let policy = self.policy(option, kind, file)?;
            match levels.iter_mut().find(|(name, _)| name == level) {
                Some((_, policies)) => policies.push(policy),
                None => levels.push((level.to_owned(), vec![policy])),
            }
        }
        let level = |(name, policies)| Level { name, policies: Layer::Known(policies) };
        Ok(Some(Guardrails::Known(levels.into_iter().map(level).collect())))
    }

    fn policy(&mut self, option: &str, kind: DocumentKind, file: &str) -> Result<NamedPolicy, Failure> {
        if file == NONE || file == UNKNOWN {
            let error = anyhow::anyhow!("{option}: `{file}` stands alone, not beside other policies");
            return Err(Failure::usage(error).advise(format!("a file of this name is ./{file}")));
        }
        let bytes = disk::bytes(Path::new(file))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| malformed(file, "a policy document in UTF-8", &error.to_string()))?;
        let text = text.trim_start_matches('\u{feff}');
        let (reading, length) = match serde_json::from_str::<Value>(text).ok().and_then(inner) {
            Some(Value::String(text)) => (Policy::read(&text), check_length(&text, kind)),
            Some(document) => (Policy::read_value(&document), check_length(&document.to_string(), kind)),
            None => (Policy::read(text), check_length(text, kind)),
        };
        let found = reading.findings.clone();
        let policy = reading.usable().map_err(|errors| {
            let says = errors.0.iter().find_map(PolicyError::aws_says);
            let answer = says.map(|says| format!("; AWS answers {says}")).unwrap_or_default();
            malformed(file, "a policy document", &format!("{errors}{answer}"))
        })?;
        // A trust policy is a resource-based policy without resource.
        let is_trust = kind == DocumentKind::Resource
            && policy.statements.iter().all(|statement| {
                statement.action.items().iter().all(|action| action.to_ascii_lowercase().starts_with("sts:"))
            });
        let kind = if is_trust { DocumentKind::Trust } else { kind };
        let found = found.into_iter().chain(policy.check(kind)).chain(length);
        self.findings.extend(found.map(|error| Finding { file: file.to_owned(), error }));
        Ok(NamedPolicy::known(file, policy))
    }
}

fn malformed(file: &str, expected: &str, found: &str) -> Failure {
    IntakeError::new(Problem::Malformed, expected, found).in_file(file).into()
}

/// The document in an answer of the AWS CLI; `None` where the text is a document itself.
fn inner(value: Value) -> Option<Value> {
    const AROUND: [&str; 6] =
        ["PolicyDocument", "PolicyVersion", "Document", "policyText", "Policy", "Content"];
    let mut members = match value {
        Value::Object(members) if !members.contains_key("Statement") => members,
        _ => return None,
    };
    let member = AROUND.iter().find_map(|name| members.remove(*name))?;
    // Some answers have a second layer: `PolicyVersion.Document`, `Policy.Content`.
    match member {
        member @ Value::Object(_) => Some(inner(member.clone()).unwrap_or(member)),
        member @ Value::String(_) => Some(member),
        _ => None,
    }
}
