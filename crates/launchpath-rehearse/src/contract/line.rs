//! The way from a probe's thread to the process: connections and the clock.
//!
//! Only the thread that holds the [`Subject`](crate::subject::Subject) may touch it. Probes ask that thread for connections
//! through a [`Line`] and never wait on one another.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::wire::{Limits, Outcome, Request, exchange};
use crate::subject::Listener;

/// What a probe asks of the thread that holds the subject.
pub(super) enum Ask {
    /// A connection to a port.
    Connect(u16, Sender<io::Result<TcpStream>>),
    /// What listens.
    Listeners(Sender<Option<Vec<Listener>>>),
    /// Something was seen.
    Saw(Box<dyn FnOnce(&mut super::observation::Observations) + Send>),
}

/// The probe's end.
#[derive(Clone)]
pub(super) struct Line {
    asks: Sender<Ask>,
    started: Instant,
    host: String,
    over: Arc<AtomicBool>,
}

impl Line {
    /// A line, and the end at which asks arrive.
    pub(super) fn new(since: Duration, host: String) -> (Self, Receiver<Ask>) {
        let (asks, arrive) = channel();
        let now = Instant::now();
        let started = now.checked_sub(since).unwrap_or(now);
        (Self { asks, started, host, over: Arc::new(AtomicBool::new(false)) }, arrive)
    }

    /// Since the process was started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Set to true, it tells the probes to end.
    pub(super) fn over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.over)
    }

    /// Whether the probes were told to end.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// `Host` for a port, never a loopback name.
    pub(super) fn host(&self, port: u16) -> String {
        format!("{}:{port}", self.host)
    }

    pub(super) fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let (reply, answer) = channel();
        let gone = || io::Error::other("the rehearsal is over");
        self.asks.send(Ask::Connect(port, reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    pub(super) fn listeners(&self) -> Option<Vec<Listener>> {
        let (reply, answer) = channel();
        self.asks.send(Ask::Listeners(reply)).ok()?;
        answer.recv().ok()?
    }

    /// Notes something in the observations.
    pub(super) fn saw(&self, note: impl FnOnce(&mut super::observation::Observations) + Send + 'static) {
        // When the rehearsal is over nobody takes notes any more.
        let _ = self.asks.send(Ask::Saw(Box::new(note)));
    }

    /// One request on a connection of its own.
    pub(super) fn send(&self, port: u16, request: &Request, limits: Limits) -> Outcome {
        match self.connect(port) {
            Ok(stream) => exchange(stream, request, limits),
            Err(error) => Outcome::NotConnected(error.to_string()),
        }
    }

    /// Sleeps, in pieces, until the time is over or the rehearsal is.
    pub(super) fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
