//! One packet at a time, written from the AWS user guide and sharing nothing with the engine but the model.
//!
//! It asks each rule list directly whether this very packet matches, follows it hop by hop, then sends the answer back.

use std::cell::Cell;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use launchpath_model::aws::network_interface::NetworkInterface;
use launchpath_model::aws::route_table::Route;
use launchpath_model::aws::security_group::IpPermission;
use launchpath_model::ids::{SecurityGroupId, SubnetId, VpcId};
use launchpath_model::world::Network;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    pub protocol: u8,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    /// Source port or ICMP type.
    pub from: u16,
    /// Destination port or ICMP code.
    pub to: u16,
}

impl Datagram {
    fn answer(self) -> Self {
        let (from, to) = if self.protocol == 1 {
            (
                match self.from {
                    8 => 0,
                    0 => 8,
                    other => other,
                },
                self.to,
            )
        } else {
            (self.to, self.from)
        };
        Self { source: self.destination, destination: self.source, from, to, ..self }
    }
}

/// Where a packet ended up.
enum Arrival<'n> {
    Interface(&'n NetworkInterface),
    NatGateway(String),
    Outside,
    /// At a transit gateway, beyond which nothing is seen.
    OutOfSight,
}

pub struct Simulator<'n> {
    pub network: &'n Network,
    /// The source port that NAT gateways pick.
    pub nat_port: u16,
    /// Whether a NAT gateway picked it.
    pub port_used: Cell<bool>,
    /// Whether the packet or its answer was out of sight; then "works" means that some network beyond makes it work.
    pub out_of_sight: Cell<bool>,
}

#[derive(Clone)]
struct Nat {
    id: String,
    before: Datagram,
}

#[derive(Clone)]
struct Trip {
    packet: Datagram,
    /// Interface whose groups the receiver sees.
    sender: Option<Vec<SecurityGroupId>>,
    /// The public address the packet leaves with, when it passes an internet gateway.
    public: Option<Ipv4Addr>,
    nats: Vec<Nat>,
    /// Set when an internet gateway carried it to an interface: what the source's side looked like.
    through_internet: Option<(Datagram, SubnetId)>,
    answering: bool,
    was_out_of_sight: bool,
}

impl<'n> Simulator<'n> {
    /// Whether the packet gets from the interface to its destination and the answer gets back.
    pub fn works(&self, interface: &str, packet: Datagram) -> bool {
        let source = self.interface(interface);
        let groups = groups_of(source);
        if !self.groups_admit(&groups, false, &packet, None) {
            return false;
        }
        let subnet = source.subnet_id.clone().unwrap();
        let mut trip = Trip {
            packet,
            sender: Some(groups),
            public: source.association.as_ref().and_then(|a| a.public_ip),
            nats: Vec::new(),
            through_internet: None,
            answering: false,
            was_out_of_sight: false,
        };
        match self.travel(&subnet, &mut trip) {
            None | Some(Arrival::NatGateway(_)) => false,
            Some(Arrival::Interface(target)) => {
                let target_groups = groups_of(target);
                if !self.groups_admit(&target_groups, true, &trip.packet, trip.sender.as_deref()) {
                    return false;
                }
                trip.packet = trip.packet.answer();
                trip.answering = true;
                let subnet = target.subnet_id.clone().unwrap();
                self.comes_home(&subnet, &mut trip, source)
            }
            // Travel turned the packet round at the edge.
            Some(Arrival::Outside) => self.lands(&mut trip, source),
            Some(Arrival::OutOfSight) => self.comes_back_into_sight(&mut trip, source),
        }
    }

    /// Somewhere beyond the transit gateway an answer is made and finds its way to the VPC it belongs to.
    fn comes_back_into_sight(&self, trip: &mut Trip, source: &NetworkInterface) -> bool {
        self.out_of_sight.set(true);
        if trip.was_out_of_sight || trip.through_internet.is_some() {
            return true;
        }
        trip.was_out_of_sight = true;
        if !trip.answering {
            trip.packet = trip.packet.answer();
            trip.answering = true;
        }
        let home = match trip.nats.last() {
            Some(nat) => self.nat(&nat.id).0,
            None => source.subnet_id.clone().unwrap(),
        };
        let vpc = &self.network.subnets.seen(&home).unwrap().value.vpc_id;
        let entries = self.attachment_of(vpc).unwrap_or_default();
        if entries.is_empty() {
            return self.lands(trip, source);
        }
        if entries.contains(&home) {
            return match trip.nats.last().map(|nat| nat.id.clone()) {
                Some(id) => self.out_of_nat(&id, trip, source),
                None => true,
            };
        }
        entries.iter().any(|entry| self.comes_home(entry, &mut trip.clone(), source))
    }

