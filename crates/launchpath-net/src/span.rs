//! Closed intervals over protocol numbers, ports and addresses: one dimension of a packet set.
//!
//! Addresses of both families share one number line: an IPv4 address stands at its IPv4-mapped IPv6 address
//! (`::ffff:a.b.c.d`), so the family is part of the value and no set can confuse the two.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A value with a successor and a predecessor.
pub trait Point: Copy + Ord {
    /// The next value; `None` at the end.
    fn next(self) -> Option<Self>;
    /// The previous value; `None` at the start.
    fn previous(self) -> Option<Self>;
}

macro_rules! point {
    ($($int:ty),+) => {$(
        impl Point for $int {
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )+};
}
point!(u8, u16, u128);

/// All values from `first` to `last`, both included; `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span<T> {
    /// The smallest value.
    pub first: T,
    /// The largest value.
    pub last: T,
}

impl<T: Point> Span<T> {
    /// From `first` to `last`; `None` when that is empty.
    pub fn new(first: T, last: T) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Exactly one value.
    pub const fn one(value: T) -> Self {
        Self { first: value, last: value }
    }

    /// Whether the value lies in it.
    pub fn contains(self, value: T) -> bool {
        self.first <= value && value <= self.last
    }

    /// Whether all of `other` lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether both share a value.
    pub fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// What both share.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// What lies before and after `other`.
    pub fn without(self, other: Self) -> [Option<Self>; 2] {
        if !self.meets(other) {
            return [Some(self), None];
        }
        let before = other.first.previous().and_then(|last| Self::new(self.first, last));
        let after = other.last.next().and_then(|first| Self::new(first, self.last));
        [before, after]
    }
}

/// Every protocol number.
pub const ANY_PROTOCOL: Span<u8> = Span { first: 0, last: u8::MAX };
/// Every port.
pub const ANY_PORT: Span<u16> = Span { first: 0, last: u16::MAX };
/// Where IPv4 starts on the number line.
const V4_BASE: u128 = 0xffff_0000_0000;
/// Every IPv4 address.
pub const ANY_V4: Span<u128> = Span { first: V4_BASE, last: V4_BASE + 0xffff_ffff };
/// Every IPv6 address (the IPv4-mapped block is never a packet's address; it stands for IPv4 here).
pub const ANY_V6: [Span<u128>; 2] =
    [Span { first: 0, last: V4_BASE - 1 }, Span { first: V4_BASE + 0x1_0000_0000, last: u128::MAX }];

/// The address's place on the number line.
pub fn place(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => V4_BASE | u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// The address at a place of the number line.
pub fn address_at(place: u128) -> IpAddr {
    if ANY_V4.contains(place) {
        #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the address")]
        return IpAddr::V4(Ipv4Addr::from(place as u32));
    }
    IpAddr::V6(Ipv6Addr::from(place))
}

/// Whether the place is an IPv4 address.
pub fn is_v4(place: u128) -> bool {
    ANY_V4.contains(place)
}

/// The addresses of an IPv4 block.
pub fn v4_block(block: Ipv4Net) -> Span<u128> {
    Span { first: place(block.network().into()), last: place(block.broadcast().into()) }
}

/// The addresses of an IPv6 block. `::/0` spans the whole line, IPv4 included: sets of packets keep families apart.
pub fn v6_block(block: Ipv6Net) -> Span<u128> {
    Span { first: place(block.network().into()), last: place(block.broadcast().into()) }
}

/// The addresses of a block of either family.
pub fn block(block: IpNet) -> Span<u128> {
    match block {
        IpNet::V4(v4) => v4_block(v4),
        IpNet::V6(v6) => v6_block(v6),
    }
}

/// Address blocks that never appear on the public internet.
///
/// AWS: internet gateways drop packets to RFC 1918 and RFC 6598 addresses
/// (<https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html>, `IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS`).
const NOT_PUBLIC: [(Ipv4Addr, u8); 9] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

static PUBLIC_V4: LazyLock<Vec<Span<u128>>> = LazyLock::new(|| {
    let excluded = NOT_PUBLIC.iter().filter_map(|(base, length)| Ipv4Net::new(*base, *length).ok());
    subtract_all(vec![ANY_V4], excluded.map(v4_block))
});

/// The IPv4 addresses that can be public, as disjoint spans in order.
pub fn public_v4() -> &'static [Span<u128>] {
    &PUBLIC_V4
}

