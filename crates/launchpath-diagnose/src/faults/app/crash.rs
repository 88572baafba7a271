//! How the process died, and which of the start-up faults that is: shared by the faults that a death shows.
//!
//! One traceback names one fault for sure, or two that its text cannot tell apart.

use launchpath_image::import::{self, ImportFailure, Owner};
use launchpath_image::traceback::{self, Traceback};
use launchpath_model::world::Rehearsal;
use launchpath_model::{EvidenceId, Gap, GapReason, Known};
use serde_json::json;

use crate::case::Case;
use crate::chain::fatal_traceback;
use crate::diagnosis::{Because, Safety};
use crate::experiment::{self, Broken, Condition, Origin, differences};
use crate::faults::net::says_unreachable;
use crate::faults::{Certainty, Check, Context, DIRECT, Finding, because, trial};
use crate::refusal;
use crate::repair::{Change, Repair};

/// A death of the process.
pub(in crate::faults) struct Death {
    /// The traceback.
    pub(in crate::faults) traceback: Traceback,
    /// What it says about imports.
    pub(in crate::faults) import: Option<ImportFailure>,
    /// The calls that show it.
    pub(in crate::faults) evidence: Vec<EvidenceId>,
    /// Where it was printed.
    pub(in crate::faults) origin: Printed,
    /// What was not like the service where it was printed, and may be why.
    unlike: Vec<Unlike>,
}

/// A condition that a rehearsal did not share with the launch.
struct Unlike {
    /// The faults whose death it may be the reason of.
    faults: &'static [&'static str],
    /// In words.
    text: String,
}

/// Where a traceback was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::faults) enum Printed {
    /// In the runtime's own log.
    Log,
    /// In a rehearsal.
    Rehearsal(Origin),
}

/// What is known of how the process started.
pub(super) enum Start {
    /// It died.
    Died(Box<Death>),
    /// Nobody saw it die.
    Unseen(Vec<Gap>),
}

/// How the process started, from its log first, then from rehearsals.
pub(super) fn start(case: &Case) -> Start {
    let distributions = case.distributions();
    if let Some(crash) = fatal_traceback(case) {
        let import = import::classify(&crash.traceback, &distributions);
        let death = Death {
            traceback: crash.traceback,
            import,
            evidence: vec![crash.evidence],
            origin: Printed::Log,
            unlike: Vec::new(),
        };
        return Start::Died(Box::new(death));
    }
    for (rehearsal, origin) in experiment::rehearsals(case) {
        // Where the rehearsal itself cannot tell why it ended, what it printed is no proof.
        if rehearsal.passed == Some(true) || experiment::undecided(rehearsal).is_some() {
            continue;
        }
        let Some(traceback) = traceback::find(&rehearsal.output).pop() else { continue };
        if !traceback::ended_the_start(&rehearsal.output, &traceback) {
            continue; // It listened all the same: what broke is another clause.
        }
        if says_unreachable(&traceback.headline()) && !rehearsal.behind_vpc_rules {
            continue; // It had no network like the runtime's: what it could not reach here proves nothing.
        }
        let import = import::classify(&traceback, &distributions);
        let evidence = vec![rehearsal.evidence.clone()];
        let unlike = unlike(case, rehearsal, &traceback);
        let origin = Printed::Rehearsal(origin);
        return Start::Died(Box::new(Death { traceback, import, evidence, origin, unlike }));
    }
    Start::Unseen(gaps(case))
}

/// What was not like the service in a rehearsal and may have made the process die of this.
fn unlike(case: &Case, rehearsal: &Rehearsal, traceback: &Traceback) -> Vec<Unlike> {
    const EXCEPTION: &[&str] = &["app.startup_exception"];
    // A path may come from a variable; what is installed does not.
    const BY_VARIABLE: &[&str] = &["app.startup_exception", "app.missing_source_file"];
    let mut all = Vec::new();
    let mut add = |faults, text: String| all.push(Unlike { faults, text });
    if let Some(name) = traceback.missing_variable() {
        if experiment::was_given(rehearsal, &name) {
            return all;
        }
        let Some(runtime) = case.runtime() else {
            add(EXCEPTION, format!("the rehearsal was not given {name}, which the runtime may set"));
            return all;
        };
        if runtime.environment_variables.as_ref().is_some_and(|set| set.contains_key(&name)) {
            add(EXCEPTION, format!("the rehearsal was not given {name}, which the runtime sets"));
        }
        return all;
    }
    for text in differences(case, rehearsal, &[Condition::Environment]) {
        add(BY_VARIABLE, text);
    }
    for text in differences(case, rehearsal, &[Condition::Network]) {
        add(EXCEPTION, text);
    }
    let message = traceback.text.to_lowercase();
    if ["errno 30", "erofs"].iter().any(|word| message.contains(word)) {
        add(EXCEPTION, "what is read-only in the rehearsal need not be so in a session".to_owned());
    }
    if rehearsal.clauses.iter().any(|clause| clause.reason.as_deref() == Some("process_limit")) {
        add(EXCEPTION, "the limit of processes that it met is the rehearsal's own".to_owned());
    }
    if CREDENTIALS.iter().any(|word| message.contains(word)) {
        add(EXCEPTION, "the rehearsal had no credentials of the execution role".to_owned());
    }
    all
}

