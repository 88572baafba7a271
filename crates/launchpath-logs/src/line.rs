//! One line of a log file: its time, its stream, its text, whatever tool wrote it.
//!
//! Known: CloudWatch exports (`TIME TEXT`), `aws logs tail` (`TIME STREAM TEXT`), `aws logs filter-log-events` as JSON or text,
//! lines of JSON (`{"message": …}`), plain text.

use std::borrow::Cow;

use launchpath_model::Timestamp;
use memchr::memrchr;
use serde_json::Value;

/// Most of a text that is kept, in bytes.
pub(crate) const MOST_KEPT: usize = 4 * 1024;

/// A line that holds text of the process.
pub(crate) struct Line<'a> {
    pub(crate) at: Option<Timestamp>,
    pub(crate) stream: Option<Cow<'a, str>>,
    pub(crate) text: Cow<'a, str>,
}

/// Whether a file is one JSON document over many lines or text; told by its first line that is not blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Reads a line. `before` holds what stands before it in the file, for the members of a JSON event that come earlier. `None`: the
/// line is part of the format and holds no text.
pub(crate) fn read<'a>(bytes: &'a [u8], before: &[u8], form: Form) -> Option<Line<'a>> {
    let text = text_of(bytes);
    if form == Form::Json {
        if let Some(line) = json_member(&text, before) {
            return Some(line);
        }
        // A line of JSON Lines begins like a document.
        return json_line(&text);
    }
    if let Some(line) = json_line(&text) {
        return Some(line);
    }
    let mut line = match text {
        Cow::Borrowed(text) => plain(text),
        Cow::Owned(text) => {
            let Line { at, stream, text } = plain(&text);
            Line {
                at,
                stream: stream.map(|stream| Cow::Owned(stream.into_owned())),
                text: Cow::Owned(text.into_owned()),
            }
        }
    };
    if line.at.is_none() {
        // `aws logs tail` prints a message of several lines as it is: the time and the stream stand before the first.
        if let Some((at, stream)) = inherited(before) {
            line.at = Some(at);
            line.stream = stream.map(Cow::Owned);
        }
    }
    Some(line)
}

/// Most lines of one message that are looked back over.
const MESSAGE_LINES: usize = 60;

