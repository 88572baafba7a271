//! Live progress on standard error: moments as they come, and a line that counts the seconds. Only on a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use launchpath_rehearse::contract::{Progress, Terms};
use launchpath_report::clean;

/// How often the line is written anew.
const PACE: Duration = Duration::from_millis(200);

/// Progress of one rehearsal.
pub(crate) struct Live {
    shown: bool,
    last: Option<Instant>,
    limit: Duration,
    patience: Duration,
    port: u16,
}

impl Live {
    /// Progress under these terms.
    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
            last: None,
            limit: terms.limit(),
            patience: terms.patience,
            port: terms.port,
        }
    }

    /// Before the process starts.
    pub(crate) fn say(&mut self, what: &str) {
        if self.shown {
            // Nobody is told when standard error is closed.
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", clean::line(what));
        }
    }

    /// Shows one step.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        if !self.shown {
            return;
        }
        match progress {
            Progress::Moment(moment) => {
                let what = clean::line(&moment.what);
                let _ = writeln!(std::io::stderr(), "\r\x1b[K{:>8.3} s  {what}", moment.at.as_secs_f64());
                self.last = None;
            }
            Progress::Tick { elapsed, healthy, listens } => {
                let (elapsed, healthy, listens) = (*elapsed, *healthy, *listens);
                if self.last.is_some_and(|last| last.elapsed() < PACE) {
                    return;
                }
                self.last = Some(Instant::now());
                let phase = match (healthy, listens) {
                    (true, _) => "requests".to_owned(),
                    (false, true) => "waiting for a healthy answer".to_owned(),
                    (false, false) => format!("waiting for port {}", self.port),
                };
                let limit = if healthy {
                    String::new()
                } else if elapsed <= self.limit {
                    format!(" of {} s", self.limit.as_secs())
                } else {
                    let (limit, patience) = (self.limit.as_secs(), self.patience.as_secs());
                    format!(", past the service's {limit} s; until {patience} s, to tell slow from never")
                };
                let _ = write!(std::io::stderr(), "\r\x1b[K{:>5} s{limit}  {phase}", elapsed.as_secs());
            }
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
