//! Styled text laid out to a width: words wrapped by what they take on a terminal, hanging indents, ASCII fallback.
//!
//! What it is: the only place that knows columns and colour codes. What it is not: it knows nothing of diagnoses.
//! Start with [`Rich`] (text with ink), then [`Canvas::hanging`] (the one way in which prose is set).

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Effects, Style};
use launchpath_model::EvidenceId;
use unicode_width::UnicodeWidthStr;

use crate::clean;
use crate::options::{Colour, Options};

/// What a piece of text is, which decides its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ink {
    #[default]
    Plain,
    Strong,
    Heading,
    Code,
    Dim,
    Good,
    Bad,
    Doubt,
    BadStrong,
    GoodStrong,
    DoubtStrong,
}

impl Ink {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Heading => Style::new().effects(Effects::BOLD | Effects::UNDERLINE),
            Self::Code => colour(AnsiColor::Cyan),
            Self::Dim => Style::new().dimmed(),
            Self::Good => colour(AnsiColor::Green),
            Self::Bad => colour(AnsiColor::Red),
            Self::Doubt => colour(AnsiColor::Yellow),
            Self::BadStrong => colour(AnsiColor::Red).bold(),
            Self::GoodStrong => colour(AnsiColor::Green).bold(),
            Self::DoubtStrong => colour(AnsiColor::Yellow).bold(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    ink: Ink,
    /// Never broken at its spaces.
    glued: bool,
}

/// Text with ink. Every string is made harmless on its way in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rich(Vec<Piece>);

impl Rich {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn plain(self, text: &str) -> Self {
        self.ink(Ink::Plain, text)
    }

    pub(crate) fn ink(mut self, ink: Ink, text: &str) -> Self {
        self.0.push(Piece { text: clean::line(text), ink, glued: false });
        self
    }

    /// Text that is not broken at its spaces.
    pub(crate) fn glued(mut self, ink: Ink, text: &str) -> Self {
        self.0.push(Piece { text: clean::line(text), ink, glued: true });
        self
    }

    /// Text followed by spaces up to `columns`.
    pub(crate) fn padded(self, ink: Ink, text: &str, columns: usize) -> Self {
        let text = clean::line(text);
        let pad = columns.saturating_sub(text.width());
        self.ink(ink, &text).plain(&" ".repeat(pad))
    }

    /// The calls a statement rests on, as ` [c3 c14]`; nothing when there are none.
    pub(crate) fn ids(self, ids: &[EvidenceId]) -> Self {
        /// So many stay together on a line.
        const TOGETHER: usize = 4;
        if ids.is_empty() {
            return self;
        }
        let ids: BTreeSet<&EvidenceId> = ids.iter().collect();
        let list = ids.iter().map(|id| clean::line(id.as_str())).collect::<Vec<_>>().join(" ");
        let rich = self.plain(" ");
        if ids.len() <= TOGETHER {
            rich.glued(Ink::Dim, &format!("[{list}]"))
        } else {
            rich.ink(Ink::Dim, &format!("[{list}]"))
        }
    }

    pub(crate) fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.0.iter().all(|piece| piece.text.trim().is_empty())
    }
}

/// A word: what stays together, possibly in several inks.
#[derive(Clone, Debug, Default)]
struct Word(Vec<(String, Ink)>);

impl Word {
    fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.width()).sum()
    }

    fn push(&mut self, c: char, ink: Ink) {
        match self.0.last_mut() {
            Some((text, last)) if *last == ink => text.push(c),
            _ => self.0.push((c.to_string(), ink)),
        }
    }

    /// The word in parts no wider than `columns`, broken after a separator where there is one.
    fn parts(self, columns: usize) -> Vec<Self> {
        if self.width() <= columns {
            return vec![self];
        }
        let mut parts = Vec::new();
        let mut part = Self::default();
        for (text, ink) in self.0 {
            for c in text.chars() {
                let mut longer = part.clone();
                longer.push(c, ink);
                if longer.width() <= columns || part.0.is_empty() {
                    part = longer;
                    continue;
                }
                let mut rest = part.split_at_separator(columns);
                rest.push(c, ink);
                parts.push(std::mem::replace(&mut part, rest));
            }
        }
        parts.push(part);
        parts
    }

    /// Cuts the word after the last separator in its second half and returns what came after it.
    fn split_at_separator(&mut self, columns: usize) -> Self {
        let chars: Vec<(char, Ink)> =
            self.0.iter().flat_map(|(text, ink)| text.chars().map(|c| (c, *ink))).collect();
        let cut = chars.iter().rposition(|(c, _)| matches!(c, '/' | ':' | '-' | '.' | ',' | '_' | '=' | '&'));
        let Some(cut) = cut.filter(|cut| *cut > columns / 2 && cut + 1 < chars.len()) else {
            return Self::default();
        };
        let rebuild = |part: &[(char, Ink)]| {
            let mut word = Self::default();
            for (c, ink) in part {
                word.push(*c, *ink);
            }
            word
        };
        *self = rebuild(&chars[..=cut]);
        rebuild(&chars[cut + 1..])
    }
}