/// What clients print that have no credentials, or ones that AWS does not know; lower case.
const CREDENTIALS: &[&str] = &[
    "nocredentials",
    "unable to locate credentials",
    "credentialsprovidererror",
    "could not load credentials",
    "invalidclienttokenid",
    "unrecognizedclientexception",
    "expiredtoken",
    "security token included in the request is",
];

fn gaps(case: &Case) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let group = case.log_group().unwrap_or_default();
    match case.log_lines() {
        Known::Unknown(gap) => gaps.push(gap),
        Known::Absent(absence) => gaps.push(Gap {
            what: format!("log lines of {group}"),
            reason: GapReason::NotVisible {
                why: "the log is empty, which a process that dies before it prints leaves too".into(),
            },
            evidence: absence.evidence().to_vec(),
            command: Some(case.command("logs", "FilterLogEvents", &json!({ "logGroupName": group }))),
        }),
        // Lines without a fatal traceback: what they show is judged with the chain.
        Known::Known(_) => {}
    }
    gaps.push(trial::unrehearsed(case));
    gaps
}

/// Which faults a death is: one for sure, or several that fit.
pub(super) fn faults_of(death: &Death) -> Vec<(&'static str, Certainty)> {
    use Certainty::{Circumstantial, Proven};
    const DRIFT: &str = "app.dependency_drift";
    const NOT_PACKAGED: &str = "app.dependency_not_packaged";
    const MISSING_SOURCE: &str = "app.missing_source_file";
    const EXCEPTION: &str = "app.startup_exception";
    if says_unreachable(&death.traceback.headline()) {
        return vec![("net.downstream_unreachable", Proven)];
    }
    if is_refused_file(&death.traceback) {
        return vec![("image.file_permissions", Proven)];
    }
    if death.traceback.exception == traceback::EXEC_ERROR
        && death.traceback.message.contains("bad interpreter")
    {
        return vec![(NOT_PACKAGED, Proven)];
    }
    match &death.import {
        Some(
            ImportFailure::MissingSubmodule { owner: Owner::ThirdParty, .. }
            | ImportFailure::MissingName { owner: Owner::ThirdParty, .. },
        ) => vec![(DRIFT, Proven)],
        Some(ImportFailure::MissingSubmodule { owner: Owner::Unclear, .. }) => {
            vec![(DRIFT, Circumstantial), (MISSING_SOURCE, Circumstantial)]
        }
        Some(
            ImportFailure::MissingName { owner: Owner::Unclear, .. }
            | ImportFailure::UnexpectedArgument { .. },
        ) => vec![(DRIFT, Circumstantial), (EXCEPTION, Circumstantial)],
        Some(
            ImportFailure::MissingModule { owner: Owner::ThirdParty, .. }
            | ImportFailure::MissingExtension { .. }
            | ImportFailure::MissingLibrary { .. },
        ) => vec![(NOT_PACKAGED, Proven)],
        Some(ImportFailure::MissingModule { owner: Owner::Unclear, .. }) => {
            vec![(MISSING_SOURCE, Circumstantial), (NOT_PACKAGED, Circumstantial)]
        }
        Some(
            ImportFailure::MissingSubmodule { owner: Owner::Own, .. }
            | ImportFailure::MissingModule { owner: Owner::Own, .. },
        ) => vec![(MISSING_SOURCE, Proven)],
        Some(ImportFailure::MissingFile { path }) if is_of_the_image(path, &death.traceback) => {
            vec![(MISSING_SOURCE, Proven)]
        }
        Some(ImportFailure::MissingName { owner: Owner::Own, .. } | ImportFailure::MissingFile { .. })
        | None => {
            vec![(EXCEPTION, Proven)]
        }
    }
}

/// Whether the process died because its user may not read, run or write a file.
pub(in crate::faults) fn is_refused_file(traceback: &Traceback) -> bool {
    let class = traceback.exception.rsplit('.').next().unwrap_or_default();
    class == "PermissionError" && traceback.message.contains("Errno 13")
        || traceback.message.starts_with("EACCES: permission denied")
}

/// Whether a file would come with the image: not from a mount, the system or a developer's machine, and no program to run.
fn is_of_the_image(path: &str, traceback: &Traceback) -> bool {
    let elsewhere = ["/mnt/", "/tmp/", "/proc/", "/sys/", "/dev/", "/etc/", "/run/", "/var/run/"];
    let program = traceback.frames.last().is_some_and(|frame| frame.file.ends_with("/subprocess.py"));
    !program && !path.contains("/.aws/") && !elsewhere.iter().any(|start| path.starts_with(start))
}

