//! Records of the batch form: every way to say a place, a protocol and a port, and what becomes of odd ones.

use launchpath_net::Engine;
use launchpath_net::batch::answer_line;
use serde_json::{Value, json};

use crate::elements::{build, transit};

fn ask(record: &str) -> Value {
    let network = build(&transit());
    serde_json::from_str(&answer_line(&Engine::of_snapshot(&network), record)).unwrap()
}

fn asked(source: &Value, destination: &Value, protocol: &Value, port: &Value) -> Value {
    let record =
        json!({ "id": 7, "source": source, "destination": destination, "protocol": protocol, "port": port });
    ask(&record.to_string())
}

#[test]
fn a_place_may_be_an_object_or_a_text() {
    let sources = [
        json!({ "eni": "eni-1" }),
        json!("eni-1"),
        json!({ "id": "eni-1" }),
        json!({ "ip": "10.1.0.10" }),
        json!("10.1.0.10"),
    ];
    let destinations = [
        json!({ "ip": "10.2.0.10" }),
        json!("10.2.0.10"),
        json!("eni-2"),
        json!({ "id": "eni-2" }),
        json!({ "eni": "eni-2" }),
    ];
    for source in &sources {
        for destination in &destinations {
            let line = asked(source, destination, &json!("tcp"), &json!(443));
            assert_eq!(
                (&line["id"], &line["reachable"]),
                (&json!(7), &json!(true)),
                "{source} {destination}: {line}"
            );
        }
    }
    // Of a block only one address is held.
    for block in [json!("10.2.0.0/24"), json!({ "cidr": "10.2.0.0/24" }), json!("subnet-host-2")] {
        assert_eq!(
            asked(&json!("eni-1"), &block, &json!("tcp"), &json!(443))["reachable"],
            "partly",
            "{block}"
        );
    }
}

#[test]
fn protocols_and_ports_as_programs_write_them() {
    for protocol in [json!("tcp"), json!("TCP"), json!(" tcp "), json!(6), json!("6")] {
        for port in [
            json!(443),
            json!("443"),
            json!(443.0),
            json!("443-443"),
            json!(null),
            json!(""),
            json!("any"),
            json!(-1),
        ] {
            let line = asked(&json!("eni-1"), &json!("10.2.0.10"), &protocol, &port);
            assert_eq!(line["reachable"], true, "{protocol} {port}: {line}");
        }
    }
    for protocol in [json!("-1"), json!(-1), json!("all")] {
        assert_eq!(
            asked(&json!("eni-1"), &json!("10.2.0.10"), &protocol, &json!(null))["reachable"],
            true,
            "{protocol}"
        );
    }
}

