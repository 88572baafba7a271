//! `net.dns_off`: the VPC's DNS settings keep names from resolving to where they should.
//!
//! Decided by the walk of every path the launch needs ([`crate::paths`]). The walk opens a blocked path with the nearest edit; a
//! DNS fault is repaired by DNS settings only, so the repair is made here.

use launchpath_model::aws::vpc_endpoint::{EndpointType, VpcEndpoint};
use launchpath_model::ids::{VpcEndpointId, VpcId};
use launchpath_model::{Known, Table};
use launchpath_net::Edit;
use launchpath_net::edit::DnsAttribute;
use launchpath_net::needs::{Artifact, NeedsContext, Platform, needs};

use crate::case::{ArtifactKind, Case};
use crate::chain::Stage;
use crate::diagnosis::Safety;
use crate::faults::{Check, Context, Fault, Finding};
use crate::paths::Paths;
use crate::repair::{Change, Repair};

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "net.dns_off",
    title: "The VPC's DNS settings keep names from resolving to where they should",
    stage: Stage::ArtifactFetch,
    since: "0.1.0",
    prior: 1.0,
    needs: &[
        "GetAgentRuntime",
        "DescribeSubnets",
        "DescribeVpcs",
        "DescribeVpcAttribute",
        "DescribeDhcpOptions",
        "DescribeVpcEndpoints",
        "ListHostedZonesByVPC",
        "ListResourceRecordSets",
        "ListProfileAssociations",
        "ListProfileResourceAssociations",
        "ListResolverRuleAssociations",
        "ListResolverRules",
    ],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    match Paths::check(context, FAULT.code) {
        Check::Found(findings) => {
            Check::Found(findings.into_iter().map(|finding| repaired(context.case, finding)).collect())
        }
        other => other,
    }
}

/// The same finding with a repair of DNS settings alone; without one where no setting is seen to be off (a private zone, for
/// example, is mended by its owner).
fn repaired(case: &Case, mut finding: Finding) -> Finding {
    finding.repairs.clear();
    let Some(vpc) = case.vpc_id() else { return finding };
    let attributes = attributes_off(case, &vpc)
        .into_iter()
        .map(|attribute| Edit::EnableDns { vpc: vpc.clone(), attribute });
    let endpoints = without_private_dns(case, &vpc).map(|endpoint| Edit::EnablePrivateDns { endpoint });
    let changes: Vec<Change> = attributes.chain(endpoints).map(Change::Network).collect();
    if changes.is_empty() {
        return finding;
    }
    let summary = "Switch on the VPC's DNS attributes, and private DNS on the endpoints";
    finding.with_repair(Repair::new(summary, Safety::Review, changes))
}

/// The VPC's interface endpoints.
fn endpoints<'a>(case: &Case<'a>, vpc: &VpcId) -> impl Iterator<Item = &'a VpcEndpoint> {
    let all = case.world.network.vpc_endpoints.iter().map(|(_, row)| &row.value);
    all.filter(move |endpoint| {
        endpoint.vpc_id == *vpc && endpoint.vpc_endpoint_type == Some(EndpointType::Interface)
    })
}

/// The attributes that are seen to be off and matter: host names only where endpoints are to be found by name.
///
/// AWS: <https://docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html>
fn attributes_off(case: &Case, vpc: &VpcId) -> Vec<DnsAttribute> {
    let network = &case.world.network;
    let off = |table: &Table<VpcId, bool>| table.seen(vpc).is_some_and(|row| !row.value);
    let support = off(&network.dns_support).then_some(DnsAttribute::Support);
    let for_endpoints = endpoints(case, vpc).next().is_some();
    let hostnames = (for_endpoints && off(&network.dns_hostnames)).then_some(DnsAttribute::Hostnames);
    support.into_iter().chain(hostnames).collect()
}

/// Endpoints of services the launch calls whose names do not lead to them.
fn without_private_dns(case: &Case, vpc: &VpcId) -> impl Iterator<Item = VpcEndpointId> {
    let artifact = match case.combination.artifact {
        ArtifactKind::CodeZip => Artifact::Code,
        ArtifactKind::Container | ArtifactKind::Unknown => Artifact::Container,
    };
    let no = || Known::seen(false, Vec::new());
    // The services alone are of interest: neither Region nor platform changes them.
    let called = needs(&NeedsContext {
        region: None,
        registry_account: None,
        in_vpc: true,
        platform: Platform::V1,
        artifact,
        managed_s3: no(),
        exports_traces: no(),
        mounts_nfs: no(),
        session_storage: no(),
    });
    endpoints(case, vpc)
        .filter(move |endpoint| {
            endpoint.private_dns_enabled == Some(false)
                && called.iter().any(|need| need.service == endpoint.service())
        })
        .map(|endpoint| endpoint.vpc_endpoint_id.clone())
}
