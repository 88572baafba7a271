//! Ranking: from checks to causes with a status and a probability.
//!
//! A suspect's odds are its prior (how often field reports name the fault) times the weight of each piece of evidence; every
//! weight is a line of the report, so that a reader can disagree with it. Start with [`rank`].

use launchpath_model::{EvidenceId, Gap, service};

use crate::case::{ArtifactKind, Case};
use crate::chain::{Progress, Stage};
use crate::comparison::Compared;
use crate::diagnosis::{Because, Cause, CauseStatus};
use crate::experiment;
use crate::faults::{Certainty, Fault, Finding, because};
use crate::repair::Repair;

/// Where a fault stands after its check was held against the traces.
pub(crate) enum Standing {
    /// It is there.
    Found(Vec<Finding>),
    /// It is not there.
    RuledOut {
        /// How we know.
        because: String,
        /// The calls that show it.
        evidence: Vec<EvidenceId>,
    },
    /// It cannot be told.
    Unknown(Vec<Gap>),
    /// It cannot occur here.
    NotApplicable,
}

/// A fault, where it stands, and the causes made of it.
pub(crate) struct Judged {
    pub(crate) fault: &'static Fault,
    pub(crate) standing: Standing,
    pub(crate) causes: Vec<Cause>,
}

impl Judged {
    /// The repairs of a cause, the usual one first.
    pub(crate) fn repairs_for(&self, code: &str, subjects: &[String]) -> &[Repair] {
        match &self.standing {
            Standing::Found(findings) if self.fault.code == code => findings
                .iter()
                .find(|finding| finding.subjects == subjects)
                .map_or(&[], |finding| &finding.repairs),
            _ => &[],
        }
    }
}

/// Makes causes of what was found and suspects of what lies undecided inside the break.
pub(crate) fn rank(case: &Case, progress: &Progress, compared: Option<&Compared>, judged: &mut [Judged]) {
    for judged in judged.iter_mut() {
        let fault = judged.fault;
        judged.causes = match &judged.standing {
            Standing::Found(findings) => findings.iter().map(|finding| found(fault, finding, case)).collect(),
            Standing::Unknown(_) => suspect(fault, case, progress, compared).into_iter().collect(),
            _ => Vec::new(),
        };
    }
    explain_away(judged);
    let proven = judged.iter().flat_map(|j| &j.causes).any(|cause| cause.status != CauseStatus::Possible);
    let total: f64 = judged.iter().flat_map(|j| &j.causes).map(odds).sum();
    for cause in judged.iter_mut().flat_map(|j| &mut j.causes) {
        let share = if total > 0.0 { odds(cause) / total } else { 0.0 };
        // The catalogue is not complete: what is not confirmed never has all of it.
        let share = if cause.status == CauseStatus::Confirmed { share } else { share * IN_THE_CATALOGUE };
        cause.probability =
            round(if proven && cause.status == CauseStatus::Confirmed { share.max(0.5) } else { share });
    }
}

/// A cause that something shows explains a part of what speaks for the others: what is merely not excluded, however common, weighs no
/// more beside it.
fn explain_away(judged: &mut [Judged]) {
    let of = |status| judged.iter().flat_map(|j| &j.causes).filter(move |cause| cause.status == status);
    let Some(shown) = of(CauseStatus::Likely).min_by(|a, b| odds(a).total_cmp(&odds(b))) else { return };
    let (least, most) = (odds(shown), of(CauseStatus::Possible).map(odds).fold(0.0, f64::max));
    if least >= most {
        return;
    }
    let text = format!(
        "{} is shown by something, and this one by nothing: it weighs no more beside it",
        shown.fault
    );
    let evidence: Vec<EvidenceId> =
        shown.because.first().map(|line| line.evidence.clone()).unwrap_or_default();
    let line = because(text, &evidence, (least / most).next_down());
    let causes = judged.iter_mut().flat_map(|j| &mut j.causes);
    for suspect in causes.filter(|cause| cause.status == CauseStatus::Possible) {
        suspect.because.push(line.clone());
    }
}

