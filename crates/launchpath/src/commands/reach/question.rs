//! What the words FROM, TO, --protocol and --security-group mean in a world.
//!
//! Not their answer. A word that can mean nothing is a usage error; a thing that the evidence does not show is no error but
//! a gap, and the answer is unknown. Start with [`Question::read`].

use std::net::IpAddr;

use launchpath_model::aws::agentcore::{NetworkMode, Runtime};
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{InstanceId, Region, RuntimeId, SecurityGroupId, SubnetId};
use launchpath_model::{Fact, Gap, GapReason, Known, Target, World};
use launchpath_net::batch::flow_of;
use launchpath_net::dns::{name_of_service, service_of_name};
use launchpath_net::packet::{ICMP, ICMP_V6, TCP, UDP};
use launchpath_net::span::ANY_PORT;
use launchpath_net::{Destination, Flow, Source, Start};
use serde_json::{Value, json};

use crate::cli::ReachArguments;
use crate::failure::Failure;

/// Whose endpoint names decide what is a service where the evidence names no Region; the services are the same everywhere.
const ANY_REGION: &str = "us-east-1";

/// One question, from every interface that FROM may mean.
pub(crate) struct Question {
    /// FROM, as given.
    pub(crate) from: String,
    /// TO, without its port.
    pub(crate) to: String,
    /// Where packets start; several for a runtime, whose subnet the service chooses.
    pub(crate) starts: Vec<(String, Start)>,
    pub(crate) destination: Destination,
    pub(crate) flow: Flow,
    /// What keeps FROM or TO from being found in the evidence.
    pub(crate) gaps: Vec<Gap>,
}

impl Question {
    /// Reads the command line against a world.
    pub(crate) fn read(world: &World, arguments: &ReachArguments) -> Result<Self, Failure> {
        let from = arguments.from.as_deref().unwrap_or_default().trim().to_owned();
        let (to, port) = place_and_port(arguments.to.as_deref().unwrap_or_default().trim());
        let mut gaps = Vec::new();
        let (destination, is_named) = destination(world, &to, &mut gaps)?;
        let flow = flow(&arguments.protocol, port, is_named)?;
        let groups: Vec<SecurityGroupId> =
            arguments.security_groups.iter().map(|group| group.as_str().into()).collect();
        let starts = starts(world, &from, &groups, &mut gaps)?;
        Ok(Self { from, to, starts, destination, flow, gaps })
    }

    /// The packets in words.
    pub(crate) fn flow_text(&self) -> String {
        let Flow { protocol, to, from } = self.flow;
        match protocol {
            TCP | UDP => {
                let name = if protocol == TCP { "TCP" } else { "UDP" };
                match (to.first, to.last) {
                    _ if to == ANY_PORT => format!("every {name} port"),
                    (first, last) if first == last => format!("{name} port {first}"),
                    (first, last) => format!("{name} ports {first} to {last}"),
                }
            }
            ICMP | ICMP_V6 => {
                let name = if protocol == ICMP { "ICMP" } else { "ICMPv6" };
                format!("{name} type {} code {}", from.first, to.first)
            }
            other => format!("protocol {other}"),
        }
    }
}

fn wrong(member: &str, text: &str, expected: &str) -> Failure {
    Failure::usage(anyhow::anyhow!("{member}: `{text}` is not {expected}"))
}

/// `TO[:PORT]` in its parts. An IPv6 address with a port stands in brackets.
fn place_and_port(text: &str) -> (String, Option<&str>) {
    if text.parse::<IpAddr>().is_ok() {
        return (text.to_owned(), None);
    }
    let is_port = |port: &str| {
        port.starts_with(|c: char| c.is_ascii_digit())
            && port.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '/'))
    };
    let (place, port) = match text.rsplit_once(':') {
        Some((place, port)) if is_port(port) => (place, Some(port)),
        _ => (text, None),
    };
    let bare = place.strip_prefix('[').and_then(|place| place.strip_suffix(']'));
    (bare.unwrap_or(place).to_owned(), port)
}

