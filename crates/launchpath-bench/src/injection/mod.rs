//! What can be broken: each injection names the fault it makes, where it can be made, which answers show it, and breaks a sound
//! deployment. Kinds without an injection say why in [`UNDECIDABLE`]; a test holds that no kind of the catalogue is neither.

mod image;
mod network;
mod process;
mod rights;
mod story;

use crate::deployment::{Artifact, Deployment, Topology};
use crate::random::Random;

/// One way to break a deployment.
pub(crate) struct Injection {
    /// The fault it is.
    pub(crate) fault: &'static str,
    /// Faults that are there with it by what they are: a process that fails for want of a right also answers with an error.
    pub(crate) with: &'static [&'static str],
    /// Where it breaks the launch for certain.
    pub(crate) fits: fn(&Deployment) -> bool,
    /// How it shows.
    pub(crate) shows: Shows,
    /// Words of the service that name it: where they are in the error, nothing else is needed.
    pub(crate) named: &'static str,
    /// Which answers show it, in one way or another: `Operation`, or `Operation:text of its request`. `{role}` is the execution
    /// role.
    pub(crate) seen_in: &'static [&'static [&'static str]],
    /// How it is made.
    pub(crate) make: fn(&mut Deployment, &mut Random),
}

/// How a fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// In the configuration, however far the launch gets.
    Configured,
    /// Only by what happens when the launch gets there.
    Happening,
    /// It stops no launch.
    Beside,
}

/// Every injection.
pub(crate) fn all() -> impl Iterator<Item = &'static Injection> {
    [network::ALL, rights::ALL, image::ALL, process::ALL, story::ALL].into_iter().flatten()
}

/// Kinds of fault that no world of the suite holds, and why.
pub(crate) const UNDECIDABLE: &[(&str, &str)] = &[
    (
        "net.central_egress_path",
        "only the first hop of a central egress path is in the account; the firewall or the flow logs of the other account decide",
    ),
    (
        "life.never_idle",
        "no AWS API shows what a container answers to its probe; a rehearsal does, and the suite's worlds are AWS answers",
    ),
];

fn in_vpc(d: &Deployment) -> bool {
    d.topology.in_vpc()
}

fn anywhere(_: &Deployment) -> bool {
    true
}

fn by_endpoints(d: &Deployment) -> bool {
    d.topology.has_endpoints()
}

fn isolated(d: &Deployment) -> bool {
    d.topology == Topology::Endpoints
}

fn only_nat(d: &Deployment) -> bool {
    d.topology == Topology::Nat
}

fn container(d: &Deployment) -> bool {
    d.artifact == Artifact::Container
}

fn by_http(d: &Deployment) -> bool {
    d.protocol != "MCP"
}

#[cfg(test)]
mod tests {
    use super::{UNDECIDABLE, all};

    #[test]
    fn every_kind_of_the_catalogue_is_broken_or_excused() {
        for fault in launchpath_diagnose::faults::all() {
            let broken = all().any(|injection| injection.fault == fault.code);
            let excused = UNDECIDABLE.iter().any(|(code, _)| *code == fault.code);
            assert!(broken != excused, "{}: neither broken nor excused, or both", fault.code);
        }
    }
}
