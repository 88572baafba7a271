//! Policies read once for many decisions.
//!
//! Not the decision itself: `evaluate.rs`. Start at [`CompiledPolicySet::new`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::arn::{ArnCuts, ArnPattern, ArnRule};
use crate::condition::{CompiledCondition, variable};
use crate::document::{Effect, Patterns, Policy, Statement, Version};
use crate::explain::StatementRef;
use crate::glob::Glob;
use crate::layers::{Document, EndpointKind, Guardrails, Layer, LayerKind, Layers};
use crate::principal_match::CompiledPrincipals;
use crate::remaining::{Logic, Open};
use crate::request::Request;
use crate::template::{Template, Unresolved, VariableValue};
use crate::tri::Tri;

/// All layers of a decision, compiled.
#[derive(Debug, Clone)]
pub struct CompiledPolicySet {
    pub(crate) identity: Arc<CompiledLayer>,
    pub(crate) resource: Arc<CompiledLayer>,
    pub(crate) boundary: Arc<CompiledLayer>,
    pub(crate) session: Arc<CompiledLayer>,
    pub(crate) endpoint: Arc<CompiledLayer>,
    /// Level by level; one unknown level stands for levels not seen.
    pub(crate) scps: Vec<CompiledLayer>,
    pub(crate) rcps: Vec<CompiledLayer>,
    pub(crate) endpoint_kind: EndpointKind,
    pub(crate) management_account: Option<String>,
}

impl CompiledPolicySet {
    /// Compiles layers.
    pub fn new(layers: &Layers) -> Self {
        let layer = |kind, layer| Arc::new(CompiledLayer::new(kind, None, layer));
        Self {
            identity: layer(LayerKind::Identity, &layers.identity),
            resource: layer(LayerKind::Resource, &layers.resource),
            boundary: layer(LayerKind::Boundary, &layers.boundary),
            session: layer(LayerKind::Session, &layers.session),
            endpoint: layer(LayerKind::Endpoint, &layers.endpoint),
            scps: levels(LayerKind::Scp, &layers.scps),
            rcps: levels(LayerKind::Rcp, &layers.rcps),
            endpoint_kind: layers.endpoint_kind,
            management_account: layers.management_account.clone(),
        }
    }

    /// The same principal at a resource with another policy: the other layers are shared, not compiled again.
    #[must_use]
    pub fn with_resource(&self, layer: &Layer) -> Self {
        let resource = Arc::new(CompiledLayer::new(LayerKind::Resource, None, layer));
        Self { resource, ..self.clone() }
    }
}

fn levels(kind: LayerKind, guardrails: &Guardrails) -> Vec<CompiledLayer> {
    match guardrails {
        Guardrails::NotApplicable => Vec::new(),
        Guardrails::Unknown(reason) => {
            vec![CompiledLayer::new(kind, None, &Layer::Unknown(reason.clone()))]
        }
        Guardrails::Known(levels) => {
            levels.iter().map(|level| CompiledLayer::new(kind, Some(&level.name), &level.policies)).collect()
        }
    }
}

/// Whether a layer is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    NotApplicable,
    Known,
    Unknown(String),
}

/// One layer, or one level of an organisation.
#[derive(Debug, Clone)]
pub(crate) struct CompiledLayer {
    pub(crate) kind: LayerKind,
    pub(crate) level: Option<String>,
    pub(crate) presence: Presence,
    pub(crate) statements: Vec<CompiledStatement>,
    /// Attached policies without document: name and reason.
    pub(crate) unseen: Vec<(String, String)>,
    by_service: ServiceIndex,
}

impl CompiledLayer {
    fn new(kind: LayerKind, level: Option<&str>, layer: &Layer) -> Self {
        let mut compiled = Self {
            kind,
            level: level.map(ToOwned::to_owned),
            presence: Presence::NotApplicable,
            statements: Vec::new(),
            unseen: Vec::new(),
            by_service: ServiceIndex::default(),
        };
        match layer {
            Layer::NotApplicable => {}
            Layer::Unknown(reason) => compiled.presence = Presence::Unknown(reason.clone()),
            Layer::Known(policies) => {
                compiled.presence = Presence::Known;
                for policy in policies {
                    match &policy.document {
                        Document::Unknown(reason) => {
                            compiled.unseen.push((policy.name.clone(), reason.clone()));
                        }
                        Document::Known(document) => compiled.add(&policy.name, document, level),
                    }
                }
            }
        }
        compiled.by_service = ServiceIndex::new(&compiled.statements);
        compiled
    }

    fn add(&mut self, name: &str, policy: &Arc<Policy>, level: Option<&str>) {
        let name: Arc<str> = name.into();
        for (index, statement) in policy.statements.iter().enumerate() {
            let reference = StatementRef {
                layer: self.kind,
                level: level.map(Into::into),
                policy: name.clone(),
                sid: statement.sid.as_deref().map(Into::into),
                index,
                at: statement.at.clone(),
            };
            self.statements.push(CompiledStatement::new(statement, policy, reference, self.kind));
        }
    }

