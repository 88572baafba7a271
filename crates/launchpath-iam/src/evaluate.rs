//! The decision: which layers apply, in which order they count, and how their verdicts combine.
//!
//! Not the matching of statements (`compiled.rs`) nor the wording of reasons (`explain.rs`). The rules are written
//! once, in [`weigh`], and run in two logics: three values for the bare decision, formulas for what remains open.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>

use serde::Serialize;

use crate::compiled::{CompiledLayer, CompiledPolicySet, CompiledStatement, Presence};
use crate::explain::{self, Reason};
use crate::layers::{EndpointKind, LayerKind, Layers};
use crate::principal::PrincipalKind;
use crate::principal_match::{Reach, Reading, Surroundings};
use crate::rcp;
use crate::remaining::{Formula, Logic, Open};
use crate::request::Request;
use crate::tri::Tri;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Decision {
    /// Allowed, whatever is not known.
    Allowed,
    /// Denied by a statement that says so.
    ExplicitlyDenied,
    /// Denied because nothing allows it, whatever is not known. What is not known may, on top, deny explicitly.
    ImplicitlyDenied,
    /// It depends on what is not known.
    Unknown,
}

impl Decision {
    /// Whether the request certainly fails.
    pub fn is_denied(self) -> bool {
        matches!(self, Self::ExplicitlyDenied | Self::ImplicitlyDenied)
    }

    /// As printed in batch answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "Allowed",
            Self::ExplicitlyDenied => "ExplicitlyDenied",
            Self::ImplicitlyDenied => "ImplicitlyDenied",
            Self::Unknown => "Unknown",
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A decision with its reasons and, where it is unknown, with what would decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The answer.
    pub decision: Decision,
    /// Why, the weightiest first.
    pub because: Vec<Reason>,
    /// For [`Decision::Unknown`]: exactly when the request is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Formula>,
}

impl Outcome {
    /// One sentence for what remains, such as `allowed unless …`; `None` for a definite decision.
    pub fn remaining_text(&self) -> Option<String> {
        let formula = self.remaining.as_ref()?;
        let Some(parts) = formula.unless() else {
            return Some(format!("allowed if {formula}"));
        };
        let parts: Vec<String> = parts.into_iter().map(ToString::to_string).collect();
        Some(format!("allowed unless {}", parts.join(", or ")))
    }
}

/// Decides one request with reasons. For many requests on the same layers use [`CompiledPolicySet`].
pub fn evaluate(request: &Request, layers: &Layers) -> Outcome {
    CompiledPolicySet::new(layers).evaluate(request)
}

impl CompiledPolicySet {
    /// The bare decision.
    pub fn decide(&self, request: &Request) -> Decision {
        weigh::<Tri>(self, request).decision()
    }

    /// The decision with reasons and with what remains open.
    pub fn evaluate(&self, request: &Request) -> Outcome {
        let weighed = weigh::<Formula>(self, request);
        let decision = weighed.decision();
        let because = explain::reasons(self, request, &weighed);
        let remaining = (decision == Decision::Unknown).then(|| weighed.allowed.and(weighed.denied.negate()));
        Outcome { decision, because, remaining }
    }
}

/// What one layer says.
#[derive(Debug, Clone)]
pub(crate) struct Verdict<L> {
    pub(crate) denied: L,
    /// Allowed to the very caller; for layers without principals the only kind of allow.
    pub(crate) direct: L,
    /// Allowed to the caller's role.
    pub(crate) role: L,
    /// Allowed to the caller's account.
    pub(crate) account: L,
    /// The first statement that certainly denies.
    pub(crate) denied_by: Option<usize>,
    /// The first statement that certainly allows, in each way.
    pub(crate) direct_by: Option<usize>,
    pub(crate) role_by: Option<usize>,
    pub(crate) account_by: Option<usize>,
}

impl<L: Logic> Verdict<L> {
    fn of(denied: bool, allowed: bool) -> Self {
        Self {
            denied: L::known(denied),
            direct: L::known(allowed),
            role: L::known(false),
            account: L::known(false),
            denied_by: None,
            direct_by: None,
            role_by: None,
            account_by: None,
        }
    }

    /// Allowed in any way.
    pub(crate) fn allowed(&self) -> L {
        self.direct.clone().or(self.role.clone()).or(self.account.clone())
    }

    /// The first statement that certainly allows, in any way.
    pub(crate) fn allowed_by(&self) -> Option<usize> {
        self.direct_by.or(self.role_by).or(self.account_by)
    }
}

