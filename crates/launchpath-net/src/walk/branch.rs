//! A branch of a walk: packets that shared every hop so far.

use std::sync::Arc;

use launchpath_model::{EvidenceId, Gap};
use smallvec::SmallVec;

use crate::answer::{Blocker, Hop, Leg};
use crate::end::End;
use crate::index::Coverage;
use crate::packet::{Cube, PacketSet};
use crate::span::{ANY_PORT, Span};

/// Every address.
pub(crate) const ANYWHERE: Span<u128> = Span { first: 0, last: u128::MAX };

/// A translation on the way: what the packets were before it.
#[derive(Clone, Debug)]
pub(crate) struct Crossing<'e> {
    /// The interface of the NAT gateway; `None` for the internet gateway's own translation.
    pub(crate) nat: Option<&'e End>,
    before: PacketSet,
    keeps_source_port: bool,
    keeps_destination: bool,
}

/// A branch, on the heap: every element hands it on by value.
pub(crate) type Branch<'e> = Box<Carried<'e>>;

/// Packets that shared every hop so far.
#[derive(Clone, Debug)]
pub(crate) struct Carried<'e> {
    /// As the source sends them.
    pub(crate) original: PacketSet,
    /// As they are here, in the direction of the current leg.
    pub(crate) now: PacketSet,
    pub(crate) leg: Leg,
    pub(crate) hops: SmallVec<[Arc<Hop>; 14]>,
    /// The share of the aim's packets.
    pub(crate) share: f64,
    pub(crate) blockers: SmallVec<[Arc<Blocker>; 4]>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) assumed: Vec<Gap>,
    /// The interface whose groups the receiver's rules see; `None` once the source is not recognisable.
    pub(crate) sender: Option<&'e End>,
    /// Why it is not known whether the receiver's rules still see the sender's groups.
    pub(crate) sender_lost: Option<Gap>,
    pub(crate) crossings: Vec<Crossing<'e>>,
    pub(crate) depth: u32,
    /// They were out of sight.
    pub(crate) lost: bool,
}

/// What an element does with a part of the packets.
pub(crate) enum Effect {
    Pass,
    Drop(Arc<Blocker>),
    Unknown(Box<Gap>),
}

/// What an element makes of a branch: few pieces, most often one.
pub(crate) type Pieces = SmallVec<[Piece; 2]>;

/// A part of the packets, the hop it makes, and what becomes of it.
pub(crate) struct Piece {
    pub(crate) set: PacketSet,
    pub(crate) hop: Option<Arc<Hop>>,
    pub(crate) effect: Effect,
    pub(crate) assumed: Option<Box<Gap>>,
}

impl<'e> Carried<'e> {
    pub(crate) fn branch(packets: PacketSet) -> Branch<'e> {
        Box::new(Self {
            original: packets.clone(),
            now: packets,
            leg: Leg::Request,
            hops: SmallVec::new(),
            share: 1.0,
            blockers: SmallVec::new(),
            gaps: Vec::new(),
            assumed: Vec::new(),
            sender: None,
            sender_lost: None,
            crossings: Vec::new(),
            depth: 0,
            lost: false,
        })
    }

    /// Narrows the branch to `now`, a part of what it carries.
    pub(crate) fn narrow(&mut self, now: PacketSet) {
        self.share *= now.size() / self.now.size().max(1.0);
        let mut request = if self.leg == Leg::Reply { now.reversed() } else { now.clone() };
        self.now = now;
        for crossing in self.crossings.iter_mut().rev() {
            crossing.narrow(&request);
            request.clone_from(&crossing.before);
        }
        self.original = request;
    }

    /// That something is not there, with the calls that show it; where it is taken for granted, that is noted. `None` where it may be
    /// there unseen: the gap is noted.
    pub(crate) fn take_absence(&mut self, coverage: Coverage) -> Option<Vec<EvidenceId>> {
        match coverage {
            Coverage::Proven(evidence) => Some(evidence),
            Coverage::Assumed(gap) => {
                self.assumed.push(*gap);
                Some(Vec::new())
            }
            Coverage::Unknown(gap) => {
                self.gaps.push(*gap);
                None
            }
        }
    }

    /// Sends each piece on its way.
    pub(crate) fn split(self: Box<Self>, pieces: Pieces, mut then: impl FnMut(Branch<'e>)) {
        let mut pieces = pieces.into_iter().filter(|piece| !piece.set.is_empty()).peekable();
        let mut own = Some(self);
        while let Some(piece) = pieces.next() {
            let last = pieces.peek().is_none();
            let Some(mut branch) = (if last { own.take() } else { own.clone() }) else { return };
            // A single piece is the whole branch.
            if !(last && piece.set == branch.now) {
                branch.narrow(piece.set);
            }
            branch.hops.extend(piece.hop);
            branch.assumed.extend(piece.assumed.map(|gap| *gap));
            match piece.effect {
                Effect::Pass => {}
                Effect::Drop(blocker) => branch.blockers.push(blocker),
                Effect::Unknown(gap) => branch.gaps.push(*gap),
            }
            then(branch);
        }
    }

    /// Replaces the source by one address and any of the translator's ports.
    pub(crate) fn translate_source(&mut self, nat: Option<&'e End>, source: u128, ports: Option<Span<u16>>) {
        let before = self.now.clone();
        let cubes = before.cubes().iter().map(|cube| {
            let from = match ports {
                Some(ports) if cube.from != Span::one(0) && !crate::packet::is_icmp(cube) => ports,
                _ => cube.from,
            };
            Cube { source: Span::one(source), from, ..*cube }
        });
        self.now = PacketSet::of(cubes);
        self.crossings.push(Crossing {
            nat,
            before,
            keeps_source_port: ports.is_none(),
            keeps_destination: true,
        });
    }

    /// Replaces the destination by one address: what an internet gateway does for a public address.
    pub(crate) fn translate_destination(&mut self, destination: u128) {
        let before = self.now.clone();
        let cubes = before.cubes().iter().map(|cube| Cube { destination: Span::one(destination), ..*cube });
        self.now = PacketSet::of(cubes);
        self.crossings.push(Crossing {
            nat: None,
            before,
            keeps_source_port: true,
            keeps_destination: false,
        });
    }

    /// Takes the answers back through the latest translation.
    pub(crate) fn undo_crossing(&mut self) -> Option<&'e End> {
        let crossing = self.crossings.pop()?;
        self.now = crossing.before.reversed();
        crossing.nat
    }

    /// Turns round: from here the branch carries the answers.
    pub(crate) fn turn(&mut self) {
        self.leg = Leg::Reply;
        self.now = self.now.reversed();
    }
}

impl Crossing<'_> {
    fn narrow(&mut self, after: &PacketSet) {
        let mut patterns: Vec<Cube> = after
            .cubes()
            .iter()
            .map(|cube| Cube {
                protocol: cube.protocol,
                destination: if self.keeps_destination { cube.destination } else { ANYWHERE },
                source: ANYWHERE,
                to: cube.to,
                from: if self.keeps_source_port { cube.from } else { ANY_PORT },
            })
            .collect();
        patterns.sort_unstable();
        patterns.dedup();
        if patterns.len() == 1 {
            self.before = self.before.within(&patterns[0]);
            return;
        }
        let side = crate::cover::Side::Destination;
        let (kept, _) = crate::cover::cover(&self.before, &patterns, side);
        self.before = kept;
    }
}
