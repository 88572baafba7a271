//! The table of operations that collection may send, and nothing else.
//!
//! Each row says which IAM actions the operation needs, why it is asked and on which resources. The
//! published minimum policy, the output of a dry run and the check in the client are made from this
//! table. How an operation looks on the wire is not here but in `data/operations.json`. Start reading at [`READ`].

/// One AWS API operation that `launchpath` can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The AWS CLI's name of the service, for example `bedrock-agentcore-control`.
    pub service: &'static str,
    /// The API's name of the operation, for example `GetAgentRuntime`.
    pub name: &'static str,
    /// The IAM actions that the operation needs, for example `bedrock-agentcore:GetAgentRuntime`.
    pub actions: &'static [&'static str],
    /// What the answer is needed for: one sentence fragment for a reviewer of the policy.
    pub why: &'static str,
    /// On which resources the minimum policy allows it.
    pub scope: &'static Scope,
}

impl Operation {
    /// Service and operation under which a bundle records the answer; its own, unless the answer is a secret and only what was
    /// fetched with it is recorded.
    pub fn recorded_as(&self) -> (&'static str, &'static str) {
        match self.name {
            "GetDownloadUrlForLayer" => ("launchpath", "GetImageConfig"),
            name => (self.service, name),
        }
    }
}

/// Resources that a statement of the minimum policy names.
#[derive(Debug, PartialEq, Eq)]
pub struct Scope {
    /// The statement's id.
    pub sid: &'static str,
    /// The resource patterns; `{partition}` stands for the partition.
    pub patterns: &'static [&'static str],
}

/// How often a service may be asked, below what AWS allows an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The AWS CLI's name of the service.
    pub service: &'static str,
    /// Requests per second that may go on for ever.
    pub per_second: u32,
    /// Requests that may go out at once after a pause.
    pub burst: u32,
}

/// Anything of the account: for operations without resource-level permissions.
static ANY: Scope = Scope { sid: "LaunchpathAccount", patterns: &["*"] };
static RUNTIME: Scope =
    Scope { sid: "LaunchpathRuntimes", patterns: &["arn:{partition}:bedrock-agentcore:*:*:runtime/*"] };
static REPOSITORY: Scope =
    Scope { sid: "LaunchpathImages", patterns: &["arn:{partition}:ecr:*:*:repository/*"] };
static ROLE: Scope = Scope { sid: "LaunchpathRoles", patterns: &["arn:{partition}:iam::*:role/*"] };
/// Managed policies of AWS stand in the account `aws`, which the pattern covers.
static POLICY: Scope = Scope { sid: "LaunchpathPolicies", patterns: &["arn:{partition}:iam::*:policy/*"] };
static LOG_GROUP: Scope = Scope {
    sid: "LaunchpathLogs",
    patterns: &["arn:{partition}:logs:*:*:log-group:/aws/bedrock-agentcore/runtimes/*"],
};
static CODE: Scope = Scope { sid: "LaunchpathCode", patterns: &["arn:{partition}:s3:::*/*"] };

macro_rules! operation {
    ($service:literal $name:literal, [$($action:literal),+], $scope:ident, $why:literal) => {
        Operation {
            service: $service,
            name: $name,
            actions: &[$($action),+],
            why: $why,
            scope: &$scope,
        }
    };
}

