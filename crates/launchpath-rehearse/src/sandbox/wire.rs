//! What the processes of a sandbox tell each other: short messages over a socket pair, with descriptors.
//!
//! Nothing here allocates: the keeper and the process to be use it between clone and exec.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::step::Step;

/// Descriptors in one message.
pub(super) const MOST_DESCRIPTORS: usize = 64;

const SIZE: usize = 6;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The supervisor has given the ids; with the image's files, when they are shown through a mount.
    Go,
    /// The keeper's sockets: packets, the resolver's when there is one, then the listening ones.
    Sockets,
    /// The process-to-be's descriptors: its output, its errors, its report, the socket tables.
    Inside,
    /// A step failed with this error.
    Failed(Step, i32),
    /// The process could not be executed: which candidate, and the error.
    NotExecuted(u8, i32),
    /// The process exited.
    Exited(i32),
    /// A signal ended the process.
    Signalled(i32),
    /// The supervisor wants a socket in the service's namespace.
    Socket,
}

impl Message {
    fn encode(self) -> [u8; SIZE] {
        let (kind, detail, number) = match self {
            Self::Go => (b'G', 0, 0),
            Self::Sockets => (b'S', 0, 0),
            Self::Inside => (b'I', 0, 0),
            Self::Failed(step, error) => (b'F', step as u8, error),
            Self::NotExecuted(candidate, error) => (b'N', candidate, error),
            Self::Exited(code) => (b'X', 0, code),
            Self::Signalled(signal) => (b'K', 0, signal),
            Self::Socket => (b'C', 0, 0),
        };
        let [a, b, c, d] = number.to_ne_bytes();
        [kind, detail, a, b, c, d]
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let &[kind, detail, a, b, c, d] = bytes else { return None };
        let number = i32::from_ne_bytes([a, b, c, d]);
        Some(match kind {
            b'G' => Self::Go,
            b'S' => Self::Sockets,
            b'I' => Self::Inside,
            b'F' => Self::Failed(Step::from_number(detail)?, number),
            b'N' => Self::NotExecuted(detail, number),
            b'X' => Self::Exited(number),
            b'K' => Self::Signalled(number),
            b'C' => Self::Socket,
            _ => return None,
        })
    }
}

/// Sends a message.
pub(super) fn send(
    socket: BorrowedFd<'_>,
    message: Message,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::TOOBIG);
    }
    sendmsg(socket, &[IoSlice::new(&message.encode())], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives a message and its descriptors; `None` when the other side is gone.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    descriptors: &mut [Option<OwnedFd>; MOST_DESCRIPTORS],
) -> Result<Option<Message>, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; SIZE];
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    let mut places = descriptors.iter_mut();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            for descriptor in received {
                // More than fit are closed.
                if let Some(place) = places.next() {
                    *place = Some(descriptor);
                }
            }
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    Message::decode(bytes.get(..received.bytes).unwrap_or(&[])).map(Some).ok_or(Errno::PROTO)
}

/// No descriptors yet.
pub(super) const fn none() -> [Option<OwnedFd>; MOST_DESCRIPTORS] {
    [const { None }; MOST_DESCRIPTORS]
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    #[test]
    fn messages_and_descriptors_arrive_as_sent() {
        let (one, other) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let messages = [
            Message::Go,
            Message::Sockets,
            Message::Inside,
            Message::Failed(Step::Pivot, 13),
            Message::NotExecuted(3, 2),
            Message::Exited(-7),
            Message::Signalled(9),
            Message::Socket,
        ];
        for message in messages {
            send(one.as_fd(), message, &[one.as_fd(), other.as_fd()]).unwrap();
            let mut descriptors = none();
            assert_eq!(receive(other.as_fd(), &mut descriptors).unwrap(), Some(message));
            assert_eq!(descriptors.iter().flatten().count(), 2);
        }
        drop(one);
        assert_eq!(receive(other.as_fd(), &mut none()).unwrap(), None);
        assert_eq!(Message::decode(b"?12345"), None);
        assert_eq!(Message::decode(b""), None);
    }
}
