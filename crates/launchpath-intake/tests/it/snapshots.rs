//! Snapshots and outputs that nobody here wrote.

use launchpath_intake::{Problem, open, open_bytes};

use crate::folder;

#[test]
fn every_network_snapshot_loads() {
    let Some(root) = folder::shared("network/data/batfish") else { return };
    let mut instances = 0;
    for path in folder::below(&root).unwrap() {
        let documents = folder::read(&path).unwrap();
        let world = open(&documents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let net = &world.network;
        let rows = net.vpcs.len() + net.route_tables.len() + net.security_groups.len();
        assert!(rows > 0, "{}", path.display());
        assert!(world.evidence.values().all(|call| call.file.is_some() && call.at.is_none()));
        // Every group of rules names its peers: nothing was lost on the way.
        for (id, row) in net.security_groups.iter() {
            assert_eq!(&row.value.group_id, id);
        }
        instances += net.instances.len();
    }
    assert!(instances > 10, "{instances}");
}

#[test]
fn every_vector_finds_its_source_in_its_snapshot() {
    let Some(root) = folder::shared("network") else { return };
    let text = String::from_utf8(folder::file(&root.join("vectors.jsonl")).unwrap()).unwrap();
    let mut checked = 0;
    for line in text.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let (Some(data), Some(eni)) = (vector["data"].as_str(), vector["source"]["eni"].as_str()) else {
            continue;
        };
        let Some(documents) = folder::read(&root.join(data)) else { continue };
        let world = open(&documents).unwrap();
        let by_table = world.network.network_interfaces.seen(&eni.into()).is_some();
        assert!(by_table, "{}: {eni} is not in {data}", vector["id"]);
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn several_accounts_are_told_apart_by_their_folders() {
    let Some(root) = folder::shared("network/data/batfish/test-transit-gateway-multi-account") else {
        return;
    };
    let world = open(&folder::read(&root).unwrap()).unwrap();
    let accounts: std::collections::BTreeSet<String> =
        world.evidence.values().filter_map(|call| call.account.as_ref().map(ToString::to_string)).collect();
    assert_eq!(accounts.into_iter().collect::<Vec<_>>(), ["028403472736", "951601349076"]);
    assert_eq!(world.region.map(|region| region.to_string()).as_deref(), Some("us-east-1"));
    assert_eq!(world.network.transit_gateway_propagations.len(), 1);
    assert_eq!(world.network.transit_gateway_attachments.len(), 2);
}

#[test]
fn every_output_of_the_aws_cli_is_read_or_named_as_not_read() {
    let Some(root) = folder::shared("network/formats") else { return };
    let (mut read, mut unread) = (0, Vec::new());
    for entry in list(&root) {
        let bytes = folder::file(&entry).unwrap();
        let name = entry.file_name().unwrap().to_str().unwrap();
        match open_bytes(name, &bytes) {
            Ok(_) => read += 1,
            Err(error) if error.problem() == Problem::Empty => unread.push(name.to_owned()),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    // Operations that no table takes, and outputs that a `--query` changed.
    let unread: Vec<&str> = unread.iter().map(|name| name.split('.').next().unwrap()).collect();
    for name in &unread {
        assert!(
            [
                "describe-addresses",
                "describe-flow-logs",
                "describe-network-insights-analyses",
                "describe-network-insights-paths",
                "describe-security-group-rules",
                "describe-security-groups",
                "describe-dhcp-options",
                "describe-vpc-endpoint-services",
            ]
            .contains(name),
            "{name}"
        );
    }
    assert!(read >= 15, "{read} read, not read: {unread:?}");
}

#[test]
fn every_event_of_real_trails_is_read() {
    let Some(root) = folder::shared("cloudtrail") else { return };
    let text = String::from_utf8(folder::file(&root.join("events.jsonl")).unwrap()).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(event) = ["event", "record", "raw"].iter().find_map(|name| record.get(*name)) else {
            continue;
        };
        let event = match event {
            serde_json::Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        };
        if !event.is_object() {
            continue;
        }
        let document = serde_json::json!({ "Records": [event] });
        let world = open_bytes("trail.json", document.to_string().as_bytes()).unwrap();
        let (_, row) = world.trail.iter().next().unwrap();
        assert_eq!(Some(row.value.event_name.as_str()), event["eventName"].as_str());
        assert_eq!(row.value.error_code.as_deref(), event["errorCode"].as_str());
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[expect(clippy::disallowed_methods, reason = "a test reads its own data")]
fn list(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
