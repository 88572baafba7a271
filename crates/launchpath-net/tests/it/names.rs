//! Names that zones and profiles of other VPCs lead to endpoints there, and what a missing piece of evidence does to the answer.

use launchpath_model::EvidenceId;
use launchpath_model::evidence::Outcome;
use launchpath_model::query::{Read, ReadState};
use launchpath_model::world::Network;
use launchpath_net::dns::{DnsAnswer, Resolution, resolve};
use launchpath_net::{Answer, Destination, Flow, Verdict, reach};
use serde_json::{Value, json};

use crate::launch::{ask, healthy, read, source};
use crate::snapshot::add;

const IMAGES: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const HUB_NAME: &str = "vpce-hub-abc.dkr.ecr.us-east-1.vpce.amazonaws.com";

fn put(network: &mut Network, key: &str, row: &Value) {
    add(network, key, row, &EvidenceId::from("c1"));
}

/// The private VPC without an endpoint of the registry of its own; a peered hub VPC has one.
fn spoke() -> Network {
    let mut network = healthy();
    network.vpc_endpoints.remove(&"vpce-ecr.dkr".into());
    put(
        &mut network,
        "Vpcs",
        &json!({ "VpcId": "vpc-hub", "CidrBlock": "10.9.0.0/16", "DhcpOptionsId": "default" }),
    );
    put(
        &mut network,
        "Subnets",
        &json!({ "SubnetId": "subnet-hub", "VpcId": "vpc-hub", "CidrBlock": "10.9.1.0/24", "AvailabilityZone": "us-east-1a" }),
    );
    let peering = |to: &str| json!({ "DestinationCidrBlock": to, "VpcPeeringConnectionId": "pcx-1", "State": "active" });
    put(
        &mut network,
        "RouteTables",
        &json!({
            "RouteTableId": "rtb-hub", "VpcId": "vpc-hub", "Associations": [{ "SubnetId": "subnet-hub" }],
            "Routes": [{ "DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "local", "State": "active" }, peering("10.0.0.0/16")]
        }),
    );
    for n in [1, 2] {
        let table = network.route_tables.seen_mut(&format!("rtb-{n}").as_str().into()).unwrap();
        table.value.routes.as_mut().unwrap().push(serde_json::from_value(peering("10.9.0.0/16")).unwrap());
    }
    put(
        &mut network,
        "VpcPeeringConnections",
        &json!({
            "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": "active" },
            "AccepterVpcInfo": { "VpcId": "vpc-hub" }, "RequesterVpcInfo": { "VpcId": "vpc-1" }
        }),
    );
    put(
        &mut network,
        "NetworkAcls",
        &json!({
            "NetworkAclId": "acl-hub", "Associations": [{ "SubnetId": "subnet-hub" }],
            "Entries": [
                { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }
            ]
        }),
    );
    put(
        &mut network,
        "SecurityGroups",
        &json!({
            "GroupId": "sg-hub", "VpcId": "vpc-hub", "IpPermissionsEgress": [], "IpPermissions": [
                { "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] }
            ]
        }),
    );
    let open = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] });
    let own = network.security_groups.seen_mut(&"sg-runtime".into()).unwrap();
    own.value.ip_permissions_egress.as_mut().unwrap().push(serde_json::from_value(open).unwrap());
    put(
        &mut network,
        "NetworkInterfaces",
        &json!({
            "NetworkInterfaceId": "eni-hub", "VpcId": "vpc-hub", "SubnetId": "subnet-hub", "PrivateIpAddress": "10.9.1.10",
            "Groups": [{ "GroupId": "sg-hub" }], "Status": "in-use", "InterfaceType": "vpc_endpoint"
        }),
    );
    put(
        &mut network,
        "VpcEndpoints",
        &json!({
            "VpcEndpointId": "vpce-hub", "VpcEndpointType": "Interface", "VpcId": "vpc-hub",
            "ServiceName": "com.amazonaws.us-east-1.ecr.dkr", "State": "available", "SubnetIds": ["subnet-hub"],
            "Groups": [{ "GroupId": "sg-hub" }], "PrivateDnsEnabled": true, "NetworkInterfaceIds": ["eni-hub"],
            "DnsEntries": [{ "DnsName": HUB_NAME, "HostedZoneId": "Z9" }]
        }),
    );
    network
}

