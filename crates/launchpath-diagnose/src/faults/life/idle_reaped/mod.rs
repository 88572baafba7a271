//! `life.idle_reaped`: the microVM is taken back at the idle time-out while background work runs.

use launchpath_model::world::LogRecord;

use super::idle_limit;
use crate::case::{Case, LOG_LAG_SECONDS};
use crate::chain::Stage;
use crate::experiment::Broken;
use crate::faults::app::crash;
use crate::faults::{Certainty, Check, Context, Fault, Finding, because, trial};
use crate::process_log;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "life.idle_reaped",
    title: "A session was ended while it still worked",
    stage: Stage::Lifecycle,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "FilterLogEvents"],
    check,
    doc: include_str!("doc.md"),
};

/// How far from the idle time-out a silent end may lie.
const EXACTLY_SECONDS: i64 = 10;

/// Work must have been logged this shortly before the end.
const AT_WORK_SECONDS: i64 = 120;

fn check(context: &Context) -> Check {
    let case = context.case;
    if let Some(finding) = in_log(case).or_else(|| in_silence(case)) {
        return Check::found(Some(finding));
    }
    match trial::answer(context, FAULT.code, trial::runtime_subject(case), |case, _: &Broken| {
        Some(say_busy(case))
    }) {
        Ok(check) => check,
        Err(_) => Check::Unknown(trial::unread_log(case).into_iter().chain([gap()]).collect()),
    }
}

/// The process is told to end about one idle time-out after its last request, and was printing until then.
fn in_log(case: &Case) -> Option<Finding> {
    let lines = process_log::lines(case);
    let end = lines.iter().rfind(|line| says_end(&line.message))?;
    let ended = end.at?;
    let requests = process_log::requests(case);
    let last =
        requests.iter().rfind(|r| r.stream == end.stream && r.method == "POST" && r.at <= Some(ended))?;
    let after = ended.seconds_since(last.at?);
    let limit = idle_limit(case);
    let work = lines.iter().filter(|line| {
        line.stream == end.stream
            && line
                .at
                .is_some_and(|at| (0..=AT_WORK_SECONDS).contains(&ended.seconds_since(at)) && at < ended)
            && !line.message.contains("/ping")
            && !says_end(&line.message)
    });
    if !(limit - 60..=limit + 120).contains(&after) || work.count() < 2 {
        return None;
    }
    let evidence = [end.evidence.clone(), last.evidence.clone()];
    let text = format!(
        "the process printed work until it was ended, {after} seconds after its last request; the idle time-out is {limit}"
    );
    let finding = Finding::new(
        Certainty::Circumstantial,
        trial::runtime_subject(case),
        vec![because(text, &evidence, 10.0)],
    )?;
    Some(finding.with_repair(say_busy(case)))
}

/// The log stops one idle time-out after the last request, in the middle of work, and stays still: the microVM went without a word.
fn in_silence(case: &Case) -> Option<Finding> {
    if case.log_is_selection() {
        return None;
    }
    let lines = process_log::lines(case);
    let end = lines.iter().filter(|line| !line.message.contains("/ping")).max_by_key(|line| line.at)?;
    let (ended, collected) = (end.at?, case.world.collected_at?);
    let requests = process_log::requests(case);
    let last = requests.iter().rfind(|r| r.stream == end.stream && r.method == "POST")?;
    let after = ended.seconds_since(last.at?);
    let limit = idle_limit(case);
    let of_work = |line: &&&LogRecord| {
        line.stream == end.stream && !line.message.contains("/ping") && line.at > last.at && line.at <= end.at
    };
    let work = lines.iter().filter(of_work).count();
    let late = collected.seconds_since(ended) < LOG_LAG_SECONDS;
    if late || work < 3 || !(limit - EXACTLY_SECONDS..=limit + EXACTLY_SECONDS).contains(&after) {
        return None;
    }
    let evidence = [end.evidence.clone(), last.evidence.clone()];
    let text = format!(
        "the log stops in the middle of work, {after} seconds after its last request, and the idle time-out is {limit}"
    );
    let lines = vec![because(text, &evidence, 6.0)];
    let finding = Finding::new(Certainty::Circumstantial, trial::runtime_subject(case), lines)?;
    Some(finding.with_repair(say_busy(case)))
}

fn says_end(message: &str) -> bool {
    let lower = message.to_lowercase();
    lower.contains("sigterm") || lower.contains("shutting down") || lower.contains("received signal 15")
}

fn gap() -> launchpath_model::Gap {
    launchpath_model::Gap {
        what: "what the process printed before its session ended, and what its probe answered".to_owned(),
        reason: launchpath_model::GapReason::NotVisible {
            why: "no AWS call shows the answers to the probe".to_owned(),
        },
        evidence: Vec::new(),
        command: None,
    }
}

fn say_busy(case: &Case) -> Repair {
    let first = vec!["# while background work runs, GET /ping answers {\"status\": \"HealthyBusy\"} with the time of the change".to_owned()];
    crash::rebuild(
        case,
        "Answer HealthyBusy while background work runs, or raise the idle time-out".to_owned(),
        first,
    )
}
