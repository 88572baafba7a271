//! Rules and routes at their edges: the order of ACL entries, ICMP, group references, prefix lists, host routes, blackholes.

use launchpath_net::{Answer, BlockerKind, Destination, Engine, Flow, Start, Verdict};
use serde_json::{Value, json};

use crate::elements::{build, interface, open_group, transit};

/// Two subnets of one VPC, an interface in each; ACLs and groups are the test's.
struct World {
    rows: Vec<(&'static str, Value)>,
}

impl World {
    fn new() -> Self {
        let mut rows = vec![
            ("Vpcs", json!({ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16" })),
            ("SecurityGroups", open_group("sg-open")),
            interface("eni-1", "vpc-1", "subnet-1", "10.0.1.10", "sg-open"),
            interface("eni-2", "vpc-1", "subnet-2", "10.0.2.10", "sg-open"),
        ];
        for n in [1, 2] {
            rows.push(("Subnets", json!({ "SubnetId": format!("subnet-{n}"), "VpcId": "vpc-1", "CidrBlock": format!("10.0.{n}.0/24") })));
            rows.push(("RouteTables", json!({
                "RouteTableId": format!("rtb-{n}"), "VpcId": "vpc-1", "Associations": [{ "SubnetId": format!("subnet-{n}") }],
                "Routes": [{ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable" }]
            })));
            rows.push(("NetworkAcls", json!({
                "NetworkAclId": format!("acl-{n}"), "Associations": [{ "SubnetId": format!("subnet-{n}") }], "Entries": [
                    { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                    { "RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                    { "RuleNumber": 32767, "Egress": true, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" },
                    { "RuleNumber": 32767, "Egress": false, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }
                ]
            })));
        }
        Self { rows }
    }

    fn row(&mut self, key: &str, id: &str) -> &mut Value {
        let wanted =
            |(of, row): &&mut (&str, Value)| *of == key && row.to_string().contains(&format!("\"{id}\""));
        &mut self.rows.iter_mut().find(wanted).unwrap().1
    }

    /// The entries of an ACL, its own `*` rule aside.
    fn acl(mut self, id: &str, entries: &Value) -> Self {
        self.row("NetworkAcls", id)["Entries"] = entries.clone();
        self
    }

    fn group(mut self, id: &str, ingress: &Value, egress: &Value) -> Self {
        let group = json!({ "GroupId": id, "VpcId": "vpc-1", "IpPermissions": ingress, "IpPermissionsEgress": egress });
        self.rows.push(("SecurityGroups", group));
        self
    }

    fn groups_of(mut self, interface: &str, groups: &[&str]) -> Self {
        let groups: Vec<Value> = groups.iter().map(|id| json!({ "GroupId": id })).collect();
        self.row("NetworkInterfaces", interface)["Groups"] = Value::Array(groups);
        self
    }

    fn route(mut self, table: &str, route: &Value) -> Self {
        self.row("RouteTables", table)["Routes"].as_array_mut().unwrap().push(route.clone());
        self
    }

    fn ask(&self, to: &str, flow: Flow) -> Answer {
        let network = build(&self.rows);
        let destination = Destination::Address(to.parse().unwrap());
        Engine::of_snapshot(&network).reach_from(&Start::Known("eni-1".into()), &destination, &flow)
    }

    fn verdict(&self, flow: Flow) -> Verdict {
        self.ask("10.0.2.10", flow).verdict
    }
}

fn entry(number: i64, egress: bool, action: &str, protocol: &str, ports: Option<(u16, u16)>) -> Value {
    let mut entry = json!({ "RuleNumber": number, "Egress": egress, "Protocol": protocol, "RuleAction": action, "CidrBlock": "0.0.0.0/0" });
    if let Some((from, to)) = ports {
        entry["PortRange"] = json!({ "From": from, "To": to });
    }
    entry
}

#[test]
fn the_lowest_number_decides_whatever_its_place_in_the_document() {
    let https = Some((443, 443));
    let out = entry(100, true, "allow", "-1", None);
    // Written last, asked first.
    let denied = json!([entry(100, false, "allow", "-1", None), out, entry(50, false, "deny", "6", https)]);
    let world = World::new().acl("acl-2", &denied);
    assert_eq!(world.verdict(Flow::tcp(443)), Verdict::None);
    assert_eq!(world.ask("10.0.2.10", Flow::tcp(443)).blocked_by[0].rule, Some(50));
    assert_eq!((world.verdict(Flow::tcp(80)), world.verdict(Flow::udp(443))), (Verdict::All, Verdict::All));
    let late = json!([entry(150, false, "deny", "6", https), entry(100, false, "allow", "-1", None), out]);
    assert_eq!(World::new().acl("acl-2", &late).verdict(Flow::tcp(443)), Verdict::All);
    // Nothing matches: the default denies, though it is not in the document.
    let only = json!([entry(10, false, "allow", "17", None), out]);
    assert_eq!(World::new().acl("acl-2", &only).verdict(Flow::tcp(443)), Verdict::None);
    // A protocol by number without ports is every port of it.
    let numbered = json!([entry(10, false, "allow", "6", None), out]);
    assert_eq!(World::new().acl("acl-2", &numbered).verdict(Flow::tcp(9)), Verdict::All);
}

#[test]
fn an_acl_of_one_family_says_nothing_of_the_other() {
    let mut deny_v6 = entry(10, false, "deny", "-1", None);
    deny_v6.as_object_mut().unwrap().remove("CidrBlock");
    deny_v6["Ipv6CidrBlock"] = json!("::/0");
    let entries =
        json!([deny_v6, entry(20, false, "allow", "-1", None), entry(20, true, "allow", "-1", None)]);
    assert_eq!(World::new().acl("acl-2", &entries).verdict(Flow::tcp(443)), Verdict::All);
}

#[test]
fn icmp_by_type_and_code() {
    let icmp = |kind: i64, code: i64| {
        let mut entry = entry(10, false, "allow", "1", None);
        entry["IcmpTypeCode"] = json!({ "Type": kind, "Code": code });
        json!([entry, self::entry(20, true, "allow", "-1", None)])
    };
    assert_eq!(World::new().acl("acl-2", &icmp(8, 0)).verdict(Flow::ping()), Verdict::All);
    assert_eq!(World::new().acl("acl-2", &icmp(8, -1)).verdict(Flow::ping()), Verdict::All);
    assert_eq!(World::new().acl("acl-2", &icmp(-1, -1)).verdict(Flow::ping()), Verdict::All);
    assert_eq!(World::new().acl("acl-2", &icmp(0, 0)).verdict(Flow::ping()), Verdict::None);
    assert_eq!(World::new().acl("acl-2", &icmp(8, 0)).verdict(Flow::icmp(13, 0)), Verdict::None);
    // The answer is an echo reply, and the source's own ACL is stateless.
    assert_eq!(World::new().acl("acl-1", &icmp(8, 0)).verdict(Flow::ping()), Verdict::None);
    assert_eq!(World::new().acl("acl-1", &icmp(0, -1)).verdict(Flow::ping()), Verdict::All);
    // A group's rule names the type where others name the first port.
    let rule = |from: i64, to: i64| json!([{ "IpProtocol": "icmp", "FromPort": from, "ToPort": to, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] }]);
    for (from, to, verdict) in [
        (8, -1, Verdict::All),
        (8, 0, Verdict::All),
        (-1, -1, Verdict::All),
        (3, -1, Verdict::None),
        (8, 1, Verdict::None),
    ] {
        let world =
            World::new().group("sg-icmp", &rule(from, to), &json!([])).groups_of("eni-2", &["sg-icmp"]);
        assert_eq!(world.verdict(Flow::ping()), verdict, "{from} {to}");
    }
}

#[test]
fn groups_of_one_interface_add_up_and_references_mean_members() {
    let none = json!([]);
    let from = |group: &str| json!([{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{ "GroupId": group }] }]);
    let all = json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
    // Itself: both are members.
    let own = World::new()
        .group("sg-own", &from("sg-own"), &all)
        .groups_of("eni-1", &["sg-own"])
        .groups_of("eni-2", &["sg-own"]);
    assert_eq!((own.verdict(Flow::tcp(443)), own.verdict(Flow::tcp(80))), (Verdict::All, Verdict::None));
    // A reference to a group that the source is not in.
    let other = World::new().group("sg-own", &from("sg-own"), &all).groups_of("eni-2", &["sg-own"]);
    assert_eq!(other.verdict(Flow::tcp(443)), Verdict::None);
    // Of two groups one is enough, on either side.
    let two = World::new()
        .group("sg-shut", &none, &none)
        .group("sg-own", &from("sg-open"), &none)
        .groups_of("eni-2", &["sg-shut", "sg-own"]);
    assert_eq!(two.verdict(Flow::tcp(443)), Verdict::All);
    let sender = World::new()
        .group("sg-shut", &none, &none)
        .group("sg-web", &none, &from("sg-open"))
        .groups_of("eni-1", &["sg-shut", "sg-web"]);
    assert_eq!(
        (sender.verdict(Flow::tcp(443)), sender.verdict(Flow::tcp(22))),
        (Verdict::All, Verdict::None)
    );
    // No rule for what goes out: the answers go out all the same.
    let quiet = World::new().group("sg-quiet", &all, &none).groups_of("eni-2", &["sg-quiet"]);
    assert_eq!(quiet.verdict(Flow::tcp(443)), Verdict::All);
    // Every port of one protocol is not every protocol.
    let tcp = json!([{ "IpProtocol": "6", "FromPort": 0, "ToPort": 65535, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
    let world = World::new().group("sg-tcp", &tcp, &none).groups_of("eni-2", &["sg-tcp"]);
    assert_eq!(
        (world.verdict(Flow::tcp(1)), world.verdict(Flow::protocol(47))),
        (Verdict::All, Verdict::None)
    );
}

#[test]
fn the_longest_prefix_decides_and_a_lists_entries_count_one_by_one() {
    let blackhole = |block: &str| json!({ "DestinationCidrBlock": block, "TransitGatewayId": "tgw-gone", "State": "blackhole" });
    // A subnet route more specific than local.
    let answer = World::new().route("rtb-1", &blackhole("10.0.2.0/24")).ask("10.0.2.10", Flow::tcp(443));
    assert_eq!((answer.verdict, answer.blocked_by[0].kind), (Verdict::None, BlockerKind::Blackhole));
    // It swallows the answers when it stands in the other table.
    let answer = World::new().route("rtb-2", &blackhole("10.0.1.0/24")).ask("10.0.2.10", Flow::tcp(443));
    assert_eq!((answer.verdict, answer.blocked_by[0].kind), (Verdict::None, BlockerKind::Blackhole));
    // A shorter one is not asked.
    assert_eq!(World::new().route("rtb-1", &blackhole("10.0.0.0/8")).verdict(Flow::tcp(443)), Verdict::All);
    assert_eq!(World::new().route("rtb-1", &blackhole("0.0.0.0/0")).verdict(Flow::tcp(443)), Verdict::All);
    // No route at all to the world.
    let answer = World::new().ask("8.8.8.8", Flow::tcp(443));
    assert_eq!((answer.verdict, answer.blocked_by[0].kind), (Verdict::None, BlockerKind::NoRoute));
}

#[test]
fn a_blackhole_of_the_transit_gateway_wins_over_a_propagated_route() {
    let gateway = |routes: &Value| {
        let mut rows = transit();
        rows.retain(|(key, _)| *key != "TransitGatewayPropagations");
        rows.push((
            "TransitGatewayStaticRoutes",
            json!({ "TransitGatewayRouteTableId": "tgw-rtb-1", "Routes": routes }),
        ));
        rows
    };
    let to = |attachment: &str, vpc: &str, block: &str| {
        json!({
            "DestinationCidrBlock": block, "Type": "propagated", "State": "active",
            "TransitGatewayAttachments": [{ "TransitGatewayAttachmentId": attachment, "ResourceId": vpc, "ResourceType": "vpc" }]
        })
    };
    let both = [to("att-1", "vpc-1", "10.1.0.0/16"), to("att-2", "vpc-2", "10.2.0.0/16")];
    let ask = |routes: &Value| {
        let network = build(&gateway(routes));
        let destination = Destination::Interface("eni-2".into());
        Engine::of_snapshot(&network).reach_from(&Start::Known("eni-1".into()), &destination, &Flow::tcp(443))
    };
    assert_eq!(ask(&json!(both)).verdict, Verdict::All);
    let hole = json!({ "DestinationCidrBlock": "10.2.0.0/16", "Type": "static", "State": "blackhole" });
    let answer = ask(&json!([both[0], both[1], hole]));
    assert_eq!(
        (answer.verdict, answer.blocked_by[0].kind),
        (Verdict::None, BlockerKind::TransitGatewayNoRoute)
    );
    // A longer propagated route wins over a static blackhole around it.
    let wide = json!({ "DestinationCidrBlock": "10.0.0.0/8", "Type": "static", "State": "blackhole" });
    assert_eq!(ask(&json!([both[0], both[1], wide])).verdict, Verdict::All);
}
