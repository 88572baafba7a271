//! Reasons as plain data: the statements that decided, and for a missing allow the statements that nearly did.
//!
//! Not formatting for a terminal: every reason has a `Display` of one line, no more. Not the decision either; it is
//! only read off here.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::compiled::{CompiledLayer, CompiledPolicySet, CompiledStatement, Presence};
use crate::condition::ConditionOperator;
use crate::context::Lookup;
use crate::evaluate::{self, Decision, Verdict, Weighed};
use crate::layers::LayerKind;
use crate::location::Location;
use crate::principal::PrincipalKind;
use crate::principal_match::Surroundings;
use crate::remaining::{Formula, List, Logic};
use crate::request::Request;

/// How many near misses are told for one missing allow.
const NEAR_MISSES: usize = 3;

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRef {
    /// The kind of policy.
    pub layer: LayerKind,
    /// For control policies: the root, organisational unit or account the policy is attached to.
    pub level: Option<Arc<str>>,
    /// The policy's name or ARN.
    pub policy: Arc<str>,
    /// The statement's `Sid`, when it has one.
    pub sid: Option<Arc<str>>,
    /// The statement's place in its policy, from 0.
    pub index: usize,
    /// JSON path and text position.
    pub at: Location,
}

impl Serialize for StatementRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Out<'a> {
            layer: LayerKind,
            #[serde(skip_serializing_if = "Option::is_none")]
            level: Option<&'a str>,
            policy: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            sid: Option<&'a str>,
            index: usize,
            at: &'a Location,
        }
        Out {
            layer: self.layer,
            level: self.level.as_deref(),
            policy: &self.policy,
            sid: self.sid.as_deref(),
            index: self.index,
            at: &self.at,
        }
        .serialize(serializer)
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sid.as_deref() {
            Some(sid) if !sid.is_empty() => write!(f, "statement \"{sid}\"")?,
            _ => write!(f, "statement {}", self.index + 1)?,
        }
        write!(f, " of the {} {}", self.layer, self.policy)?;
        if let Some(level) = &self.level {
            write!(f, " at {level}")?;
        }
        match self.at.position {
            Some(position) => write!(f, " ({position})"),
            None => Ok(()),
        }
    }
}

/// What the request says of a condition key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actual {
    /// These values.
    Values(Vec<String>),
    /// The key is not in the request.
    Absent,
    /// Not known, and why.
    NotKnown(String),
}

impl fmt::Display for Actual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => {
                let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
                f.write_str(&quoted.join(", "))
            }
            Self::Absent => f.write_str("not in the request"),
            Self::NotKnown(reason) => write!(f, "not known: {reason}"),
        }
    }
}

