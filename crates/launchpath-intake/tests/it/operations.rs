//! Each operation fills its table, and leaves a read there whatever its outcome.

use launchpath_intake::open_bytes;
use launchpath_model::World;
use launchpath_model::query::{Read, ReadState, Target, prove_absent};
use serde_json::{Value, json};

fn world(calls: &[Value]) -> World {
    let bundle = json!({ "format": "launchpath-bundle/1", "region": "us-east-1", "account": "111122223333", "calls": calls });
    open_bytes("bundle.json", bundle.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "keeps the many calls short")]
fn answered(service: &str, operation: &str, request: Value, response: Value) -> Value {
    json!({ "id": "c1", "service": service, "operation": operation, "request": request, "outcome": "ok",
        "at": "2025-10-18T04:20:00Z", "response": response })
}

macro_rules! reads_of {
    ($world:expr; $($($field:ident).+),+ $(,)?) => {
        vec![$((stringify!($($field).+), $world.$($field).+.reads())),+]
    };
}

/// Every table's reads, by the table's name.
fn reads(world: &World) -> Vec<(&'static str, &[Read])> {
    let all = reads_of!(world;
        runtimes, runtime_list, runtime_versions, runtime_endpoints, images, manifests, image_configs, repositories,
        repository_policies, code_objects, roles, inline_policy_names, inline_policies, attached_policies,
        managed_policies, policy_versions, log_groups, log_streams, log_events, trail, metrics,
        network.vpcs, network.dns_support, network.dns_hostnames, network.dhcp_options, network.subnets,
        network.availability_zones, network.route_tables, network.network_acls, network.security_groups,
        network.prefix_lists, network.prefix_list_entries, network.vpc_endpoints, network.nat_gateways,
        network.internet_gateways, network.egress_only_internet_gateways, network.vpn_gateways,
        network.network_interfaces, network.instances, network.peering_connections, network.transit_gateways,
        network.transit_gateway_attachments, network.transit_gateway_vpc_attachments,
        network.transit_gateway_route_tables, network.transit_gateway_routes, network.transit_gateway_propagations,
        network.hosted_zones, network.record_sets, network.dns_profiles, network.dns_profile_resources,
        network.resolver_rules, network.resolver_rule_associations,
    );
    all.into_iter().filter(|(_, reads)| !reads.is_empty()).collect()
}

