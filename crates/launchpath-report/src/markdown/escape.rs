//! Text from logs, images and people made harmless inside Markdown: no heading, link, image, HTML, table cell or code
//! fence but the renderer's own.
//!
//! Identifiers that would become links by themselves (addresses, `@names`) are shown as code, in which nothing is
//! markup. Balanced single backticks in a text keep their meaning for the same reason.

use crate::clean;

/// Where a text stands: inside a table's cell a vertical bar ends the cell even within code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Flow,
    Cell,
}

/// Running text.
pub(crate) fn text(place: Place, text: &str) -> String {
    let line = clean::line(text);
    let line = line.trim();
    let mut escaped = String::with_capacity(line.len());
    let ticks = line.matches('`').count();
    if ticks.is_multiple_of(2) && !line.contains("``") {
        for (index, part) in line.split('`').enumerate() {
            if index.is_multiple_of(2) {
                escaped.push_str(&prose(place, part));
            } else {
                escaped.push_str(&code(place, part));
            }
        }
    } else {
        escaped = prose(place, line);
    }
    guard_start(escaped)
}

/// A code span, in which nothing is markup. Nothing at all for an empty text.
pub(crate) fn code(place: Place, text: &str) -> String {
    let line = clean::line(text);
    let line = line.trim();
    if line.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(line) + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    let line = if place == Place::Cell { line.replace('|', "\\|") } else { line.to_owned() };
    format!("{ticks}{pad}{line}{pad}{ticks}")
}

/// A fenced block, indented by `indent` columns to belong to a list item. The fence is longer than any in the text.
pub(crate) fn fence(indent: usize, language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    let pad = " ".repeat(indent);
    let mut block = format!("{pad}{ticks}{language}\n");
    for line in lines {
        block.push_str(pad.as_str());
        block.push_str(line);
        block.push('\n');
    }
    block + &pad + &ticks + "\n"
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn prose(place: Place, text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(|word| self::word(place, word)).collect();
    words.join(" ")
}

fn word(place: Place, word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    if !["://", "www.", "@", "mailto:", "xmpp:"].iter().any(|link| lower.contains(link)) {
        return plain(word);
    }
    let bare = word.trim_matches(|c| {
        matches!(c, '(' | ')' | '[' | ']' | '<' | '>' | '"' | '“' | '”' | '\'' | ',' | ';' | '.')
    });
    let start = word.find(bare).unwrap_or(0);
    let (before, after) = (&word[..start], &word[start + bare.len()..]);
    format!("{}{}{}", plain(before), code(place, bare), plain(after))
}

fn plain(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(c) = chars.next() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            // Inside a word an underscore is no markup, and names stay readable.
            '_' if before.is_some_and(char::is_alphanumeric)
                && chars.peek().is_some_and(|next| next.is_alphanumeric()) =>
            {
                escaped.push(c);
            }
            '_' => escaped.push_str("\\_"),
            _ => escaped.push(c),
        }
        before = Some(c);
    }
    escaped
}

/// Takes from the beginning of a text what would start a heading, a list, a quote or a rule.
fn guard_start(text: String) -> String {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.len() - digits.len();
    let is_item =
        digits.strip_prefix(['.', ')']).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if number > 0 && is_item {
        return format!("{}\\{digits}", &text[..number]);
    }
    if text.starts_with(['#', '+', '-', '=', '>', ':', '_', '!']) { format!("\\{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::{Place, code, fence, text};

    #[test]
    fn markup_becomes_text_and_names_stay_readable() {
        for (raw, escaped) in [
            ("network_attach holds", "network_attach holds"),
            ("*bold* _it_ ~no~", "\\*bold\\* \\_it\\_ \\~no\\~"),
            ("[click](https://evil.example)", "\\[`click](https://evil.example`)"),
            ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
            ("# heading", "\\# heading"),
            ("1. list", "1\\. list"),
            ("a | b", "a \\| b"),
            ("ask @octocat, now", "ask `@octocat`, now"),
            ("module `langchain.callbacks` gone", "module `langchain.callbacks` gone"),
            ("odd ` tick", "odd \\` tick"),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(text(Place::Flow, raw), escaped);
        }
    }

    #[test]
    fn code_holds_backticks_and_bars() {
        assert_eq!(code(Place::Flow, "a`b"), "``a`b``");
        assert_eq!(code(Place::Flow, "`a`"), "`` `a` ``");
        assert_eq!(code(Place::Cell, "a|b"), "`a\\|b`");
        assert_eq!(code(Place::Flow, " "), "");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fence(0, "sh", &["````".to_owned()]), "`````sh\n````\n`````\n");
    }

    /// Whether the Markdown holds anything but paragraphs, text and code.
    fn has_markup(markdown: &str) -> bool {
        let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
        Parser::new_ext(markdown, options).any(|event| match event {
            Event::Start(tag) => !matches!(tag, Tag::Paragraph),
            Event::End(_) | Event::Text(_) | Event::Code(_) => false,
            _ => true,
        })
    }

    proptest! {
        #[test]
        fn no_text_is_markup(raw in "(\\PC|[-#*_`|<>\\[\\]()!&~$=+:.@/^ \n\\\\]|https?://|www\\.|[0-9]\\.){0,40}") {
            let shown = text(Place::Flow, &raw);
            prop_assert!(!has_markup(&shown), "{raw:?} -> {shown:?}");
        }

        #[test]
        fn no_code_is_markup_and_none_is_lost(raw in "(\\PC|[`|\\\\<]){1,40}") {
            let wanted = crate::clean::line(&raw).trim().to_owned();
            prop_assume!(!wanted.is_empty());
            let shown = code(Place::Flow, &raw);
            let events: Vec<Event> = Parser::new(&shown).collect();
            let is_code = events.iter().any(|event| matches!(event, Event::Code(text) if text.as_ref() == wanted));
            prop_assert!(is_code, "{shown:?} {events:?}");
        }
    }
}
