"""Build a runtime in VPC mode on an AWS emulator, healthy or with exactly one thing broken.

    .venv/bin/python tests/moto/world.py http://127.0.0.1:5000 [--isolated] [--break NAME]

The healthy world reaches ECR, S3 and CloudWatch Logs through VPC endpoints and has a NAT gateway as
well; `--isolated` has endpoints only. A break leaves one fault and nothing that would heal it: where
a NAT gateway or the endpoints would still carry the traffic, they are not built. One JSON line with
the ids is printed, for the tests.

The emulator calls every runtime READY, so only faults that can come after READY are built: a zone or
an image that the service refuses at creation would contradict it.

Start reading at `build` and `BREAKS`.
"""

import argparse
import hashlib
import json
from dataclasses import dataclass, field

import boto3

REGION = "us-east-1"
# The zone ids that AgentCore supports in us-east-1.
SUPPORTED_ZONES = ("use1-az1", "use1-az2", "use1-az4")
ENDPOINTS = ("ecr.api", "ecr.dkr", "logs")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
TCP_443 = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}

# What each break leaves out of the world besides its fault: "nat" or "endpoints".
BREAKS = {
    "endpoint_removed": {"without": {"nat"}, "fault": "net.missing_vpc_endpoint"},
    "s3_gateway_removed": {"without": {"nat"}, "fault": "net.s3_path_missing"},
    "endpoint_sg_blocks": {"without": set(), "fault": "net.endpoint_sg_blocks"},
    "egress_removed": {"without": set(), "fault": "net.runtime_sg_egress_blocks"},
    "igw_instead_of_nat": {"without": {"nat", "endpoints"}, "fault": "net.public_subnet_no_nat"},
    "no_route_out": {"without": {"endpoints", "nat"}, "fault": "net.no_egress_route"},
    "nacl_blocks_return": {"without": {"endpoints"}, "fault": "net.nacl"},
    "dns_off": {"without": {"nat"}, "fault": "net.dns_off"},
    "trust_wrong": {"without": set(), "fault": "iam.trust_policy"},
    "tag_deleted": {"without": set(), "fault": "image.tag_missing"},
}


