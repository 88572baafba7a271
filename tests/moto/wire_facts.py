"""Write crates/launchpath-aws/data/operations.json from the API models that botocore ships.

Run it after adding an operation to OPERATIONS below (and to src/operation.rs, which holds the IAM
action, the reason and the rate):

    .venv/bin/python tests/moto/wire_facts.py

The file holds only what the wire needs: protocol, path, input names, paginator, and, for answers in
XML, the name and type of every member. JSON answers need no table: they are kept as received.

A scalar is one string, "type", "type wire" or "type wire @location"; wire is left out when it equals
the member's name. A list is {"list": shape}, a structure {"struct": {...}}, a map {"map": shape}.
"""

import json
import pathlib

import botocore
import botocore.session

OPERATIONS = {
    "sts": ["GetCallerIdentity"],
    "bedrock-agentcore-control": [
        "GetAgentRuntime",
        "ListAgentRuntimes",
        "ListAgentRuntimeVersions",
        "ListAgentRuntimeEndpoints",
    ],
    "bedrock-agentcore": ["InvokeAgentRuntime"],
    "ec2": [
        "DescribeAvailabilityZones",
        "DescribeDhcpOptions",
        "DescribeInternetGateways",
        "DescribeManagedPrefixLists",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeTransitGatewayAttachments",
        "DescribeTransitGatewayVpcAttachments",
        "DescribeVpcAttribute",
        "DescribeVpcEndpoints",
        "DescribeVpcPeeringConnections",
        "DescribeVpcs",
        "GetManagedPrefixListEntries",
        "SearchTransitGatewayRoutes",
    ],
    "iam": [
        "GetPolicy",
        "GetPolicyVersion",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListRolePolicies",
    ],
    "ecr": [
        "BatchGetImage",
        "DescribeImages",
        "DescribeRepositories",
        "GetAuthorizationToken",
        "GetDownloadUrlForLayer",
        "GetRepositoryPolicy",
    ],
    "s3": ["GetObject", "HeadObject"],
    "logs": ["DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents"],
    "cloudtrail": ["LookupEvents"],
    "cloudwatch": ["GetMetricData"],
    "route53": ["ListHostedZonesByVPC", "ListResourceRecordSets"],
    "route53profiles": ["ListProfileAssociations", "ListProfileResourceAssociations"],
    "route53resolver": ["ListResolverRuleAssociations", "ListResolverRules"],
}

# CloudWatch prefers CBOR; JSON is as complete and is what the AWS CLI prints.
PREFERRED = {"cloudwatch": "json"}
TYPES = {
    "string": "string",
    "character": "string",
    "boolean": "bool",
    "integer": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "timestamp": "time",
    "blob": "blob",
}
# Members of IAM that hold a URL-encoded policy; the AWS CLI prints them as objects.
POLICY_SHAPE = "policyDocumentType"
XML = ("ec2", "query", "rest-xml")


def input_name(protocol, name, shape):
    """The name a member has in a request."""
    facts = shape.serialization
    if protocol == "ec2":
        if "queryName" in facts:
            return facts["queryName"]
        wire = facts.get("name", name)
        return wire[:1].upper() + wire[1:]
    return facts.get("name", name)


def output_name(_protocol, name, shape):
    """The name a member has in an answer; a flattened list carries its item's name."""
    facts = shape.serialization
    if shape.type_name == "list" and facts.get("flattened"):
        return shape.member.serialization.get("name", facts.get("name", name))
    return facts.get("name", name)


def describe(protocol, naming, name, shape):
    """One member as the file writes it."""
    wire = naming(protocol, name, shape)
    place = shape.serialization.get("location")
    if shape.type_name == "structure":
        return wrap({"struct": members(protocol, naming, shape)}, name, wire, place)
    if shape.type_name == "map":
        return wrap({"map": describe(protocol, naming, "", shape.value)}, name, wire, place)
    if shape.type_name == "list":
        facts = {"list": describe(protocol, naming, "", shape.member)}
        item = shape.member.serialization.get("name")
        if naming is output_name and item and item not in ("item", "member"):
            facts["item"] = item
        if shape.serialization.get("flattened"):
            facts["flat"] = True
        if isinstance(facts["list"], str):
            facts["list"] = facts["list"].split(" ")[0]
        else:
            facts["list"].pop("wire", None)
        return wrap(facts, name, wire, place)
    kind = TYPES[shape.type_name]
    if shape.name == POLICY_SHAPE and naming is output_name:
        kind = "policy"
    text = kind
    if wire != name or place:
        text += f" {wire}"
    return text + (f" @{place}" if place else "")


