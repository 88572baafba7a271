//! Where there is no Linux: a sandbox that cannot be had.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{Plan, SandboxError};
use crate::subject::{Attempt, BlindSpot, Exit, Listener, Printed, Subject, Usage};

/// Never there.
#[derive(Debug)]
pub enum Sandbox {}

/// Says that there is no sandbox here.
pub fn start(_plan: &Plan) -> Result<Sandbox, SandboxError> {
    Err(SandboxError::Unsupported {
        why: format!("a sandbox needs Linux, this is {}", std::env::consts::OS),
        advice: "use a container engine (Docker, Podman)".to_owned(),
    })
}

impl Subject for Sandbox {
    fn elapsed(&self) -> Duration {
        match *self {}
    }

    fn address(&self) -> IpAddr {
        match *self {}
    }

    fn connect(&self, _port: u16, _timeout: Duration) -> io::Result<TcpStream> {
        match *self {}
    }

    fn listeners(&self) -> Option<Vec<Listener>> {
        match *self {}
    }

    fn take_output(&mut self) -> Option<Receiver<Printed>> {
        match *self {}
    }

    fn exited(&mut self) -> Option<Exit> {
        match *self {}
    }

    fn attempts(&self) -> Option<Vec<Attempt>> {
        match *self {}
    }

    fn usage(&self) -> Usage {
        match *self {}
    }

    fn blind_spots(&self) -> BTreeSet<BlindSpot> {
        match *self {}
    }

    fn stop(&mut self) {
        match *self {}
    }
}
