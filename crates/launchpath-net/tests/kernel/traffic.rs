//! Real connections: this program started again inside a namespace, as server or as client.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// The ports that servers listen on.
pub const PORTS: &[u16] = &[22, 80, 443];

/// How long a connection may take; the paths are local, so an answer takes well under a millisecond.
const PATIENCE: Duration = Duration::from_millis(400);

/// One connection to try.
#[derive(Clone, Debug)]
pub struct Job {
    pub host: &'static str,
    pub source_port: u16,
    pub address: Ipv4Addr,
    pub port: u16,
}

/// Listens on every port until it is killed.
pub fn serve() {
    let listeners: Vec<TcpListener> =
        PORTS.iter().map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).unwrap()).collect();
    println!("ready");
    std::io::stdout().flush().unwrap();
    let threads: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    drop(stream);
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
}

/// Tries each `source_port,address,port` and prints `1` or `0` for each, in order.
pub fn connect(jobs: &[String]) {
    let threads: Vec<_> = jobs
        .iter()
        .map(|job| {
            let parts: Vec<&str> = job.split(',').collect();
            let (from, address, to) =
                (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].parse().unwrap());
            std::thread::spawn(move || gets_through(from, address, to))
        })
        .collect();
    let digits: String = threads.into_iter().map(|t| if t.join().unwrap() { '1' } else { '0' }).collect();
    println!("{digits}");
}

fn gets_through(from: u16, address: Ipv4Addr, to: u16) -> bool {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_reuse_address(true).unwrap();
    let own = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, from));
    socket.bind(&own.into()).unwrap();
    let other = SocketAddr::V4(SocketAddrV4::new(address, to));
    socket.connect_timeout(&other.into(), PATIENCE).is_ok()
}
