//! Values that must not be shown: those of environment variables and credentials that the user handed in.
//!
//! A process may print what it was given. Wherever its words are kept, such a value is replaced by the name it has.

use std::borrow::Cow;

use super::observation::{Observations, Reply};
use super::wire::Outcome;
use super::wire::web_socket::WebSocket;
use crate::subject::Reach;

/// Shorter values are no secrets, and masking them would tear words apart.
const SHORTEST: usize = 4;

/// Values and the names they are replaced by.
#[derive(Clone, Default)]
pub struct Mask(Vec<(String, String)>);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|(_, name)| name.as_str()).collect();
        f.debug_tuple("Mask").field(&names).finish()
    }
}

impl Mask {
    /// A mask for values by name. Those that are plain words of configuration (`true`, a number) stay readable.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut masked: Vec<(String, String)> = Vec::new();
        for (name, value) in values {
            if value.chars().count() < SHORTEST || is_plain(value) {
                continue;
            }
            let json = serde_json::Value::from(value).to_string();
            let forms = [value.to_owned(), json.trim_matches('"').to_owned(), percent(value)];
            for form in forms {
                if !masked.iter().any(|(known, _)| *known == form) {
                    masked.push((form, format!("[value of {name}]")));
                }
            }
        }
        // A value that holds another one goes first, whole.
        masked.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Self(masked)
    }

    /// The text without the values.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for (value, instead) in &self.0 {
            if clean.contains(value.as_str()) {
                clean = Cow::Owned(clean.replace(value.as_str(), instead));
            }
        }
        clean
    }

    fn string(&self, text: &mut String) {
        if let Cow::Owned(clean) = self.text(text) {
            *text = clean;
        }
    }

    fn bytes(&self, bytes: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        // Text that is not UTF-8 is masked in its readable form; its bytes matter to nobody.
        if let Cow::Owned(clean) = self.text(&String::from_utf8_lossy(bytes)) {
            *bytes = clean.into_bytes();
        }
    }

    fn outcome(&self, outcome: &mut Outcome) {
        match outcome {
            Outcome::Answered(answer) => {
                self.bytes(&mut answer.body);
                for (_, value) in &mut answer.headers {
                    self.string(value);
                }
            }
            Outcome::NotHttp(bytes) => self.bytes(bytes),
            Outcome::Invalid(text) | Outcome::NotConnected(text) => self.string(text),
            Outcome::NoAnswer { .. } | Outcome::Closed { .. } => {}
        }
    }

    /// Masks everything that came from the process.
    pub(super) fn observations(&self, seen: &mut Observations) {
        self.string(&mut seen.output);
        for run in &mut seen.health {
            self.outcome(&mut run.outcome);
            match &mut run.verdict {
                super::observation::Health::Good(text) | super::observation::Health::BadBody(text) => {
                    self.string(text);
                }
                _ => {}
            }
        }
        seen.with_local_host.iter_mut().for_each(|outcome| self.outcome(outcome));
        seen.elsewhere.iter_mut().for_each(|elsewhere| self.string(&mut elsewhere.shown_by));
        for ping in &mut seen.idle_pings {
            self.string(&mut ping.body);
            ping.status.iter_mut().for_each(|status| self.string(status));
        }
        for step in &mut seen.steps {
            self.outcome(&mut step.outcome);
            match &mut step.verdict {
                Reply::Good(text)
                | Reply::Invalid(text)
                | Reply::ProtocolError(text)
                | Reply::SessionRefused(text)
                | Reply::Broken(text) => self.string(text),
                Reply::ServerError(_) | Reply::NotFound(_) | Reply::Refused(_) | Reply::Silent => {}
            }
        }
        match &mut seen.web_socket {
            Some(WebSocket::Opened(Some(frame))) => self.bytes(&mut frame.payload),
            Some(WebSocket::Failed(outcome)) => self.outcome(outcome),
            _ => {}
        }
        for attempt in seen.attempts.iter_mut().flatten() {
            match &mut attempt.what {
                Reach::Name(name) => self.string(name),
                Reach::Address { name, .. } => name.iter_mut().for_each(|name| self.string(name)),
            }
        }
        seen.moments.iter_mut().for_each(|moment| self.string(&mut moment.what));
    }
}

fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_digit())
        || ["true", "false", "none", "null", "debug", "info", "warning", "error"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
}

fn percent(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[test]
    fn values_become_their_names_in_every_form() {
        let mask = Mask::of([("API_KEY", "s3cr\"et/+"), ("PORT", "8080"), ("MODE", "true"), ("X", "abc")]);
        assert_eq!(mask.text("key s3cr\"et/+ on 8080 true abc"), "key [value of API_KEY] on 8080 true abc");
        assert_eq!(mask.text(r#"{"key": "s3cr\"et/+"}"#), r#"{"key": "[value of API_KEY]"}"#);
        assert_eq!(mask.text("?k=s3cr%22et%2F%2B"), "?k=[value of API_KEY]");
        assert!(!format!("{mask:?}").contains("s3cr"));
    }

    #[test]
    fn a_value_within_another_does_not_tear_it() {
        let mask = Mask::of([("SHORT", "token"), ("LONG", "token-and-more")]);
        assert_eq!(mask.text("token-and-more token"), "[value of LONG] [value of SHORT]");
    }
}
