//! The HTTP reader against servers that mean harm.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use launchpath_rehearse::contract::wire::{Limits, Outcome, Request, exchange};
use proptest::prelude::*;

use super::stand_in::{Call, listen};

fn ask(serve: impl Fn(Call) + Send + Sync + 'static) -> Outcome {
    let port = listen(serve);
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let limits = Limits { time: Duration::from_millis(700), body: 1000, until: None };
    exchange(stream, &Request::get("h", "/ping"), limits)
}

fn raw(bytes: &'static [u8]) -> Outcome {
    ask(move |call| call.raw(bytes))
}

fn body(outcome: &Outcome) -> (String, bool) {
    match outcome {
        Outcome::Answered(answer) => (answer.text(), answer.whole),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_framing_is_read() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".as_slice(),
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\no\r\n1\r\nk\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok and more",
    ] {
        assert_eq!(body(&raw(bytes)), ("ok".to_owned(), true), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn broken_http_is_refused_with_a_reason() {
    for (bytes, why) in [
        (b"HTTP/1.1 20 OK\r\n\r\n".as_slice(), "status line"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", "two different"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nok", "both"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "transfer encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nokay\r\n", "longer than announced"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "without the last"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", "announced as 5"),
    ] {
        match raw(bytes) {
            Outcome::Invalid(how) => assert!(how.contains(why), "{how}"),
            other => panic!("{}: {other:?}", String::from_utf8_lossy(bytes)),
        }
    }
}

#[test]
fn what_is_not_http_is_kept() {
    assert_eq!(raw(b"SSH-2.0-x\r\n"), Outcome::NotHttp(b"SSH-2.0-x\r\n".to_vec()));
    assert_eq!(
        raw(b"\x15\x03\x01\x00\x02\x02\x0a"),
        Outcome::NotHttp(b"\x15\x03\x01\x00\x02\x02\x0a".to_vec())
    );
    assert_eq!(raw(b"HTT"), Outcome::NotHttp(b"HTT".to_vec()));
    assert!(matches!(raw(b""), Outcome::Closed { .. }));
}

#[test]
fn nothing_is_read_without_end() {
    let started = Instant::now();
    let headers = ask(|mut call| {
        let _ = call.stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while call.stream.write_all(b"X-More: and more\r\n").is_ok() {}
    });
    assert!(matches!(&headers, Outcome::Invalid(how) if how.contains("headers of more than")), "{headers:?}");
    let long_line = ask(|mut call| {
        let _ = call.stream.write_all(b"HTTP/1.1 200 ");
        while call.stream.write_all(&[b'x'; 1000]).is_ok() {}
    });
    assert!(matches!(&long_line, Outcome::Invalid(how) if how.contains("a line of more")), "{long_line:?}");
    let endless = ask(|mut call| {
        let _ = call.stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while call.stream.write_all(b"5\r\nhello\r\n").is_ok() {}
    });
    let (text, whole) = body(&endless);
    assert!(!whole && text.len() == 1000);
    let interim = ask(|mut call| while call.stream.write_all(b"HTTP/1.1 103 Early\r\n\r\n").is_ok() {});
    assert!(matches!(&interim, Outcome::Invalid(how) if how.contains("interim")), "{interim:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_slow_answer_ends_with_the_time() {
    let started = Instant::now();
    let slow = ask(|mut call| {
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".iter().cycle() {
            if call.stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
    });
    assert!(matches!(slow, Outcome::NoAnswer { received, .. } if received > 0), "{slow:?}");
    let silent = ask(|call| {
        std::thread::sleep(Duration::from_secs(2));
        drop(call);
    });
    assert!(matches!(silent, Outcome::NoAnswer { received: 0, .. }), "{silent:?}");
    // A stream whose beginning came is an answer that is not whole.
    let stream = ask(|mut call| {
        let _ =
            call.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
        std::thread::sleep(Duration::from_secs(2));
    });
    assert_eq!(body(&stream), ("data: 1\n\n".to_owned(), false));
    assert!(started.elapsed() < Duration::from_secs(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a server sends, the reader comes back, soon and without a panic.
    #[test]
    fn any_bytes_are_survived(start in prop_oneof![Just("HTTP/1.1 200 OK\r\n"), Just("HTTP/1.1 "), Just("")],
        middle in "(Content-Length: [0-9]{1,22}|Transfer-Encoding: chunked|[a-zA-Z: \r\n]{0,30}|\r\n){0,4}",
        end in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [start.as_bytes(), middle.as_bytes(), &end].concat();
        let started = Instant::now();
        let outcome = ask(move |call| call.raw(&bytes));
        prop_assert!(started.elapsed() < Duration::from_secs(3), "{:?}", outcome);
        if let Outcome::Answered(answer) = outcome {
            prop_assert!(answer.body.len() <= 1000);
        }
    }
}
