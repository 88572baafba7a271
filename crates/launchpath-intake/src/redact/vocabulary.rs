//! Words that name nobody: AWS's, the program's, and those that everybody uses.

use std::collections::BTreeSet;

/// Kept wherever they stand, in any case.
const WORDS: &str = "
    bedrockagentcore microvm access account action active addresses admin agent agentcore agents all allow alpha amazon amazonaws and any api apigateway app
    application apps arm arm64 arn array asia assumed attached availability available aws awslogs backend base bash beta bedrock
    blue bucket build builder call canary central cert cidr class client cloud cloudtrail cloudwatch cluster code com common compute
    config connection container containers control core create created data database debug default delete demo deny deployment
    describe dev development dkr dns docker domain dr east ec2 ecr ecs egress eks elb endpoint endpoints engine eni env error event
    execution exec external false file files final frontend function gateway get global green group groups guard health home host
    hosted html http https iam iac igw image images inc info ingress inline instance integration interface internal internet
    invoke json key kms lambda latest layer layers library local log logs main managed manager master mcp mesh metadata mode model
    monitoring nat net network networks new node north northeast northwest null object old open ops org output own owner path peering
    permission permissions ping policies policy pool port prefix primary principal private prod production profile project proxy
    public pull push py python queue rds read ready region registry release repo repositories repository request reserved resource
    resources response rest role roles root route router routes rtb rule rules run runtime runtimes s3 sandbox schema sdk search
    secondary secret secrets security server service services session sg shared site slr sns source south southeast southwest sqs src
    ssm stack stage staging standard starport state status storage stream string sts subnet subnets subnetwork support svc system
    table tag target task tcp team temp test testing tests text tgw the token tool tools topic trace traffic transit true trust type
    uat uri url use user users utils value version vpc vpce vpcs vpn web west with workload worker workspace write www xray zip zone
    dependency modules module import error exception traceback file line langchain langgraph strands crewai fastapi uvicorn flask
";

/// The fixed vocabulary.
pub(super) fn fixed() -> BTreeSet<String> {
    WORDS.split_whitespace().map(str::to_owned).collect()
}

/// Hosts that everybody uses: nothing is learned from them.
pub(super) fn is_public_host(host: &str) -> bool {
    const PUBLIC: [&str; 16] = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "aws.amazon.com",
        "api.aws",
        "amazontrust.com",
        "amazoncognito.com",
        "public.ecr.aws",
        "docker.io",
        "docker.com",
        "ghcr.io",
        "github.com",
        "pypi.org",
        "pythonhosted.org",
        "npmjs.org",
        "langchain.com",
        "localhost",
    ];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    PUBLIC.iter().any(|public| host == *public || host.ends_with(&format!(".{public}")))
        || ["ec2.internal", "compute.internal"].iter().any(|zone| host.ends_with(zone))
}
