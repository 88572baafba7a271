//! `iam.scp_deny`: a limit set around the caller denies: a control policy, a boundary, a session policy, an endpoint's policy.
//!
//! Two ways to find it: a refusal whose text blames such a policy (of the caller, of the execution role in the runtime's log or in
//! CloudTrail, of whoever was to create the service-linked role), and the policy of an interface endpoint on the way that keeps the
//! execution role from the image or its log. The S3 endpoint's policy is `net.s3_path_missing`.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use launchpath_iam::Decision;
use launchpath_model::{EvidenceId, Gap, GapReason};

use super::slr_missing_or_denied::creation_refused as slr_creation_refused;
use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::denial_message::Denial;
use crate::faults::{Certainty, Check, Context, DIRECT, Fault, Finding, NETWORK_ROLE, because};
use crate::permissions;
use crate::refusal::{self, Refusal};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "iam.scp_deny",
    title: "A control policy, boundary or endpoint policy denies a call of the launch",
    stage: Stage::CallerAuthorization,
    since: "0.1.0",
    prior: 0.5,
    needs: &[
        "GetAgentRuntime",
        "LookupEvents",
        "InvokeAgentRuntime",
        "FilterLogEvents",
        "DescribeVpcEndpoints",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let mut seen = Seen::default();
    seen.read_refusals(context);
    seen.read_calls_of_the_role(context);
    seen.read_role_creations(context.case);
    seen.ask_endpoints(context.case);
    if !seen.found.is_empty() {
        return Check::Found(seen.found);
    }
    if !seen.gaps.is_empty() {
        return Check::Unknown(seen.gaps);
    }
    match seen.clear.into_iter().next() {
        Some((text, evidence)) => Check::ruled_out(text, evidence),
        None => Check::NotApplicable("no refusal on record, and no interface endpoint's policy on the way"),
    }
}

/// What the two ways show.
#[derive(Default)]
struct Seen {
    found: Vec<Finding>,
    gaps: Vec<Gap>,
    /// Refusals that blame something else, endpoints that let the role through.
    clear: Vec<(String, Vec<EvidenceId>)>,
}

impl Seen {
    fn read_refusals(&mut self, context: &Context) {
        for failure in context.progress.all_failures().filter(|failure| !failure.reported) {
            let denial = Denial::read(&failure.text).unwrap_or_default();
            match denial.policy {
                Some(policy) if policy.is_guardrail() => {
                    let who = denial.principal.unwrap_or_else(|| "the caller".to_owned());
                    let action = denial.action.unwrap_or_else(|| "the call".to_owned());
                    let how = if denial.explicit == Some(true) { "denies" } else { "does not allow" };
                    let text = format!("a {} {how} {who} {action}: {}", policy.words(), failure.text);
                    let lines = vec![because(text, &failure.evidence, DIRECT)];
                    let finding = Finding::new(Certainty::Proven, vec![who], lines);
                    self.found.extend(finding.map(|finding| finding.at(failure.stage)));
                }
                Some(policy) => {
                    let text = format!("the refusal blames a {}", policy.words());
                    self.clear.push((text, failure.evidence.clone()));
                }
                None if failure.text.contains("Encoded authorization failure message") => {
                    self.gaps.push(Gap {
                        what: "which policy refused the call".to_owned(),
                        reason: GapReason::NotVisible { why: "the refusal holds it encoded".to_owned() },
                        evidence: failure.evidence.clone(),
                        command: Some(
                            "aws sts decode-authorization-message --encoded-message TEXT".to_owned(),
                        ),
                    });
                }
                None => {}
            }
        }
    }

    /// Calls of the execution role: what the launch ends with when it fails at its start, what the code may have got over
    /// otherwise.
    fn read_calls_of_the_role(&mut self, context: &Context) {
        let case = context.case;
        let Some(role) = case.execution_role_name() else { return };
        let failed = refusal::failed_start(context.progress).or_else(|| {
            let mut failures = context.progress.all_failures();
            failures.find(|failure| {
                !failure.reported && matches!(failure.stage, Stage::Request | Stage::Response)
            })
        });
        let mut refusals = refusal::in_log(case, &role).named;
        refusals.extend(refusal::in_trail(case, &role));
        let (telemetry, others): (Vec<Refusal>, Vec<Refusal>) = refusals
            .into_iter()
            .filter(|refusal| refusal.denial.is_by_guardrail())
            .partition(|refusal| refusal::is_telemetry(&refusal.action));
        let Some((policy, refusal)) =
            others.into_iter().next_back().and_then(|refusal| Some((refusal.denial.policy?, refusal)))
        else {
            self.gaps.extend(telemetry.last().map(refusal::got_over));
            return;
        };
        let how = if refusal.denial.explicit == Some(true) { "denies" } else { "does not allow" };
        let text = format!("a {} {how} {role} {}: {}", policy.words(), refusal.action, refusal.text);
        let mut lines = vec![because(text, &refusal.evidence, DIRECT)];
        lines.extend(failed.map(|failure| because(failure.text.clone(), &failure.evidence, 2.0)));
        let certainty = if failed.is_some() { Certainty::Proven } else { Certainty::Circumstantial };
        let stage = failed.map_or(Stage::Response, |failure| failure.stage);
        let finding = Finding::new(certainty, vec![role], lines);
        self.found.extend(finding.map(|finding| finding.at(stage)));
    }