/// Global unicast IPv6 (`2000::/3`).
pub const PUBLIC_V6: Span<u128> = Span { first: 0x2000 << 112, last: (0x4000 << 112) - 1 };

/// `spans` without any of `holes`.
pub fn subtract_all(
    mut spans: Vec<Span<u128>>,
    holes: impl IntoIterator<Item = Span<u128>>,
) -> Vec<Span<u128>> {
    for hole in holes {
        spans = spans.into_iter().flat_map(|span| span.without(hole)).flatten().collect();
    }
    spans
}

/// A span of addresses as a person writes it: an address, a block, or a range.
pub fn address_text(span: Span<u128>) -> String {
    let mut text = String::with_capacity(20);
    // Writing to memory cannot fail.
    let _ = write_addresses(&mut text, span);
    text
}

pub(crate) fn write_addresses(out: &mut impl fmt::Write, span: Span<u128>) -> fmt::Result {
    write_address(out, span.first)?;
    if span.first == span.last {
        return Ok(());
    }
    let size = span.last - span.first;
    let is_block = (size & size.wrapping_add(1)) == 0 && span.first & size == 0;
    if is_block {
        let bits = size.count_ones();
        let width = if is_v4(span.first) { 32 } else { 128 };
        let mut length = Decimals::default();
        length.sign(b'/');
        length.number(u16::try_from(width - bits.min(width)).unwrap_or_default());
        return out.write_str(length.as_str());
    }
    out.write_str("-")?;
    write_address(out, span.last)
}

/// As [`IpAddr`] writes it, without its padding.
fn write_address(out: &mut impl fmt::Write, place: u128) -> fmt::Result {
    match address_at(place) {
        IpAddr::V4(address) => {
            let mut text = Decimals::default();
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    text.sign(b'.');
                }
                text.number(octet.into());
            }
            out.write_str(text.as_str())
        }
        IpAddr::V6(address) => write!(out, "{address}"),
    }
}

/// A few numbers with signs between them: every answer writes addresses and ports, and the formatter takes its time.
#[derive(Default)]
pub(crate) struct Decimals {
    /// Room for four numbers of five digits and what is between them.
    text: [u8; 24],
    length: usize,
}

impl Decimals {
    pub(crate) fn number(&mut self, number: u16) {
        let mut above = 10_000;
        while above > 1 && number < above {
            above /= 10;
        }
        while above > 0 {
            // One digit is at most nine.
            self.sign(b'0' + (number / above % 10) as u8);
            above /= 10;
        }
    }

    /// One more character of ASCII; what has no room is left out.
    pub(crate) fn sign(&mut self, sign: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = sign;
            self.length += 1;
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY_V4, Span, address_text, place, public_v4, v4_block};

    #[test]
    fn text_of_spans() {
        assert_eq!(address_text(ANY_V4), "0.0.0.0/0");
        assert_eq!(address_text(v4_block("10.0.0.0/16".parse().unwrap())), "10.0.0.0/16");
        let range = Span::new(place("10.0.0.1".parse().unwrap()), place("10.0.0.3".parse().unwrap()));
        assert_eq!(address_text(range.unwrap()), "10.0.0.1-10.0.0.3");
    }

    #[test]
    fn private_addresses_are_not_public() {
        let public = public_v4();
        let holds = |text: &str| public.iter().any(|s| s.contains(place(text.parse().unwrap())));
        assert!(holds("8.8.8.8") && holds("52.216.0.1") && holds("172.32.0.1"));
        assert!(!holds("10.0.0.1") && !holds("172.31.255.255") && !holds("169.254.169.254"));
    }
}