/// Service, operation, the list or object member of its answer, and the tables it fills.
const OPERATIONS: &[(&str, &str, &str, &[&str])] = &[
    ("bedrock-agentcore-control", "GetAgentRuntime", "agentRuntimeId", &["runtimes"]),
    ("bedrock-agentcore-control", "ListAgentRuntimes", "agentRuntimes", &["runtime_list"]),
    ("bedrock-agentcore-control", "ListAgentRuntimeVersions", "agentRuntimes", &["runtime_versions"]),
    ("bedrock-agentcore-control", "GetAgentRuntimeEndpoint", "name", &["runtime_endpoints"]),
    ("bedrock-agentcore-control", "ListAgentRuntimeEndpoints", "runtimeEndpoints", &["runtime_endpoints"]),
    ("ec2", "DescribeVpcs", "Vpcs", &["network.vpcs"]),
    ("ec2", "DescribeVpcAttribute", "EnableDnsSupport", &["network.dns_support", "network.dns_hostnames"]),
    ("ec2", "DescribeDhcpOptions", "DhcpOptions", &["network.dhcp_options"]),
    ("ec2", "DescribeSubnets", "Subnets", &["network.subnets"]),
    ("ec2", "DescribeAvailabilityZones", "AvailabilityZones", &["network.availability_zones"]),
    ("ec2", "DescribeRouteTables", "RouteTables", &["network.route_tables"]),
    ("ec2", "DescribeNetworkAcls", "NetworkAcls", &["network.network_acls"]),
    ("ec2", "DescribeSecurityGroups", "SecurityGroups", &["network.security_groups"]),
    ("ec2", "DescribeManagedPrefixLists", "PrefixLists", &["network.prefix_lists"]),
    ("ec2", "DescribePrefixLists", "PrefixLists", &["network.prefix_lists", "network.prefix_list_entries"]),
    ("ec2", "GetManagedPrefixListEntries", "Entries", &["network.prefix_list_entries"]),
    ("ec2", "DescribeVpcEndpoints", "VpcEndpoints", &["network.vpc_endpoints"]),
    ("ec2", "DescribeNatGateways", "NatGateways", &["network.nat_gateways"]),
    ("ec2", "DescribeInternetGateways", "InternetGateways", &["network.internet_gateways"]),
    (
        "ec2",
        "DescribeEgressOnlyInternetGateways",
        "EgressOnlyInternetGateways",
        &["network.egress_only_internet_gateways"],
    ),
    ("ec2", "DescribeVpnGateways", "VpnGateways", &["network.vpn_gateways"]),
    ("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", &["network.network_interfaces"]),
    ("ec2", "DescribeInstances", "Reservations", &["network.instances"]),
    ("ec2", "DescribeVpcPeeringConnections", "VpcPeeringConnections", &["network.peering_connections"]),
    ("ec2", "DescribeTransitGateways", "TransitGateways", &["network.transit_gateways"]),
    (
        "ec2",
        "DescribeTransitGatewayAttachments",
        "TransitGatewayAttachments",
        &["network.transit_gateway_attachments"],
    ),
    (
        "ec2",
        "DescribeTransitGatewayVpcAttachments",
        "TransitGatewayVpcAttachments",
        &["network.transit_gateway_vpc_attachments"],
    ),
    (
        "ec2",
        "DescribeTransitGatewayRouteTables",
        "TransitGatewayRouteTables",
        &["network.transit_gateway_route_tables"],
    ),
    ("ec2", "SearchTransitGatewayRoutes", "Routes", &["network.transit_gateway_routes"]),
    (
        "ec2",
        "GetTransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTablePropagations",
        &["network.transit_gateway_propagations"],
    ),
    ("ecr", "DescribeRepositories", "repositories", &["repositories"]),
    ("ecr", "GetRepositoryPolicy", "policyText", &["repository_policies"]),
    ("ecr", "DescribeImages", "imageDetails", &["images"]),
    ("ecr", "BatchGetImage", "images", &["manifests"]),
    ("iam", "GetRole", "Role", &["roles"]),
    ("iam", "ListRoles", "Roles", &["roles"]),
    ("iam", "ListRolePolicies", "PolicyNames", &["inline_policy_names"]),
    ("iam", "GetRolePolicy", "PolicyDocument", &["inline_policies"]),
    ("iam", "ListAttachedRolePolicies", "AttachedPolicies", &["attached_policies"]),
    ("iam", "GetPolicy", "Policy", &["managed_policies"]),
    ("iam", "GetPolicyVersion", "PolicyVersion", &["policy_versions"]),
    ("logs", "DescribeLogGroups", "logGroups", &["log_groups"]),
    ("logs", "DescribeLogStreams", "logStreams", &["log_streams"]),
    ("logs", "FilterLogEvents", "events", &["log_events"]),
    ("logs", "GetLogEvents", "events", &["log_events"]),
    ("cloudtrail", "LookupEvents", "Events", &["trail"]),
    ("cloudwatch", "GetMetricData", "MetricDataResults", &["metrics"]),
    ("s3", "HeadObject", "ContentLength", &["code_objects"]),
    ("route53", "ListHostedZonesByVPC", "HostedZoneSummaries", &["network.hosted_zones"]),
    ("route53", "ListResourceRecordSets", "ResourceRecordSets", &["network.record_sets"]),
    ("route53profiles", "ListProfileAssociations", "ProfileAssociations", &["network.dns_profiles"]),
    (
        "route53profiles",
        "ListProfileResourceAssociations",
        "ProfileResourceAssociations",
        &["network.dns_profile_resources"],
    ),
    ("route53resolver", "ListResolverRules", "ResolverRules", &["network.resolver_rules"]),
    (
        "route53resolver",
        "ListResolverRuleAssociations",
        "ResolverRuleAssociations",
        &["network.resolver_rule_associations"],
    ),
    ("launchpath", "GetImageConfig", "architecture", &["image_configs"]),
];

