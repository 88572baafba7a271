//! A support case: what to tell AWS when nothing is left on the customer's side, as text and as input of `aws support create-case`.
//!
//! Offered only for the verdict *no fault found*: it fails, and all that the customer controls was seen and holds. Else the page says
//! what is missing and how to get it, and the JSON is none that `create-case` would take. Service, category and severity are left
//! out: only the account's own `describe-services` and `describe-severity-levels` know their codes.

use launchpath_model::EvidenceId;
use serde_json::{Value, json};

use crate::clean;
use crate::diagnosis::{Diagnosis, StageState, Verdict};
use crate::{outline, wording};

/// The longest body that the API takes, in characters.
// AWS: https://docs.aws.amazon.com/awssupport/latest/APIReference/API_CreateCase.html
const MOST_BODY: usize = 8000;
/// The longest subject that is written: one line of a list of cases.
const MOST_SUBJECT: usize = 120;
/// The longest single line of the body, so that none crowds out the others.
const MOST_LINE: usize = 400;

/// The case as text, or what is missing for one; ends in a line feed.
pub(crate) fn text(diagnosis: &Diagnosis) -> String {
    if diagnosis.verdict != Verdict::NoFaultFound {
        return missing_text(diagnosis);
    }
    format!(
        "Subject: {}\n\n{}\nOpen it with:\n\n  launchpath diagnose … --format support-case-json --output case.json\n  \
         aws support describe-services --query \"services[?contains(name, 'Bedrock')].[code,categories]\"\n  \
         aws support create-case --cli-input-json file://case.json --service-code CODE --category-code CODE --severity-code CODE\n",
        subject(diagnosis),
        body(diagnosis)
    )
}

/// The input of `create-case`, or what is missing for one; ends in a line feed.
pub(crate) fn json(diagnosis: &Diagnosis) -> String {
    let value = if diagnosis.verdict == Verdict::NoFaultFound {
        json!({
            "subject": subject(diagnosis),
            "communicationBody": body(diagnosis),
            "language": "en",
            "issueType": "technical",
        })
    } else {
        missing_json(diagnosis)
    };
    format!("{value:#}\n")
}

fn subject(diagnosis: &Diagnosis) -> String {
    let code = outline::failed_invocations(diagnosis)
        .last()
        .and_then(|record| record.error.as_ref())
        .map_or_else(String::new, |error| format!(": {}", error.code));
    let region = diagnosis.runtime.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
    let whole =
        format!("AgentCore runtime {}{region} does not launch{code}", outline::runtime_name(diagnosis));
    wording::clipped(&clean::line(&whole), MOST_SUBJECT)
}

/// The body: problem, runtime and questions whole; then as many of the exclusions and events as the API takes.
fn body(diagnosis: &Diagnosis) -> String {
    let mut body = Body::default();
    problem(&mut body, diagnosis);
    runtime(&mut body, diagnosis);
    questions(&mut body, diagnosis);
    let excluded = outline::refutations(diagnosis).into_iter().map(|group| {
        let titles: Vec<String> = group.faults.iter().map(|fault| fault.title.clone()).collect();
        format!("- {}: {}{}", titles.join("; "), group.because, cited(group.evidence))
    });
    body.list("Excluded, with what shows it", &excluded.collect::<Vec<String>>());
    let events = diagnosis
        .timeline
        .iter()
        .map(|entry| format!("- {} {}{}", entry.at, entry.text, cited(&entry.evidence)));
    body.list("What happened (UTC)", &events.collect::<Vec<String>>());
    let calls = diagnosis.evidence.iter().map(|record| {
        let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
        format!(
            "- {} {} {}: {}{at}",
            record.id,
            record.service,
            record.operation,
            wording::outcome(record.outcome)
        )
    });
    body.list("The calls this rests on", &calls.collect::<Vec<String>>());
    body.0
}

/// The body being written, never longer than the API takes.
#[derive(Default)]
struct Body(String);

impl Body {
    fn room(&self) -> usize {
        MOST_BODY.saturating_sub(self.0.chars().count())
    }

    /// Adds the line if there is room for it and `reserve` characters more; says whether it did.
    fn line(&mut self, line: &str, reserve: usize) -> bool {
        let line = wording::clipped(&clean::line(line), MOST_LINE);
        if line.chars().count() + 1 + reserve > self.room() {
            return false;
        }
        self.0.push_str(line.trim_end());
        self.0.push('\n');
        true
    }

    /// A section; what has no room is counted.
    fn list(&mut self, title: &str, lines: &[String]) {
        /// Room for the line that counts the rest.
        const COUNT: usize = 80;
        if lines.is_empty() || !self.line("", COUNT + title.len()) || !self.line(&format!("{title}:"), COUNT)
        {
            return;
        }
        let total = lines.len();
        for (index, line) in lines.iter().enumerate() {
            if !self.line(line, COUNT) {
                self.line(&format!("- {} in the full report", wording::more(total - index, "line")), 0);
                return;
            }
        }
    }
}

