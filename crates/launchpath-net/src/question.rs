//! Questions: from where, to where, which packets.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use launchpath_model::ids::{InstanceId, NetworkInterfaceId, SecurityGroupId, SubnetId, VpcId, VpnGatewayId};

use crate::packet::{ICMP, TCP, UDP};
use crate::span::{ANY_PORT, Span};

/// An interface that sends: a runtime's, seen or still to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its address; `None`: any address of the subnet.
    pub address: Option<IpAddr>,
    /// Its public address. AgentCore interfaces never have one, not even in public subnets.
    pub public_address: Option<Ipv4Addr>,
    /// Its id, when it exists.
    pub interface: Option<NetworkInterfaceId>,
}

impl Source {
    /// A runtime's interface in `subnet`: private IPv4 address only.
    ///
    /// AWS: <https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html>
    pub fn runtime(subnet: SubnetId, security_groups: Vec<SecurityGroupId>) -> Self {
        Self { subnet, security_groups, ..Self::default() }
    }
}

/// Where packets start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// An interface as described here.
    Interface(Source),
    /// An interface of the network.
    Known(NetworkInterfaceId),
    /// An instance of the network: its first interface, or the one that holds the address.
    Instance(InstanceId, Option<IpAddr>),
    /// The internet; `None`: any public IPv4 address.
    Internet(Option<IpAddr>),
    /// Behind a virtual private gateway; `None`: any address that the VPC routes back to the gateway.
    VpnGateway(VpnGatewayId, Option<IpAddr>),
    /// The router of a VPC.
    Vpc(VpcId),
}

impl From<Source> for Start {
    fn from(source: Source) -> Self {
        Self::Interface(source)
    }
}

/// Where packets are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An address.
    Address(IpAddr),
    /// Every address of a block: the answer says which part of it.
    Block(IpNet),
    /// A host name, resolved in the source's VPC.
    Name(String),
    /// An AWS service of the network's Region, by the last part of its endpoint service name: `ecr.api`, `s3`, `logs`.
    Service(String),
    /// An interface of the network.
    Interface(NetworkInterfaceId),
    /// Any public IPv4 address.
    Internet,
    /// An address on premises: a VPN gateway is the end of what the network shows.
    OnPremises(IpAddr),
}

impl Destination {
    /// The service by name.
    pub fn service(service: &str) -> Self {
        Self::Service(service.to_owned())
    }

    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Address(address) | Self::OnPremises(address) => address.to_string(),
            Self::Block(block) => block.to_string(),
            Self::Name(text) | Self::Service(text) => text.clone(),
            Self::Interface(id) => id.to_string(),
            Self::Internet => "the internet".to_owned(),
        }
    }
}

/// Which packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// IANA protocol number.
    pub protocol: u8,
    /// Destination ports; for ICMP the codes.
    pub to: Span<u16>,
    /// Source ports; for ICMP the types.
    pub from: Span<u16>,
}

/// AWS: clients choose source ports from 1024 up; which part depends on the system
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nacl-ephemeral-ports.html>).
pub const EPHEMERAL: Span<u16> = Span { first: 1024, last: u16::MAX };

/// What Linux kernels choose from, Amazon Linux included (same page).
pub const EPHEMERAL_LINUX: Span<u16> = Span { first: 32768, last: 60999 };

impl Flow {
    /// TCP to one port, from any ephemeral port.
    pub const fn tcp(port: u16) -> Self {
        Self { protocol: TCP, to: Span { first: port, last: port }, from: EPHEMERAL }
    }

    /// UDP to one port, from any ephemeral port.
    pub const fn udp(port: u16) -> Self {
        Self { protocol: UDP, to: Span { first: port, last: port }, from: EPHEMERAL }
    }

    /// ICMP echo requests.
    pub const fn ping() -> Self {
        Self::icmp(8, 0)
    }

    /// ICMP of one type and code.
    pub const fn icmp(kind: u8, code: u8) -> Self {
        let (from, to) = (kind as u16, code as u16);
        Self { protocol: ICMP, to: Span { first: to, last: to }, from: Span { first: from, last: from } }
    }

    /// A protocol by number, every port.
    pub const fn protocol(protocol: u8) -> Self {
        Self { protocol, to: ANY_PORT, from: ANY_PORT }
    }

    /// The same packets from these source ports only.
    pub const fn from_ports(self, from: Span<u16>) -> Self {
        Self { from, ..self }
    }
}