/// With profile `id` of the VPC that holds `arns`.
fn with_profile(mut network: Network, id: &str, priority: i64, arns: &[&str]) -> Network {
    let association =
        json!({ "ProfileId": id, "ResourceId": "vpc-1", "Status": "COMPLETE", "Priority": priority });
    let association = serde_json::from_value(association).unwrap();
    network.dns_profiles.insert(("vpc-1".into(), id.into()), association, EvidenceId::from("c7"));
    let held: Vec<Value> =
        arns.iter().map(|arn| json!({ "ResourceArn": arn, "Status": "COMPLETE" })).collect();
    let held = serde_json::from_value(Value::Array(held)).unwrap();
    network.dns_profile_resources.insert(id.into(), held, EvidenceId::from("c8"));
    network
}

/// With a private zone of the VPC and, when given, its records.
fn with_zone(mut network: Network, id: &str, zone: Value, records: Option<Value>) -> Network {
    let zone = serde_json::from_value(zone).unwrap();
    network.hosted_zones.insert(("vpc-1".into(), id.into()), zone, EvidenceId::from("c5"));
    with_records(network, id, records)
}

fn with_records(mut network: Network, id: &str, records: Option<Value>) -> Network {
    if let Some(records) = records {
        network.record_sets.insert(
            id.into(),
            serde_json::from_value(records).unwrap(),
            EvidenceId::from("c6"),
        );
    }
    network
}

fn zone(id: &str, name: &str) -> Value {
    json!({ "HostedZoneId": id, "Name": name, "Owner": { "OwningAccount": "111122223333" } })
}

fn alias_to_hub(name: &str) -> Value {
    json!({ "Name": name, "Type": "A", "AliasTarget": { "DNSName": format!("{HUB_NAME}."), "HostedZoneId": "Z9", "EvaluateTargetHealth": false } })
}

fn images(network: &Network) -> Answer {
    reach(network, &source("subnet-1"), &Destination::Name(IMAGES.to_owned()), &Flow::tcp(443))
}

fn names(network: &Network, name: &str) -> Resolution {
    resolve(network, &"vpc-1".into(), name)
}

fn only(network: &Network, name: &str) -> DnsAnswer {
    let resolution = names(network, name);
    assert_eq!(resolution.possibilities.len(), 1, "{resolution:#?}");
    resolution.possibilities[0].answer.clone()
}

const HUB_ARN: &str = "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-hub";

#[test]
fn an_endpoint_that_a_profile_shares_is_reached_through_the_peering() {
    assert_eq!(images(&spoke()).verdict, Verdict::None);
    let shared = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    let answer = images(&shared);
    assert_eq!(answer.verdict, Verdict::All, "{:#?}", (&answer.blocked_by, &answer.unknown));
    let text = format!("{:?}", answer.parts);
    assert!(text.contains("profile rp-1 shares vpce-hub"), "{text}");
    // The evidence of both calls is cited.
    assert!(
        answer.evidence.contains(&EvidenceId::from("c7"))
            && answer.evidence.contains(&EvidenceId::from("c8"))
    );
    // Other names of the VPC stay what they were.
    assert_eq!(only(&shared, "pypi.org"), DnsAnswer::Public { service: None });
    assert_eq!(only(&shared, "api.ecr.us-east-1.amazonaws.com"), DnsAnswer::Endpoint("vpce-ecr.api".into()));
}

#[test]
fn a_guarded_shared_endpoint_is_named_as_the_blocker() {
    let mut shared = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    shared.security_groups.seen_mut(&"sg-hub".into()).unwrap().value.ip_permissions = Some(Vec::new());
    let answer = images(&shared);
    assert_eq!(answer.verdict, Verdict::None);
    assert!(answer.blocked_by.iter().any(|blocker| &*blocker.id == "sg-hub"), "{:#?}", answer.blocked_by);
}

