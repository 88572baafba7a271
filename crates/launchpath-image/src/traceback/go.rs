//! Go: `panic: message` or `fatal error: message`, then goroutines, each a call and its place on two lines.

use super::{Frame, Language, MAX_LINES, Traceback};

/// A traceback that begins at a line, and the line after it.
pub(super) fn read(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let (column, word) = ["panic: ", "fatal error: "]
        .iter()
        .filter_map(|word| Some((lines[start].find(word)?, *word)))
        .min_by_key(|(column, _)| *column)?;
    let prefix = &lines[start][..column];
    let message = lines[start][column + word.len()..].trim().to_owned();
    let mut text = vec![lines[start][column..].to_owned()];
    let mut frames = Vec::new();
    let mut at = start + 1;
    let mut goroutines = 0;
    while let Some(line) = lines.get(at) {
        let line = line.strip_prefix(prefix).unwrap_or(line);
        if is_goroutine(line) {
            goroutines += 1;
        } else if goroutines == 0 && at > start + 12 {
            return None;
        } else if goroutines > 0 && !is_part(line) {
            break;
        }
        // What comes after the first goroutine waits elsewhere.
        if goroutines <= 1 && text.len() < MAX_LINES && !line.trim().is_empty() {
            text.push(line.to_owned());
        }
        if goroutines == 1 {
            frames.extend(place(line));
        }
        at += 1;
    }
    if goroutines == 0 {
        return None;
    }
    frames.reverse();
    let exception = word.trim_end_matches(": ").to_owned();
    let text = text.join("\n");
    Some((Traceback { language: Language::Go, frames, exception, message, text, cause: None }, at))
}

/// `goroutine 1 [running]:`.
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('[') && rest.trim_end().ends_with(':')
    })
}

/// A blank line, a call, its place, or the words at the end.
fn is_part(line: &str) -> bool {
    let line = line.trim_end();
    line.is_empty()
        || line.ends_with(')')
        || line.starts_with("created by ")
        || line.starts_with('\t')
        || line.starts_with("exit status ")
        || line.starts_with("\tpanic: ")
}

/// `\t/app/main.go:12 +0x1d`.
fn place(line: &str) -> Option<Frame> {
    let (file, rest) = line.strip_prefix('\t')?.rsplit_once(':')?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Frame { file: file.to_owned(), line: digits.parse().ok()? })
}
