//! The record of a rehearsal.

use launchpath_model::world::{Attempt, Clause, ClauseState, Rehearsal};
use serde_json::{Map, Value};

use super::record::{Record, text_of, whole};
use crate::lower::Recorded;

pub(super) fn rehearsal(call: &Recorded) -> Rehearsal {
    let record = Record::of(call);
    Rehearsal {
        evidence: call.evidence.id.clone(),
        at: call.evidence.at,
        identity: record.identity(),
        passed: record.passed(),
        broken_clause: record.text(&["broken_clause", "clause"]),
        clauses: clauses(&record),
        protocol: record.text(&["protocol"]),
        port: record.number(&["port"]).and_then(|port| u16::try_from(port).ok()),
        emulated: record.says(&["emulated"]),
        exit_code: record.number(&["exit_code"]),
        signal: record.number(&["signal"]),
        out_of_memory: record.says(&["out_of_memory"]),
        program_architecture: record.text(&["program_architecture"]),
        first_listen_ms: record.number(&["first_listen_ms"]),
        first_healthy_ms: record.number(&["first_healthy_ms"]),
        native_estimate_ms: record.number(&["native_estimate_ms"]),
        listeners: record.list(&["listeners"]),
        network: record.rows("network").into_iter().filter_map(attempt).collect(),
        environment: environment(&record),
        behind_vpc_rules: record
            .all(&["network", "network_mode"])
            .filter_map(Value::as_str)
            .any(|network| network.starts_with("bundle")),
        output: record.output(),
        distributions: record.distributions(),
        record: call.response.clone(),
    }
}

/// Every clause of the record; of one that names only what broke, that one.
fn clauses(record: &Record) -> Vec<Clause> {
    let named: Vec<Clause> = record.rows("clauses").into_iter().filter_map(clause).collect();
    if !named.is_empty() {
        return named;
    }
    let (Some(name), Some(reason)) = (record.text(&["clause"]), record.text(&["reason"])) else {
        return Vec::new();
    };
    let text = record.text(&["broken_clause"]);
    vec![Clause { name, state: ClauseState::Broken, reason: Some(reason), text, note: None, at_ms: None }]
}

fn clause(row: &Map<String, Value>) -> Option<Clause> {
    let state = match row.get("state").and_then(Value::as_str).unwrap_or_default() {
        "held" => ClauseState::Held,
        "broken" => ClauseState::Broken,
        "not_reached" => ClauseState::NotReached,
        "not_applicable" => ClauseState::NotApplicable,
        _ => ClauseState::Unknown,
    };
    Some(Clause {
        name: text_of(row, "clause").or_else(|| text_of(row, "name"))?,
        state,
        reason: text_of(row, "reason"),
        text: text_of(row, "text"),
        note: text_of(row, "note"),
        at_ms: row.get("at_ms").and_then(whole),
    })
}

fn attempt(row: &Map<String, Value>) -> Option<Attempt> {
    Some(Attempt {
        target: text_of(row, "name").or_else(|| text_of(row, "address"))?,
        port: row.get("port").and_then(whole).and_then(|port| u16::try_from(port).ok()),
        outcome: text_of(row, "outcome"),
    })
}

