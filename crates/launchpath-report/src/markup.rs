//! Writes HTML and XML: elements that are always closed, text that is always escaped.
//!
//! There is no way to write foreign text unescaped: markup comes only from names in the source. What is written is XML as well
//! (void elements are closed, no attribute is without a value), so that any parser can hold it to account.

use crate::clean;

/// An attribute: its name, and its value, which is escaped.
pub(crate) type Attribute<'a> = (&'a str, &'a str);

/// Elements after which a line ends.
const BLOCKS: [&str; 41] = [
    "html",
    "head",
    "meta",
    "title",
    "link",
    "style",
    "script",
    "body",
    "header",
    "main",
    "footer",
    "nav",
    "section",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "p",
    "ul",
    "ol",
    "li",
    "dl",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "details",
    "summary",
    "pre",
    "div",
    "svg",
    "blockquote",
    "testsuites",
    "testsuite",
    "testcase",
    "properties",
    "property",
    "failure",
    "skipped",
];

/// A document being written.
#[derive(Default)]
pub(crate) struct Markup(String);

impl Markup {
    /// An element with what `inside` writes.
    pub(crate) fn element(
        &mut self,
        tag: &str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(tag, attributes);
        self.0.push('>');
        inside(self);
        self.0.push_str(&format!("</{tag}>"));
        self.end(tag);
    }

    /// An element with one line of text.
    pub(crate) fn leaf(&mut self, tag: &str, attributes: &[Attribute<'_>], text: &str) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// An element without content.
    pub(crate) fn void(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.begin(tag, attributes);
        self.0.push_str("/>");
        self.end(tag);
    }

    /// One line of text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&clean::line(text), &mut self.0);
    }

    /// Lines of text, for `pre`.
    pub(crate) fn lines(&mut self, text: &str) {
        for (index, line) in clean::lines(text).iter().enumerate() {
            if index > 0 {
                self.0.push('\n');
            }
            escape(line, &mut self.0);
        }
    }

    /// Our own style sheet or script, as it is.
    pub(crate) fn own(&mut self, source: &'static str) {
        self.0.push_str(source);
    }

    /// What was written, as a page.
    pub(crate) fn into_html(self) -> String {
        format!("<!DOCTYPE html>\n{}", self.0)
    }

    /// What was written, as an XML document.
    pub(crate) fn into_xml(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.0)
    }

    fn begin(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push_str(&format!(" {name}=\""));
            escape(&clean::line(value), &mut self.0);
            self.0.push('"');
        }
    }

    fn end(&mut self, tag: &str) {
        if BLOCKS.contains(&tag) {
            self.0.push('\n');
        }
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No characters of XML.
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
}
