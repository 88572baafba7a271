//! Whose resolver answers: the VPC's attributes and DHCP options.

use std::net::IpAddr;

use launchpath_model::command::aws_cli;
use launchpath_model::ids::{Region, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Table, Target};
use serde_json::json;

use super::name::service_of_name;
use super::precedence::{Holder, Place, Says, say};
use super::{DnsAnswer, Possibility, Resolution, elsewhere};
use crate::index::Listing;

/// How far names that stand for other names are followed.
const DEEPEST: u8 = 8;

/// One name asked in one VPC.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'n> {
    pub(super) network: &'n Network,
    pub(super) vpc: &'n VpcId,
    /// Lower case, without the final dot.
    pub(super) name: &'n str,
    pub(super) listing: Listing,
    depth: u8,
}

/// A fact with its evidence, or the gap.
pub(super) type Told<T> = Result<(T, Vec<EvidenceId>), Gap>;

/// What is taken for granted along the way.
#[derive(Default)]
pub(super) struct Granted {
    pub(super) assumed: Vec<Gap>,
    /// What could lead the name elsewhere and was not seen.
    pub(super) hidden: Option<Gap>,
}

impl<'n> Lookup<'n> {
    pub(super) fn new(network: &'n Network, vpc: &'n VpcId, name: &'n str, listing: Listing) -> Self {
        Self { network, vpc, name, listing, depth: 0 }
    }

    /// The same question for the name that this one stands for; `None` when the names go on for too long.
    pub(super) fn of_target<'s>(&'s self, name: &'s str) -> Option<Lookup<'s>> {
        (self.depth < DEEPEST).then_some(Lookup { name, depth: self.depth + 1, ..*self })
    }

    pub(super) fn run(&self, shown: &str) -> Resolution {
        let mut possibilities = Vec::new();
        let mut granted = Granted::default();
        let support = self.attribute(&self.network.dns_support, "enableDnsSupport");
        let servers = self.name_servers();
        match (&support, &servers) {
            (_, Ok((Some(list), evidence))) => {
                possibilities.push(self.custom_resolvers(list, evidence.clone()));
            }
            (Ok((false, evidence)), told) => {
                let depends_on = told.as_ref().err().cloned().into_iter().collect();
                possibilities.push(Possibility {
                    answer: DnsAnswer::Nothing,
                    why: format!("enableDnsSupport of {} is off: its resolver does not answer", self.vpc),
                    evidence: evidence.clone(),
                    depends_on,
                });
                if let Err(gap) = told {
                    possibilities.push(elsewhere(gap));
                }
            }
            (Ok((true, evidence)), told) => {
                let mut own = self.amazon_resolver(&mut granted);
                for possibility in &mut own {
                    possibility.evidence.extend(evidence.iter().cloned());
                }
                match told {
                    Err(gap) if self.listing == Listing::Snapshot => granted.assumed.push(gap.clone()),
                    Err(gap) => {
                        for possibility in &mut own {
                            possibility.depends_on.push(gap.clone());
                        }
                        own.push(elsewhere(gap));
                    }
                    Ok(_) => {}
                }
                possibilities.extend(own);
            }
            (Err(gap), _) => {
                let mut own = self.amazon_resolver(&mut granted);
                if self.listing == Listing::Snapshot {
                    // AWS: enableDnsSupport is on unless it was switched off.
                    granted.assumed.push(gap.clone());
                    possibilities.extend(own);
                } else {
                    for possibility in &mut own {
                        possibility.depends_on.push(gap.clone());
                    }
                    possibilities.extend(own);
                    possibilities.push(Possibility {
                        answer: DnsAnswer::Nothing,
                        why: format!("if enableDnsSupport of {} is off, nobody answers", self.vpc),
                        evidence: Vec::new(),
                        depends_on: vec![gap.clone()],
                    });
                }
            }
        }
        let Granted { assumed, hidden } = granted;
        Resolution { name: shown.to_owned(), possibilities, assumed, hidden_zone: hidden }
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.network.region.as_ref().map(Region::as_str)
    }

    fn attribute(&self, table: &Table<VpcId, bool>, name: &str) -> Told<bool> {
        let request = json!({ "Attribute": name, "VpcId": self.vpc.as_str() });
        let command = aws_cli("ec2", "DescribeVpcAttribute", self.region(), &request);
        let target = Target::new(format!("{name} of {}", self.vpc), command)
            .with("VpcId", self.vpc.as_str())
            .with("Attribute", name);
        match table.get(self.vpc, &target) {
            Known::Known(fact) => Ok((*fact.value, fact.evidence)),
            Known::Absent(absence) => Err(Gap {
                what: target.what,
                reason: GapReason::MemberMissing { path: name.to_owned() },
                evidence: absence.evidence().to_vec(),
                command: Some(target.command),
            }),
            Known::Unknown(gap) => Err(gap),
        }
    }

    /// The custom resolvers of the DHCP options; `None` when Amazon's answers.
    fn name_servers(&self) -> Told<Option<Vec<String>>> {
        let network = self.network;
        let row = network.vpcs.seen(self.vpc);
        let Some((row, id)) = row.and_then(|row| Some((row, row.value.dhcp_options_id.as_ref()?))) else {
            return Err(Gap::not_asked(
                format!("the DHCP options of {}", self.vpc),
                aws_cli("ec2", "DescribeVpcs", self.region(), &json!({ "VpcIds": [self.vpc.as_str()] })),
            ));
        };
        // AWS: the literal id `default` means no option set: Amazon's resolver answers.
        if id.as_str() == "default" {
            return Ok((None, row.evidence.clone()));
        }
        let Some(options) = network.dhcp_options.seen(id) else {
            return Err(Gap::not_asked(
                format!("the resolvers in DHCP options {id}"),
                aws_cli(
                    "ec2",
                    "DescribeDhcpOptions",
                    self.region(),
                    &json!({ "DhcpOptionsIds": [id.as_str()] }),
                ),
            ));
        };
        let Some(servers) = options.value.name_servers() else {
            return Err(Gap::not_asked(
                format!("the resolvers in DHCP options {id}"),
                aws_cli(
                    "ec2",
                    "DescribeDhcpOptions",
                    self.region(),
                    &json!({ "DhcpOptionsIds": [id.as_str()] }),
                ),
            ));
        };
        let custom: Vec<String> = servers
            .iter()
            .filter(|server| !self.is_amazon_resolver(server))
            .map(|s| (*s).to_owned())
            .collect();
        let is_custom = !custom.is_empty() && custom.len() == servers.len();
        Ok((is_custom.then_some(custom), options.evidence.clone()))
    }

