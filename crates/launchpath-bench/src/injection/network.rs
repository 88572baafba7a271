//! Faults of the network, as somebody would have built it.

use serde_json::json;

use super::Shows::{Beside, Configured, Happening};
use super::{Injection, by_endpoints, container, in_vpc, isolated, only_nat};
use crate::deployment::{AclEntry, Deployment, Exit, Peer, Topology};
use crate::process::{Does, Process};

fn new_and_isolated(d: &Deployment) -> bool {
    isolated(d) && !d.old
}

pub(super) const ALL: &[Injection] = &[
    Injection {
        fault: "net.unsupported_az",
        with: &[],
        shows: Configured,
        fits: in_vpc,
        named: "unsupported availability zones",
        seen_in: &[&["DescribeSubnets"]],
        make: |d, random| {
            let at = random.below(d.subnets.len());
            d.subnets[at].zone = "us-east-1e";
            d.subnets[at].zone_id = "use1-az3";
        },
    },
    Injection {
        fault: "net.eni_create_failed",
        with: &[],
        shows: Configured,
        fits: in_vpc,
        named: "Insufficient free addresses",
        seen_in: &[&["DescribeSubnets"]],
        make: |d, _| {
            for subnet in &mut d.subnets {
                subnet.free_addresses = 0;
            }
        },
    },
    Injection {
        fault: "net.public_subnet_no_nat",
        with: &[],
        shows: Configured,
        fits: only_nat,
        named: "",
        seen_in: &[&["DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"]],
        make: |d, _| d.exit = Exit::InternetGateway,
    },
    Injection {
        fault: "net.no_egress_route",
        with: &[],
        shows: Configured,
        fits: only_nat,
        named: "",
        seen_in: &[&["DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"]],
        make: |d, _| d.exit = Exit::Nowhere,
    },
    Injection {
        fault: "net.missing_vpc_endpoint",
        with: &[],
        shows: Configured,
        fits: |d| isolated(d) && container(d),
        named: "",
        seen_in: &[&["DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"]],
        make: |d, random| {
            let gone = *random.one_of(&["ecr.api", "ecr.dkr"]);
            d.endpoints.retain(|endpoint| endpoint.service != gone);
        },
    },
    Injection {
        fault: "net.endpoint_sg_blocks",
        with: &[],
        shows: Configured,
        fits: |d| by_endpoints(d) && container(d),
        named: "",
        seen_in: &[&[
            "DescribeSubnets",
            "DescribeVpcEndpoints",
            "DescribeSecurityGroups",
            "DescribeVpcAttribute",
        ]],
        make: |d, random| {
            let admitted = match random.below(3) {
                0 => None,
                1 => Some(Peer::Group("sg-0feedfacefeedface".into())),
                _ => Some(Peer::Block("10.9.0.0/16")),
            };
            d.endpoint_ingress = admitted.into_iter().collect();
        },
    },
    Injection {
        fault: "net.runtime_sg_egress_blocks",
        with: &[],
        shows: Configured,
        fits: in_vpc,
        named: "",
        seen_in: &[&["DescribeSecurityGroups"]],
        make: |d, random| {
            // With endpoints, egress to their group alone forgets S3; elsewhere nothing leaves at all.
            d.egress = if d.topology == Topology::Endpoints && !d.old && random.once_in(2) {
                vec![Peer::Group(d.endpoint_group.clone())]
            } else {
                Vec::new()
            };
        },
    },
    Injection {
        fault: "net.s3_path_missing",
        with: &[],
        shows: Configured,
        fits: new_and_isolated,
        named: "",
        seen_in: &[&[
            "DescribeSubnets",
            "DescribeRouteTables",
            "DescribeVpcEndpoints",
            "DescribeManagedPrefixLists",
        ]],
        make: |d, random| match random.below(3) {
            0 => d.s3_gateway = false,
            1 => d.s3_gateway_on_table = false,
            _ => {
                d.s3_policy = json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "s3:*",
                "Resource": [format!("arn:aws:s3:::{}-data", d.name), format!("arn:aws:s3:::{}-data/*", d.name)],
            }] });
            }
        },
    },
    Injection {
        fault: "net.nacl",
        with: &[],
        shows: Configured,
        fits: |d| matches!(d.topology, Topology::Nat | Topology::TransitGateway),
        named: "",
        seen_in: &[&["DescribeSubnets", "DescribeNetworkAcls", "DescribeRouteTables"]],
        make: |d, random| {
            let deny = if random.once_in(2) {
                AclEntry { number: 90, egress: true, protocol: "6", allow: false, ports: Some((443, 443)) }
            } else {
                AclEntry {
                    number: 90,
                    egress: false,
                    protocol: "6",
                    allow: false,
                    ports: Some((1024, 65535)),
                }
            };
            d.acl.push(deny);
        },
    },
    Injection {
        fault: "net.dns_off",
        with: &[],
        shows: Configured,
        fits: isolated,
        named: "",
        seen_in: &[&[
            "DescribeSubnets",
            "DescribeVpcAttribute",
            "DescribeVpcEndpoints",
            "DescribeRouteTables",
        ]],
        make: |d, random| match random.below(3) {
            0 => d.dns_support = false,
            1 => d.dns_hostnames = false,
            _ => d.endpoints.iter_mut().for_each(|endpoint| endpoint.private_dns = false),
        },
    },
    Injection {
        fault: "net.downstream_unreachable",
        with: &[],
        shows: Happening,
        fits: in_vpc,
        named: "",
        seen_in: &[&["FilterLogEvents"]],
        make: |d, random| {
            // A database or an API that the launch itself does not need: nothing in the evidence says whether the way is open.
            d.process = if random.once_in(2) {
                Process::dies(&[
                    r#"  File "/app/main.py", line 9, in <module>"#,
                    r#"    connection = psycopg.connect("host=orders.internal port=5432")"#,
                    r#"psycopg.OperationalError: connection to server at "orders.internal" (10.60.1.9), port 5432 failed: Connection timed out"#,
                ])
            } else {
                Process::dies(&[
                    r#"  File "/app/main.py", line 9, in <module>"#,
                    "    prices = requests.get(PRICES, timeout=10)",
                    "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='prices.internal', port=443): Max retries exceeded with url: / (Caused by ConnectTimeoutError: Connection to prices.internal timed out. (connect timeout=10))",
                ])
            };
        },
    },
    Injection {
        fault: "net.eni_lingering",
        with: &[],
        shows: Beside,
        fits: in_vpc,
        named: "",
        seen_in: &[&["DescribeNetworkInterfaces"]],
        make: |d, _| {
            d.story.state = Some("DELETING");
            d.process = Process::new(Does::Answers, &[]);
        },
    },
];
