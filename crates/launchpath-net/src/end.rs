//! Interfaces as the walk reads them: where packets start and end.
//!
//! An [`End`] is an interface of the network, a NAT gateway by what it says of itself, or one that is only described.

use std::sync::Arc;

use launchpath_model::EvidenceId;
use launchpath_model::aws::network_interface::NetworkInterface;
use launchpath_model::ids::{NetworkInterfaceId, SecurityGroupId, SubnetId, VpcEndpointId, VpcId};

use crate::span::{Span, place};

/// What an interface belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndKind {
    Plain,
    Endpoint(VpcEndpointId),
    NatGateway,
}

/// An interface where packets start or end. Its addresses may be a range when the very one is not known.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) kind: EndKind,
    pub(crate) what: Arc<str>,
    pub(crate) interface: Option<NetworkInterfaceId>,
    pub(crate) vpc: VpcId,
    pub(crate) subnet: Option<SubnetId>,
    /// `None`: the document does not say.
    pub(crate) groups: Option<Vec<SecurityGroupId>>,
    pub(crate) addresses: Vec<Span<u128>>,
    /// Public addresses by private one.
    pub(crate) public: Vec<(u128, u128)>,
    pub(crate) source_dest_check: Option<bool>,
    pub(crate) status: Option<String>,
    pub(crate) evidence: Vec<EvidenceId>,
}

impl End {
    /// How hops name it: the interface id, or the words for it.
    pub(crate) fn name(&self) -> &str {
        self.interface.as_ref().map_or(&self.what, |id| id.as_str())
    }

    /// [`End::name`], shared.
    pub(crate) fn label(&self) -> Arc<str> {
        self.interface.as_ref().map_or_else(|| Arc::clone(&self.what), Arc::from)
    }

    pub(crate) fn holds(&self, address: u128) -> bool {
        self.addresses.iter().any(|span| span.contains(address))
    }
}

/// The interface as its document describes it; `None` where its VPC is not known.
pub(crate) fn end_of_interface(
    interface: &NetworkInterface,
    kind: EndKind,
    vpc: Option<&VpcId>,
    evidence: &[EvidenceId],
) -> Option<End> {
    let mut addresses: Vec<Span<u128>> = Vec::new();
    let mut public = Vec::new();
    let mut add = |address: std::net::IpAddr| {
        let at = Span::one(place(address));
        if !addresses.contains(&at) {
            addresses.push(at);
        }
    };
    if let Some(primary) = interface.private_ip_address {
        add(primary.into());
        if let Some(ip) = interface.association.as_ref().and_then(|a| a.public_ip) {
            public.push((place(primary.into()), place(ip.into())));
        }
    }
    for private in interface.private_ip_addresses.iter().flatten() {
        let Some(address) = private.private_ip_address else { continue };
        add(address.into());
        if let Some(ip) = private.association.as_ref().and_then(|a| a.public_ip) {
            let pair = (place(address.into()), place(ip.into()));
            if !public.contains(&pair) {
                public.push(pair);
            }
        }
    }
    for v6 in interface.ipv6_addresses.iter().flatten().filter_map(|a| a.ipv6_address) {
        add(v6.into());
    }
    let vpc = interface.vpc_id.as_ref().filter(|id| !id.as_str().is_empty()).or(vpc)?;
    Some(End {
        kind,
        what: (&interface.network_interface_id).into(),
        interface: Some(interface.network_interface_id.clone()),
        vpc: vpc.clone(),
        subnet: interface.subnet_id.clone(),
        groups: interface.groups.as_ref().map(|g| g.iter().map(|g| g.group_id.clone()).collect()),
        addresses,
        public,
        source_dest_check: interface.source_dest_check,
        status: interface.status.clone(),
        evidence: evidence.to_vec(),
    })
}
