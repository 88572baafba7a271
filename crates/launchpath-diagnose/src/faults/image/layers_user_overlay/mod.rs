//! `image.layers_user_overlay`: too many layers together with a user that is named, not numbered.

use launchpath_model::{EvidenceId, Gap, GapReason, service};

use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::experiment::Broken;
use crate::faults::app::crash;
use crate::faults::image::config;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.layers_user_overlay",
    title: "Too many layers together with a named user",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "BatchGetImage", "GetImageConfig", "FilterLogEvents", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let (most, provenance) = service::limit("layers_with_named_user");
    let said = context.progress.all_failures().find(|f| f.fault == Some(FAULT.code) && !f.reported);
    if let Some(failure) = said {
        let lines =
            vec![because(format!("the service says so: {}", failure.text), &failure.evidence, DIRECT)];
        let finding = Finding::new(Certainty::Proven, trial::image_subject(case), lines);
        return Check::found(finding.map(|finding| finding.with_repair(number(case))));
    }
    let layers = config::manifest(case).and_then(|row| {
        let count = i64::try_from(row.value.layers.as_ref()?.len()).ok()?;
        Some((count, row.evidence.clone()))
    });
    let user = user(case);
    match (&layers, &user) {
        (Some((count, evidence)), _) if *count <= most => {
            return Check::ruled_out(
                format!(
                    "the image has {count} {}; up to {most} work with any user",
                    if *count == 1 { "layer" } else { "layers" }
                ),
                evidence.clone(),
            );
        }
        (_, Some((user, evidence))) if is_numbered(user) => {
            let user = if user.is_empty() { "none is named" } else { user };
            return Check::ruled_out(
                format!("the image's user is a number or root by default ({user})"),
                evidence.clone(),
            );
        }
        (Some((count, seen)), Some((user, more))) => {
            let mut evidence = seen.clone();
            evidence.extend(more.clone());
            let text = format!(
                "the image has {count} layers and its user is named {user}; more than {most} layers need a number ({})",
                provenance.source
            );
            let finding = Finding::new(
                Certainty::Proven,
                trial::image_subject(case),
                vec![because(text, &evidence, DIRECT)],
            );
            return Check::found(finding.map(|finding| finding.with_repair(number(case))));
        }
        _ => {}
    }
    match trial::answer(context, FAULT.code, trial::image_subject(case), |case, _: &Broken| {
        Some(number(case))
    }) {
        Ok(check) => check,
        Err(_) => Check::unknown(Gap {
            what: "the image's layers and user".to_owned(),
            reason: GapReason::NotAsked,
            evidence: Vec::new(),
            command: case.pinned_image().map(|image| format!("launchpath inspect {image}")),
        }),
    }
}

/// The user that the image's config names; empty when it names none.
fn user(case: &Case) -> Option<(String, Vec<EvidenceId>)> {
    let (config, evidence) = config::config(case)?;
    Some((config.config.as_ref()?.user.clone().unwrap_or_default(), evidence))
}

fn is_numbered(user: &str) -> bool {
    user.split(':').next().unwrap_or_default().bytes().all(|b| b.is_ascii_digit())
}

fn number(case: &Case) -> Repair {
    let first = vec![
        "# in the Dockerfile: USER 1000 in place of a name, or fewer layers (one RUN, a multi-stage build)"
            .to_owned(),
    ];
    crash::rebuild(case, "Name the image's user by its number, or build fewer layers".to_owned(), first)
}
