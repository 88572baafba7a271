//! What filters share: the pieces that they cut packets into, and the edits that open them.
//!
//! The filters themselves are `security_group` and `network_acl`.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use ipnet::IpNet;
use launchpath_model::Gap;

use super::branch::{Effect, Piece};
use crate::answer::{Blocker, Hop, HopKind, HopVerdict};
use crate::packet::{Cube, ICMP, ICMP_V6, PacketSet};
use crate::span::{Span, address_at, is_v4};

/// How many deciding rules a hop names before it counts them.
pub(super) const RULES_NAMED: usize = 4;

/// The first rules that admit, and how many more there are.
pub(super) fn words_of<R>(
    used: &[R],
    used_count: usize,
    write: impl Fn(&R, &mut String) -> fmt::Result,
) -> String {
    let mut text = String::with_capacity(64);
    for (at, rule) in used.iter().enumerate() {
        if at > 0 {
            text.push_str("; ");
        }
        // Writing to memory cannot fail.
        let _ = write(rule, &mut text);
    }
    if used_count > used.len() {
        let _ = write!(text, "; and {} more", used_count - used.len());
    }
    text
}

/// The protocol and the ports that an edit for these packets must admit; `None` for several protocols at once.
pub(super) fn wanted(packets: &PacketSet) -> Option<(u8, Option<(u16, u16)>)> {
    let first = packets.cubes().first()?;
    let protocol = first.protocol;
    if protocol.first != protocol.last || packets.cubes().iter().any(|cube| cube.protocol != protocol) {
        return None;
    }
    let ports = match protocol.first {
        6 | 17 => {
            let from = packets.cubes().iter().map(|cube| cube.to.first).min()?;
            let to = packets.cubes().iter().map(|cube| cube.to.last).max()?;
            Some((from, to))
        }
        ICMP | ICMP_V6 => return None,
        _ => None,
    };
    Some((protocol.first, ports))
}

/// The smallest block that holds the addresses that `side` picks.
pub(super) fn covering(packets: &PacketSet, side: impl Fn(&Cube) -> Span<u128>) -> Option<IpNet> {
    let first = packets.cubes().iter().map(|cube| side(cube).first).min()?;
    let last = packets.cubes().iter().map(|cube| side(cube).last).max()?;
    if is_v4(first) != is_v4(last) {
        return None;
    }
    let (width, family_bits) = if is_v4(first) { (32u32, 96) } else { (128, 0) };
    let differing = 128 - (first ^ last).leading_zeros();
    let length = u8::try_from(128 - differing - family_bits).ok()?;
    debug_assert!(u32::from(length) <= width, "a block of one family");
    Some(IpNet::new(address_at(first), length).ok()?.trunc())
}

pub(super) fn passed(set: PacketSet, hop: Option<Arc<Hop>>) -> Piece {
    Piece { set, hop, effect: Effect::Pass, assumed: None }
}

pub(super) fn unknown(set: PacketSet, hop: Option<Hop>, gap: Gap) -> Piece {
    Piece { set, hop: hop.map(Arc::new), effect: Effect::Unknown(Box::new(gap)), assumed: None }
}

/// A part that `blocker` stops, and the hop of element `id` that says so.
pub(super) fn dropped(set: PacketSet, kind: HopKind, id: Arc<str>, blocker: Blocker) -> Piece {
    let hop = Hop {
        kind,
        id,
        at: blocker.at.clone(),
        leg: blocker.leg,
        direction: blocker.direction,
        verdict: HopVerdict::Dropped,
        text: Arc::clone(&blocker.text),
        evidence: blocker.evidence.clone(),
    };
    Piece { set, hop: Some(Arc::new(hop)), effect: Effect::Drop(Arc::new(blocker)), assumed: None }
}