    /// Refused creations of the network service-linked role. Control policies do not bind the role itself, but whoever creates it.
    fn read_role_creations(&mut self, case: &Case) {
        if case.vpc_config().is_none() {
            return;
        }
        let Some(refused) = slr_creation_refused(case) else { return };
        let event = &refused.value;
        let message = event.error_message.as_deref().unwrap_or_default();
        let denial = Denial::read(message).unwrap_or_default();
        let Some(policy) = denial.policy.filter(|policy| policy.is_guardrail()) else { return };
        let who = denial.principal.or_else(|| event.user_identity.arn.clone());
        let who = who.unwrap_or_else(|| "the caller".to_owned());
        let text = format!("a {} keeps {who} from creating {NETWORK_ROLE}: {message}", policy.words());
        let lines = vec![because(text, &refused.evidence, DIRECT)];
        // Once the role is there, the refusal is overcome.
        if case.role(NETWORK_ROLE).value().is_none() {
            let finding = Finding::new(Certainty::Proven, vec![who], lines);
            self.found.extend(finding.map(|finding| finding.at(Stage::EniDryRun)));
        }
    }

    fn ask_endpoints(&mut self, case: &Case) {
        if case.combination.capacity_provider {
            return; // Its own network carries the traffic.
        }
        for (service, id) in case.paths().endpoints_reached(case) {
            let Some(endpoint) = case.world.network.vpc_endpoints.seen(&id) else { continue };
            let answers: Vec<_> = calls_through(case, service)
                .into_iter()
                .filter_map(|(action, resource)| {
                    Some((action, permissions::endpoint_lets(case, endpoint, action, &resource)?))
                })
                .collect();
            let refuses =
                |decision| matches!(decision, Decision::ExplicitlyDenied | Decision::ImplicitlyDenied);
            if let Some((action, answer)) = answers.iter().find(|(_, a)| refuses(a.outcome.decision)) {
                let text =
                    format!("the policy of {id} keeps the execution role from {action}: {}", answer.why());
                let lines = vec![because(text, &answer.evidence, DIRECT)];
                let finding = Finding::new(Certainty::Proven, vec![id.to_string()], lines);
                self.found.extend(finding.map(|finding| finding.at(stage_of(service))));
                continue;
            }
            self.gaps.extend(answers.iter().flat_map(|(_, answer)| answer.gaps.clone()));
            if let Some((_, answer)) = answers.first() {
                let text =
                    "the policies of the interface endpoints on the way let the execution role through";
                self.clear.push((text.to_owned(), answer.evidence.clone()));
            }
        }
    }
}

fn stage_of(service: &str) -> Stage {
    if service == "logs" { Stage::LogDelivery } else { Stage::ArtifactFetch }
}

/// The calls of the execution role that go through the endpoint of a service.
///
/// AWS: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html>
fn calls_through(case: &Case, service: &str) -> Vec<(&'static str, String)> {
    let partition = case.world.partition.as_deref().unwrap_or("aws");
    let repository = || {
        let uri = case.image_uri().filter(|_| case.combination.artifact == ArtifactKind::Container)?;
        let ecr = uri.ecr()?;
        Some(format!("arn:{partition}:ecr:{}:{}:repository/{}", ecr.region, ecr.account, uri.repository))
    };
    match service {
        "ecr.api" => {
            repository().map(|_| ("ecr:GetAuthorizationToken", "*".to_owned())).into_iter().collect()
        }
        "ecr.dkr" => repository()
            .into_iter()
            .flat_map(|arn| ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"].map(|a| (a, arn.clone())))
            .collect(),
        "logs" => {
            let (Some(region), Some(account), Some(group)) =
                (&case.world.region, &case.world.account, case.log_group())
            else {
                return Vec::new();
            };
            let stream =
                format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:runtime-logs");
            vec![("logs:CreateLogStream", stream.clone()), ("logs:PutLogEvents", stream)]
        }
        _ => Vec::new(),
    }
}