#[test]
fn every_operation_leaves_a_read_whatever_the_outcome() {
    for (service, operation, _, tables) in OPERATIONS {
        for (outcome, state) in [
            ("denied", ReadState::Denied),
            ("not_found", ReadState::SeenEmpty),
            ("error", ReadState::Failed),
            ("throttled", ReadState::Failed),
        ] {
            let call = json!({ "id": "c1", "service": service, "operation": operation, "request": {}, "outcome": outcome,
                "error": { "code": "X", "message": "y" } });
            let world = world(&[call]);
            let left = reads(&world);
            let names: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
            let mut expected = tables.to_vec();
            expected.sort_by_key(|name| names.iter().position(|other| other == name));
            assert_eq!(names, expected, "{operation} {outcome}");
            assert!(
                left.iter().all(|(_, reads)| reads.len() == 1 && reads[0].state == state),
                "{operation} {outcome}"
            );
            assert!(world.not_understood.is_empty(), "{operation}");
        }
    }
}

#[test]
fn a_member_of_the_wrong_type_is_an_error_with_its_place() {
    for (service, operation, member, _) in OPERATIONS {
        // A policy document may be any text, and an unknown architecture is kept.
        if ["PolicyDocument", "policyText"].contains(member) {
            continue;
        }
        let request = json!({ "RoleName": "r", "PolicyArn": "a", "repositoryName": "r", "digest": "d" });
        let call = answered(service, operation, request, json!({ *member: [[7]] }));
        let bundle = json!({ "format": "launchpath-bundle/1", "calls": [call] });
        let error = open_bytes("bundle.json", bundle.to_string().as_bytes()).expect_err(operation);
        let place = error.place().unwrap_or_default().to_owned();
        assert!(place.starts_with(&format!("calls[0].response.{member}")), "{operation}: {error}");
    }
}

#[test]
fn an_answer_without_its_member_proves_nothing() {
    for (service, operation, _, tables) in OPERATIONS {
        if [
            "GetAgentRuntime",
            "GetAgentRuntimeEndpoint",
            "DescribeVpcAttribute",
            "HeadObject",
            "GetImageConfig",
        ]
        .contains(operation)
        {
            continue;
        }
        let world = world(&[answered(service, operation, json!({}), json!({}))]);
        let left = reads(&world);
        assert_eq!(left.len(), tables.len(), "{operation}");
        for (table, reads) in left {
            assert!(prove_absent(reads, &Target::new("it", "")).is_err(), "{operation} {table}");
        }
    }
}

#[test]
fn versions_and_the_current_description_are_kept_apart() {
    let request = json!({ "agentRuntimeId": "a-1" });
    let current = json!({ "agentRuntimeId": "a-1", "agentRuntimeVersion": "2", "status": "READY" });
    let mut calls = vec![
        answered("bedrock-agentcore-control", "GetAgentRuntime", request, current),
        answered(
            "bedrock-agentcore-control",
            "GetAgentRuntime",
            json!({ "agentRuntimeId": "a-1", "agentRuntimeVersion": "1" }),
            json!({ "agentRuntimeId": "a-1", "agentRuntimeVersion": "1", "agentRuntimeArtifact": {} }),
        ),
        answered(
            "bedrock-agentcore-control",
            "ListAgentRuntimeVersions",
            json!({ "agentRuntimeId": "a-1" }),
            json!({ "agentRuntimes": [
            { "agentRuntimeId": "a-1", "agentRuntimeVersion": "1", "status": "READY" },
            { "agentRuntimeId": "a-1", "agentRuntimeVersion": "2", "status": "READY" } ] }),
        ),
    ];
    for (index, call) in calls.iter_mut().enumerate() {
        call["id"] = json!(format!("c{index}"));
    }
    let world = world(&calls);
    assert_eq!((world.runtimes.len(), world.runtime_versions.len()), (1, 2));
    let first = world.runtime_versions.seen(&("a-1".into(), "1".to_owned())).unwrap();
    assert!(first.value.agent_runtime_artifact.is_some(), "the description in full is kept");
    assert_eq!(first.evidence.len(), 2);
}