#[test]
fn whatever_is_missing_of_a_profile_leaves_it_unknown() {
    // The profiles of the VPC may not be listed.
    let mut denied = spoke();
    denied.dns_profiles = launchpath_model::Table::default();
    let mut call = read("ListProfileAssociations");
    call.call_mut().outcome = Outcome::Denied;
    denied.dns_profiles.record(Read { state: ReadState::Denied, ..call });
    let answer = images(&denied);
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown.iter().any(|gap| gap.what.contains("Route 53 Profile")), "{:#?}", answer.unknown);
    // What it holds was not asked.
    let mut unread = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    unread.dns_profile_resources = launchpath_model::Table::default();
    assert_eq!(images(&unread).verdict, Verdict::Unknown);
    // It holds an endpoint that nobody described.
    let far =
        with_profile(spoke(), "rp-1", 100, &["arn:aws:ec2:us-east-1:444455556666:vpc-endpoint/vpce-far"]);
    let answer = images(&far);
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown.iter().any(|gap| gap.what.contains("vpce-far")));
    // The endpoint's private DNS is off: whether the profile answers with it is not documented.
    let mut off = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    off.vpc_endpoints.seen_mut(&"vpce-hub".into()).unwrap().value.private_dns_enabled = Some(false);
    assert_eq!(images(&off).verdict, Verdict::Unknown);
    // The association is being made.
    let mut making = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    making.dns_profiles.seen_mut(&("vpc-1".into(), "rp-1".into())).unwrap().value.status =
        Some("CREATING".into());
    assert_eq!(images(&making).verdict, Verdict::Unknown);
    // It has failed.
    let mut failed = with_profile(spoke(), "rp-1", 100, &[HUB_ARN]);
    failed.dns_profiles.seen_mut(&("vpc-1".into(), "rp-1".into())).unwrap().value.status =
        Some("FAILED".into());
    assert_eq!(images(&failed).verdict, Verdict::None);
}

#[test]
fn a_zone_of_a_profile_answers_when_its_name_is_known() {
    let arn = "arn:aws:route53:::hostedzone/Z1";
    let shared = with_profile(spoke(), "rp-1", 100, &[arn]);
    assert_eq!(images(&shared).verdict, Verdict::Unknown);
    // The record at the top of every zone tells its name.
    let records = json!([
        { "Name": "dkr.ecr.us-east-1.amazonaws.com.", "Type": "SOA", "ResourceRecords": [{ "Value": "ns-1" }] },
        alias_to_hub("\\052.dkr.ecr.us-east-1.amazonaws.com.")
    ]);
    let shared = with_records(shared, "Z1", Some(records));
    assert_eq!(only(&shared, IMAGES), DnsAnswer::Endpoint("vpce-hub".into()));
    assert_eq!(images(&shared).verdict, Verdict::All);
}

#[test]
fn the_vpcs_own_setting_wins_over_an_equal_name_of_a_profile_and_loses_to_a_longer_one() {
    let arn = "arn:aws:route53:::hostedzone/Z1";
    let soa = |name: &str| json!({ "Name": name, "Type": "SOA", "ResourceRecords": [{ "Value": "ns-1" }] });
    let own = with_zone(
        spoke(),
        "Z2",
        zone("Z2", "dkr.ecr.us-east-1.amazonaws.com."),
        Some(json!([
            { "Name": format!("{IMAGES}."), "Type": "A", "ResourceRecords": [{ "Value": "10.0.1.77" }] }
        ])),
    );
    let equal = json!([soa("dkr.ecr.us-east-1.amazonaws.com."), alias_to_hub(&format!("{IMAGES}."))]);
    let shared = with_records(with_profile(own.clone(), "rp-1", 100, &[arn]), "Z1", Some(equal));
    assert_eq!(only(&shared, IMAGES), DnsAnswer::Addresses(vec!["10.0.1.77".parse().unwrap()]));
    let longer = json!([soa(&format!("{IMAGES}.")), alias_to_hub(&format!("{IMAGES}."))]);
    let shared = with_records(with_profile(own, "rp-1", 100, &[arn]), "Z1", Some(longer));
    assert_eq!(only(&shared, IMAGES), DnsAnswer::Endpoint("vpce-hub".into()));
}