/// A page being written.
pub(crate) struct Canvas<'a> {
    options: &'a Options,
    out: String,
}

/// A hanging indent takes at most the width less this many columns.
const LEAST_TEXT: usize = 12;

impl<'a> Canvas<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self { options, out: String::new() }
    }

    pub(crate) fn options(&self) -> &'a Options {
        self.options
    }

    pub(crate) fn columns(&self) -> usize {
        self.options.columns()
    }

    pub(crate) fn finish(self) -> String {
        let mut out = self.out;
        while out.ends_with("\n\n") {
            out.pop();
        }
        out
    }

    /// An empty line, never two.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A section's heading alone, after an empty line.
    pub(crate) fn title(&mut self, title: Rich) {
        self.gap();
        self.hanging(Rich::new(), "  ", title);
    }

    /// A section's heading with what is said at once: `Heading: text`, so that it reads without colour too.
    pub(crate) fn heading(&mut self, name: &str, text: Rich) {
        let mut title = Rich::new().ink(Ink::Heading, name);
        if !text.is_blank() {
            title = title.plain(": ").then(text);
        }
        self.title(title);
    }

    /// A paragraph indented by `indent` columns.
    pub(crate) fn paragraph(&mut self, indent: usize, text: Rich) {
        let indent = " ".repeat(indent);
        self.hanging(Rich::new().plain(&indent), &indent, text);
    }

    /// `prefix` as it is, then `text` wrapped; further lines begin with `lead`.
    ///
    /// Where the prefix leaves too little room, it is wrapped like the text.
    pub(crate) fn hanging(&mut self, prefix: Rich, lead: &str, text: Rich) {
        let columns = self.columns();
        let (prefix, text, lead) = (self.fold(prefix), self.fold(text), self.fold_text(lead));
        let lead = if lead.width() + LEAST_TEXT > columns { "    ".to_owned() } else { lead };
        let (prefix, words) = if width_of(&prefix) + LEAST_TEXT > columns {
            (Rich::new(), words(prefix.plain(" ").then(text)))
        } else {
            (prefix, words(text))
        };

        let room = columns - lead.width();
        let mut line: Vec<(String, Ink)> =
            prefix.0.into_iter().map(|piece| (piece.text, piece.ink)).collect();
        let mut used: usize = line.iter().map(|(text, _)| text.width()).sum();
        let mut empty = true;
        for word in words.into_iter().flat_map(|word| word.parts(room)) {
            let width = word.width();
            if used + usize::from(!empty) + width > columns {
                self.put_line(&line);
                line = vec![(lead.clone(), Ink::Plain)];
                used = lead.width();
            } else if !empty {
                line.push((" ".to_owned(), Ink::Plain));
                used += 1;
            }
            used += width;
            line.extend(word.0);
            empty = false;
        }
        self.put_line(&line);
    }

    /// A command or a line of a template: on one line however long, so that it can be copied; only made harmless.
    pub(crate) fn verbatim(&mut self, indent: usize, text: &str) {
        let text = clean::line(text);
        self.put_line(&[(" ".repeat(indent), Ink::Plain), (text, Ink::Code)]);
    }

    fn put_line(&mut self, pieces: &[(String, Ink)]) {
        let mut line = String::new();
        let mut run = String::new();
        let mut run_ink = Ink::Plain;
        let last = pieces.iter().rposition(|(text, _)| !text.trim_end().is_empty());
        for (index, (text, ink)) in pieces.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            let text = if Some(index) == last { text.trim_end() } else { text };
            // A space between two words of one ink belongs to both.
            let ink = if text == " " && pieces.get(index + 1).is_some_and(|(_, next)| *next == run_ink) {
                run_ink
            } else {
                *ink
            };
            if ink != run_ink {
                self.style_into(&mut line, &std::mem::take(&mut run), run_ink);
                run_ink = ink;
            }
            run.push_str(text);
        }
        self.style_into(&mut line, &run, run_ink);
        self.out.push_str(&line);
        self.out.push('\n');
    }

    fn style_into(&self, line: &mut String, text: &str, ink: Ink) {
        if text.is_empty() {
            return;
        }
        if self.options.colour == Colour::Off || ink == Ink::Plain {
            line.push_str(text);
            return;
        }
        let style = ink.style();
        line.push_str(&style.render().to_string());
        line.push_str(text);
        line.push_str(&style.render_reset().to_string());
    }

    fn fold(&self, mut rich: Rich) -> Rich {
        for piece in &mut rich.0 {
            piece.text = self.fold_text(&piece.text);
        }
        rich
    }

    fn fold_text(&self, text: &str) -> String {
        if self.options.unicode { text.to_owned() } else { ascii(text) }
    }
}

