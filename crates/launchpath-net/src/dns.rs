//! Names: what a resolver inside a VPC answers, and why.
//!
//! The name decides the destination: with private DNS a service's name leads to an endpoint's interfaces, and then
//! no NAT gateway helps. Start with [`resolve`].

use std::net::IpAddr;
use std::sync::LazyLock;

use launchpath_model::aws::hosted_zone::ResourceRecordSet;
use launchpath_model::aws::vpc_endpoint::{EndpointType, VpcEndpoint};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{Region, VpcEndpointId, VpcId};
use launchpath_model::query::prove_absent;
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap, GapReason, Known, Row, Table, Target};
use serde::Deserialize;
use serde_json::json;

use crate::index::Listing;

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The interfaces of an endpoint.
    Endpoint(VpcEndpointId),
    /// Public addresses; of an AWS service when it is one.
    Public {
        /// The service, without Region.
        service: Option<String>,
    },
    /// Addresses of a private zone's record.
    Addresses(Vec<IpAddr>),
    /// Nobody answers, or the answer is that the name does not exist.
    Nothing,
    /// Whatever a resolver that is not in the evidence says.
    Elsewhere(Gap),
}

/// A possible answer and why it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possibility {
    /// The answer.
    pub answer: DnsAnswer,
    /// Why, one sentence.
    pub why: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What would have to be known to choose it; empty when nothing is missing.
    pub depends_on: Vec<Gap>,
}

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The name asked.
    pub name: String,
    /// One possibility when the evidence decides, several when it does not.
    pub possibilities: Vec<Possibility>,
    /// What is taken for granted: that no private hosted zone answers, where zones were not listed.
    pub assumed: Vec<Gap>,
    /// Where a private zone nobody listed could lead elsewhere: it would have to be known before the name's way is called
    /// blocked.
    pub hidden_zone: Option<Gap>,
}

#[derive(Deserialize)]
struct ServiceNames {
    service: String,
    names: Vec<String>,
}

#[expect(clippy::expect_used, reason = "the table is part of the program; a test reads it")]
static SERVICES: LazyLock<Vec<ServiceNames>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/services.json")).expect("the table of service names")
});

/// The suffix of AWS names: the partition's own domain.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn fill(template: &str, region: &str) -> String {
    template.replace("{region}", region).replace("amazonaws.com", domain(region))
}

/// The name under which a service of a Region is called.
pub fn name_of_service(service: &str, region: &str) -> String {
    match SERVICES.iter().find(|entry| entry.service == service) {
        Some(entry) => entry.names.first().map(|name| fill(name, region)).unwrap_or_default(),
        None => format!("{service}.{region}.{}", domain(region)),
    }
}

/// The AWS service of the Region that a name belongs to (`ecr.dkr`, `s3`, `logs`), as endpoint services call it.
pub fn service_of_name(name: &str, region: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    for entry in SERVICES.iter() {
        if entry.names.iter().any(|pattern| name_matches(&fill(pattern, region), &name)) {
            return Some(entry.service.clone());
        }
    }
    let label = name.strip_suffix(&format!(".{region}.{}", domain(region)))?;
    (!label.contains('.')).then(|| label.to_owned())
}

/// Whether `name` is `pattern`, whose first label may be `*` (any number of labels).
fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => name.strip_suffix(rest).is_some_and(|head| head.ends_with('.') && head.len() > 1),
        None => pattern == name,
    }
}

/// What a resolver inside `vpc` answers for `name`.
pub fn resolve(network: &Network, vpc: &VpcId, name: &str) -> Resolution {
    resolve_listed(network, vpc, name, Listing::Proven)
}

/// [`resolve`] with a choice of how far listings are trusted.
pub fn resolve_listed(network: &Network, vpc: &VpcId, name: &str, listing: Listing) -> Resolution {
    let asked = name.trim_end_matches('.').to_ascii_lowercase();
    let lookup = Lookup { network, vpc, name: &asked, listing };
    lookup.run(name)
}

struct Lookup<'n> {
    network: &'n Network,
    vpc: &'n VpcId,
    name: &'n str,
    listing: Listing,
}

/// A fact with its evidence, or the gap.
type Told<T> = Result<(T, Vec<EvidenceId>), Gap>;