def wrap(facts, name, wire, place):
    if wire != name:
        facts["wire"] = wire
    if place:
        facts["place"] = place
    return facts


def members(protocol, naming, shape):
    return {n: describe(protocol, naming, n, s) for n, s in shape.members.items()}


def pages(session, service, operation):
    """The paginator of an operation, or None."""
    config = session.get_component("data_loader").load_service_model(service, "paginators-1")
    found = config["pagination"].get(operation)
    if not found:
        return None
    as_list = lambda value: value if isinstance(value, list) else [value]
    facts = {
        "input": as_list(found["input_token"])[0],
        "output": as_list(found["output_token"])[0],
        "results": as_list(found["result_key"]),
    }
    if "more_results" in found:
        facts["more"] = found["more_results"]
    # Some answers repeat how long a page may be; the AWS CLI prints that where it is said to be no part of the pages.
    output = session.get_service_model(service).operation_model(operation).output_shape
    repeated = output and found.get("limit_key") in output.members
    if repeated and found["limit_key"] not in found.get("non_aggregate_keys", []):
        facts["limit"] = found["limit_key"]
    return facts


def service_facts(session, service, names):
    model = session.get_service_model(service)
    meta = model.metadata
    protocol = PREFERRED.get(service, meta["protocol"])
    facts = {
        "protocol": protocol,
        "version": meta["apiVersion"],
        "endpoint": meta["endpointPrefix"],
        "signing": meta.get("signingName", meta["endpointPrefix"]),
        "id": model.service_id,
    }
    if protocol == "json":
        facts["json"] = meta["jsonVersion"]
        facts["target"] = meta["targetPrefix"]
    facts["operations"] = {}
    for name in sorted(names):
        operation = model.operation_model(name)
        entry = {}
        if protocol.startswith("rest"):
            entry["method"] = operation.http["method"]
            entry["path"] = operation.http["requestUri"]
        if found := pages(session, service, name):
            entry["pages"] = found
        if operation.input_shape:
            entry["input"] = members(protocol, input_name, operation.input_shape)
        if operation.input_shape and "payload" in operation.input_shape.serialization:
            entry["payload"] = operation.input_shape.serialization["payload"]
        if protocol in XML and operation.output_shape:
            if "resultWrapper" in operation.output_shape.serialization:
                entry["wrapper"] = operation.output_shape.serialization["resultWrapper"]
            entry["output"] = members(protocol, output_name, operation.output_shape)
        facts["operations"][name] = entry
    return facts


def render(document):
    """JSON with one line per operation: short enough to read in a diff, long enough to grep."""
    lines = ["{", f'  "source": {json.dumps(document["source"])},', '  "services": {']
    for service, facts in document["services"].items():
        head = {k: v for k, v in facts.items() if k != "operations"}
        lines.append(f'    {json.dumps(service)}: {json.dumps(head)[:-1]}, "operations": {{')
        for name, entry in facts["operations"].items():
            text = json.dumps(entry, separators=(",", ":"))
            lines.append(f"      {json.dumps(name)}: {text},")
        lines[-1] = lines[-1].rstrip(",")
        lines.append("    }},")
    lines[-1] = lines[-1].rstrip(",")
    return "\n".join(lines + ["  }", "}", ""])


def main():
    session = botocore.session.get_session()
    document = {
        "source": f"public AWS API models as shipped in botocore {botocore.__version__}",
        "services": {s: service_facts(session, s, o) for s, o in sorted(OPERATIONS.items())},
    }
    text = render(document)
    json.loads(text)
    root = pathlib.Path(__file__).resolve().parents[2]
    (root / "crates/launchpath-aws/data/operations.json").write_text(text)


if __name__ == "__main__":
    main()
