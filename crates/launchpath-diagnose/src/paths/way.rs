//! The way to one service of the launch, in few words: for comparisons, not for findings.

use std::collections::BTreeSet;

use launchpath_model::EvidenceId;
use launchpath_net::dns::{DnsAnswer, Resolution};
use launchpath_net::{HopKind, Leg, NeedPaths, Outcome, Verdict};

/// The way to a service, from all subnets.
pub(crate) struct Way<'a> {
    pub(crate) service: &'a str,
    /// How it stands; `None` where that is not decided.
    pub(crate) state: Option<&'static str>,
    /// What packets that arrive leave the VPC by: gateways and endpoints.
    pub(crate) through: BTreeSet<&'a str>,
    pub(crate) evidence: Vec<EvidenceId>,
}

impl<'a> Way<'a> {
    /// `resolution`: where the name leads, as far as the VPC is known.
    pub(super) fn of(paths: &'a NeedPaths, resolution: Option<&'a Resolution>) -> Self {
        let answers = || paths.by_subnet.iter().map(|(_, answer)| answer);
        let all = |wanted: Verdict| answers().all(|answer| answer.verdict == wanted);
        let undecided = answers().any(|answer| answer.verdict == Verdict::Unknown);
        let mut evidence: Vec<EvidenceId> = answers().flat_map(|answer| answer.evidence.clone()).collect();
        evidence.sort();
        evidence.dedup();
        let state = if paths.by_subnet.is_empty() || undecided {
            None
        } else if all(Verdict::All) {
            Some("open")
        } else if all(Verdict::None) {
            Some("blocked")
        } else {
            Some("open in part")
        };
        let delivered =
            answers().flat_map(|answer| &answer.parts).filter(|part| part.outcome == Outcome::Delivered);
        let mut through: BTreeSet<&str> = delivered
            .clone()
            .flat_map(|part| &part.trace)
            .filter(|hop| hop.leg == Leg::Request && is_exit(hop.kind))
            .map(|hop| hop.id.as_ref())
            .collect();
        // An interface endpoint is no hop: its own interface in the VPC is where the packets go.
        let endpoints = resolution.into_iter().flat_map(|resolution| &resolution.possibilities);
        let endpoints = endpoints.filter_map(|possibility| match &possibility.answer {
            DnsAnswer::Endpoint(id) => Some(id.as_str()),
            _ => None,
        });
        if delivered.clone().next().is_some() {
            through.extend(endpoints);
        }
        Self { service: paths.need.service, state, through, evidence }
    }
}

fn is_exit(kind: HopKind) -> bool {
    matches!(
        kind,
        HopKind::NatGateway
            | HopKind::EgressOnlyInternetGateway
            | HopKind::VpcEndpoint
            | HopKind::Peering
            | HopKind::TransitGateway
            | HopKind::VpnGateway
            | HopKind::Appliance
    )
}
