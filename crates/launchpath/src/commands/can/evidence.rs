//! The policies of a request as a world shows them: the role's own, its boundary, the trust or repository policy.
//!
//! What no call asked for is not known, and the gap names the command; that goes for the organisation's control policies too,
//! which collection does not ask for. Start with [`policies`].

use launchpath_iam::{
    Document, Guardrails, Layer, Layers, NamedPolicy, Policy, Principal, PrincipalKind, Request,
};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{AccountId, Region};
use launchpath_model::{Arn, EvidenceId, Gap, GapReason, Known, Row, Target, World};
use serde_json::{Value, json};

use super::Policies;
use super::files::Given;

/// Every layer that the command line does not give.
pub(super) fn policies(world: &World, request: &Request, given: &Given) -> Policies {
    let mut reader = Reader { world, gaps: Vec::new(), assumed: Vec::new(), evidence: Vec::new() };
    let mut layers = Layers::none();
    if given.identity.is_none() {
        layers.identity = reader.identity(request.principal());
    }
    if given.boundary.is_none() {
        layers.boundary = reader.boundary(request.principal());
    }
    if given.resource.is_none() {
        layers.resource = reader.resource(request);
    }
    let unknown = |reason: &str| Guardrails::Unknown(reason.to_owned());
    if given.scps.is_none() {
        layers.scps = unknown("they were not collected");
        // AWS: they bind the users and roles of an account, but for service-linked roles
        // (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html).
        if let Some(account) = request.principal().account()
            && !request.principal().is_service_linked()
        {
            reader.control_policies("service control policies", "SERVICE_CONTROL_POLICY", Some(account));
        }
    }
    if given.rcps.is_none() {
        layers.rcps = unknown("they were not collected");
        let account = request.resource_account();
        reader.control_policies("resource control policies", "RESOURCE_CONTROL_POLICY", account);
    }
    if given.session.is_none() && *request.principal().kind() == PrincipalKind::AssumedRole {
        reader.assumed.push("the session was made without session policies".to_owned());
    }
    if given.endpoint.is_none() {
        reader.assumed.push("the request goes through no VPC endpoint, or its policy allows all".to_owned());
    }
    let Reader { gaps, assumed, mut evidence, .. } = reader;
    evidence.sort();
    evidence.dedup();
    Policies { layers, gaps, assumed, evidence }
}

/// The name of the role that the principal is or has assumed.
pub(super) fn role_name(principal: &Principal) -> Option<String> {
    let arn: Arn = principal.as_str().parse().ok()?;
    let mut parts = arn.resource.split('/');
    match principal.kind() {
        PrincipalKind::Role => parts.next_back().map(str::to_owned),
        PrincipalKind::AssumedRole => parts.nth(1).map(str::to_owned),
        _ => None,
    }
}

struct Reader<'a> {
    world: &'a World,
    gaps: Vec<Gap>,
    assumed: Vec<String>,
    evidence: Vec<EvidenceId>,
}

