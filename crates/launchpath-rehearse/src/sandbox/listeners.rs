//! What listens inside, read from the tables of the sandbox's network namespace.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use crate::subject::Listener;

/// A hostile process may open sockets without number; what lies beyond this much of a table is not read.
const LARGEST_TABLE: usize = 4 << 20;

/// Reads tables that were opened in the namespace; `None` when none can be read.
pub(super) fn read(tables: &[OwnedFd]) -> Option<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut seen = false;
    for table in tables {
        let Ok(text) = table.try_clone().and_then(|table| whole(&File::from(table))) else { continue };
        seen = true;
        listeners.extend(text.lines().filter_map(listening));
    }
    listeners.sort_unstable();
    listeners.dedup();
    seen.then_some(listeners)
}

fn whole(table: &File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    while bytes.len() < LARGEST_TABLE {
        let length = table.read_at(&mut piece, bytes.len() as u64)?;
        if length == 0 {
            break;
        }
        bytes.extend_from_slice(piece.get(..length).unwrap_or(&[]));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The address of a line of `/proc/net/tcp` or `tcp6` whose socket listens.
fn listening(line: &str) -> Option<Listener> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_whitespace();
    let (address, _, state) = (fields.nth(1)?, fields.next()?, fields.next()?);
    if state != LISTEN {
        return None;
    }
    let (address, port) = address.split_once(':')?;
    Some(Listener { at: SocketAddr::new(ip(address)?, u16::from_str_radix(port, 16).ok()?) })
}

/// Words of four bytes in the order of this machine, each printed as a number.
fn ip(text: &str) -> Option<IpAddr> {
    let word = |index: usize| {
        u32::from_str_radix(text.get(index * 8..index * 8 + 8)?, 16).ok().map(u32::to_ne_bytes)
    };
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for (index, place) in bytes.chunks_exact_mut(4).enumerate() {
                place.copy_from_slice(&word(index)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_told_from_others() {
        let line = |address: &str, state: &str| {
            format!("   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000")
        };
        let at = |address: &str, state: &str| {
            listening(&line(address, state)).map(|listener| listener.at.to_string())
        };
        assert_eq!(at("0100007F:1F90", "0A").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(at("00000000:1F40", "0A").as_deref(), Some("0.0.0.0:8000"));
        assert_eq!(at("00000000000000000000000001000000:1F90", "0A").as_deref(), Some("[::1]:8080"));
        assert_eq!(at("0100007F:1F90", "01"), None);
        assert_eq!(listening("  sl  local_address rem_address   st tx_queue rx_queue"), None);
        assert_eq!(at("0100:1F90", "0A"), None);
    }
}
