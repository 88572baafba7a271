//! What is still ahead of packets that were lost sight of.
//!
//! Beyond a transit gateway, a VPN gateway or an appliance nothing is seen. Whatever happens there, some elements cannot be
//! gone round: the groups and the ACL of the interface that is addressed, and the ACL of the subnet the answers come home to.
//! What they refuse of every packet that could come is refused; the rest stays unknown. Start with [`Walk::out_of_sight`].
//!
//! What is out of sight may rewrite where packets come from, never where they go: an answer from another address than was
//! asked is none, and a request for another address is another question.

use launchpath_model::Gap;
use launchpath_model::ids::{SubnetId, TransitGatewayId, VpcEndpointId};
use smallvec::smallvec;

use super::branch::{Branch, Effect, Pieces};
use super::filter::passed;
use super::{Origin, Walk};
use crate::answer::{Direction, Leg};
use crate::end::End;
use crate::packet::{Cube, PacketSet, is_icmp};
use crate::span::{ANY_PORT, ANY_V4, ANY_V6};

/// Through what packets may come back from where nothing is seen.
#[derive(Clone, Copy)]
pub(super) enum Return<'w> {
    /// Through an element that stands in no subnet: a peering connection, a VPN gateway, the VPC's router.
    Outside,
    /// Through the attachments of a transit gateway.
    TransitGateway(&'w str),
    /// Through an interface in this subnet; `None`: it is not known in which.
    Interface(Option<&'w SubnetId>),
    /// Through a gateway load balancer endpoint.
    Endpoint(&'w str),
    /// Which route they take is not known.
    AnyRoute,
    /// Nothing is known of it.
    Untold,
}

impl<'e> Walk<'e, '_> {
    /// Nothing is seen from here on: goes on with what cannot be gone round.
    pub(super) fn out_of_sight(&self, mut branch: Branch<'e>, way: Return<'_>, done: &mut Vec<Branch<'e>>) {
        if std::mem::replace(&mut branch.lost, true) {
            done.push(branch);
            return;
        }
        if branch.leg == Leg::Reply {
            self.come_home(branch, way, done);
            return;
        }
        let Some(end) = self.goal.end else {
            branch.turn();
            self.come_home(branch, way, done);
            return;
        };
        let groups = |branch: &Branch<'e>| self.ingress_groups(branch, end);
        let inbound = |branch: &Branch<'e>| self.acl_from_outside(branch, end, Direction::Ingress);
        let outbound = |branch: &Branch<'e>| self.acl_from_outside(branch, end, Direction::Egress);
        self.past(branch, Direction::Ingress, inbound, |branch| {
            self.past(branch, Direction::Ingress, groups, |mut branch| {
                branch.turn();
                self.past(branch, Direction::Egress, outbound, |branch| self.come_home(branch, way, done));
            });
        });
    }

    /// Marks what a filter refuses whoever the peer is.
    fn past(
        &self,
        branch: Branch<'e>,
        direction: Direction,
        filter: impl Fn(&Branch<'e>) -> Pieces,
        then: impl FnMut(Branch<'e>),
    ) {
        let mut anybody = branch.clone();
        anybody.now = with_any_peer(&branch.now, direction);
        anybody.sender_lost = Some(Gap::not_asked(
            format!("from whom {} is addressed", self.goal.what),
            "aws ec2 describe-network-interfaces",
        ));
        anybody.sender = None;
        let mut refused = branch.now.clone();
        for piece in filter(&anybody) {
            if !matches!(piece.effect, Effect::Drop(_)) {
                refused = refused.without(&with_any_peer(&piece.set, direction));
            }
        }
        let mut pieces: Pieces = smallvec![passed(branch.now.without(&refused), None)];
        if !refused.is_empty() {
            // The packets themselves once more, for the words and the edits.
            let mut part = branch.clone();
            part.narrow(refused);
            pieces.extend(filter(&part));
        }
        branch.split(pieces, then);
    }

    /// The ACL of the subnet of `end`, for packets from or to outside of it.
    fn acl_from_outside(&self, probe: &Branch<'e>, end: &'e End, direction: Direction) -> Pieces {
        match &end.subnet {
            Some(subnet) if !self.index.may_hold_attachment(&end.vpc, subnet) => {
                self.acl_pieces(probe, subnet, direction)
            }
            _ => smallvec![passed(probe.now.clone(), None)],
        }
    }

    /// Answers come from out of sight: into the subnet of the NAT gateway that sent the requests, or of the source.
    fn come_home(&self, branch: Branch<'e>, way: Return<'_>, done: &mut Vec<Branch<'e>>) {
        let nat = branch.crossings.last().map(|crossing| crossing.nat);
        let home: Option<&'e End> = match (nat, &self.origin) {
            (Some(nat), _) => nat,
            (None, Origin::Interface(end)) => Some(end),
            (None, _) => None,
        };
        let Some((home, subnet)) = home.and_then(|home| Some((home, home.subnet.as_ref()?))) else {
            done.push(branch);
            return;
        };
        if let Return::TransitGateway(id) = way
            && let Some(entries) = self.attachment_subnets(id, home)
            && !entries.contains(subnet)
        {
            Self::any_of(
                branch,
                &entries,
                |branch, entry, done| self.leave_subnet(branch, entry, done),
                done,
            );
            return;
        }
        if self.may_answer_inside(way, home, subnet) {
            self.answer_arrives(branch, subnet, done);
            return;
        }
        let acl = self.acl_pieces(&branch, subnet, Direction::Ingress);
        branch.split(acl, |branch| self.answer_arrives(branch, subnet, done));
    }

    /// Whether answers may come from an interface in the subnet itself: they meet no ACL there.
    ///
    /// AWS: <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html> (a transit gateway in the subnet of the instances),
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>
    fn may_answer_inside(&self, way: Return<'_>, home: &End, subnet: &SubnetId) -> bool {
        match way {
            Return::Outside => false,
            Return::TransitGateway(_) | Return::AnyRoute => self.index.may_hold_attachment(&home.vpc, subnet),
            Return::Interface(at) => at.is_none_or(|at| at == subnet),
            Return::Endpoint(id) => {
                let row = self.index.network.vpc_endpoints.seen(&VpcEndpointId::from(id));
                row.and_then(|row| row.value.subnet_ids.as_ref()).is_none_or(|own| own.contains(subnet))
            }
            Return::Untold => true,
        }
    }

    /// The subnets through which a transit gateway hands packets to the VPC of `home`, one for each ACL and table; `None`
    /// where they are not known.
    fn attachment_subnets(&self, id: &str, home: &End) -> Option<Vec<SubnetId>> {
        let gateway = TransitGatewayId::from(id);
        let attachments = self.index.network.transit_gateway_vpc_attachments.iter();
        let own = attachments
            .map(|(_, row)| &row.value)
            .find(|row| row.transit_gateway_id == gateway && row.vpc_id == home.vpc)?;
        let subnets = own.subnet_ids.as_ref().filter(|subnets| !subnets.is_empty())?;
        if subnets.iter().any(|subnet| self.index.subnet(subnet).is_none()) {
            return None;
        }
        let mut different: Vec<SubnetId> = Vec::new();
        for subnet in subnets {
            if home.subnet.as_ref() == Some(subnet)
                || !different.iter().any(|other| self.alike(other, subnet))
            {
                different.push(subnet.clone());
            }
        }
        Some(different)
    }

    /// Follows each way in which the packets may go, and calls refused what every way refuses.
    fn any_of<T>(
        branch: Branch<'e>,
        ways: &[T],
        follow: impl Fn(Branch<'e>, &T, &mut Vec<Branch<'e>>),
        done: &mut Vec<Branch<'e>>,
    ) {
        if let [way] = ways {
            follow(branch, way, done);
            return;
        }
        let marks = branch.blockers.len();
        let mut possible = PacketSet::default();
        let mut first = Vec::new();
        for (number, way) in ways.iter().enumerate() {
            let mut ends = Vec::new();
            follow(branch.clone(), way, &mut ends);
            for end in ends.iter().filter(|end| end.blockers.len() == marks) {
                possible.add(&end.original);
            }
            if number == 0 {
                first = ends;
            }
        }
        for mut end in first {
            if end.blockers.len() > marks {
                let before = end.original.size().max(1.0);
                end.original = end.original.without(&possible);
                end.share *= end.original.size() / before;
            }
            if !end.original.is_empty() {
                done.push(end);
            }
        }
        if !possible.is_empty() {
            let mut open = branch;
            open.share *= possible.size() / open.original.size().max(1.0);
            open.original = possible;
            done.push(open);
        }
    }
}

/// The same packets from or to anybody.
fn with_any_peer(packets: &PacketSet, direction: Direction) -> PacketSet {
    let mut wide = PacketSet::default();
    for cube in packets.cubes() {
        let v4 = ANY_V4.covers(cube.source);
        let families = if v4 { vec![ANY_V4] } else { ANY_V6.to_vec() };
        for peer in families {
            let cube = match direction {
                Direction::Ingress if is_icmp(cube) => Cube { source: peer, ..*cube },
                Direction::Ingress => Cube { source: peer, from: ANY_PORT, ..*cube },
                Direction::Egress if is_icmp(cube) => Cube { destination: peer, ..*cube },
                Direction::Egress => Cube { destination: peer, to: ANY_PORT, ..*cube },
            };
            wide.add(&PacketSet::from(cube));
        }
    }
    wide
}
