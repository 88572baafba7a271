//! A program that the kernel refuses as no program of its own: one for another machine, or no program at all.
//!
//! The kernel's answer is the same for both. What tells them apart is the file: its machine as the rehearsal read it, or what an
//! inspection of the same image found.

use launchpath_model::world::{ImageFinding, Rehearsal};

use super::identity::{Origin, inspections};
use crate::case::Case;

/// The word for it among the reasons of the table of breaches.
pub(super) fn reason(case: &Case, rehearsal: &Rehearsal, origin: Origin) -> &'static str {
    if rehearsal.program_architecture.is_some() {
        return "exec_format_error/other_machine";
    }
    // Findings of another image say nothing about this one.
    let of_the_same = inspections(case).into_iter().filter(|(_, whose)| *whose == origin);
    let findings: Vec<&ImageFinding> =
        of_the_same.flat_map(|(inspection, _)| inspection.findings.iter()).collect();
    if findings.iter().any(|finding| is_of_a_program(finding)) {
        return "exec_format_error/other_machine";
    }
    if findings.iter().any(|finding| finding.kind == "not_executable_format") {
        return "exec_format_error/no_program";
    }
    "exec_format_error"
}

/// Whether a finding is about the machine of a program in the image, not about the platform that its documents name.
pub(super) fn is_of_a_program(finding: &ImageFinding) -> bool {
    finding.kind == "wrong_architecture" && finding.detail_text("program").is_some()
}

/// Whether an experiment saw a program for another machine: nothing that the service's look at the documents would find.
pub(crate) fn names_a_program(case: &Case) -> bool {
    let rehearsed = super::identity::rehearsals(case);
    rehearsed.iter().any(|(rehearsal, _)| rehearsal.program_architecture.is_some())
        || inspections(case).iter().any(|(inspection, _)| inspection.findings.iter().any(is_of_a_program))
}