#[test]
fn of_two_profiles_the_one_asked_first_wins_when_it_is_as_specific() {
    let soa = |name: &str| json!({ "Name": name, "Type": "SOA", "ResourceRecords": [{ "Value": "ns-1" }] });
    let to = |address: &str| json!({ "Name": format!("{IMAGES}."), "Type": "A", "ResourceRecords": [{ "Value": address }] });
    let world = |first: i64, second: i64, other: &str| {
        let network = with_profile(spoke(), "rp-1", first, &["arn:aws:route53:::hostedzone/Z1"]);
        let network = with_profile(network, "rp-2", second, &["arn:aws:route53:::hostedzone/Z2"]);
        let network = with_records(
            network,
            "Z1",
            Some(json!([soa("dkr.ecr.us-east-1.amazonaws.com."), to("10.9.1.1")])),
        );
        with_records(network, "Z2", Some(json!([soa(other), to("10.9.1.2")])))
    };
    let equal = "dkr.ecr.us-east-1.amazonaws.com.";
    assert_eq!(
        only(&world(100, 200, equal), IMAGES),
        DnsAnswer::Addresses(vec!["10.9.1.1".parse().unwrap()])
    );
    assert_eq!(
        only(&world(300, 200, equal), IMAGES),
        DnsAnswer::Addresses(vec!["10.9.1.2".parse().unwrap()])
    );
    // The longer name stands in the profile asked later: which one answers is not documented.
    let resolution = names(&world(100, 200, &format!("{IMAGES}.")), IMAGES);
    assert_eq!(resolution.possibilities.len(), 2);
    assert!(resolution.possibilities.iter().all(|one| !one.depends_on.is_empty()));
}

#[test]
fn an_associated_zone_leads_to_the_hub() {
    let name = "dkr.ecr.us-east-1.amazonaws.com.";
    let unread = with_zone(spoke(), "Z1", zone("Z1", name), None);
    let answer = images(&unread);
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown[0].command.as_deref().unwrap().contains("list-resource-record-sets"));
    let seen = with_zone(
        spoke(),
        "Z1",
        zone("Z1", name),
        Some(json!([alias_to_hub("*.dkr.ecr.us-east-1.amazonaws.com.")])),
    );
    assert_eq!(images(&seen).verdict, Verdict::All);
    // An alias of an alias, and a CNAME to the endpoint's own name.
    let chain = json!([
        { "Name": format!("{IMAGES}."), "Type": "CNAME", "ResourceRecords": [{ "Value": "hub.dkr.ecr.us-east-1.amazonaws.com." }] },
        alias_to_hub("hub.dkr.ecr.us-east-1.amazonaws.com.")
    ]);
    let seen = with_zone(spoke(), "Z1", zone("Z1", name), Some(chain));
    assert_eq!(only(&seen, IMAGES), DnsAnswer::Endpoint("vpce-hub".into()));
    // A name that stands for itself ends.
    let ring =
        json!([{ "Name": format!("{IMAGES}."), "Type": "CNAME", "ResourceRecords": [{ "Value": IMAGES }] }]);
    let seen = with_zone(spoke(), "Z1", zone("Z1", name), Some(ring));
    assert!(matches!(only(&seen, IMAGES), DnsAnswer::Elsewhere(_)));
    // A name that is there with another record hides the wildcard.
    let hidden = json!([
        { "Name": format!("{IMAGES}."), "Type": "TXT", "ResourceRecords": [{ "Value": "\"x\"" }] },
        alias_to_hub("*.dkr.ecr.us-east-1.amazonaws.com.")
    ]);
    let seen = with_zone(spoke(), "Z1", zone("Z1", name), Some(hidden));
    assert_eq!(only(&seen, IMAGES), DnsAnswer::Nothing);
    // Weights choose among records of one name.
    let weighted = json!([
        { "Name": format!("{IMAGES}."), "Type": "A", "SetIdentifier": "a", "Weight": 1, "ResourceRecords": [{ "Value": "10.9.1.10" }] },
        { "Name": format!("{IMAGES}."), "Type": "A", "SetIdentifier": "b", "Weight": 1, "ResourceRecords": [{ "Value": "10.9.1.11" }] }
    ]);
    let seen = with_zone(spoke(), "Z1", zone("Z1", name), Some(weighted));
    assert_eq!(names(&seen, IMAGES).possibilities.len(), 2);
    assert_eq!(images(&seen).verdict, Verdict::Unknown);
}

