//! The fault catalogue and one fault's documentation on a terminal.
//!
//! A fault's documentation is Markdown that our own repository holds; shown are headings, paragraphs, lists, code and
//! links as `text (address)`. What it is not: a Markdown renderer for anything else.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr;

use crate::canvas::{Canvas, Ink, Rich};
use crate::clean;
use crate::options::Options;

/// One line of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The fault's code, for example `net.endpoint_sg_blocks`.
    pub code: &'a str,
    /// Its title.
    pub title: &'a str,
    /// The title of the stage it breaks; entries are shown under it.
    pub stage: &'a str,
}

/// The catalogue, ending in a line feed: entries in the order given, under a heading wherever the stage changes.
pub fn catalogue(entries: &[Entry<'_>], options: &Options) -> String {
    let mut canvas = Canvas::new(options);
    let columns = entries.iter().map(|entry| clean::line(entry.code).width()).max().unwrap_or(0);
    let mut stage = None;
    for entry in entries {
        if stage != Some(entry.stage) {
            canvas.heading(entry.stage, Rich::new());
            stage = Some(entry.stage);
        }
        let prefix = Rich::new().plain("  ").padded(Ink::Strong, entry.code, columns).plain("  ");
        canvas.hanging(prefix, &" ".repeat(columns + 4), Rich::new().plain(entry.title));
    }
    canvas.finish()
}

/// A fault's documentation (`doc.md`) for the terminal, ending in a line feed.
pub fn document(markdown: &str, options: &Options) -> String {
    let mut writer = Writer::new(options);
    for event in Parser::new(markdown) {
        writer.take(event);
    }
    writer.flush();
    writer.canvas.finish()
}

/// Turns the parser's events into lines.
struct Writer<'a> {
    canvas: Canvas<'a>,
    text: Rich,
    /// The mark of a list item that has not been written yet.
    mark: Option<String>,
    /// The next number of each open list; none for a list of bullets.
    lists: Vec<Option<u64>>,
    ink: Vec<Ink>,
    links: Vec<String>,
    code: Option<String>,
}

impl<'a> Writer<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            canvas: Canvas::new(options),
            text: Rich::new(),
            mark: None,
            lists: Vec::new(),
            ink: Vec::new(),
            links: Vec::new(),
            code: None,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.push(&text),
            },
            Event::Code(text) => self.text = std::mem::take(&mut self.text).ink(Ink::Code, &text),
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => self.flush(),
            Event::Rule => self.canvas.gap(),
            Event::Html(text) | Event::InlineHtml(text) => self.push(&text),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.flush();
                self.ink.push(Ink::Heading);
            }
            Tag::Paragraph if self.mark.is_none() => {
                self.flush();
                if self.lists.is_empty() {
                    self.canvas.gap();
                }
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.canvas.gap();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.mark = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_owned(),
                });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::Strong | Tag::Emphasis => self.ink.push(Ink::Strong),
            Tag::Link { dest_url, .. } => self.links.push(dest_url.to_string()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.ink.pop();
                let title = std::mem::take(&mut self.text);
                self.canvas.title(title);
            }
            TagEnd::Paragraph | TagEnd::Item => {
                self.flush();
                self.mark = None;
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.canvas.gap();
                }
            }
            TagEnd::CodeBlock => {
                let indent = self.indent() + 4;
                let code = self.code.take().unwrap_or_default();
                self.canvas.gap();
                for line in clean::lines(&code) {
                    self.canvas.verbatim(indent, &line);
                }
                self.canvas.gap();
            }
            TagEnd::Strong | TagEnd::Emphasis => {
                self.ink.pop();
            }
            TagEnd::Link => {
                let address = self.links.pop().unwrap_or_default();
                if !address.is_empty() {
                    self.text = std::mem::take(&mut self.text).ink(Ink::Dim, &format!(" ({address})"));
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        let ink = self.ink.last().copied().unwrap_or_default();
        self.text = std::mem::take(&mut self.text).ink(ink, text);
    }

    /// Columns before the mark of the innermost open list's items.
    fn indent(&self) -> usize {
        self.lists.len() * 2
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.is_blank() {
            return;
        }
        let prefix = match self.mark.take() {
            Some(mark) => format!("{}{mark}", " ".repeat(self.indent())),
            None if self.lists.is_empty() => String::new(),
            None => " ".repeat(self.indent() + 2),
        };
        let lead = " ".repeat(prefix.width());
        self.canvas.hanging(Rich::new().plain(&prefix), &lead, text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Entry, catalogue, document};
    use crate::options::{Colour, Options};

    const DOC: &str = "# Endpoint group blocks\n\nThe `ecr.api` endpoint's group\nadmits nothing from the runtime.\n\n\
        ## Confirm by hand\n\n1. Ask for the **rules** of the group, which takes one call and no more than one call:\n\n\
        \u{20}  ```sh\n   aws ec2 describe-security-group-rules --filters Name=group-id,Values=sg-0123456789abcdef0 --output json\n   ```\n\
        2. See [the guide](https://docs.aws.amazon.com/x).\n   - nested\n\n## References\n\n* one\n* two\n";

    #[test]
    fn a_document_keeps_its_shape() {
        let shown = document(DOC, &Options { width: 60, ..Options::default() });
        let wanted = "Endpoint group blocks\n\nThe ecr.api endpoint's group admits nothing from the\nruntime.\n\n\
            Confirm by hand\n\n  1. Ask for the rules of the group, which takes one call\n     and no more than one call:\n\n\
            \u{20}     aws ec2 describe-security-group-rules --filters Name=group-id,Values=sg-0123456789abcdef0 --output json\n\n\
            \u{20} 2. See the guide (https://docs.aws.amazon.com/x).\n    • nested\n\nReferences\n\n  • one\n  • two\n";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn colour_is_only_added() {
        let colour = document(DOC, &Options { width: 60, colour: Colour::On, ..Options::default() });
        assert!(colour.contains("\u{1b}[36mecr.api\u{1b}[0m"), "{colour}");
        assert_eq!(
            crate::clean::line(&colour),
            crate::clean::line(&document(DOC, &Options { width: 60, ..Options::default() }))
        );
    }

    #[test]
    fn the_catalogue_groups_by_stage() {
        let entries = [
            Entry { code: "net.nacl", title: "ACL drops", stage: "Image fetched" },
            Entry { code: "net.dns_off", title: "DNS is off", stage: "Image fetched" },
            Entry { code: "app.slow_init", title: "Start takes too long", stage: "Healthy" },
        ];
        let wanted = "Image fetched\n  net.nacl       ACL drops\n  net.dns_off    DNS is off\n\n\
            Healthy\n  app.slow_init  Start takes too long\n";
        assert_eq!(catalogue(&entries, &Options::default()), wanted);
    }

    proptest! {
        #[test]
        fn no_document_panics_or_smuggles(markdown in "(\\PC|[-#*`>\\[\\]()!1. \n\t]|\u{1b}\\[31m){0,80}", width in 0usize..130) {
            let shown = document(&markdown, &Options { width, ..Options::default() });
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        }
    }
}
