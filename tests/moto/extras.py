"""Add to a world what few VPCs have, so that every operation of the table has something to answer.

    .venv/bin/python tests/moto/extras.py http://127.0.0.1:5000 VPC SUBNET SECURITY_GROUP

A peering, a transit gateway, a customer-managed prefix list named in a rule and in a route, DHCP
options, a private zone, a resolver rule, log lines, and a second runtime whose code is a zip archive.
Its id is printed.
"""

import json
import sys
import time

from world import REGION, TCP_443, World, trust


def network(world, vpc, subnet, group):
    """Routes to a peer and a transit gateway, prefix list, DHCP options, private zone, resolver rule."""
    ec2 = world.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    hub = ec2.create_transit_gateway(Description="hub")["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=hub, VpcId=vpc, SubnetIds=[subnet])
    prefixes = ec2.create_managed_prefix_list(
        PrefixListName="offices",
        MaxEntries=2,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "192.0.2.0/24", "Description": "head office"}],
    )["PrefixList"]["PrefixListId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**TCP_443, "PrefixListIds": [{"PrefixListId": prefixes}]}]
    )
    tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    table = tables["RouteTables"][0]["RouteTableId"]
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="10.7.0.0/16",
        VpcPeeringConnectionId=peering["VpcPeeringConnectionId"],
    )
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.8.0.0/16", TransitGatewayId=hub)
    options = ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["10.0.0.53", "AmazonProvidedDNS"]}]
    )["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    route53 = world.client("route53")
    for name in ("corp.example", f"dkr.ecr.{REGION}.amazonaws.com"):
        zone = route53.create_hosted_zone(
            Name=name,
            CallerReference=name,
            VPC={"VPCRegion": REGION, "VPCId": vpc},
            HostedZoneConfig={"PrivateZone": True},
        )["HostedZone"]["Id"]
    records = [{"Value": "10.9.1.10"}, {"Value": "10.9.1.11"}]
    record = {"Name": f"*.{name}", "Type": "A", "TTL": 60, "ResourceRecords": records}
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    resolver = world.client("route53resolver")
    outbound = resolver.create_resolver_endpoint(
        CreatorRequestId="outbound",
        Name="outbound",
        Direction="OUTBOUND",
        SecurityGroupIds=[group],
        IpAddresses=[{"SubnetId": subnet}, {"SubnetId": subnet}],
    )["ResolverEndpoint"]["Id"]
    rule = resolver.create_resolver_rule(
        CreatorRequestId="corp",
        Name="corp",
        RuleType="FORWARD",
        DomainName="corp.example",
        TargetIps=[{"Ip": "192.0.2.53", "Port": 53}],
        ResolverEndpointId=outbound,
    )["ResolverRule"]["Id"]
    resolver.associate_resolver_rule(ResolverRuleId=rule, Name="corp", VPCId=vpc)


def zip_runtime(world, subnet, group):
    """A runtime from a code archive, with a boundary and log lines that quote a secret."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket="agent-code")
    s3.put_object(Bucket="agent-code", Key="agent/code.zip", Body=b"PK", Metadata={"commit": "0123abc"})
    iam = world.client("iam")
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=document)["Policy"]["Arn"]
    role = iam.create_role(
        RoleName="zip-execution",
        Path="/agents/",
        AssumeRolePolicyDocument=trust("bedrock-agentcore.amazonaws.com"),
        PermissionsBoundary=boundary,
        Tags=[{"Key": "team", "Value": "blue"}],
    )["Role"]["Arn"]
    iam.attach_role_policy(RoleName="zip-execution", PolicyArn=boundary)
    control = world.client("bedrock-agentcore-control")
    runtime = control.create_agent_runtime(
        agentRuntimeName="zipped",
        agentRuntimeArtifact={
            "codeConfiguration": {
                "code": {"s3": {"bucket": "agent-code", "prefix": "agent/code.zip"}},
                "runtime": "PYTHON_3_13",
                "entryPoint": ["main.py"],
            }
        },
        roleArn=role,
        networkConfiguration={
            "networkMode": "VPC",
            "networkModeConfig": {"subnets": [subnet], "securityGroups": [group]},
        },
    )["agentRuntimeId"]
    logs = world.client("logs")
    name = f"/aws/bedrock-agentcore/runtimes/{runtime}-DEFAULT"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="2026/01/01/[runtime-logs]0001")
    now = int(time.time() * 1000)
    lines = ["Traceback (most recent call last):", "ModuleNotFoundError: No module named 'x'", "api_key=sk-12345678"]
    logs.put_log_events(
        logGroupName=name,
        logStreamName="2026/01/01/[runtime-logs]0001",
        logEvents=[{"timestamp": now + at, "message": line} for at, line in enumerate(lines)],
    )
    return runtime


def main():
    url, vpc, subnet, group = sys.argv[1:]
    world = World(url, None)
    network(world, vpc, subnet, group)
    print(zip_runtime(world, subnet, group))


if __name__ == "__main__":
    main()