impl Lookup<'_> {
    fn run(&self, shown: &str) -> Resolution {
        let mut possibilities = Vec::new();
        let mut assumed = Vec::new();
        let mut hidden_zone = None;
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
                let mut own = self.amazon_resolver(&mut assumed, &mut hidden_zone);
                for possibility in &mut own {
                    possibility.evidence.extend(evidence.iter().cloned());
                }
                match told {
                    Err(gap) if self.listing == Listing::Snapshot => assumed.push(gap.clone()),
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
                let mut own = self.amazon_resolver(&mut assumed, &mut hidden_zone);
                if self.listing == Listing::Snapshot {
                    // AWS: enableDnsSupport is on unless it was switched off.
                    assumed.push(gap.clone());
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
        Resolution { name: shown.to_owned(), possibilities, assumed, hidden_zone }
    }

    fn region(&self) -> Option<&str> {
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

    fn amazon_resolver(&self, assumed: &mut Vec<Gap>, hidden_zone: &mut Option<Gap>) -> Vec<Possibility> {
        if let Some(found) = self.endpoint_name() {
            return vec![found];
        }
        let hostnames = self.attribute(&self.network.dns_hostnames, "enableDnsHostnames");
        if let Some(found) = self.private_zone(&hostnames) {
            return found;
        }
        let (found, unlisted) = self.private_dns(&hostnames);
        if let Some(gap) = unlisted {
            assumed.push(gap);
        }
        self.zones_listed(assumed, hidden_zone);
        found
    }

    /// The name of an endpoint itself (`vpce-….vpce.amazonaws.com`): answered everywhere.
    fn endpoint_name(&self) -> Option<Possibility> {
        if !self.name.contains(".vpce.") && !self.name.starts_with("vpce-") {
            return None;
        }
        let named = self.network.vpc_endpoints.iter().find(|(_, row)| {
            let entries = row.value.dns_entries.iter().flatten().filter_map(|e| e.dns_name.as_deref());
            entries.into_iter().any(|entry| entry.eq_ignore_ascii_case(self.name))
        });
        named.map(|(id, row)| Possibility {
            answer: DnsAnswer::Endpoint(id.clone()),
            why: format!("it is a name of {id}"),
            evidence: row.evidence.clone(),
            depends_on: Vec::new(),
        })
    }

    /// The record of the closest private hosted zone of the VPC.
    fn private_zone(&self, hostnames: &Told<bool>) -> Option<Vec<Possibility>> {
        let zones = self.network.hosted_zones.iter().filter(|((vpc, _), _)| vpc == self.vpc);
        let ours = zones.filter(|(_, row)| {
            let zone = row.value.name.trim_end_matches('.').to_ascii_lowercase();
            self.name == zone || self.name.ends_with(&format!(".{zone}"))
        });
        let (_, zone) = ours.max_by_key(|(_, row)| row.value.name.len())?;
        let id = &zone.value.hosted_zone_id;
        let mut evidence = zone.evidence.clone();
        // AWS: private zones need both VPC attributes.
        if let Ok((false, _)) = hostnames {
            return None;
        }
        let depends_on: Vec<Gap> = hostnames.as_ref().err().cloned().into_iter().collect();
        let Some(records) = self.network.record_sets.seen(id) else {
            let gap = Gap::not_asked(
                format!("the records of private zone {}", zone.value.name),
                format!("aws route53 list-resource-record-sets --hosted-zone-id {id}"),
            );
            return Some(vec![Possibility {
                answer: DnsAnswer::Elsewhere(gap.clone()),
                why: format!("private zone {} answers for the name", zone.value.name),
                evidence,
                depends_on: vec![gap],
            }]);
        };
        evidence.extend(records.evidence.iter().cloned());
        let answer = self.record_answer(&records.value);
        let why = format!("private zone {} ({id}) answers for the name", zone.value.name);
        Some(vec![Possibility { answer, why, evidence, depends_on }])
    }

    fn record_answer(&self, records: &[ResourceRecordSet]) -> DnsAnswer {
        let name_of = |record: &ResourceRecordSet| {
            record.name.trim_end_matches('.').to_ascii_lowercase().replace("\\052", "*")
        };
        let exact =
            records.iter().filter(|r| name_of(r) == self.name && matches!(r.r#type.as_str(), "A" | "CNAME"));
        let wild = records.iter().filter(|r| {
            name_of(r).starts_with("*.")
                && name_matches(&name_of(r), self.name)
                && matches!(r.r#type.as_str(), "A" | "CNAME")
        });
        let Some(record) = exact.chain(wild).next() else {
            return DnsAnswer::Nothing;
        };
        if let Some(alias) = record.alias_target.as_ref().and_then(|alias| alias.dns_name.as_deref()) {
            let alias = alias.trim_end_matches('.').to_ascii_lowercase();
            let inner = Lookup { name: &alias, ..*self };
            if let Some(found) = inner.endpoint_name() {
                return found.answer;
            }
            return DnsAnswer::Elsewhere(Gap::not_asked(
                format!("the addresses of {alias}"),
                format!("dig +short {alias}"),
            ));
        }
        let values = record.resource_records.iter().flatten().map(|r| r.value.as_str());
        if record.r#type == "CNAME" {
            let target =
                values.into_iter().next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
            let inner = Lookup { name: &target, ..*self };
            return inner.endpoint_name().map_or_else(
                || {
                    DnsAnswer::Elsewhere(Gap::not_asked(
                        format!("the addresses of {target}"),
                        format!("dig +short {target}"),
                    ))
                },
                |found| found.answer,
            );
        }
        DnsAnswer::Addresses(values.filter_map(|value| value.parse().ok()).collect())
    }

    fn service(&self) -> Option<String> {
        self.region().and_then(|region| service_of_name(self.name, region))
    }

    fn serves(&self, endpoint: &VpcEndpoint, service: Option<&str>) -> bool {
        let interface = match &endpoint.vpc_endpoint_type {
            Some(kind) => *kind == EndpointType::Interface,
            None => endpoint.route_table_ids.as_ref().is_none_or(Vec::is_empty),
        };
        let named =
            endpoint.dns_entries.iter().flatten().filter_map(|e| e.dns_name.as_deref()).any(|entry| {
                let entry = entry.to_ascii_lowercase();
                !entry.contains(".vpce.") && name_matches(&entry, self.name)
            });
        interface && (named || service.is_some_and(|service| endpoint.service() == service))
    }

    /// Private DNS of the VPC's own endpoints, else public addresses.
    fn private_dns(&self, hostnames: &Told<bool>) -> (Vec<Possibility>, Option<Gap>) {
        let service = self.service();
        let public = |why: String, evidence: Vec<EvidenceId>, depends_on: Vec<Gap>| Possibility {
            answer: DnsAnswer::Public { service: service.clone() },
            why,
            evidence,
            depends_on,
        };
        let Some(named_service) = service.clone() else {
            if self.region().is_none() && self.name.ends_with("amazonaws.com") {
                let gap = Gap::not_asked("the Region", "aws configure get region");
                return (vec![elsewhere(&gap)], None);
            }
            return (vec![public("it is a public name".to_owned(), Vec::new(), Vec::new())], None);
        };
        let own: Vec<(&VpcEndpointId, &Row<VpcEndpoint>)> = self
            .network
            .vpc_endpoints
            .iter()
            .filter(|(_, row)| {
                let gone = row.value.state.as_deref().is_some_and(|state| {
                    ["deleted", "deleting", "rejected", "failed", "expired"]
                        .iter()
                        .any(|gone| state.eq_ignore_ascii_case(gone))
                });
                row.value.vpc_id == *self.vpc && !gone && self.serves(&row.value, Some(&named_service))
            })
            .collect();
        let mut possibilities = Vec::new();
        for (id, row) in &own {
            let inbound_only = row
                .value
                .dns_options
                .as_ref()
                .and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint)
                == Some(true);
            if inbound_only {
                continue;
            }
            let to_endpoint = |why: String, mut evidence: Vec<EvidenceId>, depends_on: Vec<Gap>| {
                evidence.extend(row.evidence.iter().cloned());
                Possibility { answer: DnsAnswer::Endpoint((*id).clone()), why, evidence, depends_on }
            };
            match (row.value.private_dns_enabled, hostnames) {
                (Some(false), _) => {}
                (_, Ok((false, evidence))) => {
                    // AWS: private DNS needs both VPC attributes
                    // (https://docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html).
                    let why = format!(
                        "{id} has private DNS, but enableDnsHostnames of {} is off, so the public addresses answer",
                        self.vpc
                    );
                    let mut evidence = evidence.clone();
                    evidence.extend(row.evidence.iter().cloned());
                    return (vec![public(why, evidence, Vec::new())], None);
                }
                (Some(true), Ok((true, evidence))) => {
                    let why = format!("{id} has private DNS");
                    return (vec![to_endpoint(why, evidence.clone(), Vec::new())], None);
                }
                (flag, told) => {
                    let mut depends: Vec<Gap> = told.as_ref().err().cloned().into_iter().collect();
                    if flag.is_none() {
                        depends.push(Gap::not_asked(
                            format!("whether {id} has private DNS"),
                            format!("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {id}"),
                        ));
                    }
                    if self.listing == Listing::Snapshot && flag == Some(true) {
                        // AWS: private DNS cannot be switched on while an attribute is off.
                        let gap = depends.first().cloned();
                        return (
                            vec![to_endpoint(format!("{id} has private DNS"), Vec::new(), Vec::new())],
                            gap,
                        );
                    }
                    possibilities.push(to_endpoint(
                        format!("if private DNS of {id} is in effect, it answers"),
                        Vec::new(),
                        depends.clone(),
                    ));
                    possibilities.push(public(
                        format!("if private DNS of {id} is not in effect, the public addresses answer"),
                        row.evidence.clone(),
                        depends,
                    ));
                    return (possibilities, None);
                }
            }
        }
        let mut evidence: Vec<EvidenceId> = own.iter().flat_map(|(_, row)| row.evidence.clone()).collect();
        let filter = json!({ "Filters": [{ "Name": "vpc-id", "Values": [self.vpc.as_str()] }] });
        let command = aws_cli("ec2", "DescribeVpcEndpoints", self.region(), &filter);
        let target = Target::new(format!("an endpoint of {named_service} in {}", self.vpc), command)
            .in_region(self.network.region.as_ref())
            .with("vpc-id", self.vpc.as_str())
            .with(
                "service-name",
                format!("com.amazonaws.{}.{named_service}", self.region().unwrap_or_default()),
            );
        match prove_absent(self.network.vpc_endpoints.reads(), &target) {
            Ok(absence) => {
                evidence.extend(absence.evidence().iter().cloned());
                let why = match own.first() {
                    Some((id, _)) => format!("private DNS of {id} is off, so the public addresses answer"),
                    None => format!("{} has no interface endpoint of {named_service}", self.vpc),
                };
                (vec![public(why, evidence, Vec::new())], None)
            }
            Err(gap) if self.listing == Listing::Snapshot => {
                let why =
                    format!("{} has no interface endpoint of {named_service} with private DNS", self.vpc);
                (vec![public(why, evidence, Vec::new())], Some(gap))
            }
            Err(gap) => {
                let why = format!("unless an endpoint of {named_service} with private DNS was not seen");
                (vec![public(why, evidence, vec![gap.clone()]), elsewhere(&gap)], None)
            }
        }
    }

    /// Notes what private zones nobody listed could change.
    fn zones_listed(&self, assumed: &mut Vec<Gap>, hidden_zone: &mut Option<Gap>) {
        let command = format!(
            "aws route53 list-hosted-zones-by-vpc --vpc-id {} --vpc-region {}",
            self.vpc,
            self.region().unwrap_or("REGION")
        );
        let target = Target::new(format!("a private hosted zone of {} for {}", self.vpc, self.name), command)
            .with("VPCId", self.vpc.as_str())
            .with("VPCRegion", self.region().unwrap_or_default());
        if let Err(gap) = prove_absent(self.network.hosted_zones.reads(), &target) {
            assumed.push(gap.clone());
            *hidden_zone = Some(gap);
        }
    }
}

fn elsewhere(gap: &Gap) -> Possibility {
    Possibility {
        answer: DnsAnswer::Elsewhere(gap.clone()),
        why: format!("not known: {}", gap.what),
        evidence: gap.evidence.clone(),
        depends_on: vec![gap.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::{name_of_service, service_of_name};

    #[test]
    fn names_and_services() {
        for (name, service) in [
            ("api.ecr.us-east-1.amazonaws.com", Some("ecr.api")),
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com", Some("ecr.dkr")),
            ("prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com", Some("s3")),
            ("logs.us-east-1.amazonaws.com.", Some("logs")),
            ("api.ecr.eu-west-1.amazonaws.com", None),
            ("pypi.org", None),
        ] {
            assert_eq!(service_of_name(name, "us-east-1").as_deref(), service, "{name}");
        }
        assert_eq!(
            name_of_service("bedrock-runtime", "us-east-1"),
            "bedrock-runtime.us-east-1.amazonaws.com"
        );
        assert_eq!(name_of_service("s3", "cn-north-1"), "s3.cn-north-1.amazonaws.com.cn");
    }
}
