//! The scanner: a buffer, the automaton, and the lines around what it finds.
//!
//! The buffer holds what was read and not yet looked at, and before it a little of what was: an event in JSON is told by members
//! that come earlier. Only whole lines are looked at; a line that is longer than [`PIECE`] is looked at in pieces of that size,
//! counted from its beginning, so that the same bytes are always cut in the same places.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};

use aho_corasick::Input;
use launchpath_model::Timestamp;
use memchr::{memchr, memrchr};

use crate::assembly::{Assembly, Step};
use crate::event::Event;
use crate::gather::Gather;
use crate::line::{self, EVENT_BYTES, Form, cut};
use crate::report::Report;
use crate::signature::{Kind, table};

/// Bytes that are looked at in one go.
const BUFFER: usize = 1024 * 1024;
/// Bytes of what was looked at that stay before it.
const BEFORE: usize = 2 * EVENT_BYTES;
/// Longest piece of a line that is looked at as one.
const PIECE: usize = 128 * 1024;
/// Files that are no larger than this, together, are handed on whole.
const WHOLE: usize = 4 * 1024 * 1024;
/// And have no more lines than this: a line costs more than its bytes.
const WHOLE_LINES: usize = 100_000;
/// Lines that are handed on from the beginning and from the end of each larger file.
const AT_EACH_END: usize = 200;
/// Tracebacks in the making at one time: one per stream.
const MOST_OPEN: usize = 64;

/// Scans files, one after the other.
pub struct Scanner {
    report: Report,
    gather: Gather,
    /// Every line so far, while the files are small.
    whole: Option<Vec<Event>>,
    ends: Vec<Event>,
    files: usize,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            report: Report::default(),
            gather: Gather::default(),
            whole: Some(Vec::new()),
            ends: Vec::new(),
            files: 0,
        }
    }
}

impl Scanner {
    /// Reads a file to its end. `name` is how the report calls it.
    pub fn read(&mut self, name: &str, source: impl Read) -> io::Result<()> {
        self.files += 1;
        name.clone_into(&mut self.gather.file);
        let mut pass = Pass::new(self);
        pass.run(source)
    }

    /// What was found in all of them.
    pub fn finish(self) -> Report {
        let Self { mut report, gather, whole, ends, .. } = self;
        let mut events = gather.finish(&mut report);
        report.whole = whole.is_some();
        if let Some(all) = whole {
            events = all;
        } else {
            events.extend(ends);
            events.sort_by_key(Event::order);
            events.dedup_by_key(|event| event.order());
        }
        // Several files may hold the same time each; lines that say none stay where they stand.
        if events.iter().all(|event| event.at.is_some()) {
            events.sort_by_key(|event| event.at);
        }
        report.events = events;
        report
    }
}

/// A document of JSON is printed over many lines: its first holds a bracket alone. Servers begin lines with `[` as well, and lines of
/// JSON stand among others. `None`: only blanks so far.
fn form_of(bytes: &[u8]) -> Option<Form> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |newline| start + newline);
    let first = bytes[start..end].trim_ascii_end();
    Some(if matches!(first, b"{" | b"[" | b"[{") { Form::Json } else { Form::Text })
}

/// One file.
struct Pass<'a> {
    scanner: &'a mut Scanner,
    buffer: Vec<u8>,
    /// Where what was not looked at begins.
    at: usize,
    /// Where what was read ends.
    end: usize,
    form: Option<Form>,
    /// The number of the line at `counted`, from 1.
    line: u64,
    counted: usize,
    open: Vec<Assembly>,
    /// Whether a line told its time: only then is one that tells none the rest of a message.
    timed: bool,
    first_lines: usize,
    last_lines: VecDeque<Event>,
}

impl<'a> Pass<'a> {
    fn new(scanner: &'a mut Scanner) -> Self {
        Self {
            scanner,
            buffer: vec![0; BEFORE + BUFFER],
            at: 0,
            end: 0,
            form: None,
            line: 1,
            counted: 0,
            open: Vec::new(),
            timed: false,
            first_lines: 0,
            last_lines: VecDeque::new(),
        }
    }

