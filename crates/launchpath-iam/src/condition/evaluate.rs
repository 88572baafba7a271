//! One condition against one request: absent keys, several values, set qualifiers, `IfExists`, `Null`.
//!
//! Not how two single values compare: `value.rs`.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>

use super::operator::{ConditionOperator, SetQualifier, Test};
use super::value::Wanted;
use crate::context::Lookup;
use crate::document::{Condition, Version};
use crate::request::Request;
use crate::template::VariableValue;
use crate::tri::Tri;

/// A condition with its values read once.
#[derive(Debug, Clone)]
pub(crate) struct CompiledCondition {
    operator: ConditionOperator,
    /// Lower case.
    key: Box<str>,
    wanted: Box<[Wanted]>,
}

impl CompiledCondition {
    pub(crate) fn new(condition: &Condition, language: Version) -> Self {
        let wanted = condition.values.iter();
        let wanted = wanted.map(|text| Wanted::new(condition.operator.test, text, language));
        Self {
            operator: condition.operator,
            key: condition.key.to_ascii_lowercase().into(),
            wanted: wanted.collect(),
        }
    }

    /// The key in lower case.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The keys its values use as variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().flat_map(|wanted| match wanted {
            Wanted::Template(template) => template.keys().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, request: &Request) -> Tri {
        let lookup = request.lookup(&self.key);
        if self.operator.test == Test::Null {
            return self.null_holds(lookup);
        }
        match lookup {
            Lookup::NotKnown(_) if self.can_hold() => Tri::Unknown,
            Lookup::NotKnown(_) => Tri::False,
            Lookup::Absent => self.absent_holds().into(),
            Lookup::One("") if self.operator.qualifier.is_some() => {
                // AWS: an empty string resolves to a null data set: true for ForAllValues, false for ForAnyValue.
                (self.operator.qualifier == Some(SetQualifier::ForAllValues)).into()
            }
            Lookup::One(value) => self.value_holds(value, request),
            Lookup::Many(values) => {
                let each = values.iter().map(|value| self.value_holds(value, request));
                match self.operator.qualifier {
                    Some(SetQualifier::ForAllValues) => Tri::all(each),
                    Some(SetQualifier::ForAnyValue) => Tri::any(each),
                    // AWS: keys with several values require a set operator. What happens without one is not
                    // documented, so it is known only where every reading agrees.
                    None => {
                        let (all, any) = (Tri::all(each.clone()), Tri::any(each));
                        if all == any { all } else { Tri::Unknown }
                    }
                }
            }
        }
    }

    /// Whether any value of the key, or none, could make it hold: with no value that its operator can use, no value does.
    fn can_hold(&self) -> bool {
        let unusable = self.wanted.iter().all(|wanted| matches!(wanted, Wanted::Unusable));
        !unusable || self.operator.test.is_negated() || self.absent_holds()
    }

    fn absent_holds(&self) -> bool {
        if self.operator.if_exists {
            return true;
        }
        match self.operator.qualifier {
            Some(SetQualifier::ForAllValues) => true,
            Some(SetQualifier::ForAnyValue) => false,
            None => self.operator.test.is_negated(),
        }
    }

    fn null_holds(&self, lookup: Lookup<'_>) -> Tri {
        // A set qualifier on an existence test has no documented meaning.
        if self.operator.qualifier.is_some() {
            return Tri::Unknown;
        }
        let absent = match lookup {
            Lookup::NotKnown(_) => return Tri::Unknown,
            Lookup::Absent => true,
            // AWS: "false" asks for a key that exists and whose value is not null; an empty string is null.
            Lookup::One(value) => value.is_empty(),
            Lookup::Many(values) => values.iter().all(String::is_empty),
        };
        let wanted = self.wanted.iter().map(|wanted| match wanted {
            Wanted::Bool(wanted) => (*wanted == absent).into(),
            _ => Tri::False,
        });
        Tri::any(wanted)
    }

    fn value_holds(&self, actual: &str, request: &Request) -> Tri {
        let test = self.operator.test;
        let value_of = |key: &str| variable(request, key);
        let covered = Tri::any(self.wanted.iter().map(|wanted| wanted.covers(test, actual, value_of)));
        // AWS: several values of a negated operator are joined by NOR.
        if test.is_negated() { !covered } else { covered }
    }
}

/// The value of a variable: only keys with one value have one.
pub(crate) fn variable<'a>(request: &'a Request, key: &str) -> VariableValue<'a> {
    match request.lookup(key) {
        // Whether an empty value counts as no value is not documented for variables.
        Lookup::One("") | Lookup::NotKnown(_) => VariableValue::NotKnown,
        Lookup::One(value) => VariableValue::Value(value),
        Lookup::Many(_) | Lookup::Absent => VariableValue::NoValue,
    }
}
