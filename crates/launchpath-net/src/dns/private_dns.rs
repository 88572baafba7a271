//! The names of endpoints, and private DNS of the VPC's own endpoints.

use launchpath_model::aws::vpc_endpoint::{EndpointType, VpcEndpoint};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::VpcEndpointId;
use launchpath_model::query::prove_absent;
use launchpath_model::{EvidenceId, Gap, Row, Target};
use serde_json::json;

use super::name::{name_matches, zone_length, zone_of_service};
use super::resolver::{Lookup, Told};
use super::{DnsAnswer, Possibility, elsewhere};
use crate::index::Listing;

impl Lookup<'_> {
    /// The name of an endpoint itself (`vpce-….vpce.amazonaws.com`): answered everywhere.
    pub(super) fn endpoint_name(&self) -> Option<Possibility> {
        if !self.name.contains(".vpce.") && !self.name.starts_with("vpce-") {
            return None;
        }
        let named = self.network.vpc_endpoints.iter().find(|(id, row)| {
            let entries = row.value.dns_entries.iter().flatten().filter_map(|e| e.dns_name.as_deref());
            // `vpce-ID-…`, and behind a wildcard `bucket.vpce-ID-…`.
            let begins =
                |label: &str| label.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('-'));
            entries.into_iter().any(|entry| name_matches(&entry.to_ascii_lowercase(), self.name))
                || (self.name.contains(".vpce.") && self.name.split('.').any(begins))
        });
        named.map(|(id, row)| Possibility {
            answer: DnsAnswer::Endpoint(id.clone()),
            why: format!("it is a name of {id}"),
            evidence: row.evidence.clone(),
            depends_on: Vec::new(),
        })
    }

    /// The length of the zone in which an endpoint answers for the name, when its names hold it.
    pub(super) fn zone_of_endpoint(&self, endpoint: &VpcEndpoint) -> Option<usize> {
        let interface = match &endpoint.vpc_endpoint_type {
            Some(kind) => *kind == EndpointType::Interface,
            None => endpoint.route_table_ids.as_ref().is_none_or(Vec::is_empty),
        };
        if !interface {
            return None;
        }
        let entries = endpoint.dns_entries.iter().flatten().filter_map(|e| e.dns_name.as_deref());
        let entries = entries.map(str::to_ascii_lowercase).filter(|entry| !entry.contains(".vpce."));
        let named = entries.filter(|entry| name_matches(entry, self.name)).map(|entry| zone_length(&entry));
        let of_service = || zone_of_service(endpoint.service(), self.name, self.region()?);
        named.max().or_else(of_service)
    }

    /// The endpoints of the VPC that hold the name, unless they are gone.
    fn own_endpoints(&self) -> impl Iterator<Item = (&VpcEndpointId, &Row<VpcEndpoint>)> {
        self.network.vpc_endpoints.iter().filter(|(_, row)| {
            let endpoint = &row.value;
            endpoint.vpc_id == *self.vpc && !is_gone(endpoint) && self.zone_of_endpoint(endpoint).is_some()
        })
    }

    /// The length of the zone in which an endpoint of the VPC answers for the name, when its private DNS may be on.
    pub(super) fn own_endpoint_zone(&self) -> Option<usize> {
        let answering = self.own_endpoints().map(|(_, row)| &row.value);
        let answering = answering
            .filter(|endpoint| endpoint.private_dns_enabled != Some(false) && !is_inbound_only(endpoint));
        answering.filter_map(|endpoint| self.zone_of_endpoint(endpoint)).max()
    }

    /// Private DNS of the VPC's own endpoints, else public addresses.
    pub(super) fn private_dns(&self, hostnames: &Told<bool>) -> (Vec<Possibility>, Option<Gap>) {
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
        let own: Vec<(&VpcEndpointId, &Row<VpcEndpoint>)> = self.own_endpoints().collect();
        let mut possibilities = Vec::new();
        for (id, row) in &own {
            if is_inbound_only(&row.value) {
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
}

/// Whether an endpoint is no more, or never was.
fn is_gone(endpoint: &VpcEndpoint) -> bool {
    endpoint.state.as_deref().is_some_and(|state| {
        ["deleted", "deleting", "rejected", "failed", "expired"]
            .iter()
            .any(|gone| state.eq_ignore_ascii_case(gone))
    })
}

fn is_inbound_only(endpoint: &VpcEndpoint) -> bool {
    let options = endpoint.dns_options.as_ref();
    options.and_then(|options| options.private_dns_only_for_inbound_resolver_endpoint) == Some(true)
}