fn width_of(rich: &Rich) -> usize {
    rich.0.iter().map(|piece| piece.text.width()).sum()
}

fn words(text: Rich) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut fresh = true;
    for Piece { text, ink, glued } in text.0 {
        let mut parts = vec![text.as_str()];
        if !glued {
            parts = text.split(' ').collect();
        }
        for (index, part) in parts.into_iter().enumerate() {
            fresh |= index > 0;
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if !fresh => word.0.push((part.to_owned(), ink)),
                _ => words.push(Word(vec![(part.to_owned(), ink)])),
            }
            fresh = false;
        }
    }
    words
}

/// The text for a terminal that shows ASCII only: signs with a plain twin become it, all else a question mark.
pub(crate) fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => plain.push(c),
            '✔' => plain.push('+'),
            '✘' | '×' => plain.push('x'),
            '○' => plain.push('o'),
            '╳' => plain.push('X'),
            '─' | '–' | '—' | '‑' | '−' => plain.push('-'),
            '│' => plain.push('|'),
            '╎' => plain.push(':'),
            '╰' => plain.push('`'),
            '█' => plain.push('#'),
            '░' => plain.push('.'),
            '·' | '•' => plain.push('*'),
            '’' | '‘' => plain.push('\''),
            '“' | '”' | '„' | '«' | '»' => plain.push('"'),
            '≠' => plain.push('!'),
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '…' => plain.push_str("..."),
            '≥' => plain.push_str(">="),
            '≤' => plain.push_str("<="),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::{Canvas, Ink, Rich};
    use crate::options::{Colour, Options};

    fn set(width: usize, prefix: &str, lead: &str, text: &str) -> String {
        let options = Options { width, ..Options::default() };
        let mut canvas = Canvas::new(&options);
        canvas.hanging(Rich::new().plain(prefix), lead, Rich::new().plain(text));
        canvas.finish()
    }

    #[test]
    fn text_hangs_under_itself() {
        let page = set(40, "  1. ", "     ", "one two three four five six seven eight nine ten");
        assert_eq!(page, "  1. one two three four five six seven\n     eight nine ten\n");
    }

    #[test]
    fn a_long_word_breaks_after_a_separator() {
        let page =
            set(40, "", "  ", "111122223333.dkr.ecr.us-east-1.amazonaws.com/a-long-repository-name:latest");
        assert_eq!(
            page,
            "111122223333.dkr.ecr.us-east-1.\n  amazonaws.com/a-long-repository-name:\n  latest\n"
        );
    }

    #[test]
    fn wide_characters_count_twice() {
        for line in set(40, "", "", &"日本語".repeat(20)).lines() {
            assert!(line.width() <= 40, "{line}");
        }
    }

    #[test]
    fn colour_wraps_runs_and_never_the_trailing_space() {
        let options = Options { colour: Colour::On, ..Options::default() };
        let mut canvas = Canvas::new(&options);
        canvas.paragraph(0, Rich::new().ink(Ink::Bad, "two words").plain(" and more "));
        assert_eq!(canvas.finish(), "\u{1b}[31mtwo words\u{1b}[0m and more\n");
    }

    #[test]
    fn ascii_keeps_the_drawing_and_marks_the_rest() {
        assert_eq!(super::ascii("✔ – “né” → 97 %…"), "+ - \"n?\" -> 97 %...");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_page(text in "\\PC{0,200}", prefix in "\\PC{0,60}", lead in " {0,60}", width in 0usize..140) {
            let columns = Options { width, ..Options::default() }.columns();
            for line in set(width, &prefix, &lead, &text).lines() {
                prop_assert!(line.width() <= columns, "{} > {columns}: {line:?}", line.width());
            }
        }
    }
}
