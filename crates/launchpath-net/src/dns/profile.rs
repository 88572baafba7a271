//! Route 53 Profiles: private zones and interface endpoints that other VPCs and accounts share.

use launchpath_model::aws::dns_profile::{DnsProfileAssociation, DnsProfileResource, InForce};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{DnsProfileId, HostedZoneId, ResolverRuleId};
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Row, Target};
use serde_json::json;

use super::resolver::{Lookup, Told};
use super::zone::{Zone, plain};
use super::{DnsAnswer, Possibility};

/// What the profiles of the VPC say of a name.
#[derive(Default)]
pub(super) struct Shared {
    /// The answers of a profile that is more specific than the VPC's own settings.
    pub(super) answers: Option<Vec<Possibility>>,
    /// What keeps it from being known whether a profile answers.
    pub(super) undecided: Vec<Gap>,
    /// The profiles of the VPC were not listed.
    pub(super) unlisted: Option<Gap>,
    pub(super) assumed: Vec<Gap>,
    /// Rules that send names to other resolvers.
    pub(super) rules: Vec<(ResolverRuleId, Vec<EvidenceId>)>,
}

/// Something of a profile that holds the name.
struct Holder {
    length: usize,
    profile: DnsProfileId,
    priority: Option<i64>,
    answers: Vec<Possibility>,
}

