//! What a process attempted on the network, as it is seen: each target once, with how often.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::dns::Question;
use super::packet::{Packet, TCP, UDP};
use crate::subject::{Attempt, AttemptOutcome, Reach};

/// Targets that are kept apart; a process that scans the world is not followed further.
const MOST: usize = 2000;

/// A target: addresses by protocol, names by themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Name(String),
    Address(u8, SocketAddr),
}

#[derive(Clone, Debug)]
struct Seen {
    at: Duration,
    outcome: AttemptOutcome,
    times: u32,
    times_for_ipv6: u32,
    /// Tells another connection from the same one tried again by the kernel.
    last_port: u16,
}

/// What was attempted so far.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Attempts {
    seen: BTreeMap<Target, Seen>,
    names: BTreeMap<Ipv4Addr, String>,
}

impl Attempts {
    /// A name was looked up. Libraries ask for both kinds of addresses at once: that is one look-up.
    pub(super) fn name(&mut self, at: Duration, question: &Question, outcome: AttemptOutcome) {
        if let Some(seen) = self.entry(Target::Name(question.name.clone()), at, outcome) {
            let counter = if question.is_for_ipv6() { &mut seen.times_for_ipv6 } else { &mut seen.times };
            *counter = counter.saturating_add(1);
        }
    }

    /// A packet that begins something was sent.
    pub(super) fn address(&mut self, at: Duration, packet: &Packet<'_>, outcome: AttemptOutcome) {
        let to = SocketAddr::V4(packet.to);
        if let Some(seen) = self.entry(Target::Address(packet.protocol, to), at, outcome)
            && (seen.times == 0 || seen.last_port != packet.from_port)
        {
            seen.times = seen.times.saturating_add(1);
            seen.last_port = packet.from_port;
        }
    }

    /// A name was resolved to these addresses.
    pub(super) fn resolved(&mut self, name: &str, addresses: &[Ipv4Addr]) {
        for address in addresses {
            if self.names.len() < MOST {
                self.names.insert(*address, name.to_owned());
            }
        }
    }

    fn entry(&mut self, target: Target, at: Duration, outcome: AttemptOutcome) -> Option<&mut Seen> {
        if self.seen.len() >= MOST && !self.seen.contains_key(&target) {
            return None;
        }
        Some(self.seen.entry(target).or_insert(Seen {
            at,
            outcome,
            times: 0,
            times_for_ipv6: 0,
            last_port: 0,
        }))
    }

    /// In the order in which they were first seen.
    pub(in crate::sandbox) fn list(&self) -> Vec<Attempt> {
        let mut list: Vec<Attempt> =
            self.seen.iter().map(|(target, seen)| self.attempt(target, seen)).collect();
        list.sort();
        list
    }

    fn attempt(&self, target: &Target, seen: &Seen) -> Attempt {
        let what = match target {
            Target::Name(name) => Reach::Name(name.clone()),
            Target::Address(protocol, to) => Reach::Address {
                to: *to,
                protocol: match *protocol {
                    TCP => "tcp".to_owned(),
                    UDP => "udp".to_owned(),
                    other => other.to_string(),
                },
                name: match to.ip() {
                    IpAddr::V4(address) => self.names.get(&address).cloned(),
                    IpAddr::V6(_) => None,
                },
            },
        };
        Attempt { at: seen.at, what, outcome: seen.outcome, times: seen.times.max(seen.times_for_ipv6) }
    }
}
