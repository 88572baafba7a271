//! A runtime's ways to what a launch needs, in the shapes the field knows: each fault with its near miss.

use launchpath_model::evidence::{Evidence, Outcome as CallOutcome};
use launchpath_model::ids::{SubnetId, VpcId};
use launchpath_model::query::Read;
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Known};
use launchpath_net::dns::{DnsAnswer, resolve};
use launchpath_net::needs::{Artifact, NeedsContext, Platform, needs};
use launchpath_net::{
    Answer, BlockerKind, Destination, Edit, Engine, Flow, HopKind, Leg, NeedPaths, Source, Verdict, reach,
    runtime_paths,
};
use serde_json::{Value, json};

use crate::snapshot::add;

pub(crate) fn read(operation: &str) -> Read {
    let call = Evidence {
        id: EvidenceId::from(format!("q-{operation}").as_str()),
        service: "ec2".into(),
        operation: operation.into(),
        region: Some("us-east-1".into()),
        account: None,
        request: Some(json!({})),
        at: None,
        outcome: CallOutcome::Ok,
        error: None,
        complete: true,
        file: None,
    };
    Read::new(call, 1)
}

/// A private VPC that works: two subnets in two zones, endpoints for ECR and logs with private DNS, an S3 gateway
/// endpoint on both tables, one group on the runtime and one on the endpoints. Everything was asked without filters.
pub(crate) fn healthy() -> Network {
    let mut network = Network { region: Some("us-east-1".into()), ..Network::default() };
    let mut put = |key: &str, row: Value| add(&mut network, key, &row, &EvidenceId::from("c1"));
    put("Vpcs", json!({ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "DhcpOptionsId": "default" }));
    for (n, zone) in [(1, "a"), (2, "b")] {
        let subnet = format!("subnet-{n}");
        put(
            "Subnets",
            json!({ "SubnetId": subnet, "VpcId": "vpc-1", "CidrBlock": format!("10.0.{n}.0/24"), "AvailabilityZone": format!("us-east-1{zone}") }),
        );
        put(
            "RouteTables",
            json!({
                "RouteTableId": format!("rtb-{n}"), "VpcId": "vpc-1", "Associations": [{ "SubnetId": subnet }],
                "Routes": [
                    { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                    { "DestinationPrefixListId": "pl-s3", "GatewayId": "vpce-s3", "State": "active" }
                ]
            }),
        );
    }
    put(
        "NetworkAcls",
        json!({
            "NetworkAclId": "acl-1", "Associations": [{ "SubnetId": "subnet-1" }, { "SubnetId": "subnet-2" }],
            "Entries": [
                { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 32767, "Egress": true, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 32767, "Egress": false, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }
            ]
        }),
    );
    put(
        "SecurityGroups",
        json!({
            "GroupId": "sg-runtime", "VpcId": "vpc-1", "IpPermissions": [],
            "IpPermissionsEgress": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]
        }),
    );
    put(
        "SecurityGroups",
        json!({
            "GroupId": "sg-endpoints", "VpcId": "vpc-1", "IpPermissionsEgress": [],
            "IpPermissions": [{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": "sg-runtime" }] }]
        }),
    );
    for (number, service) in ["ecr.api", "ecr.dkr", "logs"].iter().enumerate() {
        let interfaces: Vec<String> = (1..=2).map(|n| format!("eni-{service}-{n}")).collect();
        for n in 1..=2 {
            put(
                "NetworkInterfaces",
                json!({
                    "NetworkInterfaceId": format!("eni-{service}-{n}"), "VpcId": "vpc-1", "SubnetId": format!("subnet-{n}"),
                    "PrivateIpAddress": format!("10.0.{n}.{}", 20 + number), "Groups": [{ "GroupId": "sg-endpoints" }],
                    "Status": "in-use", "InterfaceType": "vpc_endpoint"
                }),
            );
        }
        put(
            "VpcEndpoints",
            json!({
                "VpcEndpointId": format!("vpce-{service}"), "VpcEndpointType": "Interface", "VpcId": "vpc-1",
                "ServiceName": format!("com.amazonaws.us-east-1.{service}"), "State": "available",
                "SubnetIds": ["subnet-1", "subnet-2"], "Groups": [{ "GroupId": "sg-endpoints" }],
                "PrivateDnsEnabled": true, "NetworkInterfaceIds": interfaces
            }),
        );
    }
    put(
        "VpcEndpoints",
        json!({
            "VpcEndpointId": "vpce-s3", "VpcEndpointType": "Gateway", "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available", "RouteTableIds": ["rtb-1", "rtb-2"]
        }),
    );
    network.dns_support.insert("vpc-1".into(), true, EvidenceId::from("c2"));
    network.dns_hostnames.insert("vpc-1".into(), true, EvidenceId::from("c3"));
    network.vpcs.record(read("DescribeVpcs"));
    network.subnets.record(read("DescribeSubnets"));
    network.route_tables.record(read("DescribeRouteTables"));
    network.network_acls.record(read("DescribeNetworkAcls"));
    network.security_groups.record(read("DescribeSecurityGroups"));
    network.network_interfaces.record(read("DescribeNetworkInterfaces"));
    network.vpc_endpoints.record(read("DescribeVpcEndpoints"));
    network.nat_gateways.record(read("DescribeNatGateways"));
    network.hosted_zones.record(read("ListHostedZonesByVPC"));
    network.dns_profiles.record(read("ListProfileAssociations"));
    network
}

pub(crate) fn source(subnet: &str) -> Source {
    Source::runtime(subnet.into(), vec!["sg-runtime".into()])
}

pub(crate) fn ask(network: &Network, subnet: &str, service: &str) -> Answer {
    reach(network, &source(subnet), &Destination::service(service), &Flow::tcp(443))
}

fn context() -> NeedsContext {
    let no = || Known::seen(false, Vec::new());
    NeedsContext {
        region: Some("us-east-1".into()),
        registry_account: Some("123456789012".into()),
        in_vpc: true,
        platform: Platform::V1,
        artifact: Artifact::Container,
        managed_s3: no(),
        exports_traces: no(),
        mounts_nfs: no(),
        session_storage: no(),
    }
}

fn paths(network: &Network) -> Vec<NeedPaths> {
    let engine = Engine::new(network);
    let subnets: Vec<SubnetId> = vec!["subnet-1".into(), "subnet-2".into()];
    runtime_paths(&engine, &subnets, &["sg-runtime".into()], &needs(&context()))
}

fn kinds(answer: &Answer) -> Vec<BlockerKind> {
    answer.blocked_by.iter().map(|blocker| blocker.kind).collect()
}

/// Applies the answer's edits and asks again.
fn opened(network: &Network, answer: &Answer, subnet: &str, service: &str) -> Answer {
    let mut fixed = network.clone();
    let edits = answer.edits().expect("every blocker has an edit");
    assert!(!edits.is_empty());
    for edit in &edits {
        edit.apply(&mut fixed).unwrap();
    }
    ask(&fixed, subnet, service)
}

fn group_rules<'n>(
    network: &'n mut Network,
    group: &str,
    ingress: bool,
) -> &'n mut Vec<launchpath_model::aws::security_group::IpPermission> {
    let row = &mut network.security_groups.seen_mut(&group.into()).unwrap().value;
    let rules = if ingress { &mut row.ip_permissions } else { &mut row.ip_permissions_egress };
    rules.as_mut().unwrap()
}