/// The part of a statement that does not fit the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The action.
    Action {
        /// The patterns as written.
        wanted: Vec<String>,
        /// Whether they stand under `NotAction`.
        negated: bool,
        /// The request's action.
        actual: String,
    },
    /// The resource.
    Resource {
        /// The patterns as written.
        wanted: Vec<String>,
        /// Whether they stand under `NotResource`.
        negated: bool,
        /// The request's resource.
        actual: String,
    },
    /// The principal.
    Principal {
        /// The principals as named.
        wanted: Vec<String>,
        /// Whether they stand under `NotPrincipal`.
        negated: bool,
        /// Who asked.
        actual: String,
    },
    /// One condition.
    Condition {
        /// The operator.
        operator: ConditionOperator,
        /// The key as written.
        key: String,
        /// The values as written.
        wanted: Vec<String>,
        /// What the request says.
        actual: Actual,
        /// Whether it certainly fails, or that cannot be told.
        certain: bool,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element =
            |name: &str, negated: bool| if negated { format!("Not{name}") } else { name.to_owned() };
        match self {
            Self::Action { wanted, negated, actual } => {
                write!(f, "{} is {}, not {actual}", element("Action", *negated), List(wanted))
            }
            Self::Resource { wanted, negated, actual } => {
                write!(f, "{} is {}, not {actual}", element("Resource", *negated), List(wanted))
            }
            Self::Principal { wanted, negated, actual } => {
                write!(f, "{} is {}, not {actual}", element("Principal", *negated), List(wanted))
            }
            Self::Condition { operator, key, wanted, actual, certain } => {
                let verb = if *certain { "wants" } else { "wants, and it cannot be told," };
                write!(f, "condition {operator} {verb} {key} to be {}; it is {actual}", List(wanted))
            }
        }
    }
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// This statement denies.
    Denied {
        /// The statement.
        statement: Arc<StatementRef>,
    },
    /// This statement allows.
    Allowed {
        /// The statement.
        statement: Arc<StatementRef>,
    },
    /// The root user of an account needs no policy there.
    RootUser,
    /// Anybody with credentials may do it; AWS asks no policy.
    NoPermissionNeeded,
    /// No statement of a layer that must allow does so.
    NoAllow {
        /// The layer.
        layer: LayerKind,
        /// The level of a control policy.
        #[serde(skip_serializing_if = "Option::is_none")]
        level: Option<String>,
        /// How many statements the layer has.
        statements: usize,
        /// Why this layer must allow, where that is not plain.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    },
    /// A statement that would have allowed, but for these parts.
    NearMiss {
        /// The statement.
        statement: Arc<StatementRef>,
        /// What does not fit.
        failed: Vec<Failure>,
    },
    /// A layer was given, but does not count for this caller or request.
    DoesNotApply {
        /// The layer.
        layer: LayerKind,
        /// Why.
        why: &'static str,
    },
    /// What is not known and matters.
    Open {
        /// The sentence.
        text: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { statement } => write!(f, "{statement} denies it"),
            Self::Allowed { statement } => write!(f, "{statement} allows it"),
            Self::RootUser => f.write_str("the root user needs no policy in its own account"),
            Self::NoPermissionNeeded => f.write_str("AWS asks for no permission for this action"),
            Self::NoAllow { layer, level, statements, note } => {
                match level {
                    Some(level) => write!(f, "no {layer} at {level} allows it")?,
                    None => write!(f, "no {layer} allows it")?,
                }
                let plural = if *statements == 1 { "" } else { "s" };
                write!(f, " ({statements} statement{plural})")?;
                match note {
                    Some(note) => write!(f, "; {note}"),
                    None => Ok(()),
                }
            }
            Self::NearMiss { statement, failed } => {
                write!(f, "{statement} nearly allows it: ")?;
                for (index, failure) in failed.iter().enumerate() {
                    if index > 0 {
                        f.write_str("; ")?;
                    }
                    write!(f, "{failure}")?;
                }
                Ok(())
            }
            Self::DoesNotApply { layer, why } => write!(f, "the {layer} does not count: {why}"),
            Self::Open { text } => f.write_str(text),
        }
    }
}

/// Reads the reasons off a weighed request.
pub(crate) fn reasons(set: &CompiledPolicySet, request: &Request, weighed: &Weighed<Formula>) -> Vec<Reason> {
    let decision = weighed.decision();
    let mut told = Teller { set, request, reasons: Vec::new() };
    match decision {
        Decision::ExplicitlyDenied => told.denials(weighed),
        Decision::Allowed => told.allows(weighed),
        Decision::ImplicitlyDenied => told.missing(weighed),
        Decision::Unknown => {
            told.allows(weighed);
            told.missing(weighed);
        }
    }
    told.exemptions();
    let mut reasons = told.reasons;
    let open = weighed.denied.tri().is_unknown() && decision == Decision::ImplicitlyDenied;
    if open {
        let text = format!("it may be denied explicitly, too: {}", weighed.denied);
        reasons.push(Reason::Open { text });
    }
    if decision == Decision::Unknown {
        let formula = weighed.allowed.clone().and(weighed.denied.clone().negate());
        for question in formula.questions() {
            reasons.push(Reason::Open { text: format!("not known: whether {question}") });
        }
    }
    reasons
}

struct Teller<'a> {
    set: &'a CompiledPolicySet,
    request: &'a Request,
    reasons: Vec<Reason>,
}

