//! From JSON to a typed [`Policy`], tolerant where AWS is (a value or a list of values everywhere, numbers and
//! booleans as condition values), and with a finding, not a panic, for everything else.
//!
//! Not the check for one kind of policy (whether it may have a `Principal`, how long it may be): that is
//! `check.rs`. Start at [`Policy::read`].

use serde_json::Value;

use crate::condition::{Condition, ConditionOperator, check_value};
use crate::document::{Effect, Patterns, Policy, PrincipalSpec, Principals, Statement, Version};
use crate::error::{PolicyError, PolicyErrorKind, PolicyErrors, Severity};
use crate::json::{Node, NodeValue, read_text, read_value};
use crate::location::Location;

/// A document as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What could be read; statements that could not are left out.
    pub policy: Policy,
    /// Everything that is wrong, warnings included, in document order.
    pub findings: Vec<PolicyError>,
}

impl Reading {
    /// The policy when its meaning is clear, even if AWS would refuse to store it; else everything that is wrong.
    pub fn usable(self) -> Result<Policy, PolicyErrors> {
        self.below(Severity::Unreadable)
    }

    /// The policy when AWS would store it as far as every kind of policy goes; else everything that is wrong.
    pub fn storable(self) -> Result<Policy, PolicyErrors> {
        self.below(Severity::Refused)
    }

    fn below(self, limit: Severity) -> Result<Policy, PolicyErrors> {
        if self.findings.iter().all(|finding| finding.severity() < limit) {
            return Ok(self.policy);
        }
        Err(PolicyErrors(self.findings))
    }
}

impl Policy {
    /// Parses a document from text. Errors name JSON path, line and column.
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        Self::read(text).storable()
    }

    /// Parses a document from JSON. Errors name the JSON path.
    pub fn from_value(value: &Value) -> Result<Self, PolicyErrors> {
        Self::read_value(value).storable()
    }

    /// Reads a text as far as possible.
    pub fn read(text: &str) -> Reading {
        Reader::default().read(read_text(text))
    }

    /// Reads JSON as far as possible.
    pub fn read_value(value: &Value) -> Reading {
        Reader::default().read(read_value(value))
    }
}

/// The name in `names` that differs from `name` in case or in at most two letters.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    names
        .map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len() / 2)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Levenshtein distance; names beyond 64 bytes are as far away as can be.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

const DOCUMENT_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

#[derive(Default)]
struct Reader {
    findings: Vec<PolicyError>,
}

impl Reader {
    fn read(mut self, root: Result<Node, PolicyError>) -> Reading {
        let mut policy = Policy { version: None, id: None, statements: Vec::new() };
        match root {
            Ok(root) => self.document(&root, &mut policy),
            Err(error) => self.findings.push(error),
        }
        Reading { policy, findings: self.findings }
    }

    fn report(&mut self, kind: PolicyErrorKind, at: Location) {
        self.findings.push(PolicyError { kind, at });
    }

    fn wrong_type(&mut self, node: &Node, expected: &'static str, at: Location) {
        let found = node.value.type_name();
        self.report(PolicyErrorKind::WrongType { expected, found }, at);
    }

