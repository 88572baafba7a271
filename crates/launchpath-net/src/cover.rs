//! What a union of rules admits of a packet set, for many rules: sorted spans instead of one subtraction per rule.
//!
//! The rules of one direction of a group differ in protocol, ports and one address dimension, the peer's. The set is cut
//! into slabs in which every rule holds for all protocols and ports or for none; there the peers' spans are merged.

use smallvec::SmallVec;

use crate::packet::{Cube, Cubes, PacketSet};
use crate::span::{Point, Span};

/// The address dimension that rules select on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// Cuts `now` into what the boxes hold together, and the rest; both are disjoint.
///
/// The boxes must span every address of the dimension that is not `side`.
pub(crate) fn cover(now: &PacketSet, boxes: &[Cube], side: Side) -> (PacketSet, PacketSet) {
    let mut inside = Cubes::new();
    let mut outside = Cubes::new();
    for cube in now.cubes() {
        cover_cube(cube, boxes, side, &mut inside, &mut outside);
    }
    (PacketSet::of_disjoint(inside), PacketSet::of_disjoint(outside))
}

fn peer(cube: &Cube, side: Side) -> Span<u128> {
    match side {
        Side::Source => cube.source,
        Side::Destination => cube.destination,
    }
}

fn with_peer(cube: Cube, side: Side, span: Span<u128>) -> Cube {
    match side {
        Side::Source => Cube { source: span, ..cube },
        Side::Destination => Cube { destination: span, ..cube },
    }
}

fn cover_cube(cube: &Cube, boxes: &[Cube], side: Side, inside: &mut Cubes, outside: &mut Cubes) {
    let mut own: SmallVec<[Cube; 2]> = SmallVec::new();
    for candidate in boxes {
        if let Some(shared) = candidate.intersect(cube) {
            if shared == *cube {
                inside.push(*cube);
                return;
            }
            own.push(shared);
        }
    }
    if own.is_empty() {
        outside.push(*cube);
        return;
    }
    let every_service = |b: &Cube| (b.protocol, b.from, b.to) == (cube.protocol, cube.from, cube.to);
    if own.iter().all(every_service) {
        emit(*cube, &merge(own.iter().map(|b| peer(b, side)).collect()), side, inside, outside);
        return;
    }
    for protocol in slabs(cube.protocol, own.iter().map(|b| b.protocol)) {
        for from in slabs(cube.from, own.iter().map(|b| b.from)) {
            let mut last: Option<(Span<u16>, Vec<Span<u128>>)> = None;
            for to in slabs(cube.to, own.iter().map(|b| b.to)) {
                let holds = |b: &&Cube| b.protocol.covers(protocol) && b.from.covers(from) && b.to.covers(to);
                let merged = merge(own.iter().filter(holds).map(|b| peer(b, side)).collect());
                match &mut last {
                    Some((span, spans)) if *spans == merged => span.last = to.last,
                    _ => {
                        if let Some((to, spans)) = last.take() {
                            emit(Cube { protocol, to, from, ..*cube }, &spans, side, inside, outside);
                        }
                        last = Some((to, merged));
                    }
                }
            }
            if let Some((to, spans)) = last {
                emit(Cube { protocol, to, from, ..*cube }, &spans, side, inside, outside);
            }
        }
    }
}

/// `whole` cut wherever one of `parts` begins or ends.
fn slabs<T: Point>(whole: Span<T>, parts: impl Iterator<Item = Span<T>>) -> Vec<Span<T>> {
    let mut starts = vec![whole.first];
    for part in parts {
        if part.first > whole.first {
            starts.push(part.first);
        }
        if let Some(after) = part.last.next().filter(|after| *after <= whole.last && *after > whole.first) {
            starts.push(after);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).filter_map(|start| start.previous()).chain([whole.last]);
    starts.iter().zip(ends).map(|(first, last)| Span { first: *first, last }).collect()
}

/// Sorted, disjoint, not touching.
fn merge(mut spans: Vec<Span<u128>>) -> Vec<Span<u128>> {
    spans.sort_unstable();
    let mut merged: Vec<Span<u128>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.first <= last.last.saturating_add(1) => last.last = last.last.max(span.last),
            _ => merged.push(span),
        }
    }
    merged
}

fn emit(cube: Cube, spans: &[Span<u128>], side: Side, inside: &mut Cubes, outside: &mut Cubes) {
    let whole = peer(&cube, side);
    let mut next = Some(whole.first);
    for span in spans {
        inside.push(with_peer(cube, side, *span));
        if let (Some(first), Some(last)) = (next, span.first.previous())
            && let Some(hole) = Span::new(first, last)
        {
            outside.push(with_peer(cube, side, hole));
        }
        next = span.last.next();
    }
    if let Some(hole) = next.and_then(|first| Span::new(first, whole.last)) {
        outside.push(with_peer(cube, side, hole));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Side, cover};
    use crate::packet::{Cube, PacketSet};
    use crate::span::Span;

    fn span<T: Copy + Ord>(a: T, b: T) -> Span<T> {
        Span { first: a.min(b), last: a.max(b) }
    }

    prop_compose! {
        fn any_box()(p in (0u8..3, 0u8..3), d in (0u128..20, 0u128..20), t in (0u16..6, 0u16..6), f in (0u16..4, 0u16..4)) -> Cube {
            Cube {
                protocol: span(p.0, p.1), destination: span(d.0, d.1), source: Span { first: 0, last: u128::MAX },
                to: span(t.0, t.1), from: span(f.0, f.1),
            }
        }
    }

    proptest! {
        #[test]
        fn equals_one_subtraction_per_rule(cubes in prop::collection::vec(any_box(), 1..4), boxes in prop::collection::vec(any_box(), 0..8)) {
            let now = PacketSet::of(cubes);
            let (inside, outside) = cover(&now, &boxes, Side::Destination);
            let mut rest = now.clone();
            for one in &boxes {
                rest.remove(one);
            }
            prop_assert!(outside.same_as(&rest));
            prop_assert!(inside.same_as(&now.without(&rest)));
            for list in [inside.cubes(), outside.cubes()] {
                for (i, a) in list.iter().enumerate() {
                    prop_assert!(list[i + 1..].iter().all(|b| a.intersect(b).is_none()), "disjoint");
                }
            }
        }
    }
}