/// How much of the odds the catalogue's faults hold together while nothing is confirmed; the rest is for what it does not know.
const IN_THE_CATALOGUE: f64 = 0.95;

/// Three places are more than the weights are worth, and enough to sort by.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn odds(cause: &Cause) -> f64 {
    cause.because.iter().map(|line| line.weight).product()
}

fn found(fault: &Fault, finding: &Finding, case: &Case) -> Cause {
    let stage = finding.stage.unwrap_or(fault.stage);
    let status = match finding.certainty {
        Certainty::Proven => CauseStatus::Confirmed,
        Certainty::Circumstantial => CauseStatus::Likely,
    };
    let mut lines = finding.because.clone();
    let status = match case.combination.platform_assumed {
        // Were it V2, READY would show that the image was fetched.
        Some(why) if stage == Stage::ArtifactFetch && case.is_ready() => {
            let text = format!("the platform's version is not known: {why}; on V2, READY would refute this");
            lines.push(because(text, &case.runtime_evidence(), 0.5));
            CauseStatus::Likely
        }
        _ => status,
    };
    Cause {
        fault: fault.code.to_owned(),
        title: fault.title.to_owned(),
        stage: stage.id().to_owned(),
        status,
        probability: 0.0,
        primary: false,
        subjects: finding.subjects.clone(),
        because: lines,
        fix: None,
    }
}

fn suspect(fault: &Fault, case: &Case, progress: &Progress, compared: Option<&Compared>) -> Option<Cause> {
    let stage = suspected_stage(fault, progress)?;
    let why_here = progress.all_failures().next().map(|f| f.evidence.clone()).unwrap_or_default();
    let mut lines = vec![because(
        format!("«{}» lies inside the break; prior from field frequency", stage.title()),
        &why_here,
        fault.prior,
    )];
    lines.extend(by_error_text(fault, case));
    lines.extend(by_artifact(fault, case));
    lines.extend(experiment::suspicion(case, fault.code));
    lines.extend(by_comparison(fault, compared));
    if lines.iter().all(|line| line.evidence.is_empty()) {
        return None; // A cause without evidence is none.
    }
    let subject = match area(fault) {
        "app" | "contract" | "image" => case.runtime().and_then(|r| r.container_uri()).map(str::to_owned),
        "iam" => case.execution_role_name(),
        _ => None,
    };
    Some(Cause {
        fault: fault.code.to_owned(),
        title: fault.title.to_owned(),
        stage: stage.id().to_owned(),
        status: CauseStatus::Possible,
        probability: 0.0,
        primary: false,
        subjects: subject.into_iter().collect(),
        because: lines,
        fix: None,
    })
}

/// The stage at which the fault would explain the break: its own, or another one that needs the same thing.
fn suspected_stage(fault: &Fault, progress: &Progress) -> Option<Stage> {
    if fault.stage.is_side() {
        return None;
    }
    let other: &[Stage] = match fault.code {
        // The role is assumed again for every session, the image fetched again for every boot.
        "iam.trust_policy" => &[Stage::SessionPlacement],
        "image.tag_missing" | "image.manifest_unsupported" | "iam.exec_role_ecr_denied" => {
            &[Stage::ArtifactFetch]
        }
        // A process may need a host before it listens, before it is healthy, or for a request.
        "net.downstream_unreachable" => &[Stage::ProcessStart, Stage::Health],
        _ => &[],
    };
    [fault.stage].iter().chain(other).copied().find(|stage| progress.in_break(*stage))
}

fn area(fault: &Fault) -> &'static str {
    fault.code.split('.').next().unwrap_or_default()
}

/// Faults that the service, or the caller's library, names in a text that nothing else leaves.
const WITH_A_TEXT_OF_THEIR_OWN: &[&str] = &[
    "client.timeout",
    "contract.non2xx_masked",
    "fs.byo_mount",
    "request.invalid",
    "svc.auth_mismatch",
    "svc.quota",
    "svc.session_conflict",
    "svc.version_not_ready",
];