    fn attachment_of(&self, vpc: &VpcId) -> Option<Vec<SubnetId>> {
        let mut attachments = self.network.transit_gateway_vpc_attachments.iter();
        let (_, row) = attachments.find(|(_, row)| row.value.vpc_id == *vpc)?;
        row.value.subnet_ids.clone()
    }

    /// Out of `from` into the transit gateway: through the attachment's subnet of the same zone.
    fn enter_transit_gateway(&self, from: &SubnetId, trip: &Trip) -> Option<Arrival<'n>> {
        let zone = |id: &SubnetId| self.network.subnets.seen(id).unwrap().value.availability_zone.clone();
        let vpc = &self.network.subnets.seen(from).unwrap().value.vpc_id;
        let Some(entries) = self.attachment_of(vpc) else { return Some(Arrival::OutOfSight) };
        let entry = entries.iter().find(|entry| zone(entry) == zone(from))?;
        self.acl_admits(entry, false, &trip.packet).then_some(Arrival::OutOfSight)
    }

    /// The answer, sent out of `subnet`, reaches the source.
    fn comes_home(&self, subnet: &SubnetId, trip: &mut Trip, source: &NetworkInterface) -> bool {
        match self.travel(subnet, trip) {
            Some(Arrival::Interface(end)) => end.network_interface_id == source.network_interface_id,
            Some(Arrival::NatGateway(id)) => self.out_of_nat(&id, trip, source),
            Some(Arrival::Outside) => self.lands(trip, source),
            Some(Arrival::OutOfSight) => self.comes_back_into_sight(trip, source),
            None => false,
        }
    }

    /// The answer is at the edge subnet: of the NAT gateway last passed, or of the source.
    fn lands(&self, trip: &mut Trip, source: &NetworkInterface) -> bool {
        let at = match trip.nats.last() {
            Some(nat) => self.nat(&nat.id).0,
            None => source.subnet_id.clone().unwrap(),
        };
        if !self.acl_admits(&at, false, &trip.packet) {
            return false;
        }
        match trip.nats.last().map(|nat| nat.id.clone()) {
            Some(id) => self.out_of_nat(&id, trip, source),
            None => true,
        }
    }

    fn out_of_nat(&self, id: &str, trip: &mut Trip, source: &NetworkInterface) -> bool {
        let Some(nat) = trip.nats.pop() else { return false };
        if nat.id != id {
            return false;
        }
        trip.packet = nat.before.answer();
        self.comes_home(&self.nat(id).0, trip, source)
    }

    fn travel(&self, from: &SubnetId, trip: &mut Trip) -> Option<Arrival<'n>> {
        let row = &self.network.subnets.seen(from).unwrap().value;
        if row.cidr_block.unwrap().contains(&trip.packet.destination) {
            return self.holder(&row.vpc_id, trip);
        }
        if !self.acl_admits(from, true, &trip.packet) {
            return None;
        }
        let route = self.lookup(from, trip.packet.destination)?;
        if route.state.as_deref() == Some("blackhole") {
            return None;
        }
        if route.gateway_id.as_deref() == Some("local") {
            return self.enter(&row.vpc_id.clone(), trip);
        }
        if let Some(id) = &route.nat_gateway_id {
            return self.through_nat(id.as_str(), from, trip);
        }
        if route.transit_gateway_id.is_some() {
            return self.enter_transit_gateway(from, trip);
        }
        if route.vpc_peering_connection_id.is_some() {
            let other = VpcId::from(if row.vpc_id.as_str() == "vpc-a" { "vpc-b" } else { "vpc-a" });
            let block = self.network.vpcs.seen(&other).unwrap().value.cidr_block.unwrap();
            if !block.contains(&trip.packet.destination) {
                return None;
            }
            return self.enter(&other, trip);
        }
        let gateway = route.gateway_id.clone()?;
        if gateway.starts_with("vpce-") {
            if trip.answering {
                return None;
            }
            // Only the VPC's own interfaces and NAT gateways use it.
            trip.packet = trip.packet.answer();
            trip.answering = true;
            return Some(Arrival::Outside);
        }
        assert!(gateway.starts_with("igw-"), "{gateway}");
        self.through_internet_gateway(from, trip)
    }

    fn enter(&self, vpc: &VpcId, trip: &mut Trip) -> Option<Arrival<'n>> {
        let (subnet, _) = self.network.subnets.iter().find(|(_, row)| {
            row.value.vpc_id == *vpc && row.value.cidr_block.unwrap().contains(&trip.packet.destination)
        })?;
        if !self.acl_admits(subnet, false, &trip.packet) {
            return None;
        }
        self.holder(vpc, trip)
    }

    fn holder(&self, vpc: &VpcId, trip: &Trip) -> Option<Arrival<'n>> {
        let address = trip.packet.destination;
        let (id, row) = self.network.network_interfaces.iter().find(|(_, row)| {
            row.value.vpc_id.as_ref() == Some(vpc) && row.value.private_ip_address == Some(address)
        })?;
        if row.value.interface_type.as_deref() == Some("nat_gateway") {
            return Some(Arrival::NatGateway(id.as_str().replace("eni-nat", "nat")));
        }
        Some(Arrival::Interface(&row.value))
    }

    fn through_nat(&self, id: &str, from: &SubnetId, trip: &mut Trip) -> Option<Arrival<'n>> {
        let row = self.network.nat_gateways.seen(&id.into())?;
        let passed_already = trip.nats.iter().any(|nat| nat.id == id);
        if trip.answering || row.value.state.as_deref() != Some("available") || passed_already {
            return None;
        }
        if ![1, 6, 17].contains(&trip.packet.protocol) {
            return None;
        }
        let (subnet, private, public) = self.nat(id);
        if subnet != *from && !self.acl_admits(&subnet, false, &trip.packet) {
            return None;
        }
        trip.nats.push(Nat { id: id.to_owned(), before: trip.packet });
        trip.packet.source = private;
        if trip.packet.protocol != 1 {
            trip.packet.from = self.nat_port;
            self.port_used.set(true);
        }
        trip.sender = None;
        trip.public = Some(public);
        self.travel(&subnet, trip)
    }

    fn through_internet_gateway(&self, from: &SubnetId, trip: &mut Trip) -> Option<Arrival<'n>> {
        if is_private(trip.packet.destination) {
            return None;
        }
        if trip.answering {
            // Only what came in through an internet gateway goes back through one.
            let (before, _) = trip.through_internet.take()?;
            trip.packet = before.answer();
            return Some(Arrival::Outside);
        }
        let public = trip.public?;
        let target = self.network.network_interfaces.iter().find(|(_, row)| {
            row.value.association.as_ref().and_then(|a| a.public_ip) == Some(trip.packet.destination)
        });
        let Some((_, row)) = target else {
            trip.packet = trip.packet.answer();
            trip.answering = true;
            return Some(Arrival::Outside);
        };
        trip.through_internet = Some((trip.packet, from.clone()));
        trip.packet.source = public;
        trip.packet.destination = row.value.private_ip_address?;
        trip.sender = None;
        let subnet = row.value.subnet_id.as_ref()?;
        self.acl_admits(subnet, false, &trip.packet).then_some(Arrival::Interface(&row.value))
    }

    fn nat(&self, id: &str) -> (SubnetId, Ipv4Addr, Ipv4Addr) {
        let nat = &self.network.nat_gateways.seen(&id.into()).unwrap().value;
        let address = &nat.nat_gateway_addresses.as_ref().unwrap()[0];
        (nat.subnet_id.clone().unwrap(), address.private_ip.unwrap(), address.public_ip.unwrap())
    }

    fn interface(&self, id: &str) -> &'n NetworkInterface {
        &self.network.network_interfaces.seen(&id.into()).unwrap().value
    }

    fn lookup(&self, subnet: &SubnetId, destination: Ipv4Addr) -> Option<&'n Route> {
        let (_, table) = self.network.route_tables.iter().find(|(_, row)| {
            row.value.associations.iter().flatten().any(|a| a.subnet_id.as_ref() == Some(subnet))
        })?;
        let mut best: Option<(u8, bool, &Route)> = None;
        for route in table.value.routes.iter().flatten() {
            let blocks: Vec<Ipv4Net> =
                match (&route.destination_cidr_block, &route.destination_prefix_list_id) {
                    (Some(block), _) => vec![*block],
                    (None, Some(list)) => self.entries(list.as_str()),
                    (None, None) => vec![],
                };
            let is_static = route.destination_cidr_block.is_some();
            for block in blocks.into_iter().filter(|block| block.contains(&destination)) {
                let rank = (block.prefix_len(), is_static);
                if best.is_none_or(|(length, stat, _)| rank > (length, stat)) {
                    best = Some((rank.0, rank.1, route));
                }
            }
        }
        best.map(|(_, _, route)| route)
    }

    fn entries(&self, list: &str) -> Vec<Ipv4Net> {
        let row = self.network.prefix_lists.seen(&list.into()).unwrap();
        row.value.cidrs.iter().flatten().map(|net| net.to_string().parse().unwrap()).collect()
    }

    fn acl_admits(&self, subnet: &SubnetId, egress: bool, packet: &Datagram) -> bool {
        let (_, acl) = self
            .network
            .network_acls
            .iter()
            .find(|(_, row)| {
                row.value.associations.iter().flatten().any(|a| a.subnet_id.as_ref() == Some(subnet))
            })
            .unwrap();
        let mut entries: Vec<_> =
            acl.value.entries.as_ref().unwrap().iter().filter(|e| e.egress == egress).collect();
        entries.sort_by_key(|entry| entry.rule_number);
        let peer = if egress { packet.destination } else { packet.source };
        for entry in entries {
            if entry.protocol != "-1" && entry.protocol != packet.protocol.to_string() {
                continue;
            }
            if !entry.cidr_block.unwrap().contains(&peer) {
                continue;
            }
            if let (6 | 17, Some(range)) = (packet.protocol, entry.port_range)
                && entry.protocol != "-1"
                && !(range.from..=range.to).contains(&i64::from(packet.to))
            {
                continue;
            }
            if let (1, Some(types)) = (packet.protocol, entry.icmp_type_code)
                && entry.protocol != "-1"
                && types.r#type != -1
                && types.r#type != i64::from(packet.from)
            {
                continue;
            }
            return entry.rule_action == "allow";
        }
        false
    }

    fn groups_admit(
        &self,
        groups: &[SecurityGroupId],
        ingress: bool,
        packet: &Datagram,
        sender: Option<&[SecurityGroupId]>,
    ) -> bool {
        groups.iter().any(|id| {
            let group = &self.network.security_groups.seen(id).unwrap().value;
            let rules = if ingress { &group.ip_permissions } else { &group.ip_permissions_egress };
            rules.iter().flatten().any(|rule| self.rule_admits(rule, ingress, packet, sender))
        })
    }

    fn rule_admits(
        &self,
        rule: &IpPermission,
        ingress: bool,
        packet: &Datagram,
        sender: Option<&[SecurityGroupId]>,
    ) -> bool {
        let (from, to) = (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1));
        let service = match (rule.ip_protocol.as_str(), packet.protocol) {
            ("-1", _) => true,
            ("tcp", 6) | ("udp", 17) => (from..=to).contains(&i64::from(packet.to)),
            ("icmp", 1) => from == -1 || from == i64::from(packet.from),
            _ => false,
        };
        if !service {
            return false;
        }
        let peer = if ingress { packet.source } else { packet.destination };
        let in_block = rule.ip_ranges.iter().any(|range| range.cidr_ip.unwrap().contains(&peer));
        let in_list = rule
            .prefix_list_ids
            .iter()
            .any(|list| self.entries(list.prefix_list_id.as_str()).iter().any(|net| net.contains(&peer)));
        let in_group = rule.user_id_group_pairs.iter().any(|pair| {
            let wanted = pair.group_id.as_ref().unwrap();
            if ingress {
                return sender.is_some_and(|groups| groups.contains(wanted));
            }
            self.network.network_interfaces.iter().any(|(_, row)| {
                row.value.private_ip_address == Some(peer) && groups_of(&row.value).contains(wanted)
            })
        });
        in_block || in_list || in_group
    }
}

fn groups_of(interface: &NetworkInterface) -> Vec<SecurityGroupId> {
    interface.groups.iter().flatten().map(|g| g.group_id.clone()).collect()
}

fn is_private(address: Ipv4Addr) -> bool {
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
        .iter()
        .any(|block| block.parse::<Ipv4Net>().unwrap().contains(&address))
}
