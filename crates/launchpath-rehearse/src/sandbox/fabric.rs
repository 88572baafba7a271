//! The network of a sandbox: one interface inside, and behind it a namespace that stands for the service and the world.
//!
//! The process sees `eth0` with an address of its own and a default route. At the other end of the wire is a second namespace in
//! which our sockets live: the probes connect from there, the name server and the metadata service listen there, and a packet
//! socket sees everything that comes out. Rules there decide what reaches a socket. Everything else has no route and is dropped
//! without a word, which is what a security group does.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::netlink::{Batch, Matching, Port};
use super::plan::{Network, Plan};

/// The sandbox's address. Of a range for documentation: no VPC has it.
pub(super) const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Where the service's probes come from.
pub(super) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The resolver of every VPC.
// AWS: https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
pub(super) const RESOLVER: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 253);
/// The metadata service.
pub(super) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

pub(super) const DNS: u16 = 53;
pub(super) const HTTP: u16 = 80;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Ports that answer at once; each is a socket handed over in one message.
pub(super) const MOST_PORTS: usize = 60;

const LOOPBACK: i32 = 1;
/// Kernels put tunnels of their own into new namespaces under low numbers.
const INDEX: i32 = 1000;
const INNER: Port = Port { name: "eth0", index: INDEX, hardware: [2, 0, 0, 0, 0, 2] };
const OUTER: Port = Port { name: "wire0", index: INDEX, hardware: [2, 0, 0, 0, 0, 1] };

/// The messages that make it, in the order in which they are sent.
#[derive(Clone, Debug)]
pub(super) struct Fabric {
    /// In the outer namespace, before there is a wire.
    pub(super) outer: Batch,
    /// In the sandbox: the wire and the inner end.
    pub(super) inner: Batch,
    /// In the outer namespace: the outer end.
    pub(super) wired: Batch,
    /// TCP ports on which a socket listens, at whatever address.
    pub(super) tcp_ports: Vec<u16>,
    /// Whether the name server answers.
    pub(super) resolves: bool,
}

impl Fabric {
    pub(super) fn new(plan: &Plan, open: &[SocketAddrV4]) -> Self {
        let mut tcp_ports: Vec<u16> = open.iter().map(SocketAddrV4::port).chain([HTTP]).collect();
        let resolves = plan.network != Network::Nothing;
        if resolves {
            tcp_ports.push(DNS);
        }
        tcp_ports.sort_unstable();
        tcp_ports.dedup();
        Self { outer: outer(open, resolves), inner: inner(), wired: wired(), tcp_ports, resolves }
    }
}

fn outer(open: &[SocketAddrV4], resolves: bool) -> Batch {
    let mut batch = Batch::default();
    batch.up(LOOPBACK);
    batch.every_address_is_local();
    batch.no_local_rule();
    let from_wire = |to, ports| Matching { from_interface: OUTER.name, to: Some(to), ports };
    let ours = Matching { from_interface: "lo", to: None, ports: None };
    batch.rule(1, &ours, libc::RT_TABLE_MAIN);
    let mut priority = 2;
    let mut admit = |to, ports| {
        batch.rule(priority, &from_wire(to, Some(ports)), libc::RT_TABLE_LOCAL);
        priority += 1;
    };
    // Answers to our probes, which leave from a port of the kernel's choice.
    // The kernel takes no range that ends in the last port.
    admit(OUTSIDE, (TCP, 1024, u16::MAX - 1));
    admit(METADATA, (TCP, HTTP, HTTP));
    if resolves {
        admit(RESOLVER, (UDP, DNS, DNS));
        admit(RESOLVER, (TCP, DNS, DNS));
    }
    for open in open {
        admit(*open.ip(), (TCP, open.port(), open.port()));
    }
    batch
}

fn inner() -> Batch {
    let mut batch = Batch::default();
    batch.up(LOOPBACK);
    batch.pair(&INNER, &OUTER);
    batch.no_automatic_addresses(INNER.index);
    batch.address(INNER.index, INSIDE);
    batch.up(INNER.index);
    batch.neighbour(INNER.index, OUTSIDE, OUTER.hardware);
    batch.route(None, INNER.index, Some(OUTSIDE));
    batch
}

fn wired() -> Batch {
    let mut batch = Batch::default();
    batch.no_automatic_addresses(OUTER.index);
    batch.address(OUTER.index, OUTSIDE);
    batch.up(OUTER.index);
    batch.neighbour(OUTER.index, INSIDE, INNER.hardware);
    batch.route(Some(INSIDE), OUTER.index, None);
    batch
}
