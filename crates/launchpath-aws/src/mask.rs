//! Keeping secrets out of the bundle, at the moment an answer is recorded.
//!
//! Masked are: values of environment variables (runtime and image), authorizer secrets, access-key
//! ids in CloudTrail events, and what looks like a secret in free text (log lines, error messages).
//! Keys stay, so that a reader sees that a variable was set. Masking twice changes nothing.

use serde_json::{Map, Value};

/// What stands in a secret's place.
pub(crate) const MASK: &str = "***";

/// Environment variables of an image whose values say how it starts and are no secrets.
const HARMLESS: &[&str] = &["PATH", "LANG", "HOME", "DOCKER_CONTAINER", "PORT"];
const HARMLESS_PREFIXES: &[&str] = &["PYTHON", "NODE"];

/// At most so many bytes of log text are kept per log group.
pub(crate) const MAX_LOG_BYTES: usize = 256 << 10;
/// At most so many events are kept per log group.
pub(crate) const MAX_LOG_EVENTS: usize = 200;

/// Masks an answer in place.
pub(crate) fn answer(service: &str, operation: &str, document: &mut Value) {
    match (service, operation) {
        ("bedrock-agentcore-control", _) => runtime(document),
        ("cloudtrail", "LookupEvents") => trail(document),
        ("logs", "FilterLogEvents") => log_events(document),
        ("route53", "ListResourceRecordSets") => free_records(document),
        ("launchpath", "GetImageConfig") => image_config(document),
        _ => {}
    }
}

/// Masks what looks like a secret in free text: AWS keys, bearer tokens, signatures of presigned
/// URLs and values of `password=`, `secret=`, `token=` and their kin.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if is_access_key(word) {
                out.push_str(MASK);
                rest = tail;
                continue;
            }
            out.push_str(word);
            rest = tail;
            if let Some((separator, after)) = separator(word, tail) {
                out.push_str(&tail[..separator]);
                out.push_str(MASK);
                rest = after;
            }
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// `AKIA…` and `ASIA…` with sixteen more letters and digits; other prefixes name users and roles.
fn is_access_key(word: &str) -> bool {
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// When `word` names a secret and a value follows, the length of what separates them, and what
/// follows the value.
fn separator<'a>(word: &str, tail: &'a str) -> Option<(usize, &'a str)> {
    let name = word.to_ascii_lowercase();
    let named =
        ["password", "passwd", "secret", "token", "api_key", "apikey", "api-key", "access_key", "signature"]
            .iter()
            .any(|secret| name.ends_with(secret));
    let mut at;
    if named {
        // `token=x`, `token: x`, `"token": "x"`, `\"token\":\"x\"`
        at = skip(tail, 0, &['"', '\'', '\\', ' ']);
        if !tail[at..].starts_with(['=', ':']) {
            return None;
        }
        at = skip(tail, at + 1, &['"', '\'', '\\', ' ']);
        // `Authorization: Bearer x` is the other arm's; `token: Bearer x` keeps the scheme.
        if tail[at..].to_ascii_lowercase().starts_with("bearer ") {
            return None;
        }
    } else if name == "bearer" {
        at = skip(tail, 0, &[' ']);
        if at == 0 {
            return None;
        }
    } else {
        return None;
    }
    let value = &tail[at..];
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',' | ';' | '&' | ')' | '}' | ']');
    let end = value.find(ends).unwrap_or(value.len());
    // Nothing, or a word too short to be a secret (`token: no`, `secret=***` again).
    if end < 4 {
        return None;
    }
    Some((at, &value[end..]))
}

fn skip(text: &str, from: usize, what: &[char]) -> usize {
    text[from..].find(|c| !what.contains(&c)).map_or(text.len(), |at| from + at)
}