impl Teller<'_> {
    /// Every layer with its verdict, in the order of evaluation.
    fn judged<'a>(
        set: &'a CompiledPolicySet,
        weighed: &'a Weighed<Formula>,
    ) -> Vec<(&'a CompiledLayer, &'a Verdict<Formula>)> {
        let mut list: Vec<_> = set.rcps.iter().zip(&weighed.rcps).collect();
        list.extend(set.scps.iter().zip(&weighed.scps));
        list.push((&set.endpoint, &weighed.endpoint.verdict));
        list.push((&set.resource, &weighed.resource.verdict));
        list.push((&set.boundary, &weighed.boundary.verdict));
        list.push((&set.session, &weighed.session.verdict));
        list.push((&set.identity, &weighed.identity.verdict));
        list
    }

    fn denials(&mut self, weighed: &Weighed<Formula>) {
        for (layer, verdict) in Self::judged(self.set, weighed) {
            if verdict.denied_by.is_none() {
                continue;
            }
            // All of them: who removes one deny wants to know of the next.
            let around = evaluate::surroundings(self.set, self.request, layer.kind);
            for (_, statement) in layer.candidates(self.request) {
                if evaluate::denies(statement, layer.kind, self.request, around) {
                    self.reasons.push(Reason::Denied { statement: statement.reference.clone() });
                }
            }
        }
    }

    fn allows(&mut self, weighed: &Weighed<Formula>) {
        if evaluate::needs_no_permission(self.request) {
            self.reasons.push(Reason::NoPermissionNeeded);
        } else if *self.request.principal().kind() == PrincipalKind::Root {
            self.reasons.push(Reason::RootUser);
        }
        for (layer, verdict) in Self::judged(self.set, weighed) {
            if let Some(statement) = verdict.allowed_by().and_then(|index| layer.statements.get(index)) {
                self.reasons.push(Reason::Allowed { statement: statement.reference.clone() });
            }
        }
    }

    /// The layers that must allow and certainly do not, nearest misses included.
    fn missing(&mut self, weighed: &Weighed<Formula>) {
        let request = self.request;
        let no = |verdict: &Verdict<Formula>| verdict.allowed().tri().is_false();
        for (layer, verdict) in self.set.rcps.iter().zip(&weighed.rcps) {
            if no(verdict) {
                self.no_allow(layer, None);
            }
        }
        for (layer, verdict) in self.set.scps.iter().zip(&weighed.scps) {
            if no(verdict) {
                self.no_allow(layer, None);
            }
        }
        if weighed.endpoint.gates && no(&weighed.endpoint.verdict) {
            self.no_allow(&self.set.endpoint, None);
        }
        let resource_denies = no(&weighed.resource.verdict);
        let within = request.same_account();
        if !request.principal().is_iam() {
            if resource_denies {
                self.no_allow(&self.set.resource, Some("nothing else can allow such a caller"));
            }
            return;
        }
        // A grant to the caller itself within one account makes up for the rest.
        if within.is_true() && weighed.resource.verdict.direct.tri().is_true() {
            return;
        }
        if evaluate::resource_policy_must_allow(request) && resource_denies {
            let note = "a role's trust policy or a key policy must allow by itself";
            self.no_allow(&self.set.resource, Some(note));
        } else if within.is_false() && resource_denies {
            self.no_allow(&self.set.resource, Some("the resource belongs to another account"));
        }
        if weighed.boundary.gates && no(&weighed.boundary.verdict) {
            self.no_allow(&self.set.boundary, None);
        }
        if weighed.session.gates && no(&weighed.session.verdict) {
            self.no_allow(&self.set.session, None);
        }
        let by_role = within.is_true() && weighed.resource.verdict.role.tri().is_true();
        if weighed.identity.gates && no(&weighed.identity.verdict) && !by_role {
            self.no_allow(&self.set.identity, None);
            let may_help = within.is_true() && self.set.resource.presence == Presence::Known;
            if may_help && resource_denies && !evaluate::resource_policy_must_allow(request) {
                self.no_allow(&self.set.resource, Some("it could allow instead"));
            }
        }
    }

    fn no_allow(&mut self, layer: &CompiledLayer, note: Option<&'static str>) {
        self.reasons.push(Reason::NoAllow {
            layer: layer.kind,
            level: layer.level.clone(),
            statements: layer.statements.len(),
            note,
        });
        let around = evaluate::surroundings(self.set, self.request, layer.kind);
        let mut misses: Vec<(usize, usize, &CompiledStatement, Vec<Failure>)> = layer
            .statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| !statement.is_deny)
            .map(|(index, statement)| {
                let failed = failures(statement, layer.kind, self.request, around);
                (distance(&failed, self.request), index, statement, failed)
            })
            .filter(|(distance, ..)| *distance < FAR)
            .collect();
        misses.sort_by_key(|(distance, index, ..)| (*distance, *index));
        for (_, _, statement, failed) in misses.into_iter().take(NEAR_MISSES) {
            self.reasons.push(Reason::NearMiss { statement: statement.reference.clone(), failed });
        }
    }

    fn exemptions(&mut self) {
        let who = self.request.principal();
        if evaluate::needs_no_permission(self.request) {
            return;
        }
        if !self.set.scps.is_empty() && !evaluate::scps_apply(self.set, self.request) {
            let why = if who.is_service_linked() {
                "the caller is a service-linked role"
            } else if who.is_iam() {
                "the caller belongs to the management account"
            } else {
                "the caller is no IAM principal"
            };
            self.reasons.push(Reason::DoesNotApply { layer: LayerKind::Scp, why });
        }
        let rcps = crate::rcp::applicability(self.set, self.request);
        if !self.set.rcps.is_empty() && rcps.is_false() {
            let why = if who.is_service_linked() {
                "the caller is a service-linked role"
            } else {
                "the resource or action is exempt"
            };
            self.reasons.push(Reason::DoesNotApply { layer: LayerKind::Rcp, why });
        }
    }
}

