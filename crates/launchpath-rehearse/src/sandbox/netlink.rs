//! Messages to the kernel's network configuration, written before the sandbox starts and sent from within it.
//!
//! Only what [`super::fabric`] needs, so that no tool and no larger library is. What a message means is in `rtnetlink(7)`.

use std::net::Ipv4Addr;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

/// Messages that are sent together.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    messages: u32,
    /// Where the number of a namespace's descriptor stands, which is known only when the batch is sent.
    namespace: Option<usize>,
}

const HEADER: usize = 16;
/// `AF_INET`.
const INET: u8 = 2;
const ACKNOWLEDGE: u16 = 0x4;
const REQUEST: u16 = 0x1;
const CREATE: u16 = 0x400;
const EXCLUSIVE: u16 = 0x200;

impl Batch {
    /// Brings the interface with this index up.
    pub(super) fn up(&mut self, index: i32) {
        const IFF_UP: u32 = 1;
        self.message(libc::RTM_NEWLINK, 0, |body| body.link(index, IFF_UP, IFF_UP));
    }

    /// Makes a pair of interfaces: one here, its peer in the namespace whose descriptor is given to [`exchange`].
    pub(super) fn pair(&mut self, here: &Port, there: &Port) {
        const IFLA_INFO_KIND: u16 = 1;
        const IFLA_INFO_DATA: u16 = 2;
        const VETH_INFO_PEER: u16 = 1;
        let mut namespace = 0;
        self.message(libc::RTM_NEWLINK, CREATE | EXCLUSIVE, |body| {
            body.port(here);
            body.nested(libc::IFLA_LINKINFO, |body| {
                body.attribute(IFLA_INFO_KIND, b"veth");
                body.nested(IFLA_INFO_DATA, |body| {
                    body.nested(VETH_INFO_PEER, |body| {
                        body.port(there);
                        body.attribute(libc::IFLA_NET_NS_FD, &[0; 4]);
                        namespace = body.0.len() - 4;
                    });
                });
            });
        });
        self.namespace = Some(namespace);
    }

    /// Keeps the kernel from giving an interface an IPv6 address of its own.
    pub(super) fn no_automatic_addresses(&mut self, index: i32) {
        const IFLA_AF_SPEC: u16 = 26;
        const AF_INET6: u16 = 10;
        const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
        const NONE: u8 = 1;
        self.message(libc::RTM_SETLINK, 0, |body| {
            body.link(index, 0, 0);
            body.nested(IFLA_AF_SPEC, |body| {
                body.nested(AF_INET6, |body| body.attribute(IFLA_INET6_ADDR_GEN_MODE, &[NONE]));
            });
        });
    }

    /// Gives an interface an address, for itself alone.
    pub(super) fn address(&mut self, index: i32, address: Ipv4Addr) {
        self.message(libc::RTM_NEWADDR, CREATE | EXCLUSIVE, |body| {
            body.0.extend([INET, 32, 0, 0]);
            body.0.extend(index.to_ne_bytes());
            body.attribute(libc::IFA_LOCAL, &address.octets());
            body.attribute(libc::IFA_ADDRESS, &address.octets());
        });
    }

    /// Says once and for all which hardware address an address has, so that nobody asks.
    pub(super) fn neighbour(&mut self, index: i32, address: Ipv4Addr, hardware: [u8; 6]) {
        const PERMANENT: u16 = 0x80;
        self.message(libc::RTM_NEWNEIGH, CREATE | EXCLUSIVE, |body| {
            body.0.extend([INET, 0, 0, 0]);
            body.0.extend(index.to_ne_bytes());
            body.0.extend(PERMANENT.to_ne_bytes());
            body.0.extend([0, 0]);
            body.attribute(libc::NDA_DST, &address.octets());
            body.attribute(libc::NDA_LLADDR, &hardware);
        });
    }

