//! From the start to health, HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use launchpath_rehearse::contract::judge::{Verdict, verdict};
use launchpath_rehearse::contract::observation::{Ended, Observations};
use launchpath_rehearse::contract::{
    Clause, Judged, Keep, Mask, Protocol, Reason, State, Terms, hold, judge,
};
use launchpath_rehearse::subject::{Ending, Exit, Listener, StartFailure};

use super::stand_in::{StandIn, sound, terms};

fn http() -> Terms {
    terms(Protocol::Http)
}

fn broken(terms: &Terms, seen: &Observations) -> (Clause, Option<Reason>, String) {
    match verdict(&judge(terms, seen)) {
        Verdict::Broken { clause, reason, note, .. } => (clause, reason, note),
        other => panic!("{other:?}"),
    }
}

pub(super) fn clause(terms: &Terms, seen: &Observations, clause: Clause) -> Judged {
    judge(terms, seen).into_iter().find(|judged| judged.clause == clause).unwrap()
}

#[test]
fn a_sound_agent_passes() {
    let terms = http();
    let seen = StandIn::serving(8080, |call| {
        if call.line == "POST /invocations" {
            assert_eq!(call.body, r#"{"prompt": "Hello"}"#);
            assert!(call.header("X-Amzn-Bedrock-AgentCore-Runtime-Session-Id").unwrap().len() >= 33);
            assert!(call.header("baggage").is_some() && call.header("traceparent").is_some());
        }
        assert_eq!(call.header("host"), Some("10.0.0.2:8080"));
        sound(call);
    })
    .hold(&terms);
    let clauses = judge(&terms, &seen);
    assert_eq!(verdict(&clauses), Verdict::Passed, "{clauses:#?}");
    assert!(seen.first_healthy.unwrap() < Duration::from_secs(1));
    assert!(clause(&terms, &seen, Clause::Answers).note.contains("JSON of 18 bytes"));
}

#[test]
fn a_silent_loopback_server_is_told_from_nothing() {
    let mut stand_in = StandIn::printing("");
    let at: SocketAddr = "127.0.0.1:8080".parse().unwrap();
    stand_in.listeners = Some(vec![Listener { at }]);
    let mut terms = http();
    terms.patience = Duration::from_secs(30);
    let seen = stand_in.hold(&terms);
    assert_eq!(seen.ended, Ended::Settled, "a port bound on loopback is not waited for");
    let (clause_broken, reason, note) = broken(&terms, &seen);
    assert_eq!((clause_broken, reason), (Clause::Listens, Some(Reason::LoopbackOnly)));
    assert!(note.contains("127.0.0.1:8080"), "{note}");
    assert_eq!(clause(&terms, &seen, Clause::Prints).reason, Some(Reason::Silent));
    assert_eq!(clause(&terms, &seen, Clause::Prints).state, State::Held);
}

#[test]
fn a_server_on_another_port_is_found_there() {
    let mut terms = http();
    terms.patience = Duration::from_secs(30);
    let seen = StandIn::serving(9999, sound).hold(&terms);
    let (clause, reason, note) = broken(&terms, &seen);
    assert_eq!((clause, reason), (Clause::Listens, Some(Reason::WrongPort)));
    assert!(note.contains("port 9999 speaks HTTP"), "{note}");
}

#[test]
fn nothing_is_concluded_from_a_wait_shorter_than_the_services() {
    let terms = http();
    let mut seen = StandIn::printing("loading\n").hold(&terms);
    let short = clause(&terms, &seen, Clause::Listens);
    assert_eq!((short.state, short.reason), (State::Unknown, Some(Reason::NothingListens)));
    // The same after the service's time is a break.
    seen.watched = Duration::from_secs(121);
    assert_eq!(broken(&terms, &seen).1, Some(Reason::NothingListens));
}

#[test]
fn statuses_of_ping_are_told_apart() {
    let cases = [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Reason::PathNotFound),
        ("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", Reason::MethodNotAllowed),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Reason::ErrorStatus),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Reason::BadBody),
        ("SSH-2.0-OpenSSH_9.2\r\n", Reason::NotHttp),
    ];
    std::thread::scope(|scope| {
        for (answer, reason) in cases {
            scope.spawn(move || {
                let mut terms = http();
                terms.patience = Duration::from_secs(30);
                let seen = StandIn::serving(8080, move |call| call.raw(answer.as_bytes())).hold(&terms);
                let (clause, why, _) = broken(&terms, &seen);
                assert_eq!((clause, why), (Clause::Healthy, Some(reason)), "{answer}");
                assert_eq!(seen.ended, Ended::Settled, "{answer}");
            });
        }
    });
}

