//! The names that resolve, what they resolve to, and what answers there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::sandbox::plan::{Allowed, Network};

/// Addresses for names that come without: of the range for tests of network devices, which no VPC has.
const STAND_INS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// Names and open ports.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Names {
    exact: BTreeMap<String, Vec<Ipv4Addr>>,
    /// What follows the first label of names of the form `*.…`.
    below: BTreeMap<String, Vec<Ipv4Addr>>,
    open: BTreeSet<SocketAddrV4>,
}

impl Names {
    pub(in crate::sandbox) fn new(network: &Network) -> Self {
        let mut names = Self::default();
        let allowed: &[Allowed] = if let Network::Bundle(allowed) = network { allowed } else { &[] };
        for (number, allowed) in (0..).zip(allowed) {
            let addresses = if allowed.addresses.is_empty() {
                vec![Ipv4Addr::from_bits(STAND_INS.to_bits().wrapping_add(number % (1 << 16)))]
            } else {
                allowed.addresses.clone()
            };
            for port in &allowed.ports {
                names.open.extend(addresses.iter().map(|address| SocketAddrV4::new(*address, *port)));
            }
            let name = plain(&allowed.name);
            let (table, name) = match name.strip_prefix("*.") {
                Some(rest) => (&mut names.below, rest.to_owned()),
                None => (&mut names.exact, name),
            };
            let known = table.entry(name).or_default();
            known.extend(addresses);
            known.sort_unstable();
            known.dedup();
        }
        names
    }

    /// What a name resolves to.
    pub(super) fn addresses(&self, name: &str) -> Option<&[Ipv4Addr]> {
        let name = plain(name);
        let below = || self.below.get(name.split_once('.')?.1);
        self.exact.get(&name).or_else(below).map(Vec::as_slice)
    }

    /// Whether something answers there.
    pub(super) fn is_open(&self, to: SocketAddrV4) -> bool {
        self.open.contains(&to)
    }

    /// Everything that answers.
    pub(in crate::sandbox) fn open(&self) -> impl Iterator<Item = SocketAddrV4> {
        self.open.iter().copied()
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(name: &str, addresses: &[[u8; 4]], ports: &[u16]) -> Allowed {
        let addresses = addresses.iter().copied().map(Ipv4Addr::from).collect();
        Allowed { name: name.to_owned(), addresses, ports: ports.to_vec() }
    }

    #[test]
    fn names_resolve_as_allowed_and_not_otherwise() {
        let names = Names::new(&Network::Bundle(vec![
            allowed("Sts.us-east-1.amazonaws.com.", &[[10, 0, 1, 5]], &[443]),
            allowed("*.s3.us-east-1.amazonaws.com", &[], &[443]),
            allowed("silent.example", &[], &[]),
        ]));
        assert_eq!(names.addresses("sts.us-east-1.amazonaws.COM"), Some(&[Ipv4Addr::new(10, 0, 1, 5)][..]));
        assert_eq!(
            names.addresses("bucket.s3.us-east-1.amazonaws.com"),
            Some(&[Ipv4Addr::new(198, 18, 0, 2)][..])
        );
        assert_eq!(names.addresses("a.b.s3.us-east-1.amazonaws.com"), None);
        assert_eq!(names.addresses("s3.us-east-1.amazonaws.com"), None);
        assert_eq!(names.addresses("silent.example"), Some(&[Ipv4Addr::new(198, 18, 0, 3)][..]));
        assert!(
            names.is_open("10.0.1.5:443".parse().unwrap()) && !names.is_open("10.0.1.5:80".parse().unwrap())
        );
        assert_eq!(names.open().count(), 2);
        assert_eq!(Names::new(&Network::HostBlocked).addresses("example.com"), None);
    }
}
