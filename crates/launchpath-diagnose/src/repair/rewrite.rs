//! A repair written into the documents of a bundle: what AWS would answer after it.
//!
//! The proof of a repair happens on the world in memory ([`super::Repair::applied_to`]). Here the same change is made in the
//! recorded answers, so that anybody can open the repaired bundle and check the proof: with this program, or by reading. The
//! scenario tests hold the two against each other.
//!
//! What it is not: a prediction of ids. What a repair would create carries names that say so (`vpce-new-…`).

use launchpath_model::World;
use launchpath_model::ids::VpcEndpointId;
use launchpath_net::edit::{DnsAttribute, RouteDestination};
use launchpath_net::{Direction, Edit};
use serde_json::{Value, json};

use super::{Change, Repair, render};

/// Writes a repair into `bundle`, a whole bundle whose answers stand in it. `after`: the world with the repair applied.
pub(crate) fn rewrite(repair: &Repair, after: &World, bundle: &mut Value) {
    let Some(calls) = bundle.get_mut("calls").and_then(Value::as_array_mut) else { return };
    let mut calls = Calls(calls);
    for change in &repair.changes {
        calls.change(change, after);
    }
    calls.forget_failures(after);
}

/// The calls of a bundle.
struct Calls<'a>(&'a mut Vec<Value>);

