//! Words to pseudonyms of the same length and the same kinds of characters.
//!
//! Each character is shifted within its kind by a number that depends on the key and on the characters before it. So the map is
//! one to one, and equal beginnings stay equal.

use sha2::{Digest, Sha256};

use super::Key;

/// A number that nobody can foretell without the key.
pub(super) fn number(key: &Key, domain: &str, input: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(key.0)
        .chain_update(domain)
        .chain_update([0])
        .chain_update(input)
        .finalize()
        .into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The pseudonym of a word.
pub(super) fn word(key: &Key, word: &str) -> String {
    shifted(key, "word", word, |c| match c {
        '0'..='9' => Some(('0', 10)),
        'a'..='z' => Some(('a', 26)),
        'A'..='Z' => Some(('A', 26)),
        _ => None,
    })
}

/// The pseudonym of hexadecimal digits; other characters stay.
pub(super) fn hex(key: &Key, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let Some(digit) = c.to_digit(16) else {
            out.push(c);
            continue;
        };
        let shift = number(key, "hex", &text.as_bytes()[..at]) % 16;
        let shifted =
            u32::try_from((u64::from(digit) + shift) % 16).ok().and_then(|digit| char::from_digit(digit, 16));
        let shifted = shifted.unwrap_or(c);
        out.push(if c.is_ascii_uppercase() { shifted.to_ascii_uppercase() } else { shifted });
    }
    out
}

/// The pseudonym of decimal digits.
pub(super) fn digits(key: &Key, text: &str) -> String {
    shifted(key, "digits", text, |c| c.is_ascii_digit().then_some(('0', 10)))
}

/// Shifts each character within its kind, which begins at a character and has a size. A letter of another script becomes one of
/// this: what it was is not kept.
fn shifted(key: &Key, domain: &str, text: &str, kind: impl Fn(char) -> Option<(char, u64)>) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let before = &text.as_bytes()[..at];
        let shifted = match kind(c) {
            Some((first, size)) => {
                let place = u64::from(u32::from(c) - u32::from(first));
                nth(first, (place + number(key, domain, before) % size) % size)
            }
            None if c.is_alphanumeric() => {
                nth('a', number(key, domain, &text.as_bytes()[..at + c.len_utf8()]) % 26)
            }
            None => c,
        };
        out.push(shifted);
    }
    out
}

fn nth(first: char, place: u64) -> char {
    u32::try_from(place).ok().and_then(|place| char::from_u32(u32::from(first) + place)).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{digits, hex, word};
    use crate::redact::Key;

    #[test]
    fn length_and_kinds_stay_and_beginnings_stay_equal() {
        let key = Key::from_secret(b"k");
        let (long, short) = (word(&key, "bedrockManus9"), word(&key, "bedrockM"));
        assert_eq!(long.len(), 13);
        assert!(long.starts_with(&short) && long != "bedrockManus9", "{long} {short}");
        let kinds = |text: &str| {
            text.chars().map(|c| (c.is_ascii_digit(), c.is_ascii_uppercase())).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&long), kinds("bedrockManus9"));
        assert_ne!(word(&Key::from_secret(b"other"), "bedrockM"), short);
        assert!(hex(&key, "0b2fb367-D6").chars().all(|c| c.is_ascii_hexdigit() || c == '-'));
    }

    #[test]
    fn no_two_originals_share_a_pseudonym() {
        let key = Key::from_secret(b"k");
        let all: BTreeSet<String> = (0..2000).map(|n| digits(&key, &format!("{n:012}"))).collect();
        assert_eq!(all.len(), 2000);
        let all: BTreeSet<String> = (0..2000).map(|n| hex(&key, &format!("{n:08x}"))).collect();
        assert_eq!(all.len(), 2000);
    }
}
