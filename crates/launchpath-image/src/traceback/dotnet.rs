//! .NET: `Unhandled exception. Namespace.SomeException: message`, then `   at …` lines, some with ` in FILE:line 12`; inner
//! exceptions stand below ` ---> ` and end with a line of their own.

use super::{Frame, Language, MAX_LINES, Traceback, cut};

const UNHANDLED: &str = "Unhandled exception. ";

/// A traceback that begins at a line, and the line after it.
pub(super) fn read(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let column = lines[start].find(UNHANDLED)?;
    let prefix = &lines[start][..column];
    let headline = &lines[start][column + UNHANDLED.len()..];
    let (exception, message) = headline.split_once(": ").unwrap_or((headline, ""));
    let is_name = exception.contains('.')
        && exception.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '`' | '+'));
    if !is_name {
        return None;
    }
    let mut text = vec![cut(&lines[start][column..])];
    let mut frames = Vec::new();
    let mut at = start + 1;
    while let Some(line) = lines.get(at).map(|line| line.strip_prefix(prefix).unwrap_or(line)) {
        let part = line.trim_start();
        if !(part.starts_with("at ") || part.starts_with("---> ") || part.starts_with("--- End of ")) {
            break;
        }
        if text.len() < MAX_LINES {
            text.push(cut(line));
        }
        frames.extend(place(part));
        at += 1;
    }
    frames.reverse();
    let (exception, message, text) = (exception.to_owned(), message.trim().to_owned(), text.join("\n"));
    Some((Traceback { language: Language::DotNet, frames, exception, message, text, cause: None }, at))
}

/// `at Program.Main(String[] args) in /app/Program.cs:line 7`.
fn place(line: &str) -> Option<Frame> {
    let (_, rest) = line.rsplit_once(" in ")?;
    let (file, line) = rest.rsplit_once(":line ")?;
    Some(Frame { file: file.to_owned(), line: line.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use crate::traceback::{Language, find};

    #[test]
    fn an_unhandled_exception_is_read() {
        let text = "x Unhandled exception. System.IO.FileNotFoundException: Could not load file or assembly 'Agent'.\nx    at Program.Read() in /app/Read.cs:line 7\nx    at Program.Main(String[] args)\nx INFO more\n";
        let found = find(text);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].language, found[0].exception.as_str()),
            (Language::DotNet, "System.IO.FileNotFoundException")
        );
        assert_eq!((found[0].frames[0].file.as_str(), found[0].frames[0].line), ("/app/Read.cs", 7));
        assert!(!found[0].text.contains("INFO"));
        assert!(find("Unhandled exception. we are sorry: no").is_empty());
    }
}
