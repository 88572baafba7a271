//! Bytes to JSON, and JSON to typed values with an error that names the place.
//!
//! Not here: what a member means. Start with [`parse`] and [`Place::typed`].

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::error::{IntakeError, Problem};

/// Most values (members and elements) in one input. A value takes about 100 bytes of memory once it is read.
pub const MAX_VALUES: usize = 4_000_000;
/// Longest excerpt of a wrong value in an error, in characters.
const MAX_EXCERPT: usize = 80;

/// Where a value stands: the file, and the JSON path inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn file(file: &str) -> Self {
        Self { file: file.into(), path: String::new() }
    }

    pub(crate) fn member(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self { file: Arc::clone(&self.file), path: [&self.path, dot, name].concat() }
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self { file: Arc::clone(&self.file), path: format!("{}[{index}]", self.path) }
    }

    pub(crate) fn error(&self, expected: impl Into<String>, found: impl Into<String>) -> IntakeError {
        IntakeError::new(Problem::Malformed, expected, found).in_file(&self.file).at(self.path.clone())
    }

    /// Reads `value` as a `T`. `null` counts as a missing member, as the AWS CLI sometimes prints it.
    pub(crate) fn typed<T: DeserializeOwned>(&self, value: &Value) -> Result<T, IntakeError> {
        let cleaned;
        let value = if holds_null(value) {
            cleaned = without_nulls(value);
            &cleaned
        } else {
            value
        };
        serde_path_to_error::deserialize(value).map_err(|error| {
            let mut place = self.clone();
            let mut found = Some(value);
            for segment in error.path() {
                match segment {
                    Segment::Seq { index } => {
                        place = place.index(*index);
                        found = found.and_then(|value| value.get(index));
                    }
                    Segment::Map { key } => {
                        place = place.member(key);
                        found = found.and_then(|value| value.get(key));
                    }
                    Segment::Enum { .. } | Segment::Unknown => {}
                }
            }
            let found = found.map_or_else(|| "nothing".to_owned(), excerpt);
            place
                .error(expectation(&error.inner().to_string()), found)
                .advise("paste the answer as the AWS CLI prints it")
        })
    }
}

/// What serde wanted, out of its message.
fn expectation(message: &str) -> String {
    if let Some((_, expected)) = message.split_once(", expected ") {
        return expected.to_owned();
    }
    if message.contains("IP address") || message.contains("prefix length") {
        return "an IP address or network, such as 10.0.0.0/16".to_owned();
    }
    format!("a value that fits ({message})")
}

/// The value in few characters.
pub(crate) fn excerpt(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object of {} members", members.len()),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(MAX_EXCERPT) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

/// A copy without the members that are `null`.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name.clone(), without_nulls(member)))
            .collect(),
        other => other.clone(),
    }
}

/// Reads a document as JSON: UTF-8 with or without a byte-order mark, at most [`MAX_VALUES`] values, nesting as
/// deep as `serde_json` allows (127 levels).
pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Value, IntakeError> {
    let text = text(file, bytes)?;
    if count_values(text.as_bytes()) > MAX_VALUES {
        return Err(
            IntakeError::new(Problem::Refused, format!("at most {MAX_VALUES} values"), "more").in_file(file)
        );
    }
    serde_json::from_str(text).map_err(|error| {
        let found = match error.classify() {
            serde_json::error::Category::Eof if text.trim().is_empty() => "an empty file".to_owned(),
            serde_json::error::Category::Eof => "the end of the file in the middle of a value".to_owned(),
            _ => error.to_string(),
        };
        let problem = if found.contains("recursion limit") { Problem::Refused } else { Problem::Malformed };
        IntakeError::new(problem, "JSON", found)
            .in_file(file)
            .at(format!("line {} column {}", error.line(), error.column()))
            .advise("write the file again with `--output json`")
    })
}

/// The bytes as text without a byte-order mark.
pub(crate) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, IntakeError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(IntakeError::new(Problem::Malformed, "UTF-8 text", "UTF-16 text")
            .in_file(file)
            .advise("save it as UTF-8; in PowerShell: `… | Out-File -Encoding utf8 FILE`"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        IntakeError::new(
            Problem::Malformed,
            "UTF-8 text",
            format!("another encoding at byte {}", error.valid_up_to()),
        )
        .in_file(file)
        .advise("save it as UTF-8")
    })
}

/// How many values the text holds at most: each one but the first follows a comma or an opening bracket.
pub(crate) fn count_values(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for &byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b',' | b'[' | b'{' => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{MAX_VALUES, Place, count_values, parse};
    use crate::error::Problem;
    use launchpath_model::aws::vpc::Subnet;
    use serde_json::json;

    #[test]
    fn a_wrong_member_is_named_with_its_place() {
        let value = json!([{ "SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/33" }]);
        let place = Place::file("bundle.json").member("calls").index(3).member("response").member("Subnets");
        let error = place.typed::<Vec<Subnet>>(&value).unwrap_err();
        assert_eq!(error.file(), Some("bundle.json"));
        assert_eq!(error.place(), Some("calls[3].response.Subnets[0].CidrBlock"));
        assert_eq!(error.found(), "\"10.0.0.0/33\"");
        assert!(error.expected().contains("10.0.0.0/16"), "{error}");
    }

    #[test]
    fn null_is_a_missing_member() {
        let value = json!([{ "SubnetId": "subnet-1", "VpcId": null, "Tags": null }]);
        let subnets: Vec<Subnet> = Place::default().typed(&value).unwrap();
        assert_eq!(subnets[0].tags, None);
    }

    #[test]
    fn a_byte_order_mark_is_ignored_and_other_encodings_are_named() {
        assert_eq!(parse("x", b"\xef\xbb\xbf{}").unwrap(), json!({}));
        assert!(parse("x", b"\xff\xfe{\0}\0").unwrap_err().to_string().contains("UTF-16"));
        assert!(parse("x", b"{\"a\":\"\xe9\"}").unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse("x", deep.as_bytes()).unwrap_err().problem(), Problem::Refused);
        let wide = format!("[0{}]", ",0".repeat(MAX_VALUES));
        assert_eq!(parse("x", wide.as_bytes()).unwrap_err().problem(), Problem::Refused);
        assert_eq!(count_values(br#"{"a,[":"b\",\"","c":[1,2]}"#), 5);
    }

    #[test]
    fn a_file_that_was_cut_off_says_so() {
        let error = parse("x.json", b"{\"Subnets\": [").unwrap_err();
        assert_eq!(error.place(), Some("line 1 column 13"));
        assert!(error.found().contains("end of the file"));
        assert!(parse("x.json", b"  ").unwrap_err().found().contains("empty"));
    }
}