#[test]
fn the_zone_behind_private_dns_of_an_own_endpoint_is_no_riddle() {
    // AWS lists the zones that its services keep, those of private DNS too.
    let kept = json!({ "HostedZoneId": "Z3", "Name": "api.ecr.us-east-1.amazonaws.com.", "Owner": { "OwningService": "vpce.amazonaws.com" } });
    let network = with_zone(healthy(), "Z3", kept, None);
    assert_eq!(only(&network, "api.ecr.us-east-1.amazonaws.com"), DnsAnswer::Endpoint("vpce-ecr.api".into()));
    // Without the endpoint the zone's records are nobody's to read.
    let mut unseen = network.clone();
    unseen.vpc_endpoints.remove(&"vpce-ecr.api".into());
    assert_eq!(ask(&unseen, "subnet-1", "ecr.api").verdict, Verdict::Unknown);
}

#[test]
fn the_most_specific_of_zone_and_endpoint_answers() {
    let records = |name: &str| {
        Some(
            json!([{ "Name": format!("{name}."), "Type": "A", "ResourceRecords": [{ "Value": "10.0.1.77" }] }]),
        )
    };
    // A short zone does not shadow private DNS.
    let short = with_zone(healthy(), "Z4", zone("Z4", "amazonaws.com."), records("x.amazonaws.com"));
    assert_eq!(only(&short, "api.ecr.us-east-1.amazonaws.com"), DnsAnswer::Endpoint("vpce-ecr.api".into()));
    // A zone of the registry's whole name does.
    let long = with_zone(healthy(), "Z5", zone("Z5", &format!("{IMAGES}.")), records(IMAGES));
    assert_eq!(only(&long, IMAGES), DnsAnswer::Addresses(vec!["10.0.1.77".parse().unwrap()]));
}

/// With rule `id` for `domain`, in use by the VPC.
fn with_rule(mut network: Network, id: &str, domain: &str, kind: &str) -> Network {
    let rule = json!({ "Id": id, "DomainName": domain, "RuleType": kind, "TargetIps": [{ "Ip": "10.9.9.9", "Port": 53 }], "Status": "COMPLETE" });
    network.resolver_rules.insert(id.into(), serde_json::from_value(rule).unwrap(), EvidenceId::from("r1"));
    let association = json!({ "ResolverRuleId": id, "VPCId": "vpc-1", "Status": "COMPLETE" });
    let association = serde_json::from_value(association).unwrap();
    network.resolver_rule_associations.insert(
        ("vpc-1".into(), id.into()),
        association,
        EvidenceId::from("r2"),
    );
    network
}

