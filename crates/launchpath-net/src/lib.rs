//! Reachability in AWS VPCs, exactly and offline.
//!
//! What it is: given a [`Network`](launchpath_model::world::Network) of describe outputs, it says which packets get
//! from an interface to an address, name, interface or AWS service and whether their answers come back, with a trace
//! that names every deciding rule, every element that must change, and what would have to be known where the evidence
//! does not decide. What it is not: it sends nothing, asks no service, judges no endpoint policy (an IAM question) and
//! knows no network beyond AWS.
//!
//! # What is deliberately unknown
//!
//! - **Beyond** a transit gateway whose attachments or routes were not seen, a peering or VPC of another account, VPN and Direct
//!   Connect gateways, gateway load balancer endpoints, network firewalls, appliances, carrier and local gateways and core
//!   networks, packets are out of sight: *unknown*. But what cannot be gone round is asked all the same, and what it refuses of
//!   every packet that could come is refused: the ACL through which answers come home, the groups and the ACL of the interface
//!   that is addressed. It is taken that what is out of sight may rewrite where packets come from, and never where they go.
//! - **Names** that other resolvers answer: DHCP options with resolvers of one's own, resolver rules that forward the name, private
//!   zones without their records, records with a routing policy. Refused only where every address would be.
//! - **Names that several settings hold in an order AWS does not document**: a longer name in a Route 53 Profile that is asked later
//!   than one with a shorter name, and a rule of a profile beside a zone of the VPC with the very same name. Each answer stays possible;
//!   where all of them lead to the same end, the verdict is known all the same.
//! - **Prefix lists** whose entries nobody listed: rules and routes match them by id and by the service they belong to.
//! - **Appliance mode** where the subnets of an attachment fare differently: the zone depends on the flow.
//! - Endpoint policies, DNS and network firewall rules, firewalls inside hosts, path MTU and quotas are no part of it.
//!
//! With [`Engine::of_snapshot`] what a snapshot does not hold does not exist (no private zone, the default ACL, in a folder without
//! route tables the local routes); each such step stands in [`Answer::assumed`].
//!
//! # How fast
//!
//! `cargo bench -p launchpath-net` measures answers in full, with every hop and its rule and every blocker with its edit, in processor
//! time of one core. On a small shared server in November 2026: 209,000 a second in an ordinary VPC; 133,000 where an ACL denies a port, so
//! that nearly half of the answers come in parts; an account of 1,000 subnets, 5,000 groups and 500 runtimes, 6,000 answers, in 0.09 s. z3
//! takes at least 1,300 times as long for the verdict alone, on each of twelve questions (`benches/z3/compare.sh`).
//!
//! Start with [`reach`] (one question), [`Engine`] (many), [`dns::resolve`] (names) and [`needs`] (what a launch needs).
//!
//! ```
//! use launchpath_model::world::Network;
//! use launchpath_net::{Destination, Flow, Source, Verdict, reach};
//!
//! let network = Network::default(); // nothing was asked
//! let source = Source::runtime("subnet-1".into(), vec!["sg-1".into()]);
//! let answer = reach(&network, &source, &Destination::service("ecr.api"), &Flow::tcp(443));
//! assert_eq!(answer.verdict, Verdict::Unknown);
//! assert!(answer.unknown[0].command.as_deref().unwrap().contains("describe-subnets"));
//! ```

mod acl;
pub mod answer;
pub mod batch;
mod cover;
mod destination;
pub mod dns;
pub mod edit;
mod end;
mod group;
mod index;
pub mod needs;
pub mod packet;
pub mod place;
mod question;
mod reach;
mod route;
mod runtime;
pub mod span;
mod verdict;
mod walk;

pub use answer::{
    Answer, Blocker, BlockerKind, Direction, Hop, HopKind, HopVerdict, Leg, Outcome, Part, Verdict,
};
pub use edit::{Edit, EditError};
pub use index::Listing;
pub use packet::{Cube, Packet, PacketSet};
pub use question::{Destination, EPHEMERAL, EPHEMERAL_LINUX, Flow, Source, Start};
pub use reach::{Engine, address, reach};
pub use runtime::{NeedPaths, runtime_paths};
