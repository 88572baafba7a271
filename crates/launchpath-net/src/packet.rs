//! Sets of packets with exact algebra: the values that the walk carries through the network.
//!
//! A [`PacketSet`] is a list of disjoint [`Cube`]s, each a product of five spans. Union, intersection and
//! difference are exact; nothing is sampled. Start with [`Cube`].

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use serde::ser::SerializeStruct;
use smallvec::{SmallVec, smallvec};

use crate::span::{ANY_PORT, ANY_PROTOCOL, Decimals, Span, address_at, write_addresses};

/// TCP.
pub const TCP: u8 = 6;
/// UDP.
pub const UDP: u8 = 17;
/// ICMP.
pub const ICMP: u8 = 1;
/// ICMP for IPv6.
pub const ICMP_V6: u8 = 58;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// IANA protocol number.
    pub protocol: u8,
    /// Who sends it.
    pub source: IpAddr,
    /// Where it goes.
    pub destination: IpAddr,
    /// Source port; for ICMP the type; 0 for protocols without ports.
    pub from: u16,
    /// Destination port; for ICMP the code; 0 for protocols without ports.
    pub to: u16,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source, self.destination);
        match self.protocol {
            TCP | UDP => {
                let name = if self.protocol == TCP { "tcp" } else { "udp" };
                write!(f, "{name} {source}:{} -> {destination}:{}", self.from, self.to)
            }
            ICMP | ICMP_V6 => {
                write!(f, "icmp type {} code {} {source} -> {destination}", self.from, self.to)
            }
            other => write!(f, "protocol {other} {source} -> {destination}"),
        }
    }
}

impl Serialize for Packet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Packet", 5)?;
        out.serialize_field("protocol", &self.protocol)?;
        out.serialize_field("source", &self.source)?;
        out.serialize_field("destination", &self.destination)?;
        out.serialize_field("from", &self.from)?;
        out.serialize_field("to", &self.to)?;
        out.end()
    }
}

/// A product of spans: every packet whose five fields lie in them. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cube {
    /// IANA protocol numbers.
    pub protocol: Span<u8>,
    /// Destination addresses, on the number line of [`crate::span`].
    pub destination: Span<u128>,
    /// Source addresses.
    pub source: Span<u128>,
    /// Destination ports, or ICMP codes.
    pub to: Span<u16>,
    /// Source ports, or ICMP types.
    pub from: Span<u16>,
}

impl Cube {
    /// Every packet from `source` to `destination`.
    pub fn between(source: Span<u128>, destination: Span<u128>) -> Self {
        Self { protocol: ANY_PROTOCOL, destination, source, to: ANY_PORT, from: ANY_PORT }
    }

