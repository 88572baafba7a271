//! The page about rehearsals names every clause and every reason, and no others.

use std::collections::BTreeSet;
use std::path::Path;

use launchpath_rehearse::contract::{Clause, Reason};

/// Every reason there is: written out, so that a new one makes this test say so.
const REASONS: [Reason; 31] = [
    Reason::ExecFormatError,
    Reason::InterpreterMissing,
    Reason::ExecutableMissing,
    Reason::PermissionDenied,
    Reason::NoCommand,
    Reason::UnknownUser,
    Reason::WorkingDirectory,
    Reason::Exited,
    Reason::Signalled,
    Reason::OutOfMemory,
    Reason::ProcessLimit,
    Reason::NothingListens,
    Reason::WrongPort,
    Reason::LoopbackOnly,
    Reason::SlowStart,
    Reason::PathNotFound,
    Reason::MethodNotAllowed,
    Reason::HostRefused,
    Reason::ErrorStatus,
    Reason::NoAnswer,
    Reason::NotHttp,
    Reason::BadBody,
    Reason::OtherProtocol,
    Reason::ErrorStatus5xx,
    Reason::Refused,
    Reason::InvalidResponse,
    Reason::SessionRefused,
    Reason::EventLoopBlocked,
    Reason::TimestampMoves,
    Reason::ReadOnly,
    Reason::Silent,
];

#[test]
fn the_page_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rehearsal.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let clauses: Vec<String> = rows.iter().filter_map(|row| quoted(row).first().cloned()).collect();
    assert_eq!(clauses, Clause::ALL.map(|clause| clause.name().to_owned()));
    let reasons: BTreeSet<String> =
        rows.iter().filter_map(|row| row.split('|').nth(3)).flat_map(quoted).collect();
    assert_eq!(reasons, REASONS.iter().map(|reason| reason.name().to_owned()).collect());
}
