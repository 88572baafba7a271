//! The network of a runtime in VPC mode: subnets, groups, interfaces, the VPC and the ways out.
//!
//! Interfaces are asked for by subnet, never by description: AgentCore leaves the description empty.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Known, Planned, Step, text, texts};
use crate::record::Outcome;

const SUBNETS: &str = "/networkConfiguration/networkModeConfig/subnets";
const GROUPS: &str = "/networkConfiguration/networkModeConfig/securityGroups";
const VPC_MODE: &str = "VPC mode";

type Operations = &'static [(&'static str, &'static str)];

fn step(
    name: &'static str,
    needs: &[&'static str],
    operations: Operations,
    when: &'static str,
    asks: fn(&Known) -> Vec<Planned>,
) -> Step {
    Step { name, needs: needs.to_vec(), operations, when, asks }
}

pub(super) fn steps() -> Vec<Step> {
    let runtime = &["runtime", "live version"];
    let vpc = &["subnets"];
    vec![
        step("zones", &[], &[("ec2", "DescribeAvailabilityZones")], "", |_| {
            vec![ec2("DescribeAvailabilityZones", json!({}))]
        }),
        step("prefix lists", &[], &[("ec2", "DescribeManagedPrefixLists")], "", |_| {
            vec![ec2("DescribeManagedPrefixLists", json!({}))]
        }),
        step("subnets", runtime, &[("ec2", "DescribeSubnets")], VPC_MODE, |known| {
            by_ids("DescribeSubnets", "SubnetIds", &known.of_configurations(SUBNETS))
        }),
        step("security groups", runtime, &[("ec2", "DescribeSecurityGroups")], VPC_MODE, |known| {
            by_ids("DescribeSecurityGroups", "GroupIds", &known.of_configurations(GROUPS))
        }),
        step("interfaces", runtime, &[("ec2", "DescribeNetworkInterfaces")], VPC_MODE, |known| {
            by_filter("DescribeNetworkInterfaces", "subnet-id", &known.of_configurations(SUBNETS))
        }),
        // One missing id fails the whole call; then each is asked for alone.
        step(
            "each subnet",
            vpc,
            &[("ec2", "DescribeSubnets")],
            "one of several subnets does not exist",
            |known| one_by_one(known, "DescribeSubnets", "SubnetIds"),
        ),
        step(
            "each security group",
            &["security groups"],
            &[("ec2", "DescribeSecurityGroups")],
            "one of several security groups does not exist",
            |known| one_by_one(known, "DescribeSecurityGroups", "GroupIds"),
        ),
        step("vpc", vpc, &[("ec2", "DescribeVpcs")], VPC_MODE, |known| {
            by_ids("DescribeVpcs", "VpcIds", &vpcs(known))
        }),
        step("vpc attributes", vpc, &[("ec2", "DescribeVpcAttribute")], VPC_MODE, vpc_attributes),
        step("vpc subnets", vpc, &[("ec2", "DescribeSubnets")], VPC_MODE, |known| {
            by_filter("DescribeSubnets", "vpc-id", &vpcs(known))
        }),
        step("route tables", vpc, &[("ec2", "DescribeRouteTables")], VPC_MODE, |known| {
            by_filter("DescribeRouteTables", "vpc-id", &vpcs(known))
        }),
        step("network acls", vpc, &[("ec2", "DescribeNetworkAcls")], VPC_MODE, |known| {
            by_filter("DescribeNetworkAcls", "vpc-id", &vpcs(known))
        }),
        step("vpc endpoints", vpc, &[("ec2", "DescribeVpcEndpoints")], VPC_MODE, |known| {
            by_filter("DescribeVpcEndpoints", "vpc-id", &vpcs(known))
        }),
        step("nat gateways", vpc, &[("ec2", "DescribeNatGateways")], VPC_MODE, nat_gateways),
        step("internet gateways", vpc, &[("ec2", "DescribeInternetGateways")], VPC_MODE, |known| {
            by_filter("DescribeInternetGateways", "attachment.vpc-id", &vpcs(known))
        }),
        step("private zones", vpc, &[("route53", "ListHostedZonesByVPC")], VPC_MODE, private_zones),
        step("dns profiles", vpc, &[("route53profiles", "ListProfileAssociations")], VPC_MODE, |known| {
            let ask =
                |vpc| Planned::new("route53profiles", "ListProfileAssociations", json!({"ResourceId": vpc}));
            vpcs(known).into_iter().map(ask).collect()
        }),
        step(
            "dns profile resources",
            &["dns profiles"],
            &[("route53profiles", "ListProfileResourceAssociations")],
            "the VPC uses a Route 53 Profile",
            dns_profile_resources,
        ),
        step(
            "private zone records",
            &["private zones", "dns profile resources"],
            &[("route53", "ListResourceRecordSets")],
            "a private zone may answer for names of AWS",
            zone_records,
        ),
        step(
            "profile endpoints",
            &["dns profile resources", "vpc endpoints"],
            &[("ec2", "DescribeVpcEndpoints")],
            "a Route 53 Profile holds endpoints of other VPCs",
            profile_endpoints,
        ),
        step(
            "resolver rules of the vpc",
            vpc,
            &[("route53resolver", "ListResolverRuleAssociations")],
            VPC_MODE,
            |known| {
                let vpcs = vpcs(known);
                let request = json!({"Filters": [{"Name": "VPCId", "Values": vpcs}]});
                let ask = Planned::new("route53resolver", "ListResolverRuleAssociations", request);
                if vpcs.is_empty() { Vec::new() } else { vec![ask] }
            },
        ),
        step(
            "resolver rules",
            &["resolver rules of the vpc", "dns profile resources"],
            &[("route53resolver", "ListResolverRules")],
            "the VPC or a Route 53 Profile uses resolver rules",
            resolver_rules,
        ),
        step("dhcp options", &["vpc"], &[("ec2", "DescribeDhcpOptions")], VPC_MODE, dhcp_options),
        step(
            "referenced groups",
            &["security groups", "each security group", "vpc endpoints", "interfaces"],
            &[("ec2", "DescribeSecurityGroups")],
            "rules, endpoints or interfaces name other security groups",
            referenced_groups,
        ),
        step(
            "endpoint interfaces",
            &["vpc endpoints", "profile endpoints", "interfaces"],
            &[("ec2", "DescribeNetworkInterfaces")],
            "interface endpoints stand in other subnets",
            endpoint_interfaces,
        ),
        step(
            "prefix list entries",
            &["prefix lists", "security groups", "route tables", "referenced groups"],
            &[("ec2", "GetManagedPrefixListEntries")],
            "a rule or route names a prefix list",
            prefix_list_entries,
        ),
        step(
            "peerings",
            &["route tables"],
            &[("ec2", "DescribeVpcPeeringConnections")],
            "a route leads to a peering connection",
            peerings,
        ),
        step(
            "transit gateway",
            &["route tables"],
            &[("ec2", "DescribeTransitGatewayAttachments"), ("ec2", "DescribeTransitGatewayVpcAttachments")],
            "a route leads to a transit gateway",
            transit_gateways,
        ),
        step(
            "transit gateway routes",
            &["transit gateway"],
            &[("ec2", "SearchTransitGatewayRoutes")],
            "a route leads to a transit gateway",
            transit_gateway_routes,
        ),
    ]
}

fn ec2(operation: &'static str, request: Value) -> Planned {
    Planned::new("ec2", operation, request)
}

fn by_ids(operation: &'static str, member: &str, ids: &[String]) -> Vec<Planned> {
    if ids.is_empty() { Vec::new() } else { vec![ec2(operation, json!({member: ids}))] }
}

fn by_filter(operation: &'static str, filter: &str, values: &[String]) -> Vec<Planned> {
    if values.is_empty() {
        return Vec::new();
    }
    vec![ec2(operation, json!({"Filters": [{"Name": filter, "Values": values}]}))]
}

fn one_by_one(known: &Known, operation: &'static str, member: &str) -> Vec<Planned> {
    let failed = known
        .records
        .iter()
        .filter(|record| record.operation == operation && record.outcome() == Outcome::NotFound);
    let ids = failed.filter_map(|record| record.request.get(member)?.as_array()).filter(|ids| ids.len() > 1);
    ids.flatten().map(|id| ec2(operation, json!({member: [id]}))).collect()
}

/// The VPCs of the runtimes' subnets; of their groups when the subnets could not be read.
fn vpcs(known: &Known) -> Vec<String> {
    let found = known.of_items(("ec2", "DescribeSubnets", "Subnets"), "/VpcId");
    if found.is_empty() {
        return known.of_items(("ec2", "DescribeSecurityGroups", "SecurityGroups"), "/VpcId");
    }
    found
}

fn vpc_attributes(known: &Known) -> Vec<Planned> {
    let ask =
        |vpc: &String, name: &str| ec2("DescribeVpcAttribute", json!({"VpcId": vpc, "Attribute": name}));
    let both = |vpc: String| [ask(&vpc, "enableDnsSupport"), ask(&vpc, "enableDnsHostnames")];
    vpcs(known).into_iter().flat_map(both).collect()
}

fn nat_gateways(known: &Known) -> Vec<Planned> {
    let vpcs = vpcs(known);
    if vpcs.is_empty() {
        return Vec::new();
    }
    // AWS: this operation alone calls the member `Filter`,
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html
    vec![ec2("DescribeNatGateways", json!({"Filter": [{"Name": "vpc-id", "Values": vpcs}]}))]
}

fn private_zones(known: &Known) -> Vec<Planned> {
    let ask = |vpc| {
        let request = json!({"VPCId": vpc, "VPCRegion": known.region});
        Planned::new("route53", "ListHostedZonesByVPC", request).in_region(known.partition().global_region())
    };
    vpcs(known).into_iter().map(ask).collect()
}

const HELD: (&str, &str, &str) =
    ("route53profiles", "ListProfileResourceAssociations", "ProfileResourceAssociations");

fn dns_profile_resources(known: &Known) -> Vec<Planned> {
    let profiles =
        known.of_items(("route53profiles", "ListProfileAssociations", "ProfileAssociations"), "/ProfileId");
    let ask =
        |id| Planned::new("route53profiles", "ListProfileResourceAssociations", json!({"ProfileId": id}));
    profiles.into_iter().map(ask).collect()
}

/// What the profiles hold of one kind, by id.
fn held(known: &Known, kind: &str) -> Vec<String> {
    let arns = known.of_items(HELD, "/ResourceArn");
    arns.iter().filter_map(|arn| Some(arn.split_once(kind)?.1.to_owned())).collect()
}

/// Records of the zones that can hold a name of AWS. Zones that a service keeps for itself show none.
fn zone_records(known: &Known) -> Vec<Planned> {
    let listed = known.items("route53", "ListHostedZonesByVPC", "HostedZoneSummaries").filter(|zone| {
        let name = text(zone, "/Name").unwrap_or_default().trim_end_matches('.');
        let of_aws = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws"];
        let holds = |own: &str| name.ends_with(own) || own.ends_with(&format!(".{name}"));
        text(zone, "/Owner/OwningService").is_none() && of_aws.iter().any(|own| holds(own))
    });
    let mut zones: BTreeSet<String> =
        listed.filter_map(|zone| text(zone, "/HostedZoneId")).map(str::to_owned).collect();
    zones.extend(held(known, ":hostedzone/"));
    let ask = |zone| {
        Planned::new("route53", "ListResourceRecordSets", json!({"HostedZoneId": zone}))
            .in_region(known.partition().global_region())
            .at_most(5, 1500)
    };
    zones.into_iter().map(ask).collect()
}

fn profile_endpoints(known: &Known) -> Vec<Planned> {
    let have = known.of_items(("ec2", "DescribeVpcEndpoints", "VpcEndpoints"), "/VpcEndpointId");
    let mut wanted = held(known, ":vpc-endpoint/");
    wanted.retain(|id| !have.contains(id));
    // By filter: an endpoint of another account is then absent instead of failing the call.
    by_filter("DescribeVpcEndpoints", "vpc-endpoint-id", &wanted)
}

/// All rules at once: which a VPC uses and for which names they are stand in different answers.
fn resolver_rules(known: &Known) -> Vec<Planned> {
    let in_use = ("route53resolver", "ListResolverRuleAssociations", "ResolverRuleAssociations");
    let named = known.items(in_use.0, in_use.1, in_use.2).next().is_some();
    let used = named || !held(known, ":resolver-rule/").is_empty();
    if used { vec![Planned::new("route53resolver", "ListResolverRules", json!({}))] } else { Vec::new() }
}

fn dhcp_options(known: &Known) -> Vec<Planned> {
    let mut ids = known.of_items(("ec2", "DescribeVpcs", "Vpcs"), "/DhcpOptionsId");
    // `default` means: no options at all.
    ids.retain(|id| id != "default");
    by_ids("DescribeDhcpOptions", "DhcpOptionsIds", &ids)
}

fn referenced_groups(known: &Known) -> Vec<Planned> {
    let have = known.of_items(("ec2", "DescribeSecurityGroups", "SecurityGroups"), "/GroupId");
    let mut wanted = BTreeSet::new();
    for pointer in
        ["/IpPermissions/*/UserIdGroupPairs/*/GroupId", "/IpPermissionsEgress/*/UserIdGroupPairs/*/GroupId"]
    {
        wanted.extend(known.of_items(("ec2", "DescribeSecurityGroups", "SecurityGroups"), pointer));
    }
    wanted.extend(known.of_items(("ec2", "DescribeVpcEndpoints", "VpcEndpoints"), "/Groups/*/GroupId"));
    wanted.extend(
        known.of_items(("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces"), "/Groups/*/GroupId"),
    );
    wanted.retain(|id| !have.contains(id));
    // By filter: a group of a peered VPC is then absent instead of failing the call.
    by_filter("DescribeSecurityGroups", "group-id", &wanted.into_iter().collect::<Vec<_>>())
}

fn endpoint_interfaces(known: &Known) -> Vec<Planned> {
    let have =
        known.of_items(("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces"), "/NetworkInterfaceId");
    let mut wanted = known.of_items(("ec2", "DescribeVpcEndpoints", "VpcEndpoints"), "/NetworkInterfaceIds");
    wanted.retain(|id| !have.contains(id));
    by_filter("DescribeNetworkInterfaces", "network-interface-id", &wanted)
}

fn prefix_list_entries(known: &Known) -> Vec<Planned> {
    let mut wanted = BTreeSet::new();
    for pointer in [
        "/IpPermissions/*/PrefixListIds/*/PrefixListId",
        "/IpPermissionsEgress/*/PrefixListIds/*/PrefixListId",
    ] {
        wanted.extend(known.of_items(("ec2", "DescribeSecurityGroups", "SecurityGroups"), pointer));
    }
    wanted.extend(
        known.of_items(("ec2", "DescribeRouteTables", "RouteTables"), "/Routes/*/DestinationPrefixListId"),
    );
    wanted.into_iter().map(|id| ec2("GetManagedPrefixListEntries", json!({"PrefixListId": id}))).collect()
}

fn peerings(known: &Known) -> Vec<Planned> {
    let ids =
        known.of_items(("ec2", "DescribeRouteTables", "RouteTables"), "/Routes/*/VpcPeeringConnectionId");
    by_ids("DescribeVpcPeeringConnections", "VpcPeeringConnectionIds", &ids)
}

fn transit_gateways(known: &Known) -> Vec<Planned> {
    let ids = known.of_items(("ec2", "DescribeRouteTables", "RouteTables"), "/Routes/*/TransitGatewayId");
    let mut asks = by_filter("DescribeTransitGatewayAttachments", "transit-gateway-id", &ids);
    if !ids.is_empty() {
        asks.extend(by_filter("DescribeTransitGatewayVpcAttachments", "vpc-id", &vpcs(known)));
    }
    asks
}

/// The routes that the VPC's own attachments are associated with.
fn transit_gateway_routes(known: &Known) -> Vec<Planned> {
    let vpcs = vpcs(known);
    let attachments = known.items("ec2", "DescribeTransitGatewayAttachments", "TransitGatewayAttachments");
    let ours =
        attachments.filter(|a| text(a, "/ResourceId").is_some_and(|id| vpcs.iter().any(|vpc| vpc == id)));
    let tables: BTreeSet<_> =
        ours.flat_map(|a| texts(a, "/Association/TransitGatewayRouteTableId")).collect();
    let filter = json!([{"Name": "state", "Values": ["active", "blackhole"]}]);
    let ask = |table| {
        ec2("SearchTransitGatewayRoutes", json!({"TransitGatewayRouteTableId": table, "Filters": filter}))
    };
    tables.into_iter().map(ask).collect()
}
