//! What the process prints: read as it comes, handed on in pieces, bounded whatever it prints.
//!
//! The process is never held up by a reader that is slow or absent: a session's logs are not either. What nobody takes in time is
//! lost, and counted.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};

use rustix::io::Errno;

use super::supervisor::Shared;
use crate::subject::{Printed, Stream};

/// One piece.
const PIECE: usize = 64 << 10;

/// Pieces that may wait in the channel.
pub(super) const WAITING: usize = 256;

/// Bytes of one stream that may wait for room in the channel.
const PENDING: usize = 1 << 20;

/// Reads one stream.
pub(super) struct Pump {
    stream: Stream,
    pipe: Option<OwnedFd>,
    pending: VecDeque<Printed>,
    pending_bytes: usize,
    buffer: Vec<u8>,
}

impl Pump {
    pub(super) fn new(stream: Stream, pipe: OwnedFd) -> Self {
        Self { stream, pipe: Some(pipe), pending: VecDeque::new(), pending_bytes: 0, buffer: vec![0; PIECE] }
    }

    /// The pipe, until the process has closed it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(OwnedFd::as_fd)
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Reads one piece. The pipe has something, or its writers are gone.
    pub(super) fn read(&mut self, shared: &Shared) {
        let Some(pipe) = &self.pipe else { return };
        match rustix::io::read(pipe, &mut self.buffer[..]) {
            Ok(0) => self.pipe = None,
            Ok(length) => self.keep(length, shared),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.pipe = None,
        }
    }

    fn keep(&mut self, length: usize, shared: &Shared) {
        let bytes = self.buffer.get(..length).unwrap_or(&[]);
        if self.pending_bytes + length > PENDING {
            shared.lost.fetch_add(length as u64, Ordering::Relaxed);
            return;
        }
        self.pending_bytes += length;
        let at = shared.started.elapsed();
        match self.pending.back_mut() {
            // Small writes go together while they wait.
            Some(last) if last.bytes.len() + length <= PIECE => last.bytes.extend_from_slice(bytes),
            _ => self.pending.push_back(Printed { at, stream: self.stream, bytes: bytes.to_vec() }),
        }
    }

    /// Hands on what there is room for.
    pub(super) fn deliver(&mut self, printed: &SyncSender<Printed>) {
        while let Some(piece) = self.pending.pop_front() {
            let length = piece.bytes.len();
            match printed.try_send(piece) {
                Ok(()) => self.pending_bytes -= length,
                Err(TrySendError::Full(piece)) => {
                    self.pending.push_front(piece);
                    return;
                }
                Err(TrySendError::Disconnected(_)) => {
                    self.pending.clear();
                    self.pending_bytes = 0;
                    return;
                }
            }
        }
    }
}
