//! Holds a process to the terms: the one thread that touches the [`Subject`], while the script probes from another.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::crowd::{Crowd, turn};
use super::judge::ending;
use super::line::{Ask, Line};
use super::mask::Mask;
use super::observation::{Ended, Moment, Observations};
use super::output::{Output, tail};
use super::script;
use super::terms::Terms;
use crate::subject::{Ending, Subject};

/// How often the process is looked at when no probe asks.
const TICK: Duration = Duration::from_millis(10);
/// How long a connection may take to come about. Inside one machine it takes microseconds.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long probes may go on after the process has ended: an answer may still be on its way.
const AFTER_EXIT: Duration = Duration::from_millis(300);
/// A process that lives on has said what belongs to its last answer when it is silent for so long: pipes are read beside the probes,
/// by a thread that must have its turn.
const QUIET: Duration = Duration::from_millis(50);
/// How long output is waited for after the process has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What goes on, for those who watch.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Something happened.
    Moment(&'a Moment),
    /// Time passed.
    Tick {
        /// Since the start.
        elapsed: Duration,
        /// Whether the process was healthy once.
        healthy: bool,
        /// Whether its port took a connection once.
        listens: bool,
    },
}

/// How much output is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The tail, enough for a traceback.
    Tail,
    /// A great deal.
    Much,
}

impl Keep {
    fn bytes(self) -> usize {
        match self {
            Self::Tail => 64 * 1024,
            Self::Much => 4 * 1024 * 1024,
        }
    }
}

/// Probes a process that was just started, and returns what was seen. Does not stop it.
pub fn hold(
    subject: &mut dyn Subject,
    terms: &Terms,
    mask: &Mask,
    keep: Keep,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Progress<'_>),
) -> Observations {
    let host = match subject.address() {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    };
    let (line, asks) = Line::new(subject.elapsed(), host);
    let mut seen = Observations { blind: subject.blind_spots(), ..Observations::default() };
    let mut output = Output::new(subject.take_output(), keep.bytes());
    let over = line.over();
    {
        let terms = terms.clone();
        // Not joined: it ends by itself once the process is stopped, and every wait of it is bounded. It holds the only
        // line, so the asks close when it has ended.
        std::thread::spawn(move || script::run(&line, &terms));
    }
    let ended = serve(subject, &asks, &over, stop, &mut seen, &mut output, mask, watch);
    seen.watched = match seen.ended {
        Ended::Not | Ended::Exited | Ended::Interrupted => subject.elapsed(),
        Ended::Healthy | Ended::Settled | Ended::OutOfPatience => seen.watched,
    };
    if let Some(ended) = ended
        && seen.ended != Ended::Healthy
    {
        seen.ended = ended;
    }
    if seen.exit.is_some() {
        output.finish(LAST_WORDS);
    } else {
        let quiet = turn(QUIET);
        output.settle(quiet, LAST_WORDS.max(quiet * 2));
    }
    output.drain();
    if let Some(listeners) =
        subject.listeners().filter(|listeners| seen.exit.is_none() || !listeners.is_empty())
    {
        seen.listeners = Some(listeners);
    }
    seen.attempts = subject.attempts();
    seen.usage = subject.usage();
    seen.output = output.text();
    mask.observations(&mut seen);
    let (kept, cut) = tail(&seen.output, keep.bytes());
    let kept = kept.to_owned();
    seen.output_truncated = cut || output.is_truncated();
    seen.output = kept;
    seen
}

/// Serves the probes until they have ended, the process has, or the user has.
#[expect(clippy::too_many_arguments, reason = "the parts of one loop, each borrowed on its own")]
fn serve(
    subject: &mut dyn Subject,
    asks: &Receiver<Ask>,
    over: &AtomicBool,
    stop: &AtomicBool,
    seen: &mut Observations,
    output: &mut Output,
    mask: &Mask,
    watch: &mut dyn FnMut(Progress<'_>),
) -> Option<Ended> {
    let mut told = 0;
    let mut until: Option<Instant> = None;
    let mut crowd = Crowd::default();
    loop {
        match asks.recv_timeout(TICK) {
            Ok(Ask::Connect(port, reply)) => {
                // A probe that has ended meanwhile needs no connection.
                let _ = reply.send(subject.connect(port, CONNECT_WAIT));
            }
            Ok(Ask::Listeners(reply)) => {
                let _ = reply.send(subject.listeners());
            }
            Ok(Ask::Saw(note)) => note(seen),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return seen.exit.is_some().then_some(Ended::Exited),
        }
        output.drain();
        if seen.busy.is_some_and(|busy| busy.to.is_none()) {
            crowd.look();
            seen.crowding = crowd.average();
        }
        for moment in &mut seen.moments[told..] {
            if let Cow::Owned(clean) = mask.text(&moment.what) {
                moment.what = clean;
            }
            watch(Progress::Moment(moment));
        }
        told = seen.moments.len();
        watch(Progress::Tick {
            elapsed: subject.elapsed(),
            healthy: seen.first_healthy.is_some(),
            listens: seen.first_listen.is_some(),
        });
        if stop.load(Ordering::Relaxed) {
            over.store(true, Ordering::Relaxed);
            return Some(Ended::Interrupted);
        }
        if seen.exit.is_none()
            && let Some(exit) = subject.exited()
        {
            let grace = match exit.how {
                Ending::NotStarted(_) => Duration::ZERO,
                Ending::Code(_) | Ending::Signal(_) => AFTER_EXIT,
            };
            seen.moments.push(Moment { at: exit.at, what: ending(&exit.how) });
            seen.exit = Some(exit);
            over.store(true, Ordering::Relaxed);
            until = Some(Instant::now() + grace);
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Some(Ended::Exited);
        }
    }
}
