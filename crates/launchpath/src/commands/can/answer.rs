//! The answer to one permission question as text and as JSON. Nothing is decided here.

use launchpath_iam::{Decision, Outcome, Request};
use launchpath_report::Options;
use serde_json::{Map, Value, json};

use super::super::page::Page;
use super::Policies;
use super::files::Finding;

/// The answer.
pub(super) struct Answered<'a> {
    pub(super) request: &'a Request,
    pub(super) outcome: &'a Outcome,
    pub(super) policies: &'a Policies,
    pub(super) findings: &'a [Finding],
}

impl Answered<'_> {
    /// 0 allowed, 1 denied, 3 unknown.
    pub(super) fn exit_code(&self) -> u8 {
        match self.outcome.decision {
            Decision::Allowed => 0,
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => 1,
            Decision::Unknown => 3,
        }
    }

    /// What is not known counts only where it keeps the question open.
    fn is_open(&self) -> bool {
        self.outcome.decision == Decision::Unknown
    }

    /// As JSON, ending in a line feed.
    pub(super) fn json(&self) -> String {
        let because = self.outcome.because.iter().map(|reason| {
            let mut members = Map::new();
            members.insert("text".into(), reason.to_string().into());
            if let Ok(Value::Object(parts)) = serde_json::to_value(reason) {
                for (name, value) in parts {
                    members.entry(name).or_insert(value);
                }
            }
            Value::Object(members)
        });
        let gaps = self.policies.gaps.iter().filter(|_| self.is_open());
        let value = json!({
            "principal": self.request.principal().as_str(),
            "action": self.request.action(),
            "resource": self.request.resource(),
            "decision": self.outcome.decision.as_str(),
            "because": because.collect::<Vec<_>>(),
            "remaining": self.outcome.remaining_text(),
            "unknown": gaps.map(|gap| json!({
                "what": gap.what, "why": gap.reason_text(), "command": gap.command, "evidence": gap.evidence,
            })).collect::<Vec<_>>(),
            "assumed": self.policies.assumed,
            "evidence": self.policies.evidence,
            "findings": self.findings.iter().map(|finding| json!({
                "policy": finding.file, "severity": finding.error.severity(), "at": finding.error.at,
                "text": finding.error.kind.to_string(), "aws_says": finding.error.aws_says(),
            })).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }

    /// As text, ending in a line feed.
    pub(super) fn text(&self, options: &Options) -> String {
        let verdict = match self.outcome.decision {
            Decision::Allowed => "Allowed",
            Decision::ExplicitlyDenied => "Denied explicitly",
            Decision::ImplicitlyDenied => "Denied: nothing allows it",
            Decision::Unknown => "Unknown",
        };
        let mut page = Page::new(&format!("{verdict}: {}", self.request));
        if let Some(remaining) = self.outcome.remaining_text() {
            page.paragraph(&format!("It is {remaining}."));
        }
        if !self.outcome.because.is_empty() {
            page.section("Because");
            for reason in &self.outcome.because {
                page.item(&reason.to_string());
            }
        }
        if self.is_open() {
            page.gaps("Not known", &self.policies.gaps);
        }
        if !self.policies.assumed.is_empty() {
            page.section("Taken for granted");
            for sentence in &self.policies.assumed {
                page.item(sentence);
            }
        }
        if !self.findings.is_empty() {
            page.section("Wrong in the documents");
            for Finding { file, error } in self.findings {
                let says = match error.aws_says() {
                    Some(says) => format!("; AWS refuses to store it: {says}"),
                    None => "; AWS takes it, and it never matches as written".to_owned(),
                };
                page.item(&format!("{file}: {error}{says}"));
            }
        }
        if !self.policies.evidence.is_empty() {
            let calls = super::super::page::calls(&self.policies.evidence);
            page.paragraph(&format!("The policies are from the calls{calls}."));
        }
        page.finish(options)
    }
}