/// How well the error's text fits, by which texts field reports of the fault quote.
fn by_error_text(fault: &Fault, case: &Case) -> Option<Because> {
    let symptom = case.symptom()?;
    let known = service::recognise_error(&symptom.text)?;
    let (weight, fit) = match (known.id.as_str(), fault.code) {
        (_, code) if known.fault.as_deref() == Some(code) => (10.0, "names"),
        // Faults with an error text of their own are not behind another.
        (_, code) if WITH_A_TEXT_OF_THEIR_OWN.contains(&code) => (0.1, "is not the one that comes with"),
        ("health_check_failed", "contract.protocol_mismatch") => (2.0, "names the classic sign of"),
        ("health_check_failed", code) if code.starts_with("app.") => {
            (1.5, "is what a process that died at start leaves, as for")
        }
        ("health_check_failed", code) if code.starts_with("net.") => (0.5, "comes less often from"),
        ("initialization_exceeded", code) if code.starts_with("net.") => {
            (2.0, "is what a blocked fetch leaves first, as for")
        }
        ("start_error", code) if code.starts_with("app.") => (4.0, "says that the process exited, as for"),
        ("start_error", code) if code.starts_with("net.") || code.starts_with("contract.") => {
            (0.2, "says that the process exited, unlike for")
        }
        _ => return None,
    };
    Some(because(format!("the error text {fit} this fault"), &symptom.evidence, weight))
}

/// What the artifact's kind and age say.
fn by_artifact(fault: &Fault, case: &Case) -> Option<Because> {
    if fault.code == "app.dependency_not_packaged" {
        let container = case.combination.artifact == ArtifactKind::Container;
        let evidence = case.runtime_evidence();
        return container.then(|| {
            because("a container build installs its requirements; a code zip does not", &evidence, 0.3)
        });
    }
    let image = case.image();
    if fault.code == "image.stale_tag" {
        let (pushed, changed) = (image.value()?.image_pushed_at?, case.changed_at()?);
        let text = format!("the image that the tag names now was pushed at {pushed}, after the last update");
        return (pushed > changed).then(|| because(text, image.evidence(), 2.0));
    }
    if let Some(line) = fails_since_push(fault, case) {
        return Some(line);
    }
    if fault.code != "app.dependency_drift" {
        return None;
    }
    let (pushed, created) = (image.value()?.image_pushed_at?, case.created_at()?);
    let hours = created.seconds_since(pushed) / 3600;
    (0..24).contains(&hours).then(|| {
        let text = format!(
            "the image was built shortly before ({pushed}): a build resolves unpinned requirements anew"
        );
        because(text, image.evidence(), 2.0)
    })
}

/// Calls were answered before the image was pushed, and fail since: it is something in the new image, or in how it was pushed.
fn fails_since_push(fault: &Fault, case: &Case) -> Option<Because> {
    if !matches!(area(fault), "app" | "image") {
        return None;
    }
    let image = case.image();
    let pushed = image.value()?.image_pushed_at?;
    let failing = case.symptom().filter(|symptom| symptom.at > Some(pushed))?;
    let before = case
        .invocations()
        .into_iter()
        .rfind(|call| call.was_answered() && call.at.is_some_and(|at| at < pushed))?;
    let evidence: Vec<EvidenceId> = failing
        .evidence
        .into_iter()
        .chain([before.evidence.clone()])
        .chain(image.evidence().to_vec())
        .collect();
    let text = format!("a call was answered before the image was pushed ({pushed}), and the later one fails");
    Some(because(text, &evidence, 3.0))
}

/// What the difference to a working runtime says.
fn by_comparison(fault: &Fault, compared: Option<&Compared>) -> Option<Because> {
    let compared = compared?;
    let with = &compared.plain.with;
    let evidence = &compared.plain.evidence;
    match area(fault) {
        "app" | "contract" | "image" if compared.image_differs => {
            Some(because(format!("{with} gets further with another image"), evidence, 3.0))
        }
        "app" | "contract" | "image" => {
            Some(because(format!("{with} gets further with the same image"), evidence, 0.05))
        }
        "iam" if compared.role_same => {
            Some(because(format!("{with} gets further with the same execution role"), evidence, 0.3))
        }
        _ => None,
    }
}