/// A layer's part in a decision.
#[derive(Debug, Clone)]
pub(crate) struct Weight<L> {
    pub(crate) verdict: Verdict<L>,
    /// Whether the layer restricts, and so must allow.
    pub(crate) gates: bool,
}

/// All that was found out about a request.
#[derive(Debug, Clone)]
pub(crate) struct Weighed<L> {
    pub(crate) denied: L,
    pub(crate) allowed: L,
    pub(crate) identity: Weight<L>,
    pub(crate) resource: Weight<L>,
    pub(crate) boundary: Weight<L>,
    pub(crate) session: Weight<L>,
    pub(crate) endpoint: Weight<L>,
    /// In the order of the levels; empty when they do not apply, and in a logic that explains nothing.
    pub(crate) scps: Vec<Verdict<L>>,
    pub(crate) rcps: Vec<Verdict<L>>,
}

impl<L: Logic> Weighed<L> {
    pub(crate) fn decision(&self) -> Decision {
        let denied = self.denied.tri();
        if denied.is_true() {
            return Decision::ExplicitlyDenied;
        }
        match self.allowed.tri() {
            Tri::False => Decision::ImplicitlyDenied,
            Tri::True if denied.is_false() => Decision::Allowed,
            _ => Decision::Unknown,
        }
    }
}

/// Whether a resource-based policy must allow even within one account.
///
/// AWS: role trust policies and key policies are the documented exceptions to "either policy is enough".
pub(crate) fn resource_policy_must_allow(request: &Request) -> bool {
    let Some([_, _, service, _, _, resource]) = request.resource_cuts().parts(request.resource()) else {
        return false;
    };
    match request.service() {
        "sts" => service == "iam" && resource.starts_with("role/"),
        "kms" => service == "kms" && resource.starts_with("key/"),
        _ => false,
    }
}

/// Whether anybody with credentials may do it, whatever the policies say.
///
/// AWS: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html> (not even a deny counts) and
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html> (for users and root users).
pub(crate) fn needs_no_permission(request: &Request) -> bool {
    match request.action_lower() {
        "sts:getcalleridentity" => request.principal().is_iam(),
        "sts:getsessiontoken" => {
            matches!(request.principal().kind(), PrincipalKind::User | PrincipalKind::Root)
        }
        _ => false,
    }
}

/// Whether service control policies restrict the caller.
///
/// AWS: not in the management account, not service-linked roles, not services themselves.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>
pub(crate) fn scps_apply(set: &CompiledPolicySet, request: &Request) -> bool {
    let who = request.principal();
    let managing = set.management_account.as_deref();
    let managed = managing.is_none() || managing != who.account();
    who.is_iam() && !who.is_service_linked() && managed && !needs_no_permission(request)
}

/// How endpoint policies read principals for this request.
fn endpoint_reading(set: &CompiledPolicySet, request: &Request) -> Reading {
    let has_gateway = matches!(request.service(), "s3" | "dynamodb");
    match set.endpoint_kind {
        EndpointKind::Gateway => Reading::Gateway,
        EndpointKind::Unknown if has_gateway => Reading::Either,
        _ => Reading::Usual,
    }
}

/// The facts on which a match of principals in a layer can depend.
pub(crate) fn surroundings(set: &CompiledPolicySet, request: &Request, layer: LayerKind) -> Surroundings {
    let who = request.principal();
    let can_be_bounded = who.is_iam() && *who.kind() != PrincipalKind::Root;
    let bounded = match &set.boundary.presence {
        _ if !can_be_bounded => Tri::False,
        Presence::Unknown(_) => Tri::Unknown,
        Presence::Known => (!set.boundary.is_empty()).into(),
        Presence::NotApplicable => Tri::False,
    };
    let reading = match layer {
        LayerKind::Endpoint => endpoint_reading(set, request),
        _ => Reading::Usual,
    };
    Surroundings { bounded, reading }
}

/// Whether a statement certainly denies.
pub(crate) fn denies(
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) -> bool {
    statement.is_deny
        && statement.names_action(request)
        && meets(statement, layer, request, around).is_true()
        && statement.fits::<Tri>(request).is_true()
}

