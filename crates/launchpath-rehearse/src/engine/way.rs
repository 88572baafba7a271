//! The way to a container's ports: straight to its address where this machine carries its network, else through the engine.
//!
//! Only the straight way can be had together with a network that leads nowhere, so it is tried first.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use serde_json::{Value, json};

/// How the process is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// At its own address, on a network without a way out.
    Straight(Ipv4Addr),
    /// Where the engine publishes its ports.
    Published {
        /// Its own address, which this machine does not reach.
        own: Ipv4Addr,
        /// Ports, and where they are published.
        ports: Vec<(u16, SocketAddr)>,
    },
}

/// Spoken of in the place of an address that the engine does not tell: documentation's, and no loopback one.
const UNTOLD: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

impl Way {
    /// To a process that cannot be reached.
    pub(super) fn none() -> Self {
        Self::Published { own: UNTOLD, ports: Vec::new() }
    }

    /// Where a port of the process is.
    pub(super) fn to(&self, port: u16) -> Option<SocketAddr> {
        match self {
            Self::Straight(address) => Some(SocketAddr::from((*address, port))),
            Self::Published { ports, .. } => ports.iter().find(|(own, _)| *own == port).map(|(_, at)| *at),
        }
    }

    /// Under which address the process is spoken of: never a loopback one, which guards of the Host header let through.
    pub(super) fn address(&self) -> IpAddr {
        let (Self::Straight(own) | Self::Published { own, .. }) = self;
        IpAddr::V4(*own)
    }
}

/// The container's address on a network, where this machine has a leg in it: packets then go nowhere else.
pub(super) fn straight(seen: &Value, network: &str) -> Option<Way> {
    let own = seen.get("NetworkSettings")?.get("Networks")?.get(network)?;
    let address: Ipv4Addr = own.get("IPAddress")?.as_str()?.parse().ok()?;
    let length =
        u32::try_from(own.get("IPPrefixLen")?.as_u64()?).ok().filter(|length| (8..=30).contains(length))?;
    // Nothing is sent: the kernel only says from which address it would be.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((address, 9)).ok()?;
    let IpAddr::V4(ours) = socket.local_addr().ok()?.ip() else { return None };
    let same = |shift: u32| u32::from(ours) >> shift == u32::from(address) >> shift;
    same(32 - length).then_some(Way::Straight(address))
}

/// Where the engine publishes these ports.
pub(super) fn published(seen: &Value, ports: &[u16]) -> Way {
    let at = |port: &u16| {
        let binding = seen.get("NetworkSettings")?.get("Ports")?.get(format!("{port}/tcp"))?.get(0)?;
        let number = binding.get("HostPort")?.as_str()?.parse().ok()?;
        Some((*port, SocketAddr::from((Ipv4Addr::LOCALHOST, number))))
    };
    let settings = seen.get("NetworkSettings");
    let own =
        settings.and_then(|settings| settings.get("IPAddress")?.as_str()?.parse().ok()).unwrap_or(UNTOLD);
    Way::Published { own, ports: ports.iter().filter_map(at).collect() }
}

/// What asks the engine to publish these ports to this machine only.
pub(super) fn bindings(ports: &[u16]) -> Value {
    let bind = |port: &u16| (format!("{port}/tcp"), json!([{ "HostIp": "127.0.0.1", "HostPort": "" }]));
    Value::Object(ports.iter().map(bind).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Way, published, straight};

    #[test]
    fn an_address_counts_only_where_this_machine_is_on_its_network() {
        let on = |address: &str, length: u64| json!({ "NetworkSettings": { "Networks": { "n": { "IPAddress": address, "IPPrefixLen": length } } } });
        // The loopback network is one that every machine has a leg in.
        assert_eq!(straight(&on("127.0.0.9", 8), "n"), Some(Way::Straight([127, 0, 0, 9].into())));
        assert_eq!(straight(&on("203.0.113.9", 24), "n"), None);
        assert_eq!(straight(&on("", 0), "n"), None);
        assert_eq!(straight(&on("127.0.0.9", 8), "other"), None);
    }

    #[test]
    fn ports_are_where_the_engine_says() {
        let seen = json!({ "NetworkSettings": { "Ports": { "8080/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "40001" }] } } });
        let way = published(&seen, &[8080, 8000]);
        assert_eq!(way.to(8080).unwrap().to_string(), "127.0.0.1:40001");
        assert_eq!(way.to(8000), None);
    }
}
