//! Many questions: a file of JSON Lines in, one JSON line out per record, in order.
//!
//! Not the questions themselves: `reach.rs` and `can.rs` answer a record. One that cannot be read, or that this program
//! crashes on, gives a line with `error`, and the others go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{disk, output};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Exit code when a record could not be read.
const MALFORMED: u8 = 2;

/// One record, read as far as all questions have in common.
pub(crate) struct Record<'a> {
    /// The line.
    pub(crate) text: &'a str,
    /// Its `data`, where it names evidence of its own.
    pub(crate) data: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Header {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    data: Option<Value>,
}

/// The lines of a file that hold something, with their numbers.
pub(crate) struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    /// Reads a file, or standard input where the path is `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { bytes: disk::bytes(path)? })
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let lines = self.bytes.split(|byte| *byte == b'\n').enumerate();
        // A byte-order mark stands at the start of a file, and within one that was joined from several.
        let plain = |line: &[u8]| -> usize { if line.starts_with(MARK) { MARK.len() } else { 0 } };
        lines
            .map(move |(index, line)| (index + 1, line[plain(line)..].trim_ascii()))
            .filter(|(_, line)| !line.is_empty())
    }

    /// Every `data` that a record names.
    pub(crate) fn data(&self) -> impl Iterator<Item = String> {
        self.numbered().filter_map(|(number, line)| read(number, line).ok()?.1.data)
    }

    /// Answers every record and returns the exit code. `answer` gives a JSON line, or says why the record has none.
    pub(crate) fn answer(
        &self,
        to: Option<&Path>,
        mut answer: impl FnMut(&Record<'_>) -> Result<String, String>,
    ) -> Result<u8, Failure> {
        let mut out = String::new();
        let mut code = 0;
        for (number, line) in self.numbered() {
            let answered = read(number, line).and_then(|(id, record)| {
                match catch_unwind(AssertUnwindSafe(|| answer(&record))) {
                    Ok(Ok(line)) => {
                        if is_error(&line) {
                            code = code.max(MALFORMED);
                        }
                        Ok(line)
                    }
                    Ok(Err(error)) => Err((id, error)),
                    Err(_) => {
                        code = Failure::bug().exit_code();
                        Err((id, "launchpath has a bug: it crashed on this record".to_owned()))
                    }
                }
            });
            match answered {
                Ok(line) => out.push_str(&line),
                Err((id, error)) => {
                    code = code.max(MALFORMED);
                    out.push_str(&json!({ "id": id, "line": number, "error": error }).to_string());
                }
            }
            out.push('\n');
        }
        output::deliver(&out, to)?;
        Ok(code)
    }
}

fn read(number: usize, line: &[u8]) -> Result<(Value, Record<'_>), (Value, String)> {
    let text = std::str::from_utf8(line)
        .map_err(|error| (Value::Null, format!("line {number}: not UTF-8: {error}")))?;
    let header: Header = serde_json::from_str(text)
        .map_err(|error| (Value::Null, format!("line {number}: expected a record as JSON: {error}")))?;
    let data = match header.data {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path),
        Some(_) => return Err((header.id, "data: expected a path".to_owned())),
    };
    Ok((header.id, Record { text, data }))
}

/// Whether an engine's line says that the record cannot be answered.
fn is_error(line: &str) -> bool {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        error: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Line>(line).is_ok_and(|line| line.error.is_some())
}
