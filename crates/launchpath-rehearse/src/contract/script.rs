//! The order in which a process is probed: until it is healthy, then idle, then with a request, then the WebSocket.
//!
//! It runs on a thread of its own and notes what it sees through its [`Line`]; it judges no clause.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::facts::Facts;
use super::line::Line;
use super::observation::{Busy, BusyPing, Ended, Health, HealthRun, Moment, Observations, Ping};
use super::protocol::Protocol;
use super::talk;
use super::terms::Terms;
use super::wire::{Outcome, Request, web_socket};

/// First pause between two attempts to connect; it doubles up to [`LONGEST_PAUSE`]. A start takes milliseconds or minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Between two health checks that failed for a reason that may pass.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// An answer that will not change is believed after so long: three pings of the service.
const SETTLE: Duration = Duration::from_secs(6);
/// How often sockets are looked at while nothing takes a connection.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
/// Between idle pings: long enough for a time in whole seconds to move.
const IDLE_PAUSE: Duration = Duration::from_millis(1100);
/// Idle pings whose time moved each time are enough.
const IDLE_PINGS: usize = 4;
/// A request that is over so soon cannot starve a ping.
const BRIEF: Duration = Duration::from_millis(100);
/// How long a ping during a request is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// For the WebSocket to open and answer.
const WEB_SOCKET_WAIT: Duration = Duration::from_secs(5);

/// Probes the process from its start to its first answer.
pub(super) fn run(line: &Line, terms: &Terms) {
    let Some(first) = ready(line, terms) else {
        return;
    };
    if terms.protocol != Protocol::Mcp {
        idle(line, terms, first);
    }
    busy(line, terms);
    web_socket(line, terms);
}

