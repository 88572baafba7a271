//! `GET /ping`.

use std::time::Duration;

use serde_json::Value;

use crate::contract::facts::Facts;
use crate::contract::observation::{Health, Ping};
use crate::contract::wire::{Answer, Outcome};

/// What an answer to `/ping` means.
pub(super) fn health(outcome: &Outcome) -> Health {
    let answer = match outcome {
        Outcome::Answered(answer) => answer,
        other => return without_answer(other),
    };
    if refuses_host(answer) {
        return Health::HostRefused;
    }
    match answer.status {
        200 => match status(answer) {
            Ok(status) => Health::Good(status),
            Err(how) => Health::BadBody(how),
        },
        300..=399 | 404 => Health::NotFound,
        405 => Health::WrongMethod,
        other => Health::Status(other),
    }
}

/// What no answer to a health check means, in every protocol.
pub(super) fn without_answer(outcome: &Outcome) -> Health {
    match outcome {
        Outcome::NoAnswer { .. } => Health::Silent,
        Outcome::NotHttp(_) | Outcome::Invalid(_) => Health::NotHttp,
        Outcome::Closed { .. } | Outcome::NotConnected(_) | Outcome::Answered(_) => Health::Broken,
    }
}

/// Whether a server refuses the request for its `Host`: 421, or what frameworks say with 400 and 403.
pub(super) fn refuses_host(answer: &Answer) -> bool {
    if answer.status == 421 {
        return true;
    }
    let text = answer.text().to_lowercase();
    matches!(answer.status, 400 | 403)
        && ["invalid host", "disallowedhost", "host not allowed", "blocked host", "invalid http_host"]
            .iter()
            .any(|words| text.contains(words))
}

/// The status in the body, as the table has it whatever the case; else how the body is wrong.
fn status(answer: &Answer) -> Result<String, String> {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err("the body is no JSON object".to_owned());
    };
    let Some(status) = members.get("status") else {
        return Err("the body has no member `status`".to_owned());
    };
    let Some(status) = status.as_str() else {
        return Err(format!("`status` is {}, not text", short(&status.to_string())));
    };
    let known = &Facts::get().ping_statuses.value;
    if known.iter().any(|known| known.eq_ignore_ascii_case(status)) {
        Ok(status.to_owned())
    } else {
        Err(format!("`status` is {:?}, which is none of {}", short(status), known.join(", ")))
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A ping of a process that was healthy before.
pub(in crate::contract) fn sample(outcome: &Outcome, verdict: &Health, at: Duration) -> Ping {
    let (took, body) = match outcome {
        Outcome::Answered(answer) => (answer.took, answer.text()),
        Outcome::NoAnswer { waited, .. } => (*waited, String::new()),
        Outcome::Closed { after } => (*after, String::new()),
        Outcome::NotHttp(_) | Outcome::Invalid(_) | Outcome::NotConnected(_) => {
            (Duration::ZERO, String::new())
        }
    };
    let status = match verdict {
        Health::Good(status) => Some(status.clone()),
        _ => None,
    };
    let value: Option<Value> = serde_json::from_str(&body).ok();
    let last_update = value.as_ref().and_then(|value| moment(value.get("time_of_last_update")?));
    Ping { at, took, status, last_update, body: body.chars().take(2000).collect() }
}

/// Unix seconds, as a number or as text that holds one.
fn moment(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|seconds| seconds.is_finite())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{health, sample};
    use crate::contract::observation::Health;
    use crate::contract::wire::{Answer, Outcome};

    fn answered(status: u16, body: &str) -> Outcome {
        Outcome::Answered(Answer {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            whole: true,
            took: Duration::from_millis(2),
        })
    }

    #[test]
    fn answers_to_ping_are_told_apart() {
        let good = |status: &str| Health::Good(status.to_owned());
        assert_eq!(health(&answered(200, r#"{"status": "Healthy"}"#)), good("Healthy"));
        assert_eq!(health(&answered(200, r#"{"status": "HealthyBusy", "x": 1}"#)), good("HealthyBusy"));
        assert_eq!(health(&answered(200, r#"{"status": "healthy"}"#)), good("healthy"));
        for body in ["ok", "", "[]", "{}", r#"{"status": 1}"#, r#"{"status": "UP"}"#] {
            assert!(matches!(health(&answered(200, body)), Health::BadBody(_)), "{body}");
        }
        assert_eq!(health(&answered(404, "")), Health::NotFound);
        assert_eq!(health(&answered(307, "")), Health::NotFound);
        assert_eq!(health(&answered(405, "")), Health::WrongMethod);
        assert_eq!(health(&answered(421, "")), Health::HostRefused);
        assert_eq!(health(&answered(400, "Invalid host header")), Health::HostRefused);
        assert_eq!(health(&answered(400, "no")), Health::Status(400));
        assert_eq!(health(&answered(503, "")), Health::Status(503));
    }

    #[test]
    fn the_time_of_the_last_update_is_read() {
        let at = Duration::from_secs(1);
        let outcome = answered(200, r#"{"status":"Healthy","time_of_last_update":1764000000}"#);
        assert_eq!(sample(&outcome, &health(&outcome), at).last_update, Some(1_764_000_000.0));
        let outcome = answered(200, r#"{"status":"Healthy","time_of_last_update":"soon"}"#);
        assert_eq!(sample(&outcome, &health(&outcome), at).last_update, None);
    }
}
