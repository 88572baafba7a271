//! The record of a static inspection.

use launchpath_model::world::{FindingCertainty, ImageFinding, Inspection};
use serde_json::{Map, Value};

use super::record::{Record, text_of, whole};
use crate::lower::Recorded;

pub(super) fn inspection(call: &Recorded) -> Inspection {
    let record = Record::of(call);
    Inspection {
        evidence: call.evidence.id.clone(),
        identity: record.identity(),
        media_type: record.text(&["media_type"]),
        user: record.text(&["user"]),
        layers: record.number(&["layers"]),
        argv: record.list(&["argv"]),
        exposed_ports: record.list(&["exposed_ports"]),
        distributions: record.distributions(),
        findings: record.rows("findings").into_iter().filter_map(finding).collect(),
        not_checked: record.rows("not_checked").into_iter().filter_map(|row| text_of(row, "what")).collect(),
        record: call.response.clone(),
    }
}

/// A finding; one whose certainty is not known is only possible.
fn finding(row: &Map<String, Value>) -> Option<ImageFinding> {
    let certainty = match row.get("certainty").and_then(Value::as_str).unwrap_or_default() {
        "certain" => FindingCertainty::Certain,
        "likely" => FindingCertainty::Likely,
        _ => FindingCertainty::Possible,
    };
    let kind = text_of(row, "kind")?;
    Some(ImageFinding {
        certainty,
        text: text_of(row, "text").unwrap_or_else(|| kind.replace('_', " ")),
        kind,
        file: text_of(row, "file"),
        line: row.get("line").and_then(whole),
        detail: row.get("detail").cloned().unwrap_or(Value::Null),
    })
}

#[cfg(test)]
mod tests {
    use super::inspection;
    use crate::json::Place;
    use crate::lower::Recorded;
    use launchpath_model::evidence::{Evidence, EvidenceId, Outcome};
    use launchpath_model::world::FindingCertainty;
    use serde_json::json;

    #[test]
    fn findings_are_typed_and_what_is_not_known_is_only_possible() {
        let evidence = Evidence {
            id: EvidenceId::from("c1"),
            service: "launchpath".to_owned(),
            operation: "InspectImage".to_owned(),
            region: None,
            account: None,
            request: Some(json!({ "image": "agent.tar" })),
            at: None,
            outcome: Outcome::Ok,
            error: None,
            complete: true,
            file: None,
        };
        let response = json!({ "digest": "sha256:1", "config_digest": "sha256:2", "layers": 7,
            "platform": { "architecture": "arm64" }, "config": { "user": "agent", "exposed_ports": ["8080/tcp"] },
            "start": { "argv": ["python", "-m", "main"] }, "distributions": { "langchain": "1.0.0" },
            "findings": [
                { "kind": "missing_submodule", "certainty": "certain", "text": "langchain has no callbacks", "file": "/app/main.py",
                  "line": 2, "detail": { "module": "langchain.callbacks" } },
                { "kind": "of_tomorrow", "certainty": "beyond doubt" },
                { "certainty": "certain" } ] });
        let read = inspection(&Recorded::new(evidence, response, Place::default()));
        let findings: Vec<(&str, FindingCertainty, &str)> =
            read.findings.iter().map(|f| (f.kind.as_str(), f.certainty, f.text.as_str())).collect();
        assert_eq!(
            findings,
            [
                ("missing_submodule", FindingCertainty::Certain, "langchain has no callbacks"),
                ("of_tomorrow", FindingCertainty::Possible, "of tomorrow"),
            ]
        );
        assert_eq!(read.findings[0].detail_text("module"), Some("langchain.callbacks"));
        assert_eq!((read.layers, read.user.as_deref()), (Some(7), Some("agent")));
        assert_eq!((read.exposed_ports, read.argv.len()), (vec!["8080/tcp".to_owned()], 3));
        assert_eq!(read.identity.config_digest.as_deref(), Some("sha256:2"));
        assert_eq!(read.identity.architecture.as_deref(), Some("arm64"));
    }
}
