//! The walk: carries a set of packets from its source to its destination and the answers back.
//!
//! At every element the set is cut into what passes, what is dropped and what the evidence does not decide. What is
//! dropped walks on, marked, so that the answer names every element in the way and not only the first; what is lost sight of
//! walks on past what it cannot go round. It knows
//! nothing of names and services: [`crate::reach`] asks the question. Start with [`Walk::start`].

mod ahead;
mod branch;
mod delivery;
mod filter;
mod forward;
mod gateway;
mod internet;
mod neighbour;
mod network_acl;
mod security_group;
mod transit;

use branch::Branch;
pub(crate) use branch::Carried;

use std::sync::Arc;

use launchpath_model::Gap;
use launchpath_model::ids::{PrefixListId, VpcId};

use crate::end::End;
use crate::index::Index;

/// Where the packets come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin<'e> {
    /// An interface.
    Interface(&'e End),
    /// Somewhere on the internet.
    Internet,
    /// What lies behind a VPN or Direct Connect gateway.
    VpnGateway(String),
    /// The VPC's router itself: no source subnet, no group.
    Router(VpcId),
}

/// Where the packets are to go.
#[derive(Clone, Debug)]
pub(crate) struct Goal<'e> {
    /// In words.
    pub(crate) what: Arc<str>,
    /// The interface, when the question names one: its address may be a range.
    pub(crate) end: Option<&'e End>,
    /// The AWS service whose public addresses are meant, without Region (`s3`, `ecr.api`).
    pub(crate) service: Option<String>,
    /// The destination is what a public name or service means: no address of an interface of the network.
    pub(crate) foreign: bool,
    /// Prefix lists that hold all of the destination addresses.
    pub(crate) lists: Vec<PrefixListId>,
    /// The questioner says that the destination lies on premises: a VPN gateway is then the end of the walk.
    pub(crate) on_premises: bool,
}

/// One walk: one source, one goal.
pub(crate) struct Walk<'e, 'a> {
    pub(crate) index: &'e Index<'a>,
    pub(crate) origin: Origin<'e>,
    pub(crate) goal: Goal<'e>,
}

/// How deep a walk goes before it is given up as a loop.
const DEEPEST: u32 = 24;

impl<'e> Walk<'e, '_> {
    /// Walks the branch from its origin; finished branches go to `done`.
    pub(crate) fn start(&self, branch: Branch<'e>, done: &mut Vec<Branch<'e>>) {
        match &self.origin {
            Origin::Interface(end) => self.start_at_interface(end, branch, done),
            Origin::Internet => self.enter_from_internet(branch, done),
            Origin::VpnGateway(gateway) => self.enter_from_vpn(gateway, branch, done),
            Origin::Router(vpc) => self.deliver_in_vpc(branch, vpc, None, done),
        }
    }

    fn start_at_interface(&self, end: &'e End, mut branch: Branch<'e>, done: &mut Vec<Branch<'e>>) {
        branch.sender = Some(end);
        let Some(subnet) = end.subnet.clone() else {
            branch.gaps.push(Gap::not_asked(
                format!("the subnet of {}", end.name()),
                format!("aws ec2 describe-network-interfaces --network-interface-ids {}", end.name()),
            ));
            done.push(branch);
            return;
        };
        let pieces = self.egress_groups(&branch, end);
        branch.split(pieces, |branch| self.leave_subnet(branch, &subnet, done));
    }
}