#[test]
fn a_resolver_rule_sends_names_to_where_nobody_sees_the_answer() {
    // Every name, and no private zone is as specific as the endpoint's.
    let all = with_rule(spoke(), "rslvr-rr-1", ".", "FORWARD");
    assert!(matches!(only(&all, IMAGES), DnsAnswer::Elsewhere(_)));
    let answer = images(&all);
    assert_eq!(answer.verdict, Verdict::Unknown);
    assert!(answer.unknown[0].what.contains("10.9.9.9"), "{:?}", answer.unknown);
    assert!(answer.unknown[0].evidence.contains(&EvidenceId::from("r1")));
    assert_eq!(only(&all, "api.ecr.us-east-1.amazonaws.com"), DnsAnswer::Endpoint("vpce-ecr.api".into()));
    // For the very name of the endpoint's zone the rule wins.
    let equal = with_rule(healthy(), "rslvr-rr-1", "api.ecr.us-east-1.amazonaws.com.", "FORWARD");
    assert!(matches!(only(&equal, "api.ecr.us-east-1.amazonaws.com"), DnsAnswer::Elsewhere(_)));
    // Another name is no concern; a narrower rule takes a name out of a wider one.
    let other = with_rule(spoke(), "rslvr-rr-1", "corp.example.", "FORWARD");
    assert_eq!(only(&other, IMAGES), DnsAnswer::Public { service: Some("ecr.dkr".into()) });
    let taken_out = with_rule(all.clone(), "rslvr-rr-2", "amazonaws.com", "SYSTEM");
    assert_eq!(only(&taken_out, IMAGES), DnsAnswer::Public { service: Some("ecr.dkr".into()) });
    // AWS's own rule for everything else sends nothing elsewhere.
    let recursive = with_rule(spoke(), "rslvr-autodefined-rr-internet-resolver", ".", "RECURSIVE");
    assert_eq!(only(&recursive, IMAGES), DnsAnswer::Public { service: Some("ecr.dkr".into()) });
    // A rule that nobody described may be for the name.
    let mut unseen = all.clone();
    unseen.resolver_rules = launchpath_model::Table::default();
    let resolution = names(&unseen, IMAGES);
    assert!(resolution.possibilities.iter().any(|one| matches!(one.answer, DnsAnswer::Elsewhere(_))));
    assert!(resolution.possibilities.iter().all(|one| !one.depends_on.is_empty()));
    // Rules that were not listed are taken for granted, and that is said.
    let gap = |network: &Network| {
        names(network, IMAGES).assumed.iter().any(|gap| gap.what.contains("resolver rule"))
    };
    assert!(gap(&spoke()));
    let mut listed = spoke();
    listed.resolver_rule_associations.record(read("ListResolverRuleAssociations"));
    assert!(!gap(&listed));
}

#[test]
fn a_profile_shares_resolver_rules_too() {
    let arn = "arn:aws:route53resolver:us-east-1:111122223333:resolver-rule/rslvr-rr-1";
    let mut network =
        with_rule(with_profile(spoke(), "rp-1", 100, &[arn]), "rslvr-rr-1", "amazonaws.com", "FORWARD");
    network.resolver_rule_associations = launchpath_model::Table::default();
    assert!(matches!(only(&network, IMAGES), DnsAnswer::Elsewhere(_)));
    // Between equals the VPC's own rule counts.
    let own = with_rule(network, "rslvr-rr-2", "amazonaws.com", "SYSTEM");
    assert_eq!(only(&own, IMAGES), DnsAnswer::Public { service: Some("ecr.dkr".into()) });
}

