//! Properties of judging over made-up observations.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{Verdict, judge, verdict};
use crate::contract::clause::{Clause, Reason, State};
use crate::contract::observation::{
    Busy, BusyPing, Elsewhere, Ended, Health, HealthRun, Observations, Ping, Reply, Step,
};
use crate::contract::protocol::Protocol;
use crate::contract::terms::{Artifact, Network, PayloadOrigin, Speed, Terms};
use crate::contract::wire::{Answer, Outcome};
use crate::subject::{Attempt, AttemptOutcome, Ending, Exit, Listener, Reach, StartFailure, Usage};

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![0_u64..5_000, 100_000_u64..2_000_000, Just(u64::MAX)].prop_map(Duration::from_millis)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        (100_u16..1000, "\\PC{0,20}").prop_map(|(status, body)| Outcome::Answered(Answer {
            status,
            headers: vec![("location".to_owned(), "/mcp/".to_owned())],
            body: body.into_bytes(),
            whole: true,
            took: Duration::from_millis(3),
        })),
        time().prop_map(|waited| Outcome::NoAnswer { waited, received: 0 }),
        Just(Outcome::NotHttp(vec![0x15, 3, 1])),
        Just(Outcome::Closed { after: Duration::ZERO }),
        Just(Outcome::NotConnected("refused".to_owned())),
        Just(Outcome::Invalid("a line".to_owned())),
    ]
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        Just(Health::Good("Healthy".to_owned())),
        Just(Health::Good("healthy".to_owned())),
        Just(Health::NotFound),
        Just(Health::WrongMethod),
        Just(Health::HostRefused),
        (100_u16..1000).prop_map(Health::Status),
        Just(Health::BadBody("no object".to_owned())),
        Just(Health::Silent),
        Just(Health::Broken),
        Just(Health::NotHttp),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        3 => Just(Reply::Good("200".to_owned())),
        1 => Just(Reply::ProtocolError("error".to_owned())),
        1 => (500_u16..600).prop_map(Reply::ServerError),
        1 => Just(Reply::NotFound(404)),
        1 => (400_u16..500).prop_map(Reply::Refused),
        1 => Just(Reply::Invalid("no JSON".to_owned())),
        1 => Just(Reply::SessionRefused("no".to_owned())),
        1 => Just(Reply::Silent),
        1 => Just(Reply::Broken("closed".to_owned())),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        any::<i32>().prop_map(Ending::Code),
        any::<i32>().prop_map(Ending::Signal),
        Just(Ending::NotStarted(StartFailure::NoCommand)),
        Just(Ending::NotStarted(StartFailure::Other("why".to_owned()))),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let outcome = prop_oneof![
        Just(AttemptOutcome::Answered),
        Just(AttemptOutcome::NoSuchName),
        Just(AttemptOutcome::Dropped)
    ];
    (time(), outcome).prop_map(|(at, outcome)| Attempt {
        at,
        what: Reach::Name("example.com".to_owned()),
        outcome,
        times: 1,
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (0_usize..4, any::<[bool; 4]>()).prop_map(|(protocol, [zip, emulated, diagnosed, given])| {
        let artifact = if zip { Artifact::CodeZip } else { Artifact::Container };
        let mut terms = Terms::of(Protocol::ALL[protocol], artifact, "session");
        terms.speed = if emulated { Speed::Emulated } else { Speed::Native };
        terms.network = if diagnosed {
            Network::AsDiagnosed { blocked: BTreeSet::from(["example.com".to_owned()]) }
        } else {
            Network::Cut
        };
        terms.payload_origin = if given { PayloadOrigin::Given } else { PayloadOrigin::Default };
        terms
    })
}

prop_compose! {
    fn observations()(
        exit in prop::option::weighted(0.2, (time(), ending())),
        (memory, processes) in (0_u64..2, prop::bool::weighted(0.2)),
        first_listen in prop::option::weighted(0.8, time()),
        first_healthy in prop::option::weighted(0.7, time()),
        watched in time(),
        ended in prop_oneof![Just(Ended::Not), Just(Ended::Healthy), Just(Ended::Exited), Just(Ended::Settled),
            Just(Ended::OutOfPatience), Just(Ended::Interrupted)],
        listeners in prop::option::of(prop::collection::vec(
            prop_oneof![Just("127.0.0.1:8080"), Just("0.0.0.0:8080"), Just("[::1]:9000"), Just("0.0.0.0:3000")], 0..3)),
        runs in prop::collection::vec((outcome(), health(), time(), time()), 0..3),
        local in prop::option::of(outcome()),
        elsewhere in prop::collection::vec((prop_oneof![Just(8080_u16), Just(3000)], 0_usize..4), 0..2),
        idle in prop::collection::vec((time(), prop::option::of(-1e10..1e10_f64)), 0..4),
        steps in prop::collection::vec((time(), outcome(), reply()), 0..3),
        busy in prop::option::weighted(0.8, (time(), prop::option::weighted(0.8, time()))),
        busy_pings in prop::collection::vec((time(), time(), any::<bool>(), any::<bool>()), 0..3),
        crowding in 0.0..6.0_f64,
        attempts in prop::option::of(prop::collection::vec(attempt(), 0..3)),
        output in prop_oneof![Just(String::new()), "\\PC{0,40}",
            Just("Traceback (most recent call last):\n  File \"a\", line 1\nOSError: Read-only file system\n".to_owned())],
    ) -> Observations {
        Observations {
            exit: exit.map(|(at, how)| Exit { at, how }),
            usage: Usage { peak_memory: None, out_of_memory: memory, process_limit_met: processes },
            blind: BTreeSet::new(),
            first_listen,
            first_healthy,
            watched,
            ended,
            listeners: listeners.map(|all| all.iter().map(|at| Listener { at: at.parse().unwrap() }).collect()),
            health: runs.into_iter().map(|(outcome, verdict, first_at, last_at)|
                HealthRun { outcome, verdict, first_at, last_at, times: 3 }).collect(),
            with_local_host: local,
            elsewhere: elsewhere.into_iter().map(|(port, protocol)|
                Elsewhere { port, protocol: Protocol::ALL[protocol], shown_by: "GET /ping".to_owned() }).collect(),
            idle_pings: idle.into_iter().map(|(at, last_update)|
                Ping { at, took: Duration::ZERO, status: None, last_update, body: String::new() }).collect(),
            steps: steps.into_iter().map(|(at, outcome, verdict)|
                Step { name: "POST".to_owned(), at, outcome, verdict }).collect(),
            busy: busy.map(|(from, to)| Busy { from, to }),
            busy_pings: busy_pings.into_iter().map(|(sent, waited, answered, overlapped)|
                BusyPing { sent, waited, answered, overlapped }).collect(),
            crowding,
            web_socket: None,
            attempts,
            output,
            output_truncated: false,
            moments: Vec::new(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn judging_never_panics_and_never_passes_what_is_not_whole(terms in terms(), seen in observations()) {
        let clauses = judge(&terms, &seen);
        let order: Vec<Clause> = clauses.iter().map(|judged| judged.clause).collect();
        prop_assert_eq!(order, Clause::ALL.to_vec());
        let good = clauses.iter().all(|judged| matches!(judged.state, State::Held | State::NotApplicable));
        let verdict = verdict(&clauses);
        prop_assert_eq!(verdict.passed() == Some(true), good);
        prop_assert_eq!(
            verdict.passed() == Some(false),
            clauses.iter().any(|judged| judged.state == State::Broken)
        );
        if seen.exit.is_some() || seen.first_healthy.is_none() || seen.busy.is_none() {
            prop_assert_ne!(verdict, Verdict::Passed);
        }
        for judged in &clauses {
            prop_assert!(!judged.note.is_empty() && !judged.text.is_empty());
            prop_assert!(judged.state != State::Broken || judged.reason.is_some());
            prop_assert!(judged.state != State::Broken || judged.advice.is_some());
        }
    }

    #[test]
    fn emulated_time_never_breaks_a_clause(terms in terms(), seen in observations()) {
        let mut terms = terms;
        terms.speed = Speed::Emulated;
        for judged in judge(&terms, &seen) {
            let by_time = matches!(
                judged.reason,
                Some(Reason::SlowStart | Reason::NothingListens | Reason::EventLoopBlocked)
            );
            prop_assert!(!(by_time && judged.state == State::Broken), "{:?}", judged);
        }
    }

    #[test]
    fn a_short_wait_never_breaks_a_clause(terms in terms(), seen in observations()) {
        let mut seen = seen;
        seen.first_listen = None;
        seen.first_healthy = None;
        seen.exit = None;
        seen.usage = Usage::default();
        seen.ended = Ended::OutOfPatience;
        seen.watched = Duration::from_secs(5);
        for judged in judge(&terms, &seen) {
            let shown = judged.reason == Some(Reason::LoopbackOnly) || judged.clause == Clause::Writes;
            let told = matches!(judged.clause, Clause::Answers | Clause::HealthyWhileBusy | Clause::Idles);
            prop_assert!(judged.state != State::Broken || shown || told, "{:?}", judged);
        }
    }
}
