//! Finds tracebacks in what a process printed.
//!
//! Python prints them frame by frame with the exception last; Node prints the error first. Log services split them into
//! one event per line and put prefixes before each line, so the reader works on joined lines and strips a prefix that
//! repeats. The text is hostile: it is only cut, never interpreted.

/// The language whose traceback it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// Node.js.
    Node,
}

/// One frame, as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceback {
    /// Its language.
    pub language: Language,
    /// Frames, outermost first.
    pub frames: Vec<Frame>,
    /// The exception's class, for example `ModuleNotFoundError`.
    pub exception: String,
    /// The exception's message.
    pub message: String,
    /// The traceback as printed, without the log's prefixes.
    pub text: String,
}

impl Traceback {
    /// The exception line, `ModuleNotFoundError: No module named 'x'`.
    pub fn headline(&self) -> String {
        if self.message.is_empty() {
            self.exception.clone()
        } else {
            format!("{}: {}", self.exception, self.message)
        }
    }
}

const PYTHON_START: &str = "Traceback (most recent call last):";
/// Longest traceback kept, in lines; deeper ones keep their beginning and the exception.
const MAX_LINES: usize = 400;

/// Every traceback in `text`, in order; a bare import error without frames counts too.
pub fn find(text: &str) -> Vec<Traceback> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if let Some(column) = lines[at].find(PYTHON_START) {
            let (traceback, next) = python(&lines, at, &lines[at][..column]);
            found.extend(traceback);
            at = next;
        } else if let Some((traceback, next)) = node(&lines, at) {
            found.push(traceback);
            at = next;
        } else {
            found.extend(bare_import_error(lines[at]));
            at += 1;
        }
    }
    found
}

fn python(lines: &[&str], start: usize, prefix: &str) -> (Option<Traceback>, usize) {
    let mut frames = Vec::new();
    let mut text = vec![PYTHON_START.to_owned()];
    let mut at = start + 1;
    while at < lines.len() {
        let line = lines[at].strip_prefix(prefix).unwrap_or(lines[at]);
        at += 1;
        if line.trim().is_empty() {
            continue;
        }
        if text.len() < MAX_LINES {
            text.push(line.to_owned());
        }
        if line.starts_with([' ', '\t']) {
            frames.extend(python_frame(line));
            continue;
        }
        let Some((exception, message)) = exception_line(line) else {
            return (None, at);
        };
        let text = text.join("\n");
        return (Some(Traceback { language: Language::Python, frames, exception, message, text }), at);
    }
    (None, at)
}

fn python_frame(line: &str) -> Option<Frame> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Frame { file: file.to_owned(), line: digits.parse().ok()? })
}

/// `pkg.SomeError: message`, or `SomeError` alone.
fn exception_line(line: &str) -> Option<(String, String)> {
    let (name, message) = line.split_once(':').unwrap_or((line, ""));
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        && name.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
    is_name.then(|| (name.to_owned(), message.trim().to_owned()))
}

fn bare_import_error(line: &str) -> Option<Traceback> {
    for exception in ["ModuleNotFoundError", "ImportError"] {
        let Some((_, rest)) = line.split_once(exception) else { continue };
        let Some(message) = rest.strip_prefix(": ") else { continue };
        return Some(Traceback {
            language: Language::Python,
            frames: Vec::new(),
            exception: exception.to_owned(),
            message: message.trim().to_owned(),
            text: format!("{exception}: {}", message.trim()),
        });
    }
    None
}

/// Node: `Error: message` (or `TypeError [CODE]: …`) followed by `    at …` lines.
fn node(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let frames_follow = lines
        .get(start + 1)
        .is_some_and(|next| next.trim_start().starts_with("at ") && next.starts_with(' '));
    if !frames_follow {
        return None;
    }
    let line = lines[start].trim_start_matches("Uncaught ").trim();
    let (name, message) = line.split_once(": ")?;
    let class = name.split(' ').next().unwrap_or(name);
    if !class.ends_with("Error") || !class.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let mut text = vec![line.to_owned()];
    let mut frames = Vec::new();
    let mut at = start + 1;
    while at < lines.len() && lines[at].trim_start().starts_with("at ") {
        if text.len() < MAX_LINES {
            text.push(lines[at].to_owned());
        }
        frames.extend(node_frame(lines[at]));
        at += 1;
    }
    frames.reverse();
    let traceback = Traceback {
        language: Language::Node,
        frames,
        exception: class.to_owned(),
        message: message.to_owned(),
        text: text.join("\n"),
    };
    Some((traceback, at))
}

fn node_frame(line: &str) -> Option<Frame> {
    let place = line.trim().trim_start_matches("at ").trim_end_matches(')');
    let place = place.rsplit_once('(').map_or(place, |(_, inside)| inside);
    let (rest, _column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Frame { file: file.trim_start_matches("file://").to_owned(), line: line.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::{Language, find};

    const INCIDENT: &str = "INFO: starting\nTraceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    from src.graph import build\n  File \"/app/src/graph.py\", line 7, in <module>\n    from langchain.callbacks import get_openai_callback\nModuleNotFoundError: No module named 'langchain.callbacks'\n";

    #[test]
    fn a_python_traceback_is_read_whole() {
        let found = find(INCIDENT);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].headline(), "ModuleNotFoundError: No module named 'langchain.callbacks'");
        assert_eq!(found[0].frames[1].file, "/app/src/graph.py");
        assert_eq!(found[0].frames[1].line, 7);
        assert!(found[0].text.starts_with("Traceback"));
    }

    #[test]
    fn a_prefix_on_every_line_is_stripped() {
        let prefixed: String = INCIDENT.lines().map(|line| format!("2025-10-18 app[1]: {line}\n")).collect();
        assert_eq!(find(&prefixed)[0].frames.len(), 2);
    }

    #[test]
    fn a_node_error_is_read() {
        let text = "Error: Cannot find module 'express'\n    at Module._load (node:internal/modules/cjs/loader:1225:15)\n    at Object.<anonymous> (/app/server.js:1:17)\n";
        let found = find(text);
        assert_eq!(found[0].language, Language::Node);
        assert_eq!(found[0].frames[0].file, "/app/server.js");
    }

    #[test]
    fn a_bare_import_error_counts_and_prose_does_not() {
        assert_eq!(find("x ModuleNotFoundError: No module named 'a'").len(), 1);
        assert!(find("an Error: somewhere\nall is well").is_empty());
        assert!(find("Traceback (most recent call last):\n  File \"x\"").is_empty());
    }
}
