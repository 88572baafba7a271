//! Rules of the Route 53 Resolver: names whose queries are sent to other resolvers, which answer what they like.

use launchpath_model::aws::dns_profile::InForce;
use launchpath_model::aws::resolver_rule::ResolverRule;
use launchpath_model::command::aws_cli;
use launchpath_model::ids::ResolverRuleId;
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, GapReason, Target};
use serde_json::json;

use super::precedence::{Holder, Place, Says};
use super::resolver::Lookup;
use super::zone::plain;
use super::{DnsAnswer, Possibility};

/// What the VPC's own rules say of a name.
#[derive(Default)]
pub(super) struct OwnRules {
    /// Those for the name.
    pub(super) holders: Vec<Holder>,
    /// What keeps it from being known whether another resolver answers.
    pub(super) undecided: Vec<Gap>,
    /// The rules of the VPC were not listed: it is taken for granted that none is for the name.
    pub(super) unlisted: Option<Gap>,
}

impl Lookup<'_> {
    pub(super) fn own_rules(&self) -> OwnRules {
        let mut rules = OwnRules { unlisted: self.rules_listed(), ..OwnRules::default() };
        let own = self.network.resolver_rule_associations.iter().filter(|((vpc, _), _)| vpc == self.vpc);
        for ((_, id), row) in own {
            match row.value.in_force() {
                InForce::No => continue,
                InForce::Yes => {}
                InForce::Changing => {
                    rules.undecided.extend(self.changing(id, &row.evidence));
                    continue;
                }
            }
            if self.network.resolver_rules.seen(id).is_none() {
                rules.undecided.push(Gap {
                    what: format!("whether rule {id} of {} is for {}", self.vpc, self.name),
                    reason: GapReason::NotAsked,
                    evidence: row.evidence.clone(),
                    command: Some(format!("aws route53resolver get-resolver-rule --resolver-rule-id {id}")),
                });
                continue;
            }
            rules.holders.extend(self.rule_holder(id, Place::Own, &row.evidence));
        }
        rules
    }

    /// A rule that was seen, when it is for the name. AWS's own rule for whatever nobody else answers changes nothing.
    pub(super) fn rule_holder(
        &self,
        id: &ResolverRuleId,
        place: Place,
        evidence: &[EvidenceId],
    ) -> Option<Holder> {
        let row = self.network.resolver_rules.seen(id)?;
        let domain = plain(row.value.domain_name.as_deref()?);
        let mut cited = evidence.to_vec();
        cited.extend(row.evidence.iter().cloned());
        let says = match row.value.rule_type.as_deref() {
            Some("RECURSIVE") => return None,
            Some("SYSTEM") => Says::ResolverItself,
            Some("FORWARD" | "DELEGATE") => Says::Forwarded(self.sent_elsewhere(id, &row.value, cited)),
            _ => Says::Untold(Gap {
                what: format!("whether rule {id} sends {} to other resolvers", self.name),
                reason: GapReason::MemberMissing { path: "RuleType".to_owned() },
                evidence: cited,
                command: Some(self.ask_there()),
            }),
        };
        self.lies_in(&domain).then_some(Holder { length: domain.len(), place, says })
    }

    /// The gap of a rule whose association is being made or removed, where it may be for the name.
    fn changing(&self, id: &ResolverRuleId, evidence: &[EvidenceId]) -> Option<Gap> {
        let seen = self.network.resolver_rules.seen(id).is_some();
        let unrelated = seen && self.rule_holder(id, Place::Own, evidence).is_none();
        (!unrelated).then(|| Gap {
            what: format!("whether {} uses rule {id} yet", self.vpc),
            reason: GapReason::NotVisible { why: "its association is changing".to_owned() },
            evidence: evidence.to_vec(),
            command: Some(self.rules_command()),
        })
    }

    fn sent_elsewhere(
        &self,
        id: &ResolverRuleId,
        rule: &ResolverRule,
        evidence: Vec<EvidenceId>,
    ) -> Possibility {
        let domain = rule.domain_name.as_deref().unwrap_or_default();
        let targets: Vec<&str> = rule.target_ips.iter().filter_map(|target| target.ip.as_deref()).collect();
        let to = if targets.is_empty() { "other resolvers".to_owned() } else { targets.join(", ") };
        let gap = Gap {
            what: format!("what {to} answer for {}", self.name),
            reason: GapReason::NotModelled { what: "resolvers outside the VPC".to_owned() },
            evidence: evidence.clone(),
            command: Some(self.ask_there()),
        };
        Possibility {
            answer: DnsAnswer::Elsewhere(gap),
            why: format!("resolver rule {id} sends names in {domain} to {to}"),
            evidence,
            depends_on: Vec::new(),
        }
    }

    pub(super) fn ask_there(&self) -> String {
        format!("dig +short {} from within {}", self.name, self.vpc)
    }

    fn rules_command(&self) -> String {
        let request = json!({ "Filters": [{ "Name": "VPCId", "Values": [self.vpc.as_str()] }] });
        aws_cli("route53resolver", "ListResolverRuleAssociations", self.region(), &request)
    }

    fn rules_listed(&self) -> Option<Gap> {
        let what = format!("a resolver rule of {} for {}", self.vpc, self.name);
        let target = Target::new(what, self.rules_command())
            .in_region(self.network.region.as_ref())
            .with("VPCId", self.vpc.as_str());
        prove_absent(self.network.resolver_rule_associations.reads(), &target).err()
    }
}
