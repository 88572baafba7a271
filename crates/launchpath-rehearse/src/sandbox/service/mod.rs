//! The service's side of a sandbox's network: it answers names, metadata and whatever the plan lets through, and records what
//! was attempted.
//!
//! One thread for each sandbox and no connection to anywhere: what answers for a name that the plan allows is a stand-in that
//! completes TCP and says what it is. The kernel has decided already what arrives here (see `fabric`); everything that was
//! attempted, dropped or not, is seen on a packet socket.

mod attempts;
mod conversation;
mod dns;
mod metadata;
mod names;
mod packet;

use std::net::{SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;

pub(super) use attempts::Attempts;
pub(super) use names::Names;

use super::fabric::{DNS, METADATA, RESOLVER};
use super::kernel;
use super::plan::Credentials;
use super::supervisor::{Sockets, timespec};
use crate::subject::AttemptOutcome;
use conversation::{Conversation, Role};
use metadata::Metadata;

/// Conversations at the same time; the oldest makes room.
const MOST_CONVERSATIONS: usize = 128;

/// How often conversations are looked at whose time is up.
const TICK: Duration = Duration::from_millis(200);

/// What is read at once from a socket that a process floods, before the others have their turn.
const ROUND: usize = 256;

/// The service's side.
pub(super) struct Service {
    packets: OwnedFd,
    resolver: Option<UdpSocket>,
    listening: Vec<TcpListener>,
    names: Names,
    metadata: Metadata,
    attempts: Arc<Mutex<Attempts>>,
    started: Instant,
    conversations: Vec<Conversation>,
}

impl Service {
    pub(super) fn new(
        sockets: Sockets,
        names: Names,
        credentials: Option<Credentials>,
        attempts: Arc<Mutex<Attempts>>,
        started: Instant,
    ) -> std::io::Result<Self> {
        kernel::filter_socket(sockets.packets.as_fd(), &packet::filter())?;
        Ok(Self {
            packets: sockets.packets,
            resolver: sockets.resolver.map(UdpSocket::from),
            listening: sockets.listening.into_iter().map(TcpListener::from).collect(),
            names,
            metadata: Metadata::new(credentials),
            attempts,
            started,
            conversations: Vec::new(),
        })
    }

    /// Serves until `stop` is readable.
    pub(super) fn run(mut self, stop: &OwnedFd) {
        loop {
            let ready = match self.wait(stop) {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(_) => return,
            };
            if ready.first() == Some(&true) {
                return;
            }
            let mut ready = ready.into_iter().skip(1);
            if ready.next() == Some(true) {
                self.record_packets();
            }
            if self.resolver.is_some() && ready.next() == Some(true) {
                self.resolve();
            }
            let accepting: Vec<bool> = ready.by_ref().take(self.listening.len()).collect();
            for (index, ready) in ready.enumerate() {
                if ready && let Some(conversation) = self.conversations.get_mut(index) {
                    conversation.go_on(&mut self.metadata, &mut |query: &[u8]| {
                        answer(query, &self.names, &self.attempts, self.started)
                    });
                }
            }
            self.conversations.retain(|conversation| !conversation.is_over());
            for (index, _) in accepting.iter().enumerate().filter(|(_, ready)| **ready) {
                self.accept(index);
            }
        }
    }

    /// Which descriptors are ready: `stop`, packets, resolver, listening sockets, conversations.
    fn wait(&self, stop: &OwnedFd) -> Result<Vec<bool>, Errno> {
        let mut watched = vec![
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.packets.as_fd(), PollFlags::IN),
        ];
        watched.extend(
            self.resolver.iter().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)),
        );
        watched.extend(
            self.listening.iter().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)),
        );
        for conversation in &self.conversations {
            let wanted = if conversation.is_writing() { PollFlags::OUT } else { PollFlags::IN };
            watched.push(PollFd::from_borrowed_fd(conversation.socket(), wanted));
        }
        let tick = (!self.conversations.is_empty()).then(|| timespec(TICK));
        poll(&mut watched, tick.as_ref())?;
        Ok(watched.iter().map(|watched| !watched.revents().is_empty()).collect())
    }

    fn record_packets(&self) {
        let mut bytes = [0; packet::LENGTH];
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ROUND {
            let Ok((_, length)) = rustix::net::recv(&self.packets, &mut bytes[..], RecvFlags::DONTWAIT)
            else {
                return;
            };
            let Some(packet) = packet::parse(bytes.get(..length).unwrap_or(&[])) else { continue };
            let at = self.started.elapsed();
            let to_resolver = *packet.to.ip() == RESOLVER && packet.to.port() == DNS;
            let unanswered = !to_resolver || self.resolver.is_none();
            if packet.protocol == packet::UDP
                && packet.to.port() == DNS
                && unanswered
                && let Some(question) = dns::question(packet.payload)
            {
                attempts.name(at, &question, AttemptOutcome::Dropped);
            }
            if to_resolver {
                continue;
            }
            let answers = packet.protocol == packet::TCP && self.answers(packet.to);
            let outcome = if answers { AttemptOutcome::Answered } else { AttemptOutcome::Dropped };
            attempts.address(at, &packet, outcome);
        }
    }

    fn answers(&self, to: SocketAddrV4) -> bool {
        (*to.ip() == METADATA && to.port() == super::fabric::HTTP) || self.names.is_open(to)
    }

    fn resolve(&self) {
        let Some(resolver) = &self.resolver else { return };
        let mut query = [0; 1232];
        for _ in 0..ROUND {
            let Ok((length, from)) = resolver.recv_from(&mut query) else { return };
            let query = query.get(..length).unwrap_or(&[]);
            if let Some(answer) = answer(query, &self.names, &self.attempts, self.started) {
                // Nobody waits for an answer that cannot be sent; the question is asked again.
                let _unsent = resolver.send_to(&answer, from);
            }
        }
    }

    fn accept(&mut self, index: usize) {
        let Some(listening) = self.listening.get(index) else { return };
        for _ in 0..ROUND {
            let Ok((stream, _)) = listening.accept() else { return };
            let Ok(SocketAddr::V4(local)) = stream.local_addr() else { continue };
            let role = match (*local.ip(), local.port()) {
                (METADATA, _) => Role::Metadata,
                (RESOLVER, DNS) => Role::Resolver,
                _ => Role::StandIn,
            };
            if self.conversations.len() >= MOST_CONVERSATIONS {
                self.conversations.remove(0);
            }
            if let Ok(conversation) = Conversation::new(stream, role) {
                self.conversations.push(conversation);
            }
        }
    }
}

/// Answers a question about a name, and records it.
fn answer(query: &[u8], names: &Names, attempts: &Mutex<Attempts>, started: Instant) -> Option<Vec<u8>> {
    let question = dns::question(query)?;
    let addresses = names.addresses(&question.name);
    let outcome = if addresses.is_some() { AttemptOutcome::Answered } else { AttemptOutcome::NoSuchName };
    let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
    attempts.name(started.elapsed(), &question, outcome);
    if let Some(addresses) = addresses {
        attempts.resolved(&question.name, addresses);
    }
    Some(dns::answer(query, &question, addresses))
}
