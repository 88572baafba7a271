//! Questions about names, and answers to them: as much of RFC 1035 as a stub resolver needs.

use std::net::Ipv4Addr;

const HEADER: usize = 12;
const A: u16 = 1;
const AAAA: u16 = 28;
const ANY: u16 = 255;
const INTERNET: u16 = 1;

/// What fits into an answer that everybody takes.
const LARGEST: usize = 512;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// In lower case, without the final dot; bytes that are no letters, digits, `-` or `_` are shown as `?`.
    pub(super) name: String,
    kind: u16,
    class: u16,
    /// Where the question ends.
    end: usize,
}

impl Question {
    pub(super) fn is_for_ipv6(&self) -> bool {
        self.kind == AAAA
    }
}

/// Reads the question of a message; `None` for anything that is no single question.
pub(super) fn question(message: &[u8]) -> Option<Question> {
    const RESPONSE: u8 = 0x80;
    const OPERATION: u8 = 0x78;
    let header = message.get(..HEADER)?;
    if header.get(2)? & (RESPONSE | OPERATION) != 0 || header.get(4..6)? != [0, 1] {
        return None;
    }
    let mut at = HEADER;
    let mut labels: Vec<String> = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // A question has no compressed names; and a name has an end.
        if length > 63 || at > HEADER + 255 {
            return None;
        }
        labels.push(message.get(at..at + length)?.iter().map(|byte| readable(*byte)).collect());
        at += length;
    }
    let number = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    Some(Question { name: labels.join("."), kind: number(at)?, class: number(at + 2)?, end: at + 4 })
}

fn readable(byte: u8) -> char {
    let byte = byte.to_ascii_lowercase();
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*') { char::from(byte) } else { '?' }
}

/// The answer: addresses, none of this kind, or "no such name".
pub(super) fn answer(message: &[u8], question: &Question, addresses: Option<&[Ipv4Addr]>) -> Vec<u8> {
    const SECONDS_TO_LIVE: u32 = 60;
    const NO_SUCH_NAME: u8 = 3;
    // Length of a record with an IPv4 address: a pointer to the name, kind, class, time to live, length, address.
    const RECORD: usize = 16;
    let asks_for_ipv4 = question.class == INTERNET && matches!(question.kind, A | ANY);
    let room = LARGEST.saturating_sub(question.end) / RECORD;
    let listed: &[Ipv4Addr] = if asks_for_ipv4 { addresses.unwrap_or(&[]) } else { &[] };
    let listed = listed.get(..listed.len().min(room)).unwrap_or(&[]);

    let mut bytes = Vec::with_capacity(LARGEST);
    bytes.extend(message.get(..2).unwrap_or(&[0, 0]));
    let recursion_desired = message.get(2).unwrap_or(&0) & 1;
    bytes.push(0x80 | recursion_desired);
    bytes.push(0x80 | if addresses.is_some() { 0 } else { NO_SUCH_NAME });
    bytes.extend([0, 1]);
    bytes.extend(u16::try_from(listed.len()).unwrap_or(0).to_be_bytes());
    bytes.extend([0, 0, 0, 0]);
    bytes.extend(message.get(HEADER..question.end).unwrap_or(&[]));
    for address in listed {
        bytes.extend([0xc0, 0x0c]);
        bytes.extend(A.to_be_bytes());
        bytes.extend(INTERNET.to_be_bytes());
        bytes.extend(SECONDS_TO_LIVE.to_be_bytes());
        bytes.extend([0, 4]);
        bytes.extend(address.octets());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u16) -> Vec<u8> {
        let mut bytes = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        bytes.extend(kind.to_be_bytes());
        bytes.extend(INTERNET.to_be_bytes());
        bytes
    }

    #[test]
    fn questions_are_read_and_answered() {
        let message = query("Bedrock.us-east-1.amazonaws.com", A);
        let question = question(&message).unwrap();
        assert_eq!(question.name, "bedrock.us-east-1.amazonaws.com");
        let found = answer(&message, &question, Some(&[Ipv4Addr::new(10, 0, 0, 9)]));
        assert_eq!(found[..8], [0xab, 0xcd, 0x81, 0x80, 0, 1, 0, 1]);
        assert_eq!(found[found.len() - 4..], [10, 0, 0, 9]);
        let absent = answer(&message, &question, None);
        assert_eq!((absent[3] & 0xf, absent[7], absent.len()), (3, 0, message.len()));
    }

    #[test]
    fn an_ipv6_question_about_a_name_that_exists_has_an_empty_answer() {
        let message = query("a.example", AAAA);
        let question = question(&message).unwrap();
        assert!(question.is_for_ipv6());
        let empty = answer(&message, &question, Some(&[Ipv4Addr::LOCALHOST]));
        assert_eq!((empty[3] & 0xf, empty[7]), (0, 0));
    }

    #[test]
    fn many_addresses_are_cut_to_what_fits() {
        let message = query("a.example", A);
        let many: Vec<Ipv4Addr> = (0..200).map(|number| Ipv4Addr::new(10, 0, 0, number)).collect();
        let cut = answer(&message, &question(&message).unwrap(), Some(&many));
        assert!(cut.len() <= LARGEST && usize::from(cut[7]) == (LARGEST - message.len()) / 16);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let message = query("a.b.c.example", A);
        for length in 0..message.len() {
            assert_eq!(question(&message[..length]), None);
        }
        assert_eq!(question(&[0xff; 64]), None);
        let mut endless = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        endless.extend([1, b'a'].repeat(4000));
        assert_eq!(question(&endless), None);
        let hostile = question(&query("a\u{1b}[2J.example", A)).unwrap();
        assert_eq!(hostile.name, "a??2j.example");
    }
}
