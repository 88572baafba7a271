//! The evidence of a launch: what the AWS CLI would answer to somebody who asks carefully, as a bundle.

use serde_json::{Value, json};

use crate::deployment::{ACCOUNT, Deployment, Exit, Peer, REGION, everything, port_of};
use crate::service::{Ending, Launch};

/// Times of the story, by the age of the runtime.
pub(crate) struct Times {
    pub(crate) created: &'static str,
    pub(crate) network: &'static str,
    pub(crate) ready: &'static str,
    pub(crate) called: &'static str,
    pub(crate) collected: &'static str,
}

impl Times {
    pub(crate) fn of(d: &Deployment) -> Self {
        Self {
            created: if d.old { "2026-03-11T08:00:00Z" } else { "2026-10-20T08:00:00Z" },
            network: if d.old { "2026-03-11T08:00:30Z" } else { "2026-10-20T08:00:30Z" },
            ready: if d.old { "2026-03-11T08:05:00Z" } else { "2026-10-20T08:05:00Z" },
            called: "2026-10-20T09:00:00Z",
            collected: "2026-10-20T09:40:00Z",
        }
    }
}

/// The bundle.
pub(crate) fn bundle(d: &Deployment, launch: &Launch) -> Value {
    let times = Times::of(d);
    let mut calls = Calls { list: Vec::new(), at: times.collected };
    calls.ok("sts", "GetCallerIdentity", json!({}), json!({
        "Account": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:user/engineer"), "UserId": "AIDACKCEVSQ6C2EXAMPLE",
    }));
    runtime(d, launch, &times, &mut calls);
    if d.topology.in_vpc() {
        network(d, launch, &mut calls);
    }
    iam(d, &mut calls);
    image(d, &mut calls);
    logs(d, launch, &times, &mut calls);
    trail(d, launch, &times, &mut calls);
    // Where nothing was made there is a name, and no id.
    let subject = if matches!(launch.ending, Ending::Refused { .. }) { d.name.clone() } else { d.id() };
    json!({
        "format": "launchpath-bundle/1", "collected_at": times.collected, "collector": "accuracy suite",
        "account": ACCOUNT, "region": REGION, "partition": "aws",
        "subject": { "runtime": subject, "endpoint": "DEFAULT" },
        "calls": calls.list,
    })
}

struct Calls {
    list: Vec<Value>,
    at: &'static str,
}

impl Calls {
    fn push(&mut self, service: &str, operation: &str, request: Value, mut rest: Value) {
        let id = format!("c{}", self.list.len() + 1);
        let region = if matches!(service, "iam" | "launchpath") { Value::Null } else { json!(REGION) };
        let call = rest.as_object_mut().expect("the rest of a call is an object");
        call.insert("id".into(), json!(id));
        call.insert("service".into(), json!(service));
        call.insert("operation".into(), json!(operation));
        call.insert("request".into(), request);
        call.entry("at").or_insert_with(|| json!(self.at));
        if !region.is_null() {
            call.insert("region".into(), region);
        }
        self.list.push(rest);
    }

    #[expect(clippy::needless_pass_by_value, reason = "the answer is built where it is given")]
    fn ok(&mut self, service: &str, operation: &str, request: Value, response: Value) {
        self.push(service, operation, request, json!({ "outcome": "ok", "response": response }));
    }

    fn not_found(&mut self, service: &str, operation: &str, request: Value, code: &str) {
        let error = json!({ "code": code, "message": "it does not exist", "http": 404 });
        self.push(service, operation, request, json!({ "outcome": "not_found", "error": error }));
    }
}