    /// Whether it holds no policy at all, seen or unseen.
    pub(crate) fn is_empty(&self) -> bool {
        self.presence == Presence::Known && self.statements.is_empty() && self.unseen.is_empty()
    }

    /// The statements that may name the action, by their positions.
    pub(crate) fn candidates(&self, request: &Request) -> impl Iterator<Item = (usize, &CompiledStatement)> {
        self.by_service.candidates(request.service(), &self.statements)
    }
}

/// Statements by the service prefix of their actions, worthwhile for big layers only.
#[derive(Debug, Clone, Default)]
struct ServiceIndex {
    services: BTreeMap<Box<str>, Box<[u32]>>,
    /// Statements that may name actions of any service.
    any: Box<[u32]>,
    is_used: bool,
}

impl ServiceIndex {
    const WORTHWHILE: usize = 12;

    fn new(statements: &[CompiledStatement]) -> Self {
        if statements.len() < Self::WORTHWHILE {
            return Self::default();
        }
        let mut any = Vec::new();
        let mut services: BTreeMap<Box<str>, Vec<u32>> = BTreeMap::new();
        for (index, statement) in statements.iter().enumerate() {
            let Ok(index) = u32::try_from(index) else { return Self::default() };
            match statement.services() {
                None => any.push(index),
                Some(names) => {
                    for name in names {
                        let list = services.entry(name.into()).or_default();
                        if list.last() != Some(&index) {
                            list.push(index);
                        }
                    }
                }
            }
        }
        let services = services.into_iter().map(|(name, mut list)| {
            list.extend(&any);
            list.sort_unstable();
            (name, list.into())
        });
        Self { services: services.collect(), any: any.into(), is_used: true }
    }

    fn candidates<'a>(
        &'a self,
        service: &str,
        statements: &'a [CompiledStatement],
    ) -> impl Iterator<Item = (usize, &'a CompiledStatement)> {
        let picked = self.services.get(service).unwrap_or(&self.any);
        let whole = if self.is_used { &[] } else { statements };
        let picked = picked.iter().map(|index| *index as usize);
        let picked = picked.filter_map(|index| Some((index, statements.get(index)?)));
        whole.iter().enumerate().chain(picked)
    }
}

/// The `Resource` of a statement.
#[derive(Debug, Clone)]
enum CompiledResources {
    /// No such element, in a policy that hangs on the resource itself.
    Implied,
    /// No such element, where AWS demands one.
    Missing,
    Any(Box<[ResourcePattern]>),
    NoneOf(Box<[ResourcePattern]>),
}

#[derive(Debug, Clone)]
enum ResourcePattern {
    Fixed(ArnPattern),
    Template(Template),
}

impl ResourcePattern {
    fn new(text: &str, language: Version) -> Self {
        let template = Template::new(text, language);
        if template.is_fixed()
            && let Ok(tokens) = template.tokens(|_| VariableValue::NoValue)
        {
            return Self::Fixed(ArnPattern::new(&tokens, ArnRule::Resource));
        }
        Self::Template(template)
    }

    fn covers(&self, request: &Request) -> Tri {
        let (text, cuts) = (request.resource(), request.resource_cuts());
        match self {
            Self::Fixed(pattern) if !pattern.matches(text, cuts) => {
                if lists_buckets(request) && pattern.matches(EVERY_BUCKET, ArnCuts::of(EVERY_BUCKET)) {
                    return Tri::Unknown;
                }
                Tri::False
            }
            Self::Fixed(_) => Tri::True,
            Self::Template(template) => match template.tokens(|key| variable(request, key)) {
                Ok(tokens) => ArnPattern::new(&tokens, ArnRule::Resource).matches(text, cuts).into(),
                // AWS: a resource with a variable that has no value matches no resource.
                Err(Unresolved::NoValue) => Tri::False,
                Err(Unresolved::NotKnown(_)) => Tri::Unknown,
            },
        }
    }
}

const EVERY_BUCKET: &str = "arn:aws:s3:::*";

/// Whether the request is `s3:ListAllMyBuckets` on `*`, of which AWS's pages contradict each other: one says that
/// `arn:aws:s3:::*` does not cover it, another's example lets a user list the buckets by it.
///
/// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html>,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
fn lists_buckets(request: &Request) -> bool {
    request.resource() == "*" && request.action_lower() == "s3:listallmybuckets"
}