    /// AWS: Amazon's resolver answers at the VPC's base address plus two and at 169.254.169.253
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>).
    fn is_amazon_resolver(&self, server: &str) -> bool {
        if server.eq_ignore_ascii_case("AmazonProvidedDNS") || server == "169.254.169.253" {
            return true;
        }
        let Ok(IpAddr::V4(address)) = server.parse() else { return server == "fd00:ec2::253" };
        let row = self.network.vpcs.seen(self.vpc);
        let blocks = row.map(|row| row.value.ipv4_blocks()).unwrap_or_default();
        blocks.iter().any(|block| u32::from(block.network()).checked_add(2) == Some(u32::from(address)))
    }

    fn custom_resolvers(&self, servers: &[String], evidence: Vec<EvidenceId>) -> Possibility {
        let list = servers.join(", ");
        let gap = Gap {
            what: format!("what the resolvers {list} of {} answer for {}", self.vpc, self.name),
            reason: GapReason::NotModelled { what: "resolvers outside AWS".to_owned() },
            evidence: evidence.clone(),
            command: Some(format!("dig +short {} @{}", self.name, servers[0])),
        };
        Possibility {
            answer: DnsAnswer::Elsewhere(gap),
            why: format!("the DHCP options of {} name the resolvers {list}", self.vpc),
            evidence,
            depends_on: Vec::new(),
        }
    }

    /// What Amazon's resolver answers: of all that holds the name, what `precedence` says comes first.
    pub(super) fn amazon_resolver(&self, granted: &mut Granted) -> Vec<Possibility> {
        if let Some(found) = self.endpoint_name() {
            return vec![found];
        }
        let hostnames = self.attribute(&self.network.dns_hostnames, "enableDnsHostnames");
        let mut holders: Vec<Holder> = self.own_holder(&hostnames).into_iter().collect();
        let shared = self.shared(holders.first().map(|own| own.length), &hostnames);
        holders.extend(shared.holders);
        granted.assumed.extend(shared.assumed);
        let rules = self.own_rules();
        holders.extend(rules.holders);
        granted.assumed.extend(rules.unlisted);
        let mut undecided: Vec<Gap> = shared.undecided.into_iter().chain(rules.undecided).collect();
        let said = say(&holders);
        let several = said.iter().filter(|one| !matches!(one, Says::Untold(_))).count() > 1;
        let mut found: Vec<Possibility> = Vec::new();
        for one in said {
            match one {
                Says::Answers(answers) => found.extend(answers),
                Says::Forwarded(answer) => found.push(answer),
                Says::Untold(gap) => undecided.push(gap),
                Says::OwnEndpoint | Says::ResolverItself => {
                    let (answers, unlisted) = self.private_dns(&hostnames);
                    granted.assumed.extend(unlisted);
                    self.zones_listed(granted);
                    found.extend(answers);
                }
            }
        }
        if several {
            let gap = Gap {
                what: format!(
                    "which setting of {}, or of its Route 53 Profiles, answers for {}",
                    self.vpc, self.name
                ),
                reason: GapReason::NotModelled { what: "an order that AWS does not document".to_owned() },
                evidence: found.iter().flat_map(|answer| answer.evidence.clone()).collect(),
                command: Some(self.ask_there()),
            };
            for possibility in &mut found {
                possibility.depends_on.push(gap.clone());
            }
        }
        if let Some(gap) = shared.unlisted {
            self.take_for_granted(gap, granted);
        }
        if !undecided.is_empty() {
            for possibility in &mut found {
                possibility.depends_on.extend(undecided.iter().cloned());
            }
            found.extend(undecided.first().map(elsewhere));
        }
        found
    }

    /// The VPC's own most specific zone or endpoint. Of one name the endpoint: AWS keeps a zone for its private DNS.
    fn own_holder(&self, hostnames: &Told<bool>) -> Option<Holder> {
        let zone = self.own_zone(hostnames);
        // AWS: private DNS needs both VPC attributes.
        let endpoint = self.own_endpoint_zone().filter(|_| !matches!(hostnames, Ok((false, _))));
        let (length, says) = match (zone, endpoint) {
            (Some(zone), endpoint) if endpoint.is_none_or(|length| zone.length > length) => {
                (zone.length, Says::Answers(self.zone_answers(&zone, hostnames)))
            }
            (_, endpoint) => (endpoint?, Says::OwnEndpoint),
        };
        Some(Holder { length, place: Place::Own, says })
    }

    /// Something that could lead the name elsewhere was not listed. A snapshot holds all there is.
    pub(super) fn take_for_granted(&self, gap: Gap, granted: &mut Granted) {
        if self.listing == Listing::Proven {
            granted.hidden.get_or_insert_with(|| gap.clone());
        }
        granted.assumed.push(gap);
    }

    pub(super) fn service(&self) -> Option<String> {
        self.region().and_then(|region| service_of_name(self.name, region))
    }
}