fn runtime(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    let control = "bedrock-agentcore-control";
    let asked = json!({ "agentRuntimeId": d.id() });
    if let Ending::Refused { code, message } = &launch.ending {
        let http = if *code == "AccessDeniedException" { 403 } else { 400 };
        calls.push(
            control,
            "CreateAgentRuntime",
            request(d),
            json!({
                "outcome": if http == 403 { "denied" } else { "error" }, "at": times.called,
                "error": { "code": code, "message": message, "http": http },
            }),
        );
        calls.ok(control, "ListAgentRuntimes", json!({}), json!({ "agentRuntimes": [] }));
        return;
    }
    let (status, reason) = match &launch.ending {
        Ending::CreateFailed { reason } => ("CREATE_FAILED", Some(reason)),
        _ => ("READY", None),
    };
    let mut description = request(d);
    let more = json!({
        "agentRuntimeArn": d.arn(), "agentRuntimeId": d.id(), "agentRuntimeVersion": "1", "status": status,
        "createdAt": times.created, "lastUpdatedAt": times.ready, "platformVersion": if d.v2 { "V2" } else { "V1" },
        "metadataConfiguration": { "requireMMDSV2": d.mmdsv2 },
        "lifecycleConfiguration": { "idleRuntimeSessionTimeout": 900, "maxLifetime": 28800 },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        description[name] = value.clone();
    }
    if let Some(reason) = reason {
        description["failureReason"] = json!(reason);
    }
    calls.ok(control, "GetAgentRuntime", asked.clone(), description);
    let mut endpoint = json!({
        "name": "DEFAULT", "id": "DEFAULT", "agentRuntimeArn": d.arn(), "status": status,
        "agentRuntimeEndpointArn": format!("{}/runtime-endpoint/DEFAULT", d.arn()),
        "createdAt": times.created, "lastUpdatedAt": times.ready,
    });
    if status == "READY" {
        endpoint["liveVersion"] = json!("1");
    }
    calls.ok(control, "ListAgentRuntimeEndpoints", asked, json!({ "runtimeEndpoints": [endpoint] }));
    let invoked = json!({ "agentRuntimeArn": d.arn(), "qualifier": "DEFAULT" });
    match &launch.ending {
        Ending::CallFailed { code, message, http } => calls.push("bedrock-agentcore", "InvokeAgentRuntime", invoked, json!({
            "outcome": if *http == 403 { "denied" } else { "error" }, "at": times.called,
            "error": { "code": code, "message": message, "http": http },
        })),
        Ending::Answered => calls.push("bedrock-agentcore", "InvokeAgentRuntime", invoked, json!({
            "outcome": "ok", "at": times.called,
            "response": { "statusCode": 200, "contentType": "application/json", "runtimeSessionId": "s".repeat(33) },
        })),
        Ending::Refused { .. } | Ending::CreateFailed { .. } | Ending::NotCalled => {}
    }
}

fn request(d: &Deployment) -> Value {
    let mut request = json!({
        "agentRuntimeName": d.name,
        "roleArn": d.role_arn(),
        "agentRuntimeArtifact": { "containerConfiguration": { "containerUri": d.image() } },
        "protocolConfiguration": { "serverProtocol": d.protocol },
        "networkConfiguration": { "networkMode": "PUBLIC" },
        "environmentVariables": { "MODEL_ID": "***" },
    });
    if d.topology.in_vpc() {
        let subnets: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
        request["networkConfiguration"] = json!({
            "networkMode": "VPC", "networkModeConfig": { "subnets": subnets, "securityGroups": [d.runtime_group] },
        });
    }
    request
}

const NAT: &str = "nat-0aaaabbbbccccdddd";
const IGW: &str = "igw-0aaaabbbbccccdddd";
const TGW: &str = "tgw-0aaaabbbbccccdddd";
const S3_LIST: &str = "pl-63a5400a";
const PUBLIC_SUBNET: &str = "subnet-0pub0000000000000";
const TABLE: &str = "rtb-0aaaabbbbccccdddd";
const ACL: &str = "acl-0aaaabbbbccccdddd";

fn network(d: &Deployment, launch: &Launch, calls: &mut Calls) {
    let ids: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let subnet = |id: &str, zone: &str, zone_id: &str, octet: u8, free: u32| {
        json!({
            "SubnetId": id, "VpcId": d.vpc, "AvailabilityZone": zone, "AvailabilityZoneId": zone_id, "State": "available",
            "CidrBlock": format!("10.0.{octet}.0/24"), "AvailableIpAddressCount": free, "OwnerId": ACCOUNT,
            "MapPublicIpOnLaunch": false, "Ipv6CidrBlockAssociationSet": [], "Tags": [],
        })
    };
    let own: Vec<Value> =
        d.subnets.iter().map(|s| subnet(&s.id, s.zone, s.zone_id, s.third_octet, s.free_addresses)).collect();
    calls.ok("ec2", "DescribeSubnets", json!({ "SubnetIds": ids }), json!({ "Subnets": own }));
    let of_vpc = json!({ "Filters": [{ "Name": "vpc-id", "Values": [d.vpc] }] });
    calls.ok("ec2", "DescribeVpcs", json!({ "VpcIds": [d.vpc] }), json!({ "Vpcs": [{
        "VpcId": d.vpc, "CidrBlock": "10.0.0.0/16", "State": "available", "IsDefault": false, "OwnerId": ACCOUNT,
        "DhcpOptionsId": "dopt-0aaaabbbbccccdddd", "Ipv6CidrBlockAssociationSet": [], "Tags": [],
        "CidrBlockAssociationSet": [{ "AssociationId": "vpc-cidr-assoc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockState": { "State": "associated" } }],
    }] }));
    for (asked, member, value) in [
        ("enableDnsSupport", "EnableDnsSupport", d.dns_support),
        ("enableDnsHostnames", "EnableDnsHostnames", d.dns_hostnames),
    ] {
        let request = json!({ "VpcId": d.vpc, "Attribute": asked });
        calls.ok(
            "ec2",
            "DescribeVpcAttribute",
            request,
            json!({ "VpcId": d.vpc, member: { "Value": value } }),
        );
    }
    calls.ok("ec2", "DescribeDhcpOptions", json!({ "DhcpOptionsIds": ["dopt-0aaaabbbbccccdddd"] }), json!({ "DhcpOptions": [{
        "DhcpOptionsId": "dopt-0aaaabbbbccccdddd", "OwnerId": ACCOUNT,
        "DhcpConfigurations": [{ "Key": "domain-name-servers", "Values": [{ "Value": "AmazonProvidedDNS" }] }],
    }] }));
    calls.ok("ec2", "DescribeRouteTables", of_vpc.clone(), json!({ "RouteTables": tables(d) }));
    calls.ok("ec2", "DescribeNetworkAcls", of_vpc.clone(), json!({ "NetworkAcls": acls(d) }));
    calls.ok(
        "ec2",
        "DescribeSecurityGroups",
        json!({ "Filters": [{ "Name": "vpc-id", "Values": [d.vpc] }] }),
        json!({ "SecurityGroups": groups(d) }),
    );
    calls.ok(
        "ec2",
        "DescribeManagedPrefixLists",
        json!({}),
        json!({ "PrefixLists": [{
        "PrefixListId": S3_LIST, "AddressFamily": "IPv4", "State": "create-complete", "OwnerId": "AWS",
        "PrefixListName": format!("com.amazonaws.{REGION}.s3"),
    }] }),
    );
    calls.ok("ec2", "DescribeVpcEndpoints", of_vpc, json!({ "VpcEndpoints": endpoints(d) }));
    let nat = (d.exit == Exit::Nat).then(|| json!({
        "NatGatewayId": NAT, "VpcId": d.vpc, "SubnetId": PUBLIC_SUBNET, "State": "available", "ConnectivityType": "public",
        "NatGatewayAddresses": [{ "PublicIp": "203.0.113.7", "PrivateIp": "10.0.200.8", "NetworkInterfaceId": "eni-0nat" }],
    }));
    let nat: Vec<Value> = nat.into_iter().collect();
    calls.ok(
        "ec2",
        "DescribeNatGateways",
        json!({ "Filter": [{ "Name": "vpc-id", "Values": [d.vpc] }] }),
        json!({ "NatGateways": nat }),
    );
    let gateway = matches!(d.exit, Exit::Nat | Exit::InternetGateway);
    let gateways: Vec<Value> = gateway
        .then(|| json!({ "InternetGatewayId": IGW, "Attachments": [{ "VpcId": d.vpc, "State": "available" }], "OwnerId": ACCOUNT }))
        .into_iter()
        .collect();
    calls.ok(
        "ec2",
        "DescribeInternetGateways",
        json!({ "Filters": [{ "Name": "attachment.vpc-id", "Values": [d.vpc] }] }),
        json!({ "InternetGateways": gateways }),
    );
    if d.exit == Exit::Nat {
        let row = subnet(PUBLIC_SUBNET, "us-east-1a", "use1-az1", 200, 240);
        calls.ok(
            "ec2",
            "DescribeSubnets",
            json!({ "SubnetIds": [PUBLIC_SUBNET] }),
            json!({ "Subnets": [row] }),
        );
    }
    if d.exit == Exit::TransitGateway {
        calls.ok("ec2", "DescribeTransitGatewayAttachments", json!({ "Filters": [{ "Name": "resource-id", "Values": [d.vpc] }] }), json!({
            "TransitGatewayAttachments": [{
                "TransitGatewayAttachmentId": "tgw-attach-0aaaabbbbccccdddd", "TransitGatewayId": TGW, "ResourceType": "vpc",
                "ResourceId": d.vpc, "ResourceOwnerId": ACCOUNT, "TransitGatewayOwnerId": "444455556666", "State": "available",
            }],
        }));
    }
    let interfaces: Vec<Value> = d
        .subnets
        .iter()
        .filter(|_| launch.interfaces)
        .enumerate()
        .map(|(n, s)| {
            let address = format!("10.0.{}.{}", s.third_octet, 40 + n);
            json!({
                "NetworkInterfaceId": format!("eni-0{:016x}", 0xabc0 + n), "SubnetId": s.id, "VpcId": d.vpc, "AvailabilityZone": s.zone,
                "PrivateIpAddress": address, "PrivateIpAddresses": [{ "Primary": true, "PrivateIpAddress": address }],
                "Description": "", "InterfaceType": "agentic_ai", "Status": "in-use", "OwnerId": ACCOUNT, "Ipv6Addresses": [],
                "Groups": [{ "GroupId": d.runtime_group, "GroupName": "runtime" }], "SourceDestCheck": true,
                "TagSet": [{ "Key": "AmazonBedrockAgentCoreManaged", "Value": "true" }],
                "Attachment": { "AttachmentId": format!("ela-attach-{n}"), "Status": "attached", "DeviceIndex": 1, "InstanceOwnerId": "amazon-aws" },
            })
        })
        .collect();
    calls.ok(
        "ec2",
        "DescribeNetworkInterfaces",
        json!({ "Filters": [{ "Name": "subnet-id", "Values": ids }] }),
        json!({ "NetworkInterfaces": interfaces }),
    );
}

fn tables(d: &Deployment) -> Vec<Value> {
    let local = json!({ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active" });
    let mut routes = vec![local.clone()];
    let default = |member: &str, target: &str| json!({ "DestinationCidrBlock": "0.0.0.0/0", member: target, "Origin": "CreateRoute", "State": "active" });
    match d.exit {
        Exit::Nowhere => {}
        Exit::Nat => routes.push(default("NatGatewayId", NAT)),
        Exit::InternetGateway => routes.push(default("GatewayId", IGW)),
        Exit::TransitGateway => routes.push(default("TransitGatewayId", TGW)),
    }
    if d.s3_gateway && d.s3_gateway_on_table {
        routes.push(json!({ "DestinationPrefixListId": S3_LIST, "GatewayId": "vpce-0s3gateway0000000", "Origin": "CreateRoute", "State": "active" }));
    }
    let table = |id: &str, subnets: Vec<&str>, routes: Vec<Value>| {
        let associations: Vec<Value> = subnets
            .into_iter()
            .enumerate()
            .map(|(n, subnet)| json!({
                "RouteTableAssociationId": format!("rtbassoc-{id}-{n}"), "RouteTableId": id, "SubnetId": subnet, "Main": false,
                "AssociationState": { "State": "associated" },
            }))
            .collect();
        json!({ "RouteTableId": id, "VpcId": d.vpc, "OwnerId": ACCOUNT, "PropagatingVgws": [], "Tags": [], "Associations": associations, "Routes": routes })
    };
    let mut all = vec![table(TABLE, d.subnets.iter().map(|s| s.id.as_str()).collect(), routes)];
    if d.exit == Exit::Nat {
        all.push(table("rtb-0public000000000", vec![PUBLIC_SUBNET], vec![local, default("GatewayId", IGW)]));
    }
    all
}

fn acls(d: &Deployment) -> Vec<Value> {
    let mut entries: Vec<Value> = d
        .acl
        .iter()
        .map(|entry| {
            let mut row = json!({
                "RuleNumber": entry.number, "Egress": entry.egress, "Protocol": entry.protocol,
                "RuleAction": if entry.allow { "allow" } else { "deny" }, "CidrBlock": "0.0.0.0/0",
            });
            if let Some((from, to)) = entry.ports {
                row["PortRange"] = json!({ "From": from, "To": to });
            }
            row
        })
        .collect();
    for egress in [true, false] {
        entries.push(json!({ "RuleNumber": 32767, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" }));
    }
    let open: Vec<Value> = entries.iter().filter(|entry| entry["RuleNumber"] != 90).cloned().collect();
    let acl = |id: &str, subnets: Vec<&str>, entries: Vec<Value>| {
        let associations: Vec<Value> = subnets
            .into_iter()
            .map(|subnet| json!({ "NetworkAclAssociationId": format!("aclassoc-{subnet}"), "NetworkAclId": id, "SubnetId": subnet }))
            .collect();
        json!({ "NetworkAclId": id, "VpcId": d.vpc, "IsDefault": id != ACL, "OwnerId": ACCOUNT, "Tags": [], "Associations": associations, "Entries": entries })
    };
    let mut all = vec![acl(ACL, d.subnets.iter().map(|s| s.id.as_str()).collect(), entries)];
    let others = if d.exit == Exit::Nat { vec![PUBLIC_SUBNET] } else { Vec::new() };
    all.push(acl("acl-0default00000000", others, open));
    all
}

fn groups(d: &Deployment) -> Vec<Value> {
    let rules = |peers: &[Peer], every_port: bool| -> Vec<Value> {
        peers
            .iter()
            .map(|peer| {
                let mut rule = json!({ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [] });
                match peer {
                    Peer::Anywhere => {
                        rule["IpRanges"] = json!([{ "CidrIp": "0.0.0.0/0" }]);
                        if every_port {
                            rule["IpProtocol"] = json!("-1");
                            let members = rule.as_object_mut().expect("a rule is an object");
                            members.remove("FromPort");
                            members.remove("ToPort");
                        }
                    }
                    Peer::Group(group) => rule["UserIdGroupPairs"] = json!([{ "GroupId": group, "UserId": ACCOUNT }]),
                    Peer::Block(block) => rule["IpRanges"] = json!([{ "CidrIp": block }]),
                }
                rule
            })
            .collect()
    };
    let group = |id: &str, name: &str, ingress: Vec<Value>, egress: Vec<Value>| {
        json!({
            "GroupId": id, "GroupName": name, "VpcId": d.vpc, "OwnerId": ACCOUNT, "Description": name, "Tags": [],
            "IpPermissions": ingress, "IpPermissionsEgress": egress,
        })
    };
    let mut all = vec![group(&d.runtime_group, "runtime", Vec::new(), rules(&d.egress, true))];
    if d.topology.has_endpoints() {
        all.push(group(
            &d.endpoint_group,
            "endpoints",
            rules(&d.endpoint_ingress, false),
            rules(&[Peer::Anywhere], true),
        ));
    }
    all
}

fn endpoints(d: &Deployment) -> Vec<Value> {
    let subnets: Vec<&str> = d.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let mut all: Vec<Value> = d
        .endpoints
        .iter()
        .map(|endpoint| {
            json!({
                "VpcEndpointId": format!("vpce-0{}", endpoint.service.replace('.', "")), "VpcEndpointType": "Interface", "VpcId": d.vpc,
                "ServiceName": format!("com.amazonaws.{REGION}.{}", endpoint.service), "State": "available",
                "PolicyDocument": everything().to_string(), "RouteTableIds": [], "SubnetIds": subnets,
                "Groups": [{ "GroupId": d.endpoint_group, "GroupName": "endpoints" }], "PrivateDnsEnabled": endpoint.private_dns,
                "NetworkInterfaceIds": [], "OwnerId": ACCOUNT,
            })
        })
        .collect();
    if d.s3_gateway {
        let tables: Vec<&str> = if d.s3_gateway_on_table { vec![TABLE] } else { Vec::new() };
        all.push(json!({
            "VpcEndpointId": "vpce-0s3gateway0000000", "VpcEndpointType": "Gateway", "VpcId": d.vpc,
            "ServiceName": format!("com.amazonaws.{REGION}.s3"), "State": "available", "PolicyDocument": d.s3_policy.to_string(),
            "RouteTableIds": tables, "SubnetIds": [], "Groups": [], "PrivateDnsEnabled": false, "NetworkInterfaceIds": [], "OwnerId": ACCOUNT,
        }));
    }
    all
}

fn iam(d: &Deployment, calls: &mut Calls) {
    let network = "AWSServiceRoleForBedrockAgentCoreNetwork";
    if d.topology.in_vpc() {
        let asked = json!({ "RoleName": network });
        if d.network_role {
            calls.ok("iam", "GetRole", asked, json!({ "Role": {
                "RoleName": network, "Path": "/aws-service-role/network.bedrock-agentcore.amazonaws.com/", "RoleId": "AROAEXAMPLENETWORK",
                "Arn": format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/network.bedrock-agentcore.amazonaws.com/{network}"),
                "CreateDate": "2026-01-01T00:00:00Z",
            } }));
        } else {
            calls.not_found("iam", "GetRole", asked, "NoSuchEntity");
        }
    }
    let role = d.role();
    let asked = json!({ "RoleName": role });
    calls.ok("iam", "GetRole", asked.clone(), json!({ "Role": {
        "RoleName": role, "Path": "/", "Arn": d.role_arn(), "RoleId": "AROAEXAMPLEAGENT", "CreateDate": "2026-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": d.trust,
    } }));
    calls.ok("iam", "ListRolePolicies", asked.clone(), json!({ "PolicyNames": ["agent"] }));
    calls.ok("iam", "GetRolePolicy", json!({ "RoleName": role, "PolicyName": "agent" }), json!({
        "RoleName": role, "PolicyName": "agent", "PolicyDocument": { "Version": "2012-10-17", "Statement": d.policy },
    }));
    calls.ok("iam", "ListAttachedRolePolicies", asked, json!({ "AttachedPolicies": [] }));
}

fn image(d: &Deployment, calls: &mut Calls) {
    let (digest, config) = (format!("sha256:{}", "1a".repeat(32)), format!("sha256:{}", "2b".repeat(32)));
    let asked = json!({ "repositoryName": d.name, "imageIds": [{ "imageTag": "v3" }] });
    if !d.image_there {
        calls.not_found("ecr", "DescribeImages", asked, "ImageNotFoundException");
        calls.not_found(
            "ecr",
            "GetRepositoryPolicy",
            json!({ "repositoryName": d.name }),
            "RepositoryPolicyNotFoundException",
        );
        return;
    }
    let pushed = match (d.pushed_again, d.old) {
        (true, _) => "2026-10-20T08:40:00Z",
        (false, true) => "2026-03-10T17:00:00Z",
        (false, false) => "2026-10-19T17:00:00Z",
    };
    let media = "application/vnd.oci.image.manifest.v1+json";
    calls.ok("ecr", "DescribeImages", asked, json!({ "imageDetails": [{
        "registryId": ACCOUNT, "repositoryName": d.name, "imageDigest": digest, "imageTags": ["v3"], "imageSizeInBytes": 465_000_000,
        "imagePushedAt": pushed, "imageManifestMediaType": media,
    }] }));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2000 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": format!("sha256:{}", "3c".repeat(32)), "size": 465_000_000 }],
    });
    calls.ok("ecr", "BatchGetImage", json!({ "repositoryName": d.name, "imageIds": [{ "imageDigest": digest }] }), json!({
        "images": [{ "registryId": ACCOUNT, "repositoryName": d.name, "imageId": { "imageDigest": digest }, "imageManifest": manifest.to_string(), "imageManifestMediaType": media }],
        "failures": [],
    }));
    let mut exposed = serde_json::Map::new();
    exposed.insert(format!("{}/tcp", port_of(d.protocol)), json!({}));
    calls.ok("launchpath", "GetImageConfig", json!({ "repositoryName": d.name, "digest": config }), json!({
        "architecture": d.image_arch, "os": "linux", "created": pushed,
        "config": {
            "User": "1000", "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Entrypoint": ["python", "main.py"], "WorkingDir": "/app",
            "ExposedPorts": exposed,
        },
    }));
    calls.not_found(
        "ecr",
        "GetRepositoryPolicy",
        json!({ "repositoryName": d.name }),
        "RepositoryPolicyNotFoundException",
    );
}

fn logs(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    let group = d.log_group();
    let prefix = format!("/aws/bedrock-agentcore/runtimes/{}", d.id());
    let asked = json!({ "logGroupName": group });
    let Some(lines) = &launch.log else {
        calls.ok(
            "logs",
            "DescribeLogGroups",
            json!({ "logGroupNamePrefix": prefix }),
            json!({ "logGroups": [] }),
        );
        calls.not_found("logs", "FilterLogEvents", asked, "ResourceNotFoundException");
        return;
    };
    calls.ok(
        "logs",
        "DescribeLogGroups",
        json!({ "logGroupNamePrefix": prefix }),
        json!({ "logGroups": [{ "logGroupName": group, "storedBytes": 0 }] }),
    );
    let at = if matches!(launch.ending, Ending::CreateFailed { .. }) { times.ready } else { times.called };
    let events: Vec<Value> = lines
        .iter()
        .map(|line| json!({ "logStreamName": "2026/10/20/[runtime-logs]5f3c2a10-aaaa-bbbb-cccc-0123456789ab", "timestamp": at, "ingestionTime": at, "message": line }))
        .collect();
    calls.ok("logs", "FilterLogEvents", asked, json!({ "events": events }));
}

fn trail(d: &Deployment, launch: &Launch, times: &Times, calls: &mut Calls) {
    let mut events = Vec::new();
    let mut event = |name: &str, source: &str, at: &str, more: Value| {
        let id = format!("e{}", events.len() + 1);
        let mut record = json!({ "eventVersion": "1.11", "eventID": id, "eventTime": at, "eventSource": source, "eventName": name, "awsRegion": REGION });
        for (member, value) in more.as_object().into_iter().flatten() {
            record[member] = value.clone();
        }
        events.push(json!({ "EventId": id, "EventName": name, "EventTime": at, "EventSource": source, "CloudTrailEvent": record.to_string() }));
    };
    // CloudTrail's event history goes back 90 days: of an old runtime's creation nothing is left.
    if !d.old {
        let user = json!({ "type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/engineer"), "accountId": ACCOUNT });
        let created = match &launch.ending {
            Ending::Refused { code, message } => {
                json!({ "userIdentity": user, "requestParameters": request(d), "errorCode": code, "errorMessage": message })
            }
            _ => {
                json!({ "userIdentity": user, "requestParameters": request(d), "responseElements": { "agentRuntimeId": d.id(), "agentRuntimeArn": d.arn(), "status": "CREATING" } })
            }
        };
        let at = if matches!(launch.ending, Ending::Refused { .. }) { times.called } else { times.created };
        event("CreateAgentRuntime", "bedrock-agentcore.amazonaws.com", at, created);
        let role = json!({ "type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/AgentCore"), "accountId": ACCOUNT });
        for subnet in d.subnets.iter().filter(|_| launch.interfaces || launch.dry_run_refused.is_some()) {
            let parameters =
                json!({ "subnetId": subnet.id, "groupSet": { "items": [{ "groupId": d.runtime_group }] } });
            let (code, message) = launch.dry_run_refused.clone().unwrap_or((
                "Client.DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.".to_owned(),
            ));
            event(
                "CreateNetworkInterface",
                "ec2.amazonaws.com",
                times.network,
                json!({
                    "userIdentity": role, "requestParameters": parameters, "errorCode": code, "errorMessage": message,
                }),
            );
            if launch.interfaces {
                let id = format!(
                    "eni-0{:016x}",
                    0xabc0 + d.subnets.iter().position(|s| s.id == subnet.id).unwrap_or_default()
                );
                event(
                    "CreateNetworkInterface",
                    "ec2.amazonaws.com",
                    times.network,
                    json!({
                        "userIdentity": role, "requestParameters": parameters,
                        "responseElements": { "networkInterface": { "networkInterfaceId": id, "subnetId": subnet.id, "vpcId": d.vpc } },
                    }),
                );
            }
        }
    }
    let mut assumed = |at: &str, session: &str| {
        event(
            "AssumeRole",
            "sts.amazonaws.com",
            at,
            json!({
                "userIdentity": { "type": "AWSService", "invokedBy": "bedrock-agentcore.amazonaws.com" },
                "requestParameters": { "roleArn": d.role_arn(), "roleSessionName": session, "durationSeconds": 3600 },
            }),
        );
    };
    if launch.built {
        assumed(times.network, "snapstart-build-DEFAULT");
    }
    if launch.placed {
        assumed(times.called, "AgentCore-MicroVM-1f2e3d4c-DEFAULT");
    }
    let start = if d.old { "2026-07-22T09:40:00Z" } else { "2026-10-20T07:55:00Z" };
    calls.ok(
        "cloudtrail",
        "LookupEvents",
        json!({ "StartTime": start, "EndTime": times.collected }),
        json!({ "Events": events }),
    );
}
