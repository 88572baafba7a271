//! What a destination may mean: an address, the interfaces of an endpoint, the public addresses of a service.
//!
//! A name is resolved first; where the evidence leaves several answers open, each is an [`Alternative`] of its own.

use std::net::IpAddr;
use std::sync::Arc;

use launchpath_model::aws::vpc_endpoint::VpcEndpoint;
use launchpath_model::ids::{VpcEndpointId, VpcId};
use launchpath_model::{Gap, GapReason, Row};

use crate::answer::{Blocker, BlockerKind, Hop, HopKind, HopVerdict, Leg};
use crate::dns::{DnsAnswer, Possibility, Resolution, name_of_service, resolve_listed};
use crate::edit::{DnsAttribute, Edit};
use crate::end::{End, EndKind};
use crate::question::Destination;
use crate::reach::Engine;
use crate::span::{ANY_V4, Span, block, place, public_v4, subtract_all};

/// One address or set of addresses that the destination may mean.
pub(crate) struct Aim {
    pub(crate) what: Arc<str>,
    pub(crate) end: Option<End>,
    pub(crate) service: Option<String>,
    pub(crate) addresses: Vec<Span<u128>>,
    /// The destination is one address of `addresses`, not known which.
    pub(crate) one_of: bool,
    pub(crate) on_premises: bool,
    pub(crate) trouble: Option<Arc<Blocker>>,
}

/// One possible meaning of the destination.
pub(crate) struct Alternative {
    pub(crate) hop: Option<Arc<Hop>>,
    pub(crate) aims: Vec<Aim>,
    pub(crate) depends_on: Vec<Gap>,
    /// Nobody answers the name.
    pub(crate) nothing: Option<Arc<Blocker>>,
    /// Where it leads is not in the evidence.
    pub(crate) elsewhere: Option<Gap>,
}

