//! A request and its bytes.

use std::fmt::Write as _;

/// A request. Header values are this program's own or checked by the command line: none holds a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// `Host`.
    pub host: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body; none for `GET`.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A `GET`.
    pub fn get(host: &str, path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), host: host.to_owned(), headers: Vec::new(), body: None }
    }

    /// A `POST` of JSON that accepts JSON and server-sent events.
    pub fn post(host: &str, path: &str, body: Vec<u8>) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            host: host.to_owned(),
            headers: vec![
                ("Content-Type".to_owned(), "application/json".to_owned()),
                ("Accept".to_owned(), "application/json, text/event-stream".to_owned()),
            ],
            body: Some(body),
        }
    }

    /// The same with a header more; one whose value cannot stand in a header is left out.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if !value.chars().any(char::is_control) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// `POST /invocations`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The bytes on the wire. One connection per request: `Connection: close`, unless a header says otherwise.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.path, self.host);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
            text.push_str("Connection: close\r\n");
        }
        for (name, value) in &self.headers {
            // Writing to a string does not fail.
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            let _ = write!(text, "Content-Length: {}\r\n", body.len());
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}