impl Calls<'_> {
    fn change(&mut self, change: &Change, after: &World) {
        match change {
            Change::Network(edit) => self.network(edit, after),
            Change::DropSubnets { runtime, subnets } => self.runtime(runtime.as_str(), |row| {
                let listed = &mut row["networkConfiguration"]["networkModeConfig"]["subnets"];
                if let Some(listed) = listed.as_array_mut() {
                    listed.retain(|id| !subnets.iter().any(|gone| id == gone.as_str()));
                }
            }),
            Change::TrustPolicy { role, document } => {
                self.answers("iam", &["GetRole"], |answer| {
                    if answer["Role"]["RoleName"] == role.as_str() {
                        answer["Role"]["AssumeRolePolicyDocument"] = document.clone();
                    }
                });
            }
            Change::RolePolicy { role, name, document } => {
                let asked = json!({ "RoleName": role });
                self.answer_of("iam", "ListRolePolicies", &asked, json!({ "PolicyNames": [] }), |answer| {
                    push(answer, "PolicyNames", json!(name));
                });
                let asked = json!({ "RoleName": role, "PolicyName": name });
                let made = json!({ "RoleName": role, "PolicyName": name, "PolicyDocument": document });
                self.answer_of("iam", "GetRolePolicy", &asked, made.clone(), |answer| *answer = made.clone());
            }
            Change::NetworkServiceLinkedRole => {
                let name = crate::faults::NETWORK_ROLE;
                let made = json!({ "Role": { "RoleName": name } });
                self.answer_of("iam", "GetRole", &json!({ "RoleName": name }), made, |_| {});
            }
            Change::PushImage { repository, tag } => {
                let row = json!({ "repositoryName": repository, "imageDigest": "sha256:proposed", "imageTags": [tag] });
                let asked = json!({ "repositoryName": repository });
                self.answer_of("ecr", "DescribeImages", &asked, json!({ "imageDetails": [] }), |answer| {
                    push(answer, "imageDetails", row.clone());
                });
            }
            Change::RebuildImage { runtime } => {
                let Some(row) = after.runtimes.seen(runtime) else { return };
                let group = row.value.log_group("");
                self.0.retain(|call| {
                    let own_log = call["service"] == "logs"
                        && call["response"].get("events").is_some()
                        && call["request"]["logGroupName"].as_str().is_some_and(|g| g.starts_with(&group));
                    let of_the_old_image = matches!(
                        call["operation"].as_str(),
                        Some("Rehearse" | "InspectImage" | "GetImageConfig" | "BatchGetImage")
                    );
                    !own_log && !of_the_old_image
                });
            }
            Change::EndpointPolicy { endpoint, document } => self.endpoint(endpoint, |row| {
                row["PolicyDocument"] = json!(document.to_string());
            }),
            Change::RequireMmdsv2 { runtime } => self.runtime(runtime.as_str(), |row| {
                row["metadataConfiguration"] = json!({ "requireMMDSV2": true });
            }),
        }
    }

    fn network(&mut self, edit: &Edit, after: &World) {
        match edit {
            Edit::AddGroupRule { group, direction, protocol, ports, peer } => {
                let rules = match direction {
                    Direction::Ingress => "IpPermissions",
                    Direction::Egress => "IpPermissionsEgress",
                };
                let rule = render::permission(*protocol, *ports, peer);
                self.rows("SecurityGroups", "GroupId", group.as_str(), |row| push(row, rules, rule.clone()));
            }
            Edit::AddAclRule { acl, direction, number, protocol, ports, block } => {
                let egress = *direction == Direction::Egress;
                let member = if block.addr().is_ipv4() { "CidrBlock" } else { "Ipv6CidrBlock" };
                self.rows("NetworkAcls", "NetworkAclId", acl.as_str(), |row| {
                    let mut rule = json!({
                        "RuleNumber": free_number(row, egress, *number),
                        "Egress": egress,
                        "Protocol": protocol.to_string(),
                        "RuleAction": "allow",
                        member: block.to_string(),
                    });
                    if let Some((from, to)) = ports {
                        rule["PortRange"] = json!({ "From": from, "To": to });
                    }
                    push(row, "Entries", rule);
                });
            }
            Edit::SetRoute { table, destination, target } => self.route(table.as_str(), destination, target),
            Edit::AssociateGatewayEndpoint { endpoint, table } => {
                self.endpoint(endpoint, |row| push(row, "RouteTableIds", json!(table.as_str())));
                self.route_made(table.as_str(), endpoint, after);
            }
            Edit::EnableDns { vpc, attribute } => {
                let (asked, member) = match attribute {
                    DnsAttribute::Support => ("enableDnsSupport", "EnableDnsSupport"),
                    DnsAttribute::Hostnames => ("enableDnsHostnames", "EnableDnsHostnames"),
                };
                let on = json!({ "VpcId": vpc.as_str(), member: { "Value": true } });
                let asked = json!({ "VpcId": vpc.as_str(), "Attribute": asked });
                self.answer_of("ec2", "DescribeVpcAttribute", &asked, on, |answer| {
                    answer[member] = json!({ "Value": true });
                });
            }
            Edit::EnablePrivateDns { endpoint } => {
                self.endpoint(endpoint, |row| row["PrivateDnsEnabled"] = json!(true));
            }
            Edit::CreateEndpoint { vpc, service, subnets, groups, tables } => {
                let made = after.network.vpc_endpoints.iter().map(|(_, row)| &row.value).find(|endpoint| {
                    endpoint.vpc_id == *vpc
                        && endpoint.service_name == *service
                        && endpoint.vpc_endpoint_id.as_str().starts_with("vpce-new-")
                });
                let Some(made) = made else { return };
                let gateway = !tables.is_empty();
                let row = json!({
                    "VpcEndpointId": made.vpc_endpoint_id.as_str(),
                    "VpcEndpointType": if gateway { "Gateway" } else { "Interface" },
                    "VpcId": vpc.as_str(),
                    "ServiceName": service,
                    "State": "available",
                    "RouteTableIds": tables.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "SubnetIds": subnets.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "Groups": groups.iter().map(|g| json!({ "GroupId": g.as_str() })).collect::<Vec<_>>(),
                    "PrivateDnsEnabled": !gateway,
                    "NetworkInterfaceIds": [],
                });
                self.answer_of(
                    "ec2",
                    "DescribeVpcEndpoints",
                    &json!({}),
                    json!({ "VpcEndpoints": [] }),
                    |answer| {
                        push(answer, "VpcEndpoints", row.clone());
                    },
                );
                for table in tables {
                    self.route_made(table.as_str(), &made.vpc_endpoint_id, after);
                }
            }
        }
    }

    fn route(&mut self, table: &str, destination: &RouteDestination, target: &str) {
        let (member, value) = match destination {
            RouteDestination::Block(block @ ipnet::IpNet::V4(_)) => {
                ("DestinationCidrBlock", block.to_string())
            }
            RouteDestination::Block(block) => ("DestinationIpv6CidrBlock", block.to_string()),
            RouteDestination::PrefixList(list) => ("DestinationPrefixListId", list.to_string()),
        };
        let route = json!({ member: value, render::target_member(target): target, "State": "active" });
        self.rows("RouteTables", "RouteTableId", table, |row| {
            if let Some(routes) = row.get_mut("Routes").and_then(Value::as_array_mut) {
                routes.retain(|old| old[member] != value.as_str());
            }
            push(row, "Routes", route.clone());
        });
    }

    /// The route that a gateway endpoint made in a table, by the prefix list it has in the repaired world.
    fn route_made(&mut self, table: &str, endpoint: &VpcEndpointId, after: &World) {
        let Some(row) = after.network.route_tables.seen(&table.into()) else { return };
        let mut routes = row.value.routes.iter().flatten();
        let made = routes.find(|route| route.gateway_id.as_deref() == Some(endpoint.as_str()));
        if let Some(list) = made.and_then(|route| route.destination_prefix_list_id.clone()) {
            self.route(table, &RouteDestination::PrefixList(list), endpoint.as_str());
        }
    }

    /// After a repair the next launch starts afresh, as in the proof: the failures on record were of the old one.
    fn forget_failures(&mut self, after: &World) {
        self.0.retain(|call| {
            let failed = call["outcome"] != "ok";
            let statement = call["operation"] == "Statement";
            let attempt = matches!(
                call["operation"].as_str(),
                Some("InvokeAgentRuntime" | "CreateAgentRuntime" | "UpdateAgentRuntime")
            );
            !(statement || attempt && failed)
        });
        self.answers("cloudtrail", &["LookupEvents"], |answer| {
            for (list, id) in [("Events", "EventId"), ("Records", "eventID")] {
                if let Some(events) = answer.get_mut(list).and_then(Value::as_array_mut) {
                    events.retain(|event| {
                        event[id].as_str().is_none_or(|id| after.trail.seen(&id.to_owned()).is_some())
                    });
                }
            }
        });
        self.answers("bedrock-agentcore-control", &["GetAgentRuntime", "ListAgentRuntimes"], |answer| {
            let rows = answer.get_mut("agentRuntimes").and_then(Value::as_array_mut);
            match rows {
                Some(rows) => rows.iter_mut().for_each(start_afresh),
                None => start_afresh(answer),
            }
        });
    }

    /// Every answer of these operations that came.
    fn answers(&mut self, service: &str, operations: &[&str], mut change: impl FnMut(&mut Value)) {
        for call in self.0.iter_mut() {
            let asked = call["operation"].as_str().is_some_and(|operation| operations.contains(&operation));
            if asked && call["service"] == service && call["outcome"] == "ok" {
                change(&mut call["response"]);
            }
        }
    }

    /// The answers to a request that holds these members; where there is none, one is made: the call would be answered now.
    fn answer_of(
        &mut self,
        service: &str,
        operation: &str,
        asked: &Value,
        made: Value,
        mut change: impl FnMut(&mut Value),
    ) {
        let is_it = |call: &Value| {
            let holds = asked
                .as_object()
                .is_some_and(|members| members.iter().all(|(name, value)| call["request"][name] == *value));
            call["service"] == service && call["operation"] == operation && holds
        };
        let mut answered = false;
        for call in self.0.iter_mut().filter(|call| is_it(call) && call["outcome"] == "ok") {
            change(&mut call["response"]);
            answered = true;
        }
        if answered {
            return;
        }
        self.0.retain(|call| !is_it(call) || call["outcome"] == "ok");
        let mut response = made;
        change(&mut response);
        let id = self.next_id();
        self.0.push(json!({
            "id": id, "service": service, "operation": operation, "request": asked, "outcome": "ok", "response": response,
        }));
    }

    fn next_id(&self) -> String {
        let taken = |id: &str| self.0.iter().any(|call| call["id"] == id);
        let mut ids = (1..).map(|number| format!("{}{number}", launchpath_net::edit::PROPOSED));
        ids.find(|id| !taken(id)).unwrap_or_default()
    }

    /// Every row of an EC2 list with this id.
    fn rows(&mut self, list: &str, id: &str, wanted: &str, mut change: impl FnMut(&mut Value)) {
        for call in self.0.iter_mut().filter(|call| call["service"] == "ec2") {
            let rows = call["response"].get_mut(list).and_then(Value::as_array_mut);
            rows.into_iter().flatten().filter(|row| row[id] == wanted).for_each(&mut change);
        }
    }

    fn endpoint(&mut self, id: &VpcEndpointId, change: impl FnMut(&mut Value)) {
        self.rows("VpcEndpoints", "VpcEndpointId", id.as_str(), change);
    }

    fn runtime(&mut self, id: &str, mut change: impl FnMut(&mut Value)) {
        self.answers("bedrock-agentcore-control", &["GetAgentRuntime"], |answer| {
            if answer["agentRuntimeId"] == id {
                change(answer);
            }
        });
    }
}

/// The first number from `wanted` down that no rule of that direction has, as [`Edit::apply`] takes it.
fn free_number(acl: &Value, egress: bool, wanted: i64) -> i64 {
    let taken = |number: i64| {
        let entries = acl["Entries"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["Egress"] == egress).any(|entry| entry["RuleNumber"] == number)
    };
    (1..=wanted).rev().find(|number| !taken(*number)).unwrap_or(wanted)
}

fn start_afresh(row: &mut Value) {
    if matches!(row["status"].as_str(), Some("CREATE_FAILED" | "UPDATE_FAILED")) {
        row["status"] = json!("CREATING");
        if let Some(members) = row.as_object_mut() {
            members.remove("failureReason");
        }
    }
}

fn push(row: &mut Value, member: &str, value: Value) {
    match row.get_mut(member).and_then(Value::as_array_mut) {
        Some(list) => list.push(value),
        None => row[member] = json!([value]),
    }
}