/// Weighs all layers.
pub(crate) fn weigh<L: Logic>(set: &CompiledPolicySet, request: &Request) -> Weighed<L> {
    let who = request.principal();
    let is_root = *who.kind() == PrincipalKind::Root;
    let free = needs_no_permission(request);
    let has_identity = who.is_iam() && !is_root && !free;
    let usual = surroundings(set, request, LayerKind::Resource);

    let open_gate = || Weight { verdict: Verdict::<L>::of(false, true), gates: false };
    let identity = if has_identity {
        Weight { verdict: judge(&set.identity, request, usual), gates: true }
    } else {
        // AWS: the root user needs no policy; services, federated and anonymous callers can have none.
        Weight { verdict: Verdict::of(false, is_root || free), gates: false }
    };
    let gate = |layer: &CompiledLayer, around: Surroundings, applies: bool| {
        if !applies || layer.presence == Presence::NotApplicable || layer.is_empty() {
            return open_gate();
        }
        Weight { verdict: judge(layer, request, around), gates: true }
    };
    let resource = if free {
        open_gate()
    } else {
        Weight { verdict: judge(&set.resource, request, usual), gates: false }
    };
    let boundary = gate(&set.boundary, usual, has_identity);
    let mut session = gate(&set.session, usual, has_identity);
    if *who.kind() == PrincipalKind::FederatedUser && set.session.presence == Presence::NotApplicable && !free
    {
        // AWS: a federated session without a session policy has no permissions of its own.
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        session = Weight { verdict: Verdict::of(false, false), gates: true };
    }
    let endpoint = gate(&set.endpoint, surroundings(set, request, LayerKind::Endpoint), true);
    let single = [&identity, &resource, &boundary, &session, &endpoint].map(|weight| &weight.verdict);
    let mut denied =
        single.into_iter().fold(L::known(false), |denied, verdict| denied.or(verdict.denied.clone()));
    let mut guarded = endpoint.verdict.allowed();
    let mut count = |verdict: Verdict<L>, kept: &mut Vec<Verdict<L>>| {
        denied = denied.clone().or(verdict.denied.clone());
        guarded = guarded.clone().and(verdict.allowed());
        if L::EXPLAINS {
            kept.push(verdict);
        }
    };
    let mut scps = Vec::new();
    if scps_apply(set, request) {
        for level in &set.scps {
            count(judge(level, request, usual), &mut scps);
        }
    }
    let mut rcps = Vec::new();
    let applies = rcp::applicability(set, request);
    if !applies.is_false() {
        for level in &set.rcps {
            let verdict = judge(level, request, usual);
            count(if applies.is_true() { verdict } else { perhaps_rcp(verdict, request) }, &mut rcps);
        }
    }

    let own = identity
        .verdict
        .direct
        .clone()
        .and(boundary.verdict.direct.clone())
        .and(session.verdict.direct.clone());
    let limited = boundary.verdict.direct.clone().and(session.verdict.direct.clone());
    let granted = grant(request, &resource.verdict, own, limited);
    let allowed = granted.and(guarded);
    Weighed { denied, allowed, identity, resource, boundary, session, endpoint, scps, rcps }
}

/// What identity side and resource side grant together.
fn grant<L: Logic>(request: &Request, resource: &Verdict<L>, own: L, limited: L) -> L {
    if !request.principal().is_iam() {
        return resource.direct.clone();
    }
    let same = request.same_account();
    let across = own.clone().and(resource.allowed());
    if same.is_false() {
        return across;
    }
    // AWS: within one account a grant to the user or session itself is not limited by what the identity side leaves
    // out; a grant to the role is limited by boundary and session policy; a grant to the account grants nobody in
    // it, it lets the account's own policies count.
    let through_identity =
        if resource_policy_must_allow(request) { own.and(resource.allowed()) } else { own };
    let within = resource.direct.clone().or(resource.role.clone().and(limited)).or(through_identity);
    if same.is_true() || within == across {
        return within;
    }
    let is_same = L::open(|| Open::SameAccount);
    is_same.clone().and(within).or(is_same.negate().and(across))
}

/// A verdict of a layer that may not count: a deny or a missing allow turns into an open question.
fn perhaps_rcp<L: Logic>(verdict: Verdict<L>, request: &Request) -> Verdict<L> {
    let applies = || L::open(|| Open::RcpApplies { service: request.service().to_owned() });
    let denied = if verdict.denied.tri().is_false() { verdict.denied } else { verdict.denied.and(applies()) };
    let allowed = verdict.direct.clone().or(verdict.role.clone()).or(verdict.account.clone());
    let direct = if allowed.tri().is_true() { allowed } else { allowed.or(applies().negate()) };
    Verdict { denied, direct, denied_by: None, ..verdict }
}