    fn run(&mut self, mut source: impl Read) -> io::Result<()> {
        loop {
            let ended = self.fill(&mut source)?;
            let fresh = &self.buffer[self.at..self.end];
            if self.form.is_none() {
                self.form = form_of(fresh);
            }
            let until = if ended {
                self.end
            } else {
                match memrchr(b'\n', fresh) {
                    Some(newline) => self.at + newline + 1,
                    None => self.at + fresh.len() / PIECE * PIECE,
                }
            };
            self.look(until, ended);
            if ended {
                break;
            }
        }
        for assembly in std::mem::take(&mut self.open) {
            self.scanner.gather.traceback(assembly);
        }
        // The last line need not have an end.
        if self.end > 0 && self.buffer[self.end - 1] != b'\n' {
            self.line += 1;
        }
        self.scanner.report.lines += self.line - 1;
        self.scanner.ends.extend(std::mem::take(&mut self.last_lines));
        Ok(())
    }

    /// Reads until the buffer is full; true at the end of the file.
    fn fill(&mut self, source: &mut impl Read) -> io::Result<bool> {
        let keep = self.at.saturating_sub(BEFORE);
        self.buffer.copy_within(keep..self.end, 0);
        self.at -= keep;
        self.end -= keep;
        self.counted -= keep;
        while self.end < self.buffer.len() {
            match source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(true),
                Ok(read) => {
                    self.end += read;
                    self.scanner.report.bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Looks at everything up to `until`.
    fn look(&mut self, until: usize, ended: bool) {
        // Always the beginning of a line, or of a piece of one.
        let mut at = self.at;
        while at < until {
            let every_line =
                !self.open.is_empty() || self.first_lines < AT_EACH_END || self.scanner.whole.is_some();
            let found = if every_line {
                Some(at)
            } else {
                let input = Input::new(&self.buffer[..until]).span(at..until);
                table().automaton.find(input).map(|found| found.start())
            };
            let Some(found) = found else { break };
            let line = memrchr(b'\n', &self.buffer[at..found]).map_or(at, |newline| at + newline + 1);
            let start = line + (found - line) / PIECE * PIECE;
            let most = until.min(start + PIECE);
            let end = memchr(b'\n', &self.buffer[start..most]).map_or(most, |newline| start + newline + 1);
            self.line(start, end);
            at = end;
        }
        self.advance(until);
        if ended {
            self.tail();
        }
    }

    /// Looks at one line, or one piece of a long one.
    fn line(&mut self, start: usize, end: usize) {
        let bytes = &self.buffer[start..end];
        let form = self.form.unwrap_or(Form::Text);
        let far = if self.timed || form == Form::Json { EVENT_BYTES } else { 0 };
        let before = &self.buffer[start.saturating_sub(far)..start];
        let read = line::read(bytes, before, form);
        self.timed |= read.as_ref().is_some_and(|read| read.at.is_some());
        let read = read.map(|read| (read.at, read.stream.map(Cow::into_owned), read.text.into_owned()));
        let number = self.number(start);
        let bytes = &self.buffer[start..end];
        let signatures: BTreeSet<usize> =
            table().automaton.find_iter(bytes).map(|found| found.pattern().as_usize()).collect();
        let Some((at, stream, text)) = read else { return };
        // A message may hold a whole traceback.
        let texts: Vec<String> = text.trim_end_matches(['\n', '\r']).split('\n').map(cut).collect();
        self.span(at);
        let file = self.scanner.files;
        let event = |part: usize| Event {
            line: number,
            at,
            stream: stream.clone(),
            text: texts[part].clone(),
            part: (file, part),
        };
        for part in 0..texts.len() {
            self.offer(event(part), texts.len() > 1, &signatures);
        }
        // The line in which a signature stands, not the first of many.
        let holds =
            |text: &String| signatures.iter().any(|index| text.contains(&table().signatures[*index].text));
        let shown = texts.iter().position(holds).unwrap_or(0);
        self.scanner.gather.line(&signatures, &event(shown));
    }

    /// One line of text: of a traceback in the making, or the beginning of one.
    fn offer(&mut self, event: Event, of_many: bool, signatures: &BTreeSet<usize>) {
        self.keep(&event);
        let mut over = None;
        for (index, assembly) in self.open.iter_mut().enumerate() {
            match assembly.offer(event.clone()) {
                Step::Foreign => {}
                Step::Taken => return,
                Step::Last | Step::Over => {
                    over = Some(index);
                    break;
                }
            }
        }
        let mut taken = false;
        if let Some(index) = over {
            let assembly = self.open.remove(index);
            taken = assembly.events.last() == Some(&event);
            self.scanner.gather.traceback(assembly);
        }
        if taken {
            return;
        }
        let begins = |index: &usize| {
            let signature = &table().signatures[*index];
            signature.kind == Kind::Traceback && (!of_many || event.text.contains(&signature.text))
        };
        let Some(index) = signatures.iter().find(|index| begins(index)) else { return };
        let python = table().signatures[*index].id == "python_traceback";
        if self.open.len() == MOST_OPEN {
            let oldest = self.open.remove(0);
            self.scanner.gather.traceback(oldest);
        }
        self.open.push(Assembly::begin(event, python));
    }

    /// Keeps a line of a small file, or of the beginning of a large one.
    fn keep(&mut self, event: &Event) {
        if self.scanner.whole.as_ref().is_some_and(|all| all.len() >= WHOLE_LINES) {
            self.scanner.whole = None;
        }
        if let Some(all) = &mut self.scanner.whole {
            all.push(event.clone());
        }
        if self.first_lines < AT_EACH_END {
            self.first_lines += 1;
            self.scanner.ends.push(event.clone());
        }
    }

    /// The number of the line that holds the byte at `start`.
    fn number(&mut self, start: usize) -> u64 {
        let newlines = memchr::memchr_iter(b'\n', &self.buffer[self.counted..start]).count();
        self.line += newlines as u64;
        self.counted = start;
        self.line
    }

    /// Everything up to `until` was looked at.
    fn advance(&mut self, until: usize) {
        self.number(until);
        self.at = until;
        if self.scanner.report.bytes > WHOLE as u64 {
            self.scanner.whole = None;
        }
    }

    fn span(&mut self, at: Option<Timestamp>) {
        let Some(at) = at else { return };
        let report = &mut self.scanner.report;
        report.from = Some(report.from.map_or(at, |from| from.min(at)));
        report.to = Some(report.to.map_or(at, |to| to.max(at)));
    }

    /// The last lines of a file: whether it is handed on whole, a later one may decide.
    fn tail(&mut self) {
        let from = self.end.saturating_sub(BEFORE);
        // From the first line that is whole.
        let mut start =
            memchr(b'\n', &self.buffer[from..self.end]).map_or(self.end, |newline| from + newline + 1);
        if from == 0 {
            start = 0;
        }
        let last = self.line;
        let mut number =
            last.saturating_sub(memchr::memchr_iter(b'\n', &self.buffer[start..self.end]).count() as u64);
        while start < self.end {
            let end =
                memchr(b'\n', &self.buffer[start..self.end]).map_or(self.end, |newline| start + newline + 1);
            let before = &self.buffer[start.saturating_sub(EVENT_BYTES)..start];
            let read = line::read(&self.buffer[start..end], before, self.form.unwrap_or(Form::Text));
            let read = read.map(|read| (read.at, read.stream.map(Cow::into_owned), read.text.into_owned()));
            if let Some((at, stream, text)) = read {
                self.span(at);
                for (part, text) in text.trim_end_matches(['\n', '\r']).split('\n').map(cut).enumerate() {
                    if self.last_lines.len() == AT_EACH_END {
                        self.last_lines.pop_front();
                    }
                    let part = (self.scanner.files, part);
                    self.last_lines.push_back(Event { line: number, at, stream: stream.clone(), text, part });
                }
            }
            number += 1;
            start = end;
        }
    }
}
