//! One packet. Behind a NAT gateway its source port is any, and its address may not be known.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use crate::{list, text};

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Known(u16),
    /// The gateway chose one.
    Any,
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) protocol: u8,
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<IpAddr>,
    pub(super) source_port: Port,
    pub(super) destination_port: Port,
}

impl Packet {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let port = |member: &str| Some(Port::Known(u16::try_from(value[member].as_u64()?).ok()?));
        Some(Self {
            protocol: u8::try_from(value["protocol"].as_u64()?).ok()?,
            source: Some(text(value, "source").parse().ok()?),
            destination: Some(text(value, "destination").parse().ok()?),
            source_port: port("source_port")?,
            destination_port: port("destination_port")?,
        })
    }

    /// The packet that answers it.
    pub(super) fn answer(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..self
        }
    }

    /// The source port as sent; 0 where a gateway chose it.
    pub(super) fn source_port(&self) -> u16 {
        match self.source_port {
            Port::Known(port) => port,
            Port::Any => 0,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |address: Option<IpAddr>, port: Port| {
            let address = address.map_or_else(|| "?".to_owned(), |address| address.to_string());
            match port {
                Port::Known(port) => format!("{address}:{port}"),
                Port::Any => format!("{address}:*"),
            }
        };
        let (from, to) = (end(self.source, self.source_port), end(self.destination, self.destination_port));
        write!(f, "protocol {} {from} -> {to}", self.protocol)
    }
}

/// The private address of a NAT gateway that has one, and its subnet.
pub(super) fn gateway_address(gateway: &Value) -> Option<(IpAddr, String)> {
    match list(gateway, "NatGatewayAddresses") {
        [only] => Some((text(only, "PrivateIp").parse().ok()?, text(gateway, "SubnetId").to_owned())),
        _ => None,
    }
}
