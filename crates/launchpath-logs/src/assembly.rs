//! A traceback in the making: the lines that belong to the one that began it.

use crate::event::Event;
use crate::line::cut;

/// Most lines of one traceback.
const MOST_LINES: usize = 400;
/// Most bytes of one traceback.
const MOST_BYTES: usize = 64 * 1024;
/// Most lines of other streams that may stand between two of its own.
const MOST_FOREIGN: usize = 2_000;

/// A traceback in the making.
pub(crate) struct Assembly {
    /// Its lines.
    pub(crate) events: Vec<Event>,
    python: bool,
    bytes: usize,
    foreign: usize,
    texts: Vec<String>,
}

/// What a line is to a traceback in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It belongs to it, and more may follow.
    Taken,
    /// It belongs to it, and ends it.
    Last,
    /// Another stream's: it says nothing.
    Foreign,
    /// It does not belong to it: the traceback ended before.
    Over,
}

impl Assembly {
    /// Begins with the line that holds the signature.
    pub(crate) fn begin(event: Event, python: bool) -> Self {
        let mut assembly = Self { events: Vec::new(), python, bytes: 0, foreign: 0, texts: Vec::new() };
        assembly.keep(event);
        assembly
    }

    /// Offers the next line.
    pub(crate) fn offer(&mut self, event: Event) -> Step {
        let own = self.events.first().is_none_or(|first| first.stream == event.stream);
        if !own {
            self.foreign += 1;
            return if self.foreign > MOST_FOREIGN { Step::Over } else { Step::Foreign };
        }
        if self.texts.len() >= MOST_LINES || self.bytes >= MOST_BYTES {
            return Step::Over;
        }
        if self.python {
            let headline = !event.text.trim().is_empty() && !event.text.starts_with([' ', '\t']);
            self.keep(event);
            return if headline { Step::Last } else { Step::Taken };
        }
        if !continues(&event.text) {
            return Step::Over;
        }
        self.keep(event);
        Step::Taken
    }

    fn keep(&mut self, event: Event) {
        let room = MOST_BYTES.saturating_sub(self.bytes);
        for line in event.text.lines() {
            if self.texts.len() < MOST_LINES {
                self.texts.push(cut(line));
            }
        }
        self.bytes += event.text.len().min(room.max(1));
        self.events.push(event);
    }

    /// The text, line by line.
    pub(crate) fn text(&self) -> String {
        self.texts.join("\n")
    }
}

/// Whether a line goes on with a traceback of Node.js, Java, Go, .NET or Ruby.
fn continues(text: &str) -> bool {
    let line = text.trim_end();
    line.is_empty()
        || line.starts_with([' ', '\t'])
        || line == "}"
        || line.ends_with(')') && line.contains('(')
        || ["Caused by: ", "goroutine ", "created by ", "exit status ", "Require stack:", "- ", "[signal "]
            .iter()
            .any(|start| line.starts_with(start))
}