fn add_nat(network: &mut Network) {
    let mut put = |key: &str, row: Value| add(network, key, &row, &EvidenceId::from("c9"));
    put(
        "Subnets",
        json!({ "SubnetId": "subnet-public", "VpcId": "vpc-1", "CidrBlock": "10.0.9.0/24", "AvailabilityZone": "us-east-1a" }),
    );
    put(
        "NetworkAcls",
        json!({
            "NetworkAclId": "acl-public", "Associations": [{ "SubnetId": "subnet-public" }],
            "Entries": [
                { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }
            ]
        }),
    );
    put(
        "RouteTables",
        json!({
            "RouteTableId": "rtb-public", "VpcId": "vpc-1", "Associations": [{ "SubnetId": "subnet-public" }],
            "Routes": [
                { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" },
                { "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active" }
            ]
        }),
    );
    put(
        "InternetGateways",
        json!({ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }),
    );
    put(
        "NatGateways",
        json!({
            "NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-public", "State": "available", "ConnectivityType": "public",
            "NatGatewayAddresses": [{ "PrivateIp": "10.0.9.5", "PublicIp": "3.3.3.3", "NetworkInterfaceId": "eni-nat" }]
        }),
    );
    for n in 1..=2 {
        add_route(
            network,
            n,
            &json!({ "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active" }),
        );
    }
}

fn add_route(network: &mut Network, table: usize, route: &Value) {
    let id = format!("rtb-{table}");
    let row = &mut network.route_tables.seen_mut(&id.as_str().into()).unwrap().value;
    row.routes.as_mut().unwrap().push(serde_json::from_value(route.clone()).unwrap());
}

#[test]
fn everything_needed_is_reached() {
    let network = healthy();
    let all = paths(&network);
    assert_eq!(all.len(), 4);
    for one in &all {
        assert_eq!(one.verdict(), Verdict::All, "{}: {:?}", one.need.id, one.by_subnet[0].1.unknown);
        assert!(!one.intermittent());
        assert!(one.by_subnet.iter().all(|(_, answer)| !answer.evidence.is_empty()));
    }
}

#[test]
fn one_group_on_both_needs_a_rule_for_itself() {
    let mut network = healthy();
    for service in ["ecr.api", "ecr.dkr"] {
        for n in 1..=2 {
            let id = format!("eni-{service}-{n}");
            let row = &mut network.network_interfaces.seen_mut(&id.as_str().into()).unwrap().value;
            row.groups.as_mut().unwrap()[0].group_id = "sg-runtime".into();
        }
    }
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::None);
    assert!(kinds(&answer).iter().all(|kind| *kind == BlockerKind::SecurityGroupIngress));
    assert!(matches!(
        answer.edits().unwrap().as_slice(),
        [Edit::AddGroupRule { group, ports: Some((443, 443)), .. }] if group.as_str() == "sg-runtime"
    ));
    assert_eq!(opened(&network, &answer, "subnet-1", "ecr.api").verdict, Verdict::All);
    // Near miss: the group admits itself.
    let rule = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": "sg-runtime" }] });
    group_rules(&mut network, "sg-runtime", true).push(serde_json::from_value(rule).unwrap());
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::All);
}

