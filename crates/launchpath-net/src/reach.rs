//! The question answered: resolves the destination, walks every possibility, and adds the outcomes up.
//!
//! Start with [`Engine`]; [`reach`] is the one-question form.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use launchpath_model::ids::{NetworkInterfaceId, SubnetId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{Gap, GapReason};

use crate::answer::{Answer, Blocker, BlockerKind, Hop, Leg, Outcome, Part, Verdict};
use crate::destination::{Aim, Alternative};
use crate::dns::service_of_name;
use crate::end::{End, EndKind};
use crate::index::{Index, Listing};
use crate::packet::{Cube, PacketSet};
use crate::question::{Destination, Flow, Source, Start};
use crate::span::{ANY_V4, ANY_V6, Span, address_at, place, public_v4, subtract_all};
use crate::verdict::{Outcomes, add_up, combine, undecided, verdict_of};
use crate::walk::{Carried, Goal, Origin, Walk};

/// A network prepared for questions. Building it costs one pass over the network; every question shares it.
pub struct Engine<'a> {
    pub(crate) index: Index<'a>,
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
        self.index.ends_within(vpc, at).next().map(|(_, end)| end)
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
            what: match &source.interface {
                Some(id) => id.into(),
                None => format!("an interface in {}", source.subnet).into(),
            },
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

    /// Whether the recorded address of an interface lies in its subnet's block. Emulators make up addresses; then the subnet
    /// is believed, because routes and ACLs hang on it.
    pub(crate) fn lies_in_its_subnet(&self, interface: &NetworkInterfaceId) -> bool {
        let network = self.index.network;
        let Some(row) = network.network_interfaces.seen(interface) else { return true };
        let subnet = row.value.subnet_id.as_ref().and_then(|id| network.subnets.seen(id));
        match (row.value.private_ip_address, subnet.and_then(|subnet| subnet.value.cidr_block)) {
            (Some(address), Some(block)) => block.contains(&address),
            _ => true,
        }
    }

    /// The IPv4 addresses of a subnet that an interface can hold.
    ///
    /// AWS: the first four and the last one are reserved
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>).
    pub(crate) fn usable_addresses(&self, subnet: &SubnetId) -> Vec<Span<u128>> {
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
        let wants_v6 = match destination {
            Destination::Address(address) => address.is_ipv6(),
            Destination::Block(block) => block.addr().is_ipv6(),
            _ => false,
        };
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
            let walked = self.walk_alternative(origin, sources, &alternative, destination, flow);
            outcomes.push((depends_on, walked));
        }
        let refused_wherever = || self.refused_wherever(origin, sources, destination, None, flow).is_some();
        add_up(outcomes, assumed, hidden_zone, refused_wherever)
    }

    fn walk_alternative(
        &self,
        origin: &Origin<'_>,
        sources: &[Span<u128>],
        alternative: &Alternative,
        destination: &Destination,
        flow: &Flow,
    ) -> Outcomes {
        if let Some(gap) = &alternative.elsewhere {
            let hop = alternative.hop.as_ref();
            if let Some(refusal) = self.refused_wherever(origin, sources, destination, hop, flow) {
                return refusal;
            }
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
                blockers: vec![Arc::clone(blocker)],
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

    /// What refuses the packets whatever address they are for; `None` where some address may be reached.
    ///
    /// Interfaces of endpoints of other services than the one meant do not count: they are no way to it.
    fn refused_wherever(
        &self,
        origin: &Origin<'_>,
        sources: &[Span<u128>],
        destination: &Destination,
        hop: Option<&Arc<Hop>>,
        flow: &Flow,
    ) -> Option<Outcomes> {
        let walk = |addresses| {
            let what = "any address".into();
            let unspecified = IpAddr::from([0, 0, 0, 0]);
            let aim = Aim { what, addresses, one_of: true, ..Aim::address(unspecified, false) };
            let alternative = Alternative::of_aims(hop.cloned(), Vec::new());
            self.walk_aim(origin, sources, &alternative, &aim, flow)
        };
        // The internet first: where it is open, nothing else need be asked.
        if walk(public_v4().to_vec()).verdict != Verdict::None {
            return None;
        }
        let service = self.service_meant(destination);
        let others: BTreeSet<u128> = self.addresses_of_other_endpoints(service.as_deref());
        let of_others = |part: &Part| {
            let mut to = part.packets.cubes().iter().map(|cube| cube.destination);
            to.all(|to| to.first == to.last && others.contains(&to.first))
        };
        let mut all = walk([ANY_V4].into_iter().chain(ANY_V6).collect());
        let mut parts = std::mem::take(&mut all.parts);
        parts.retain(|part| !of_others(part));
        if parts.is_empty() || parts.iter().any(|part| part.outcome != Outcome::Blocked) {
            return None;
        }
        let alike = |one: &Blocker, other: &Blocker| {
            (one.kind, &one.id, &one.at) == (other.kind, &other.id, &other.at)
        };
        let in_every = |blocker: &Blocker| {
            parts.iter().all(|part| part.blockers.iter().any(|other| alike(blocker, other)))
        };
        let common: Vec<Arc<Blocker>> =
            parts[0].blockers.iter().filter(|blocker| in_every(blocker)).cloned().collect();
        if !common.is_empty() {
            // Whatever the address is, these are in the way; what else is, depends on it.
            parts.truncate(1);
            parts[0].blockers = common;
        }
        Some(Outcomes { verdict: Verdict::None, parts, gaps: Vec::new(), assumed: all.assumed })
    }

    /// The addresses of interfaces whose endpoints serve something else.
    fn addresses_of_other_endpoints(&self, service: Option<&str>) -> BTreeSet<u128> {
        let Some(service) = service else { return BTreeSet::new() };
        let others = self.index.ends.iter().filter(|end| match &end.kind {
            EndKind::Endpoint(id) => {
                let row = self.index.network.vpc_endpoints.seen(id);
                row.is_some_and(|row| row.value.service() != service)
            }
            EndKind::Plain | EndKind::NatGateway => false,
        });
        others.flat_map(|end| end.addresses.iter().map(|span| span.first)).collect()
    }

    fn service_meant(&self, destination: &Destination) -> Option<String> {
        match destination {
            Destination::Service(service) => Some(service.clone()),
            Destination::Name(name) => service_of_name(name, self.index.region()?),
            _ => None,
        }
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
        if let (Origin::Interface(end), true) = (origin, packets.is_empty()) {
            return without_family(end, aim, flow);
        }
        let lists = aim.service.as_deref().map(|s| self.index.lists_of(s).to_vec()).unwrap_or_default();
        let goal = Goal {
            what: Arc::clone(&aim.what),
            end: aim.end.as_ref(),
            service: aim.service.clone(),
            foreign: aim.one_of && aim.end.is_none(),
            lists,
            on_premises: aim.on_premises,
        };
        let walk = Walk { index: &self.index, origin: origin.clone(), goal };
        let mut branch = Carried::branch(packets);
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
                    trace: branch.hops.into_vec(),
                    share: branch.share,
                    outcome,
                    blockers: branch.blockers.into_vec(),
                    gaps: branch.gaps,
                })
            })
            .collect();
        let (verdict, gaps) = verdict_of(&parts, aim);
        Outcomes { verdict, parts, gaps, assumed }
    }
}

