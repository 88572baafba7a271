//! The question answered: resolves the destination, walks every possibility, and adds the outcomes up.
//!
//! Start with [`Engine`]; [`reach`] is the one-question form.

use std::net::IpAddr;
use std::sync::Arc;

use launchpath_model::aws::vpc_endpoint::VpcEndpoint;
use launchpath_model::ids::{NetworkInterfaceId, SubnetId, VpcEndpointId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap, GapReason, Row};

use crate::answer::{Answer, Blocker, BlockerKind, Hop, HopKind, HopVerdict, Leg, Outcome, Part, Verdict};
use crate::dns::{DnsAnswer, Possibility, Resolution, name_of_service, resolve_listed};
use crate::edit::{DnsAttribute, Edit};
use crate::index::{End, EndKind, Index, Listing};
use crate::packet::{Cube, PacketSet};
use crate::question::{Destination, Flow, Source, Start};
use crate::span::{ANY_V4, Span, address_at, place, public_v4, subtract_all};
use crate::walk::{Branch, Goal, Origin, Walk};

/// A network prepared for questions. Building it costs one pass over the network; every question shares it.
pub struct Engine<'a> {
    index: Index<'a>,
}

/// One address or set of addresses that the destination may mean.
struct Aim {
    what: String,
    end: Option<End>,
    service: Option<String>,
    addresses: Vec<Span<u128>>,
    /// The destination is one address of `addresses`, not known which.
    one_of: bool,
    on_premises: bool,
    trouble: Option<Blocker>,
}

/// One possible meaning of the destination.
struct Alternative {
    hop: Option<Arc<Hop>>,
    aims: Vec<Aim>,
    depends_on: Vec<Gap>,
    /// Nobody answers the name.
    nothing: Option<Blocker>,
    /// Where it leads is not in the evidence.
    elsewhere: Option<Gap>,
}

/// What walking one alternative gave.
struct Outcomes {
    verdict: Verdict,
    parts: Vec<Part>,
    gaps: Vec<Gap>,
    assumed: Vec<Gap>,
}

/// Whether the packets of `flow` from `source` reach `destination`, and whether the answers come back.
///
/// For many questions build one [`Engine`].
pub fn reach(network: &Network, source: &Source, destination: &Destination, flow: &Flow) -> Answer {
    Engine::new(network).reach(source, destination, flow)
}

impl<'a> Engine<'a> {
    /// Prepares a network of which only what queries prove is taken as complete.
    pub fn new(network: &'a Network) -> Self {
        Self { index: Index::new(network, Listing::Proven) }
    }

    /// Prepares a network that is a whole snapshot: what it does not hold does not exist.
    pub fn of_snapshot(network: &'a Network) -> Self {
        Self { index: Index::new(network, Listing::Snapshot) }
    }