/// The destination, and whether it is a service or a host name.
fn destination(world: &World, to: &str, gaps: &mut Vec<Gap>) -> Result<(Destination, bool), Failure> {
    if let Ok(address) = to.parse::<IpAddr>() {
        return Ok((Destination::Address(address), false));
    }
    if to.starts_with("eni-") {
        return Ok((Destination::Interface(to.into()), false));
    }
    if to.starts_with("i-") && !to.contains('.') {
        let id = InstanceId::from(to);
        let row = world.network.instances.seen(&id);
        let address = row.and_then(|row| {
            let first = row.value.network_interfaces.as_ref()?.first()?;
            first.private_ip_address
        });
        if let Some(address) = address {
            return Ok((Destination::Address(address.into()), false));
        }
        let request = json!({ "InstanceIds": [to] });
        gaps.push(Gap::not_asked(
            format!("the address of {to}"),
            cli(world, "ec2", "DescribeInstances", &request),
        ));
        return Ok((Destination::Name(to.to_owned()), false));
    }
    let name = to.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(fits) || name.starts_with(['.', '-']) {
        return Err(wrong("TO", to, "an address, a host name, an interface or an AWS service"));
    }
    let region = world.network.region.as_ref().or(world.region.as_ref()).map_or(ANY_REGION, Region::as_str);
    // The full name of an endpoint service, `com.amazonaws.REGION.SERVICE`, means the service.
    let service = name.strip_prefix(&format!("com.amazonaws.{region}.")).unwrap_or(&name);
    if service_of_name(&name_of_service(service, region), region).as_deref() == Some(service) {
        return Ok((Destination::service(service), true));
    }
    Ok((Destination::Name(name), true))
}

fn flow(protocol: &str, port: Option<&str>, is_named: bool) -> Result<Flow, Failure> {
    let read = |port: &Value| flow_of(&json!(protocol.trim()), port).map_err(Failure::usage);
    let any = read(&Value::Null)?;
    match (any.protocol, port) {
        (TCP | UDP, None) if is_named => read(&json!("443")),
        (_, None) => Ok(any),
        (TCP | UDP | ICMP | ICMP_V6, Some(port)) => read(&json!(port)),
        (other, Some(_)) => Err(Failure::usage(anyhow::anyhow!("TO: protocol {other} has no ports"))),
    }
}

fn starts(
    world: &World,
    from: &str,
    groups: &[SecurityGroupId],
    gaps: &mut Vec<Gap>,
) -> Result<Vec<(String, Start)>, Failure> {
    let own_groups = |kind: &str| {
        let failure = Failure::usage(anyhow::anyhow!("--security-group: {kind} has groups of its own"));
        if groups.is_empty() { Ok(()) } else { Err(failure.advise("ask from its subnet instead")) }
    };
    if from.starts_with("eni-") {
        own_groups("an interface")?;
        return Ok(vec![(from.to_owned(), Start::Known(from.into()))]);
    }
    if from.starts_with("i-") && from.chars().skip(2).all(|c| c.is_ascii_alphanumeric()) {
        own_groups("an instance")?;
        return Ok(vec![(from.to_owned(), Start::Instance(from.into(), None))]);
    }
    if from.starts_with("subnet-") {
        let groups = match groups {
            [] => groups_of_runtime(world).ok_or_else(|| {
                let failure = Failure::usage(anyhow::anyhow!(
                    "FROM: a subnet needs security groups, and the evidence describes no runtime to take them from"
                ));
                failure.advise("name them with --security-group")
            })?,
            groups => groups.to_vec(),
        };
        return Ok(vec![in_subnet(&from.into(), &groups)]);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '.');
    if from.is_empty() || from.parse::<IpAddr>().is_ok() || !from.chars().all(fits) {
        return Err(wrong("FROM", from, "a runtime, an interface, an instance or a subnet"));
    }
    of_runtime(world, from, groups, gaps)
}

