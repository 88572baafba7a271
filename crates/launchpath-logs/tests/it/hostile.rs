//! Lines that never end, bytes that are no text.

use std::io::Read;

use launchpath_logs::Scanner;

use crate::files::scan;

#[test]
fn a_line_without_an_end_is_read_in_pieces() {
    let mut scanner = Scanner::default();
    let end = b"\nModuleNotFoundError: No module named 'x'\n".as_slice();
    scanner.read("log", std::io::repeat(b'x').take(20_000_000).chain(end)).unwrap();
    let report = scanner.finish();
    assert_eq!((report.bytes, report.lines), (20_000_000 + end.len() as u64, 2));
    assert_eq!(
        report.found.iter().map(|found| found.signature.as_str()).collect::<Vec<_>>(),
        ["python_module"]
    );
    assert!(report.events.iter().all(|event| event.text.len() < 5_000));
}

#[test]
fn a_signature_in_the_middle_of_an_endless_line_is_found() {
    let mut scanner = Scanner::default();
    let around = || std::io::repeat(b'x').take(6_000_001);
    scanner.read("log", around().chain(b"ECONNREFUSED".as_slice()).chain(around())).unwrap();
    let report = scanner.finish();
    assert_eq!(report.found.len(), 1);
    assert_eq!((report.found[0].count, report.lines), (1, 1));
}

#[test]
fn what_is_no_text_is_no_trouble() {
    for bytes in [
        b"\0\0\0\0ModuleNotFoundError: No module named \0x\xff\n".as_slice(),
        b"\xff\xfe\xfd",
        b"",
        b"\n",
        b"{",
        b"{\n\"message\": \"Traceback (most recent call last):\n",
        b"EVENTS\t",
        b"Traceback (most recent call last):",
    ] {
        let report = scan(bytes);
        assert_eq!(report.bytes, bytes.len() as u64);
        assert!(report.events.iter().all(|event| !event.text.contains('\0')));
    }
}

#[test]
fn as_many_tracebacks_as_lines_stay_within_limits() {
    let text: String =
        (0..100_000).map(|n| format!("Traceback (most recent call last):\nError{n}: no\n")).collect();
    let report = scan(text.as_bytes());
    assert_eq!(report.tracebacks.len(), 500);
    assert_eq!(report.tracebacks_not_kept, 99_500);
}
