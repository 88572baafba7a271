//! The network as it most likely is, where something was not seen that cannot change what is asked of it.
//!
//! Used only to *rule out* faults of groups, ACLs and routes while an unseen resolver or an endpoint's far subnet leaves a whole
//! path undecided; never to find a fault, and never for faults of DNS. What is filled in is never cited.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use launchpath_model::aws::vpc::{DhcpConfiguration, DhcpOptions, DhcpValue, Subnet, Vpc};
use launchpath_model::ids::{DhcpOptionsId, Region, SubnetId, VpcId};
use launchpath_model::world::Network;
use launchpath_model::{Evidence, EvidenceId, Outcome, Read};
use serde_json::{Value, json};

/// The evidence id of what is only assumed; never cited.
pub(super) const ASSUMED: &str = "assumed";

fn assumed() -> EvidenceId {
    EvidenceId::from(ASSUMED)
}

/// The network with AWS's own resolver where the DHCP options of a VPC were not read, and what was taken for granted by that.
///
/// AWS: a VPC has AmazonProvidedDNS unless somebody gave it another option set
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html>).
pub(super) fn with_default_resolver(network: &Network) -> (Network, Vec<String>) {
    let mut filled = network.clone();
    let unread: Vec<DhcpOptionsId> = network
        .vpcs
        .iter()
        .filter_map(|(_, row)| row.value.dhcp_options_id.clone())
        .filter(|id| network.dhcp_options.seen(id).is_none())
        .collect();
    for id in &unread {
        filled.dhcp_options.insert(id.clone(), amazon_provided(id), assumed());
    }
    let granted = unread.iter().filter(|id| id.as_str() != "default");
    let granted = granted
        .map(|id| format!("the DHCP options {id}, which were not read, name AmazonProvidedDNS"))
        .collect();
    (filled, granted)
}

fn amazon_provided(id: &DhcpOptionsId) -> DhcpOptions {
    let servers = DhcpConfiguration {
        key: "domain-name-servers".to_owned(),
        values: vec![DhcpValue { value: "AmazonProvidedDNS".to_owned() }],
    };
    DhcpOptions { dhcp_options_id: id.clone(), dhcp_configurations: Some(vec![servers]) }
}

/// The network with AWS's default resolver and attributes wherever they were not seen, and with the unseen subnets of interface
/// endpoints where no rule looks at their addresses.
pub(super) fn with_defaults(network: &Network) -> Network {
    let (mut filled, _) = with_default_resolver(network);
    default_dns(&mut filled);
    no_private_zones(&mut filled);
    far_subnets(&mut filled);
    filled
}

/// AWS: <https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html>
fn default_dns(network: &mut Network) {
    let mut ids: Vec<VpcId> = network.vpcs.iter().map(|(id, _)| id.clone()).collect();
    ids.extend(network.subnets.iter().map(|(_, row)| row.value.vpc_id.clone()));
    ids.sort();
    ids.dedup();
    for id in &ids {
        if network.dns_support.seen(id).is_none() {
            network.dns_support.insert(id.clone(), true, assumed());
        }
        if network.dns_hostnames.seen(id).is_none() {
            network.dns_hostnames.insert(id.clone(), true, assumed());
        }
        if network.vpcs.seen(id).is_none() {
            let vpc = Vpc { vpc_id: id.clone(), dhcp_options_id: Some("default".into()), ..Vpc::default() };
            network.vpcs.insert(id.clone(), vpc, assumed());
        }
    }
}

/// As if the private hosted zones and the Route 53 Profiles of every VPC had been listed, and there were none but those seen.
fn no_private_zones(network: &mut Network) {
    let vpcs: Vec<VpcId> = network.vpcs.iter().map(|(id, _)| id.clone()).collect();
    let region = network.region.clone();
    for vpc in vpcs {
        let zones = json!({ "VPCId": vpc.as_str(), "VPCRegion": region.as_ref().map(Region::as_str) });
        network.hosted_zones.record(listed("route53", "ListHostedZonesByVPC", zones));
        let profiles = json!({ "ResourceId": vpc.as_str() });
        network.dns_profiles.record(listed("route53profiles", "ListProfileAssociations", profiles));
    }
}

/// A listing that brought nothing.
fn listed(service: &str, operation: &str, request: Value) -> Read {
    let call = Evidence {
        id: assumed(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        region: None,
        account: None,
        request: Some(request),
        at: None,
        outcome: Outcome::Ok,
        error: None,
        complete: true,
        file: None,
    };
    Read::new(call, 0)
}

/// Subnets of interface endpoints that were not described: any free block of the VPC stands for them, as long as no rule of the
/// VPC tells one address of the VPC from another.
fn far_subnets(network: &mut Network) {
    let mut missing: Vec<(VpcId, SubnetId)> = network
        .vpc_endpoints
        .iter()
        .flat_map(|(_, row)| {
            let vpc = row.value.vpc_id.clone();
            row.value.subnet_ids.iter().flatten().map(move |subnet| (vpc.clone(), subnet.clone()))
        })
        .filter(|(_, subnet)| network.subnets.seen(subnet).is_none())
        .collect();
    missing.sort();
    missing.dedup();
    for (vpc, subnet) in missing {
        let Some(block) = network.vpcs.seen(&vpc).and_then(|row| row.value.cidr_block) else { continue };
        if rules_split(network, block) {
            continue;
        }
        let Some(free) = free_block(network, block) else { continue };
        let row =
            Subnet { subnet_id: subnet.clone(), vpc_id: vpc, cidr_block: Some(free), ..Subnet::default() };
        network.subnets.insert(subnet, row, assumed());
    }
}

/// Whether some ACL or group treats a part of the block unlike the rest.
fn rules_split(network: &Network, block: Ipv4Net) -> bool {
    let splits = |rule: Ipv4Net| block.contains(&rule) && rule != block;
    let acl = network.network_acls.iter().flat_map(|(_, row)| row.value.entries.iter().flatten());
    let groups = network.security_groups.iter().map(|(_, row)| &row.value);
    let rules =
        groups.flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress).flatten());
    acl.filter_map(|entry| entry.cidr_block).any(splits)
        || rules.flat_map(|rule| &rule.ip_ranges).filter_map(|range| range.cidr_ip).any(splits)
}

/// A block of 16 addresses inside `block` that no seen subnet covers, from its end.
fn free_block(network: &Network, block: Ipv4Net) -> Option<Ipv4Net> {
    let used: Vec<Ipv4Net> = network.subnets.iter().filter_map(|(_, row)| row.value.cidr_block).collect();
    let last = u32::from(block.broadcast());
    (0..4096_u32).find_map(|step| {
        let start = last.checked_sub(15 + 16 * step)?;
        let candidate = Ipv4Net::new(Ipv4Addr::from(start), 28).ok()?;
        let inside = block.contains(&candidate);
        let free = !used.iter().any(|other| other.contains(&candidate) || candidate.contains(other));
        (inside && free).then_some(candidate)
    })
}