/// The check of a fault that a death of the process shows. `explain` adds lines and the repair for a death that is this fault;
/// `mend` gives the repair for one that an experiment shows without a traceback.
pub(in crate::faults) fn check(
    context: &Context,
    code: &str,
    explain: impl Fn(&Case, &Death) -> (Vec<Because>, Repair),
    mend: impl Fn(&Case, &Broken) -> Option<Repair>,
) -> Check {
    let case = context.case;
    match start(case) {
        Start::Unseen(mut gaps) => match trial::answer(context, code, trial::image_subject(case), mend) {
            Ok(check) => check,
            Err(open) => {
                // The last one is the rehearsal that nobody made.
                gaps.pop();
                gaps.extend(open);
                Check::Unknown(gaps)
            }
        },
        Start::Died(death) => {
            if let Some(action) = denied_call(case, &death) {
                let why =
                    format!("the process died of a refused call, {action}: {}", death.traceback.headline());
                return Check::ruled_out(why, death.evidence);
            }
            let faults = faults_of(&death);
            let Some((_, certainty)) = faults.iter().find(|(fault, _)| *fault == code) else {
                return something_else(case, death);
            };
            let (lines, repair) = explain(case, &death);
            let mut all = lines;
            all.push(because(printed_where(case, &death), &death.evidence, DIRECT));
            let mut certainty = *certainty;
            for unlike in death.unlike.iter().filter(|unlike| unlike.faults.contains(&code)) {
                // What another condition may have caused is not proved.
                certainty = Certainty::Circumstantial;
                all.push(because(format!("but {}", unlike.text), &death.evidence, 0.5));
            }
            all.extend(old_image(case));
            let finding = Finding::new(certainty, trial::image_subject(case), all);
            Check::found(finding.map(|finding| finding.with_repair(repair)))
        }
    }
}

/// A death of another kind rules a fault out where it is the launch's own: what died here under other conditions, or is not known
/// to be the deployed image, may not have come as far as the launch does.
fn something_else(case: &Case, death: Box<Death>) -> Check {
    let headline = death.traceback.headline();
    let but = match death.origin {
        Printed::Rehearsal(Origin::AsOffered) => {
            Some("that the rehearsed image is the deployed one is the word of whoever offered it".to_owned())
        }
        Printed::Rehearsal(Origin::ThisImage) => death.unlike.into_iter().next().map(|unlike| unlike.text),
        Printed::Log => None,
    };
    let Some(but) = but else {
        return Check::ruled_out(format!("the process died of something else: {headline}"), death.evidence);
    };
    Check::unknown(Gap {
        what: "how the deployed image starts as the service runs it".to_owned(),
        reason: GapReason::NotVisible {
            why: format!("in a rehearsal it died of something else ({headline}), but {but}"),
        },
        evidence: death.evidence,
        command: case.rehearse_command(),
    })
}

/// The action that the execution role was refused, when the process died of that: a fault of permissions, not of the image.
fn denied_call(case: &Case, death: &Death) -> Option<String> {
    let role = case.execution_role_name().filter(|_| death.origin == Printed::Log)?;
    refusal::of_role(&death.traceback.message, &role).map(|(action, _)| action)
}

/// The image is older than the runtime by a day or more: who mended the code since then has not built it.
fn old_image(case: &Case) -> Option<Because> {
    const A_DAY: i64 = 24 * 3600;
    let Known::Known(image) = case.image() else { return None };
    let (pushed, created) = (image.value.image_pushed_at?, case.changed_at()?);
    let text = format!(
        "the image was pushed at {pushed}, long before the runtime was last changed ({created}): what was mended since is not in it"
    );
    (created.seconds_since(pushed) >= A_DAY).then(|| because(text, &image.evidence, 1.0))
}

fn printed_where(case: &Case, death: &Death) -> String {
    let text = &death.traceback.text;
    match death.origin {
        Printed::Log => format!("the traceback stands in {}:\n{text}", case.log_group().unwrap_or_default()),
        Printed::Rehearsal(Origin::ThisImage) => format!("the rehearsal of this very image printed:\n{text}"),
        Printed::Rehearsal(Origin::AsOffered) => format!(
            "the rehearsed image printed it; that it is the deployed image is the word of whoever offered it, the digests are \
             not the same or not known:\n{text}"
        ),
    }
}

/// The steps that build and push the artifact anew and make the runtime use it.
pub(in crate::faults) fn rebuild(case: &Case, summary: String, mut steps: Vec<String>) -> Repair {
    if let Some(uri) = case.runtime().and_then(|r| r.container_uri()) {
        steps
            .push(format!("docker buildx build --platform linux/arm64 --provenance=false -t {uri} --push ."));
    } else {
        steps.push("# zip the artifact again and upload it to the place the runtime names".to_owned());
    }
    restart(case, summary, steps)
}

/// The steps that make the runtime start anew; what the old process printed no longer speaks then.
pub(in crate::faults) fn restart(case: &Case, summary: String, steps: Vec<String>) -> Repair {
    let mut repair = Repair::new(summary, Safety::Review, Vec::new());
    repair.steps = steps;
    repair.changes.extend(case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }));
    repair.steps.push(
        "# then update the runtime to a new version and call it with a new session id: an old session keeps the old one"
            .to_owned(),
    );
    repair.assumes = Some("the process then starts and answers its health probe".to_owned());
    repair
}