    /// Sends what goes to `to`, or everything, out of an interface, through a neighbour when one is named.
    pub(super) fn route(&mut self, to: Option<Ipv4Addr>, index: i32, through: Option<Ipv4Addr>) {
        const ONLINK: u32 = 4;
        self.message(libc::RTM_NEWROUTE, CREATE | EXCLUSIVE, |body| {
            let scope = if through.is_some() { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
            let flags = if through.is_some() { ONLINK } else { 0 };
            body.route(
                if to.is_some() { 32 } else { 0 },
                libc::RT_TABLE_MAIN,
                scope,
                libc::RTN_UNICAST,
                flags,
            );
            if let Some(to) = to {
                body.attribute(libc::RTA_DST, &to.octets());
            }
            if let Some(through) = through {
                body.attribute(libc::RTA_GATEWAY, &through.octets());
            }
            body.attribute(libc::RTA_OIF, &index.to_ne_bytes());
        });
    }

    /// Takes every address for one of our own, wherever a rule leads to the table of local addresses.
    pub(super) fn every_address_is_local(&mut self) {
        const LOOPBACK: i32 = 1;
        self.message(libc::RTM_NEWROUTE, CREATE | EXCLUSIVE, |body| {
            body.route(0, libc::RT_TABLE_LOCAL, libc::RT_SCOPE_HOST, libc::RTN_LOCAL, 0);
            body.attribute(libc::RTA_OIF, &LOOPBACK.to_ne_bytes());
        });
    }

    /// Takes away the rule that looks into the table of local addresses before any other.
    pub(super) fn no_local_rule(&mut self) {
        self.message(libc::RTM_DELRULE, 0, |body| {
            body.rule(0, libc::RT_TABLE_LOCAL);
            body.attribute(FRA_PRIORITY, &0_u32.to_ne_bytes());
        });
    }

    /// Adds a rule: what matches is looked up in `table`.
    pub(super) fn rule(&mut self, priority: u32, matching: &Matching<'_>, table: u8) {
        self.message(libc::RTM_NEWRULE, CREATE | EXCLUSIVE, |body| {
            body.rule(if matching.to.is_some() { 32 } else { 0 }, table);
            body.attribute(FRA_PRIORITY, &priority.to_ne_bytes());
            body.attribute(FRA_IIFNAME, &terminated(matching.from_interface));
            if let Some(to) = matching.to {
                body.attribute(FRA_DST, &to.octets());
            }
            if let Some((protocol, first, last)) = matching.ports {
                body.attribute(FRA_IP_PROTO, &[protocol]);
                let [a, b] = first.to_ne_bytes();
                let [c, d] = last.to_ne_bytes();
                body.attribute(FRA_DPORT_RANGE, &[a, b, c, d]);
            }
        });
    }

    fn message(&mut self, kind: u16, flags: u16, write: impl FnOnce(&mut Body<'_>)) {
        let start = self.bytes.len();
        self.bytes.extend([0; HEADER]);
        write(&mut Body(&mut self.bytes));
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.messages += 1;
        let header = &mut self.bytes[start..start + HEADER];
        header[..4].copy_from_slice(&length.to_ne_bytes());
        header[4..6].copy_from_slice(&kind.to_ne_bytes());
        header[6..8].copy_from_slice(&(REQUEST | ACKNOWLEDGE | flags).to_ne_bytes());
        header[8..12].copy_from_slice(&self.messages.to_ne_bytes());
    }
}

const FRA_DST: u16 = 1;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_IP_PROTO: u16 = 22;
const FRA_DPORT_RANGE: u16 = 24;

/// One end of a pair of interfaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub(super) name: &'static str,
    pub(super) index: i32,
    pub(super) hardware: [u8; 6],
}

/// What a rule applies to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matching<'a> {
    pub(super) from_interface: &'a str,
    pub(super) to: Option<Ipv4Addr>,
    /// Protocol, first and last destination port.
    pub(super) ports: Option<(u8, u16, u16)>,
}

struct Body<'a>(&'a mut Vec<u8>);

impl Body<'_> {
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.align();
    }

    fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Body<'_>)) {
        let start = self.0.len();
        self.0.extend([0; 4]);
        write(&mut Body(self.0));
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.0[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }

    fn align(&mut self) {
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
    }

    fn link(&mut self, index: i32, flags: u32, change: u32) {
        self.0.extend([0; 4]);
        self.0.extend(index.to_ne_bytes());
        self.0.extend(flags.to_ne_bytes());
        self.0.extend(change.to_ne_bytes());
    }

    fn port(&mut self, port: &Port) {
        self.link(port.index, 0, 0);
        self.attribute(libc::IFLA_IFNAME, &terminated(port.name));
        self.attribute(libc::IFLA_ADDRESS, &port.hardware);
    }

    fn route(&mut self, bits: u8, table: u8, scope: u8, kind: u8, flags: u32) {
        self.0.extend([INET, bits, 0, 0, table, libc::RTPROT_STATIC, scope, kind]);
        self.0.extend(flags.to_ne_bytes());
    }

    fn rule(&mut self, bits: u8, table: u8) {
        const TO_TABLE: u8 = 1;
        self.0.extend([INET, bits, 0, 0, table, 0, 0, TO_TABLE, 0, 0, 0, 0]);
    }
}

fn terminated(name: &str) -> Vec<u8> {
    name.bytes().chain([0]).collect()
}

/// Sends a batch and waits for every answer. Makes no allocation: it runs between clone and exec.
pub(super) fn exchange(
    socket: BorrowedFd<'_>,
    batch: &mut Batch,
    namespace: Option<i32>,
) -> Result<(), Errno> {
    const ERROR: u16 = 2;
    if let (Some(at), Some(namespace)) = (batch.namespace, namespace)
        && let Some(place) = batch.bytes.get_mut(at..at + 4)
    {
        place.copy_from_slice(&namespace.to_ne_bytes());
    }
    rustix::net::send(socket, &batch.bytes, SendFlags::empty())?;
    let mut answer = [0_u8; 8192];
    let mut outstanding = batch.messages;
    while outstanding > 0 {
        let (_, length) = rustix::net::recv(socket, &mut answer[..], RecvFlags::empty())?;
        let mut rest = answer.get(..length).unwrap_or(&[]);
        while let Some((header, _)) = rest.split_at_checked(HEADER) {
            let size = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
            let kind = u16::from_ne_bytes([header[4], header[5]]);
            if kind == ERROR
                && let Some(&[a, b, c, d]) = rest.get(HEADER..HEADER + 4)
            {
                let code = i32::from_ne_bytes([a, b, c, d]);
                if code != 0 {
                    return Err(Errno::from_raw_os_error(code.wrapping_neg()));
                }
                outstanding = outstanding.saturating_sub(1);
            }
            rest = rest.get(size.max(HEADER).next_multiple_of(4)..).unwrap_or(&[]);
        }
    }
    Ok(())
}
