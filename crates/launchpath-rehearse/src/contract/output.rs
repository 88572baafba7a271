//! The tail of what a process prints, within a limit.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use crate::subject::Printed;

/// Collects output.
pub(super) struct Output {
    pieces: Option<Receiver<Printed>>,
    kept: VecDeque<u8>,
    limit: usize,
    truncated: bool,
}

impl Output {
    pub(super) fn new(pieces: Option<Receiver<Printed>>, limit: usize) -> Self {
        Self { pieces, kept: VecDeque::new(), limit, truncated: false }
    }

    /// Takes what has come.
    pub(super) fn drain(&mut self) {
        // A process that prints without end must not hold the watching up.
        for _ in 0..4096 {
            let Some(pieces) = &self.pieces else { return };
            match pieces.try_recv() {
                Ok(piece) => self.keep(&piece.bytes),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.pieces = None,
            }
        }
    }

    /// Takes what still comes after the end of the process, for a little while.
    pub(super) fn finish(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(pieces) = &self.pieces {
            match pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.keep(&piece.bytes),
                Err(_) => return,
            }
        }
    }

    /// Takes what was printed before the last answer and is still on its way: until nothing came for `quiet`, and for no longer
    /// than `most`.
    pub(super) fn settle(&mut self, quiet: Duration, most: Duration) {
        let until = Instant::now() + most;
        while let Some(pieces) = &self.pieces {
            let left = until.saturating_duration_since(Instant::now());
            match pieces.recv_timeout(quiet.min(left)) {
                Ok(piece) if !left.is_zero() => self.keep(&piece.bytes),
                _ => return,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        // Twice the limit: what is cut off only after masking cannot cut a value in two.
        if self.kept.len() > self.limit * 2 {
            self.truncated = true;
            self.kept.drain(..self.kept.len() - self.limit * 2);
        }
    }

    /// Everything kept, as text.
    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.kept.make_contiguous()).into_owned()
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.truncated
    }
}

/// The tail of a text, from the beginning of a line on, and whether something was cut off.
pub(super) fn tail(text: &str, limit: usize) -> (&str, bool) {
    if text.len() <= limit {
        return (text, false);
    }
    let mut from = text.len() - limit;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let rest = &text[from..];
    // A line longer than the limit is kept from its middle.
    let rest = rest.find('\n').map_or(rest, |end| &rest[end + 1..]);
    (rest, true)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::{Output, tail};
    use crate::subject::{Printed, Stream};

    #[test]
    fn the_tail_begins_with_a_line() {
        assert_eq!(tail("one\ntwo\nthree", 8), ("three", true));
        assert_eq!(tail("one\ntwo", 8), ("one\ntwo", false));
        assert_eq!(tail("xüü", 3).0, "ü");
    }

    #[test]
    fn an_endless_printer_is_kept_within_the_limit() {
        let (send, receive) = channel();
        let mut output = Output::new(Some(receive), 100);
        for _ in 0..50 {
            let bytes = b"0123456789\n".to_vec();
            send.send(Printed { at: Duration::ZERO, stream: Stream::Out, bytes }).unwrap();
        }
        drop(send);
        output.drain();
        output.finish(Duration::from_millis(1));
        assert!(output.is_truncated());
        assert!(output.text().len() <= 200);
    }

    #[test]
    fn words_on_their_way_are_waited_for_and_an_endless_printer_is_not() {
        let (send, receive) = channel();
        let mut output = Output::new(Some(receive), 1000);
        let piece = |text: &str| Printed { at: Duration::ZERO, stream: Stream::Out, bytes: text.into() };
        send.send(piece("Traceback\n")).unwrap();
        let late = send.clone();
        let printer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            late.send(piece("AttributeError\n"))
        });
        output.settle(Duration::from_secs(1), Duration::from_millis(1500));
        printer.join().unwrap().unwrap();
        assert_eq!(output.text(), "Traceback\nAttributeError\n");

        let endless = std::thread::spawn(move || while send.send(piece(".")).is_ok() {});
        output.settle(Duration::from_secs(1), Duration::from_millis(50));
        drop(output);
        endless.join().unwrap();
    }
}
