//! Conditions that the image decides: the interpreter's version, the platform, whether this is the start module.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ruff_python_ast::{BoolOp, CmpOp, Expr, Number, UnaryOp};

use super::Version;

/// What a condition is when the module is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub(super) fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// What is known when a module's text is read.
pub(super) struct Setting<'a> {
    pub(super) version: Version,
    /// `aarch64`, `x86_64`; `None` when the platform is not known.
    pub(super) machine: Option<&'a str>,
    /// The module runs as `__main__`.
    pub(super) is_main: bool,
}

/// Module-level names that hold a condition.
pub(super) type Flags = BTreeMap<Box<str>, Truth>;

/// A value that a comparison can have on one of its sides.
enum Value {
    /// `sys.version_info`.
    Version,
    Integers(Vec<i64>),
    Integer(i64),
    Text(String),
}

impl Setting<'_> {
    /// What `test` is.
    pub(super) fn evaluate(&self, test: &Expr, flags: &Flags) -> Truth {
        match test {
            Expr::BooleanLiteral(literal) => Truth::of(literal.value),
            Expr::NoneLiteral(_) => Truth::False,
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(value) => value.as_i64().map_or(Truth::Unknown, |value| Truth::of(value != 0)),
                _ => Truth::Unknown,
            },
            Expr::Name(name) => match name.id.as_str() {
                "TYPE_CHECKING" => Truth::False,
                other => flags.get(other).copied().unwrap_or(Truth::Unknown),
            },
            Expr::Attribute(attribute) if attribute.attr.as_str() == "TYPE_CHECKING" => Truth::False,
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => {
                self.evaluate(&operation.operand, flags).not()
            }
            Expr::BoolOp(operation) => self.connect(operation.op, &operation.values, flags),
            Expr::Compare(comparison) => {
                let ([operator], [right]) = (&*comparison.ops, &*comparison.comparators) else {
                    return Truth::Unknown;
                };
                self.compare(&comparison.left, *operator, right)
            }
            Expr::Call(call) => {
                let Expr::Attribute(function) = &*call.func else { return Truth::Unknown };
                let [Expr::StringLiteral(prefix)] = &*call.arguments.args else { return Truth::Unknown };
                match (function.attr.as_str(), self.value(&function.value)) {
                    ("startswith", Some(Value::Text(text))) => {
                        Truth::of(text.starts_with(prefix.value.to_str()))
                    }
                    _ => Truth::Unknown,
                }
            }
            _ => Truth::Unknown,
        }
    }

    fn connect(&self, operator: BoolOp, values: &[Expr], flags: &Flags) -> Truth {
        let (decides, otherwise) = match operator {
            BoolOp::And => (Truth::False, Truth::True),
            BoolOp::Or => (Truth::True, Truth::False),
        };
        let mut all_known = true;
        for value in values {
            let truth = self.evaluate(value, flags);
            if truth == decides {
                return decides;
            }
            all_known &= truth != Truth::Unknown;
        }
        if all_known { otherwise } else { Truth::Unknown }
    }

    fn compare(&self, left: &Expr, operator: CmpOp, right: &Expr) -> Truth {
        if let (Some(Value::Text(left)), CmpOp::In | CmpOp::NotIn) = (self.value(left), operator) {
            let Some(texts) = texts(right) else { return Truth::Unknown };
            return Truth::of(texts.contains(&left.as_str()) == (operator == CmpOp::In));
        }
        match (self.value(left), self.value(right)) {
            (Some(Value::Text(a)), Some(Value::Text(b))) => match operator {
                CmpOp::Eq => Truth::of(a == b),
                CmpOp::NotEq => Truth::of(a != b),
                _ => Truth::Unknown,
            },
            (Some(Value::Integer(a)), Some(Value::Integer(b))) => order(operator, a.cmp(&b)),
            (Some(Value::Integers(a)), Some(Value::Integers(b))) => order(operator, a.cmp(&b)),
            (Some(Value::Version), Some(Value::Integers(b))) => {
                self.version_against(&b).map_or(Truth::Unknown, |ordering| order(operator, ordering))
            }
            (Some(Value::Integers(a)), Some(Value::Version)) => self
                .version_against(&a)
                .map_or(Truth::Unknown, |ordering| order(operator, ordering.reverse())),
            _ => Truth::Unknown,
        }
    }

    /// `sys.version_info` against a tuple. It has five members of which two are known here.
    fn version_against(&self, tuple: &[i64]) -> Option<Ordering> {
        let known = [i64::from(self.version.major), i64::from(self.version.minor)];
        match known.as_slice().cmp(tuple) {
            Ordering::Equal => Some(Ordering::Greater),
            Ordering::Less if tuple.len() > 2 && tuple[..2] == known => None,
            ordering => Some(ordering),
        }
    }

    fn value(&self, side: &Expr) -> Option<Value> {
        let version = [i64::from(self.version.major), i64::from(self.version.minor)];
        match side {
            Expr::StringLiteral(text) => Some(Value::Text(text.value.to_str().to_owned())),
            Expr::NumberLiteral(_) => integer(side).map(Value::Integer),
            Expr::Tuple(tuple) => {
                tuple.elts.iter().map(integer).collect::<Option<Vec<i64>>>().map(Value::Integers)
            }
            Expr::Name(name) if name.id.as_str() == "__name__" => {
                // Any other name than `__main__` is as good as the real one.
                Some(Value::Text(if self.is_main { "__main__" } else { "(imported)" }.to_owned()))
            }
            Expr::Attribute(_) => match dotted(side)?.as_str() {
                "sys.version_info" => Some(Value::Version),
                "sys.version_info.major" => Some(Value::Integer(version[0])),
                "sys.version_info.minor" => Some(Value::Integer(version[1])),
                "sys.platform" => Some(Value::Text("linux".to_owned())),
                "os.name" => Some(Value::Text("posix".to_owned())),
                "os.sep" => Some(Value::Text("/".to_owned())),
                "sys.implementation.name" => Some(Value::Text("cpython".to_owned())),
                _ => None,
            },
            Expr::Subscript(subscript) if dotted(&subscript.value)? == "sys.version_info" => {
                match &*subscript.slice {
                    Expr::Slice(slice) if slice.lower.is_none() && slice.step.is_none() => {
                        let upper = integer(slice.upper.as_deref()?)?;
                        let upper = usize::try_from(upper).ok().filter(|upper| (1..=2).contains(upper))?;
                        Some(Value::Integers(version[..upper].to_vec()))
                    }
                    index => match integer(index)? {
                        0 => Some(Value::Integer(version[0])),
                        1 => Some(Value::Integer(version[1])),
                        _ => None,
                    },
                }
            }
            Expr::Call(call) if call.arguments.is_empty() => match dotted(&call.func)?.as_str() {
                "platform.system" => Some(Value::Text("Linux".to_owned())),
                "platform.machine" => self.machine.map(|machine| Value::Text(machine.to_owned())),
                "platform.python_implementation" => Some(Value::Text("CPython".to_owned())),
                _ => None,
            },
            _ => None,
        }
    }
}