#[test]
fn every_protocol_is_all_of_them() {
    let mut rows = transit();
    for (key, row) in &mut rows {
        if *key == "SecurityGroups" {
            row["IpPermissions"] = json!([{ "IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
        }
    }
    let network = build(&rows);
    let engine = Engine::of_snapshot(&network);
    let record = r#"{"source":"eni-1","destination":"10.2.0.10","protocol":"-1"}"#;
    let line: Value = serde_json::from_str(&answer_line(&engine, record)).unwrap();
    assert_eq!(line["reachable"], "partly");
    assert_eq!(line["blocked_by"].as_array().unwrap().len(), 1, "{line}");
    assert_eq!(line["blocked_by"][0]["id"], "sg-open");
}

#[test]
fn no_address_of_the_destinations_family_is_named() {
    let line = asked(&json!("eni-1"), &json!("2001:db8::1"), &json!("tcp"), &json!(443));
    assert_eq!(line["reachable"], false);
    assert_eq!(line["blocked_by"][0]["kind"], "no-address-of-family", "{line}");
}

#[test]
fn a_record_that_cannot_be_read_is_a_line_with_an_error() {
    for (bad, says) in [
        ("not json", "not a record"),
        ("null", "object with `source`"),
        ("[]", "object with `source`"),
        (r#"{"id":"two"}"#, "source"),
        (r#"{"id":"two","source":null,"destination":"10.2.0.10"}"#, "expected a place"),
        (r#"{"id":"two","source":["eni-1"],"destination":"10.2.0.10"}"#, "expected a place"),
        (
            r#"{"id":"two","source":{"eni":"eni-1"},"destination":{},"protocol":"tcp","port":443}"#,
            "destination",
        ),
        (
            r#"{"id":"two","source":{"eni":"eni-1"},"destination":{"ip":"10.2.0"},"protocol":"tcp"}"#,
            "IP address",
        ),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"tcp","port":"x"}"#, "port"),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"tcp","port":70000}"#, "port"),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"tcp","port":[1]}"#, "port"),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"tcp","port":"9-1"}"#, "range"),
        (
            r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"carrier pigeon"}"#,
            "protocol",
        ),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":300}"#, "protocol"),
        (r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":true}"#, "protocol"),
        (r#"{"id":"two","source":{"ip":"10.99.0.1"},"destination":"10.2.0.10","protocol":"tcp"}"#, "source"),
        (r#"{"id":"two","source":{"cidr":"10.2"},"destination":"10.2.0.10","protocol":"tcp"}"#, "cidr"),
        (
            r#"{"id":"two","source":"eni-1","destination":"10.2.0.10","protocol":"tcp","port":{"from":1}}"#,
            "port",
        ),
    ] {
        let line = ask(bad);
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(says), "{bad}: {line}");
        assert!(!error.contains("struct"), "{line}");
    }
}

#[test]
fn what_is_not_there_is_unknown_and_no_error() {
    for source in [json!("eni-far"), json!({ "id": "i-far" })] {
        let line = asked(&source, &json!("10.2.0.10"), &json!("tcp"), &json!(443));
        assert_eq!(line["reachable"], "unknown", "{line}");
        assert!(line["unknown"][0]["command"].as_str().unwrap().starts_with("aws ec2 describe-"), "{line}");
    }
}

#[test]
fn members_in_the_spellings_of_other_programs() {
    for (source, destination) in [
        (json!({ "network_interface_id": "eni-1" }), json!({ "private_ip_address": "10.2.0.10" })),
        (json!({ "type": "interface", "interface": "eni-1" }), json!({ "address": "10.2.0.10" })),
        (json!({ "resource_id": "eni-1" }), json!({ "cidr": "10.2.0.10" })),
        (json!({ "private_ip": "10.1.0.10", "ip": null }), json!({ "block": "10.2.0.10/32" })),
        (json!({ "subnet_id": "subnet-host-1", "groups": ["sg-open"] }), json!({ "eni_id": "eni-2" })),
        (json!({ "id": "subnet-host-1", "security_group_ids": ["sg-open"] }), json!("eni-2")),
    ] {
        for (from, to, protocol, port) in [
            ("source", "destination", "protocol", "port"),
            ("src", "dst", "proto", "dst_port"),
            ("from", "to", "ip_protocol", "destination_port"),
        ] {
            let record =
                json!({ from: source, to: destination, protocol: "tcp", port: { "from": 443, "to": 443 } });
            let line = ask(&record.to_string());
            assert_eq!(line["reachable"], true, "{record}: {line}");
        }
    }
    assert_eq!(asked(&json!("eni-1"), &json!("10.2.0.10"), &json!("OSPF"), &json!(null))["reachable"], true);
    // The block of a VPC: one of its addresses is held.
    assert_eq!(asked(&json!("eni-1"), &json!("vpc-2"), &json!("tcp"), &json!(22))["reachable"], "partly");
}

/// Packets as they enter the VPC from a subnet: no sender's groups are asked, and the answer says so.
#[test]
fn a_subnet_alone_may_send() {
    for source in [
        json!("subnet-host-1"),
        json!({ "kind": "subnet", "id": "subnet-host-1" }),
        json!({ "subnet": "subnet-host-1" }),
    ] {
        let line = asked(&source, &json!("10.2.0.10"), &json!("tcp"), &json!(443));
        assert_eq!(line["reachable"], true, "{source}: {line}");
        assert!(
            line["assumed"].to_string().contains("security groups of the sender in subnet-host-1"),
            "{line}"
        );
    }
    // Whoever it is, it is no member of a group that a rule names.
    let mut rows = transit();
    for (key, row) in &mut rows {
        if *key == "SecurityGroups" {
            row["IpPermissions"] =
                json!([{ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": "sg-open" }] }]);
        }
    }
    let network = build(&rows);
    let record = r#"{"source":"subnet-host-2","destination":"10.2.0.10","protocol":"tcp","port":443}"#;
    let line: Value = serde_json::from_str(&answer_line(&Engine::of_snapshot(&network), record)).unwrap();
    assert_eq!(line["reachable"], false, "{line}");
}

/// A public address that nobody in the network holds sends from the internet.
#[test]
fn an_address_of_nobody_is_the_internet() {
    for source in [
        json!("52.1.2.3"),
        json!({ "cidr": "52.1.2.3/32" }),
        json!("0.0.0.0/0"),
        json!({ "cidr": "0.0.0.0/0" }),
    ] {
        let line = asked(&source, &json!("10.2.0.10"), &json!("tcp"), &json!(443));
        assert_eq!(line["reachable"], false, "{source}: {line}");
        assert_eq!(line["blocked_by"][0]["kind"], "private-address-from-internet", "{line}");
    }
}

/// A folder without route tables: inside the VPC its local routes are taken for granted, beyond it nothing is.
#[test]
fn a_snapshot_without_route_tables_still_has_local_routes() {
    let mut rows = transit();
    rows.retain(|(key, _)| *key != "RouteTables");
    rows.push(crate::elements::interface("eni-3", "vpc-1", "subnet-gate-1", "10.1.1.10", "sg-open"));
    let network = build(&rows);
    let ask = |destination: &str| -> Value {
        let record = json!({ "source": "eni-1", "destination": destination, "protocol": "tcp", "port": 443 });
        serde_json::from_str(&answer_line(&Engine::of_snapshot(&network), &record.to_string())).unwrap()
    };
    let near = ask("10.1.1.10");
    assert_eq!(near["reachable"], true, "{near}");
    assert!(near["assumed"].to_string().contains("route table"), "{near}");
    assert_eq!(ask("10.2.0.10")["reachable"], "unknown");
}