/// Waits until the process is healthy; `None` when it does not become so.
fn ready(line: &Line, terms: &Terms) -> Option<Ping> {
    let mut look = Look::default();
    let mut pause = FIRST_PAUSE;
    let mut listens = false;
    let mut final_since: Option<(Health, Duration)> = None;
    while !line.is_over() {
        let at = line.elapsed();
        if at >= terms.patience {
            end(line, Ended::OutOfPatience);
            explain(line, terms, listens);
            return None;
        }
        let Ok(stream) = line.connect(terms.port) else {
            if look.is_settled(line, terms, at) {
                end(line, Ended::Settled);
                return None;
            }
            line.pause(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            continue;
        };
        if !listens {
            listens = true;
            let port = terms.port;
            line.saw(move |seen| {
                seen.first_listen = Some(at);
                moment(seen, at, format!("port {port} takes connections"));
            });
        }
        let wait = Facts::get().ping_wait().min(terms.patience.saturating_sub(at));
        let (outcome, verdict) =
            talk::ask_health_on(stream, line, terms, wait.max(Duration::from_millis(100)));
        let at = line.elapsed();
        if let Health::Good(status) = &verdict {
            let ping = talk::sample(&outcome, &verdict, at);
            let status = status.clone();
            let health = health_run(outcome, verdict, at);
            line.saw(move |seen| {
                seen.first_healthy = Some(at);
                note_health(seen, health);
                moment(seen, at, format!("healthy: {status}"));
            });
            end(line, Ended::Healthy);
            return Some(ping);
        }
        let health = health_run(outcome, verdict.clone(), at);
        line.saw(move |seen| note_health(seen, health));
        if verdict.is_final() {
            match &final_since {
                Some((known, since)) if *known == verdict => {
                    if at.saturating_sub(*since) >= SETTLE {
                        end(line, Ended::Settled);
                        explain(line, terms, listens);
                        return None;
                    }
                }
                _ => final_since = Some((verdict, at)),
            }
            line.pause(Facts::get().ping_interval());
        } else {
            final_since = None;
            line.pause(RETRY_PAUSE);
        }
    }
    None
}

/// What listens while nothing takes a connection on the port.
#[derive(Default)]
struct Look {
    last: Duration,
    /// Loopback sockets of the port, since when.
    loopback: Option<Duration>,
    /// Other ports that were tried: when, and whether something spoke.
    tried: BTreeMap<u16, (Duration, Option<Duration>)>,
}

impl Look {
    /// Whether waiting longer is no use: the port is taken on loopback only, or the server answers on another port.
    fn is_settled(&mut self, line: &Line, terms: &Terms, at: Duration) -> bool {
        if at.saturating_sub(self.last) < LOOK_PAUSE {
            return false;
        }
        self.last = at;
        let Some(listeners) = line.listeners() else { return false };
        let note = listeners.clone();
        line.saw(move |seen| seen.listeners = Some(note));
        let own: Vec<_> = listeners.iter().filter(|listener| listener.at.port() == terms.port).collect();
        if !own.is_empty() && own.iter().all(|listener| listener.at.ip().is_loopback()) {
            // A second socket on every address could not be bound beside it.
            let since = *self.loopback.get_or_insert(at);
            return at.saturating_sub(since) >= SETTLE / 2;
        }
        self.loopback = None;
        let others = listeners.iter().filter(|listener| !listener.at.ip().is_loopback());
        let others: Vec<u16> =
            others.map(|listener| listener.at.port()).filter(|port| *port != terms.port).collect();
        for port in others {
            let again = self
                .tried
                .get(&port)
                .is_none_or(|(last, found)| found.is_none() && at.saturating_sub(*last) >= SETTLE);
            if again {
                let found = talk::identify(line, terms, port, None);
                let since = found.is_some().then_some(at);
                if let Some(found) = found {
                    line.saw(move |seen| seen.elsewhere.push(found));
                }
                self.tried.insert(port, (at, since));
            }
        }
        self.tried.values().any(|(_, found)| found.is_some_and(|since| at.saturating_sub(since) >= SETTLE))
    }
}

/// Finds out more about a port that takes connections and does not answer as it should.
fn explain(line: &Line, terms: &Terms, listens: bool) {
    if !listens {
        return;
    }
    let local = format!("localhost:{}", terms.port);
    let request = talk::health_request(terms, &local);
    let limits = talk::health_limits(terms, Facts::get().ping_wait());
    let outcome = line.send(terms.port, &request, limits);
    line.saw(move |seen| seen.with_local_host = Some(outcome));
    if let Some(found) = talk::identify(line, terms, terms.port, Some(terms.protocol)) {
        line.saw(move |seen| seen.elsewhere.push(found));
    }
}

/// Pings without a request, as long as the time in the answer moves.
fn idle(line: &Line, terms: &Terms, first: Ping) {
    let mut last = first.last_update;
    line.saw(move |seen| seen.idle_pings.push(first));
    let mut count = 1;
    while last.is_some() && count < IDLE_PINGS && !line.is_over() {
        line.pause(IDLE_PAUSE);
        let (outcome, verdict) = talk::ask_health(line, terms, Facts::get().ping_wait());
        let ping = talk::sample(&outcome, &verdict, line.elapsed());
        let moved = ping.last_update.is_some() && ping.last_update != last;
        last = ping.last_update;
        count += 1;
        line.saw(move |seen| seen.idle_pings.push(ping));
        if !moved {
            break;
        }
    }
}

/// The first request, with pings beside it.
fn busy(line: &Line, terms: &Terms) {
    if line.is_over() {
        return;
    }
    let from = line.elapsed();
    let (protocol, path) = (terms.protocol, terms.path.clone());
    line.saw(move |seen| {
        seen.busy = Some(Busy { from, to: None });
        moment(seen, from, format!("first request: {protocol}, {path}"));
    });
    let (done, ended) = channel();
    let talker = {
        let (line, terms) = (line.clone(), terms.clone());
        std::thread::spawn(move || {
            talk::converse(&line, &terms, &mut |step| {
                let at = line.elapsed();
                line.saw(move |seen| {
                    moment(seen, at, format!("{}: {}", step.name, words(&step.outcome)));
                    seen.steps.push(step);
                });
            });
            // The script may have ended with the rehearsal.
            let _ = done.send(());
        })
    };
    let mut pause = BRIEF;
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(pause) {
        if line.is_over() {
            return;
        }
        if terms.protocol == Protocol::Mcp {
            continue;
        }
        let sent = line.elapsed();
        let (_, verdict) = talk::ask_health(line, terms, BUSY_WAIT);
        let waited = line.elapsed().saturating_sub(sent);
        let answered = matches!(verdict, Health::Good(_));
        let over = ended.try_recv().is_ok();
        let ping = BusyPing { sent, waited, answered, overlapped: !over };
        line.saw(move |seen| seen.busy_pings.push(ping));
        if over {
            break;
        }
        pause = Facts::get().ping_interval();
    }
    // It has ended: joining it waits for nothing. A talker that panicked left its steps unsaid, which is unknown.
    let _ = talker.join();
    let to = line.elapsed();
    line.saw(move |seen| {
        if let Some(busy) = &mut seen.busy {
            busy.to = Some(to);
        }
    });
    look_elsewhere(line, terms);
}

/// A request that is not understood may be another protocol's.
fn look_elsewhere(line: &Line, terms: &Terms) {
    use super::observation::Reply;
    let (reply, known) = channel();
    line.saw(move |seen| {
        let odd = seen
            .steps
            .iter()
            .any(|step| matches!(step.verdict, Reply::NotFound(_) | Reply::Invalid(_) | Reply::Refused(_)));
        // Nobody waits for it when the rehearsal is over.
        let _ = reply.send(odd);
    });
    if known.recv().is_ok_and(|odd| odd)
        && let Some(found) = talk::identify(line, terms, terms.port, Some(terms.protocol))
        // `/ping` is what the protocols have in common.
        && found.protocol != Protocol::Http
    {
        line.saw(move |seen| seen.elsewhere.push(found));
    }
}

/// The optional WebSocket.
fn web_socket(line: &Line, terms: &Terms) {
    let facts = Facts::get();
    let Some(path) = &facts.protocol(terms.protocol).web_socket else { return };
    if line.is_over() {
        return;
    }
    let request = Request::get(&line.host(terms.port), &path.value);
    let largest = facts.web_socket_frame_bytes.value;
    let Ok(stream) = line.connect(terms.port) else { return };
    let seen_of_it = web_socket::open(stream, request, &terms.payload, WEB_SOCKET_WAIT, largest);
    line.saw(move |seen| seen.web_socket = Some(seen_of_it));
}

fn end(line: &Line, how: Ended) {
    let at = line.elapsed();
    line.saw(move |seen| {
        seen.ended = how;
        seen.watched = at;
    });
}

fn health_run(outcome: Outcome, verdict: Health, at: Duration) -> HealthRun {
    HealthRun { outcome, verdict, first_at: at, last_at: at, times: 1 }
}

/// Notes a health answer; one like the last one counts with it.
fn note_health(seen: &mut Observations, health: HealthRun) {
    match seen.health.last_mut() {
        Some(last) if last.verdict == health.verdict => {
            last.last_at = health.last_at;
            last.times += 1;
        }
        _ => {
            if !matches!(health.verdict, Health::Good(_)) {
                moment(seen, health.first_at, format!("health check: {}", words(&health.outcome)));
            }
            // A server that changes its mind without end is kept within bounds.
            if seen.health.len() >= 200 {
                seen.health.remove(0);
            }
            seen.health.push(health);
        }
    }
}

fn moment(seen: &mut Observations, at: Duration, what: String) {
    if seen.moments.len() < 500 {
        seen.moments.push(Moment { at, what });
    }
}

/// An outcome in a few words.
pub(super) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("status {}", answer.status),
        Outcome::NoAnswer { waited, received: 0 } => format!("no answer in {:.1} s", waited.as_secs_f64()),
        Outcome::NoAnswer { waited, received } => {
            format!("no whole answer in {:.1} s ({received} bytes)", waited.as_secs_f64())
        }
        Outcome::Closed { .. } => "connection closed without an answer".to_owned(),
        Outcome::NotHttp(_) => "an answer that is not HTTP".to_owned(),
        Outcome::Invalid(how) => format!("invalid HTTP: {how}"),
        Outcome::NotConnected(error) => format!("no connection: {error}"),
    }
}
