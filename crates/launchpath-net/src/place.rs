//! Sources and destinations of records, named loosely: by address, interface, instance, name, service, or a word for them.
//!
//! What a record does not say is taken from the network. Start with [`Place`].

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use launchpath_model::ids::{InstanceId, NetworkInterfaceId, VpcId, VpnGatewayId};
use launchpath_model::world::Network;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::batch::{RecordError, wrong};
use crate::question::{Destination, Source, Start};
use crate::span::{PUBLIC_V6, place, public_v4, v4_block};

/// A source or a destination, as much as is said. In place of the object a text may stand: an address, a block, an id, a name,
/// `internet`.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `instance`, `internet`, `vpc`, `subnet`, `vpn-gateway`, `on-premises`, …
    pub kind: Option<String>,
    /// The resource.
    pub id: Option<String>,
    /// The interface.
    pub eni: Option<String>,
    /// The address.
    pub ip: Option<IpAddr>,
    /// A block of addresses; as a destination.
    pub cidr: Option<IpNet>,
    /// The subnet.
    pub subnet: Option<String>,
    /// A host name.
    pub name: Option<String>,
    /// An AWS service.
    pub service: Option<String>,
    /// Security groups of an interface that is not in the network.
    pub security_groups: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place: an object with `ip`, `eni`, `id`, `name` or `service`, or one of these as text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Place, E> {
        Ok(Place::read(text.trim()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place, A::Error> {
        let members = Map::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Place::of_members(&members)
    }
}

/// The first of the spellings that is there and not null.
fn member<T: DeserializeOwned, E: de::Error>(
    members: &Map<String, Value>,
    spellings: &[&str],
) -> Result<Option<T>, E> {
    let mut given = spellings.iter().filter_map(|name| Some((name, members.get(*name)?)));
    let Some((name, value)) = given.find(|(_, value)| !value.is_null()) else { return Ok(None) };
    T::deserialize(value).map(Some).map_err(|error| E::custom(format_args!("{name}: {error}")))
}

impl Place {
    /// Reads an object: the usual spellings of each member; others are passed over.
    fn of_members<E: de::Error>(members: &Map<String, Value>) -> Result<Self, E> {
        let block: Option<String> = member(members, &["cidr", "block", "prefix", "cidr_block"])?;
        let cidr = match block {
            Some(text) => Some(read_block::<E>(&text)?),
            None => None,
        };
        let place = Self {
            kind: member(members, &["kind", "type"])?,
            id: member(members, &["id", "resource", "resource_id", "instance", "instance_id"])?,
            eni: member(
                members,
                &["eni", "interface", "network_interface", "network_interface_id", "eni_id"],
            )?,
            ip: member(members, &["ip", "address", "ip_address", "private_ip", "private_ip_address"])?,
            cidr,
            subnet: member(members, &["subnet", "subnet_id"])?,
            name: member(members, &["name", "host", "hostname", "host_name", "fqdn", "dns", "dns_name"])?,
            service: member(members, &["service"])?,
            security_groups: member(members, &["security_groups", "groups", "security_group_ids"])?,
        };
        // A lone `id` says what kind of thing it is.
        match &place.id {
            Some(id) if place.kind.is_none() && id.contains('-') => {
                Ok(Self { kind: Self::read(id).kind, ..place })
            }
            _ => Ok(place),
        }
    }

    /// Whether only a subnet is said: which groups its sender has is then open.
    pub(crate) fn is_subnet_alone(&self) -> Option<&str> {
        let bare = self.security_groups.is_none() && self.eni.is_none() && self.ip.is_none();
        let id = self.id.as_deref().filter(|id| id.starts_with("subnet-"));
        let named = id.or_else(|| self.subnet.as_deref().filter(|_| self.id.is_none()));
        named.filter(|_| bare)
    }

    /// What a text names, by its shape.
    fn read(text: &str) -> Self {
        let mut place = Self::default();
        let own = || Some(text.to_owned());
        let kinds = [("vpc-", "vpc"), ("subnet-", "subnet"), ("vgw-", "vpn-gateway")];
        place.ip = text.parse().ok();
        place.cidr = text.parse().ok();
        if place.ip.is_some() || place.cidr.is_some() {
            return place;
        }
        if text.eq_ignore_ascii_case("internet") {
            place.kind = Some("internet".to_owned());
        } else if text.starts_with("eni-") {
            place.eni = own();
        } else if let Some((_, kind)) = kinds.iter().find(|(start, _)| text.starts_with(start)) {
            place.kind = Some((*kind).to_owned());
            place.id = own();
        } else if text.starts_with("i-") {
            place.id = own();
        } else if text.matches('.').count() > 1 {
            place.name = own();
        } else {
            place.service = own();
        }
        place
    }
}

pub(crate) fn start_of(network: &Network, source: &Place, destination: &Place) -> Result<Start, RecordError> {
    let id = || source.id.as_deref().ok_or_else(|| wrong("source.id", "missing"));
    match source.kind.as_deref().unwrap_or_default() {
        "internet" => return Ok(Start::Internet(source.ip)),
        "vpc" => return Ok(Start::Vpc(id()?.into())),
        "vpn-gateway" => return Ok(Start::VpnGateway(id()?.into(), source.ip)),
        "on-premises" | "customer-gateway" => {
            let gateway = gateway_towards(network, destination.ip)
                .ok_or_else(|| wrong("source", "no VPN gateway leads to the destination's VPC"))?;
            return Ok(Start::VpnGateway(gateway, source.ip));
        }
        _ => {}
    }
    if let Some(subnet) = source.is_subnet_alone() {
        // Packets as they enter the VPC from the subnet: the groups of no interface are asked.
        return Ok(Start::Interface(Source { subnet: subnet.into(), ..Source::default() }));
    }
    let subnet = source.id.as_ref().filter(|id| id.starts_with("subnet-")).or(source.subnet.as_ref());
    if let (Some(subnet), Some(groups)) = (subnet, &source.security_groups) {
        return Ok(Start::Interface(Source {
            subnet: subnet.as_str().into(),
            security_groups: groups.iter().map(|g| g.as_str().into()).collect(),
            address: source.ip,
            public_address: None,
            interface: source.eni.as_deref().map(Into::into),
        }));
    }
    // The instance first: saved folders exist in which several instances share one interface id.
    let instance = source.id.as_deref().filter(|id| id.starts_with("i-")).map(InstanceId::from);
    if let Some(instance) = &instance
        && network.instances.seen(instance).is_some()
    {
        return Ok(Start::Instance(instance.clone(), source.ip));
    }
    let named = source.eni.as_deref().or(source.id.as_deref().filter(|id| id.starts_with("eni-")));
    if let Some(interface) = named {
        return Ok(Start::Known(interface.into()));
    }
    if let Some(ip) = source.ip
        && let Some(interface) = interface_with(network, ip)
    {
        return Ok(Start::Known(interface));
    }
    if let Some(instance) = instance {
        // Not described: the interface says whose it is, or the answer names the missing call.
        let interface = interface_of(network, &instance).map(Start::Known);
        return Ok(interface.unwrap_or(Start::Instance(instance, source.ip)));
    }
    let block =
        source.cidr.filter(|block| source.ip.is_none() && block.prefix_len() == block.max_prefix_len());
    let outside = source.ip.or(block.map(|block| block.addr()));
    if let Some(ip) = outside
        && public_v4().iter().chain([&PUBLIC_V6]).any(|span| span.contains(place(ip)))
    {
        return Ok(Start::Internet(Some(ip)));
    }
    if source.cidr.is_some_and(|block| block.prefix_len() == 0) {
        return Ok(Start::Internet(None));
    }
    Err(wrong("source", "expected an interface, an instance, a subnet or an address of the network"))
}

/// A block, or an address as the block of itself alone.
fn read_block<E: de::Error>(text: &str) -> Result<IpNet, E> {
    let block = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    block.ok_or_else(|| E::custom(format_args!("cidr: `{text}` is not a block of addresses")))
}

fn interface_with(network: &Network, ip: IpAddr) -> Option<NetworkInterfaceId> {
    let row = network.network_interfaces.iter().find(|(_, row)| match ip {
        IpAddr::V4(ip) => {
            row.value.private_ip_address == Some(ip)
                || row.value.private_ip_addresses.iter().flatten().any(|p| p.private_ip_address == Some(ip))
        }
        IpAddr::V6(ip) => row.value.ipv6_addresses.iter().flatten().any(|p| p.ipv6_address == Some(ip)),
    });
    row.map(|(id, _)| id.clone())
}

/// The first interface that says that it is attached to the instance.
fn interface_of(network: &Network, instance: &InstanceId) -> Option<NetworkInterfaceId> {
    let row = network.network_interfaces.iter().find(|(_, row)| {
        row.value.attachment.as_ref().and_then(|attachment| attachment.instance_id.as_ref()) == Some(instance)
    });
    row.map(|(id, _)| id.clone())
}

/// The VPN gateway whose VPC holds the address, else the only one there is.
fn gateway_towards(network: &Network, ip: Option<IpAddr>) -> Option<VpnGatewayId> {
    let holds = |vpc: &VpcId| {
        let blocks = network.vpcs.seen(vpc).map(|row| row.value.ipv4_blocks()).unwrap_or_default();
        ip.is_some_and(|ip| blocks.iter().any(|block| v4_block(*block).contains(place(ip))))
    };
    let towards = network.vpn_gateways.iter().find(|(_, row)| {
        row.value.vpc_attachments.iter().flatten().any(|attachment| holds(&attachment.vpc_id))
    });
    if let Some((id, _)) = towards {
        return Some(id.clone());
    }
    let mut all = network.vpn_gateways.iter().map(|(id, _)| id.clone());
    all.next().filter(|_| network.vpn_gateways.len() == 1)
}

pub(crate) fn destination_of(network: &Network, place: &Place) -> Result<Destination, RecordError> {
    if let Some(name) = &place.name {
        return Ok(Destination::Name(name.clone()));
    }
    if let Some(service) = &place.service {
        return Ok(Destination::Service(service.clone()));
    }
    if let Some(ip) = place.ip {
        let on_premises = place.kind.as_deref().is_some_and(|kind| kind.starts_with("on-premises"));
        return Ok(if on_premises { Destination::OnPremises(ip) } else { Destination::Address(ip) });
    }
    if place.kind.as_deref() == Some("internet") {
        return Ok(Destination::Internet);
    }
    if let Some(block) = place.cidr {
        return Ok(Destination::Block(block));
    }
    let id = place.id.as_deref().unwrap_or_default();
    if let Some(interface) = place.eni.as_deref().or(Some(id).filter(|id| id.starts_with("eni-"))) {
        return Ok(Destination::Interface(interface.into()));
    }
    let subnet = if id.is_empty() { place.subnet.as_deref().unwrap_or_default() } else { id };
    if subnet.starts_with("subnet-")
        && let Some(block) = network.subnets.seen(&subnet.into()).and_then(|row| row.value.cidr_block)
    {
        return Ok(Destination::Block(block.into()));
    }
    if id.starts_with("vpc-")
        && let Some([block]) = network.vpcs.seen(&id.into()).map(|row| row.value.ipv4_blocks()).as_deref()
    {
        return Ok(Destination::Block((*block).into()));
    }
    let instance = InstanceId::from(id);
    let row = network.instances.seen(&instance);
    let address = row.and_then(|row| row.value.network_interfaces.as_ref()?.first()?.private_ip_address);
    if let Some(address) = address {
        return Ok(Destination::Address(address.into()));
    }
    let interface = interface_of(network, &instance);
    let interface = interface.ok_or_else(|| {
        wrong("destination", "expected an address, a name, a service or a resource of the network")
    })?;
    Ok(Destination::Interface(interface))
}