@dataclass
class World:
    """The clients, and what was built so far."""

    url: str
    broken: str | None
    without: set = field(default_factory=set)
    account: str = ""
    vpc: str = ""
    public: str = ""
    private: list = field(default_factory=list)
    private_tables: list = field(default_factory=list)
    gateway: str = ""
    runtime_group: str = ""
    endpoint_group: str = ""
    role: str = ""
    image: str = ""

    def client(self, service):
        """A client of the emulator; it takes any credentials."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


def build(url, isolated, broken):
    """Build the world and return what a test needs to know about it."""
    without = set(BREAKS[broken]["without"]) if broken else set()
    if isolated:
        without.add("nat")
    world = World(url, broken, without)
    world.account = world.client("sts").get_caller_identity()["Account"]
    build_vpc(world)
    build_routes(world)
    build_groups(world)
    build_endpoints(world)
    build_interfaces(world)
    settle_interfaces(world)
    build_roles(world)
    build_image(world)
    return build_runtime(world)


def build_vpc(world):
    """A VPC with one public and two private subnets, in zones that are supported."""
    ec2 = world.client("ec2")
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    names = {zone["ZoneId"]: zone["ZoneName"] for zone in zones}
    supported = [names[zone] for zone in SUPPORTED_ZONES]
    world.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    on = world.broken != "dns_off"
    ec2.modify_vpc_attribute(VpcId=world.vpc, EnableDnsSupport={"Value": on})
    ec2.modify_vpc_attribute(VpcId=world.vpc, EnableDnsHostnames={"Value": on})
    world.public = subnet(world, "10.0.0.0/24", supported[0])
    world.private = [subnet(world, "10.0.1.0/24", supported[0]), subnet(world, "10.0.2.0/24", supported[1])]


def subnet(world, cidr, zone):
    """One subnet."""
    ec2 = world.client("ec2")
    made = ec2.create_subnet(VpcId=world.vpc, CidrBlock=cidr, AvailabilityZone=zone)
    return made["Subnet"]["SubnetId"]


def build_routes(world):
    """The public subnet leads to the internet gateway, the private ones to the NAT gateway."""
    ec2 = world.client("ec2")
    world.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=world.gateway, VpcId=world.vpc)
    table = route_table(world, world.public)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=world.gateway)
    world.private_tables = [route_table(world, subnet) for subnet in world.private]
    target = None
    if world.broken == "igw_instead_of_nat":
        target = {"GatewayId": world.gateway}
    elif "nat" not in world.without:
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=world.public, AllocationId=address)
        target = {"NatGatewayId": nat["NatGateway"]["NatGatewayId"]}
    if target:
        for table in world.private_tables:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    if world.broken == "nacl_blocks_return":
        block_return(world)


def route_table(world, subnet_id):
    """A route table of its own for a subnet."""
    ec2 = world.client("ec2")
    table = ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    return table


def block_return(world):
    """A network ACL for the private subnets that lets requests out and no answer in."""
    ec2 = world.client("ec2")
    acl = ec2.create_network_acl(VpcId=world.vpc)["NetworkAcl"]["NetworkAclId"]
    rules = [
        {"RuleNumber": 100, "Egress": True, "Protocol": "-1"},
        {"RuleNumber": 100, "Egress": False, "Protocol": "6", "PortRange": {"From": 443, "To": 443}},
    ]
    for rule in rules:
        ec2.create_network_acl_entry(NetworkAclId=acl, RuleAction="allow", CidrBlock="0.0.0.0/0", **rule)
    for found in ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [world.vpc]}])["NetworkAcls"]:
        for association in found["Associations"]:
            if association["SubnetId"] in world.private:
                ec2.replace_network_acl_association(
                    AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
                )


def build_groups(world):
    """The runtime may reach 443 anywhere; the endpoints admit the runtime."""
    ec2 = world.client("ec2")
    world.runtime_group = group(world, "runtime")
    world.endpoint_group = group(world, "endpoints")
    anything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    for group_id in (world.runtime_group, world.endpoint_group):
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=anything)
    if world.broken != "egress_removed":
        everywhere = [{**TCP_443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.authorize_security_group_egress(GroupId=world.runtime_group, IpPermissions=everywhere)
    admitted = {"UserIdGroupPairs": [{"GroupId": world.runtime_group}]}
    if world.broken == "endpoint_sg_blocks":
        admitted = {"IpRanges": [{"CidrIp": "10.9.0.0/16"}]}
    ec2.authorize_security_group_ingress(
        GroupId=world.endpoint_group, IpPermissions=[{**TCP_443, **admitted}]
    )


def group(world, name):
    """A security group without inbound rules."""
    ec2 = world.client("ec2")
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=world.vpc)
    return made["GroupId"]


def build_endpoints(world):
    """Interface endpoints with private DNS and the S3 gateway, unless the break is without."""
    if "endpoints" in world.without:
        return
    ec2 = world.client("ec2")
    for name in ENDPOINTS:
        if world.broken == "endpoint_removed" and name == "ecr.dkr":
            continue
        ec2.create_vpc_endpoint(
            VpcId=world.vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{name}",
            SubnetIds=world.private,
            SecurityGroupIds=[world.endpoint_group],
            PrivateDnsEnabled=True,
        )
    if world.broken != "s3_gateway_removed":
        ec2.create_vpc_endpoint(
            VpcId=world.vpc,
            VpcEndpointType="Gateway",
            ServiceName=f"com.amazonaws.{REGION}.s3",
            RouteTableIds=world.private_tables,
        )


def build_interfaces(world):
    """The interfaces as AgentCore leaves them: tagged, without a description."""
    ec2 = world.client("ec2")
    for subnet_id in world.private:
        made = ec2.create_network_interface(SubnetId=subnet_id, Groups=[world.runtime_group])
        ec2.create_tags(
            Resources=[made["NetworkInterface"]["NetworkInterfaceId"]],
            Tags=[{"Key": "AmazonBedrockAgentCoreManaged", "Value": "true"}],
        )


def settle_interfaces(world):
    """What AWS does and the emulator does not: interfaces in use, those of endpoints in their group."""
    ec2 = world.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    carrier = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=world.public)
    carrier = carrier["Instances"][0]["InstanceId"]
    in_vpc = [{"Name": "vpc-id", "Values": [world.vpc]}]
    endpoints = ec2.describe_vpc_endpoints(Filters=in_vpc)["VpcEndpoints"]
    of_endpoints = {eni for endpoint in endpoints for eni in endpoint.get("NetworkInterfaceIds", [])}
    idle = [{"Name": "status", "Values": ["available"]}, *in_vpc]
    for index, found in enumerate(ec2.describe_network_interfaces(Filters=idle)["NetworkInterfaces"]):
        eni = found["NetworkInterfaceId"]
        if eni in of_endpoints:
            ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[world.endpoint_group])
        ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=carrier, DeviceIndex=index + 1)


def trust(service, **condition):
    """A trust policy for a service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def build_roles(world):
    """The execution role, and the network service-linked role under its real name."""
    iam = world.client("iam")
    service = "bedrock.amazonaws.com" if world.broken == "trust_wrong" else "bedrock-agentcore.amazonaws.com"
    condition = {
        "StringEquals": {"aws:SourceAccount": world.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock-agentcore:{REGION}:{world.account}:*"},
    }
    document = trust(service, Condition=condition)
    made = iam.create_role(RoleName="agent-execution", AssumeRolePolicyDocument=document)
    world.role = made["Role"]["Arn"]
    repository = f"arn:aws:ecr:{REGION}:{world.account}:repository/agent"
    logs = f"arn:aws:logs:{REGION}:{world.account}:log-group"
    allow = lambda actions, resource: {"Effect": "Allow", "Action": actions, "Resource": resource}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], repository),
            allow("ecr:GetAuthorizationToken", "*"),
            allow(["logs:CreateLogGroup", "logs:DescribeLogStreams"], f"{logs}:/aws/bedrock-agentcore/runtimes/*"),
            allow("logs:DescribeLogGroups", f"{logs}:*"),
            allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                f"{logs}:/aws/bedrock-agentcore/runtimes/*:log-stream:*",
            ),
        ],
    }
    iam.put_role_policy(RoleName="agent-execution", PolicyName="agent", PolicyDocument=json.dumps(policy))
    models = json.dumps({"Version": "2012-10-17", "Statement": [allow("bedrock:InvokeModel", "*")]})
    attached = iam.create_policy(PolicyName="agent-models", PolicyDocument=models)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="agent-execution", PolicyArn=attached)
    iam.create_role(
        RoleName="AWSServiceRoleForBedrockAgentCoreNetwork",
        Path="/aws-service-role/network.bedrock-agentcore.amazonaws.com/",
        AssumeRolePolicyDocument=trust("network.bedrock-agentcore.amazonaws.com"),
    )


