//! Rules of the Route 53 Resolver: names whose queries are sent to other resolvers, which answer what they like.
//!
//! AWS: the most specific rule counts, and between a rule and a private zone of one name the rule
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-overview-forward-vpc-to-network-domain-name-matches.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>).

use launchpath_model::aws::dns_profile::InForce;
use launchpath_model::aws::resolver_rule::ResolverRule;
use launchpath_model::command::aws_cli;
use launchpath_model::ids::ResolverRuleId;
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, GapReason, Target};
use serde_json::json;

use super::resolver::Lookup;
use super::zone::plain;
use super::{DnsAnswer, Possibility};

/// What the rules say of a name.
#[derive(Default)]
pub(super) struct Forwarding {
    /// Another resolver answers.
    pub(super) answer: Option<Possibility>,
    /// What keeps it from being known whether another resolver answers.
    pub(super) undecided: Vec<Gap>,
    /// The rules of the VPC were not listed: it is taken for granted that none is for the name.
    pub(super) unlisted: Option<Gap>,
}

/// A rule that holds the name.
struct Holder<'n> {
    length: usize,
    /// The VPC's own, not a profile's.
    own: bool,
    id: &'n ResolverRuleId,
    rule: &'n ResolverRule,
    evidence: Vec<EvidenceId>,
}

impl Lookup<'_> {
    /// What the rules of the VPC and of its profiles say, where they are as specific as `local`, the length of its most specific
    /// private zone.
    pub(super) fn forwarding(
        &self,
        local: Option<usize>,
        of_profiles: &[(ResolverRuleId, Vec<EvidenceId>)],
    ) -> Forwarding {
        let mut forwarding = Forwarding { unlisted: self.rules_listed(), ..Forwarding::default() };
        let mut holders: Vec<Holder<'_>> = Vec::new();
        let own = self.network.resolver_rule_associations.iter().filter(|((vpc, _), _)| vpc == self.vpc);
        for ((_, id), row) in own {
            match row.value.in_force() {
                InForce::No => continue,
                InForce::Yes => {}
                InForce::Changing => {
                    forwarding.undecided.extend(self.changing(id, &row.evidence));
                    continue;
                }
            }
            if self.network.resolver_rules.seen(id).is_none() {
                forwarding.undecided.push(Gap {
                    what: format!("whether rule {id} of {} is for {}", self.vpc, self.name),
                    reason: GapReason::NotAsked,
                    evidence: row.evidence.clone(),
                    command: Some(format!("aws route53resolver get-resolver-rule --resolver-rule-id {id}")),
                });
                continue;
            }
            holders.extend(self.holder(id, true, &row.evidence));
        }
        holders.extend(of_profiles.iter().filter_map(|(id, evidence)| self.holder(id, false, evidence)));
        let Some(first) = holders.into_iter().max_by_key(|holder| (holder.length, holder.own)) else {
            return forwarding;
        };
        if local.is_some_and(|zone| zone > first.length) {
            return forwarding;
        }
        match first.rule.rule_type.as_deref() {
            Some("SYSTEM" | "RECURSIVE") => {}
            Some("FORWARD" | "DELEGATE") => forwarding.answer = Some(self.sent_elsewhere(&first)),
            _ => forwarding.undecided.push(Gap {
                what: format!("whether rule {} sends {} to other resolvers", first.id, self.name),
                reason: GapReason::MemberMissing { path: "RuleType".to_owned() },
                evidence: first.evidence,
                command: Some(self.ask_there()),
            }),
        }
        forwarding
    }

    fn holder<'n>(
        &'n self,
        id: &'n ResolverRuleId,
        own: bool,
        evidence: &[EvidenceId],
    ) -> Option<Holder<'n>> {
        let row = self.network.resolver_rules.seen(id)?;
        let domain = plain(row.value.domain_name.as_deref()?);
        let mut cited = evidence.to_vec();
        cited.extend(row.evidence.iter().cloned());
        self.lies_in(&domain).then_some(Holder {
            length: domain.len(),
            own,
            id,
            rule: &row.value,
            evidence: cited,
        })
    }

    /// The gap of a rule whose association is being made or removed, where it may be for the name.
    fn changing(&self, id: &ResolverRuleId, evidence: &[EvidenceId]) -> Option<Gap> {
        let unrelated =
            self.network.resolver_rules.seen(id).is_some() && self.holder(id, true, evidence).is_none();
        (!unrelated).then(|| Gap {
            what: format!("whether {} uses rule {id} yet", self.vpc),
            reason: GapReason::NotVisible { why: "its association is changing".to_owned() },
            evidence: evidence.to_vec(),
            command: Some(self.rules_command()),
        })
    }

    fn sent_elsewhere(&self, holder: &Holder<'_>) -> Possibility {
        let Holder { id, rule, evidence, .. } = holder;
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
            evidence: evidence.clone(),
            depends_on: Vec::new(),
        }
    }

    fn ask_there(&self) -> String {
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