/// A statement, compiled.
#[derive(Debug, Clone)]
pub(crate) struct CompiledStatement {
    pub(crate) reference: Arc<StatementRef>,
    policy: Arc<Policy>,
    pub(crate) is_deny: bool,
    actions: Box<[Glob]>,
    excludes_actions: bool,
    pub(crate) principals: Option<CompiledPrincipals>,
    resources: CompiledResources,
    pub(crate) conditions: Box<[CompiledCondition]>,
}

impl CompiledStatement {
    fn new(statement: &Statement, policy: &Arc<Policy>, reference: StatementRef, layer: LayerKind) -> Self {
        let language = policy.language();
        let actions = statement.action.items().iter().map(|action| Glob::new(&action.to_ascii_lowercase()));
        let read = |items: &[String]| items.iter().map(|text| ResourcePattern::new(text, language)).collect();
        let resources = match &statement.resource {
            None if layer == LayerKind::Resource => CompiledResources::Implied,
            None => CompiledResources::Missing,
            Some(Patterns::Any(items)) => CompiledResources::Any(read(items)),
            Some(Patterns::NoneOf(items)) => CompiledResources::NoneOf(read(items)),
        };
        Self {
            reference: Arc::new(reference),
            policy: policy.clone(),
            is_deny: statement.effect == Effect::Deny,
            actions: actions.collect(),
            excludes_actions: statement.action.is_negated(),
            principals: statement.principal.as_ref().map(CompiledPrincipals::new),
            resources,
            conditions: statement
                .conditions
                .iter()
                .map(|condition| CompiledCondition::new(condition, language))
                .collect(),
        }
    }

    /// The statement as written.
    pub(crate) fn source(&self) -> Option<&Statement> {
        self.policy.statements.get(self.reference.index)
    }

    /// The services whose actions it names, `None` when those may be any.
    fn services(&self) -> Option<Vec<&str>> {
        if self.excludes_actions {
            return None;
        }
        let services = self.actions.iter().map(|glob| Some(glob.literal_prefix().split_once(':')?.0));
        services.collect()
    }

    pub(crate) fn names_action(&self, request: &Request) -> bool {
        let named = self.actions.iter().any(|glob| glob.matches(request.action_lower()));
        named != self.excludes_actions
    }

    pub(crate) fn covers_resource(&self, request: &Request) -> Tri {
        match &self.resources {
            CompiledResources::Implied => Tri::True,
            CompiledResources::Missing => Tri::Unknown,
            CompiledResources::Any(items) => Tri::any(items.iter().map(|item| item.covers(request))),
            CompiledResources::NoneOf(items) => !Tri::any(items.iter().map(|item| item.covers(request))),
        }
    }

    /// Whether resource and conditions fit; action and principal left aside.
    pub(crate) fn fits<L: Logic>(&self, request: &Request) -> L {
        let covers = self.covers_resource(request);
        if covers.is_false() {
            return L::known(false);
        }
        let mut result = L::lift(covers, || self.open_resource(request));
        for (index, condition) in self.conditions.iter().enumerate() {
            let holds = condition.holds(request);
            if holds.is_false() {
                return L::known(false);
            }
            if holds.is_unknown() {
                result = result.and(L::open(|| self.open_condition(index, request)));
            }
        }
        result
    }

    fn open_resource(&self, request: &Request) -> Open {
        let templates = match &self.resources {
            CompiledResources::Any(items) | CompiledResources::NoneOf(items) => &**items,
            _ => &[],
        };
        let keys = templates.iter().flat_map(|item| match item {
            ResourcePattern::Template(template) => template.keys().collect::<Vec<_>>(),
            ResourcePattern::Fixed(_) => Vec::new(),
        });
        let reason = why_not_known(request, keys).unwrap_or_else(|| {
            let reason = if lists_buckets(request) {
                "AWS's documentation contradicts itself on this action"
            } else {
                "the statement names no resource"
            };
            reason.into()
        });
        Open::Resource { statement: self.reference.clone(), reason }
    }

    fn open_condition(&self, index: usize, request: &Request) -> Open {
        let source = self.source().and_then(|source| source.conditions.get(index));
        let (Some(source), Some(condition)) = (source, self.conditions.get(index)) else {
            return Open::Resource { statement: self.reference.clone(), reason: String::new() };
        };
        let keys = std::iter::once(condition.key()).chain(condition.variables());
        let reason = why_not_known(request, keys)
            .unwrap_or_else(|| "AWS does not document how these values compare".into());
        Open::Condition {
            statement: self.reference.clone(),
            operator: source.operator,
            key: source.key.clone(),
            wanted: source.values.clone(),
            reason,
        }
    }
}

/// The reason of the first key that is not known.
fn why_not_known<'a>(request: &Request, keys: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut keys = keys;
    keys.find_map(|key| match request.lookup(key) {
        crate::context::Lookup::NotKnown(reason) => Some(format!("{key}: {reason}")),
        _ => None,
    })
}