/// What one layer says to a request.
fn judge<L: Logic>(layer: &CompiledLayer, request: &Request, around: Surroundings) -> Verdict<L> {
    let mut verdict = Verdict::of(false, false);
    match &layer.presence {
        Presence::NotApplicable => return verdict,
        Presence::Unknown(reason) => {
            let policy = || layer.level.clone();
            verdict.denied =
                L::open(|| Open::Denies { layer: layer.kind, policy: policy(), reason: reason.clone() });
            let allows =
                L::open(|| Open::Allows { layer: layer.kind, policy: policy(), reason: reason.clone() });
            return Verdict { direct: allows.clone(), role: allows.clone(), account: allows, ..verdict };
        }
        Presence::Known => {}
    }
    for (index, statement) in layer.candidates(request) {
        if !statement.names_action(request) {
            continue;
        }
        if statement.is_deny {
            deny(&mut verdict, index, statement, layer.kind, request, around);
        } else {
            allow(&mut verdict, index, statement, layer.kind, request, around);
        }
    }
    for (policy, reason) in &layer.unseen {
        let policy = || Some(policy.clone());
        let denies = L::open(|| Open::Denies { layer: layer.kind, policy: policy(), reason: reason.clone() });
        verdict.denied = verdict.denied.or(denies);
        let allows = L::open(|| Open::Allows { layer: layer.kind, policy: policy(), reason: reason.clone() });
        verdict.direct = verdict.direct.or(allows.clone());
        verdict.role = verdict.role.or(allows.clone());
        verdict.account = verdict.account.or(allows);
    }
    verdict
}

/// Whether a layer's statements name principals.
pub(crate) fn names_principals(layer: LayerKind) -> bool {
    matches!(layer, LayerKind::Resource | LayerKind::Rcp | LayerKind::Endpoint)
}

/// How a statement reaches the caller. A missing or misplaced `Principal` is a document AWS refuses.
pub(crate) fn reach(
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) -> Reach {
    match &statement.principals {
        None if !names_principals(layer) => Reach::DIRECT,
        Some(principals) if names_principals(layer) => principals.reach(request, around),
        _ => Reach { direct: Tri::Unknown, ..Reach::NOWHERE },
    }
}

/// Whether a denying statement meets the caller.
pub(crate) fn meets(
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) -> Tri {
    match &statement.principals {
        None if !names_principals(layer) => Tri::True,
        Some(principals) if names_principals(layer) => principals.meets(request, around),
        _ => Tri::Unknown,
    }
}

fn open_principal(statement: &CompiledStatement, layer: LayerKind) -> Open {
    let reason = if statement.principals.is_some() == names_principals(layer) {
        "the principal's name or AWS's documentation does not tell"
    } else {
        "AWS would refuse the statement for its principal element"
    };
    Open::Principal { statement: statement.reference.clone(), reason: reason.into() }
}

fn deny<L: Logic>(
    verdict: &mut Verdict<L>,
    index: usize,
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) {
    if verdict.denied.tri().is_true() {
        return;
    }
    let meets = meets(statement, layer, request, around);
    if meets.is_false() {
        return;
    }
    let applies = L::lift(meets, || open_principal(statement, layer)).and(statement.fits(request));
    if applies.tri().is_true() {
        verdict.denied_by = Some(index);
    }
    verdict.denied = verdict.denied.clone().or(applies);
}

fn allow<L: Logic>(
    verdict: &mut Verdict<L>,
    index: usize,
    statement: &CompiledStatement,
    layer: LayerKind,
    request: &Request,
    around: Surroundings,
) {
    if verdict.direct.tri().is_true() {
        return;
    }
    let reach = reach(statement, layer, request, around);
    if reach.any().is_false() {
        return;
    }
    let fits: L = statement.fits(request);
    if fits.tri().is_false() {
        return;
    }
    let ways = [
        (reach.direct, &mut verdict.direct, &mut verdict.direct_by),
        (reach.role, &mut verdict.role, &mut verdict.role_by),
        (reach.account, &mut verdict.account, &mut verdict.account_by),
    ];
    for (reached, way, by) in ways {
        if reached.is_false() || way.tri().is_true() {
            continue;
        }
        let applies = L::lift(reached, || open_principal(statement, layer)).and(fits.clone());
        if applies.tri().is_true() {
            *by = Some(index);
        }
        *way = way.clone().or(applies);
    }
}
