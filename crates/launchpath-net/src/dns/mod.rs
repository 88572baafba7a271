//! Names: what a resolver inside a VPC answers, and why.
//!
//! The name decides the destination: with private DNS a service's name leads to an endpoint's interfaces, and then
//! no NAT gateway helps. Start with [`resolve`]; `resolver` asks whose resolver it is, `zone` knows private zones, `profile`
//! Route 53 Profiles, `rule` the rules that send names to other resolvers, `private_dns` the VPC's own endpoints, and `precedence`
//! decides between them.

mod name;
mod precedence;
mod private_dns;
mod profile;
mod resolver;
mod rule;
mod zone;

use std::net::IpAddr;

use launchpath_model::ids::{VpcEndpointId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap};

pub use name::{name_of_service, service_of_name};

use crate::index::Listing;
use resolver::Lookup;

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The interfaces of an endpoint.
    Endpoint(VpcEndpointId),
    /// Public addresses; of an AWS service when it is one.
    Public {
        /// The service, without Region.
        service: Option<String>,
    },
    /// Addresses of a private zone's record.
    Addresses(Vec<IpAddr>),
    /// Nobody answers, or the answer is that the name does not exist.
    Nothing,
    /// Whatever a resolver that is not in the evidence says.
    Elsewhere(Gap),
}

/// A possible answer and why it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possibility {
    /// The answer.
    pub answer: DnsAnswer,
    /// Why, one sentence.
    pub why: String,
    /// The calls that show it.
    pub evidence: Vec<EvidenceId>,
    /// What would have to be known to choose it; empty when nothing is missing.
    pub depends_on: Vec<Gap>,
}

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The name asked.
    pub name: String,
    /// One possibility when the evidence decides, several when it does not.
    pub possibilities: Vec<Possibility>,
    /// What is taken for granted: that no private hosted zone answers, where zones were not listed.
    pub assumed: Vec<Gap>,
    /// Where a private zone nobody listed could lead elsewhere: it would have to be known before the name's way is called
    /// blocked.
    pub hidden_zone: Option<Gap>,
}

/// What a resolver inside `vpc` answers for `name`.
pub fn resolve(network: &Network, vpc: &VpcId, name: &str) -> Resolution {
    resolve_listed(network, vpc, name, Listing::Proven)
}

/// [`resolve`] with a choice of how far listings are trusted.
pub fn resolve_listed(network: &Network, vpc: &VpcId, name: &str, listing: Listing) -> Resolution {
    let asked = name.trim_end_matches('.').to_ascii_lowercase();
    let lookup = Lookup::new(network, vpc, &asked, listing);
    lookup.run(name)
}

fn elsewhere(gap: &Gap) -> Possibility {
    Possibility {
        answer: DnsAnswer::Elsewhere(gap.clone()),
        why: gap.what.clone(),
        evidence: gap.evidence.clone(),
        depends_on: vec![gap.clone()],
    }
}