fn cited(ids: &[EvidenceId]) -> String {
    let ids: Vec<&str> = ids.iter().map(EvidenceId::as_str).collect();
    if ids.is_empty() { String::new() } else { format!(" [{}]", ids.join(" ")) }
}

fn problem(body: &mut Body, diagnosis: &Diagnosis) {
    body.line("The runtime does not launch. All that we control was read and holds; the table below says how each was seen.", 0);
    for record in outline::failed_invocations(diagnosis).iter().rev().take(3) {
        let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
        let error = record.error.clone().unwrap_or_default();
        let http = error.http.map_or_else(String::new, |http| format!(" (HTTP {http})"));
        body.line(
            &format!("{}{at}: {}{http}: {} [{}]", record.operation, error.code, error.message, record.id),
            0,
        );
    }
    let broken = outline::break_note(diagnosis);
    if !broken.is_empty() {
        body.line(&wording::sentence(&broken), 0);
    }
}

fn runtime(body: &mut Body, diagnosis: &Diagnosis) {
    let runtime = &diagnosis.runtime;
    let facts = [
        ("Runtime", runtime.arn.as_ref().or(runtime.id.as_ref())),
        ("Endpoint", runtime.endpoint.as_ref()),
        ("Status", runtime.status.as_ref()),
        ("Network mode", runtime.network_mode.as_ref()),
        ("Platform version", runtime.platform_version.as_ref()),
        ("Protocol", runtime.protocol.as_ref()),
        ("Artifact", runtime.artifact.as_ref()),
    ];
    body.line("", 0);
    for (name, value) in facts {
        if let Some(value) = value {
            body.line(&format!("{name}: {value}"), 0);
        }
    }
    if let Some(time) = diagnosis.reference_time {
        body.line(&format!("Evidence of: {time}"), 0);
    }
}

/// What only the service can see: the stages in which nothing of the customer's shows what happened.
fn questions(body: &mut Body, diagnosis: &Diagnosis) {
    let hidden = diagnosis
        .chain
        .iter()
        .filter(|stage| matches!(stage.state, StageState::Unknown | StageState::Failed));
    let mut lines: Vec<String> = hidden
        .map(|stage| {
            let note = if stage.note.is_empty() {
                String::new()
            } else {
                format!(" (seen from here: {})", stage.note)
            };
            let (_, word, _) = wording::state(stage.state);
            format!("- {}: {word}. What does the service's own record say of this step{note}?", stage.title)
        })
        .collect();
    if lines.is_empty() {
        lines.push("- At which step does the launch stop, by the service's own record?".to_owned());
    }
    body.list("Questions that remain", &lines);
}

/// Why there is no case yet.
fn reason(diagnosis: &Diagnosis) -> &'static str {
    match diagnosis.verdict {
        Verdict::Launches => "the runtime launches, there is nothing to report",
        Verdict::Blocked => "the cause lies in what you control; mend it first",
        _ if diagnosis.primary().is_some() => {
            "a probable cause lies in what you control; mend or refute it first"
        }
        _ => "not everything that you control was seen, and what is missing could be the cause",
    }
}

fn missing_text(diagnosis: &Diagnosis) -> String {
    let mut out = format!("No support case yet: {}.\n", reason(diagnosis));
    out.push_str(&format!(
        "\n{}: {}\n",
        wording::verdict(diagnosis.verdict),
        clean::line(&outline::headline(diagnosis))
    ));
    if let Some((kind, step)) = outline::first_step(diagnosis) {
        out.push_str(&format!("{kind}: {}\n", clean::line(&step)));
    }
    let gaps = outline::gaps(diagnosis);
    if diagnosis.verdict == Verdict::Blocked {
        // What is not known does not matter while this stands.
        out.push_str(
            "\nThen diagnose again: if it still fails, this page says what is missing for a case.\n",
        );
    } else if diagnosis.verdict != Verdict::Launches && !gaps.is_empty() {
        out.push_str("\nWhat is missing, and how to get it:\n");
        for gap in gaps {
            let faults: Vec<&str> = gap.faults.iter().map(|fault| fault.fault.as_str()).collect();
            let what = if gap.evidence.is_empty() { "undecided" } else { gap.evidence };
            let line = format!("- {what}: {} (leaves open {})", gap.reason, wording::codes(&faults));
            out.push_str(&format!("{}\n", clean::line(&line)));
            if let Some(command) = gap.command {
                out.push_str(&format!("    {}\n", clean::line(command)));
            }
        }
    }
    out
}

fn missing_json(diagnosis: &Diagnosis) -> Value {
    let missing = outline::gaps(diagnosis).into_iter().map(|gap| {
        let faults: Vec<&str> = gap.faults.iter().map(|fault| fault.fault.as_str()).collect();
        json!({ "evidence": gap.evidence, "reason": gap.reason, "command": gap.command, "leaves_open": faults })
    });
    json!({
        "offered": false,
        "verdict": diagnosis.verdict,
        "reason": reason(diagnosis),
        "first_step": outline::first_step(diagnosis).map(|(_, step)| step),
        "missing": missing.collect::<Vec<Value>>(),
    })
}
