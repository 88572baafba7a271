//! JSON with positions: reads a text or a `serde_json::Value` into one tree that keeps member order, repeated
//! members and, for text, where each value starts.
//!
//! Not a JSON parser of its own: `serde_json` does the parsing, and its raw values, which borrow from the text,
//! give the offsets. Start at [`read_text`].

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{PolicyError, PolicyErrorKind};
use crate::location::{Location, Position};

/// Longest text accepted, in bytes. AWS's largest policies (key policies) are 32 KiB.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;
/// Deepest nesting accepted; a policy needs seven levels.
pub(crate) const MAX_DEPTH: usize = 32;

/// A JSON value and where it starts.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) position: Option<Position>,
    pub(crate) value: NodeValue,
}

/// The kinds of JSON value; numbers keep their text, objects their order and repetitions.
#[derive(Debug, Clone)]
pub(crate) enum NodeValue {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl NodeValue {
    /// The JSON type's name, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Offsets of line starts, to turn byte offsets into lines and columns.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn position(&self, part: &str) -> Option<Position> {
        let offset = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let column = self.text.get(start..offset)?.chars().count() + 1;
        Some(Position { line, column })
    }
}

fn root_error(kind: PolicyErrorKind, position: Option<Position>) -> PolicyError {
    PolicyError { kind, at: Location { path: String::new(), position } }
}

/// Reads a text. Errors: not JSON, too long, nested too deep.
pub(crate) fn read_text(text: &str) -> Result<Node, PolicyError> {
    if text.len() > MAX_TEXT_BYTES {
        let kind = PolicyErrorKind::TextTooLong { size: text.len(), limit: MAX_TEXT_BYTES };
        return Err(root_error(kind, None));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    node_of_raw(raw, &Lines::new(text), 0)
}

fn syntax(error: &serde_json::Error) -> PolicyError {
    let position = (error.line() > 0).then(|| Position { line: error.line(), column: error.column().max(1) });
    let message = error.to_string();
    // The position is carried apart; serde_json repeats it at the end of its message.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    root_error(PolicyErrorKind::Syntax(message), position)
}

fn node_of_raw(raw: &RawValue, lines: &Lines<'_>, depth: usize) -> Result<Node, PolicyError> {
    let text = raw.get();
    let position = lines.position(text);
    if depth > MAX_DEPTH {
        return Err(root_error(PolicyErrorKind::TooDeep { limit: MAX_DEPTH }, position));
    }
    let inner = |error: serde_json::Error| {
        let mut error = syntax(&error);
        error.at.position = position;
        error
    };
    let value = match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(inner)?;
            let members = members.0.into_iter();
            let read = members.map(|(name, raw)| Ok((name, node_of_raw(raw, lines, depth + 1)?)));
            NodeValue::Object(read.collect::<Result<_, PolicyError>>()?)
        }
        Some(b'[') => {
            let items: Items<'_> = serde_json::from_str(text).map_err(inner)?;
            let read = items.0.into_iter().map(|raw| node_of_raw(raw, lines, depth + 1));
            NodeValue::Array(read.collect::<Result<_, PolicyError>>()?)
        }
        Some(b'"') => NodeValue::String(serde_json::from_str(text).map_err(inner)?),
        Some(b't') => NodeValue::Bool(true),
        Some(b'f') => NodeValue::Bool(false),
        Some(b'n') => NodeValue::Null,
        _ => NodeValue::Number(text.to_owned()),
    };
    Ok(Node { position, value })
}

/// Reads an already parsed value; there are no positions and no repeated members then.
pub(crate) fn read_value(value: &Value) -> Result<Node, PolicyError> {
    node_of_value(value, 0)
}

fn node_of_value(value: &Value, depth: usize) -> Result<Node, PolicyError> {
    if depth > MAX_DEPTH {
        return Err(root_error(PolicyErrorKind::TooDeep { limit: MAX_DEPTH }, None));
    }
    let value = match value {
        Value::Null => NodeValue::Null,
        Value::Bool(value) => NodeValue::Bool(*value),
        Value::Number(value) => NodeValue::Number(value.to_string()),
        Value::String(value) => NodeValue::String(value.clone()),
        Value::Array(items) => {
            let read = items.iter().map(|item| node_of_value(item, depth + 1));
            NodeValue::Array(read.collect::<Result<_, PolicyError>>()?)
        }
        Value::Object(members) => {
            let read =
                members.iter().map(|(name, value)| Ok((name.clone(), node_of_value(value, depth + 1)?)));
            NodeValue::Object(read.collect::<Result<_, PolicyError>>()?)
        }
    };
    Ok(Node { position: None, value })
}

/// An object's members in order, repetitions kept.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(entry);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// A list's items.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Items<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element::<&'de RawValue>()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}
