//! The runtime's own log, line by line: requests that a server logged, addresses on which it said it listens.
//!
//! Only lines of the current version count. What they say is the process's own word; the text is hostile and only cut.

use launchpath_model::world::LogRecord;
use launchpath_model::{EvidenceId, Known, Timestamp};

use crate::case::{Case, Platform};

/// Lines of the current version: none older than the request for it. Lines without a time are kept.
///
/// A V1 session fetches what the tag names when it starts: what was printed before that image was pushed, another image printed.
pub(crate) fn current<'a>(case: &Case, lines: Vec<&'a LogRecord>) -> Vec<&'a LogRecord> {
    let pushed = case.image().value().and_then(|image| image.image_pushed_at);
    let by_tag =
        case.combination.platform == Platform::V1 && case.image_uri().is_some_and(|uri| uri.digest.is_none());
    let since = case.version_since().max(pushed.filter(|_| by_tag));
    lines.into_iter().filter(|line| line.at.is_none() || line.at >= since).collect()
}

/// The log's lines of the current version; empty when there are none or nobody looked.
pub(crate) fn lines<'a>(case: &Case<'a>) -> Vec<&'a LogRecord> {
    match case.log_lines() {
        Known::Known(fact) => current(case, fact.value),
        _ => Vec::new(),
    }
}

/// One request, as a server logged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// The path, without its query.
    pub(crate) path: String,
    /// The status of the answer.
    pub(crate) status: u16,
    /// When it was logged.
    pub(crate) at: Option<Timestamp>,
    /// The stream.
    pub(crate) stream: String,
    /// The line, cut.
    pub(crate) line: String,
    /// The call that brought it.
    pub(crate) evidence: EvidenceId,
}

/// Every request that the log shows, oldest first.
pub(crate) fn requests(case: &Case) -> Vec<Request> {
    let mut all: Vec<Request> = lines(case).into_iter().filter_map(request).collect();
    all.sort_by_key(|request| request.at);
    all
}

fn request(line: &LogRecord) -> Option<Request> {
    let text = line.message.as_str();
    // `"GET /ping HTTP/1.1" 404 Not Found`, as uvicorn, gunicorn, Flask and nginx write it.
    let method = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT"]
        .into_iter()
        .find(|method| text.contains(&format!("\"{method} /")))?;
    let (_, rest) = text.split_once(&format!("\"{method} "))?;
    let (path, rest) = rest.split_once(' ')?;
    let (version, rest) = rest.split_once('"')?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    let status: u16 = digits.parse().ok().filter(|status| (100..600).contains(status))?;
    version.starts_with("HTTP/").then(|| Request {
        method: method.to_owned(),
        path: path.split('?').next().unwrap_or(path).to_owned(),
        status,
        at: line.at,
        stream: line.stream.clone(),
        line: excerpt(text),
        evidence: line.evidence.clone(),
    })
}

/// An address on which the process says it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The host, when the line names one.
    pub(crate) host: Option<String>,
    /// The port.
    pub(crate) port: u16,
    /// When it was logged.
    pub(crate) at: Option<Timestamp>,
    /// The stream.
    pub(crate) stream: String,
    /// The line, cut.
    pub(crate) line: String,
    /// The call that brought it.
    pub(crate) evidence: EvidenceId,
}

impl Listener {
    /// Whether only the machine itself can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host
            .as_deref()
            .is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
    }
}

/// Every address on which the log says that something listens.
pub(crate) fn listeners(case: &Case) -> Vec<Listener> {
    lines(case).into_iter().filter_map(listener).collect()
}

/// What servers write before the address or port they listen on; lower case.
const LISTENING: &[&str] =
    &["running on", "listening at", "listening on", "server running at", "started on", "listens on"];

/// What else a process may listen for, beside the requests of the contract; lower case.
const BESIDE: &[&str] =
    &["metric", "prometheus", "debug", "pprof", "profil", "statsd", "otlp", "telemetry", "grpc", "admin"];

fn listener(line: &LogRecord) -> Option<Listener> {
    let lower = line.message.to_lowercase();
    if BESIDE.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let rest = LISTENING.iter().find_map(|word| lower.split_once(word).map(|(_, rest)| rest))?;
    let made = |host: Option<&str>, port: &str| {
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        Some(Listener {
            host: host.map(str::to_owned),
            port: digits.parse().ok().filter(|port| *port > 0)?,
            at: line.at,
            stream: line.stream.clone(),
            line: excerpt(&line.message),
            evidence: line.evidence.clone(),
        })
    };
    if let Some((_, address)) = rest.split_once("://") {
        let address = address.split(|c: char| c == '/' || c.is_whitespace()).next()?;
        let (host, port) = address.rsplit_once(':')?;
        return made(Some(host), port);
    }
    let words = rest.trim_start().trim_start_matches(':').trim_start();
    let words = words.strip_prefix("port").map_or(words, |rest| rest.trim_start_matches([' ', ':', '=']));
    if let Some((host, port)) = words.split_whitespace().next()?.rsplit_once(':') {
        return made(Some(host).filter(|host| !host.is_empty() && *host != "*"), port);
    }
    made(None, words)
}

/// No more of a line than a reader needs to recognise it.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.trim();
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MOST).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::{excerpt, listener, request};
    use launchpath_model::EvidenceId;
    use launchpath_model::world::LogRecord;

    fn line(message: &str) -> LogRecord {
        LogRecord {
            stream: "s".to_owned(),
            at: None,
            message: message.to_owned(),
            evidence: EvidenceId::from("c1"),
        }
    }

    #[test]
    fn access_lines_of_common_servers_are_read() {
        for (text, wanted) in [
            ("INFO:     127.0.0.1:52114 - \"GET /ping HTTP/1.1\" 404 Not Found", Some(("GET", "/ping", 404))),
            ("10.0.0.1 - - [20/Oct/2026] \"POST /mcp?x=1 HTTP/1.1\" 400 12", Some(("POST", "/mcp", 400))),
            ("he said \"GET /ping\" 200", None),
            ("\"GET /ping HTTP/1.1\" 99999", None),
            ("\"GET /ping HTTP/1.1\"", None),
        ] {
            let read = request(&line(text));
            let read = read.as_ref().map(|r| (r.method.as_str(), r.path.as_str(), r.status));
            assert_eq!(read, wanted, "{text}");
        }
    }

    #[test]
    fn addresses_that_servers_print_are_read() {
        for (text, wanted) in [
            (
                "INFO: Uvicorn running on http://127.0.0.1:8080 (Press CTRL+C to quit)",
                Some((Some("127.0.0.1"), 8080)),
            ),
            (" * Running on http://0.0.0.0:5000", Some((Some("0.0.0.0"), 5000))),
            ("[INFO] Listening at: http://0.0.0.0:8000 (1)", Some((Some("0.0.0.0"), 8000))),
            ("Server listening on port 3000", Some((None, 3000))),
            ("listening on :8080", Some((None, 8080))),
            ("listening on 127.0.0.1:8080", Some((Some("127.0.0.1"), 8080))),
            ("running on empty", None),
            ("listening on port 99999999", None),
            ("Prometheus metrics server listening on port 9090", None),
        ] {
            let read = listener(&line(text));
            let read = read.as_ref().map(|l| (l.host.as_deref(), l.port));
            assert_eq!(read, wanted, "{text}");
        }
        assert!(listener(&line("Uvicorn running on http://[::1]:8080")).is_some_and(|l| l.is_loopback()));
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(excerpt(&"x".repeat(500_000)).chars().count(), 301);
    }
}