#[test]
fn a_runtime_without_id_is_named_by_its_request() {
    let call = answered(
        "bedrock-agentcore-control",
        "GetAgentRuntime",
        json!({ "agentRuntimeId": "a-1" }),
        json!({ "status": "READY" }),
    );
    assert!(world(&[call]).runtimes.seen(&"a-1".into()).is_some());
}

#[test]
fn a_refused_attribute_is_a_read_of_that_attribute_only() {
    let call = json!({ "id": "c1", "service": "ec2", "operation": "DescribeVpcAttribute", "outcome": "denied",
        "request": { "VpcId": "vpc-1", "Attribute": "enableDnsSupport" }, "error": { "code": "UnauthorizedOperation" } });
    let world = world(&[call]);
    assert_eq!(world.network.dns_support.reads().len(), 1);
    assert!(world.network.dns_hostnames.reads().is_empty());
}

#[test]
fn prefix_lists_of_aws_services_bring_their_entries_and_say_nothing_about_others() {
    let call = answered(
        "ec2",
        "DescribePrefixLists",
        json!({}),
        json!({ "PrefixLists": [
        { "PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.us-east-1.s3", "Cidrs": ["3.5.0.0/19"] }] }),
    );
    let world = world(&[call]);
    let entries = world.network.prefix_list_entries.seen(&"pl-1".into()).unwrap();
    assert_eq!(entries.value[0].cidr.to_string(), "3.5.0.0/19");
    let customers = Target::new("pl-2", "").with("owner-id", "111122223333");
    assert!(prove_absent(world.network.prefix_lists.reads(), &customers).is_err());
    assert!(
        prove_absent(world.network.prefix_lists.reads(), &Target::new("pl-3", "").with("owner-id", "AWS"))
            .is_ok()
    );
}

#[test]
fn entries_belong_to_the_list_that_was_asked() {
    let call = answered(
        "ec2",
        "GetManagedPrefixListEntries",
        json!({ "PrefixListId": "pl-1" }),
        json!({ "Entries": [] }),
    );
    let world = world(&[call]);
    assert!(world.network.prefix_list_entries.seen(&"pl-1".into()).unwrap().value.is_empty());
}

#[test]
fn policy_documents_become_objects_whatever_their_form() {
    let document = json!({ "Version": "2012-10-17", "Statement": [] });
    let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
    for form in [document.clone(), json!(document.to_string()), json!(encoded)] {
        let role = answered(
            "iam",
            "GetRole",
            json!({ "RoleName": "r" }),
            json!({ "Role": { "RoleName": "r", "AssumeRolePolicyDocument": form } }),
        );
        assert_eq!(
            world(&[role]).roles.seen(&"r".to_owned()).unwrap().value.assume_role_policy_document,
            Some(document.clone())
        );
        let inline = answered(
            "iam",
            "GetRolePolicy",
            json!({ "RoleName": "r", "PolicyName": "p" }),
            json!({ "PolicyDocument": form }),
        );
        assert_eq!(
            world(&[inline]).inline_policies.seen(&("r".to_owned(), "p".to_owned())).unwrap().value,
            document
        );
        let version = answered(
            "iam",
            "GetPolicyVersion",
            json!({ "PolicyArn": "a", "VersionId": "v1" }),
            json!({ "PolicyVersion": { "Document": form } }),
        );
        let world_ = world(&[version]);
        assert_eq!(
            world_.policy_versions.seen(&("a".to_owned(), "v1".to_owned())).unwrap().value.document,
            Some(document.clone())
        );
        let endpoint = answered(
            "ec2",
            "DescribeVpcEndpoints",
            json!({}),
            json!({ "VpcEndpoints": [{ "VpcEndpointId": "vpce-1", "PolicyDocument": form }] }),
        );
        let world_ = world(&[endpoint]);
        assert_eq!(
            world_.network.vpc_endpoints.seen(&"vpce-1".into()).unwrap().value.policy_document,
            Some(document.clone())
        );
        let repository = answered(
            "ecr",
            "GetRepositoryPolicy",
            json!({ "repositoryName": "x" }),
            json!({ "policyText": form }),
        );
        assert_eq!(world(&[repository]).repository_policies.seen(&"x".to_owned()).unwrap().value, document);
    }
}