/// A statement for another service says nothing about why this request fails.
const FAR: usize = 100;

/// How far a statement is from allowing: the fewer and the later parts fail, the nearer.
fn distance(failed: &[Failure], request: &Request) -> usize {
    failed
        .iter()
        .map(|failure| match failure {
            Failure::Condition { .. } => 1,
            Failure::Resource { .. } | Failure::Principal { .. } => 4,
            Failure::Action { wanted, .. } => {
                let service = request.service();
                let same_service = wanted.iter().any(|pattern| {
                    let pattern = pattern.to_ascii_lowercase();
                    pattern.split_once(':').is_some_and(|(prefix, _)| prefix == service)
                });
                if same_service { 8 } else { FAR }
            }
        })
        .sum()
}

/// Every part of an allowing statement that does not certainly fit.
fn failures(
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) -> Vec<Failure> {
    let mut failed = Vec::new();
    let Some(source) = statement.source() else {
        return failed;
    };
    if !statement.names_action(request) {
        failed.push(Failure::Action {
            wanted: source.action.items().to_vec(),
            negated: source.action.is_negated(),
            actual: request.action().to_owned(),
        });
    }
    if evaluate::reach(statement, layer, request, around).any().is_false() {
        let principal = source.principal.as_ref();
        let items = principal.map(crate::document::Principals::items).unwrap_or_default();
        failed.push(Failure::Principal {
            wanted: items.iter().map(ToString::to_string).collect(),
            negated: matches!(principal, Some(crate::document::Principals::NoneOf(_))),
            actual: request.principal().to_string(),
        });
    }
    if statement.covers_resource(request).is_false()
        && let Some(resource) = &source.resource
    {
        failed.push(Failure::Resource {
            wanted: resource.items().to_vec(),
            negated: resource.is_negated(),
            actual: request.resource().to_owned(),
        });
    }
    for (condition, source) in statement.conditions.iter().zip(&source.conditions) {
        let holds = condition.holds(request);
        if holds.is_true() {
            continue;
        }
        let actual = match request.lookup(condition.key()) {
            Lookup::One(value) => Actual::Values(vec![value.to_owned()]),
            Lookup::Many(values) => Actual::Values(values.to_vec()),
            Lookup::Absent => Actual::Absent,
            Lookup::NotKnown(reason) => Actual::NotKnown(reason.to_owned()),
        };
        failed.push(Failure::Condition {
            operator: source.operator,
            key: source.key.clone(),
            wanted: source.values.clone(),
            actual,
            certain: holds.is_false(),
        });
    }
    failed
}
