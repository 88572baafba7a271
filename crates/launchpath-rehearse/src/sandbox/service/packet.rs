//! Packets that begin something: the first of a TCP connection, and every one of the other protocols.

use std::net::{Ipv4Addr, SocketAddrV4};

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IND, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_LDX,
    BPF_MSH, BPF_RET, BPF_W, sock_filter,
};

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const ICMP: u8 = 1;

/// As much of a packet as is read: room for a question about a name.
pub(super) const LENGTH: usize = 600;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) protocol: u8,
    /// Port 0 for protocols without.
    pub(super) to: SocketAddrV4,
    pub(super) from_port: u16,
    pub(super) payload: &'a [u8],
}

/// Lets the kernel hand over only what [`parse`] takes: not our own packets, and not those of running connections.
pub(super) fn filter() -> Vec<sock_filter> {
    const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
    const OUTGOING: u32 = 4;
    let statement =
        |code: u32, k: u32| sock_filter { code: u16::try_from(code).unwrap_or(0), jt: 0, jf: 0, k };
    let jump =
        |test: u32, k: u32, jt: u8, jf: u8| sock_filter { jt, jf, ..statement(BPF_JMP | test | BPF_K, k) };
    vec![
        statement(BPF_LD | BPF_W | BPF_ABS, PACKET_TYPE),
        jump(BPF_JEQ, OUTGOING, 9, 0),
        statement(BPF_LD | BPF_B | BPF_ABS, 9),
        jump(BPF_JEQ, u32::from(TCP), 0, 6),
        // A later piece of a packet has no ports.
        statement(BPF_LD | BPF_H | BPF_ABS, 6),
        jump(BPF_JSET, 0x1fff, 5, 0),
        statement(BPF_LDX | BPF_B | BPF_MSH, 0),
        statement(BPF_LD | BPF_B | BPF_IND, 13),
        statement(BPF_ALU | BPF_AND | BPF_K, u32::from(SYN | ACK)),
        jump(BPF_JEQ, u32::from(SYN), 0, 1),
        statement(BPF_RET | BPF_K, u32::try_from(LENGTH).unwrap_or(0)),
        statement(BPF_RET | BPF_K, 0),
    ]
}

/// Reads an IPv4 packet; `None` for what begins nothing, or is none.
pub(super) fn parse(bytes: &[u8]) -> Option<Packet<'_>> {
    const ECHO_REQUEST: u8 = 8;
    let first = *bytes.first()?;
    let header = usize::from(first & 0xf) * 4;
    if first >> 4 != 4 || header < 20 {
        return None;
    }
    let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if number(6)? & 0x1fff != 0 {
        return None;
    }
    let protocol = *bytes.get(9)?;
    let address = Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(16..20)?).ok()?);
    let port = |at: usize| if protocol == TCP || protocol == UDP { number(header + at) } else { Some(0) };
    let (from_port, to_port) = (port(0)?, port(2)?);
    let payload = match protocol {
        TCP if *bytes.get(header + 13)? & (SYN | ACK) != SYN => return None,
        // Answers, which the kernel inside makes, are no attempts.
        ICMP if *bytes.get(header)? != ECHO_REQUEST => return None,
        UDP => bytes.get(header + 8..).unwrap_or(&[]),
        _ => &[],
    };
    Some(Packet { protocol, to: SocketAddrV4::new(address, to_port), from_port, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(protocol: u8, behind: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 2, 10, 1, 2, 3];
        bytes.extend(behind);
        bytes
    }

    #[test]
    fn beginnings_are_told_from_the_rest() {
        let tcp = |flags: u8| {
            packet(TCP, &[0x9c, 0x40, 1, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0])
        };
        let begins = tcp(SYN);
        let parsed = parse(&begins).unwrap();
        assert_eq!(
            (parsed.protocol, parsed.to, parsed.from_port),
            (TCP, "10.1.2.3:443".parse().unwrap(), 40_000)
        );
        assert_eq!(parse(&tcp(SYN | ACK)), None);
        assert_eq!(parse(&tcp(ACK)), None);
        let question = packet(UDP, &[0x9c, 0x40, 0, 53, 0, 10, 0, 0, 7, 7]);
        assert_eq!(parse(&question).unwrap().payload, [7, 7]);
        assert!(parse(&packet(ICMP, &[8, 0])).is_some());
        assert_eq!(parse(&packet(ICMP, &[3, 3])), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = packet(TCP, &[0; 20]);
        for length in 0..whole.len() {
            let _nothing = parse(&whole[..length]);
        }
        for first in 0..=255 {
            let mut broken = whole.clone();
            broken[0] = first;
            let _nothing = parse(&broken);
        }
    }
}