impl Engine<'_> {
    /// What the destination may mean, what that takes for granted, and which private zone could change it.
    pub(crate) fn alternatives(
        &self,
        destination: &Destination,
        vpc: Option<&VpcId>,
    ) -> (Vec<Alternative>, Vec<Gap>, Option<Gap>) {
        let plain = |aims| (vec![Alternative::of_aims(None, aims)], Vec::new(), None);
        match destination {
            Destination::Address(address) => plain(vec![Aim::address(*address, false)]),
            Destination::Block(net) => plain(vec![Aim {
                what: net.to_string().into(),
                addresses: vec![block(*net)],
                ..Aim::address(net.addr(), false)
            }]),
            Destination::OnPremises(address) => plain(vec![Aim::address(*address, true)]),
            Destination::Internet => plain(vec![Aim {
                what: "the internet".into(),
                addresses: self.public_addresses(vpc),
                ..Aim::address(IpAddr::from([0, 0, 0, 0]), false)
            }]),
            Destination::Interface(id) => {
                if let Some(end) = self.index.end_of(id) {
                    return plain(vec![Aim::end(end.clone(), false)]);
                }
                let gap = self.index.missing(
                    &self.index.network.network_interfaces,
                    format!("interface {id}"),
                    "DescribeNetworkInterfaces",
                    "NetworkInterfaceIds",
                    id.as_str(),
                );
                (vec![Alternative::elsewhere(None, gap)], Vec::new(), None)
            }
            Destination::Service(service) => {
                let Some(region) = self.index.region() else {
                    let gap = Gap::not_asked("the Region", "aws configure get region");
                    return (vec![Alternative::elsewhere(None, gap)], Vec::new(), None);
                };
                self.named(&name_of_service(service, region), vpc)
            }
            Destination::Name(name) => match name.parse::<IpAddr>() {
                Ok(address) => plain(vec![Aim::address(address, false)]),
                Err(_) => self.named(name, vpc),
            },
        }
    }

    pub(crate) fn named(&self, name: &str, vpc: Option<&VpcId>) -> (Vec<Alternative>, Vec<Gap>, Option<Gap>) {
        let Some(vpc) = vpc else {
            let gap = Gap {
                what: format!("what {name} resolves to at the source"),
                reason: GapReason::NotModelled { what: "resolvers outside of a VPC".to_owned() },
                evidence: Vec::new(),
                command: Some(format!("dig +short {name}")),
            };
            return (vec![Alternative::elsewhere(None, gap)], Vec::new(), None);
        };
        let resolution: Arc<Resolution> = self
            .index
            .resolution(vpc, name, || resolve_listed(self.index.network, vpc, name, self.index.listing));
        let alternatives =
            resolution.possibilities.iter().map(|p| self.alternative_of(name, vpc, p)).collect();
        (alternatives, resolution.assumed.clone(), resolution.hidden_zone.clone())
    }

    pub(crate) fn alternative_of(&self, name: &str, vpc: &VpcId, possibility: &Possibility) -> Alternative {
        let hop = |id: &str, verdict, text: String| {
            Arc::new(Hop {
                kind: HopKind::Dns,
                id: id.into(),
                at: Some(vpc.into()),
                leg: Leg::Request,
                direction: None,
                verdict,
                text: text.into(),
                evidence: possibility.evidence.clone(),
            })
        };
        let found = |text: String, aims| Alternative {
            hop: Some(hop(name, HopVerdict::Passed, text)),
            aims,
            depends_on: possibility.depends_on.clone(),
            nothing: None,
            elsewhere: None,
        };
        match &possibility.answer {
            DnsAnswer::Endpoint(id) => {
                let Some(row) = self.index.network.vpc_endpoints.seen(id) else {
                    let gap = Gap::not_asked(
                        format!("VPC endpoint {id}"),
                        format!("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {id}"),
                    );
                    return Alternative::elsewhere(None, gap);
                };
                match self.endpoint_aims(id, row) {
                    Ok(aims) => found(format!("{name} is {id}: {}", possibility.why), aims),
                    Err(gap) => {
                        Alternative::elsewhere(Some(hop(name, HopVerdict::Unknown, gap.what.clone())), *gap)
                    }
                }
            }
            DnsAnswer::Public { service } => {
                let addresses = self.addresses_of_service(service.as_deref(), Some(vpc));
                let aim = Aim {
                    what: name.into(),
                    end: None,
                    service: service.clone(),
                    addresses,
                    one_of: true,
                    on_premises: false,
                    trouble: None,
                };
                found(format!("{name} is public: {}", possibility.why), vec![aim])
            }
            DnsAnswer::Addresses(addresses) => {
                let aims = addresses.iter().map(|a| Aim::address(*a, false)).collect();
                let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                found(format!("{name} is {}: {}", list.join(", "), possibility.why), aims)
            }
            DnsAnswer::Nothing => {
                let support_off = possibility.why.contains("enableDnsSupport");
                let blocker = Blocker {
                    kind: BlockerKind::DnsNoAnswer,
                    id: vpc.into(),
                    at: None,
                    leg: Leg::Request,
                    direction: None,
                    rule: None,
                    text: possibility.why.as_str().into(),
                    evidence: possibility.evidence.clone(),
                    edit: support_off
                        .then(|| Edit::EnableDns { vpc: vpc.clone(), attribute: DnsAttribute::Support }),
                };
                Alternative {
                    hop: Some(hop(name, HopVerdict::Dropped, possibility.why.clone())),
                    aims: Vec::new(),
                    depends_on: possibility.depends_on.clone(),
                    nothing: Some(Arc::new(blocker)),
                    elsewhere: None,
                }
            }
            DnsAnswer::Elsewhere(gap) => Alternative::elsewhere(
                Some(hop(name, HopVerdict::Unknown, possibility.why.clone())),
                gap.clone(),
            ),
        }
    }

    /// The interfaces of an endpoint: those seen, else one unknown address in each of its subnets.
    pub(crate) fn endpoint_aims(
        &self,
        id: &VpcEndpointId,
        row: &Row<VpcEndpoint>,
    ) -> Result<Vec<Aim>, Box<Gap>> {
        let endpoint = &row.value;
        let groups: Option<Vec<_>> =
            endpoint.groups.as_ref().map(|groups| groups.iter().map(|g| g.group_id.clone()).collect());
        let mut seen: Vec<Aim> = Vec::new();
        let mut idle: Vec<Aim> = Vec::new();
        let mut unseen = false;
        for interface in endpoint.network_interface_ids.iter().flatten() {
            let Some(end) = self.index.end_of(interface).filter(|_| self.lies_in_its_subnet(interface))
            else {
                unseen = true;
                continue;
            };
            let mut end = end.clone();
            end.groups = end.groups.or_else(|| groups.clone());
            end.kind = EndKind::Endpoint(id.clone());
            // EC2 also knows `associated`, and may learn more: only what surely carries nothing counts as idle.
            let idle_states = ["available", "attaching", "detaching"];
            let in_use = end.status.as_deref().is_none_or(|status| !idle_states.contains(&status));
            let aim = Aim::end(end, false);
            if in_use { seen.push(aim) } else { idle.push(aim) }
        }
        let subnets = endpoint.subnet_ids.as_ref();
        if unseen || (seen.is_empty() && idle.is_empty()) {
            for subnet in subnets.into_iter().flatten() {
                let covered =
                    seen.iter().any(|aim| aim.end.as_ref().and_then(|e| e.subnet.as_ref()) == Some(subnet));
                if covered {
                    continue;
                }
                let addresses = self.usable_addresses(subnet);
                if addresses.is_empty() {
                    return Err(Box::new(self.index.missing_subnet(subnet)));
                }
                let end = End {
                    kind: EndKind::Endpoint(id.clone()),
                    what: format!("the interface of {id} in {subnet}").into(),
                    interface: None,
                    vpc: endpoint.vpc_id.clone(),
                    subnet: Some(subnet.clone()),
                    groups: groups.clone(),
                    addresses,
                    public: Vec::new(),
                    source_dest_check: Some(true),
                    status: None,
                    evidence: row.evidence.clone(),
                };
                seen.push(Aim::end(end, true));
            }
        }
        let told = endpoint.network_interface_ids.is_some() || subnets.is_some();
        if seen.is_empty() && idle.is_empty() && !told {
            return Err(Box::new(Gap::not_asked(
                format!("the interfaces of {id}"),
                format!("aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {id}"),
            )));
        }
        let trouble = |text: String| {
            Arc::new(Blocker {
                kind: BlockerKind::EndpointUnavailable,
                id: id.into(),
                at: None,
                leg: Leg::Request,
                direction: None,
                rule: None,
                text: text.into(),
                evidence: row.evidence.clone(),
                edit: None,
            })
        };
        let mut aims = seen;
        if aims.is_empty() {
            aims = idle;
            for aim in &mut aims {
                aim.trouble = Some(trouble(format!("no interface of {id} is in use")));
            }
        }
        if endpoint.is_available() == Some(false) {
            let state = endpoint.state.clone().unwrap_or_default();
            for aim in &mut aims {
                aim.trouble = Some(trouble(format!("{id} is {state}")));
            }
        }
        if aims.is_empty() {
            let mut aim = Aim::address(IpAddr::from([0, 0, 0, 0]), false);
            aim.addresses = vec![ANY_V4];
            aim.what = id.into();
            aim.trouble = Some(trouble(format!("{id} has no interfaces")));
            aims.push(aim);
        }
        Ok(aims)
    }

    pub(crate) fn public_addresses(&self, vpc: Option<&VpcId>) -> Vec<Span<u128>> {
        let blocks = vpc.and_then(|vpc| self.index.vpc_blocks(vpc)).unwrap_or_default();
        subtract_all(public_v4().to_vec(), blocks)
    }

    /// Where a service's public addresses can be: the entries of its prefix list where known, else anywhere public.
    pub(crate) fn addresses_of_service(&self, service: Option<&str>, vpc: Option<&VpcId>) -> Vec<Span<u128>> {
        let lists = service.map(|s| self.index.lists_of(s)).unwrap_or_default();
        let entries: Vec<Span<u128>> = lists
            .iter()
            .filter_map(|list| self.index.list(list))
            .flat_map(|(spans, _)| spans.iter().copied())
            .filter(|span| ANY_V4.covers(*span))
            .collect();
        if !entries.is_empty() {
            return entries;
        }
        let all = self.public_addresses(vpc);
        match service {
            Some(service) => subtract_all(all, self.addresses_of_others(service)),
            None => all,
        }
    }

    /// The entries of AWS-managed lists of other services: what is S3's is not the registry's.
    pub(crate) fn addresses_of_others(&self, service: &str) -> Vec<Span<u128>> {
        let others = ["s3", "dynamodb"].into_iter().filter(|other| *other != service);
        others
            .flat_map(|other| self.index.lists_of(other))
            .filter_map(|list| self.index.list(list))
            .flat_map(|(spans, _)| spans.iter().copied())
            .filter(|span| ANY_V4.covers(*span))
            .collect()
    }
}