impl Reader<'_> {
    fn cli(&self, service: &str, operation: &str, request: &Value) -> String {
        aws_cli(service, operation, self.world.region.as_ref().map(Region::as_str), request)
    }

    fn target(&self, what: String, service: &str, operation: &str, request: &Value) -> Target {
        let mut target =
            Target::new(what, self.cli(service, operation, request)).in_account(self.world.account.as_ref());
        for (name, value) in request.as_object().into_iter().flatten() {
            target = target.with(name, value.as_str().unwrap_or_default());
        }
        target
    }

    /// Notes what a gap leaves open and gives its reason.
    fn unknown(&mut self, gap: Gap) -> String {
        let reason = format!("{}: {}", gap.what, gap.reason_text());
        self.gaps.push(gap);
        reason
    }

    fn control_policies(&mut self, what: &str, filter: &str, account: Option<&str>) {
        let target = account.unwrap_or("ACCOUNT");
        let request = json!({ "TargetId": target, "Filter": filter });
        let command = self.cli("organizations", "ListPoliciesForTarget", &request);
        self.gaps.push(Gap::not_asked(format!("the {what} of account {target} and its parents"), command));
    }

    /// Whether the world is about another account than `account`.
    fn is_elsewhere(&self, account: Option<&str>) -> bool {
        matches!((&self.world.account, account), (Some(own), Some(other)) if own.as_str() != other)
    }

    /// The role that the evidence can describe: one of its own account.
    fn own_role(&self, principal: &Principal) -> Option<String> {
        role_name(principal).filter(|_| !self.is_elsewhere(principal.account()))
    }

    fn identity(&mut self, principal: &Principal) -> Layer {
        let command = match principal.kind() {
            PrincipalKind::Role | PrincipalKind::AssumedRole => match self.own_role(principal) {
                Some(role) => return self.role_policies(&role),
                None => self.cli("iam", "ListRolePolicies", &json!({ "RoleName": role_name(principal) })),
            },
            PrincipalKind::User => {
                let name = principal.as_str().rsplit('/').next().unwrap_or_default();
                self.cli("iam", "ListUserPolicies", &json!({ "UserName": name }))
            }
            PrincipalKind::FederatedUser => self.cli("iam", "ListUsers", &json!({})),
            // These have no policies of their own.
            PrincipalKind::Root
            | PrincipalKind::Service
            | PrincipalKind::Federated
            | PrincipalKind::Anonymous => return Layer::NotApplicable,
        };
        Layer::Unknown(self.unknown(Gap::not_asked(format!("the policies of {principal}"), command)))
    }

    fn role_policies(&mut self, role: &str) -> Layer {
        let key = role.to_owned();
        let request = json!({ "RoleName": role });
        let mut policies: Vec<NamedPolicy> = Vec::new();
        let mut unseen = Vec::new();
        let target =
            self.target(format!("the inline policies of {role}"), "iam", "ListRolePolicies", &request);
        match self.world.inline_policy_names.get(&key, &target) {
            Known::Known(names) => {
                self.evidence.extend(names.evidence);
                for name in names.value {
                    let request = json!({ "RoleName": role, "PolicyName": name });
                    let what = format!("inline policy {name} of {role}");
                    let target = self.target(what, "iam", "GetRolePolicy", &request);
                    let document = self.world.inline_policies.get(&(key.clone(), name.clone()), &target);
                    policies.push(self.named(name, document));
                }
            }
            Known::Absent(absence) => self.evidence.extend(absence.evidence().to_vec()),
            Known::Unknown(gap) => unseen.push(self.unknown(gap)),
        }
        let target = self.target(
            format!("the attached policies of {role}"),
            "iam",
            "ListAttachedRolePolicies",
            &request,
        );
        match self.world.attached_policies.get(&key, &target) {
            Known::Known(attached) => {
                self.evidence.extend(attached.evidence);
                for policy in attached.value {
                    policies.push(self.managed(&policy.policy_arn));
                }
            }
            Known::Absent(absence) => self.evidence.extend(absence.evidence().to_vec()),
            Known::Unknown(gap) => unseen.push(self.unknown(gap)),
        }
        // One unseen policy may allow what the seen ones do not, and may deny what they allow.
        policies.extend(unseen.into_iter().map(|reason| NamedPolicy::unknown("that was not seen", reason)));
        Layer::Known(policies)
    }

    fn boundary(&mut self, principal: &Principal) -> Layer {
        let role = match principal.kind() {
            PrincipalKind::Role | PrincipalKind::AssumedRole => self.own_role(principal),
            PrincipalKind::User => None,
            _ => return Layer::NotApplicable,
        };
        // AWS: a service-linked role cannot have one
        // (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
        if principal.is_service_linked() {
            return Layer::NotApplicable;
        }
        let Some(role) = role else {
            // The gap of its policies names the principal already.
            return Layer::Unknown(format!("{principal} was not described"));
        };
        let request = json!({ "RoleName": role });
        let target = self.target(format!("role {role}"), "iam", "GetRole", &request);
        match self.world.roles.get(&role, &target) {
            Known::Known(fact) => {
                self.evidence.extend(fact.evidence);
                let boundary = fact.value.permissions_boundary.as_ref();
                match boundary.and_then(|boundary| boundary.permissions_boundary_arn.clone()) {
                    Some(arn) => Layer::Known(vec![self.managed(&arn)]),
                    None => Layer::NotApplicable,
                }
            }
            Known::Absent(absence) => {
                self.evidence.extend(absence.evidence().to_vec());
                self.assumed.push(format!("role {role} does not exist, so it has no policies"));
                Layer::NotApplicable
            }
            Known::Unknown(gap) => Layer::Unknown(self.unknown(gap)),
        }
    }

    fn managed(&mut self, arn: &str) -> NamedPolicy {
        let version = self
            .world
            .managed_policies
            .seen(&arn.to_owned())
            .and_then(|row| row.value.default_version_id.clone());
        let row = self.world.policy_versions.iter().find(|((of, id), row)| {
            of == arn
                && match &version {
                    Some(version) => version == id,
                    None => row.value.is_default_version == Some(true),
                }
        });
        if let Some((_, row)) = row
            && let Some(document) = &row.value.document
        {
            self.evidence.extend(row.evidence.clone());
            return read(arn, document);
        }
        let at = self.world.collected_at.map(|at| at.to_string()).unwrap_or_default();
        let policy = launchpath_iam::attached(arn, &at);
        if matches!(policy.document, Document::Unknown(_)) {
            let request = json!({ "PolicyArn": arn, "VersionId": version.as_deref().unwrap_or("v1") });
            let command = self.cli("iam", "GetPolicyVersion", &request);
            self.gaps.push(Gap::not_asked(format!("the document of {arn}"), command));
        }
        policy
    }

    fn named(&mut self, name: &str, document: Known<&Value>) -> NamedPolicy {
        match document {
            Known::Known(fact) => {
                self.evidence.extend(fact.evidence);
                read(name, fact.value)
            }
            Known::Absent(_) => NamedPolicy::unknown(name, "it was listed and then not found"),
            Known::Unknown(gap) => NamedPolicy::unknown(name, self.unknown(gap)),
        }
    }

    fn resource(&mut self, request: &Request) -> Layer {
        let Ok(arn) = request.resource().parse::<Arn>() else {
            // `*`: there is no resource that could have a policy.
            return Layer::NotApplicable;
        };
        let service = request.action().split(':').next().unwrap_or_default().to_ascii_lowercase();
        match (service.as_str(), arn.service.as_str(), arn.resource.split_once('/')) {
            ("sts", "iam", Some(("role", name))) => self.trust_policy(&arn, name),
            // IAM's own resources have no other policies.
            ("iam", "iam", _) => Layer::NotApplicable,
            ("ecr", "ecr", Some(("repository", name))) => self.repository_policy(&arn, name),
            _ => {
                let gap = Gap {
                    what: format!("the policy on {}, if there is one", request.resource()),
                    reason: GapReason::NotAsked,
                    evidence: Vec::new(),
                    command: None,
                };
                Layer::Unknown(self.unknown(gap))
            }
        }
    }

    fn trust_policy(&mut self, arn: &Arn, path: &str) -> Layer {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let request = json!({ "RoleName": name });
        let target = self.target(format!("the trust policy of {name}"), "iam", "GetRole", &request);
        if self.is_elsewhere(Some(&arn.account)) {
            return Layer::Unknown(self.unknown(Gap::not_asked(target.what, target.command)));
        }
        match self.world.roles.get(&name, &target) {
            Known::Known(fact) => {
                self.evidence.extend(fact.evidence.clone());
                if let Some(document) = &fact.value.assume_role_policy_document {
                    return Layer::Known(vec![read(&format!("trust policy of {name}"), document)]);
                }
                let reason = GapReason::MemberMissing { path: "Role.AssumeRolePolicyDocument".to_owned() };
                let (what, command) = (target.what, Some(target.command));
                Layer::Unknown(self.unknown(Gap { what, reason, evidence: fact.evidence, command }))
            }
            Known::Absent(absence) => {
                self.evidence.extend(absence.evidence().to_vec());
                self.assumed.push(format!("role {name} does not exist, so nobody can assume it"));
                Layer::Known(Vec::new())
            }
            Known::Unknown(gap) => Layer::Unknown(self.unknown(gap)),
        }
    }

    fn repository_policy(&mut self, arn: &Arn, repository: &str) -> Layer {
        let key = repository.to_owned();
        let mut request = json!({ "repositoryName": repository });
        let what = format!("the policy of repository {repository}");
        if self.is_elsewhere(Some(&arn.account)) {
            request["registryId"] = json!(arn.account);
        }
        let mut target = self.target(what, "ecr", "GetRepositoryPolicy", &request);
        if !arn.region.is_empty() {
            target = target.in_region(Some(&Region::from(arn.region.as_str())));
        }
        if request.get("registryId").is_none() {
            target = target.with("registryId", arn.account.as_str());
        } else {
            target = target.only_if_asked("registryId", "the registry of the caller's own account");
        }
        let seen = self.world.repository_policies.seen(&key);
        if let Some(row) = seen.filter(|row| self.is_of_registry(row, arn)) {
            self.evidence.extend(row.evidence.clone());
            return Layer::Known(vec![read("repository policy", &row.value)]);
        }
        if seen.is_some() {
            return Layer::Unknown(self.unknown(Gap::not_asked(target.what, target.command)));
        }
        match self.world.repository_policies.get(&key, &target) {
            Known::Known(fact) => Layer::Known(vec![read("repository policy", fact.value)]),
            Known::Absent(absence) => {
                self.evidence.extend(absence.evidence().to_vec());
                Layer::NotApplicable
            }
            Known::Unknown(gap) => Layer::Unknown(self.unknown(gap)),
        }
    }

    /// Whether a call that brought the row asked the registry and Region of the ARN.
    fn is_of_registry<T>(&self, row: &Row<T>, arn: &Arn) -> bool {
        row.evidence.iter().filter_map(|id| self.world.evidence.get(id)).any(|call| {
            let asked = call.request_member("registryId").and_then(Value::as_str);
            let account = asked.or(self.world.account.as_ref().map(AccountId::as_str));
            let region = call.region.as_ref().map(Region::as_str);
            account.is_none_or(|account| account == arn.account)
                && region.is_none_or(|region| arn.region.is_empty() || region == arn.region)
        })
    }
}

fn read(name: &str, document: &Value) -> NamedPolicy {
    match Policy::read_value(document).usable() {
        Ok(policy) => NamedPolicy::known(name, policy),
        Err(errors) => NamedPolicy::unknown(name, format!("AWS would refuse the document: {errors}")),
    }
}