/// Every read-only operation, ordered by service and name.
pub const READ: &[Operation] = &[
    operation!("bedrock-agentcore-control" "GetAgentRuntime", ["bedrock-agentcore:GetAgentRuntime"], RUNTIME,
        "the runtime's configuration, status and failure reason"),
    operation!("bedrock-agentcore-control" "ListAgentRuntimeEndpoints", ["bedrock-agentcore:ListAgentRuntimeEndpoints"], RUNTIME,
        "which version each endpoint serves"),
    operation!("bedrock-agentcore-control" "ListAgentRuntimeVersions", ["bedrock-agentcore:ListAgentRuntimeVersions"], RUNTIME,
        "what changed between versions"),
    operation!("bedrock-agentcore-control" "ListAgentRuntimes", ["bedrock-agentcore:ListAgentRuntimes"], ANY,
        "find a runtime by name; other runtimes to compare with"),
    operation!("cloudtrail" "LookupEvents", ["cloudtrail:LookupEvents"], ANY,
        "interface creation, role assumption and image pulls as they were logged"),
    operation!("cloudwatch" "GetMetricData", ["cloudwatch:GetMetricData"], ANY,
        "invocations, errors, sessions and CPU time of the runtime"),
    operation!("ec2" "DescribeAvailabilityZones", ["ec2:DescribeAvailabilityZones"], ANY,
        "zone ids, which decide whether a subnet is supported"),
    operation!("ec2" "DescribeDhcpOptions", ["ec2:DescribeDhcpOptions"], ANY,
        "custom DNS resolvers of the VPC"),
    operation!("ec2" "DescribeInternetGateways", ["ec2:DescribeInternetGateways"], ANY,
        "the way out of the NAT gateway's subnet"),
    operation!("ec2" "DescribeManagedPrefixLists", ["ec2:DescribeManagedPrefixLists"], ANY,
        "prefix lists named in rules and routes"),
    operation!("ec2" "DescribeNatGateways", ["ec2:DescribeNatGateways"], ANY,
        "the way out of private subnets"),
    operation!("ec2" "DescribeNetworkAcls", ["ec2:DescribeNetworkAcls"], ANY,
        "stateless rules in both directions"),
    operation!("ec2" "DescribeNetworkInterfaces", ["ec2:DescribeNetworkInterfaces"], ANY,
        "the runtime's interfaces, found by subnet"),
    operation!("ec2" "DescribeRouteTables", ["ec2:DescribeRouteTables"], ANY,
        "where each subnet sends its traffic"),
    operation!("ec2" "DescribeSecurityGroups", ["ec2:DescribeSecurityGroups"], ANY,
        "rules of the runtime's groups and of the groups they refer to"),
    operation!("ec2" "DescribeSubnets", ["ec2:DescribeSubnets"], ANY,
        "zone, VPC and free addresses of each subnet"),
    operation!("ec2" "DescribeTransitGatewayAttachments", ["ec2:DescribeTransitGatewayAttachments"], ANY,
        "what a transit gateway route leads to"),
    operation!("ec2" "DescribeTransitGatewayVpcAttachments", ["ec2:DescribeTransitGatewayVpcAttachments"], ANY,
        "subnets in which the transit gateway is attached"),
    operation!("ec2" "DescribeVpcAttribute", ["ec2:DescribeVpcAttribute"], ANY,
        "whether DNS works in the VPC"),
    operation!("ec2" "DescribeVpcEndpoints", ["ec2:DescribeVpcEndpoints"], ANY,
        "private paths to ECR, S3 and CloudWatch Logs, with their policies"),
    operation!("ec2" "DescribeVpcPeeringConnections", ["ec2:DescribeVpcPeeringConnections"], ANY,
        "state of peerings that routes use"),
    operation!("ec2" "DescribeVpcs", ["ec2:DescribeVpcs"], ANY,
        "address ranges and DHCP options of the VPC"),
    operation!("ec2" "GetManagedPrefixListEntries", ["ec2:GetManagedPrefixListEntries"], ANY,
        "addresses behind a prefix list"),
    operation!("ec2" "SearchTransitGatewayRoutes", ["ec2:SearchTransitGatewayRoutes"], ANY,
        "whether the transit gateway knows a way out"),
    operation!("ecr" "BatchGetImage", ["ecr:BatchGetImage"], REPOSITORY,
        "the image's manifest and platform"),
    operation!("ecr" "DescribeImages", ["ecr:DescribeImages"], REPOSITORY,
        "whether the tag exists, when it was pushed, its size"),
    operation!("ecr" "DescribeRepositories", ["ecr:DescribeRepositories"], REPOSITORY,
        "whether the repository exists and how it is encrypted"),
    operation!("ecr" "GetDownloadUrlForLayer", ["ecr:GetDownloadUrlForLayer"], REPOSITORY,
        "the image's configuration: architecture, user, entry point, ports"),
    operation!("ecr" "GetRepositoryPolicy", ["ecr:GetRepositoryPolicy"], REPOSITORY,
        "who may pull from another account"),
    operation!("iam" "GetPolicy", ["iam:GetPolicy"], POLICY,
        "the current version of an attached policy"),
    operation!("iam" "GetPolicyVersion", ["iam:GetPolicyVersion"], POLICY,
        "what an attached policy or a boundary allows"),
    operation!("iam" "GetRole", ["iam:GetRole"], ROLE,
        "trust policy and boundary of the execution role; the network service-linked role"),
    operation!("iam" "GetRolePolicy", ["iam:GetRolePolicy"], ROLE,
        "inline policies of the execution role"),
    operation!("iam" "ListAttachedRolePolicies", ["iam:ListAttachedRolePolicies"], ROLE,
        "policies attached to the execution role"),
    operation!("iam" "ListRolePolicies", ["iam:ListRolePolicies"], ROLE,
        "names of the execution role's inline policies"),
    operation!("logs" "DescribeLogGroups", ["logs:DescribeLogGroups"], ANY,
        "whether the runtime ever had a log group"),
    operation!("logs" "DescribeLogStreams", ["logs:DescribeLogStreams"], LOG_GROUP,
        "whether a container ever wrote"),
    operation!("logs" "FilterLogEvents", ["logs:FilterLogEvents"], LOG_GROUP,
        "the latest log lines: tracebacks, start messages"),
    operation!("route53" "ListHostedZonesByVPC", ["route53:ListHostedZonesByVPC", "ec2:DescribeVpcs"], ANY,
        "private zones that hide AWS names"),
    operation!("route53" "ListResourceRecordSets", ["route53:ListResourceRecordSets"], ANY,
        "where a private zone leads an AWS name"),
    operation!("route53profiles" "ListProfileAssociations", ["route53profiles:ListProfileAssociations"], ANY,
        "DNS settings that another VPC or account shares with the VPC"),
    operation!("route53profiles" "ListProfileResourceAssociations", ["route53profiles:ListProfileResourceAssociations"], ANY,
        "private zones, endpoints and rules that those settings hold"),
    operation!("route53resolver" "ListResolverRuleAssociations", ["route53resolver:ListResolverRuleAssociations"], ANY,
        "which rules the VPC uses that send names to other resolvers"),
    operation!("route53resolver" "ListResolverRules", ["route53resolver:ListResolverRules"], ANY,
        "for which names those rules are"),
    operation!("s3" "HeadObject", ["s3:GetObject", "s3:GetObjectVersion"], CODE,
        "whether the code archive exists, and its size (a diagnosis never reads its content)"),
    operation!("sts" "GetCallerIdentity", ["sts:GetCallerIdentity"], ANY,
        "which account and identity look"),
];

