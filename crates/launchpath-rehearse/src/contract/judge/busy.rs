//! `healthy_while_busy` and `idles`.

use std::time::Duration;

use super::{Ruling, seconds};
use crate::contract::clause::{Clause, Judged, Reason};
use crate::contract::facts::Facts;
use crate::contract::observation::{BusyPing, Observations, Ping};
use crate::contract::protocol::Protocol;
use crate::contract::terms::{Speed, Terms};

/// So many programs for each processor delay each other by seconds.
const CROWDED: f64 = 3.0;
/// Two answers that came so close together came together.
const TOGETHER: Duration = Duration::from_millis(500);

pub(super) fn healthy_while_busy(terms: &Terms, seen: &Observations) -> Judged {
    let facts = Facts::get();
    let (starved, slow) = (facts.busy_unanswered(), facts.busy_slow());
    let ruling = Ruling::on(
        Clause::HealthyWhileBusy,
        format!("GET /ping is answered within {} while a request runs", seconds(starved)),
    );
    if terms.protocol == Protocol::Mcp {
        return ruling.not_applicable("MCP has no documented /ping");
    }
    let Some(busy) = seen.busy else {
        return ruling.not_reached("no request was made");
    };
    let ran = busy.to.map(|to| to.saturating_sub(busy.from));
    let Some(worst) = seen.busy_pings.iter().max_by_key(|ping| ping.waited) else {
        return match (&seen.exit, ran) {
            (Some(exit), _) => ruling.not_reached("the process ended during the request").at(exit.at),
            (None, Some(ran)) => ruling.held(format!(
                "the request took {}: too short to starve a ping; a longer one is not tried",
                seconds(ran)
            )),
            (None, None) => ruling.unknown(None, "the rehearsal was stopped during the request"),
        };
    };
    let at = worst.sent;
    if let Some(exit) = &seen.exit
        && !worst.answered
    {
        return ruling.not_reached("the process ended during the request").at(exit.at);
    }
    let answered = if worst.answered { "answered after" } else { "not answered as healthy in" };
    let note = format!(
        "a ping sent {} into the request was {answered} {}",
        seconds(at.saturating_sub(busy.from)),
        seconds(worst.waited)
    );
    let crowded = seen.crowding >= CROWDED;
    let crowd = format!("this machine was crowded ({:.0} programs for each processor)", seen.crowding);
    if worst.waited >= starved && crowded && !answered_with_request(worst, busy.to) {
        return ruling.unknown(Some(Reason::EventLoopBlocked), format!("{note}, but {crowd}")).at(at);
    }
    if worst.waited >= starved {
        if terms.speed == Speed::Emulated {
            return ruling
                .unknown(Some(Reason::EventLoopBlocked), format!("{note}; emulated time decides nothing"))
                .at(at);
        }
        return ruling
            .broken(Reason::EventLoopBlocked, format!("{note}: the handler blocks the server"))
            .advise("run blocking work in a thread (async: asyncio.to_thread, or an async client), so that /ping stays answered; the service ends sessions whose health check fails")
            .at(at);
    }
    if let Some(ping) = seen.busy_pings.iter().find(|ping| !ping.answered) {
        return ruling
            .broken(
                Reason::ErrorStatus,
                format!(
                    "a ping sent {} into the request was not answered as healthy",
                    seconds(ping.sent.saturating_sub(busy.from))
                ),
            )
            .advise("answer /ping with 200 and HealthyBusy while work goes on")
            .at(ping.sent);
    }
    if worst.waited >= slow && crowded {
        return ruling.held(format!("{note}, and {crowd}"));
    }
    if worst.waited >= slow && terms.speed == Speed::Native {
        return ruling
            .unknown(
                Some(Reason::EventLoopBlocked),
                format!(
                    "{note}; how long the service waits for one is not documented, it asks about every {}",
                    seconds(facts.ping_interval())
                ),
            )
            .advise("run blocking work in a thread, so that /ping is answered at once")
            .at(at);
    }
    ruling.held(format!(
        "{} pings during the request, the slowest took {}",
        seen.busy_pings.len(),
        seconds(worst.waited)
    ))
}

/// Whether a ping was answered just when the request ended: the one waited for the other, however crowded the machine.
fn answered_with_request(ping: &BusyPing, ended: Option<Duration>) -> bool {
    ended.is_some_and(|ended| (ping.sent + ping.waited).abs_diff(ended) <= TOGETHER)
}

pub(super) fn idles(terms: &Terms, seen: &Observations) -> Judged {
    let ruling = Ruling::on(
        Clause::Idles,
        "time_of_last_update moves only when the status changes, so that sessions end when idle",
    );
    if terms.protocol == Protocol::Mcp {
        return ruling.not_applicable("MCP has no documented /ping");
    }
    let pings = &seen.idle_pings;
    let Some(first) = pings.first() else {
        return ruling.not_reached("it was never healthy");
    };
    let Some(last) = pings.last().filter(|_| first.last_update.is_some()) else {
        return ruling.held("the answer has no time_of_last_update");
    };
    let moves = pings.windows(2).filter(|pair| moved(&pair[0], &pair[1])).count();
    let span = last.at.saturating_sub(first.at);
    if pings.len() >= 3 && moves == pings.len() - 1 {
        return ruling
            .broken(
                Reason::TimestampMoves,
                format!(
                    "time_of_last_update moved with each of {} pings over {} though the status stayed {}",
                    pings.len(),
                    seconds(span),
                    first.status.as_deref().unwrap_or("the same")
                ),
            )
            .advise("set time_of_last_update when the status changes, not on every ping, or leave it out: a moving one keeps every session alive to its longest lifetime")
            .at(last.at);
    }
    if moves == 0 && pings.len() >= 2 {
        return ruling.held(format!("time_of_last_update stayed the same over {}", seconds(span)));
    }
    if moves < pings.len() - 1 {
        return ruling.held("time_of_last_update stayed the same between two pings");
    }
    ruling.unknown(None, "too few pings to see whether time_of_last_update moves")
}

/// Whether the time moved though the status did not.
fn moved(before: &Ping, after: &Ping) -> bool {
    let gap = after.at.saturating_sub(before.at) > Duration::ZERO;
    match (before.last_update, after.last_update) {
        (Some(earlier), Some(later)) => gap && later > earlier && before.status == after.status,
        _ => false,
    }
}