    /// What both hold.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Some(Self {
            protocol: self.protocol.intersect(other.protocol)?,
            destination: self.destination.intersect(other.destination)?,
            source: self.source.intersect(other.source)?,
            to: self.to.intersect(other.to)?,
            from: self.from.intersect(other.from)?,
        })
    }

    /// Whether both share a packet.
    pub fn meets(&self, other: &Self) -> bool {
        self.protocol.meets(other.protocol)
            && self.destination.meets(other.destination)
            && self.source.meets(other.source)
            && self.to.meets(other.to)
            && self.from.meets(other.from)
    }

    /// How many packets it holds, roughly for large numbers.
    #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
    pub fn size(&self) -> f64 {
        let protocols = f64::from(self.protocol.last - self.protocol.first) + 1.0;
        let ports = (f64::from(self.to.last - self.to.first) + 1.0)
            * (f64::from(self.from.last - self.from.first) + 1.0);
        let sources = (self.source.last - self.source.first) as f64 + 1.0;
        let destinations = (self.destination.last - self.destination.first) as f64 + 1.0;
        protocols * ports * sources * destinations
    }

    /// Whether all of `other` lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.protocol.covers(other.protocol)
            && self.destination.covers(other.destination)
            && self.source.covers(other.source)
            && self.to.covers(other.to)
            && self.from.covers(other.from)
    }

    /// Hands out what lies outside of `other`, in disjoint pieces.
    pub fn subtract_into(&self, other: &Self, out: &mut impl FnMut(Self)) {
        if !self.meets(other) {
            out(*self);
            return;
        }
        // Peel one dimension after the other: what remains agrees with `other` in all dimensions peeled before.
        let mut rest = *self;
        macro_rules! peel {
            ($($field:ident),+) => {$(
                for piece in rest.$field.without(other.$field).into_iter().flatten() {
                    out(Self { $field: piece, ..rest });
                }
                if let Some(shared) = rest.$field.intersect(other.$field) {
                    rest = Self { $field: shared, ..rest };
                }
            )+};
        }
        peel!(protocol, destination, source, to, from);
        debug_assert!(other.covers(&rest), "what is not peeled lies in both");
    }

    /// The answers to its packets: addresses and ports exchanged, an echo request answered by an echo reply.
    pub fn reversed(&self) -> Vec<Self> {
        let mut out = Vec::with_capacity(1);
        for piece in self.split_icmp() {
            let swapped = Self { source: piece.destination, destination: piece.source, ..piece };
            if piece.is_icmp() {
                out.extend(reverse_types(swapped));
            } else {
                out.push(Self { from: piece.to, to: piece.from, ..swapped });
            }
        }
        out
    }

    /// [`Cube::reversed`] where it holds no ICMP packet.
    fn reversed_ports(&self) -> Option<Self> {
        if self.protocol.contains(ICMP) || self.protocol.contains(ICMP_V6) {
            return None;
        }
        Some(Self {
            source: self.destination,
            destination: self.source,
            from: self.to,
            to: self.from,
            protocol: self.protocol,
        })
    }

    fn is_icmp(&self) -> bool {
        self.protocol == Span::one(ICMP) || self.protocol == Span::one(ICMP_V6)
    }

    /// Pieces whose protocol is ICMP alone, or holds no ICMP.
    fn split_icmp(&self) -> Vec<Self> {
        let mut rest = vec![*self];
        let mut out = Vec::with_capacity(1);
        for icmp in [Span::one(ICMP), Span::one(ICMP_V6)] {
            let mut others = Vec::with_capacity(rest.len());
            for cube in rest {
                if let Some(shared) = cube.protocol.intersect(icmp) {
                    out.push(Self { protocol: shared, ..cube });
                }
                let outside = cube.protocol.without(icmp).into_iter().flatten();
                if cube.protocol.meets(icmp) {
                    others.extend(outside.map(|protocol| Self { protocol, ..cube }));
                } else {
                    others.push(cube);
                }
            }
            rest = others;
        }
        out.extend(rest);
        out
    }

    /// A packet of it, preferring ports a person expects.
    pub fn example(&self) -> Packet {
        let ports = matches!(self.protocol.first, TCP | UDP);
        let from = if ports && self.from.contains(49152) { 49152 } else { self.from.first };
        Packet {
            protocol: self.protocol.first,
            source: address_at(self.source.first),
            destination: address_at(self.destination.first),
            from,
            to: self.to.first,
        }
    }
}

/// Whether the cube holds ICMP packets alone.
pub(crate) fn is_icmp(cube: &Cube) -> bool {
    cube.is_icmp()
}

/// Exchanges echo request and echo reply, and keeps the other types.
fn reverse_types(cube: Cube) -> Vec<Cube> {
    // RFC 792: request 8, reply 0. RFC 4443: request 128, reply 129.
    let (request, reply) = if cube.protocol == Span::one(ICMP) { (8, 0) } else { (128, 129) };
    let mut out = Vec::with_capacity(1);
    let mut rest = vec![cube.from];
    for (is, becomes) in [(request, reply), (reply, request)] {
        if cube.from.contains(is) {
            out.push(Cube { from: Span::one(becomes), ..cube });
        }
        rest = rest.into_iter().flat_map(|span| span.without(Span::one(is))).flatten().collect();
    }
    out.extend(rest.into_iter().map(|from| Cube { from, ..cube }));
    out
}

impl fmt::Display for Cube {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_protocol(f, self.protocol)?;
        f.write_str(" ")?;
        write_addresses(f, self.source)?;
        f.write_str(" -> ")?;
        write_addresses(f, self.destination)?;
        self.write_service(f)
    }
}

impl Cube {
    fn write_service(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_icmp() {
            f.write_str(" type ")?;
            write_ports(f, self.from)?;
            f.write_str(" code ")?;
            return write_ports(f, self.to);
        }
        if self.to != ANY_PORT {
            f.write_str(" port ")?;
            write_ports(f, self.to)?;
        }
        if self.from != ANY_PORT && self.from != (Span { first: 1024, last: u16::MAX }) {
            f.write_str(" from port ")?;
            write_ports(f, self.from)?;
        }
        Ok(())
    }
}

/// `tcp`, `udp`, `icmp`, a number, or `all`.
pub fn protocol_text(protocol: Span<u8>) -> String {
    let mut text = String::new();
    // Writing to memory cannot fail.
    let _ = write_protocol(&mut text, protocol);
    text
}