/// Names of the variables that were given; a value that slipped in is left behind.
fn environment(record: &Record) -> Vec<String> {
    let given = record.list(&["environment", "environment_names", "environment_variables", "env"]);
    given.iter().map(|name| name.split('=').next().unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::rehearsal;
    use crate::json::Place;
    use crate::lower::Recorded;
    use launchpath_model::evidence::{Evidence, EvidenceId, Outcome};
    use launchpath_model::world::ClauseState;
    use serde_json::{Value, json};

    fn recorded(request: Value, response: Value) -> Recorded {
        let evidence = Evidence {
            id: EvidenceId::from("c1"),
            service: "launchpath".to_owned(),
            operation: "Rehearse".to_owned(),
            region: None,
            account: None,
            request: Some(request),
            at: None,
            outcome: Outcome::Ok,
            error: None,
            complete: true,
            file: None,
        };
        Recorded::new(evidence, response, Place::default())
    }

    #[test]
    fn every_shape_of_a_rehearsal_says_the_same() {
        let output = "Traceback\nModuleNotFoundError: No module named 'langchain.callbacks'";
        let shapes = [
            json!({ "passed": false, "broken_clause": "health", "digest": "sha256:1", "output": output,
                "distributions": { "langchain": "1.0.0" } }),
            json!({ "outcome": "failed", "clause": { "id": "health" }, "digest": "sha256:1",
                "logs": ["Traceback", "ModuleNotFoundError: No module named 'langchain.callbacks'\n"],
                "packages": [{ "name": "langchain", "version": "1.0.0" }] }),
            json!({ "result": { "passed": false, "clause": "health" }, "image": { "digest": "sha256:1" },
                "process": { "stderr": [{ "line": "Traceback" }, { "message": "ModuleNotFoundError: No module named 'langchain.callbacks'" }],
                    "installed": { "langchain": "1.0.0" } } }),
        ];
        for shape in shapes {
            let read = rehearsal(&recorded(json!({ "image": "agent:latest" }), shape.clone()));
            assert_eq!(read.passed, Some(false), "{shape}");
            assert_eq!(read.broken_clause.as_deref(), Some("health"), "{shape}");
            assert_eq!(read.identity.digest.as_deref(), Some("sha256:1"), "{shape}");
            assert_eq!(read.identity.image.as_deref(), Some("agent:latest"), "{shape}");
            assert_eq!(read.output, output, "{shape}");
            assert_eq!(read.distributions.get("langchain").map(String::as_str), Some("1.0.0"), "{shape}");
        }
    }

    #[test]
    fn what_a_rehearsal_does_not_say_stays_unknown() {
        let read = rehearsal(&recorded(json!({}), json!({ "outcome": "inconclusive", "output": 7 })));
        assert_eq!((read.passed, read.broken_clause, read.output.as_str()), (None, None, ""));
    }

    #[test]
    fn the_clauses_of_a_record_are_typed() {
        let read = rehearsal(&recorded(
            json!({ "image": "agent:latest", "network": "bundle:case.json", "environment": ["A", "B=secret"] }),
            json!({ "passed": false, "clause": "listens", "reason": "loopback_only", "emulated": true, "port": 8080,
                "platform": { "os": "linux", "architecture": "arm64" }, "exit_code": null, "listeners": ["127.0.0.1:8080"],
                "network": [{ "name": "api.example.com", "address": null, "port": 443, "outcome": "dropped" }],
                "clauses": [
                    { "clause": "starts", "state": "held", "text": "the process starts", "at_ms": 3 },
                    { "clause": "listens", "state": "broken", "reason": "loopback_only", "note": "127.0.0.1:8080" },
                    { "clause": "healthy", "state": "a state of tomorrow" },
                    { "state": "held" } ] }),
        ));
        let clauses: Vec<(&str, ClauseState, Option<&str>)> =
            read.clauses.iter().map(|c| (c.name.as_str(), c.state, c.reason.as_deref())).collect();
        assert_eq!(
            clauses,
            [
                ("starts", ClauseState::Held, None),
                ("listens", ClauseState::Broken, Some("loopback_only")),
                ("healthy", ClauseState::Unknown, None),
            ]
        );
        assert_eq!((read.emulated, read.port, read.exit_code), (true, Some(8080), None));
        assert!(read.behind_vpc_rules);
        assert_eq!(read.environment, ["A", "B"]);
        assert_eq!(read.identity.architecture.as_deref(), Some("arm64"));
        assert_eq!(read.network[0].target, "api.example.com");
    }

    #[test]
    fn a_record_without_its_list_of_clauses_still_names_the_broken_one() {
        let read =
            rehearsal(&recorded(json!({}), json!({ "clause": "answers", "reason": "error_status_5xx" })));
        let clause = read.clauses.first().map(|c| (c.name.as_str(), c.state, c.reason.as_deref()));
        assert_eq!(clause, Some(("answers", ClauseState::Broken, Some("error_status_5xx"))));
    }
}