/// What `inspect` and `rehearse` send when they are given an image in ECR or code in S3; a collection never does. Read-only too,
/// and part of the published policy; but their answers are secrets or contents, and never evidence.
pub const IMAGE: &[Operation] = &[
    operation!("ecr" "GetAuthorizationToken", ["ecr:GetAuthorizationToken"], ANY,
        "pull the image that `inspect` or `rehearse` is given"),
    operation!("s3" "GetObject", ["s3:GetObject", "s3:GetObjectVersion"], CODE,
        "download the code archive that `inspect` or `rehearse` is given"),
];

/// The one operation that is not read-only. Only `--invoke` reaches it; it is in no published policy.
pub const INVOKE: Operation = operation!("bedrock-agentcore" "InvokeAgentRuntime",
    ["bedrock-agentcore:InvokeAgentRuntime"], RUNTIME, "one test invocation, on request only");

/// The rates, by service; a service without a row is not in [`READ`].
///
/// AWS publishes few of these numbers; where it does not, ours are low enough for any account.
pub const RATES: &[Rate] = &[
    Rate { service: "bedrock-agentcore", per_second: 5, burst: 5 },
    // AWS: 25 list and 150 get requests per second,
    // https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/bedrock-agentcore-limits.html
    Rate { service: "bedrock-agentcore-control", per_second: 10, burst: 10 },
    // AWS: two per second, https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    Rate { service: "cloudtrail", per_second: 2, burst: 2 },
    Rate { service: "cloudwatch", per_second: 10, burst: 10 },
    // AWS: a bucket of 50 to 100 with 10 to 20 per second for describe calls,
    // https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
    Rate { service: "ec2", per_second: 10, burst: 40 },
    Rate { service: "ecr", per_second: 10, burst: 10 },
    Rate { service: "iam", per_second: 10, burst: 15 },
    // AWS: 5 FilterLogEvents per second in the smaller Regions,
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    Rate { service: "logs", per_second: 5, burst: 5 },
    // AWS: five per second per account,
    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
    Rate { service: "route53", per_second: 4, burst: 4 },
    Rate { service: "route53profiles", per_second: 4, burst: 4 },
    // AWS: five per second per account and Region, as above.
    Rate { service: "route53resolver", per_second: 4, burst: 4 },
    Rate { service: "s3", per_second: 10, burst: 10 },
    Rate { service: "sts", per_second: 10, burst: 10 },
];

/// The row of an operation that fetches an image or code, or `None` when nothing may send it for that.
pub(crate) fn find_image(service: &str, name: &str) -> Option<&'static Operation> {
    IMAGE.iter().find(|row| row.service == service && row.name == name)
}

/// The row of a read-only operation, or `None` when collection may not send it.
pub fn find(service: &str, name: &str) -> Option<&'static Operation> {
    READ.iter().find(|row| row.service == service && row.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::facts;

    #[test]
    fn the_table_and_the_wire_facts_name_the_same_operations() {
        let table: BTreeSet<_> =
            READ.iter().chain(IMAGE).chain([&INVOKE]).map(|o| (o.service, o.name)).collect();
        let wire: BTreeSet<_> = facts::all().collect();
        assert_eq!(table, wire);
    }

    #[test]
    fn the_table_is_sorted_and_has_no_row_twice() {
        let names: Vec<_> = READ.iter().map(|o| (o.service, o.name)).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn every_action_only_reads() {
        for row in READ {
            for action in row.actions {
                let verb = action.split_once(':').map_or("", |(_, verb)| verb);
                assert!(
                    ["Get", "List", "Describe", "Lookup", "Filter", "BatchGet", "Search"]
                        .iter()
                        .any(|prefix| verb.starts_with(prefix)),
                    "{action}"
                );
                assert_ne!(*action, "ecr:GetAuthorizationToken", "a token is a secret");
            }
        }
    }

    #[test]
    fn what_fetches_an_image_is_no_evidence() {
        assert!(IMAGE.iter().all(|row| find(row.service, row.name).is_none()));
    }

    #[test]
    fn every_service_has_a_rate() {
        for row in READ.iter().chain([&INVOKE]) {
            assert!(RATES.iter().any(|r| r.service == row.service), "{}", row.service);
        }
        assert!(RATES.iter().all(|r| r.per_second > 0 && r.burst > 0));
    }
}