#[test]
fn egress_to_the_endpoints_alone_loses_the_layers() {
    let mut network = healthy();
    let to_group = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": "sg-endpoints" }] });
    *group_rules(&mut network, "sg-runtime", false) = vec![serde_json::from_value(to_group).unwrap()];
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::All);
    let layers = ask(&network, "subnet-1", "s3");
    assert_eq!(layers.verdict, Verdict::None);
    assert_eq!(kinds(&layers), [BlockerKind::SecurityGroupEgress]);
    assert_eq!(opened(&network, &layers, "subnet-1", "s3").verdict, Verdict::All);
    // Near miss: the list is admitted by its id; nobody listed its entries.
    let to_list = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{ "PrefixListId": "pl-s3" }] });
    group_rules(&mut network, "sg-runtime", false).push(serde_json::from_value(to_list).unwrap());
    assert_eq!(ask(&network, "subnet-1", "s3").verdict, Verdict::All);
}

#[test]
fn a_guarded_endpoint_beats_a_working_nat_gateway() {
    let mut network = healthy();
    add_nat(&mut network);
    group_rules(&mut network, "sg-endpoints", true).clear();
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::None);
    assert!(answer.parts.iter().all(|part| part.trace[0].kind == HopKind::Dns));
    // Near miss: without private DNS the name is public and the NAT gateway carries it.
    network.vpc_endpoints.seen_mut(&"vpce-ecr.api".into()).unwrap().value.private_dns_enabled = Some(false);
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::All, "{:?} {:?}", answer.blocked_by, answer.unknown);
    assert!(answer.parts.iter().any(|part| part.trace.iter().any(|hop| hop.kind == HopKind::NatGateway)));
}