fn runtime(document: &mut Value) {
    match document {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name == "environmentVariables" {
                    for_each_value(value, |value| *value = MASK.into());
                } else if name.to_ascii_lowercase().ends_with("secret") && value.is_string() {
                    *value = MASK.into();
                } else {
                    runtime(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(runtime),
        _ => {}
    }
}

fn for_each_value(map: &mut Value, mut change: impl FnMut(&mut Value)) {
    if let Some(members) = map.as_object_mut() {
        members.values_mut().for_each(&mut change);
    }
}

/// Records that hold free text may hold keys and tokens of whoever verifies a domain.
fn free_records(document: &mut Value) {
    for record in document.get_mut("ResourceRecordSets").and_then(Value::as_array_mut).into_iter().flatten() {
        if !matches!(record["Type"].as_str(), Some("TXT" | "SPF")) {
            continue;
        }
        for value in record.get_mut("ResourceRecords").and_then(Value::as_array_mut).into_iter().flatten() {
            value["Value"] = MASK.into();
        }
    }
}

fn trail(document: &mut Value) {
    let Some(events) = document.get_mut("Events").and_then(Value::as_array_mut) else { return };
    for event in events.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(key) = event.get_mut("AccessKeyId") {
            *key = MASK.into();
        }
        let Some(Value::String(inner)) = event.get_mut("CloudTrailEvent") else { continue };
        *inner = match serde_json::from_str::<Value>(inner) {
            Ok(mut parsed) => {
                trail_event(&mut parsed);
                parsed.to_string()
            }
            Err(_) => text(inner),
        };
    }
}

/// Access keys and session credentials wherever they stand in the event.
fn trail_event(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let secret = matches!(
                    name.as_str(),
                    "accessKeyId" | "sessionToken" | "secretAccessKey" | "clientToken"
                );
                if name == "environmentVariables" {
                    for_each_value(value, |value| *value = MASK.into());
                } else if secret && value.is_string() {
                    *value = MASK.into();
                } else {
                    trail_event(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(trail_event),
        Value::String(inner) => *inner = text(inner),
        _ => {}
    }
}

fn log_events(document: &mut Value) {
    let Some(events) = document.get_mut("events").and_then(Value::as_array_mut) else { return };
    events.truncate(MAX_LOG_EVENTS);
    let mut room = MAX_LOG_BYTES;
    for event in events.iter_mut().filter_map(Value::as_object_mut) {
        let Some(Value::String(message)) = event.get_mut("message") else { continue };
        let mut masked = text(message);
        if masked.len() > room {
            let cut = (0..=room).rev().find(|at| masked.is_char_boundary(*at)).unwrap_or(0);
            masked.truncate(cut);
        }
        room -= masked.len();
        *message = masked;
    }
}

/// The configuration blob of an image: `Env` values, and the same values in the build history.
fn image_config(document: &mut Value) {
    for section in ["config", "container_config"] {
        let env = document.get_mut(section).and_then(|config| config.get_mut("Env"));
        for entry in env.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::String(entry) = entry {
                *entry = assignment(entry);
            }
        }
    }
    let history = document.get_mut("history").and_then(Value::as_array_mut);
    for step in history.into_iter().flatten().filter_map(Value::as_object_mut) {
        history_step(step);
    }
}

fn history_step(step: &mut Map<String, Value>) {
    let Some(Value::String(command)) = step.get_mut("created_by") else { return };
    // Instructions that set variables, and `RUN |2 NAME=value …` with build arguments.
    let sets = ["ENV ", "ARG ", "|"].iter().any(|mark| command.contains(mark));
    *command =
        if sets { command.split(' ').map(assignment).collect::<Vec<_>>().join(" ") } else { text(command) };
}

/// `NAME=value` with its value masked unless the name is harmless; other text is looked at as text.
fn assignment(entry: &str) -> String {
    let Some((name, value)) = entry.split_once('=') else { return text(entry) };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let harmless = HARMLESS.contains(&name) || HARMLESS_PREFIXES.iter().any(|p| name.starts_with(p));
    match (is_name, harmless || value.is_empty()) {
        (true, false) => format!("{name}={MASK}"),
        _ => text(entry),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn free_text_loses_secrets_and_keeps_the_rest() {
        for (before, after) in [
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("principal AIDAIOSFODNN7EXAMPLE", "principal AIDAIOSFODNN7EXAMPLE"),
            ("Authorization: Bearer eyJhbGci.x.y ok", "Authorization: Bearer *** ok"),
            ("db_password=hunter22&x=1", "db_password=***&x=1"),
            (r#"{"client_secret": "s3cr3t!x", "a": 1}"#, r#"{"client_secret": "***", "a": 1}"#),
            (r#"{\"token\":\"abcdefgh\"}"#, r#"{\"token\":\"***\"}"#),
            (
                "ModuleNotFoundError: No module named 'langchain.callbacks'",
                "ModuleNotFoundError: No module named 'langchain.callbacks'",
            ),
            ("token: no", "token: no"),
            ("https://b.s3/x?X-Amz-Signature=0123456789abcdef&y=1", "https://b.s3/x?X-Amz-Signature=***&y=1"),
            ("größe password=ä1234567 ü", "größe password=*** ü"),
        ] {
            assert_eq!(text(before), after);
            assert_eq!(text(&text(before)), after, "masking twice changes nothing");
        }
    }

    #[test]
    fn environment_and_authorizer_values_are_masked_and_names_kept() {
        let mut document = json!({
            "environmentVariables": {"API_KEY": "x", "STAGE": "prod"},
            "authorizerConfiguration": {"customJWTAuthorizer": {"clientSecret": "x", "discoveryUrl": "https://d"}},
        });
        answer("bedrock-agentcore-control", "GetAgentRuntime", &mut document);
        assert_eq!(
            document,
            json!({
                "environmentVariables": {"API_KEY": MASK, "STAGE": MASK},
                "authorizerConfiguration": {"customJWTAuthorizer": {"clientSecret": MASK, "discoveryUrl": "https://d"}},
            })
        );
    }

    #[test]
    fn free_text_of_zones_is_masked() {
        let mut document = json!({ "ResourceRecordSets": [
            { "Name": "x.", "Type": "TXT", "ResourceRecords": [{ "Value": "\"verify=abcdef\"" }] },
            { "Name": "y.", "Type": "A", "ResourceRecords": [{ "Value": "10.0.0.1" }] },
        ] });
        answer("route53", "ListResourceRecordSets", &mut document);
        assert!(!document.to_string().contains("abcdef"));
        assert_eq!(document["ResourceRecordSets"][1]["ResourceRecords"][0]["Value"], "10.0.0.1");
    }

    #[test]
    fn trail_events_keep_their_form_without_key_ids() {
        let inner = json!({"eventName": "AssumeRole", "userIdentity": {"accessKeyId": "ASIAX"},
            "responseElements": {"credentials": {"sessionToken": "zzz"}}})
        .to_string();
        let mut document = json!({"Events": [{"AccessKeyId": "ASIAX", "CloudTrailEvent": inner}]});
        answer("cloudtrail", "LookupEvents", &mut document);
        assert!(!document.to_string().contains("ASIAX") && !document.to_string().contains("zzz"));
        assert!(document.to_string().contains("AssumeRole"));
    }

    #[test]
    fn image_environment_and_history_are_masked_alike() {
        let mut document = json!({
            "config": {"Env": ["PATH=/bin", "OPENAI_API_KEY=sk-1", "PYTHONUNBUFFERED=1"]},
            "history": [{"created_by": "ENV OPENAI_API_KEY=sk-1 PORT=8080"}, {"created_by": "RUN |1 PIP_URL=https://u:p@h /bin/sh -c pip install"}],
        });
        answer("launchpath", "GetImageConfig", &mut document);
        assert_eq!(
            document,
            json!({
                "config": {"Env": ["PATH=/bin", "OPENAI_API_KEY=***", "PYTHONUNBUFFERED=1"]},
                "history": [{"created_by": "ENV OPENAI_API_KEY=*** PORT=8080"}, {"created_by": "RUN |1 PIP_URL=*** /bin/sh -c pip install"}],
            })
        );
    }

    #[test]
    fn log_text_is_bounded() {
        let events: Vec<_> = (0..300).map(|_| json!({"message": "ä".repeat(2000)})).collect();
        let mut document = json!({"events": events});
        answer("logs", "FilterLogEvents", &mut document);
        let kept = document["events"].as_array().map_or(0, Vec::len);
        assert_eq!(kept, MAX_LOG_EVENTS);
        assert!(document.to_string().len() < MAX_LOG_BYTES + 8000);
    }
}
