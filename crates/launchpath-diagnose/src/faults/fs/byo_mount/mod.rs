//! `fs.byo_mount`: an EFS or S3 Files access point, or the session's own storage, cannot be mounted.

use launchpath_model::{Gap, GapReason};

use crate::case::{Case, Mode};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::process_log::excerpt;
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "fs.byo_mount",
    title: "A file system of the runtime cannot be mounted",
    stage: Stage::FileSystemMount,
    since: "0.1.0",
    prior: 2.0,
    needs: &["GetAgentRuntime", "InvokeAgentRuntime", "DescribeSecurityGroups"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.runtime().is_some() && !case.combination.mounts {
        return Check::NotApplicable("the runtime mounts no file system");
    }
    let symptom = case.symptom().filter(|symptom| !symptom.reported);
    if let Some(symptom) = symptom.filter(|symptom| speaks_of_mounting(&symptom.text)) {
        let text = format!("the failure names it: {}", excerpt(&symptom.text));
        let lines = vec![because(text, &symptom.evidence, DIRECT)];
        // Without the runtime's configuration it is the text alone that speaks of a file system.
        let certainty = if case.runtime().is_some() { Certainty::Proven } else { Certainty::Circumstantial };
        let finding = Finding::new(certainty, subjects(case), lines);
        return Check::found(finding.map(|finding| finding.with_repair(open())));
    }
    if case.combination.mode == Some(Mode::Public) && needs_vpc(case) {
        let text =
            "an EFS or S3 Files access point is mounted from inside a VPC, and the runtime is in PUBLIC mode";
        let lines = vec![because(text, &case.runtime_evidence(), DIRECT)];
        let finding = Finding::new(Certainty::Proven, subjects(case), lines);
        return Check::found(finding.map(|finding| finding.with_repair(open())));
    }
    Check::unknown(Gap {
        what: "whether mount targets, port 2049 and the role's client rights let the file system be mounted"
            .to_owned(),
        reason: GapReason::NotModelled {
            what: "mount targets and access points are not collected".to_owned(),
        },
        evidence: case.runtime_evidence(),
        command: Some("aws efs describe-mount-targets --file-system-id FILE-SYSTEM".to_owned()),
    })
}

/// The exact texts are not documented; they name the file system and its mounting.
fn speaks_of_mounting(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("mount")
        && !lower.contains("overlay")
        && ["file system", "filesystem", "file-system", "efs", "s3 files", "access point"]
            .iter()
            .any(|w| lower.contains(w))
}

fn needs_vpc(case: &Case) -> bool {
    let mounts = case.runtime().and_then(|runtime| runtime.filesystem_configurations.as_ref());
    mounts
        .into_iter()
        .flatten()
        .any(|mount| mount.get("efsAccessPoint").is_some() || mount.get("s3FilesAccessPoint").is_some())
}

fn subjects(case: &Case) -> Vec<String> {
    trial::runtime_subject(case)
}

fn open() -> Repair {
    let mut repair = Repair::new(
        "Give the mount its way: VPC mode, a mount target in every zone, TCP 2049 both ways, the role's client rights",
        Safety::Review,
        Vec::new(),
    );
    repair.steps = vec![
        "# security groups: runtime out to 2049, mount target in from the runtime's group".to_owned(),
        "# role: elasticfilesystem:ClientMount and ClientWrite (or s3files:…) on the access point".to_owned(),
    ];
    repair
}