    /// The members of an object, after reporting unknown and repeated ones.
    fn members<'n>(
        &mut self,
        node: &'n Node,
        known: &'static [&'static str],
        at: &Location,
    ) -> Option<Vec<(&'static str, &'n Node)>> {
        let NodeValue::Object(members) = &node.value else {
            self.wrong_type(node, "an object", at.clone());
            return None;
        };
        let mut read: Vec<(&'static str, &Node)> = Vec::with_capacity(members.len());
        for (name, value) in members {
            let place = at.member(name, value.position);
            let Some(element) = known.iter().find(|element| **element == name) else {
                let suggestion = nearest(name, known.iter().copied());
                self.report(PolicyErrorKind::UnknownElement { name: name.clone(), suggestion }, place);
                continue;
            };
            if read.iter().any(|(other, _)| other == element) {
                self.report(PolicyErrorKind::Duplicate(name.clone()), place);
                continue;
            }
            read.push((element, value));
        }
        Some(read)
    }

    fn document(&mut self, root: &Node, policy: &mut Policy) {
        let at = Location { path: String::new(), position: root.position };
        let Some(members) = self.members(root, &DOCUMENT_ELEMENTS, &at) else {
            return;
        };
        let mut has_statement = false;
        for (name, node) in members {
            let place = at.member(name, node.position);
            match name {
                "Version" => policy.version = self.version(node, place),
                "Id" => policy.id = self.string(node, place),
                _ => {
                    has_statement = true;
                    self.statements(node, &place, policy);
                }
            }
        }
        if !has_statement {
            self.report(PolicyErrorKind::Missing("Statement"), at);
        }
    }

    fn version(&mut self, node: &Node, at: Location) -> Option<Version> {
        let text = self.string(node, at.clone())?;
        match text.as_str() {
            "2012-10-17" => Some(Version::V2012),
            "2008-10-17" => Some(Version::V2008),
            _ => {
                self.report(PolicyErrorKind::InvalidVersion(text), at);
                None
            }
        }
    }

    fn string(&mut self, node: &Node, at: Location) -> Option<String> {
        if let NodeValue::String(text) = &node.value {
            return Some(text.clone());
        }
        self.wrong_type(node, "a string", at);
        None
    }

    fn statements(&mut self, node: &Node, at: &Location, policy: &mut Policy) {
        match &node.value {
            NodeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = at.item(index, item.position);
                    policy.statements.extend(self.statement(item, place));
                }
            }
            NodeValue::Object(_) => policy.statements.extend(self.statement(node, at.clone())),
            _ => self.wrong_type(node, "a statement or a list of statements", at.clone()),
        }
    }

    fn statement(&mut self, node: &Node, at: Location) -> Option<Statement> {
        let before = self.unreadable();
        let members = self.members(node, &STATEMENT_ELEMENTS, &at)?;
        let mut sid = None;
        let mut effect = None;
        let mut has_effect = false;
        let mut principal = None;
        let mut action = None;
        let mut resource = None;
        let mut conditions = Vec::new();
        for (name, node) in members {
            let place = at.member(name, node.position);
            match name {
                "Sid" => sid = self.string(node, place),
                "Effect" => {
                    has_effect = true;
                    effect = self.effect(node, place);
                }
                "Principal" | "NotPrincipal" => {
                    self.only_one(principal.is_some(), "Principal", "NotPrincipal", &place);
                    let list = self.principals(node, &place);
                    let negated = name == "NotPrincipal";
                    principal = Some(if negated { Principals::NoneOf(list) } else { Principals::Any(list) });
                }
                "Action" | "NotAction" => {
                    self.only_one(action.is_some(), "Action", "NotAction", &place);
                    let list = self.strings(node, "Action", &place);
                    self.check_actions(&list, &place);
                    action = Some(patterns(name == "NotAction", list));
                }
                "Resource" | "NotResource" => {
                    self.only_one(resource.is_some(), "Resource", "NotResource", &place);
                    let list = self.strings(node, "Resource", &place);
                    resource = Some(patterns(name == "NotResource", list));
                }
                _ => conditions = self.conditions(node, &place),
            }
        }
        if !has_effect {
            self.report(PolicyErrorKind::Missing("Effect"), at.clone());
        }
        if action.is_none() {
            self.report(PolicyErrorKind::Missing("Action"), at.clone());
        }
        if before != self.unreadable() {
            return None;
        }
        Some(Statement { sid, effect: effect?, principal, action: action?, resource, conditions, at })
    }

    /// How many findings so far take a document's meaning away.
    fn unreadable(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == Severity::Unreadable).count()
    }

    fn only_one(&mut self, taken: bool, one: &'static str, other: &'static str, at: &Location) {
        if taken {
            self.report(PolicyErrorKind::Conflicting(one, other), at.clone());
        }
    }

    fn effect(&mut self, node: &Node, at: Location) -> Option<Effect> {
        let text = self.string(node, at.clone())?;
        match text.as_str() {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            _ => {
                self.report(PolicyErrorKind::InvalidEffect(text), at);
                None
            }
        }
    }

    /// A string or a list of strings.
    fn strings(&mut self, node: &Node, element: &'static str, at: &Location) -> Vec<String> {
        match &node.value {
            NodeValue::String(text) => vec![text.clone()],
            NodeValue::Array(items) => {
                if items.is_empty() {
                    self.report(PolicyErrorKind::Empty(element), at.clone());
                }
                let items = items.iter().enumerate();
                items.filter_map(|(index, item)| self.string(item, at.item(index, item.position))).collect()
            }
            _ => {
                self.wrong_type(node, "a string or a list of strings", at.clone());
                Vec::new()
            }
        }
    }

    fn check_actions(&mut self, actions: &[String], at: &Location) {
        for action in actions {
            let prefixed =
                action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
            if action != "*" && !prefixed {
                self.report(PolicyErrorKind::InvalidAction(action.clone()), at.clone());
            }
        }
    }

    fn principals(&mut self, node: &Node, at: &Location) -> Vec<PrincipalSpec> {
        let members = match &node.value {
            NodeValue::String(text) if text == "*" => return vec![PrincipalSpec::Everyone],
            NodeValue::Object(members) => members,
            _ => {
                self.wrong_type(node, "\"*\" or an object of principals", at.clone());
                return Vec::new();
            }
        };
        if members.is_empty() {
            self.report(PolicyErrorKind::Empty("Principal"), at.clone());
        }
        let mut list = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in members {
            let place = at.member(name, value.position);
            if seen.contains(&name.as_str()) {
                self.report(PolicyErrorKind::Duplicate(name.clone()), place);
                continue;
            }
            seen.push(name);
            let spec: fn(String) -> PrincipalSpec = match name.as_str() {
                "AWS" => PrincipalSpec::Aws,
                "Service" => PrincipalSpec::Service,
                "Federated" => PrincipalSpec::Federated,
                "CanonicalUser" => PrincipalSpec::CanonicalUser,
                _ => {
                    let known = ["AWS", "Service", "Federated", "CanonicalUser"];
                    let suggestion = nearest(name, known.into_iter());
                    self.report(PolicyErrorKind::UnknownElement { name: name.clone(), suggestion }, place);
                    continue;
                }
            };
            list.extend(self.strings(value, "Principal", &place).into_iter().map(spec));
        }
        list
    }

    fn conditions(&mut self, node: &Node, at: &Location) -> Vec<Condition> {
        let NodeValue::Object(operators) = &node.value else {
            self.wrong_type(node, "an object of condition operators", at.clone());
            return Vec::new();
        };
        let mut list: Vec<Condition> = Vec::new();
        for (name, keys) in operators {
            let place = at.member(name, keys.position);
            let Some(operator) = ConditionOperator::parse(name) else {
                let suggestion = ConditionOperator::nearest(name);
                self.report(PolicyErrorKind::InvalidOperator { name: name.clone(), suggestion }, place);
                continue;
            };
            let documented = operator.to_string();
            if documented != *name {
                let written = name.clone();
                self.report(PolicyErrorKind::OtherCase { written, documented }, place.clone());
            }
            let NodeValue::Object(keys) = &keys.value else {
                self.wrong_type(keys, "an object of context keys", place);
                continue;
            };
            for (key, values) in keys {
                let place = place.member(key, values.position);
                let same =
                    |other: &Condition| other.operator == operator && other.key.eq_ignore_ascii_case(key);
                if list.iter().any(same) {
                    self.report(PolicyErrorKind::Duplicate(key.clone()), place);
                    continue;
                }
                let values = self.condition_values(values, &place);
                for value in &values {
                    if let Err(wanted) = check_value(operator.test, value) {
                        let value = value.clone();
                        self.report(PolicyErrorKind::InvalidConditionValue { value, wanted }, place.clone());
                    }
                }
                list.push(Condition { operator, key: key.clone(), values });
            }
        }
        list.sort_by(|a, b| (a.operator, &a.key).cmp(&(b.operator, &b.key)));
        list
    }

    fn condition_values(&mut self, node: &Node, at: &Location) -> Vec<String> {
        let NodeValue::Array(items) = &node.value else {
            return self.scalar(node, at).into_iter().collect();
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            values.extend(self.scalar(item, &at.item(index, item.position)));
        }
        values
    }

    fn scalar(&mut self, node: &Node, at: &Location) -> Option<String> {
        match &node.value {
            NodeValue::String(text) | NodeValue::Number(text) => Some(text.clone()),
            NodeValue::Bool(value) => Some(value.to_string()),
            _ => {
                self.wrong_type(node, "a string, number or boolean", at.clone());
                None
            }
        }
    }
}

fn patterns(negated: bool, list: Vec<String>) -> Patterns {
    if negated { Patterns::NoneOf(list) } else { Patterns::Any(list) }
}