#[test]
fn a_gateway_endpoint_on_one_of_two_tables_is_intermittent() {
    let mut network = healthy();
    let row = &mut network.route_tables.seen_mut(&"rtb-2".into()).unwrap().value;
    row.routes.as_mut().unwrap().truncate(1);
    let all = paths(&network);
    let layers = all.iter().find(|one| one.need.id == "image_layers").unwrap();
    assert_eq!(layers.verdict(), Verdict::Part);
    assert!(layers.intermittent());
    let (_, second) = &layers.by_subnet[1];
    assert_eq!(kinds(second), [BlockerKind::NoRoute]);
    assert!(matches!(
        second.edits().unwrap().as_slice(),
        [Edit::AssociateGatewayEndpoint { table, .. }] if table.as_str() == "rtb-2"
    ));
    assert_eq!(opened(&network, second, "subnet-2", "s3").verdict, Verdict::All);
}

fn only_allow_inbound(network: &mut Network, from: i64, to: i64) {
    let row = &mut network.network_acls.seen_mut(&"acl-1".into()).unwrap().value;
    let entries = row.entries.as_mut().unwrap();
    let inbound = entries.iter_mut().find(|entry| !entry.egress && entry.rule_number == 100).unwrap();
    inbound.protocol = "6".into();
    inbound.port_range = Some(launchpath_model::aws::security_group::PortRange { from, to });
}

#[test]
fn return_ports_dropped_by_an_acl() {
    let mut network = healthy();
    only_allow_inbound(&mut network, 443, 443);
    let layers = ask(&network, "subnet-1", "s3");
    assert_eq!(layers.verdict, Verdict::None);
    assert_eq!(kinds(&layers), [BlockerKind::NetworkAcl]);
    assert_eq!(layers.blocked_by[0].leg, Leg::Reply);
    assert_eq!(opened(&network, &layers, "subnet-1", "s3").verdict, Verdict::All);
    // Inside one subnet no ACL is asked: the endpoint there still answers, the one in the other subnet does not.
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::Part);
    // Near miss: the ephemeral ports are open.
    only_allow_inbound_restored(1024);
}

fn only_allow_inbound_restored(from: i64) {
    let mut network = healthy();
    only_allow_inbound(&mut network, from, 65535);
    assert_eq!(ask(&network, "subnet-1", "s3").verdict, Verdict::All);
    // Requests to port 443 of the endpoint in the other subnet are dropped there.
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::Part);
}

#[test]
fn part_of_the_ephemeral_ports_is_said_exactly() {
    let mut network = healthy();
    only_allow_inbound(&mut network, 32768, 65535);
    let layers = ask(&network, "subnet-1", "s3");
    assert_eq!(layers.verdict, Verdict::Part);
    let linux = Flow::tcp(443).from_ports(launchpath_net::EPHEMERAL_LINUX);
    let answer = reach(&network, &source("subnet-1"), &Destination::service("s3"), &linux);
    assert_eq!(answer.verdict, Verdict::All);
}

#[test]
fn an_endpoint_in_one_zone_serves_both() {
    let mut network = healthy();
    let row = &mut network.vpc_endpoints.seen_mut(&"vpce-ecr.api".into()).unwrap().value;
    row.subnet_ids = Some(vec!["subnet-1".into()]);
    row.network_interface_ids = Some(vec!["eni-ecr.api-1".into()]);
    assert_eq!(ask(&network, "subnet-2", "ecr.api").verdict, Verdict::All);
}

