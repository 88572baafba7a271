//! What was observed of a process, as plain data: everything that judging may look at.
//!
//! Times are since the process was started. Nothing in here says whether it is good.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::protocol::Protocol;
use super::wire::Outcome;
use super::wire::web_socket::WebSocket;
use crate::subject::{Attempt, BlindSpot, Exit, Listener, Usage};

/// Everything observed.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// How the process ended, if it did before it was stopped.
    pub exit: Option<Exit>,
    /// What it used.
    pub usage: Usage,
    /// What could not be seen.
    pub blind: BTreeSet<BlindSpot>,
    /// When the port first took a connection from outside.
    pub first_listen: Option<Duration>,
    /// When the health check was first answered as it should be.
    pub first_healthy: Option<Duration>,
    /// How long readiness was watched.
    pub watched: Duration,
    /// Why watching ended.
    pub ended: Ended,
    /// What listened when it was last looked at, loopback included; `None` where that cannot be seen.
    pub listeners: Option<Vec<Listener>>,
    /// Answers to the health check, equal ones in a row together.
    pub health: Vec<HealthRun>,
    /// What the health check brings with `Host: localhost`, where a guard was suspected.
    pub with_local_host: Option<Outcome>,
    /// What else speaks: on the port, or on another one.
    pub elsewhere: Vec<Elsewhere>,
    /// Pings once healthy, without a request.
    pub idle_pings: Vec<Ping>,
    /// The first request and what follows it.
    pub steps: Vec<Step>,
    /// When the first request was sent, and when the last step ended.
    pub busy: Option<Busy>,
    /// Pings while the request ran.
    pub busy_pings: Vec<BusyPing>,
    /// Programs of this machine that wanted to run while the request did, for each processor, on average; 0 where it is not
    /// known.
    pub crowding: f64,
    /// What came of the optional WebSocket.
    pub web_socket: Option<WebSocket>,
    /// What it tried to reach; `None` where that cannot be seen.
    pub attempts: Option<Vec<Attempt>>,
    /// The tail of what it printed.
    pub output: String,
    /// Whether more was printed than is kept.
    pub output_truncated: bool,
    /// Moments of the start.
    pub moments: Vec<Moment>,
}

/// Why the watching for readiness ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// It has not.
    #[default]
    Not,
    /// The process became healthy.
    Healthy,
    /// The process ended.
    Exited,
    /// What was seen will not change: waiting longer is no use.
    Settled,
    /// The patience was at its end.
    OutOfPatience,
    /// The user stopped it.
    Interrupted,
}

/// Equal answers to the health check in a row.
#[derive(Clone, Debug)]
pub struct HealthRun {
    /// The first of them.
    pub outcome: Outcome,
    /// What that means.
    pub verdict: Health,
    /// When the first came.
    pub first_at: Duration,
    /// When the last came.
    pub last_at: Duration,
    /// How many.
    pub times: u32,
}

/// What an answer to the health check means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// As it should be; with the status it names.
    Good(String),
    /// 404, or a redirection.
    NotFound,
    /// 405.
    WrongMethod,
    /// 421, or a refusal that names the host.
    HostRefused,
    /// Another status.
    Status(u16),
    /// The session that the service makes is refused.
    SessionRefused,
    /// 200 with a body that is not what it should be, and how.
    BadBody(String),
    /// No answer in time.
    Silent,
    /// The connection was closed, or broke.
    Broken,
    /// Not HTTP, or not whole HTTP.
    NotHttp,
}

impl Health {
    /// Whether a server that answers so will go on answering so: waiting does not help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NotFound
            | Self::WrongMethod
            | Self::HostRefused
            | Self::SessionRefused
            | Self::BadBody(_)
            | Self::NotHttp => true,
            Self::Status(status) => *status < 500,
            Self::Good(_) | Self::Silent | Self::Broken => false,
        }
    }
}

/// Something that answers as it should, but elsewhere or otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The port.
    pub port: u16,
    /// The protocol it speaks there.
    pub protocol: Protocol,
    /// What showed it.
    pub shown_by: String,
}

/// A ping of a healthy process.
#[derive(Clone, Debug, PartialEq)]
pub struct Ping {
    /// When it was answered.
    pub at: Duration,
    /// How long that took.
    pub took: Duration,
    /// The status it named; `None` where the answer was not healthy.
    pub status: Option<String>,
    /// `time_of_last_update`, when it was there.
    pub last_update: Option<f64>,
    /// The body.
    pub body: String,
}

/// A request that belongs to the first call, and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// `POST /invocations`, `tools/list`.
    pub name: String,
    /// When it was sent.
    pub at: Duration,
    /// What came.
    pub outcome: Outcome,
    /// What that means.
    pub verdict: Reply,
}

/// What an answer to a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// As it should be, and in a few words what it was.
    Good(String),
    /// 5xx.
    ServerError(u16),
    /// 404, or a redirection.
    NotFound(u16),
    /// Another status that is no success.
    Refused(u16),
    /// An answer, but not what the protocol asks, and how.
    Invalid(String),
    /// The protocol's own error, in its own words: an answer all the same.
    ProtocolError(String),
    /// The session that the service makes is refused.
    SessionRefused(String),
    /// No answer in time.
    Silent,
    /// The connection was closed, or broke.
    Broken(String),
}

/// When requests ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// From.
    pub from: Duration,
    /// To; `None` while it still ran when the rehearsal ended.
    pub to: Option<Duration>,
}

/// A ping sent while a request ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyPing {
    /// When it was sent.
    pub sent: Duration,
    /// How long the answer took, or how long it was waited for in vain.
    pub waited: Duration,
    /// Whether a healthy answer came.
    pub answered: bool,
    /// Whether the request still ran at the end of the wait.
    pub overlapped: bool,
}

/// A moment of the start, for the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Duration,
    /// What.
    pub what: String,
}

impl Observations {
    /// The last answers to the health check.
    pub fn last_health(&self) -> Option<&HealthRun> {
        self.health.last()
    }

    /// Sockets that a connection from outside reaches on `port`; `None` where sockets cannot be seen.
    pub fn listens_on(&self, port: u16) -> Option<Vec<SocketAddr>> {
        let listeners = self.listeners.as_ref()?;
        Some(listeners.iter().map(|listener| listener.at).filter(|at| at.port() == port).collect())
    }
}