#[test]
fn an_empty_list_of_policies_is_known_to_be_empty() {
    let call = answered(
        "iam",
        "ListAttachedRolePolicies",
        json!({ "RoleName": "r" }),
        json!({ "AttachedPolicies": [] }),
    );
    assert_eq!(world(&[call]).attached_policies.seen(&"r".to_owned()).map(|row| row.value.len()), Some(0));
    // A part of the list that is empty says nothing about the rest.
    let call = answered(
        "iam",
        "ListAttachedRolePolicies",
        json!({ "RoleName": "r", "PathPrefix": "/x/" }),
        json!({ "AttachedPolicies": [] }),
    );
    assert!(world(&[call]).attached_policies.seen(&"r".to_owned()).is_none());
}

#[test]
fn a_manifest_is_read_out_of_its_text() {
    let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{ "digest": "sha256:2", "size": 7, "platform": { "os": "linux", "architecture": "arm64" } }] });
    let image = json!({ "repositoryName": "r", "imageId": { "imageDigest": "sha256:1" }, "imageManifest": manifest.to_string() });
    let request = json!({ "repositoryName": "r", "imageIds": [{ "imageTag": "v1" }] });
    let found = world(&[answered(
        "ecr",
        "BatchGetImage",
        request.clone(),
        json!({ "images": [image], "failures": [] }),
    )]);
    let row = found.manifests.seen(&("r".to_owned(), "sha256:1".to_owned())).unwrap();
    assert_eq!(row.value.manifests.as_ref().map(Vec::len), Some(1));

    let failure = |code: &str| json!({ "images": [], "failures": [{ "imageId": { "imageTag": "v1" }, "failureCode": code }] });
    let target = Target::new("the image", "").with("repositoryName", "r").with("imageIds", "v1");
    let missing = world(&[answered("ecr", "BatchGetImage", request.clone(), failure("ImageNotFound"))]);
    assert!(prove_absent(missing.manifests.reads(), &target).is_ok());
    let other = world(&[answered("ecr", "BatchGetImage", request, failure("KmsError"))]);
    assert!(prove_absent(other.manifests.reads(), &target).is_err());
}

#[test]
fn a_broken_manifest_names_its_place() {
    let image = json!({ "repositoryName": "r", "imageId": { "imageDigest": "sha256:1" }, "imageManifest": "{\"layers\": 3}" });
    let call = answered("ecr", "BatchGetImage", json!({}), json!({ "images": [image] }));
    let bundle = json!({ "format": "launchpath-bundle/1", "calls": [call] });
    let error = open_bytes("bundle.json", bundle.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.place(), Some("calls[0].response.images[0].imageManifest.layers"));
}

#[test]
fn a_prefix_covers_the_groups_that_start_with_it() {
    let call = answered(
        "logs",
        "DescribeLogGroups",
        json!({ "logGroupNamePrefix": "/aws/x" }),
        json!({ "logGroups": [] }),
    );
    let world = world(&[call]);
    let group = |name: &str| Target::new("a group", "").with("logGroupName", name);
    assert!(prove_absent(world.log_groups.reads(), &group("/aws/x-DEFAULT")).is_ok());
    assert!(prove_absent(world.log_groups.reads(), &group("/aws/y")).is_err());
    // What the evidence shows is what was asked.
    assert!(world.evidence[&"c1".into()].request_member("logGroupNamePrefix").is_some());
}