fn in_subnet(subnet: &SubnetId, groups: &[SecurityGroupId]) -> (String, Start) {
    (subnet.to_string(), Start::Interface(Source::runtime(subnet.clone(), groups.to_vec())))
}

fn groups_of_runtime(world: &World) -> Option<Vec<SecurityGroupId>> {
    let id = world.subject_id()?;
    let config = world.runtimes.seen(&id)?.value.vpc_config()?;
    Some(config.security_groups.clone()).filter(|groups| !groups.is_empty())
}

/// A runtime's interfaces: one in each of its subnets, wherever the service will make them.
fn of_runtime(
    world: &World,
    named: &str,
    groups: &[SecurityGroupId],
    gaps: &mut Vec<Gap>,
) -> Result<Vec<(String, Start)>, Failure> {
    let runtime = match runtime(world, named) {
        Known::Known(fact) => fact,
        Known::Absent(_) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "FROM: the evidence proves that there is no runtime `{named}`"
            )));
        }
        Known::Unknown(gap) => {
            gaps.push(gap);
            return Ok(Vec::new());
        }
    };
    let is_public = runtime.value.network_mode() == Some(&NetworkMode::Public);
    let config = runtime.value.vpc_config().filter(|config| !is_public && !config.subnets.is_empty());
    if let Some(config) = config {
        let groups = if groups.is_empty() { &config.security_groups } else { groups };
        return Ok(config.subnets.iter().map(|subnet| in_subnet(subnet, groups)).collect());
    }
    let reason = if is_public {
        let what = "the service's own network, in which a runtime of network mode PUBLIC starts".to_owned();
        GapReason::NotModelled { what }
    } else {
        GapReason::MemberMissing { path: "networkConfiguration.networkModeConfig.subnets".to_owned() }
    };
    let what = format!("the interfaces of {named}");
    gaps.push(Gap { what, reason, evidence: runtime.evidence, command: None });
    Ok(Vec::new())
}

/// The runtime by id, ARN or name.
fn runtime<'a>(world: &'a World, named: &str) -> Known<&'a Runtime> {
    let id = world
        .runtimes
        .iter()
        .chain(world.runtime_list.iter())
        .find(|(id, row)| {
            id.as_str() == named
                || row.value.agent_runtime_arn.as_deref() == Some(named)
                || row.value.agent_runtime_name.as_deref() == Some(named)
        })
        .map(|(id, _)| id.clone());
    if let Some(row) = id.as_ref().and_then(|id| world.runtimes.seen(id)) {
        return Known::Known(Fact { value: &row.value, evidence: row.evidence.clone() });
    }
    let id = id.unwrap_or_else(|| RuntimeId::from(named.rsplit('/').next().unwrap_or(named)));
    let request = json!({ "agentRuntimeId": id.as_str() });
    let command = cli(world, "bedrock-agentcore-control", "GetAgentRuntime", &request);
    let target = Target::new(format!("the description of runtime {named}"), command)
        .in_region(world.region.as_ref())
        .in_account(world.account.as_ref())
        .with("agentRuntimeId", id.as_str());
    world.runtimes.get(&id, &target)
}

fn cli(world: &World, service: &str, operation: &str, request: &Value) -> String {
    aws_cli(service, operation, world.region.as_ref().map(Region::as_str), request)
}

#[cfg(test)]
mod tests {
    use super::place_and_port;

    #[test]
    fn a_port_is_split_off_and_an_address_is_not() {
        for (text, place, port) in [
            ("ecr.api", "ecr.api", None),
            ("s3:443", "s3", Some("443")),
            ("10.0.0.1:8000-9000", "10.0.0.1", Some("8000-9000")),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]:443", "2001:db8::1", Some("443")),
            ("10.0.0.1:8/0", "10.0.0.1", Some("8/0")),
            ("eni-1:22", "eni-1", Some("22")),
        ] {
            assert_eq!(place_and_port(text), (place.to_owned(), port), "{text}");
        }
    }
}
