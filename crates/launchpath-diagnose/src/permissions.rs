//! Permission questions of a launch, asked of `launchpath-iam` with the documents the world holds.
//!
//! Service control policies are not among them: they are a fault of their own, and a role whose own policies refuse is refused
//! whatever they say. Start with [`role_may`] and [`trusts`].

use launchpath_iam::{
    Context, Decision, EndpointKind, Layer, Layers, NamedPolicy, Outcome, Policy, Principal, Request,
    evaluate,
};
use launchpath_model::aws::role::Role;
use launchpath_model::aws::vpc_endpoint::VpcEndpoint;
use launchpath_model::{Arn, EvidenceId, Fact, Gap, GapReason, Known, Row, Target};
use serde_json::{Value, json};

use crate::case::Case;

/// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-permissions.html>
pub(crate) const RUNTIME_PRINCIPAL: &str = "bedrock-agentcore.amazonaws.com";

/// An answer with the calls it rests on.
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) evidence: Vec<EvidenceId>,
    /// What would have to be known; empty for a definite decision.
    pub(crate) gaps: Vec<Gap>,
}

impl Answer {
    /// The reasons as one sentence, the weightiest first.
    pub(crate) fn why(&self) -> String {
        let reasons: Vec<String> = self.outcome.because.iter().take(3).map(ToString::to_string).collect();
        reasons.join("; ")
    }
}

/// The policies of a role, with the gaps that keep them from being complete.
struct RolePolicies {
    identity: Layer,
    boundary: Layer,
    evidence: Vec<EvidenceId>,
    gaps: Vec<Gap>,
}

/// Whether the execution role's own policies let it do `action` on `resource`.
pub(crate) fn role_may(case: &Case, action: &str, resource: &str, resource_policy: Layer) -> Option<Answer> {
    let arn = case.runtime()?.role_arn.clone()?;
    let name = case.execution_role_name()?;
    let policies = role_policies(case, &name);
    let principal = Principal::parse(&arn).ok()?;
    let mut layers = Layers::none();
    layers.identity = policies.identity;
    layers.boundary = policies.boundary;
    layers.resource = resource_policy;
    let context = Context::partial("only what the service sends is known").with("aws:PrincipalArn", arn);
    let outcome = evaluate(&Request::new(principal, action, resource, context).ok()?, &layers);
    let gaps = if outcome.decision == Decision::Unknown && policies.gaps.is_empty() {
        vec![Gap {
            what: format!("whether {name} may {action}"),
            reason: GapReason::NotVisible { why: outcome.remaining_text().unwrap_or_default() },
            evidence: policies.evidence.clone(),
            command: None,
        }]
    } else {
        policies.gaps
    };
    Some(Answer { outcome, evidence: policies.evidence, gaps })
}

fn role_policies(case: &Case, role: &str) -> RolePolicies {
    let mut all = RolePolicies {
        identity: Layer::NotApplicable,
        boundary: Layer::NotApplicable,
        evidence: Vec::new(),
        gaps: Vec::new(),
    };
    let mut policies: Vec<NamedPolicy> = Vec::new();
    let mut complete = true;
    let command = |operation: &str| case.command("iam", operation, &json!({ "RoleName": role }));
    let target = |what: &str, operation: &str| {
        Target::new(format!("{what} of {role}"), command(operation))
            .in_account(case.world.account.as_ref())
            .with("RoleName", role)
    };
    match case
        .world
        .inline_policy_names
        .get(&role.to_owned(), &target("the inline policies", "ListRolePolicies"))
    {
        Known::Known(names) => {
            all.evidence.extend(names.evidence);
            for name in names.value {
                let request = json!({ "RoleName": role, "PolicyName": name });
                let target = Target::new(
                    format!("inline policy {name} of {role}"),
                    case.command("iam", "GetRolePolicy", &request),
                )
                .with("RoleName", role)
                .with("PolicyName", name);
                let document = case.world.inline_policies.get(&(role.to_owned(), name.clone()), &target);
                policies.push(named(name, document, &mut all));
            }
        }
        Known::Absent(absence) => all.evidence.extend(absence.evidence().to_vec()),
        Known::Unknown(gap) => {
            complete = false;
            all.gaps.push(gap);
        }
    }
    match case
        .world
        .attached_policies
        .get(&role.to_owned(), &target("the attached policies", "ListAttachedRolePolicies"))
    {
        Known::Known(attached) => {
            all.evidence.extend(attached.evidence);
            for policy in attached.value {
                policies.push(managed(case, &policy.policy_arn, &mut all));
            }
        }
        Known::Absent(absence) => all.evidence.extend(absence.evidence().to_vec()),
        Known::Unknown(gap) => {
            complete = false;
            all.gaps.push(gap);
        }
    }
    if !complete {
        // One unseen policy may allow what the seen ones do not.
        policies.push(NamedPolicy::unknown(
            "the policies that were not seen",
            "not all policies of the role were seen",
        ));
    }
    all.identity = Layer::Known(policies);
    all.boundary = boundary(case, role, &mut all);
    all.evidence.sort();
    all.evidence.dedup();
    all
}