#[test]
fn a_request_that_lacks_what_it_must_name_does_not_ask_for_everything() {
    for request in [json!({}), json!({ "RoleName": "other" })] {
        let call = json!({ "id": "c1", "service": "iam", "operation": "GetRole", "request": request, "outcome": "not_found",
            "error": { "code": "NoSuchEntity" } });
        let world = world(&[call]);
        assert!(prove_absent(world.roles.reads(), &Target::new("r", "").with("RoleName", "r")).is_err());
    }
}

#[test]
fn each_metric_has_its_own_read() {
    let query = |id: &str, name: &str| {
        json!({ "Id": id, "MetricStat": { "Metric": { "Namespace": "AWS/Bedrock-AgentCore", "MetricName": name,
        "Dimensions": [{ "Name": "Resource", "Value": "arn:r" }] }, "Period": 60, "Stat": "Sum" } })
    };
    let request = json!({ "MetricDataQueries": [query("m1", "Invocations"), query("m2", "SystemErrors")],
        "StartTime": "2025-10-18T04:00:00Z", "EndTime": "2025-10-18T04:20:00Z" });
    let response = json!({ "MetricDataResults": [
        { "Id": "m2", "Timestamps": [], "Values": [] },
        { "Id": "m1", "Timestamps": ["2025-10-18T04:05:00Z", "2025-10-18T04:04:00Z"], "Values": [1.0, 2.0] } ] });
    let world = world(&[answered("cloudwatch", "GetMetricData", request, response)]);
    let series = world.metrics.seen(&("arn:r".to_owned(), "Invocations".to_owned())).unwrap();
    assert_eq!(series.value.points.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [2.0, 1.0]);
    let target = |name: &str| Target::new("a metric", "").with("MetricName", name).with("Resource", "arn:r");
    assert!(prove_absent(world.metrics.reads(), &target("SystemErrors")).is_ok());
    assert!(prove_absent(world.metrics.reads(), &target("SessionCount")).is_err());
}

#[test]
fn statistics_of_one_metric_are_a_series_too() {
    let request = json!({ "Namespace": "AWS/Bedrock-AgentCore", "MetricName": "Invocations", "Dimensions": [{ "Name": "Resource", "Value": "arn:r" }] });
    let response = json!({ "Label": "Invocations", "Datapoints": [{ "Timestamp": "2025-10-18T04:05:00Z", "Sum": 3.0 }] });
    let world = world(&[answered("cloudwatch", "GetMetricStatistics", request, response)]);
    assert_eq!(
        world.metrics.seen(&("arn:r".to_owned(), "Invocations".to_owned())).unwrap().value.points.len(),
        1
    );
}