impl Lookup<'_> {
    /// What the profiles say, where they are more specific than `local`, the length of the VPC's own most specific zone.
    pub(super) fn shared(&self, local: Option<usize>, hostnames: &Told<bool>) -> Shared {
        // Nothing is more specific than the whole name, and private zones need both VPC attributes.
        if local.is_some_and(|local| local >= self.name.len()) || matches!(hostnames, Ok((false, _))) {
            return Shared::default();
        }
        let mut shared = Shared { unlisted: self.profiles_listed(), ..Shared::default() };
        let mut holders: Vec<Holder> = Vec::new();
        for ((vpc, id), row) in self.network.dns_profiles.iter().filter(|((vpc, _), _)| vpc == self.vpc) {
            let changing = |in_force| {
                (in_force == InForce::Changing).then(|| Gap {
                    what: format!("whether {vpc} uses all of profile {id} yet"),
                    reason: GapReason::NotVisible { why: "its association is changing".to_owned() },
                    evidence: row.evidence.clone(),
                    command: Some(self.profiles_command()),
                })
            };
            match row.value.in_force() {
                InForce::No => continue,
                state => shared.undecided.extend(changing(state)),
            }
            match self.resources(id) {
                Err(gap) => shared.undecided.push(*gap),
                Ok((resources, evidence)) => {
                    for resource in resources {
                        match resource.in_force() {
                            InForce::No => continue,
                            state => shared.undecided.extend(changing(state)),
                        }
                        self.read_resource(
                            id,
                            row,
                            resource,
                            &evidence,
                            hostnames,
                            &mut shared,
                            &mut holders,
                        );
                    }
                }
            }
        }
        holders.retain(|holder| local.is_none_or(|local| holder.length > local));
        shared.answers = self.winner(holders);
        shared
    }

    #[expect(clippy::too_many_arguments, reason = "the pieces of one reading")]
    fn read_resource(
        &self,
        id: &DnsProfileId,
        row: &Row<DnsProfileAssociation>,
        resource: &DnsProfileResource,
        evidence: &[EvidenceId],
        hostnames: &Told<bool>,
        shared: &mut Shared,
        holders: &mut Vec<Holder>,
    ) {
        let mut cited = row.evidence.clone();
        cited.extend(evidence.iter().cloned());
        let mut hold = |length, answers| {
            holders.push(Holder { length, profile: id.clone(), priority: row.value.priority, answers });
        };
        if let Some(zone) = resource.hosted_zone() {
            let Some(name) = self.zone_name(&zone) else {
                shared.undecided.push(Gap::not_asked(
                    format!("the records of private zone {zone} of profile {id}"),
                    format!("aws route53 list-resource-record-sets --hosted-zone-id {zone}"),
                ));
                return;
            };
            if self.lies_in(&name) {
                let origin = format!("profile {id}: private zone");
                let (length, service) = (name.len(), None);
                let zone = Zone { id: zone, name, length, origin, service, evidence: cited };
                hold(length, self.zone_answers(&zone, hostnames));
            }
        } else if let Some(endpoint) = resource.vpc_endpoint() {
            let Some(seen) = self.network.vpc_endpoints.seen(&endpoint) else {
                shared.undecided.push(Gap::not_asked(
                    format!("VPC endpoint {endpoint} of profile {id}"),
                    format!("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {endpoint}"),
                ));
                return;
            };
            let Some(length) = self.zone_of_endpoint(&seen.value) else { return };
            cited.extend(seen.evidence.iter().cloned());
            match seen.value.private_dns_enabled {
                Some(true) => hold(
                    length,
                    vec![Possibility {
                        answer: DnsAnswer::Endpoint(endpoint.clone()),
                        why: format!("profile {id} shares {endpoint}, which has private DNS"),
                        evidence: cited,
                        depends_on: hostnames.as_ref().err().cloned().into_iter().collect(),
                    }],
                ),
                _ => shared.undecided.push(Gap {
                    what: format!("whether {endpoint} of profile {id} answers for {}", self.name),
                    reason: GapReason::NotVisible { why: "its private DNS is not seen to be on".to_owned() },
                    evidence: cited,
                    command: Some(format!("dig +short {} from within {}", self.name, self.vpc)),
                }),
            }
        } else if let Some(rule) = resource.resolver_rule() {
            if self.network.resolver_rules.seen(&rule).is_some() {
                shared.rules.push((rule, cited));
                return;
            }
            shared.assumed.push(Gap {
                what: format!(
                    "that {} of profile {id} sends no query for {} elsewhere",
                    resource.resource_arn, self.name
                ),
                reason: GapReason::NotAsked,
                evidence: cited,
                command: Some(format!("aws route53resolver get-resolver-rule --resolver-rule-id {rule}")),
            });
        }
    }

    /// The answers of the most specific holder. Where another one could be asked first, the answers of both: which of a VPC's
    /// profiles answers, when a less specific name stands in the one asked first, is not documented.
    ///
    /// AWS: profiles are evaluated in the order of their associations' priorities, the lowest number first
    /// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles-vpc-update-priority.html>).
    fn winner(&self, mut holders: Vec<Holder>) -> Option<Vec<Possibility>> {
        holders.sort_by_key(|holder| (std::cmp::Reverse(holder.length), holder.priority.unwrap_or(i64::MAX)));
        let mut holders = holders.into_iter();
        let first = holders.next()?;
        let may_win = |other: &Holder| {
            let (own, others) = (first.priority.unwrap_or(i64::MAX), other.priority.unwrap_or(i64::MAX));
            if other.profile == first.profile { other.length == first.length } else { others <= own }
        };
        let rivals: Vec<Holder> = holders.filter(may_win).collect();
        let mut answers = first.answers;
        if !rivals.is_empty() {
            let gap = Gap {
                what: format!("which of the profiles of {} answers for {}", self.vpc, self.name),
                reason: GapReason::NotModelled { what: "names that several holders share".to_owned() },
                evidence: answers.iter().flat_map(|answer| answer.evidence.clone()).collect(),
                command: Some(format!("dig +short {} from within {}", self.name, self.vpc)),
            };
            answers.extend(rivals.into_iter().flat_map(|rival| rival.answers));
            for answer in &mut answers {
                answer.depends_on.push(gap.clone());
            }
        }
        Some(answers)
    }

    /// The name of a zone: as a VPC lists it, else as the record says that every zone has at its top.
    fn zone_name(&self, id: &HostedZoneId) -> Option<String> {
        let listed = self.network.hosted_zones.iter().find(|((_, zone), _)| zone == id);
        if let Some((_, row)) = listed {
            return Some(plain(&row.value.name));
        }
        let records = self.network.record_sets.seen(id)?;
        records.value.iter().find(|record| record.r#type == "SOA").map(|record| plain(&record.name))
    }

    fn resources(&self, id: &DnsProfileId) -> Result<(&[DnsProfileResource], Vec<EvidenceId>), Box<Gap>> {
        let request = json!({ "ProfileId": id.as_str() });
        let command = aws_cli("route53profiles", "ListProfileResourceAssociations", self.region(), &request);
        let target = Target::new(format!("what profile {id} holds"), command)
            .in_region(self.network.region.as_ref())
            .with("ProfileId", id.as_str());
        match self.network.dns_profile_resources.get(id, &target) {
            Known::Known(fact) => Ok((fact.value, fact.evidence)),
            Known::Absent(absence) => Ok((&[], absence.evidence().to_vec())),
            Known::Unknown(gap) => Err(Box::new(gap)),
        }
    }

    fn profiles_command(&self) -> String {
        let request = json!({ "ResourceId": self.vpc.as_str() });
        aws_cli("route53profiles", "ListProfileAssociations", self.region(), &request)
    }

    /// The gap where it is not known which profiles the VPC uses.
    fn profiles_listed(&self) -> Option<Gap> {
        let target = Target::new(
            format!("a Route 53 Profile of {} that answers for {}", self.vpc, self.name),
            self.profiles_command(),
        )
        .in_region(self.network.region.as_ref())
        .with("ResourceId", self.vpc.as_str());
        prove_absent(self.network.dns_profiles.reads(), &target).err()
    }
}
