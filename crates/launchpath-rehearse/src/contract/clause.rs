//! Clauses of the contract, their reasons and states. The names are for ever: records of rehearsals carry them.

use serde::{Deserialize, Serialize};

/// A clause, in the order in which a start meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clause {
    /// The process starts.
    Starts,
    /// It stays up.
    StaysUp,
    /// It listens where the service connects.
    Listens,
    /// It answers the health check.
    Healthy,
    /// It answers the first request.
    Answers,
    /// It answers the health check while a request runs.
    HealthyWhileBusy,
    /// Its health answers let the session become idle.
    Idles,
    /// It can write what it writes, and read what it reads.
    Writes,
    /// It prints something.
    Prints,
}

impl Clause {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Starts,
        Self::StaysUp,
        Self::Listens,
        Self::Healthy,
        Self::Answers,
        Self::HealthyWhileBusy,
        Self::Idles,
        Self::Writes,
        Self::Prints,
    ];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::StaysUp => "stays_up",
            Self::Listens => "listens",
            Self::Healthy => "healthy",
            Self::Answers => "answers",
            Self::HealthyWhileBusy => "healthy_while_busy",
            Self::Idles => "idles",
            Self::Writes => "writes",
            Self::Prints => "prints",
        }
    }
}

/// Why a clause is broken, or cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are what they are: the record's own words")]
pub enum Reason {
    ExecFormatError,
    InterpreterMissing,
    ExecutableMissing,
    PermissionDenied,
    NoCommand,
    UnknownUser,
    WorkingDirectory,
    Exited,
    Signalled,
    OutOfMemory,
    ProcessLimit,
    NothingListens,
    WrongPort,
    LoopbackOnly,
    SlowStart,
    PathNotFound,
    MethodNotAllowed,
    HostRefused,
    ErrorStatus,
    NoAnswer,
    NotHttp,
    BadBody,
    OtherProtocol,
    #[serde(rename = "error_status_5xx")]
    ErrorStatus5xx,
    Refused,
    InvalidResponse,
    SessionRefused,
    EventLoopBlocked,
    TimestampMoves,
    ReadOnly,
    Silent,
}

impl Reason {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExecFormatError => "exec_format_error",
            Self::InterpreterMissing => "interpreter_missing",
            Self::ExecutableMissing => "executable_missing",
            Self::PermissionDenied => "permission_denied",
            Self::NoCommand => "no_command",
            Self::UnknownUser => "unknown_user",
            Self::WorkingDirectory => "working_directory",
            Self::Exited => "exited",
            Self::Signalled => "signalled",
            Self::OutOfMemory => "out_of_memory",
            Self::ProcessLimit => "process_limit",
            Self::NothingListens => "nothing_listens",
            Self::WrongPort => "wrong_port",
            Self::LoopbackOnly => "loopback_only",
            Self::SlowStart => "slow_start",
            Self::PathNotFound => "path_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::HostRefused => "host_refused",
            Self::ErrorStatus => "error_status",
            Self::NoAnswer => "no_answer",
            Self::NotHttp => "not_http",
            Self::BadBody => "bad_body",
            Self::OtherProtocol => "other_protocol",
            Self::ErrorStatus5xx => "error_status_5xx",
            Self::Refused => "refused",
            Self::InvalidResponse => "invalid_response",
            Self::SessionRefused => "session_refused",
            Self::EventLoopBlocked => "event_loop_blocked",
            Self::TimestampMoves => "timestamp_moves",
            Self::ReadOnly => "read_only",
            Self::Silent => "silent",
        }
    }
}

/// What became of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It held.
    Held,
    /// It broke.
    Broken,
    /// It could not be judged; the note says why.
    Unknown,
    /// The rehearsal did not come so far.
    NotReached,
    /// The protocol has no such clause.
    NotApplicable,
}

impl State {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::NotReached => "not_reached",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A clause as judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Which.
    pub clause: Clause,
    /// What became of it.
    pub state: State,
    /// The clause as a sentence, with its limit.
    pub text: String,
    /// Why it is not held; of a held one, a warning.
    pub reason: Option<Reason>,
    /// What was seen.
    pub note: String,
    /// When it was decided, in milliseconds after the start.
    pub at_ms: Option<u64>,
    /// What to do, where there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Clause, Reason, State};

    #[test]
    fn names_are_those_of_the_record() {
        let written = |value: &dyn erased::Written| value.written();
        for clause in Clause::ALL {
            assert_eq!(written(&clause), clause.name());
        }
        for reason in [Reason::ErrorStatus5xx, Reason::LoopbackOnly, Reason::NotHttp, Reason::TimestampMoves]
        {
            assert_eq!(written(&reason), reason.name());
        }
        for state in [State::Held, State::NotReached, State::NotApplicable] {
            assert_eq!(written(&state), state.name());
        }
    }

    mod erased {
        pub(super) trait Written {
            fn written(&self) -> String;
        }
        impl<T: serde::Serialize> Written for T {
            fn written(&self) -> String {
                serde_json::to_value(self).unwrap().as_str().unwrap().to_owned()
            }
        }
    }
}
