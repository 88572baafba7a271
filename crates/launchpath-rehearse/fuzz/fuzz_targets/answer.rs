//! Whatever a process answers, over a real connection, the reader neither panics nor keeps more than its limit.
#![no_main]

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use launchpath_rehearse::contract::wire::{Limits, Outcome, Request, exchange};
use libfuzzer_sys::fuzz_target;

const BODY: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (mut server, _) = listener.accept().expect("a connection");
    // What does not fit into the socket is not sent: nobody reads yet.
    server.set_nonblocking(true).expect("a socket");
    let _ = server.write(bytes);
    let _ = server.shutdown(Shutdown::Write);
    let limits = Limits { time: Duration::from_millis(500), body: BODY, until: None };
    match exchange(stream, &Request::get("192.0.2.1", "/ping"), limits) {
        Outcome::Answered(answer) => {
            assert!(answer.text().chars().count() <= BODY);
            // Of the interim answers one is the last: the change of protocols.
            assert!(matches!(answer.status, 101 | 200..=999), "{}", answer.status);
        }
        Outcome::Invalid(why) => assert!(!why.is_empty()),
        _ => {}
    }
});