/// Time and stream of the nearest line before that has them.
fn inherited(before: &[u8]) -> Option<(Timestamp, Option<String>)> {
    let before = &before[before.len().saturating_sub(EVENT_BYTES)..];
    let before = before.strip_suffix(b"\n")?;
    let mut end = before.len();
    for _ in 0..MESSAGE_LINES {
        // The first of them may be the end of a line that begins earlier.
        let start = memrchr(b'\n', &before[..end]).map_or(0, |newline| newline + 1);
        let bytes = &before[start..end];
        let timed =
            bytes.len() > 19 && bytes[4] == b'-' && bytes[10] == b'T' || bytes.starts_with(b"EVENTS\t");
        if timed {
            let text = text_of(bytes);
            let line = plain(&text);
            if let Some(at) = line.at {
                return Some((at, line.stream.map(Cow::into_owned)));
            }
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// The bytes as text, without line end; what is no UTF-8 is replaced, NULs become blanks, and no more than [`MOST_KEPT`] is kept.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    // Whole characters only: what is cut off must not become a replacement character.
    let mut end = bytes.len().min(MOST_KEPT * 8);
    while end < bytes.len() && end > 0 && bytes[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    let text = String::from_utf8_lossy(&bytes[..end]);
    if text.contains('\0') { Cow::Owned(text.replace('\0', " ")) } else { text }
}

/// No more than is kept.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= MOST_KEPT {
        return text.to_owned();
    }
    let mut end = MOST_KEPT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

fn plain(text: &str) -> Line<'_> {
    if let Some(line) = tabbed(text) {
        return line;
    }
    let none = Line { at: None, stream: None, text: Cow::Borrowed(text) };
    // `2026-10-20T09:10:00.000Z` and nothing shorter than a date and a time.
    let Some((first, rest)) = text.split_once(' ') else { return none };
    let looks_like_time = first.len() >= 19 && first.as_bytes().get(4) == Some(&b'-') && first.contains('T');
    let Some(at) = looks_like_time.then(|| first.parse::<Timestamp>().ok()).flatten() else { return none };
    let (stream, text) = stream_of(rest);
    Line { at: Some(at), stream: stream.map(Cow::Borrowed), text: Cow::Borrowed(text) }
}

/// The stream that `aws logs tail` writes before a message, and the message.
fn stream_of(rest: &str) -> (Option<&str>, &str) {
    let Some((first, after)) = rest.split_once(' ') else { return (None, rest) };
    let named = first.contains("[runtime-logs]")
        || ["runtime-logs-", "build-logs-", "otel-"].iter().any(|start| first.starts_with(start));
    if !named {
        return (None, rest);
    }
    // `2026/10/20/[runtime-logs] UUID`: the name holds a blank.
    let uuid =
        after.split(' ').next().filter(|word| first.ends_with(']') && word.len() == 36 && word.contains('-'));
    match uuid {
        Some(uuid) => {
            let length = first.len() + 1 + uuid.len();
            (Some(&rest[..length]), rest[length..].trim_start_matches(' '))
        }
        None => (Some(first), after),
    }
}

/// `EVENTS ID INGESTED STREAM MESSAGE TIME`, as `--output text` prints it.
fn tabbed(text: &str) -> Option<Line<'_>> {
    let mut parts = text.strip_prefix("EVENTS\t")?.splitn(4, '\t').skip(2);
    let (stream, rest) = (parts.next()?, parts.next()?);
    let (message, at) = rest.rsplit_once('\t')?;
    Some(Line { at: time(at.trim()), stream: Some(Cow::Borrowed(stream)), text: Cow::Borrowed(message) })
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// `{"timestamp": …, "message": …}` on one line, as shippers and container engines write it.
fn json_line<'a>(text: &str) -> Option<Line<'a>> {
    let trimmed = text.trim();
    if !trimmed.starts_with('{') || !trimmed.ends_with('}') {
        return None;
    }
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(trimmed) else { return None };
    let member = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
    let text = member(&["message", "log", "msg", "body"])?.as_str()?.to_owned();
    let at = member(&["timestamp", "time", "@timestamp"]).and_then(|at| match at {
        Value::Number(number) => number.as_f64().and_then(Timestamp::from_epoch),
        Value::String(at) => time(at),
        _ => None,
    });
    let stream = member(&["logStreamName", "logStream"]).and_then(Value::as_str);
    Some(Line { at, stream: stream.map(|stream| Cow::Owned(stream.to_owned())), text: Cow::Owned(text) })
}

/// How far before a message its event's other members stand, at most.
pub(crate) const EVENT_BYTES: usize = 16 * 1024;

/// `"message": "…",` of an event that is printed over several lines.
fn json_member<'a>(text: &str, before: &[u8]) -> Option<Line<'a>> {
    let rest = text.trim_start().strip_prefix("\"message\": ")?.trim_end();
    let rest = rest.strip_suffix(',').unwrap_or(rest);
    let text: String = serde_json::from_str(rest).unwrap_or_else(|_| rest.trim_matches('"').to_owned());
    let start = before.len().saturating_sub(EVENT_BYTES);
    let before = String::from_utf8_lossy(&before[start..]);
    let event = before.rsplit_once('{').map_or("", |(_, event)| event);
    let member = |name: &str| {
        let (_, rest) = event.rsplit_once(&format!("\"{name}\": "))?;
        let end = rest.find('\n').unwrap_or(rest.len());
        Some(rest[..end].trim().trim_end_matches(',').trim_matches('"').to_owned())
    };
    Some(Line {
        at: member("timestamp").and_then(|at| time(&at)),
        stream: member("logStreamName").map(Cow::Owned),
        text: Cow::Owned(text),
    })
}

#[cfg(test)]
mod tests {
    use super::{Form, read};

    fn told(bytes: &[u8]) -> (Option<String>, Option<String>, String) {
        let line = read(bytes, b"", Form::Text).unwrap();
        (
            line.at.map(|at| at.to_string()),
            line.stream.map(std::borrow::Cow::into_owned),
            line.text.into_owned(),
        )
    }

    #[test]
    fn every_tool_s_line_is_read() {
        let at = Some("2026-10-20T09:10:00Z".to_owned());
        let none = (None, None);
        for (bytes, wanted) in [
            (b"boom\r\n".as_slice(), (none.0.clone(), none.1.clone(), "boom")),
            (b"2026-10-20T09:10:00.000Z boom x\n", (at.clone(), None, "boom x")),
            (b"2026-10-20T09:10:00+00:00 2026/10/20/[runtime-logs]ab boom\n", (at.clone(), Some("2026/10/20/[runtime-logs]ab".to_owned()), "boom")),
            (
                b"2026-10-20T09:10:00+00:00 2026/10/20/[runtime-logs] 01234567-0123-0123-0123-0123456789ab boom",
                (at.clone(), Some("2026/10/20/[runtime-logs] 01234567-0123-0123-0123-0123456789ab".to_owned()), "boom"),
            ),
            (b"EVENTS\t1\t2\tst\tboom x\t1792487400000", (at.clone(), Some("st".to_owned()), "boom x")),
            (br#"{"time": "2026-10-20T09:10:00Z", "log": "boom\n"}"#, (at.clone(), None, "boom\n")),
            (b"a\0b\xff", (None, None, "a b\u{fffd}")),
            (b"2026 was a year", (None, None, "2026 was a year")),
        ] {
            assert_eq!(told(bytes), (wanted.0, wanted.1, wanted.2.to_owned()), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_member_of_an_event_takes_the_others_with_it() {
        let before =
            b"        {\n            \"logStreamName\": \"s\",\n            \"timestamp\": 1792487400000,\n";
        let line = read(b"            \"message\": \"a\\tb\",\n", before, Form::Json).unwrap();
        assert_eq!((line.text.as_ref(), line.stream.as_deref()), ("a\tb", Some("s")));
        assert_eq!(line.at.map(|at| at.to_string()).as_deref(), Some("2026-10-20T09:10:00Z"));
        assert!(read(b"            \"eventId\": \"1\"\n", before, Form::Json).is_none());
    }
}
