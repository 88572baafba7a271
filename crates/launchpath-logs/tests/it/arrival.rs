//! However the bytes arrive, the report is the same; and it counts what a plain search counts.

use std::io::Read;

use launchpath_logs::{Report, Scanner, signature};
use proptest::prelude::*;

use crate::files::scan;

/// A reader that hands out its bytes in pieces of given sizes, over and over.
struct Dribble<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let size = size.min(self.bytes.len()).min(into.len());
        into[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

fn dribbled(bytes: &[u8], sizes: Vec<usize>) -> Report {
    let mut scanner = Scanner::default();
    scanner.read("log", Dribble { bytes, sizes, turn: 0 }).unwrap();
    scanner.finish()
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let signature = (0..signature::all().len()).prop_map(|n| signature::all()[n].text.clone().into_bytes());
    prop_oneof![
        4 => signature,
        4 => Just(b"\n".to_vec()),
        2 => Just(b"  File \"/app/main.py\", line 1, in <module>\n    import x\n".to_vec()),
        2 => Just(b"2026-10-20T09:10:00Z ".to_vec()),
        1 => Just(b"\0\xff\xfe\r".to_vec()),
        1 => (1usize..160_000).prop_map(|n| vec![b'x'; n]),
        2 => "[ -~]{0,60}".prop_map(String::into_bytes),
    ]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    // Some are small enough to be handed on whole, some are not.
    (prop::collection::vec(piece(), 0..60), prop_oneof![15 => Just(0usize), 1 => Just(4_300_000)]).prop_map(
        |(pieces, before)| {
            let mut bytes = b"nothing to see here, and no more of it\n".repeat(before / 39);
            bytes.extend(pieces.concat());
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_sizes_of_reads_change_nothing(bytes in file(), sizes in prop::collection::vec(1usize..300_000, 1..6)) {
        let at_once = scan(&bytes);
        prop_assert_eq!(&dribbled(&bytes, sizes), &at_once);
    }

    #[test]
    fn it_counts_the_lines_that_a_plain_search_finds(bytes in file()) {
        // Long lines are looked at in pieces, overlapping signatures once: both are told apart here.
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        prop_assume!(!matches!(first, Some(b'{' | b'[')));
        prop_assume!(lines.iter().all(|line| line.len() < 100_000));
        let report = scan(&bytes);
        let unended = usize::from(lines.last().is_some_and(|line| !line.is_empty()));
        prop_assert_eq!(report.lines, (lines.len() - 1 + unended) as u64);
        let text = "Uvicorn running on";
        let plain = lines.iter().filter(|line| line.windows(text.len()).any(|w| w == text.as_bytes())).count();
        let found = report.found.iter().find(|found| found.signature == "listens_uvicorn").map_or(0, |found| found.count);
        prop_assert_eq!(found, plain as u64);
    }
}
