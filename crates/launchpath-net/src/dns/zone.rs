//! Private hosted zones: which one answers for a name, and what its records say.

use launchpath_model::aws::hosted_zone::ResourceRecordSet;
use launchpath_model::ids::HostedZoneId;
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, GapReason, Target};

use super::name::name_matches;
use super::resolver::{Granted, Lookup, Told};
use super::{DnsAnswer, Possibility};

/// A zone that answers for the name.
pub(super) struct Zone {
    pub(super) id: HostedZoneId,
    pub(super) name: String,
    /// Of its name: the longer, the more specific.
    pub(super) length: usize,
    /// How the VPC comes to it, for people: "private zone", "private zone of profile rp-1".
    pub(super) origin: String,
    /// The service that keeps the zone for itself.
    pub(super) service: Option<String>,
    pub(super) evidence: Vec<EvidenceId>,
}

/// A name as it is compared.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase().replace("\\052", "*")
}

impl Lookup<'_> {
    /// Whether a zone of this name holds the name asked; the root, an empty name, holds every one.
    pub(super) fn lies_in(&self, zone: &str) -> bool {
        zone.is_empty()
            || self.name == zone
            || self.name.strip_suffix(zone).is_some_and(|head| head.ends_with('.'))
    }

    /// The most specific private zone of the VPC itself.
    pub(super) fn own_zone(&self, hostnames: &Told<bool>) -> Option<Zone> {
        // AWS: private zones need both VPC attributes.
        if let Ok((false, _)) = hostnames {
            return None;
        }
        let zones = self.network.hosted_zones.iter().filter(|((vpc, _), _)| vpc == self.vpc);
        let named = zones.map(|(_, row)| (plain(&row.value.name), row));
        // An account's zone before a service's of the same name: its records can be read. A zone has either owner, never both
        // (https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZoneOwner.html).
        let (name, row) = named
            .filter(|(name, _)| self.lies_in(name))
            .max_by_key(|(name, row)| (name.len(), row.value.owning_service().is_none()))?;
        Some(Zone {
            id: row.value.hosted_zone_id.clone(),
            length: name.len(),
            name,
            origin: "private zone".to_owned(),
            service: row.value.owning_service().map(str::to_owned),
            evidence: row.evidence.clone(),
        })
    }

    /// What a zone answers.
    pub(super) fn zone_answers(&self, zone: &Zone, hostnames: &Told<bool>) -> Vec<Possibility> {
        let depends_on: Vec<Gap> = hostnames.as_ref().err().cloned().into_iter().collect();
        let Zone { id, name, origin, .. } = zone;
        let records = self.network.record_sets.seen(id).filter(|_| zone.service.is_none());
        let Some(records) = records else {
            let gap = match &zone.service {
                Some(service) => Gap {
                    what: format!("what zone {name} ({id}) of {service} answers for {}", self.name),
                    reason: GapReason::NotVisible { why: "a service keeps the zone for itself".to_owned() },
                    evidence: zone.evidence.clone(),
                    command: Some(format!("dig +short {} from within {}", self.name, self.vpc)),
                },
                None => Gap::not_asked(
                    format!("the records of private zone {name}"),
                    format!("aws route53 list-resource-record-sets --hosted-zone-id {id}"),
                ),
            };
            return vec![Possibility {
                answer: DnsAnswer::Elsewhere(gap.clone()),
                why: format!("{origin} {name} answers for the name"),
                evidence: zone.evidence.clone(),
                depends_on: vec![gap],
            }];
        };
        let mut evidence = zone.evidence.clone();
        evidence.extend(records.evidence.iter().cloned());
        let why = format!("{origin} {name} ({id}) answers for the name");
        let possibility = |answer, depends_on| Possibility {
            answer,
            why: why.clone(),
            evidence: evidence.clone(),
            depends_on,
        };
        let mut answers = self.record_answers(&records.value);
        if let [_] = answers.as_slice() {
            return answers.drain(..).map(|answer| possibility(answer, depends_on.clone())).collect();
        }
        // AWS: weights, health checks and places choose among records of one name.
        let choice = Gap {
            what: format!("which of its records of {} zone {name} ({id}) answers with", self.name),
            reason: GapReason::NotModelled { what: "routing policies of records".to_owned() },
            evidence: records.evidence.clone(),
            command: Some(format!("dig +short {} from within {}", self.name, self.vpc)),
        };
        let depends_on: Vec<Gap> = depends_on.into_iter().chain([choice]).collect();
        answers.into_iter().map(|answer| possibility(answer, depends_on.clone())).collect()
    }

    /// The answers that the records give, one for each record set that may be chosen; never empty.
    fn record_answers(&self, records: &[ResourceRecordSet]) -> Vec<DnsAnswer> {
        // A name that is there, with whatever record, hides the wildcards (RFC 4592, 2.2).
        let exact: Vec<_> = records.iter().filter(|record| plain(&record.name) == self.name).collect();
        let chosen = if exact.is_empty() { self.closest_wildcards(records) } else { exact };
        let mut answers: Vec<DnsAnswer> = Vec::new();
        for record in chosen.into_iter().filter(|record| matches!(record.r#type.as_str(), "A" | "CNAME")) {
            let answer = self.record_answer(record);
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        if answers.is_empty() {
            answers.push(DnsAnswer::Nothing);
        }
        answers
    }

    fn closest_wildcards<'r>(&self, records: &'r [ResourceRecordSet]) -> Vec<&'r ResourceRecordSet> {
        let matching = |record: &&ResourceRecordSet| {
            let name = plain(&record.name);
            name.starts_with("*.") && name_matches(&name, self.name)
        };
        let longest = records.iter().filter(matching).map(|record| plain(&record.name).len()).max();
        let closest = records.iter().filter(matching);
        closest.filter(|record| Some(plain(&record.name).len()) == longest).collect()
    }

    fn record_answer(&self, record: &ResourceRecordSet) -> DnsAnswer {
        let values = record.resource_records.iter().flatten().map(|value| value.value.as_str());
        let alias = record.alias_target.as_ref().and_then(|alias| alias.dns_name.as_deref());
        let target = alias.or_else(|| values.clone().next().filter(|_| record.r#type == "CNAME"));
        let Some(target) = target else {
            return DnsAnswer::Addresses(values.filter_map(|value| value.parse().ok()).collect());
        };
        self.answer_of_target(&plain(target))
    }

    /// What the name that this one stands for leads to: followed where a private zone, an endpoint or a service of AWS answers
    /// for it. Any other name, a load balancer's for example, may have addresses that only its owner knows.
    fn answer_of_target(&self, target: &str) -> DnsAnswer {
        let unknown = || {
            DnsAnswer::Elsewhere(Gap::not_asked(
                format!("the addresses of {target}"),
                format!("dig +short {target}"),
            ))
        };
        let Some(inner) = self.of_target(target) else { return unknown() };
        let zones = self.network.hosted_zones.iter().filter(|((vpc, _), _)| vpc == self.vpc);
        let in_a_zone = zones.map(|(_, row)| plain(&row.value.name)).any(|zone| inner.lies_in(&zone));
        if inner.endpoint_name().is_none() && !in_a_zone && inner.service().is_none() {
            return unknown();
        }
        match inner.amazon_resolver(&mut Granted::default()).as_slice() {
            [one] if one.depends_on.is_empty() => one.answer.clone(),
            _ => unknown(),
        }
    }

    /// Notes what private zones nobody listed could change.
    pub(super) fn zones_listed(&self, granted: &mut Granted) {
        let command = format!(
            "aws route53 list-hosted-zones-by-vpc --vpc-id {} --vpc-region {}",
            self.vpc,
            self.region().unwrap_or("REGION")
        );
        let target = Target::new(format!("a private hosted zone of {} for {}", self.vpc, self.name), command)
            .with("VPCId", self.vpc.as_str())
            .with("VPCRegion", self.region().unwrap_or_default());
        if let Err(gap) = prove_absent(self.network.hosted_zones.reads(), &target) {
            self.take_for_granted(gap, granted);
        }
    }
}