pub(crate) fn write_protocol(out: &mut impl fmt::Write, protocol: Span<u8>) -> fmt::Result {
    if protocol == ANY_PROTOCOL {
        return out.write_str("all");
    }
    if protocol.first != protocol.last {
        return write!(out, "protocols {}-{}", protocol.first, protocol.last);
    }
    match protocol.first {
        TCP => out.write_str("tcp"),
        UDP => out.write_str("udp"),
        ICMP => out.write_str("icmp"),
        ICMP_V6 => out.write_str("icmpv6"),
        other => write!(out, "protocol {other}"),
    }
}

/// `443`, `1024-65535` or `all`.
pub fn port_text(ports: Span<u16>) -> String {
    let mut text = String::new();
    // Writing to memory cannot fail.
    let _ = write_ports(&mut text, ports);
    text
}

pub(crate) fn write_ports(out: &mut impl fmt::Write, ports: Span<u16>) -> fmt::Result {
    if ports == ANY_PORT {
        return out.write_str("all");
    }
    let mut text = Decimals::default();
    text.number(ports.first);
    if ports.first != ports.last {
        text.sign(b'-');
        text.number(ports.last);
    }
    out.write_str(text.as_str())
}

/// The cubes of a set: most often one, two where one port is dealt with apart.
pub(crate) type Cubes = SmallVec<[Cube; 2]>;

/// A set of packets: disjoint cubes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketSet {
    cubes: Cubes,
}

impl From<Cube> for PacketSet {
    fn from(cube: Cube) -> Self {
        Self { cubes: smallvec![cube] }
    }
}

impl PacketSet {
    /// The union of cubes that may overlap.
    pub fn of(cubes: impl IntoIterator<Item = Cube>) -> Self {
        let mut set = Self::default();
        for cube in cubes {
            set.add(&Self::from(cube));
        }
        set
    }

    /// Cubes known to be disjoint.
    // INVARIANT: the caller cut them out of disjoint cubes.
    pub(crate) fn of_disjoint(cubes: Cubes) -> Self {
        Self { cubes }
    }

    /// The disjoint cubes, in no particular order.
    pub fn cubes(&self) -> &[Cube] {
        &self.cubes
    }

    /// Whether it holds no packet.
    pub fn is_empty(&self) -> bool {
        self.cubes.is_empty()
    }

    /// Whether it holds the packet.
    pub fn contains(&self, packet: &Packet) -> bool {
        let (source, destination) =
            (crate::span::place(packet.source), crate::span::place(packet.destination));
        self.cubes.iter().any(|cube| {
            cube.protocol.contains(packet.protocol)
                && cube.source.contains(source)
                && cube.destination.contains(destination)
                && cube.from.contains(packet.from)
                && cube.to.contains(packet.to)
        })
    }

    /// What it shares with a cube.
    pub fn within(&self, cube: &Cube) -> Self {
        Self { cubes: self.cubes.iter().filter_map(|own| own.intersect(cube)).collect() }
    }

    /// What both hold.
    pub fn intersect(&self, other: &Self) -> Self {
        let mut cubes = SmallVec::new();
        for own in &self.cubes {
            cubes.extend(other.cubes.iter().filter_map(|cube| own.intersect(cube)));
        }
        Self { cubes }
    }

    /// The smallest cube that holds all of it.
    pub fn bounds(&self) -> Option<Cube> {
        let (first, rest) = self.cubes.split_first()?;
        let mut bounds = *first;
        macro_rules! widen {
            ($cube:ident: $($field:ident),+) => {$(
                bounds.$field.first = bounds.$field.first.min($cube.$field.first);
                bounds.$field.last = bounds.$field.last.max($cube.$field.last);
            )+};
        }
        for cube in rest {
            widen!(cube: protocol, destination, source, to, from);
        }
        Some(bounds)
    }

    /// How many packets it holds, roughly for large numbers.
    pub fn size(&self) -> f64 {
        self.cubes.iter().map(Cube::size).sum()
    }

    /// Adds packets that it does not hold yet.
    // INVARIANT: the caller cut both out of one set.
    pub(crate) fn join_disjoint(&mut self, other: Self) {
        if self.cubes.is_empty() {
            self.cubes = other.cubes;
        } else {
            self.cubes.extend(other.cubes);
        }
    }

    /// Takes out what it shares with a cube.
    pub fn take(&mut self, cube: &Cube) -> Self {
        if self.cubes.iter().all(|own| cube.covers(own)) {
            return std::mem::take(self);
        }
        if !self.cubes.iter().any(|own| own.meets(cube)) {
            return Self::default();
        }
        let part = self.within(cube);
        self.remove(cube);
        part
    }

    /// Removes a cube.
    pub fn remove(&mut self, cube: &Cube) {
        if !self.cubes.iter().any(|own| own.meets(cube)) {
            return;
        }
        let mut rest = SmallVec::new();
        for own in &self.cubes {
            own.subtract_into(cube, &mut |piece| rest.push(piece));
        }
        self.cubes = rest;
    }

