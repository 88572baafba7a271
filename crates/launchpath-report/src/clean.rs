//! Hostile text made harmless for a terminal: what a log line, an image or a person may smuggle in.
//!
//! Removed are terminal control sequences (CSI, OSC and the other string sequences, C0 and C1 controls), characters
//! that reorder text (bidirectional overrides and isolates) and characters that cannot be seen (zero-width ones, tag
//! characters, fillers). What is left is what a reader would see anyway. Markdown escaping comes after this, in
//! `markdown/escape.rs`; JSON needs neither.

/// The text on one line: line breaks and tabs become spaces, everything dangerous or invisible goes.
///
/// Runs of spaces are kept, so that a command stays what it is. Cleaning twice changes nothing.
///
/// ```
/// use launchpath_report::clean::line;
/// assert_eq!(line("\u{1b}[2Jfine\u{202e}\nnext"), "fine next");
/// assert_eq!(line("\u{1b}]8;;https://x\u{7}click\u{1b}]8;;\u{7}"), "click");
/// ```
pub fn line(text: &str) -> String {
    // A sequence hidden inside another one appears only when the outer one is gone.
    let mut clean = sweep(text);
    while clean.chars().any(is_removed) {
        clean = sweep(&clean);
    }
    clean
}

/// The text as lines, each made harmless, tabs as two spaces; for blocks such as a template.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(|part| line(&part.replace('\t', "  "))).collect()
}

fn sweep(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\u{1b}' => after_escape(after),
            '\u{9b}' => after_csi(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => after_string(after),
            _ => after,
        };
        if is_space(first) {
            clean.push(' ');
        } else if !is_removed(first) {
            clean.push(first);
        }
    }
    clean
}

fn after_escape(rest: &str) -> &str {
    let mut chars = rest.chars();
    match chars.next() {
        Some('[') => after_csi(chars.as_str()),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(chars.as_str()),
        // ECMA-48: intermediate bytes, then one final byte.
        Some(' '..='/') => {
            let body = rest.trim_start_matches(|c: char| (' '..='/').contains(&c));
            body.strip_prefix(|c: char| ('0'..='~').contains(&c)).unwrap_or(body)
        }
        Some('0'..='~') => chars.as_str(),
        _ => rest,
    }
}

/// What follows a control sequence: parameters and intermediates up to one final byte.
fn after_csi(rest: &str) -> &str {
    let body = rest.trim_start_matches(|c: char| (' '..='?').contains(&c));
    body.strip_prefix(|c: char| ('@'..='~').contains(&c)).unwrap_or(body)
}

/// What follows a string sequence (title, hyperlink, device control). One without an end is no sequence: its text
/// stays visible, else a log could hide what follows.
fn after_string(rest: &str) -> &str {
    let Some(end) = rest.find(['\u{7}', '\u{9c}', '\u{1b}']) else { return rest };
    let tail = &rest[end..];
    match tail.strip_prefix("\u{1b}\\").or_else(|| tail.strip_prefix(['\u{7}', '\u{9c}'])) {
        Some(after) => after,
        None => rest,
    }
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character has no place in text for people.
pub(crate) fn is_removed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_removed, line, lines};

    #[test]
    fn sequences_go_and_their_text_stays() {
        for (dirty, clean) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]0;title\u{1b}\\after", "after"),
            ("\u{1b}]0;no end, stays", "0;no end, stays"),
            ("\u{1b}Pdevice\u{1b}\\after", "after"),
            ("\u{1b}(0line drawing", "line drawing"),
            ("\u{1b}cfull reset", "full reset"),
            ("a\u{8}\u{7f}\u{0}b", "ab"),
            ("two\r\nlines\tand a tab", "two  lines and a tab"),
            ("gnp\u{202e}txt.exe", "gnptxt.exe"),
            ("zero\u{200b}\u{200d}\u{feff}width", "zerowidth"),
            ("\u{e0041}tag", "tag"),
            ("ümlaut – “fine” 日本", "ümlaut – “fine” 日本"),
        ] {
            assert_eq!(line(dirty), clean, "{dirty:?}");
        }
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(lines("a {\n\tb\u{1b}[1m\r\n}"), ["a {", "  b", "}"]);
    }

    proptest! {
        #[test]
        fn nothing_dangerous_survives_and_twice_is_once(text in "(\\PC|[\u{0}-\u{a0}]|\u{1b}[\\[\\]P_]|[\u{200b}-\u{2069}]){0,60}") {
            let once = line(&text);
            prop_assert!(!once.chars().any(is_removed), "{once:?}");
            prop_assert_eq!(line(&once), once);
        }
    }
}
