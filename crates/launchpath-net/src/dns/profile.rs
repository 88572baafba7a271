//! Route 53 Profiles: private zones, interface endpoints and rules that other VPCs and accounts share.

use launchpath_model::aws::dns_profile::{DnsProfileAssociation, DnsProfileResource, InForce};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{DnsProfileId, HostedZoneId};
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Row, Target};
use serde_json::json;

use super::precedence::{Holder, Place, Says};
use super::resolver::{Lookup, Told};
use super::zone::{Zone, plain};
use super::{DnsAnswer, Possibility};

/// What the profiles of the VPC say of a name.
#[derive(Default)]
pub(super) struct Shared {
    /// What in them holds the name.
    pub(super) holders: Vec<Holder>,
    /// What keeps it from being known whether a profile answers.
    pub(super) undecided: Vec<Gap>,
    /// The profiles of the VPC were not listed.
    pub(super) unlisted: Option<Gap>,
    pub(super) assumed: Vec<Gap>,
}

impl Lookup<'_> {
    /// What the profiles say. `local`: the length of the VPC's own most specific zone.
    pub(super) fn shared(&self, local: Option<usize>, hostnames: &Told<bool>) -> Shared {
        let mut shared = Shared { unlisted: self.profiles_listed(), ..Shared::default() };
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
                        self.read_resource((id, row), resource, &evidence, hostnames, &mut shared);
                    }
                }
            }
        }
        // No zone is more specific than the whole name, and private zones need both VPC attributes: then rules alone count.
        if local.is_some_and(|local| local >= self.name.len()) || matches!(hostnames, Ok((false, _))) {
            shared.holders.retain(Holder::is_rule);
            shared.undecided.clear();
            shared.unlisted = None;
        }
        shared
    }

    fn read_resource(
        &self,
        (id, row): (&DnsProfileId, &Row<DnsProfileAssociation>),
        resource: &DnsProfileResource,
        evidence: &[EvidenceId],
        hostnames: &Told<bool>,
        shared: &mut Shared,
    ) {
        let mut cited = row.evidence.clone();
        cited.extend(evidence.iter().cloned());
        let place = Place::Profile(id.clone(), row.value.priority);
        let hold = |length, answers| Holder { length, place: place.clone(), says: Says::Answers(answers) };
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
                shared.holders.push(hold(length, self.zone_answers(&zone, hostnames)));
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
                Some(true) => {
                    let answer = Possibility {
                        answer: DnsAnswer::Endpoint(endpoint.clone()),
                        why: format!("profile {id} shares {endpoint}, which has private DNS"),
                        evidence: cited,
                        depends_on: hostnames.as_ref().err().cloned().into_iter().collect(),
                    };
                    shared.holders.push(hold(length, vec![answer]));
                }
                _ => shared.undecided.push(Gap {
                    what: format!("whether {endpoint} of profile {id} answers for {}", self.name),
                    reason: GapReason::NotVisible { why: "its private DNS is not seen to be on".to_owned() },
                    evidence: cited,
                    command: Some(format!("dig +short {} from within {}", self.name, self.vpc)),
                }),
            }
        } else if let Some(rule) = resource.resolver_rule() {
            if self.network.resolver_rules.seen(&rule).is_some() {
                shared.holders.extend(self.rule_holder(&rule, place, &cited));
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