fn boundary(case: &Case, role: &str, all: &mut RolePolicies) -> Layer {
    match case.role(role) {
        Known::Known(fact) => {
            all.evidence.extend(fact.evidence);
            match fact.value.permissions_boundary.as_ref().and_then(|b| b.permissions_boundary_arn.clone()) {
                None => Layer::NotApplicable,
                Some(arn) => Layer::Known(vec![managed(case, &arn, all)]),
            }
        }
        Known::Absent(_) => Layer::NotApplicable,
        Known::Unknown(gap) => {
            all.gaps.push(gap);
            Layer::Unknown("the role was not described, so its permissions boundary is not known".to_owned())
        }
    }
}

fn managed(case: &Case, arn: &str, all: &mut RolePolicies) -> NamedPolicy {
    let version = case
        .world
        .managed_policies
        .seen(&arn.to_owned())
        .and_then(|row| row.value.default_version_id.clone());
    let document = case
        .world
        .policy_versions
        .iter()
        .find(|((of, id), row)| {
            of == arn && (version.as_ref() == Some(id) || row.value.is_default_version == Some(true))
        })
        .and_then(|(_, row)| Some((row.value.document.as_ref()?, row.evidence.clone())));
    if let Some((document, evidence)) = document {
        return named(arn, Known::Known(Fact { value: document, evidence }), all);
    }
    let at = case.world.collected_at.map(|at| at.to_string()).unwrap_or_default();
    let policy = launchpath_iam::attached(arn, &at);
    if matches!(policy.document, launchpath_iam::Document::Unknown(_)) {
        let request = json!({ "PolicyArn": arn, "VersionId": version.as_deref().unwrap_or("v1") });
        all.gaps.push(Gap::not_asked(
            format!("the document of {arn}"),
            case.command("iam", "GetPolicyVersion", &request),
        ));
    }
    policy
}

fn named(name: &str, document: Known<&Value>, all: &mut RolePolicies) -> NamedPolicy {
    match document {
        Known::Known(fact) => {
            all.evidence.extend(fact.evidence);
            match Policy::read_value(fact.value).usable() {
                Ok(policy) => NamedPolicy::known(name, policy),
                Err(errors) => NamedPolicy::unknown(name, errors.to_string()),
            }
        }
        Known::Absent(_) => NamedPolicy::unknown(name, "the policy was listed and then not found"),
        Known::Unknown(gap) => {
            let policy = NamedPolicy::unknown(name, gap.reason_text());
            all.gaps.push(gap);
            policy
        }
    }
}

