//! The founding incident's bundles lower to the right tables.

use launchpath_intake::{MemoryDocuments, open, open_bytes};
use launchpath_model::World;
use launchpath_model::evidence::Outcome;
use launchpath_model::ids::{PrefixListId, RuntimeId, SecurityGroupId, SubnetId, VpcId};
use launchpath_model::query::{ReadState, Target, prove_absent};

use crate::folder;

const RUNTIME: &str = "bedrock_manus_runtime_vpc_final-7XCALx4Xuw";

fn bundle(name: &str) -> (Vec<u8>, World) {
    let bytes = folder::file(&folder::scenarios().join("incident").join(name)).unwrap();
    let world = open_bytes(name, &bytes).unwrap();
    (bytes, world)
}

#[test]
fn as_collected_fills_every_table() {
    let (_, world) = bundle("as-collected.json");
    assert_eq!(world.evidence.len(), 24);
    assert!(world.not_understood.is_empty(), "{:?}", world.not_understood);
    assert_eq!(world.collected_at.unwrap().to_string(), "2025-10-18T04:23:46Z");
    assert_eq!(world.caller.as_deref(), Some("arn:aws:iam::111122223333:user/engineer"));
    assert_eq!(world.network.region, world.region);
    assert_eq!(world.subject_id(), Some(RuntimeId::from(RUNTIME)));
    let net = &world.network;
    let sizes = [
        ("runtimes", world.runtimes.len(), 2),
        ("endpoints", world.runtime_endpoints.len(), 1),
        ("subnets", net.subnets.len(), 1),
        ("endpoints of the VPC", net.vpc_endpoints.len(), 6),
        ("groups", net.security_groups.len(), 1),
        ("NAT", net.nat_gateways.len(), 1),
        ("VPCs", net.vpcs.len(), 1),
        ("NACLs", net.network_acls.len(), 1),
        ("prefix lists", net.prefix_lists.len(), 1),
        ("images", world.images.len(), 2),
        ("roles", world.roles.len(), 1),
        ("trail", world.trail.len(), 3),
        ("groups with lines", world.log_events.len(), 1),
        ("invocations", world.invocations.len(), 1),
    ];
    for (what, found, expected) in sizes {
        assert_eq!(found, expected, "{what}");
    }
    assert!(!net.route_tables.is_empty() && !net.network_interfaces.is_empty());
    assert!(net.subnets.seen(&SubnetId::from("subnet-0b2fb367d6e823a79")).is_some());
    assert!(net.security_groups.seen(&SecurityGroupId::from("sg-0affaea9ac4dc26b1")).is_some());
    assert!(net.prefix_lists.seen(&PrefixListId::from("pl-63a5400a")).is_some());
}

#[test]
fn dns_attributes_are_read_one_by_one() {
    let (_, world) = bundle("as-collected.json");
    let vpc = VpcId::from("vpc-05975448296a22c21");
    for (table, call) in [(&world.network.dns_support, "c16"), (&world.network.dns_hostnames, "c17")] {
        assert_eq!(table.seen(&vpc).map(|row| row.value), Some(true));
        let reads: Vec<&str> = table.reads().iter().map(|read| read.call.id.as_str()).collect();
        assert_eq!(reads, [call]);
    }
}

#[test]
fn the_interface_and_the_real_create_are_there() {
    let (_, world) = bundle("as-collected.json");
    let interfaces = world.network.network_interfaces.iter();
    assert_eq!(interfaces.filter(|(_, row)| row.value.is_agentcore() == Some(true)).count(), 1);
    let creates =
        world.trail.iter().map(|(_, row)| &row.value).filter(|e| e.event_name == "CreateNetworkInterface");
    let (dry, real): (Vec<_>, Vec<_>) = creates.partition(|event| event.dry_run_passed());
    assert_eq!((dry.len(), real.len()), (1, 1));
    assert!(real[0].succeeded() && real[0].by_network_role());
}

#[test]
fn the_refused_call_is_a_refused_read() {
    let (_, world) = bundle("as-collected.json");
    let reads = world.attached_policies.reads();
    assert_eq!(reads.len(), 1);
    assert_eq!(reads[0].state, ReadState::Denied);
    assert_eq!(world.invocations[0].outcome, Outcome::Error);
    assert_eq!(world.invocations[0].error.as_ref().and_then(|error| error.http), Some(424));
}

#[test]
fn the_empty_log_group_is_a_read_without_lines() {
    let (_, world) = bundle("as-collected.json");
    let group = format!("/aws/bedrock-agentcore/runtimes/{RUNTIME}-DEFAULT");
    assert!(world.log_events.seen(&group).is_none());
    let target = Target::new("a log line", "").with("logGroupName", &group);
    assert!(prove_absent(world.log_events.reads(), &target).is_ok());
}

#[test]
fn the_unlucky_query_of_the_report_proves_nothing() {
    let (_, world) = bundle("as-reported.json");
    let reads = world.network.network_interfaces.reads();
    assert_eq!(reads[0].state, ReadState::SeenEmpty);
    let target = Target::new("an AgentCore interface", "")
        .with("subnet-id", "subnet-0b2fb367d6e823a79")
        .with("description", "");
    assert!(prove_absent(reads, &target).is_err());
    assert_eq!(world.statements.len(), 1);
    assert_eq!(world.statements[0].by.as_deref(), Some("engineer"));
    assert!(!world.statements[0].is_error_seen);
}

#[test]
fn a_file_a_folder_and_an_archive_give_the_same_world() {
    let (bytes, world) = bundle("as-collected.json");
    let folder = MemoryDocuments::from_iter([("bundle.json", bytes.clone())]);
    assert_eq!(open(&folder).unwrap(), world);
    let wrapped = MemoryDocuments::from_iter([("case/bundle.json", bytes.clone())]);
    assert_eq!(open(&wrapped).unwrap(), world);
    let archive = crate::hostile::zip(&[("bundle.json", &bytes)]);
    assert_eq!(open_bytes("case.zip", &archive).unwrap(), world);
}

#[test]
fn answers_in_files_of_their_own_are_the_same_evidence() {
    let (bytes, world) = bundle("as-collected.json");
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let mut documents = MemoryDocuments::new();
    for call in value["calls"].as_array_mut().unwrap() {
        let call = call.as_object_mut().unwrap();
        if let Some(response) = call.remove("response") {
            let name = format!("calls/{}.json", call["id"].as_str().unwrap());
            documents.insert(&name, response.to_string());
            call.insert("file".to_owned(), name.into());
        }
    }
    documents.insert("bundle.json", value.to_string());
    let split = open(&documents).unwrap();
    assert_eq!(split.network.subnets.iter().count(), world.network.subnets.iter().count());
    assert_eq!(split.trail.iter().collect::<Vec<_>>(), world.trail.iter().collect::<Vec<_>>());
    let subnets = &split.evidence[&"c4".into()];
    assert_eq!(subnets.file.as_deref(), Some("calls/c4.json"));
}
