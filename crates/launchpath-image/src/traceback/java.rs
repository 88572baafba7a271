//! Java: `Exception in thread "main" pkg.SomeException: message`, then `at pkg.Class.method(File.java:12)` lines, then
//! `Caused by:` with the same again.

use super::{Frame, Language, MAX_LINES, Traceback};

const THREAD: &str = "Exception in thread \"";
const CAUSE: &str = "Caused by: ";

/// A traceback that begins at a line, and the line after it. The innermost cause is what `cause` holds.
pub(super) fn read(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let line = lines[start];
    let column = line.find(THREAD);
    let prefix = &line[..column.unwrap_or(0)];
    let first = strip(line, prefix);
    let headline = match first.strip_prefix(THREAD) {
        Some(rest) => rest.split_once("\" ")?.1,
        None => first,
    };
    let (exception, message) = named(headline)?;
    // Loggers print the same without the words before it: then the frames must follow at once.
    if !frames_follow(lines, start + 1, prefix) {
        return None;
    }
    let (frames, mut text, mut at) = part(lines, start, prefix);
    let mut causes = Vec::new();
    while let Some(headline) = lines.get(at).and_then(|line| strip(line, prefix).strip_prefix(CAUSE)) {
        let Some((exception, message)) = named(headline) else { break };
        let (frames, part_text, next) = part(lines, at, prefix);
        text.extend(part_text.iter().take(MAX_LINES).cloned());
        causes.push((exception, message, frames, part_text));
        at = next;
    }
    let mut cause = None;
    for (exception, message, frames, part_text) in causes.into_iter().rev() {
        cause = Some(Box::new(Traceback {
            language: Language::Java,
            frames,
            exception,
            message,
            text: part_text.join("\n"),
            cause,
        }));
    }
    let text = text.join("\n");
    Some((Traceback { language: Language::Java, frames, exception, message, text, cause }, at))
}

fn strip<'a>(line: &'a str, prefix: &str) -> &'a str {
    line.strip_prefix(prefix).unwrap_or(line)
}

/// `pkg.SomeException: message`: a dotted name whose last part is a class of exceptions or errors.
fn named(headline: &str) -> Option<(String, String)> {
    let (name, message) = headline.split_once(": ").unwrap_or((headline.trim_end(), ""));
    let class = name.rsplit('.').next()?;
    let dotted = name.contains('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$'))
        && class.starts_with(|c: char| c.is_ascii_uppercase());
    let thrown = ["Exception", "Error", "Throwable"].iter().any(|end| class.ends_with(end));
    (dotted && thrown).then(|| (name.to_owned(), message.trim().to_owned()))
}

/// Whether a frame comes next, perhaps after more lines of the message.
fn frames_follow(lines: &[&str], from: usize, prefix: &str) -> bool {
    lines.iter().skip(from).take(5).any(|line| is_frame(strip(line, prefix)))
}

fn is_frame(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t']);
    line.strip_prefix("at ").is_some_and(|rest| rest.contains('(') && rest.trim_end().ends_with(')'))
}

/// A headline, the rest of its message, and its frames.
fn part(lines: &[&str], start: usize, prefix: &str) -> (Vec<Frame>, Vec<String>, usize) {
    let mut text = vec![strip(lines[start], prefix).to_owned()];
    let mut frames = Vec::new();
    let mut at = start + 1;
    while let Some(line) = lines.get(at).map(|line| strip(line, prefix)) {
        let more = line.trim_start().starts_with("... ") && line.trim_end().ends_with(" more");
        let suppressed = line.trim_start().starts_with("Suppressed: ");
        let message = frames.is_empty() && frames_follow(lines, at, prefix) && !line.starts_with(CAUSE);
        if !(is_frame(line) || more || suppressed || message) {
            break;
        }
        if text.len() < MAX_LINES {
            text.push(line.to_owned());
        }
        frames.extend(frame(line));
        at += 1;
    }
    frames.reverse();
    (frames, text, at)
}

/// `at pkg.Class.method(File.java:12)`.
fn frame(line: &str) -> Option<Frame> {
    let inside = line.trim().strip_suffix(')')?.rsplit_once('(')?.1;
    let (file, line) = inside.rsplit_once(':')?;
    Some(Frame { file: file.to_owned(), line: line.parse().ok()? })
}
