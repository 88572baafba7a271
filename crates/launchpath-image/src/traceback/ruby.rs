//! Ruby: `FILE:LINE:in 'method': message (SomeError)`, then `\tfrom FILE:LINE:in …` lines.

use super::{Frame, Language, MAX_LINES, Traceback, cut};

/// A traceback that begins at a line, and the line after it.
pub(super) fn read(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let line = lines[start].trim_end();
    let (place_text, rest) = line.split_once(":in ")?;
    let first = place(place_text)?;
    // Ruby quotes the method: 'name' since 3.4, `name' before.
    let (_, rest) = rest.strip_prefix(['\'', '`'])?.split_once("': ")?;
    let (message, class) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let is_class = class.starts_with(|c: char| c.is_ascii_uppercase())
        && class.chars().all(|c| c.is_ascii_alphanumeric() || c == ':');
    if !is_class {
        return None;
    }
    let mut frames = vec![first];
    let mut text = vec![cut(line)];
    let mut at = start + 1;
    while let Some(frame) = lines.get(at).and_then(|line| line.split_once("\tfrom ")) {
        if text.len() < MAX_LINES {
            text.push(cut(lines[at]));
        }
        frames.extend(frame.1.split(":in ").next().and_then(place));
        at += 1;
    }
    frames.reverse();
    let (exception, message, text) = (class.to_owned(), message.to_owned(), text.join("\n"));
    Some((Traceback { language: Language::Ruby, frames, exception, message, text, cause: None }, at))
}

/// `/app/main.rb:3`, perhaps with a prefix before it.
fn place(text: &str) -> Option<Frame> {
    let (file, line) = text.rsplit_once(':')?;
    let file = file.rsplit(' ').next()?;
    let is_ruby = matches!(file.rsplit('.').next(), Some("rb" | "ru")) || file.starts_with("<internal");
    is_ruby.then_some(Frame { file: file.to_owned(), line: line.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use crate::traceback::{Language, find};

    #[test]
    fn a_file_that_is_not_there_is_read() {
        let text = "/usr/lib/ruby/kernel_require.rb:136:in 'Kernel#require': cannot load such file -- sinatra (LoadError)\n\tfrom /app/main.rb:3:in '<main>'\nmore\n";
        let found = find(text);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].language, found[0].headline().as_str()),
            (Language::Ruby, "LoadError: cannot load such file -- sinatra")
        );
        assert_eq!(found[0].frames[0].file, "/app/main.rb");
        assert!(find("see main.rb:3:in the book: a word (Noun)").is_empty());
    }
}
