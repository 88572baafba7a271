//! A page of text for one answer: a verdict, sections, lists, commands.
//!
//! Not the report of a diagnosis. The page is written as Markdown in which every string of the evidence is escaped, and shown
//! by the report's own view of documents, so width, colour, character set and the cleaning of hostile text are the same.

use launchpath_model::{EvidenceId, Gap};
use launchpath_report::{Options, clean, explain};

/// A page being written.
pub(crate) struct Page(String);

impl Page {
    /// A page that begins with its verdict.
    pub(crate) fn new(verdict: &str) -> Self {
        Self(format!("# {}\n", escaped(verdict)))
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.0.push_str(&format!("\n{}\n", escaped(text)));
    }

    /// The heading of a section.
    pub(crate) fn section(&mut self, title: &str) {
        self.0.push_str(&format!("\n## {}\n\n", escaped(title)));
    }

    /// An item of a list.
    pub(crate) fn item(&mut self, text: &str) {
        self.0.push_str(&format!("- {}\n", escaped(text)));
    }

    /// A numbered item of a list.
    pub(crate) fn step(&mut self, number: usize, text: &str) {
        self.0.push_str(&format!("{number}. {}\n", escaped(text)));
    }

    /// A command, on one line however long, so that it can be copied.
    pub(crate) fn command(&mut self, text: &str) {
        self.0.push_str(&format!("\n~~~~\n{}\n~~~~\n\n", clean::line(text).trim()));
    }

    /// Lines as they are, each made harmless; none of them can end the block.
    pub(crate) fn block(&mut self, text: &str) {
        let longest = text.lines().map(|line| line.chars().take_while(|c| *c == '~').count()).max();
        let fence = "~".repeat(longest.unwrap_or(0).max(3) + 1);
        let lines = clean::lines(text).join("\n");
        self.0.push_str(&format!("\n{fence}\n{lines}\n{fence}\n\n"));
    }

    /// What is not known, each with its reason, then the commands that would tell.
    pub(crate) fn gaps(&mut self, title: &str, gaps: &[Gap]) {
        if gaps.is_empty() {
            return;
        }
        self.section(title);
        for gap in gaps {
            self.item(&format!("{}: {}{}", gap.what, gap.reason_text(), calls(&gap.evidence)));
        }
        let mut commands: Vec<&str> = Vec::new();
        for command in gaps.iter().filter_map(|gap| gap.command.as_deref()) {
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        for command in commands {
            self.command(command);
        }
    }

    /// The text for the terminal.
    pub(crate) fn finish(self, options: &Options) -> String {
        explain::document(&self.0, options)
    }
}

/// The calls a sentence rests on, as ` [c3 c14]`.
pub(crate) fn calls(ids: &[EvidenceId]) -> String {
    if ids.is_empty() {
        return String::new();
    }
    let ids: Vec<&str> = ids.iter().map(EvidenceId::as_str).collect();
    format!(" [{}]", ids.join(" "))
}

/// One line in which nothing is Markdown.
fn escaped(text: &str) -> String {
    let line = clean::line(text);
    let mut safe = String::with_capacity(line.len() + 16);
    for c in line.trim().chars() {
        if c.is_ascii_punctuation() {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use launchpath_report::Options;

    use super::Page;

    #[test]
    fn nothing_of_the_evidence_is_markup_or_control() {
        let hostile = "\u{1b}[31m# <b>*x* `y` [z](http://e) &amp; 1. - +\u{202e}";
        let mut page = Page::new(hostile);
        page.paragraph(hostile);
        page.item(hostile);
        page.command(&format!("echo '{hostile}' ```"));
        page.paragraph("after");
        let text = page.finish(&Options::default());
        let plain = "# <b>*x* `y` [z](http://e) &amp; 1. - +";
        assert_eq!(text.matches(plain).count(), 4, "{text}");
        assert!(text.contains("echo '# <b>") && text.ends_with("\nafter\n"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }
}
