//! Where identities stand in a text, and what takes their place.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use regex_lite::{Captures, Regex};
use serde_json::Value;

use super::address::Addresses;
use super::gather::Gathered;
use super::{Key, pseudonym, vocabulary};

/// What can be replaced, in the order in which it is looked for at a place. A word is a run of letters and digits of any script.
const PATTERN: &str = r"(?x)
    (?P<token>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?)
  | (?P<principal>\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|APKA|ABIA|ACCA)[A-Z0-9]{8,}\b)
  | (?P<mail>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)
  | (?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
  | (?P<digest>\b[0-9a-f]{64}\b)
  | (?P<id>\b[a-z]{1,10}(?:-[a-z]{2,10})?-(?:[0-9a-f]{17}|[0-9a-f]{8})\b)
  | (?P<url>\b[a-z]{2,8}://[A-Za-z0-9.-]+)
  | (?P<mac>\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b)
  | (?P<dashed>\bip-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}\b)
  | (?P<v4>\b[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?:/[0-9]{1,2})?\b)
  | (?P<v6>\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:/[0-9]{1,3})?)
  | (?P<account>\b[0-9]{12}\b)
  | (?P<word>[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+\*?)
";

/// Replaces in every string of a document.
pub(super) struct Rewriter<'a> {
    key: &'a Key,
    words: BTreeSet<String>,
    addresses: Addresses,
    pattern: Regex,
    /// What was replaced already.
    known: BTreeMap<String, String>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(key: &'a Key, gathered: Gathered) -> Self {
        Self {
            key,
            addresses: Addresses::new(key, &gathered.blocks),
            words: gathered.words,
            pattern: Regex::new(PATTERN).expect("a pattern of the source"),
            known: BTreeMap::new(),
        }
    }

    /// The document with every string rewritten; member names stay.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let rewritten =
            self.pattern.replace_all(text, |found: &Captures<'_>| self.replacement(found)).into_owned();
        // Ids and names come again and again; whole log lines do not.
        if text.len() < 200 {
            self.known.insert(text.to_owned(), rewritten.clone());
        }
        rewritten
    }

    fn replacement(&self, found: &Captures<'_>) -> String {
        let whole = &found[0];
        let is = |name: &str| found.name(name).is_some();
        if is("word") {
            return self.word(whole);
        }
        if is("account") {
            return pseudonym::digits(self.key, whole);
        }
        if is("id") {
            let at = whole.rfind('-').map_or(0, |at| at + 1);
            return format!("{}{}", self.words_of(&whole[..at]), pseudonym::hex(self.key, &whole[at..]));
        }
        if is("v4") || is("v6") {
            return self.network(whole);
        }
        if is("uuid") || is("digest") || is("mac") {
            return pseudonym::hex(self.key, whole);
        }
        if is("url") {
            let Some((scheme, host)) = whole.split_once("://") else { return whole.to_owned() };
            return format!("{scheme}://{}", self.host(host));
        }
        if is("mail") {
            let (name, host) = whole.split_once('@').unwrap_or((whole, ""));
            return format!("{}@{}", pseudonym::word(self.key, name), self.host(host));
        }
        if is("dashed") {
            let address = whole.trim_start_matches("ip-").replace('-', ".");
            return format!("ip-{}", self.network(&address).replace('.', "-"));
        }
        if is("principal") {
            return format!("{}{}", &whole[..4], pseudonym::word(self.key, &whole[4..]));
        }
        "redacted-token".to_owned()
    }

    /// A word that is a name, or the beginning of one before a wildcard.
    fn word(&self, whole: &str) -> String {
        let word = whole.trim_end_matches('*');
        let begins =
            || whole != word && word.len() > 2 && self.words.iter().any(|name| name.starts_with(word));
        if self.words.contains(word) || begins() {
            return format!("{}{}", pseudonym::word(self.key, word), &whole[word.len()..]);
        }
        whole.to_owned()
    }

    /// A text in which only words are replaced.
    fn words_of(&self, text: &str) -> String {
        let parts: Vec<String> = text.split('-').map(|part| self.word(part)).collect();
        parts.join("-")
    }

    fn network(&self, text: &str) -> String {
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, l.parse::<u8>().ok()));
        let Ok(address) = address.parse::<IpAddr>() else { return text.to_owned() };
        if address.is_ipv6() && !text.contains(|c: char| c.is_ascii_digit()) {
            return text.to_owned();
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        match length {
            Some(length) if length <= most => format!("{}/{length}", self.addresses.address(address, length)),
            Some(_) => text.to_owned(),
            None => self.addresses.address(address, most).to_string(),
        }
    }

    /// A host: public ones keep their words, of others only the last label stays.
    fn host(&self, host: &str) -> String {
        if host.parse::<IpAddr>().is_ok() {
            return self.network(host);
        }
        let labels: Vec<&str> = host.split('.').collect();
        let last = labels.len().saturating_sub(1);
        let public = vocabulary::is_public_host(host);
        let labels = labels.iter().enumerate().map(|(index, label)| {
            if public {
                self.text_of(label)
            } else if index == last {
                (*label).to_owned()
            } else {
                pseudonym::word(self.key, label)
            }
        });
        labels.collect::<Vec<_>>().join(".")
    }

    /// A label of a public host: it can hold an account or a resource id.
    fn text_of(&self, label: &str) -> String {
        self.pattern.replace_all(label, |found: &Captures<'_>| self.replacement(found)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::redact::{Key, redacted};

    fn shown(calls: &Value) -> Value {
        let bundle = json!({
            "subject": { "runtime": "zebra_bot-7XCALx4Xuw" },
            "calls": calls,
            "vpc": { "CidrBlock": "10.7.0.0/16" },
        });
        redacted(&bundle, &Key::from_secret(b"k"))["calls"].clone()
    }

    #[test]
    fn nothing_that_tells_who_is_left() {
        let text = "User arn:aws:sts::111122223333:assumed-role/zebra-admin/eve@corp.example at 203.0.113.9 called \
            https://login.corp.example/x with AKIAIOSFODNN7EXAMPLE for subnet-0b2fb367d6e823a79 (10.7.3.4, ip-10-7-3-4.ec2.internal) \
            eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc of zebra_bot-7XCALx4Xuw";
        let shown = shown(&json!([text]))[0].as_str().unwrap().to_owned();
        for part in [
            "111122223333",
            "zebra",
            "eve",
            "corp",
            "203.0.113.9",
            "IOSFODNN7EXAMPLE",
            "0b2fb367d6e823a79",
            "10.7.3.4",
            "10-7-3-4",
            "eyJhbG",
            "7XCALx4Xuw",
        ] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
        for part in
            ["User arn:aws:sts::", ":assumed-role/", " called https://", " for subnet-", ".ec2.internal"]
        {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn joins_hold() {
        let shown = shown(&json!({
            "a": "arn:aws:iam::111122223333:role/zebra-prod", "b": "zebra-prod", "pattern": "zeb*",
            "vpc": "10.7.0.0/16", "address": "10.7.0.2", "kept": ["0.0.0.0/0", "169.254.169.253", "us-east-1", "python 3.12.1"],
        }));
        let text = |member: &str| shown[member].as_str().unwrap();
        assert!(text("a").ends_with(&format!(":role/{}", text("b"))), "{shown}");
        assert!(text("b").starts_with(text("pattern").trim_end_matches('*')), "{shown}");
        assert!(text("vpc").ends_with(".0.0/16") && text("vpc") != "10.7.0.0/16");
        assert_eq!(text("address"), text("vpc").replace(".0.0/16", ".0.2"));
        assert_eq!(shown["kept"], json!(["0.0.0.0/0", "169.254.169.253", "us-east-1", "python 3.12.1"]));
    }
}
