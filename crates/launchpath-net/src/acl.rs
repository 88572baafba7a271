//! Network ACLs as packet filters: stateless, in ascending rule number, the first match decides.
//!
//! AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html>. What no rule matches is denied.

use std::fmt;

use launchpath_model::aws::network_acl::{AclEntry, NetworkAcl};
use launchpath_model::ids::NetworkAclId;
use launchpath_model::{EvidenceId, Row};

use crate::answer::Direction;
use crate::group::{icmp, protocol_of};
use crate::packet::{Cube, ICMP, ICMP_V6, TCP, UDP, write_ports, write_protocol};
use crate::span::{ANY_PORT, ANY_V6, Span, v4_block, v6_block, write_addresses};

/// One rule, for one direction.
#[derive(Clone, Debug)]
pub(crate) struct AclRule {
    pub(crate) number: i64,
    pub(crate) allows: bool,
    protocol: Span<u8>,
    from: Span<u16>,
    to: Span<u16>,
    /// Disjoint spans: one, or the two halves of `::/0`.
    peers: [Option<Span<u128>>; 2],
}

/// The rules of an ACL in order, by direction. `None`: the document does not say.
#[derive(Clone, Debug)]
pub(crate) struct Acl<'a> {
    pub(crate) id: &'a NetworkAclId,
    pub(crate) evidence: &'a [EvidenceId],
    pub(crate) ingress: Option<Vec<AclRule>>,
    pub(crate) egress: Option<Vec<AclRule>>,
}

impl<'a> Acl<'a> {
    pub(crate) fn new(id: &'a NetworkAclId, row: &'a Row<NetworkAcl>) -> Self {
        let compile = |egress: bool| {
            let entries = row.value.entries.as_ref()?;
            let own = entries.iter().filter(|entry| entry.egress == egress);
            let mut rules: Vec<AclRule> = own.filter_map(compile_rule).collect();
            rules.sort_by_key(|rule| rule.number);
            Some(rules)
        };
        Self { id, evidence: &row.evidence, ingress: compile(false), egress: compile(true) }
    }

    pub(crate) fn rules(&self, direction: Direction) -> Option<&[AclRule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

fn compile_rule(entry: &AclEntry) -> Option<AclRule> {
    let protocol = protocol_of(&entry.protocol)?;
    let (from, to) = match protocol {
        p if p == Span::one(ICMP) || p == Span::one(ICMP_V6) => {
            let types = entry.icmp_type_code;
            icmp(types.map(|t| t.r#type), types.map(|t| t.code))?
        }
        p if p == Span::one(TCP) || p == Span::one(UDP) => {
            let span = match entry.port_range {
                None => ANY_PORT,
                Some(range) => Span::new(u16::try_from(range.from).ok()?, u16::try_from(range.to).ok()?)?,
            };
            (ANY_PORT, span)
        }
        _ => (ANY_PORT, ANY_PORT),
    };
    let peers = match (entry.cidr_block, entry.ipv6_cidr_block) {
        (Some(v4), _) => [Some(v4_block(v4)), None],
        (None, Some(v6)) if v6.prefix_len() == 0 => ANY_V6.map(Some),
        (None, Some(v6)) => [Some(v6_block(v6)), None],
        (None, None) => return None,
    };
    let allows = entry.rule_action.eq_ignore_ascii_case("allow");
    Some(AclRule { number: entry.rule_number, allows, protocol, from, to, peers })
}

impl AclRule {
    /// What it matches: inbound rules look at the source, outbound rules at the destination.
    pub(crate) fn cubes(&self, direction: Direction, all: Span<u128>) -> impl Iterator<Item = Cube> {
        let (protocol, from, to) = (self.protocol, self.from, self.to);
        self.peers.into_iter().flatten().map(move |peer| match direction {
            Direction::Ingress => Cube { protocol, source: peer, destination: all, from, to },
            Direction::Egress => Cube { protocol, source: all, destination: peer, from, to },
        })
    }

    /// `rule 100 allows tcp 443 from 10.0.0.0/16`.
    pub(crate) fn write(&self, out: &mut impl fmt::Write, direction: Direction) -> fmt::Result {
        if self.number == 32767 {
            out.write_str("the final rule *")?;
        } else {
            write!(out, "rule {}", self.number)?;
        }
        out.write_str(if self.allows { " allows " } else { " denies " })?;
        write_protocol(out, self.protocol)?;
        if self.to != ANY_PORT {
            out.write_str(" ")?;
            write_ports(out, self.to)?;
        }
        out.write_str(if direction == Direction::Ingress { " from " } else { " to " })?;
        match self.peers {
            [Some(_), Some(_)] => out.write_str("::/0"),
            [Some(span), None] | [None, Some(span)] => write_addresses(out, span),
            [None, None] => Ok(()),
        }
    }
}