def digest(text):
    """The digest of a blob as registries write it."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def build_image(world):
    """A repository with an image index of one platform; the emulator keeps no blobs."""
    ecr = world.client("ecr")
    world.image = ecr.create_repository(repositoryName="agent")["repository"]["repositoryUri"]
    config = json.dumps({"architecture": "arm64", "os": "linux"})
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest("layer"), "size": 5}
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": [layer]}
    text = json.dumps(manifest)
    child = digest(text)
    ecr.put_image(repositoryName="agent", imageManifest=text, imageManifestMediaType=MANIFEST, imageDigest=child)
    platform = {"architecture": "arm64", "os": "linux"}
    entry = {"mediaType": MANIFEST, "digest": child, "size": len(text), "platform": platform}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    ecr.put_image(repositoryName="agent", imageManifest=index, imageManifestMediaType=INDEX, imageTag="v1")
    if world.broken == "tag_deleted":
        ecr.batch_delete_image(repositoryName="agent", imageIds=[{"imageTag": "v1"}])


def build_runtime(world):
    """The runtime itself, and its empty log group."""
    control = world.client("bedrock-agentcore-control")
    made = control.create_agent_runtime(
        agentRuntimeName="agent",
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": f"{world.image}:v1"}},
        roleArn=world.role,
        networkConfiguration={
            "networkMode": "VPC",
            "networkModeConfig": {"subnets": world.private, "securityGroups": [world.runtime_group]},
        },
        environmentVariables={"STAGE": "prod", "API_KEY": "not-for-the-bundle"},
    )
    runtime = made["agentRuntimeId"]
    logs = world.client("logs")
    logs.create_log_group(logGroupName=f"/aws/bedrock-agentcore/runtimes/{runtime}-DEFAULT")
    return {
        "runtime": runtime,
        "arn": made["agentRuntimeArn"],
        "account": world.account,
        "region": REGION,
        "vpc": world.vpc,
        "subnets": world.private,
        "security_group": world.runtime_group,
        "expected_fault": BREAKS[world.broken]["fault"] if world.broken else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="address of the emulator")
    parser.add_argument("--isolated", action="store_true", help="endpoints only, no NAT gateway")
    parser.add_argument("--break", dest="broken", choices=sorted(BREAKS), help="the one fault")
    options = parser.parse_args()
    print(json.dumps(build(options.url, options.isolated, options.broken)))


if __name__ == "__main__":
    main()