/// Whether the role's trust policy lets the runtime service assume it for this runtime.
pub(crate) fn trusts(case: &Case, role: &Role, evidence: Vec<EvidenceId>) -> Option<Answer> {
    let runtime = case.runtime()?;
    let arn = runtime.role_arn.clone()?;
    let document = role.assume_role_policy_document.as_ref()?;
    let policy = match Policy::read_value(document).usable() {
        Ok(policy) => NamedPolicy::known("trust policy", policy),
        Err(errors) => NamedPolicy::unknown("trust policy", errors.to_string()),
    };
    let mut context = Context::partial("only what the service is documented to send is known");
    if let Some(account) = &case.world.account {
        context = context.with("aws:SourceAccount", account.as_str());
    }
    if let Some(source) = &runtime.agent_runtime_arn {
        context = context.with("aws:SourceArn", source);
    }
    let mut layers = Layers::none();
    layers.resource = Layer::Known(vec![policy]);
    let request =
        Request::new(Principal::service(RUNTIME_PRINCIPAL), "sts:AssumeRole", &arn, context).ok()?;
    let outcome = evaluate(&request, &layers);
    let gaps = outcome.remaining_text().map(|why| Gap {
        what: "whether the trust policy lets the service assume the role".to_owned(),
        reason: GapReason::NotVisible { why },
        evidence: evidence.clone(),
        command: None,
    });
    Some(Answer { outcome, evidence, gaps: gaps.into_iter().collect() })
}

/// Whether an interface endpoint's policy, and nothing else, keeps the execution role from `action` on `resource`.
///
/// `None` where the endpoint shows no policy or one that cannot be read.
pub(crate) fn endpoint_lets(
    case: &Case,
    endpoint: &Row<VpcEndpoint>,
    action: &str,
    resource: &str,
) -> Option<Answer> {
    let arn = case.runtime()?.role_arn.clone()?;
    let document = match endpoint.value.policy_document.as_ref()? {
        Value::String(text) => Policy::read(text),
        other => Policy::read_value(other),
    };
    let mut layers = Layers::none();
    // The other layers are judged elsewhere: they allow everything here.
    let everything = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    layers.identity = Layer::one("everything", Policy::read_value(&everything).usable().ok()?);
    layers.endpoint = Layer::one(endpoint.value.vpc_endpoint_id.to_string(), document.usable().ok()?);
    layers.endpoint_kind = EndpointKind::Interface;
    let mut context = Context::partial("only what is sure of a call through the endpoint is known")
        .with("aws:PrincipalArn", &arn)
        .with("aws:SourceVpc", endpoint.value.vpc_id.as_str())
        .with("aws:SourceVpce", endpoint.value.vpc_endpoint_id.as_str());
    if let Some(account) = arn.parse::<Arn>().ok().map(|arn| arn.account) {
        context = context.with("aws:PrincipalAccount", account.as_str());
    }
    // Its own account: what another account's policies say is not this question.
    let request = Request::new(Principal::parse(&arn).ok()?, action, resource, context)
        .ok()?
        .in_account(case.world.account.as_ref()?.as_str());
    let outcome = evaluate(&request, &layers);
    let gaps = outcome.remaining_text().map(|why| Gap {
        what: format!("whether the policy of {} lets the role {action}", endpoint.value.vpc_endpoint_id),
        reason: GapReason::NotVisible { why },
        evidence: endpoint.evidence.clone(),
        command: None,
    });
    Some(Answer { outcome, evidence: endpoint.evidence.clone(), gaps: gaps.into_iter().collect() })
}

/// The policy of the image's repository: none, known, or not seen.
pub(crate) fn repository_policy(case: &Case, repository: &str) -> Layer {
    let request = json!({ "repositoryName": repository });
    let command = case.command("ecr", "GetRepositoryPolicy", &request);
    let registry = case.image_uri().and_then(|uri| uri.ecr()).map(|ecr| ecr.account).unwrap_or_default();
    let target = case
        .target(format!("the policy of repository {repository}"), command)
        .with("repositoryName", repository)
        .with("registryId", registry);
    match case.world.repository_policies.get(&repository.to_owned(), &target) {
        Known::Known(fact) => match Policy::read_value(fact.value).usable() {
            Ok(policy) => Layer::one("repository policy", policy),
            Err(errors) => Layer::Unknown(errors.to_string()),
        },
        Known::Absent(_) => Layer::NotApplicable,
        Known::Unknown(gap) => Layer::Unknown(gap.reason_text()),
    }
}