    /// The network.
    pub fn network(&self) -> &'a Network {
        self.index.network
    }

    /// Whether the packets of `flow` from an interface reach `destination`, and whether the answers come back.
    pub fn reach(&self, source: &Source, destination: &Destination, flow: &Flow) -> Answer {
        self.reach_from(&Start::Interface(source.clone()), destination, flow)
    }

    /// [`Engine::reach`] from any kind of start.
    pub fn reach_from(&self, start: &Start, destination: &Destination, flow: &Flow) -> Answer {
        match start {
            Start::Interface(source) => match self.end_of_source(source) {
                Ok(end) => self.reach_from_end(&end, destination, flow),
                Err(gap) => undecided(*gap),
            },
            Start::Known(id) => match self.index.end_of(id) {
                Some(end) => self.reach_from_end(end, destination, flow),
                None => undecided(self.index.missing(
                    &self.index.network.network_interfaces,
                    format!("interface {id}"),
                    "DescribeNetworkInterfaces",
                    "NetworkInterfaceIds",
                    id.as_str(),
                )),
            },
            Start::Instance(id, address) => match self.end_of_instance(id, *address) {
                Some(end) => self.reach_from_end(end, destination, flow),
                None => undecided(self.index.missing(
                    &self.index.network.instances,
                    format!("an interface of {id}"),
                    "DescribeInstances",
                    "InstanceIds",
                    id.as_str(),
                )),
            },
            Start::Internet(address) => {
                let sources = address.map_or_else(|| public_v4().to_vec(), |a| vec![Span::one(place(a))]);
                self.answer(&Origin::Internet, &sources, None, destination, flow)
            }
            Start::VpnGateway(id, address) => {
                let sources = address.map_or_else(|| self.behind(id.as_str()), |a| vec![Span::one(place(a))]);
                self.answer(&Origin::VpnGateway(id.to_string()), &sources, None, destination, flow)
            }
            Start::Vpc(id) => {
                let sources = self.index.vpc_blocks(id).unwrap_or_default();
                let v4: Vec<_> = sources.into_iter().filter(|span| ANY_V4.covers(*span)).collect();
                self.answer(&Origin::Router(id.clone()), &v4, Some(id), destination, flow)
            }
        }
    }

    fn end_of_instance(
        &self,
        id: &launchpath_model::ids::InstanceId,
        address: Option<IpAddr>,
    ) -> Option<&End> {
        let row = self.index.network.instances.seen(id)?;
        let interfaces = row.value.network_interfaces.as_ref()?;
        let own = interfaces.iter().find(|interface| {
            address.is_none_or(|a| {
                interface.private_ip_address.map(IpAddr::V4) == Some(a)
                    || interface
                        .private_ip_addresses
                        .iter()
                        .flatten()
                        .any(|p| p.private_ip_address.map(IpAddr::V4) == Some(a))
            })
        })?;
        let vpc = own.vpc_id.as_ref().or(row.value.vpc_id.as_ref())?;
        let at = Span::one(place(own.private_ip_address?.into()));
        self.index.ends_within(vpc, at).first().map(|(_, end)| *end)
    }

    fn end_of_source(&self, source: &Source) -> Result<End, Box<Gap>> {
        let network = self.index.network;
        let Some(subnet) = network.subnets.seen(&source.subnet) else {
            return Err(Box::new(self.index.missing_subnet(&source.subnet)));
        };
        let addresses = match source.address {
            Some(address) => vec![Span::one(place(address))],
            None => self.usable_addresses(&source.subnet),
        };
        if addresses.is_empty() {
            return Err(Box::new(Gap {
                what: format!("the address block of {}", source.subnet),
                reason: GapReason::MemberMissing { path: "CidrBlock".to_owned() },
                evidence: subnet.evidence.clone(),
                command: Some(format!("aws ec2 describe-subnets --subnet-ids {}", source.subnet)),
            }));
        }
        let known = source.interface.as_ref().and_then(|id| self.index.end_of(id));
        Ok(End {
            kind: EndKind::Plain,
            what: source
                .interface
                .as_ref()
                .map_or_else(|| format!("an interface in {}", source.subnet), ToString::to_string),
            interface: source.interface.clone(),
            vpc: subnet.value.vpc_id.clone(),
            subnet: Some(source.subnet.clone()),
            groups: Some(source.security_groups.clone()),
            public: source
                .public_address
                .iter()
                .map(|public| (addresses[0].first, place((*public).into())))
                .collect(),
            addresses,
            source_dest_check: Some(true),
            status: None,
            evidence: known.map_or_else(|| subnet.evidence.clone(), |end| end.evidence.clone()),
        })
    }

    /// The IPv4 addresses of a subnet that an interface can hold.
    ///
    /// AWS: the first four and the last one are reserved
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>).
    /// Whether the recorded address of an interface lies in its subnet's block. Emulators make up addresses; then the subnet
    /// is believed, because routes and ACLs hang on it.
    fn lies_in_its_subnet(&self, interface: &NetworkInterfaceId) -> bool {
        let network = self.index.network;
        let Some(row) = network.network_interfaces.seen(interface) else { return true };
        let subnet = row.value.subnet_id.as_ref().and_then(|id| network.subnets.seen(id));
        match (row.value.private_ip_address, subnet.and_then(|subnet| subnet.value.cidr_block)) {
            (Some(address), Some(block)) => block.contains(&address),
            _ => true,
        }
    }

    fn usable_addresses(&self, subnet: &SubnetId) -> Vec<Span<u128>> {
        let spans = self.index.subnet(subnet).map(|info| info.spans.as_slice()).unwrap_or_default();
        let own = spans.iter().copied().filter(|span| ANY_V4.covers(*span));
        own.filter_map(|span| {
            if span.last - span.first < 8 {
                return Some(span);
            }
            Span::new(span.first + 4, span.last - 1)
        })
        .collect()
    }

    /// Addresses that some subnet of the gateway's VPC routes back to it; a documentation address when there are none.
    fn behind(&self, gateway: &str) -> Vec<Span<u128>> {
        let mut spans: Vec<Span<u128>> = Vec::new();
        for (_, row) in self.index.network.route_tables.iter() {
            for route in row.value.routes.iter().flatten() {
                if route.gateway_id.as_deref() == Some(gateway)
                    && let Some(block) = route.destination_cidr_block
                {
                    spans.push(crate::span::v4_block(block));
                }
            }
        }
        let blocks = self.index.network.vpcs.iter().flat_map(|(_, row)| row.value.ipv4_blocks());
        let mut outside = Vec::new();
        for span in subtract_all(spans, blocks.map(crate::span::v4_block)) {
            let seen = outside.clone();
            outside.extend(subtract_all(vec![span], seen));
        }
        if outside.is_empty() {
            // RFC 5737: an address that belongs to nobody.
            outside.push(Span::one(place(IpAddr::from([192, 0, 2, 1]))));
        }
        outside
    }

    fn reach_from_end(&self, end: &End, destination: &Destination, flow: &Flow) -> Answer {
        let wants_v6 = matches!(destination, Destination::Address(IpAddr::V6(_)));
        let sources: Vec<Span<u128>> =
            end.addresses.iter().copied().filter(|span| ANY_V4.covers(*span) != wants_v6).collect();
        self.answer(&Origin::Interface(end), &sources, Some(&end.vpc), destination, flow)
    }

    fn answer(
        &self,
        origin: &Origin<'_>,
        sources: &[Span<u128>],
        vpc: Option<&VpcId>,
        destination: &Destination,
        flow: &Flow,
    ) -> Answer {
        let (alternatives, assumed, hidden_zone) = self.alternatives(destination, vpc);
        let mut outcomes: Vec<(Vec<Gap>, Outcomes)> = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            let depends_on = alternative.depends_on.clone();
            outcomes.push((depends_on, self.walk_alternative(origin, sources, &alternative, flow)));
        }
        add_up(outcomes, assumed, hidden_zone)
    }

    fn walk_alternative(
        &self,
        origin: &Origin<'_>,
        sources: &[Span<u128>],
        alternative: &Alternative,
        flow: &Flow,
    ) -> Outcomes {
        if let Some(gap) = &alternative.elsewhere {
            return Outcomes {
                verdict: Verdict::Unknown,
                parts: Vec::new(),
                gaps: vec![gap.clone()],
                assumed: Vec::new(),
            };
        }
        if let Some(blocker) = &alternative.nothing {
            let packets = packets_of(sources, &[ANY_V4], flow);
            let trace = alternative.hop.iter().cloned().collect();
            let parts = packets.example().map(|example| Part {
                packets,
                example,
                trace,
                share: 1.0,
                outcome: Outcome::Blocked,
                blockers: vec![blocker.clone()],
                gaps: Vec::new(),
            });
            let parts = parts.into_iter().collect();
            return Outcomes { verdict: Verdict::None, parts, gaps: Vec::new(), assumed: Vec::new() };
        }
        let mut all =
            Outcomes { verdict: Verdict::None, parts: Vec::new(), gaps: Vec::new(), assumed: Vec::new() };
        let mut verdicts = Vec::with_capacity(alternative.aims.len());
        for aim in &alternative.aims {
            let one = self.walk_aim(origin, sources, alternative, aim, flow);
            verdicts.push(one.verdict);
            all.parts.extend(one.parts);
            all.gaps.extend(one.gaps);
            all.assumed.extend(one.assumed);
        }
        all.verdict = combine(&verdicts);
        all
    }

    fn walk_aim(
        &self,
        origin: &Origin<'_>,
        sources: &[Span<u128>],
        alternative: &Alternative,
        aim: &Aim,
        flow: &Flow,
    ) -> Outcomes {
        let packets = packets_of(sources, &aim.addresses, flow);
        let lists = aim.service.as_deref().map(|s| self.index.lists_of(s).to_vec()).unwrap_or_default();
        let goal = Goal {
            what: aim.what.clone(),
            end: aim.end.as_ref(),
            service: aim.service.clone(),
            lists,
            on_premises: aim.on_premises,
        };
        let walk = Walk { index: &self.index, origin: origin.clone(), goal };
        let mut branch = Branch::new(packets);
        branch.hops.extend(alternative.hop.clone());
        branch.blockers.extend(aim.trouble.clone());
        let mut done = Vec::new();
        if !branch.now.is_empty() {
            walk.start(branch, &mut done);
        }
        let mut assumed = Vec::new();
        let parts: Vec<Part> = done
            .into_iter()
            .filter_map(|branch| {
                assumed.extend(branch.assumed);
                let example = branch.original.example()?;
                let outcome = match (branch.blockers.is_empty(), branch.gaps.is_empty()) {
                    (false, _) => Outcome::Blocked,
                    (true, false) => Outcome::Unknown,
                    (true, true) => Outcome::Delivered,
                };
                Some(Part {
                    packets: branch.original,
                    example,
                    trace: branch.hops,
                    share: branch.share,
                    outcome,
                    blockers: branch.blockers,
                    gaps: branch.gaps,
                })
            })
            .collect();
        let (verdict, gaps) = verdict_of(&parts, aim);
        Outcomes { verdict, parts, gaps, assumed }
    }

    /// What the destination may mean, what that takes for granted, and which private zone could change it.
    fn alternatives(
        &self,
        destination: &Destination,
        vpc: Option<&VpcId>,
    ) -> (Vec<Alternative>, Vec<Gap>, Option<Gap>) {
        let plain = |aims| {
            (
                vec![Alternative { hop: None, aims, depends_on: Vec::new(), nothing: None, elsewhere: None }],
                Vec::new(),
                None,
            )
        };
        match destination {
            Destination::Address(address) => plain(vec![Aim::address(*address, false)]),
            Destination::OnPremises(address) => plain(vec![Aim::address(*address, true)]),
            Destination::Internet => plain(vec![Aim {
                what: "the internet".to_owned(),
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

    fn named(&self, name: &str, vpc: Option<&VpcId>) -> (Vec<Alternative>, Vec<Gap>, Option<Gap>) {
        let Some(vpc) = vpc else {
            let gap = Gap {
                what: format!("what {name} resolves to at the source"),
                reason: GapReason::NotModelled { what: "resolvers outside of a VPC".to_owned() },
                evidence: Vec::new(),
                command: Some(format!("dig +short {name}")),
            };
            return (vec![Alternative::elsewhere(None, gap)], Vec::new(), None);
        };
        let resolution: Resolution = resolve_listed(self.index.network, vpc, name, self.index.listing);
        let alternatives =
            resolution.possibilities.iter().map(|p| self.alternative_of(name, vpc, p)).collect();
        (alternatives, resolution.assumed, resolution.hidden_zone)
    }

    fn alternative_of(&self, name: &str, vpc: &VpcId, possibility: &Possibility) -> Alternative {
        let hop = |id: &str, verdict, text: String| {
            Arc::new(Hop {
                kind: HopKind::Dns,
                id: id.to_owned(),
                at: Some(vpc.to_string()),
                leg: Leg::Request,
                direction: None,
                verdict,
                text,
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
                    what: name.to_owned(),
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
                    id: vpc.to_string(),
                    at: None,
                    leg: Leg::Request,
                    direction: None,
                    rule: None,
                    text: possibility.why.clone(),
                    evidence: possibility.evidence.clone(),
                    edit: support_off
                        .then(|| Edit::EnableDns { vpc: vpc.clone(), attribute: DnsAttribute::Support }),
                };
                Alternative {
                    hop: Some(hop(name, HopVerdict::Dropped, possibility.why.clone())),
                    aims: Vec::new(),
                    depends_on: possibility.depends_on.clone(),
                    nothing: Some(blocker),
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
    fn endpoint_aims(&self, id: &VpcEndpointId, row: &Row<VpcEndpoint>) -> Result<Vec<Aim>, Box<Gap>> {
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
            let in_use = end.status.as_deref().is_none_or(|status| status == "in-use");
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
                    what: format!("the interface of {id} in {subnet}"),
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
        let trouble = |text: String| Blocker {
            kind: BlockerKind::EndpointUnavailable,
            id: id.to_string(),
            at: None,
            leg: Leg::Request,
            direction: None,
            rule: None,
            text,
            evidence: row.evidence.clone(),
            edit: None,
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
            aim.what = id.to_string();
            aim.trouble = Some(trouble(format!("{id} has no interfaces")));
            aims.push(aim);
        }
        Ok(aims)
    }

    fn public_addresses(&self, vpc: Option<&VpcId>) -> Vec<Span<u128>> {
        let blocks = vpc.and_then(|vpc| self.index.vpc_blocks(vpc)).unwrap_or_default();
        subtract_all(public_v4().to_vec(), blocks)
    }

    /// Where a service's public addresses can be: the entries of its prefix list where known, else anywhere public.
    fn addresses_of_service(&self, service: Option<&str>, vpc: Option<&VpcId>) -> Vec<Span<u128>> {
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
    fn addresses_of_others(&self, service: &str) -> Vec<Span<u128>> {
        let others = ["s3", "dynamodb"].into_iter().filter(|other| *other != service);
        others
            .flat_map(|other| self.index.lists_of(other))
            .filter_map(|list| self.index.list(&list))
            .flat_map(|(spans, _)| spans.iter().copied())
            .filter(|span| ANY_V4.covers(*span))
            .collect()
    }
}

impl Aim {
    fn address(address: IpAddr, on_premises: bool) -> Self {
        Self {
            what: address.to_string(),
            end: None,
            service: None,
            addresses: vec![Span::one(place(address))],
            one_of: false,
            on_premises,
            trouble: None,
        }
    }

    fn end(end: End, one_of: bool) -> Self {
        // IPv4 first: AgentCore interfaces have no other.
        let v4: Vec<Span<u128>> = end.addresses.iter().copied().filter(|s| ANY_V4.covers(*s)).collect();
        Self {
            what: end.what.clone(),
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
    fn elsewhere(hop: Option<Arc<Hop>>, gap: Gap) -> Self {
        Self { hop, aims: Vec::new(), depends_on: vec![gap.clone()], nothing: None, elsewhere: Some(gap) }
    }
}

fn packets_of(sources: &[Span<u128>], destinations: &[Span<u128>], flow: &Flow) -> PacketSet {
    let cubes = sources.iter().flat_map(|source| {
        destinations.iter().filter(move |d| ANY_V4.covers(**d) == ANY_V4.covers(*source)).map(
            move |destination| Cube {
                protocol: Span::one(flow.protocol),
                destination: *destination,
                source: *source,
                to: flow.to,
                from: flow.from,
            },
        )
    });
    PacketSet::of(cubes)
}

/// The verdict over the parts of one aim.
fn verdict_of(parts: &[Part], aim: &Aim) -> (Verdict, Vec<Gap>) {
    let of = |outcome| parts.iter().filter(move |part| part.outcome == outcome);
    let delivered = of(Outcome::Delivered).next().is_some();
    let blocked = of(Outcome::Blocked).next().is_some();
    let unknown: Vec<Gap> = of(Outcome::Unknown).flat_map(|part| part.gaps.iter().cloned()).collect();
    match (delivered, blocked, unknown.is_empty()) {
        (_, _, false) => (Verdict::Unknown, unknown),
        (true, false, true) => (Verdict::All, Vec::new()),
        (false, _, true) => (Verdict::None, Vec::new()),
        (true, true, true) if aim.one_of => {
            // The packets differ by an address we do not know: which part is meant is unknown.
            let reached = destinations(of(Outcome::Delivered));
            let lost = destinations(of(Outcome::Blocked));
            let covers =
                |spans: &[Span<u128>]| subtract_all(aim.addresses.clone(), spans.iter().copied()).is_empty();
            if covers(&reached) && covers(&lost) {
                return (Verdict::Part, Vec::new());
            }
            let gap = Gap {
                what: format!("which address {} has", aim.what),
                reason: GapReason::NotAsked,
                evidence: Vec::new(),
                command: Some(aim.address_command()),
            };
            (Verdict::Unknown, vec![gap])
        }
        (true, true, true) => (Verdict::Part, Vec::new()),
    }
}

impl Aim {
    fn address_command(&self) -> String {
        match &self.end {
            Some(End { kind: EndKind::Endpoint(id), .. }) => format!(
                "aws ec2 describe-network-interfaces --filters Name=description,Values='VPC Endpoint Interface {id}'"
            ),
            _ => format!("dig +short {}", self.what),
        }
    }
}

fn destinations<'p>(parts: impl Iterator<Item = &'p Part>) -> Vec<Span<u128>> {
    parts.flat_map(|part| part.packets.cubes().iter().map(|cube| cube.destination)).collect()
}

/// The verdict over several aims, each of which the sender may pick.
fn combine(verdicts: &[Verdict]) -> Verdict {
    if verdicts.contains(&Verdict::Unknown) {
        return Verdict::Unknown;
    }
    let all = verdicts.iter().all(|v| *v == Verdict::All);
    let none = verdicts.iter().all(|v| *v == Verdict::None);
    match (all && !verdicts.is_empty(), none) {
        (true, _) => Verdict::All,
        (false, true) => Verdict::None,
        (false, false) => Verdict::Part,
    }
}

fn add_up(outcomes: Vec<(Vec<Gap>, Outcomes)>, mut assumed: Vec<Gap>, hidden_zone: Option<Gap>) -> Answer {
    let first = outcomes.first().map_or(Verdict::Unknown, |(_, one)| one.verdict);
    let agree = outcomes.iter().all(|(_, one)| one.verdict == first);
    let mut unknown: Vec<Gap> = Vec::new();
    let mut verdict = first;
    if !agree {
        verdict = Verdict::Unknown;
        unknown.extend(outcomes.iter().flat_map(|(depends_on, _)| depends_on.iter().cloned()));
    }
    let mut parts = Vec::new();
    for (_, one) in outcomes {
        unknown.extend(one.gaps);
        assumed.extend(one.assumed);
        parts.extend(one.parts);
    }
    if let (Verdict::None, Some(gap)) = (verdict, hidden_zone)
        && zone_could_help(&parts)
    {
        verdict = Verdict::Unknown;
        unknown.push(gap);
    }
    if verdict != Verdict::Unknown {
        unknown.clear();
    }
    let mut blocked_by: Vec<Blocker> = Vec::new();
    let mut evidence: Vec<EvidenceId> = Vec::new();
    for part in &parts {
        for blocker in &part.blockers {
            if !blocked_by.contains(blocker) {
                blocked_by.push(blocker.clone());
            }
        }
        for id in part
            .trace
            .iter()
            .flat_map(|hop| &hop.evidence)
            .chain(part.blockers.iter().flat_map(|b| &b.evidence))
        {
            // Few ids: looking is cheaper than sorting many copies.
            if !evidence.contains(id) {
                evidence.push(id.clone());
            }
        }
    }
    evidence.sort();
    dedup_gaps(&mut unknown);
    dedup_gaps(&mut assumed);
    Answer { verdict, parts, blocked_by, unknown, assumed, evidence }
}

/// Whether a private zone that nobody listed could lead the name somewhere that is not blocked: not when the source
/// itself lets nothing out, on any way.
fn zone_could_help(parts: &[Part]) -> bool {
    !parts.iter().all(|part| {
        part.blockers.iter().any(|blocker| {
            blocker.kind == BlockerKind::DnsNoAnswer
                || (blocker.kind == BlockerKind::NetworkAcl && blocker.leg == Leg::Request)
        })
    })
}

fn dedup_gaps(gaps: &mut Vec<Gap>) {
    let mut seen: Vec<Gap> = Vec::with_capacity(gaps.len());
    for gap in gaps.drain(..) {
        if !seen.contains(&gap) {
            seen.push(gap);
        }
    }
    *gaps = seen;
}

fn undecided(gap: Gap) -> Answer {
    Answer {
        verdict: Verdict::Unknown,
        parts: Vec::new(),
        blocked_by: Vec::new(),
        evidence: gap.evidence.clone(),
        unknown: vec![gap],
        assumed: Vec::new(),
    }
}

/// The address at a place of the number line, for callers that read packet sets.
pub fn address(place: u128) -> IpAddr {
    address_at(place)
}