    /// What it holds and `other` does not.
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for cube in &other.cubes {
            rest.remove(cube);
        }
        rest
    }

    /// Adds the packets of `other`.
    pub fn add(&mut self, other: &Self) {
        if self.cubes.is_empty() {
            self.cubes.clone_from(&other.cubes);
            return;
        }
        let new = other.without(self);
        self.cubes.extend(new.cubes);
    }

    /// Whether all of `other` lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }

    /// Whether both hold the same packets, however they are cut.
    pub fn same_as(&self, other: &Self) -> bool {
        self.covers(other) && other.covers(self)
    }

    /// The answers to its packets.
    pub fn reversed(&self) -> Self {
        // Exchanging fields maps disjoint cubes to disjoint cubes.
        let mut cubes = SmallVec::new();
        for cube in &self.cubes {
            match cube.reversed_ports() {
                Some(one) => cubes.push(one),
                None => cubes.extend(cube.reversed()),
            }
        }
        Self { cubes }
    }

    /// A packet of it.
    pub fn example(&self) -> Option<Packet> {
        self.cubes.iter().min().map(Cube::example)
    }

    /// Its cubes in order, neighbours joined where they differ in one dimension only.
    pub fn joined(&self) -> Vec<Cube> {
        let mut cubes = self.cubes.to_vec();
        // Quadratic: only worth it for what a person reads.
        if cubes.len() > 64 {
            cubes.sort();
            return cubes;
        }
        'again: loop {
            for i in 0..cubes.len() {
                for j in 0..cubes.len() {
                    if i != j
                        && let Some(joined) = join(&cubes[i], &cubes[j])
                    {
                        cubes[i] = joined;
                        cubes.swap_remove(j);
                        continue 'again;
                    }
                }
            }
            cubes.sort();
            return cubes;
        }
    }
}

/// The cube that two cubes make together when they touch in one dimension and agree in all others.
fn join(a: &Cube, b: &Cube) -> Option<Cube> {
    use crate::span::Point;
    macro_rules! try_join {
        ($($field:ident),+) => {$(
            if a.$field.last.next() == Some(b.$field.first)
                && (Cube { $field: a.$field, ..*b }) == *a
            {
                let span = Span { first: a.$field.first, last: b.$field.last };
                return Some(Cube { $field: span, ..*a });
            }
        )+};
    }
    try_join!(protocol, destination, source, to, from);
    None
}

impl fmt::Display for PacketSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.cubes() {
            return one.fmt(f);
        }
        let lines = Line::of(&self.joined());
        for (index, line) in lines.iter().take(8).enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            line.fmt(f)?;
        }
        if lines.len() > 8 {
            write!(f, "; and {} more", lines.len() - 8)?;
        }
        Ok(())
    }
}

/// Cubes that differ in one address dimension only, as they are written down.
struct Line {
    cube: Cube,
    sources: Vec<Span<u128>>,
    destinations: Vec<Span<u128>>,
}

impl Line {
    fn of(cubes: &[Cube]) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        for cube in cubes {
            let alike = |line: &&mut Self| {
                let others = Cube { source: cube.source, destination: cube.destination, ..line.cube };
                let one = |spans: &[Span<u128>], own| spans == [own];
                others == *cube
                    && (one(&line.sources, cube.source) || one(&line.destinations, cube.destination))
            };
            match lines.iter_mut().find(alike) {
                Some(line) if line.sources == [cube.source] => line.destinations.push(cube.destination),
                Some(line) => line.sources.push(cube.source),
                None => lines.push(Self {
                    cube: *cube,
                    sources: vec![cube.source],
                    destinations: vec![cube.destination],
                }),
            }
        }
        lines
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_protocol(f, self.cube.protocol)?;
        f.write_str(" ")?;
        write_ranges(f, &self.sources)?;
        f.write_str(" -> ")?;
        write_ranges(f, &self.destinations)?;
        self.cube.write_service(f)
    }
}

fn write_ranges(f: &mut fmt::Formatter<'_>, spans: &[Span<u128>]) -> fmt::Result {
    match spans {
        [] => Ok(()),
        [one] => write_addresses(f, *one),
        [one, two] => {
            write_addresses(f, *one)?;
            f.write_str(" and ")?;
            write_addresses(f, *two)
        }
        [first, .., last] => {
            write!(f, "{} ranges from ", spans.len())?;
            write!(f, "{} to {}", address_at(first.first), address_at(last.last))
        }
    }
}

impl Serialize for PacketSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.joined().iter().map(ToString::to_string))
    }
}
