//! IP addresses to pseudonyms that keep networks: what shared a prefix shares one.
//!
//! A bit is flipped or not by the key and the bits before it. The first bits, which say what kind of address it is (private,
//! shared, link-local, …), stay, and so do the bits inside a known network (a VPC's block): the resolver at the block's second
//! address and the addresses AWS reserves in each subnet are told by them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Key;
use super::pseudonym::number;

/// The pseudonyms of addresses.
pub(super) struct Addresses {
    key: Key,
    /// Known networks: their first address as 128 bits from the left, and the length of their prefix.
    blocks: Vec<(bool, u128, u8)>,
}

impl Addresses {
    pub(super) fn new(key: &Key, blocks: &[(IpAddr, u8)]) -> Self {
        let blocks = blocks.iter().map(|(address, length)| (address.is_ipv4(), bits(*address), *length));
        Self { key: key.clone(), blocks: blocks.collect() }
    }

    /// The pseudonym of an address, or of the first address of a network of that prefix.
    pub(super) fn address(&self, address: IpAddr, prefix: u8) -> IpAddr {
        let (v4, original) = (address.is_ipv4(), bits(address));
        let Some(first) = kept(address) else { return address };
        let inside = |&&(of_v4, block, length): &&(bool, u128, u8)| {
            of_v4 == v4 && length <= prefix && head(block, length) == head(original, length)
        };
        let end =
            self.blocks.iter().filter(inside).map(|(.., length)| *length).min().unwrap_or(prefix).min(prefix);
        let mut shown = original;
        for bit in first..end {
            let mut input = head(original, bit).to_be_bytes().to_vec();
            input.push(bit);
            let domain = if v4 { "v4" } else { "v6" };
            if number(&self.key, domain, &input) & 1 == 1 {
                shown ^= 1 << (127 - bit);
            }
        }
        from_bits(v4, shown)
    }
}

/// How many bits from the left stay; none for addresses that mean the same everywhere.
fn kept(address: IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0 | 127 | 224..=255, ..] | [169, 254, ..] => None,
            [172, 16..=31, ..] => Some(12),
            // Beside private, shared and test blocks: a flipped second octet could lead into one.
            [100 | 169 | 172 | 192 | 198 | 203, ..] => Some(16),
            _ => Some(8),
        },
        IpAddr::V6(address) => match address.segments()[0] {
            0 | 0xfe80..=0xfebf | 0xff00..=0xffff => None,
            0xfc00..=0xfdff => Some(16),
            _ => Some(32),
        },
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

fn from_bits(v4: bool, bits: u128) -> IpAddr {
    if v4 {
        let octets = bits.to_be_bytes();
        return IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]));
    }
    IpAddr::V6(Ipv6Addr::from(bits))
}

fn head(bits: u128, length: u8) -> u128 {
    if length == 0 { 0 } else { bits & (u128::MAX << (128 - u32::from(length))) }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::Addresses;
    use crate::redact::Key;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_hold_and_the_places_inside_a_vpc_stay() {
        let all = Addresses::new(&Key::from_secret(b"k"), &[(ip("10.20.0.0"), 16)]);
        let vpc = all.address(ip("10.20.0.0"), 16);
        let host = all.address(ip("10.20.7.2"), 32);
        let (IpAddr::V4(vpc), IpAddr::V4(host)) = (vpc, host) else { panic!() };
        assert_eq!(vpc.octets()[0], 10);
        assert_eq!(vpc.octets()[..2], host.octets()[..2], "{vpc} {host}");
        assert_eq!(host.octets()[2..], [7, 2]);
    }

    #[test]
    fn what_means_the_same_everywhere_stays() {
        let all = Addresses::new(&Key::from_secret(b"k"), &[]);
        for text in ["0.0.0.0", "127.0.0.1", "169.254.169.253", "::", "::1", "fe80::1"] {
            assert_eq!(all.address(ip(text), 32), ip(text), "{text}");
        }
        let pseudonym = all.address(ip("52.94.1.7"), 32);
        assert_ne!(pseudonym, ip("52.94.1.7"));
        let IpAddr::V4(shared) = all.address(ip("100.64.3.4"), 32) else { panic!() };
        assert_eq!(shared.octets()[..2], [100, 64]);
        let IpAddr::V4(private) = all.address(ip("172.20.3.4"), 32) else { panic!() };
        assert!(private.is_private(), "{private}");
    }

    #[test]
    fn a_shared_prefix_stays_shared_and_no_longer_one_appears() {
        let all = Addresses::new(&Key::from_secret(b"k"), &[]);
        let mut seen = std::collections::BTreeSet::new();
        for last in 0..=255u8 {
            let IpAddr::V4(shown) = all.address(IpAddr::from([10, 1, 2, last]), 32) else { panic!() };
            let IpAddr::V4(first) = all.address(ip("10.1.2.0"), 24) else { panic!() };
            assert_eq!(shown.octets()[..3], first.octets()[..3]);
            assert!(seen.insert(shown));
        }
    }
}