#[test]
fn a_public_subnet_gives_a_runtime_nothing() {
    let mut network = healthy();
    network.vpc_endpoints.remove(&"vpce-ecr.api".into());
    add_nat(&mut network);
    let row = &mut network.route_tables.seen_mut(&"rtb-1".into()).unwrap().value;
    let default = row.routes.as_mut().unwrap().last_mut().unwrap();
    default.nat_gateway_id = None;
    default.gateway_id = Some("igw-1".into());
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::None);
    assert_eq!(kinds(&answer), [BlockerKind::InternetGatewayNeedsPublicAddress]);
    // Near miss: the other subnet goes through NAT.
    assert_eq!(ask(&network, "subnet-2", "ecr.api").verdict, Verdict::All);
}

#[test]
fn an_isolated_subnet_without_the_endpoint() {
    let mut network = healthy();
    network.vpc_endpoints.remove(&"vpce-ecr.dkr".into());
    let answer = ask(&network, "subnet-1", "ecr.dkr");
    assert_eq!(answer.verdict, Verdict::None);
    assert_eq!(kinds(&answer), [BlockerKind::NoRoute]);
    assert_eq!(opened(&network, &answer, "subnet-1", "ecr.dkr").verdict, Verdict::All);
}

#[test]
fn every_element_in_the_way_is_named() {
    let mut network = healthy();
    group_rules(&mut network, "sg-runtime", false).clear();
    group_rules(&mut network, "sg-endpoints", true).clear();
    only_allow_inbound(&mut network, 22, 22);
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::None);
    let kinds = kinds(&answer);
    for kind in [BlockerKind::SecurityGroupEgress, BlockerKind::SecurityGroupIngress, BlockerKind::NetworkAcl]
    {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    assert_eq!(opened(&network, &answer, "subnet-1", "ecr.api").verdict, Verdict::All);
}

#[test]
fn what_was_not_asked_stays_unknown_until_it_cannot_matter() {
    let vpc = VpcId::from("vpc-1");
    let mut network = healthy();
    network.dns_hostnames.remove(&vpc);
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown[0].command.as_deref().unwrap().contains("describe-vpc-attribute"));
    // With a NAT gateway both ways are open: whatever the attribute is, the answer is the same.
    add_nat(&mut network);
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::All);
    // With the runtime's own egress closed both ways are shut.
    group_rules(&mut network, "sg-runtime", false).clear();
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::None);
}

#[test]
fn an_unseen_group_is_unknown_unless_something_else_decides() {
    let mut network = healthy();
    network.security_groups.remove(&"sg-endpoints".into());
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::Unknown);
    group_rules(&mut network, "sg-runtime", false).clear();
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::None);
}

#[test]
fn endpoint_interfaces_nobody_listed_stand_for_their_subnets() {
    let mut network = healthy();
    for n in 1..=2 {
        network.network_interfaces.remove(&format!("eni-ecr.api-{n}").as_str().into());
    }
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::All);
    // A rule for half of a subnet decides nothing about one unknown address in it.
    let half = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "10.0.1.0/25" }, { "CidrIp": "10.0.2.0/25" }] });
    *group_rules(&mut network, "sg-runtime", false) = vec![serde_json::from_value(half).unwrap()];
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown[0].what.contains("address"));
}

#[test]
fn names() {
    let vpc = VpcId::from("vpc-1");
    let mut network = healthy();
    let name = "api.ecr.us-east-1.amazonaws.com";
    let first = |network: &Network| {
        let resolution = resolve(network, &vpc, name);
        assert_eq!(resolution.possibilities.len(), 1, "{resolution:?}");
        resolution.possibilities[0].answer.clone()
    };
    assert_eq!(first(&network), DnsAnswer::Endpoint("vpce-ecr.api".into()));
    network.dns_hostnames.insert(vpc.clone(), false, EvidenceId::from("c3"));
    assert_eq!(first(&network), DnsAnswer::Public { service: Some("ecr.api".into()) });
    network.dns_support.insert(vpc.clone(), false, EvidenceId::from("c2"));
    assert_eq!(first(&network), DnsAnswer::Nothing);
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(kinds(&answer), [BlockerKind::DnsNoAnswer]);
    add(
        &mut network,
        "DhcpOptions",
        &json!({
            "DhcpOptionsId": "dopt-1",
            "DhcpConfigurations": [{ "Key": "domain-name-servers", "Values": [{ "Value": "10.9.9.9" }] }]
        }),
        &EvidenceId::from("c4"),
    );
    network.vpcs.seen_mut(&vpc).unwrap().value.dhcp_options_id = Some("dopt-1".into());
    assert!(matches!(first(&network), DnsAnswer::Elsewhere(_)));
    assert_eq!(ask(&network, "subnet-1", "ecr.api").verdict, Verdict::Unknown);
}