#[test]
fn objects_zones_configs_and_statements_have_their_keys() {
    let mut calls = vec![
        answered(
            "s3api",
            "HeadObject",
            json!({ "Bucket": "b", "Key": "k.zip" }),
            json!({ "ContentLength": 42 }),
        ),
        answered(
            "route53",
            "ListHostedZonesByVPC",
            json!({ "VPCId": "vpc-1", "VPCRegion": "us-east-1" }),
            json!({ "HostedZoneSummaries": [{ "HostedZoneId": "Z1", "Name": "x.internal." }] }),
        ),
        answered(
            "route53",
            "ListResourceRecordSets",
            json!({ "HostedZoneId": "/hostedzone/Z1" }),
            json!({ "ResourceRecordSets": [{ "Name": "a.x.internal.", "Type": "A", "ResourceRecords": [{ "Value": "10.0.0.1" }] }] }),
        ),
        answered(
            "route53profiles",
            "ListProfileAssociations",
            json!({ "ResourceId": "vpc-1" }),
            json!({ "ProfileAssociations": [{ "ProfileId": "rp-1", "ResourceId": "vpc-1", "Status": "COMPLETE", "Priority": 100 }] }),
        ),
        answered(
            "route53profiles",
            "ListProfileResourceAssociations",
            json!({ "ProfileId": "rp-1" }),
            json!({ "ProfileResourceAssociations": [
                { "ProfileId": "rp-1", "ResourceArn": "arn:aws:route53:::hostedzone/Z1", "Status": "COMPLETE" },
                { "ProfileId": "rp-1", "ResourceArn": "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-1" },
                { "ProfileId": "rp-1", "ResourceArn": "arn:aws:route53resolver:us-east-1:111122223333:resolver-rule/rslvr-rr-1" },
            ] }),
        ),
        answered(
            "route53resolver",
            "ListResolverRules",
            json!({}),
            json!({ "ResolverRules": [{ "Id": "rslvr-rr-1", "DomainName": "corp.example.", "RuleType": "FORWARD", "TargetIps": [{ "Ip": "10.9.9.9", "Port": 53 }] }] }),
        ),
        answered(
            "route53resolver",
            "ListResolverRuleAssociations",
            json!({ "Filters": [{ "Name": "VPCId", "Values": ["vpc-1"] }] }),
            json!({ "ResolverRuleAssociations": [{ "Id": "rslvr-rrassoc-1", "ResolverRuleId": "rslvr-rr-1", "VPCId": "vpc-1", "Status": "COMPLETE" }] }),
        ),
        answered(
            "launchpath",
            "GetImageConfig",
            json!({ "repositoryName": "r", "digest": "sha256:1" }),
            json!({ "architecture": "arm64", "os": "linux", "created": "", "config": { "Cmd": ["python"], "Entrypoint": null } }),
        ),
        answered(
            "launchpath",
            "Statement",
            json!({ "by": "user", "saw": true }),
            json!({ "text": "Runtime health check failed" }),
        ),
        answered("launchpath", "Statement", json!({ "text": "it broke" }), Value::Null),
        answered(
            "launchpath",
            "InspectImage",
            json!({ "image": "x" }),
            json!({ "distributions": { "langchain": "1.0.0" } }),
        ),
    ];
    for (index, call) in calls.iter_mut().enumerate() {
        call["id"] = json!(format!("c{index}"));
    }
    let world = world(&calls);
    assert_eq!(
        world.code_objects.seen(&("b".to_owned(), "k.zip".to_owned())).map(|row| row.value),
        Some(Some(42))
    );
    assert_eq!(world.evidence[&"c0".into()].service, "s3");
    assert!(world.network.hosted_zones.seen(&("vpc-1".into(), "Z1".into())).is_some());
    assert_eq!(world.network.record_sets.seen(&"Z1".into()).map(|row| row.value.len()), Some(1));
    assert_eq!(
        world.network.dns_profiles.seen(&("vpc-1".into(), "rp-1".into())).map(|row| row.value.priority),
        Some(Some(100))
    );
    let held = &world.network.dns_profile_resources.seen(&"rp-1".into()).unwrap().value;
    assert_eq!(held[0].hosted_zone(), Some("Z1".into()));
    assert_eq!(held[1].vpc_endpoint(), Some("vpce-1".into()));
    assert_eq!((held[2].resolver_rule(), held[2].hosted_zone()), (Some("rslvr-rr-1".into()), None));
    let rule = &world.network.resolver_rules.seen(&"rslvr-rr-1".into()).unwrap().value;
    assert_eq!((rule.domain_name.as_deref(), rule.target_ips.len()), (Some("corp.example."), 1));
    assert!(world.network.resolver_rule_associations.seen(&("vpc-1".into(), "rslvr-rr-1".into())).is_some());
    let config = &world.image_configs.seen(&("r".to_owned(), "sha256:1".to_owned())).unwrap().value;
    assert_eq!((config.architecture.as_deref(), config.created), (Some("arm64"), None));
    let said: Vec<(&str, bool)> =
        world.statements.iter().map(|s| (s.text.as_str(), s.is_error_seen)).collect();
    assert_eq!(said, [("Runtime health check failed", true), ("it broke", false)]);
    assert_eq!(world.inspections[0].distributions.len(), 1);
}