#[test]
fn a_guard_of_the_host_header_is_proved() {
    let mut terms = http();
    terms.patience = Duration::from_secs(30);
    let seen = StandIn::serving(8080, |call| {
        if call.header("host").is_some_and(|host| host.starts_with("localhost")) {
            sound(call);
        } else {
            call.typed(421, "text/plain", "Invalid Host header");
        }
    })
    .hold(&terms);
    let (clause, reason, note) = broken(&terms, &seen);
    assert_eq!((clause, reason), (Clause::Healthy, Some(Reason::HostRefused)));
    assert!(note.contains("with Host: localhost the same request is answered 200"), "{note}");
}

#[test]
fn a_server_that_needs_a_while_is_healthy_late_or_in_time() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let terms = http();
    let mut seen = StandIn::serving(8080, |call| {
        if CALLS.fetch_add(1, Ordering::Relaxed) < 2 {
            call.typed(503, "text/plain", "loading");
        } else {
            sound(call);
        }
    })
    .hold(&terms);
    assert_eq!(verdict(&judge(&terms, &seen)), Verdict::Passed);
    assert_eq!(seen.health.first().map(|run| run.times), Some(2));
    seen.first_healthy = Some(Duration::from_secs(153));
    let (clause, reason, note) = broken(&terms, &seen);
    assert_eq!((clause, reason), (Clause::Healthy, Some(Reason::SlowStart)));
    assert!(note.contains("153 s") && note.contains("120 s"), "{note}");
}

#[test]
fn an_exit_is_read_from_its_traceback() {
    let stand_in = StandIn::printing(
        "starting\nTraceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    import langchain.callbacks\nModuleNotFoundError: No module named 'langchain.callbacks'\n",
    );
    let how = Ending::Code(1);
    *stand_in.exit.lock().unwrap() = Some(Exit { at: Duration::from_millis(812), how });
    let terms = http();
    let seen = stand_in.hold(&terms);
    let (broken, reason, note) = broken(&terms, &seen);
    assert_eq!((broken, reason), (Clause::StaysUp, Some(Reason::Exited)));
    assert!(note.contains("code 1 after 812 ms: ModuleNotFoundError: No module named"), "{note}");
    assert_eq!(clause(&terms, &seen, Clause::Listens).state, State::NotReached);
}

#[test]
fn a_start_that_fails_says_why() {
    let failures = [
        (StartFailure::NoCommand, Reason::NoCommand),
        (StartFailure::NotFound("/app/run".to_owned()), Reason::ExecutableMissing),
        (StartFailure::PermissionDenied("/app/run".to_owned()), Reason::PermissionDenied),
        (StartFailure::ExecFormat("/app/run".to_owned()), Reason::ExecFormatError),
        (StartFailure::UnknownUser("agent".to_owned()), Reason::UnknownUser),
        (StartFailure::WorkingDirectory("/app".to_owned()), Reason::WorkingDirectory),
    ];
    for (failure, reason) in failures {
        let stand_in = StandIn::printing("");
        let how = Ending::NotStarted(failure);
        *stand_in.exit.lock().unwrap() = Some(Exit { at: Duration::from_millis(3), how });
        let terms = http();
        let seen = stand_in.hold(&terms);
        assert_eq!(broken(&terms, &seen).1, Some(reason));
        assert_eq!(clause(&terms, &seen, Clause::Prints).state, State::NotReached);
    }
}

#[test]
fn what_the_process_prints_of_a_given_value_is_masked() {
    let stand_in = StandIn::printing("key is very-secret-value\n");
    let how = Ending::Code(3);
    *stand_in.exit.lock().unwrap() = Some(Exit { at: Duration::from_millis(3), how });
    let seen = stand_in.hold(&http());
    assert_eq!(seen.output, "key is [value of API_KEY]\n");
}

#[test]
fn the_user_can_stop_it() {
    let mut stand_in = StandIn::printing("loading\n");
    let stop = AtomicBool::new(true);
    let terms = http();
    let seen = hold(&mut stand_in, &terms, &Mask::default(), Keep::Tail, &stop, &mut |_| {});
    assert_eq!(seen.ended, Ended::Interrupted);
    assert!(matches!(verdict(&judge(&terms, &seen)), Verdict::Undecided { .. }));
}