#[test]
fn a_hidden_private_zone_could_still_help() {
    let mut network = healthy();
    network.vpc_endpoints.remove(&"vpce-ecr.dkr".into());
    network.hosted_zones = launchpath_model::Table::default();
    let answer = ask(&network, "subnet-1", "ecr.dkr");
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown.iter().any(|gap| gap.what.contains("private hosted zone")));
    // What works without a zone is not doubted, only noted.
    let answer = ask(&network, "subnet-1", "ecr.api");
    assert_eq!(answer.verdict, Verdict::All);
    assert!(answer.assumed.iter().any(|gap| gap.what.contains("private hosted zone")));
}

/// Worlds with one fault each, and the healthy one, with and without NAT.
fn variants() -> Vec<Network> {
    let mut all = Vec::new();
    for with_nat in [false, true] {
        let base = || {
            let mut network = healthy();
            if with_nat {
                add_nat(&mut network);
                network.internet_gateways.record(read("DescribeInternetGateways"));
            }
            network
        };
        all.push(base());
        let mut guarded = base();
        group_rules(&mut guarded, "sg-endpoints", true).clear();
        all.push(guarded);
        let mut missing = base();
        missing.vpc_endpoints.remove(&"vpce-ecr.api".into());
        all.push(missing);
        let mut public_names = base();
        public_names.vpc_endpoints.seen_mut(&"vpce-ecr.api".into()).unwrap().value.private_dns_enabled =
            Some(false);
        all.push(public_names);
        let mut unlisted = base();
        unlisted.route_tables.seen_mut(&"rtb-1".into()).unwrap().value.routes.as_mut().unwrap().remove(1);
        all.push(unlisted);
        let mut returns = base();
        only_allow_inbound(&mut returns, 443, 443);
        all.push(returns);
        let mut no_names = base();
        no_names.dns_support.insert("vpc-1".into(), false, EvidenceId::from("c2"));
        all.push(no_names);
    }
    all
}

#[test]
fn forgetting_a_table_never_turns_an_answer_round() {
    type Forget = fn(&mut Network);
    macro_rules! forgets {
        ($($table:ident),+) => { [$((stringify!($table), (|n: &mut Network| n.$table = launchpath_model::Table::default()) as Forget)),+] };
    }
    let forgets = forgets!(
        vpcs,
        dns_support,
        dns_hostnames,
        subnets,
        route_tables,
        network_acls,
        security_groups,
        vpc_endpoints,
        nat_gateways,
        internet_gateways,
        network_interfaces,
        hosted_zones,
        dns_profiles
    );
    let (mut same, mut less) = (0, 0);
    for (number, network) in variants().iter().enumerate() {
        for service in ["ecr.api", "s3", "sts"] {
            let whole = ask(network, "subnet-1", service);
            assert_ne!(whole.verdict, Verdict::Unknown, "{number} {service}: {:?}", whole.unknown);
            for (table, forget) in forgets {
                let mut partial = network.clone();
                forget(&mut partial);
                let answer = ask(&partial, "subnet-1", service);
                if answer.verdict == Verdict::Unknown {
                    less += 1;
                    continue;
                }
                assert_eq!(
                    answer.verdict, whole.verdict,
                    "variant {number}, {service}, without {table}: {:?}",
                    answer.blocked_by
                );
                same += 1;
            }
        }
    }
    assert!(same > 100 && less > 100, "{same} {less}");
}