/// The interface has no address from which packets could go to the aim. The unspecified address stands for the missing one.
fn without_family(end: &End, aim: &Aim, flow: &Flow) -> Outcomes {
    let mut parts = Vec::new();
    let wants_v4 = aim.addresses.iter().any(|span| ANY_V4.covers(*span));
    let (family, missing) =
        if wants_v4 { ("IPv4", ANY_V4.first) } else { ("IPv6", place(Ipv6Addr::UNSPECIFIED.into())) };
    let packets = packets_of(&[Span::one(missing)], &aim.addresses, flow);
    if let Some(example) = packets.example() {
        let blocker = Blocker {
            kind: BlockerKind::NoAddressOfFamily,
            id: end.label(),
            at: end.subnet.as_ref().map(Arc::from),
            leg: Leg::Request,
            direction: None,
            rule: None,
            text: format!("{} has no {family} address, and {} has no other", end.what, aim.what).into(),
            evidence: end.evidence.clone(),
            edit: None,
        };
        parts.push(Part {
            packets,
            example,
            trace: Vec::new(),
            share: 1.0,
            outcome: Outcome::Blocked,
            blockers: vec![Arc::new(blocker)],
            gaps: Vec::new(),
        });
    }
    Outcomes { verdict: Verdict::None, parts, gaps: Vec::new(), assumed: Vec::new() }
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

/// The address at a place of the number line, for callers that read packet sets.
pub fn address(place: u128) -> IpAddr {
    address_at(place)
}