impl Aim {
    pub(crate) fn address(address: IpAddr, on_premises: bool) -> Self {
        Self {
            what: address.to_string().into(),
            end: None,
            service: None,
            addresses: vec![Span::one(place(address))],
            one_of: false,
            on_premises,
            trouble: None,
        }
    }

    pub(crate) fn end(end: End, one_of: bool) -> Self {
        // IPv4 first: AgentCore interfaces have no other.
        let v4: Vec<Span<u128>> = end.addresses.iter().copied().filter(|s| ANY_V4.covers(*s)).collect();
        Self {
            what: Arc::clone(&end.what),
            service: None,
            addresses: if v4.is_empty() { end.addresses.clone() } else { v4 },
            end: Some(end),
            one_of,
            on_premises: false,
            trouble: None,
        }
    }
}

impl Alternative {
    pub(crate) fn of_aims(hop: Option<Arc<Hop>>, aims: Vec<Aim>) -> Self {
        Self { hop, aims, depends_on: Vec::new(), nothing: None, elsewhere: None }
    }

    pub(crate) fn elsewhere(hop: Option<Arc<Hop>>, gap: Gap) -> Self {
        Self { hop, aims: Vec::new(), depends_on: vec![gap.clone()], nothing: None, elsewhere: Some(gap) }
    }
}

impl Aim {
    pub(crate) fn address_command(&self) -> String {
        match &self.end {
            Some(End { kind: EndKind::Endpoint(id), .. }) => format!(
                "aws ec2 describe-network-interfaces --filters Name=description,Values='VPC Endpoint Interface {id}'"
            ),
            _ => format!("dig +short {}", self.what),
        }
    }
}