/// AWS: "the local DNS settings take precedence", "the most specific one wins"
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles.html#profiles-priority>).
#[test]
fn between_a_rule_and_a_zone_the_vpc_and_its_profile_are_weighed_by_name_and_place() {
    const ZONE: &str = "dkr.ecr.us-east-1.amazonaws.com.";
    let rule_arn = "arn:aws:route53resolver:us-east-1:111122223333:resolver-rule/rslvr-rr-1";
    let zone_arn = "arn:aws:route53:::hostedzone/Z1";
    let zone_records = |name: &str| {
        json!([
            { "Name": name, "Type": "SOA", "ResourceRecords": [{ "Value": "ns-1" }] },
            { "Name": format!("{IMAGES}."), "Type": "A", "ResourceRecords": [{ "Value": "10.0.1.77" }] }
        ])
    };
    let address = DnsAnswer::Addresses(vec!["10.0.1.77".parse().unwrap()]);
    let is_elsewhere = |network: &Network| matches!(only(network, IMAGES), DnsAnswer::Elsewhere(_));

    // The profile has the zone, the VPC a rule: of equal names the VPC's counts, else the longer one.
    let shared_zone = |name: &str| {
        with_records(with_profile(spoke(), "rp-1", 100, &[zone_arn]), "Z1", Some(zone_records(name)))
    };
    assert!(is_elsewhere(&with_rule(shared_zone(ZONE), "rslvr-rr-1", ZONE, "FORWARD")));
    assert_eq!(
        only(&with_rule(shared_zone(ZONE), "rslvr-rr-1", "amazonaws.com", "FORWARD"), IMAGES),
        address
    );
    assert!(is_elsewhere(&with_rule(shared_zone("amazonaws.com."), "rslvr-rr-1", ZONE, "FORWARD")));
    // A rule that takes the name out of a wider one leaves it to the zone of the profile.
    let taken_out = with_rule(shared_zone("amazonaws.com."), "rslvr-rr-1", ".", "FORWARD");
    assert_eq!(only(&with_rule(taken_out, "rslvr-rr-2", ZONE, "SYSTEM"), IMAGES), address);

    // The profile has the rule, the VPC the zone.
    let shared_rule = |domain: &str| {
        let own = with_zone(spoke(), "Z1", zone("Z1", ZONE), Some(zone_records(ZONE)));
        let network = with_rule(with_profile(own, "rp-1", 100, &[rule_arn]), "rslvr-rr-1", domain, "FORWARD");
        Network { resolver_rule_associations: launchpath_model::Table::default(), ..network }
    };
    assert_eq!(only(&shared_rule("amazonaws.com"), IMAGES), address);
    assert!(is_elsewhere(&shared_rule(&format!("{IMAGES}."))));
    // Of one name: whether "the VPC's own" or "a rule before a zone" counts is not documented.
    let resolution = names(&shared_rule(ZONE), IMAGES);
    assert_eq!(resolution.possibilities.len(), 2, "{:#?}", resolution.possibilities);
    assert!(resolution.possibilities.iter().all(|one| !one.depends_on.is_empty()));
    assert!(resolution.possibilities.iter().any(|one| one.answer == address));

    // One profile with both: the rule.
    let both = with_records(
        with_profile(spoke(), "rp-1", 100, &[zone_arn, rule_arn]),
        "Z1",
        Some(zone_records(ZONE)),
    );
    let mut both = with_rule(both, "rslvr-rr-1", ZONE, "FORWARD");
    both.resolver_rule_associations = launchpath_model::Table::default();
    assert!(is_elsewhere(&both));
    // Rules need no VPC attribute, private zones do.
    both.dns_hostnames.insert("vpc-1".into(), false, EvidenceId::from("c9"));
    assert!(is_elsewhere(&both));
}

#[test]
fn awss_own_rule_for_every_name_hides_no_rule_of_a_profile() {
    let arn = "arn:aws:route53resolver:us-east-1:111122223333:resolver-rule/rslvr-rr-1";
    let mut network = with_rule(with_profile(spoke(), "rp-1", 100, &[arn]), "rslvr-rr-1", ".", "FORWARD");
    network.resolver_rule_associations = launchpath_model::Table::default();
    let recursive = with_rule(network, "rslvr-autodefined-rr-internet-resolver", ".", "RECURSIVE");
    assert!(matches!(only(&recursive, IMAGES), DnsAnswer::Elsewhere(_)));
}

/// What a snapshot does not hold does not exist: no private zone leads elsewhere, and the answer says that it took that for granted.
#[test]
fn a_snapshot_has_no_hidden_zone() {
    let mut network = spoke();
    network.hosted_zones = launchpath_model::Table::default();
    let destination = Destination::Name(IMAGES.to_owned());
    let flow = Flow::tcp(443);
    assert_eq!(reach(&network, &source("subnet-1"), &destination, &flow).verdict, Verdict::Unknown);
    let whole = launchpath_net::Engine::of_snapshot(&network).reach(&source("subnet-1"), &destination, &flow);
    assert_eq!(whole.verdict, Verdict::None);
    assert!(whole.assumed.iter().any(|gap| gap.what.contains("private hosted zone")), "{:?}", whole.assumed);
}