fn order(operator: CmpOp, ordering: Ordering) -> Truth {
    match operator {
        CmpOp::Eq => Truth::of(ordering.is_eq()),
        CmpOp::NotEq => Truth::of(ordering.is_ne()),
        CmpOp::Lt => Truth::of(ordering.is_lt()),
        CmpOp::LtE => Truth::of(ordering.is_le()),
        CmpOp::Gt => Truth::of(ordering.is_gt()),
        CmpOp::GtE => Truth::of(ordering.is_ge()),
        _ => Truth::Unknown,
    }
}

fn integer(value: &Expr) -> Option<i64> {
    match value {
        Expr::NumberLiteral(number) => match &number.value {
            Number::Int(value) => value.as_i64(),
            _ => None,
        },
        _ => None,
    }
}

fn texts(value: &Expr) -> Option<Vec<&str>> {
    let elements = match value {
        Expr::Tuple(tuple) => &*tuple.elts,
        Expr::List(list) => &*list.elts,
        Expr::Set(set) => &*set.elts,
        _ => return None,
    };
    elements.iter().map(|element| Some(element.as_string_literal_expr()?.value.to_str())).collect()
}

/// `a.b.c` as text.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut at = expression;
    while let Expr::Attribute(attribute) = at {
        parts.push(attribute.attr.as_str());
        at = &attribute.value;
    }
    let Expr::Name(name) = at else { return None };
    parts.push(name.id.as_str());
    parts.reverse();
    Some(parts.join("."))
}
