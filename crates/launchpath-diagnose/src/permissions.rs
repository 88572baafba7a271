//! Permission questions of a launch, asked of `launchpath-iam` with the documents the world holds.
//!
//! Service control policies are not among them: they are a fault of their own, and a role whose own policies refuse is refused
//! whatever they say. Start with [`ExecutionRole`] and [`trusts`].

use launchpath_iam::{
    CompiledPolicySet, Context, Decision, EndpointKind, Layer, Layers, NamedPolicy, Outcome, Policy,
    Principal, Request, evaluate,
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

/// The policies of the execution role, with the gaps that keep them from being complete.
pub(crate) struct RolePolicies {
    /// Without a policy of the resource.
    compiled: CompiledPolicySet,
    evidence: Vec<EvidenceId>,
    gaps: Vec<Gap>,
}

/// The execution role, with its policies made ready for several questions.
pub(crate) struct ExecutionRole<'c> {
    name: String,
    principal: Principal,
    context: Context,
    policies: &'c RolePolicies,
    compiled: CompiledPolicySet,
}

impl<'c> ExecutionRole<'c> {
    /// `resource_policy`: that of the resources that will be asked about. `None` where the runtime names no role.
    pub(crate) fn of(case: &'c Case, resource_policy: &Layer) -> Option<Self> {
        let arn = case.runtime()?.role_arn.clone()?;
        let (name, policies) = case.execution_role_policies()?;
        Some(Self {
            name,
            principal: Principal::parse(&arn).ok()?,
            context: Context::partial("only what the service sends is known").with("aws:PrincipalArn", arn),
            policies,
            compiled: policies.compiled.with_resource(resource_policy),
        })
    }

    /// Whether its own policies let it do `action` on `resource`; `None` where that is no question.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Option<Answer> {
        let request = Request::new(self.principal.clone(), action, resource, self.context.clone()).ok()?;
        let outcome = self.compiled.evaluate(&request);
        let gaps = if outcome.decision == Decision::Unknown && self.policies.gaps.is_empty() {
            vec![Gap {
                what: format!("whether {} may {action}", self.name),
                reason: GapReason::NotVisible { why: outcome.remaining_text().unwrap_or_default() },
                evidence: self.policies.evidence.clone(),
                command: None,
            }]
        } else {
            self.policies.gaps.clone()
        };
        Some(Answer { outcome, evidence: self.policies.evidence.clone(), gaps })
    }
}

/// One question of [`ExecutionRole`].
pub(crate) fn role_may(case: &Case, action: &str, resource: &str, resource_policy: &Layer) -> Option<Answer> {
    ExecutionRole::of(case, resource_policy)?.may(action, resource)
}

/// What the reading of policies rests on, and what it lacks.
#[derive(Default)]
struct Seen {
    evidence: Vec<EvidenceId>,
    gaps: Vec<Gap>,
}

impl RolePolicies {
    /// Reads the documents; [`Case::execution_role_policies`] keeps them.
    pub(crate) fn read(case: &Case, role: &str) -> Self {
        let mut layers = Layers::none();
        let mut all = Seen::default();
        let mut policies: Vec<NamedPolicy> = Vec::new();
        let mut complete = true;
        let target = |what: &str, operation: &str| {
            let command = case.command("iam", operation, &json!({ "RoleName": role }));
            Target::new(format!("{what} of {role}"), command)
                .in_account(case.world.account.as_ref())
                .with("RoleName", role)
        };
        let key = role.to_owned();
        let inline =
            case.world.inline_policy_names.find(&key, || target("the inline policies", "ListRolePolicies"));
        match inline {
            Known::Known(names) => {
                all.evidence.extend(names.evidence);
                for name in names.value {
                    let target = || {
                        let request = json!({ "RoleName": role, "PolicyName": name });
                        let command = case.command("iam", "GetRolePolicy", &request);
                        Target::new(format!("inline policy {name} of {role}"), command)
                            .with("RoleName", role)
                            .with("PolicyName", name)
                    };
                    let document = case.world.inline_policies.find(&(key.clone(), name.clone()), target);
                    policies.push(named(name, document, &mut all));
                }
            }
            Known::Absent(absence) => all.evidence.extend(absence.evidence().to_vec()),
            Known::Unknown(gap) => {
                complete = false;
                all.gaps.push(gap);
            }
        }
        let attached = case
            .world
            .attached_policies
            .find(&key, || target("the attached policies", "ListAttachedRolePolicies"));
        match attached {
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
        layers.identity = Layer::Known(policies);
        layers.boundary = boundary(case, role, &mut all);
        let Seen { mut evidence, gaps } = all;
        evidence.sort();
        evidence.dedup();
        Self { compiled: CompiledPolicySet::new(&layers), evidence, gaps }
    }
}

fn boundary(case: &Case, role: &str, all: &mut Seen) -> Layer {
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

fn managed(case: &Case, arn: &str, all: &mut Seen) -> NamedPolicy {
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

fn named(name: &str, document: Known<&Value>, all: &mut Seen) -> NamedPolicy {
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
    let target = || {
        let request = json!({ "repositoryName": repository });
        let command = case.command("ecr", "GetRepositoryPolicy", &request);
        let registry = case.image_uri().and_then(|uri| uri.ecr()).map(|ecr| ecr.account).unwrap_or_default();
        case.target(format!("the policy of repository {repository}"), command)
            .with("repositoryName", repository)
            .with("registryId", registry)
    };
    match case.world.repository_policies.find(&repository.to_owned(), target) {
        Known::Known(fact) => match Policy::read_value(fact.value).usable() {
            Ok(policy) => Layer::one("repository policy", policy),
            Err(errors) => Layer::Unknown(errors.to_string()),
        },
        Known::Absent(_) => Layer::NotApplicable,
        Known::Unknown(gap) => Layer::Unknown(gap.reason_text()),
    }
}
