//! The metadata service: credentials of the role, for those who first ask for a token.
//!
//! Version 2 of the protocol only, as runtimes have it. Where it answers and with what else a session's service answers is not
//! documented; what is asked for beyond credentials is answered with 404.
// AWS: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::sandbox::plan::Credentials;

/// Tokens that are valid at the same time.
const MOST_TOKENS: usize = 1000;

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials";

/// The service.
pub(super) struct Metadata {
    credentials: Credentials,
    since: String,
    tokens: Vec<(String, Instant)>,
}

/// A request, as far as the service looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
}

impl Request {
    /// Reads a request up to its empty line.
    pub(super) fn parse(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let path = path.split('?').next().unwrap_or("").to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Self { method, path, headers })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered: a status, further headers, a body.
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) kind: &'static str,
    pub(super) header: Option<(&'static str, String)>,
    pub(super) body: String,
}

impl Answer {
    fn new(status: &'static str, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain", header: None, body: body.into() }
    }
}

impl Metadata {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        let now = jiff::Timestamp::now().as_second();
        let time =
            |second| jiff::Timestamp::from_second(second).map(|time| time.to_string()).unwrap_or_default();
        let false_ones = || Credentials {
            role: "launchpath-rehearsal".to_owned(),
            access_key_id: "ASIAFALSEFALSEFALSE0".to_owned(),
            secret_access_key: "launchpath-rehearsal/not-a-secret/000000".to_owned(),
            session_token: "launchpath-rehearsal/not-a-token".to_owned(),
            expiration: time(now + 6 * 3600),
        };
        Self { credentials: credentials.unwrap_or_else(false_ones), since: time(now), tokens: Vec::new() }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if request.path == "/latest/api/token" {
            return self.token(request);
        }
        let now = Instant::now();
        self.tokens.retain(|(_, until)| *until > now);
        let token = request.header("x-aws-ec2-metadata-token");
        if !token.is_some_and(|token| self.tokens.iter().any(|(valid, _)| valid == token)) {
            return Answer::new("401 Unauthorized", "a valid token is needed: PUT /latest/api/token\n");
        }
        if request.method != "GET" {
            return Answer::new("405 Method Not Allowed", "");
        }
        let role = request.path.strip_prefix(CREDENTIALS).map(|rest| rest.trim_matches('/'));
        match role {
            Some("") => Answer::new("200 OK", self.credentials.role.clone()),
            Some(role) if role == self.credentials.role => {
                let document = json!({
                    "Code": "Success",
                    "LastUpdated": self.since,
                    "Type": "AWS-HMAC",
                    "AccessKeyId": self.credentials.access_key_id,
                    "SecretAccessKey": self.credentials.secret_access_key,
                    "Token": self.credentials.session_token,
                    "Expiration": self.credentials.expiration,
                });
                Answer { kind: "application/json", ..Answer::new("200 OK", document.to_string()) }
            }
            _ => Answer::new("404 Not Found", ""),
        }
    }

    fn token(&mut self, request: &Request) -> Answer {
        if request.method != "PUT" {
            return Answer::new("405 Method Not Allowed", "");
        }
        // A proxy that passes requests on shall not get one.
        if request.header("x-forwarded-for").is_some() {
            return Answer::new("403 Forbidden", "");
        }
        let seconds =
            request.header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse::<u64>().ok());
        let Some(seconds) = seconds.filter(|seconds| (1..=21_600).contains(seconds)) else {
            return Answer::new(
                "400 Bad Request",
                "X-aws-ec2-metadata-token-ttl-seconds: expected 1 to 21600\n",
            );
        };
        let token = token();
        if self.tokens.len() >= MOST_TOKENS {
            self.tokens.remove(0);
        }
        self.tokens.push((token.clone(), Instant::now() + Duration::from_secs(seconds)));
        let header = Some(("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds.to_string()));
        Answer { header, ..Answer::new("200 OK", token) }
    }
}

/// Not to be guessed from another: each is a hash under keys of its own.
fn token() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(service: &mut Metadata, head: &str) -> (String, String) {
        let answer = service.answer(&Request::parse(head).unwrap());
        (answer.status[..3].to_owned(), answer.body)
    }

    #[test]
    fn credentials_are_given_to_those_who_have_a_token() {
        let mut service = Metadata::new(None);
        let path = "/latest/meta-data/iam/security-credentials/";
        assert_eq!(ask(&mut service, &format!("GET {path} HTTP/1.1")).0, "401");
        assert_eq!(ask(&mut service, "PUT /latest/api/token HTTP/1.1").0, "400");
        assert_eq!(ask(&mut service, "GET /latest/api/token HTTP/1.1").0, "405");
        let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
        assert_eq!(
            ask(&mut service, &format!("PUT /latest/api/token HTTP/1.1\r\nX-Forwarded-For: a\r\n{ttl}")).0,
            "403"
        );
        let (status, token) = ask(&mut service, &format!("PUT /latest/api/token HTTP/1.1\r\n{ttl}\r\n"));
        assert_eq!(status, "200");
        let with_token = |path: &str| format!("GET {path} HTTP/1.1\r\nx-aws-ec2-metadata-token: {token}\r\n");
        let (_, role) = ask(&mut service, &with_token(path));
        let (_, document) = ask(&mut service, &with_token(&format!("{path}{role}")));
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["Code"], "Success");
        assert!(document["AccessKeyId"].as_str().unwrap().contains("FALSE"));
        assert_eq!(ask(&mut service, &with_token(&format!("{path}other"))).0, "404");
        assert_eq!(ask(&mut service, &with_token("/latest/user-data")).0, "404");
        assert_eq!(
            ask(&mut service, &format!("GET {path} HTTP/1.1\r\nx-aws-ec2-metadata-token: {token}0")).0,
            "401"
        );
    }

    #[test]
    fn no_request_makes_it_panic() {
        for head in ["", " ", "GET", "GET  ", "\r\n\r\n", "G\u{0}T / HTTP/1.1\r\n:\r\n::"] {
            if let Some(request) = Request::parse(head) {
                let _answered = Metadata::new(None).answer(&request);
            }
        }
    }
}
