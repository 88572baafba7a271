//! `image.wrong_server_model`: the image starts a Lambda handler, a command or a job, and no server that stays.

use launchpath_model::EvidenceId;

use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::experiment::{self, Broken};
use crate::faults::app::crash;
use crate::faults::image::config;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, because, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "image.wrong_server_model",
    title: "The image starts no server that stays",
    stage: Stage::ProcessStart,
    since: "0.1.0",
    prior: 1.0,
    needs: &["GetAgentRuntime", "GetImageConfig", "Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

/// What starts a Lambda function: it waits for Lambda's own API and serves no request.
///
/// AWS: <https://docs.aws.amazon.com/lambda/latest/dg/python-image.html>
const LAMBDA: &[&str] = &["lambda-entrypoint.sh", "awslambdaric", "aws-lambda-ric", "aws-lambda-rie"];

fn check(context: &Context) -> Check {
    let case = context.case;
    if case.combination.artifact == ArtifactKind::CodeZip {
        return Check::NotApplicable("the artifact is a code zip");
    }
    let open = match trial::answer(context, FAULT.code, trial::image_subject(case), |case, _: &Broken| {
        Some(serve(case))
    }) {
        Ok(check) => return check,
        Err(open) => open,
    };
    if let Some(answered) = trial::answered_before(case) {
        return answered;
    }
    if let Some((command, evidence)) = command(case)
        && let Some(starter) = LAMBDA.iter().find(|starter| command.contains(**starter))
    {
        let text = format!(
            "the image starts {starter}, which runs a Lambda handler and not a server of this contract"
        );
        let finding = Finding::new(
            Certainty::Proven,
            trial::image_subject(case),
            vec![because(text, &evidence, DIRECT)],
        );
        return Check::found(finding.map(|finding| finding.with_repair(serve(case))));
    }
    Check::Unknown(open)
}

/// What the image starts, from its config or an inspection of it.
fn command(case: &Case) -> Option<(String, Vec<EvidenceId>)> {
    if let Some((config, evidence)) = config::config(case) {
        let process = config.config.as_ref()?;
        let words: Vec<&str> =
            process.entrypoint.iter().chain(&process.cmd).flatten().map(String::as_str).collect();
        return Some((words.join(" "), evidence));
    }
    let (inspection, _) =
        experiment::inspections(case).into_iter().find(|(inspection, _)| !inspection.argv.is_empty())?;
    Some((inspection.argv.join(" "), vec![inspection.evidence.clone()]))
}

fn serve(case: &Case) -> Repair {
    let first = vec![
        "# start a server: with the AgentCore SDK, BedrockAgentCoreApp().run(); else any HTTP server with /ping and /invocations"
            .to_owned(),
        "# not from a Lambda base image: FROM public.ecr.aws/docker/library/python:3.13-slim".to_owned(),
    ];
    crash::rebuild(case, "Start a server that stays and serves the contract; build again".to_owned(), first)
}
