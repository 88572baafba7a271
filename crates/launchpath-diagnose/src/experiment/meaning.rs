//! The table: which broken clause of a rehearsal and which finding of an inspection stands for which fault, and what a rehearsal
//! that held speaks against.
//!
//! Names of clauses, reasons and kinds are those of the public records (`Rehearse`, `InspectImage`); one that is not listed here
//! says nothing about any fault.

use super::conditions::Condition::{self, Environment, Network, Payload};
use crate::faults::Certainty::{self, Circumstantial, Proven};

/// What a broken clause stands for.
pub(super) struct Breach {
    /// The clause.
    pub(super) clause: &'static str,
    /// Why it broke.
    pub(super) reason: &'static str,
    /// The faults that it may be, each with how surely it is.
    pub(super) faults: &'static [(&'static str, Certainty)],
    /// What it may depend on: where the rehearsal did not share that with the launch, it is at most likely.
    pub(super) depends_on: &'static [Condition],
    /// The reason in words.
    pub(super) words: &'static str,
}

const fn breach(
    clause: &'static str,
    reason: &'static str,
    faults: &'static [(&'static str, Certainty)],
    depends_on: &'static [Condition],
    words: &'static str,
) -> Breach {
    Breach { clause, reason, faults, depends_on, words }
}

/// It depends on nothing that a rehearsal may lack.
const NOTHING: &[Condition] = &[];
/// On what the runtime sets.
const SET: &[Condition] = &[Environment];
/// On what the runtime sets, and on what the process reaches.
const BOTH: &[Condition] = &[Environment, Network];

/// An exit with a traceback is read from what the process printed (`faults/app/crash.rs`), not from this table.
pub(super) static BREACHES: &[Breach] = &[
    breach(
        "starts",
        "exec_format_error/other_machine",
        &[("image.arch_mismatch", Proven)],
        NOTHING,
        "the program is built for another machine",
    ),
    breach(
        "starts",
        "exec_format_error/no_program",
        &[("app.startup_exception", Proven)],
        NOTHING,
        "the file is neither a program nor a script with a `#!` line",
    ),
    breach(
        "starts",
        "exec_format_error",
        &[("image.arch_mismatch", Circumstantial), ("app.startup_exception", Circumstantial)],
        NOTHING,
        "the program is not executable on this machine: built for another one, or a script without its `#!` line",
    ),
    breach(
        "starts",
        "interpreter_missing",
        &[("app.startup_exception", Proven)],
        NOTHING,
        "the interpreter it names is not in the image",
    ),
    breach(
        "starts",
        "executable_missing",
        &[("app.startup_exception", Proven)],
        NOTHING,
        "the program it starts is not in the image",
    ),
    breach(
        "starts",
        "permission_denied",
        &[("image.file_permissions", Proven)],
        NOTHING,
        "its user may not run the program",
    ),
    breach(
        "starts",
        "no_command",
        &[("app.startup_exception", Proven)],
        NOTHING,
        "the image names no command",
    ),
    breach(
        "starts",
        "unknown_user",
        &[("image.file_permissions", Proven)],
        NOTHING,
        "the image's user does not exist in it",
    ),
    breach(
        "starts",
        "working_directory",
        &[("app.startup_exception", Proven)],
        NOTHING,
        "the working directory cannot be entered",
    ),
    breach("stays_up", "exited", &[("app.startup_exception", Circumstantial)], BOTH, "the process exits"),
    breach(
        "stays_up",
        "exited_cleanly",
        &[("image.wrong_server_model", Circumstantial)],
        BOTH,
        "the process ends of itself and without an error, as a job or a script does",
    ),
    breach(
        "stays_up",
        "crashed",
        &[("app.startup_exception", Proven)],
        BOTH,
        "the process crashes: a signal that a fault of its own code, or of a native library, raises",
    ),
    breach(
        "stays_up",
        "signalled",
        &[("app.startup_exception", Circumstantial)],
        BOTH,
        "a signal ended the process",
    ),
    breach(
        "stays_up",
        "out_of_memory",
        &[("app.startup_exception", Proven)],
        BOTH,
        "the process used up the memory of a session",
    ),
    // The service's own limit of processes is not documented.
    breach(
        "stays_up",
        "process_limit",
        &[("app.startup_exception", Circumstantial)],
        BOTH,
        "the process used up its processes",
    ),
    // Field reports warn of loopback and never proved it the cause of a failed launch.
    breach(
        "listens",
        "loopback_only",
        &[("contract.wrong_port", Circumstantial)],
        SET,
        "it listens on the loopback address only",
    ),
    breach("listens", "wrong_port", &[("contract.wrong_port", Proven)], SET, "it listens on another port"),
    breach(
        "listens",
        "nothing_listens",
        &[("contract.wrong_port", Proven), ("app.slow_init", Circumstantial)],
        BOTH,
        "nothing listens",
    ),
    breach(
        "listens",
        "other_protocol",
        &[("contract.protocol_mismatch", Proven)],
        SET,
        "it listens on the port of another protocol, and speaks that one",
    ),
    breach("listens", "slow_start", &[("app.slow_init", Proven)], BOTH, "it listens, after the limit"),
    breach(
        "healthy",
        "slow_start",
        &[("app.slow_init", Proven)],
        BOTH,
        "it becomes healthy, after the limit",
    ),
    breach(
        "healthy",
        "path_not_found",
        &[("contract.wrong_path", Proven)],
        SET,
        "the health path is answered with 404",
    ),
    breach(
        "healthy",
        "method_not_allowed",
        &[("contract.protocol_mismatch", Circumstantial), ("contract.wrong_path", Circumstantial)],
        SET,
        "the health path is answered with 405, as by a server of another protocol or with another method on that path",
    ),
    // By which host name the service calls is not documented.
    breach(
        "healthy",
        "host_refused",
        &[("contract.host_header_421", Circumstantial)],
        SET,
        "the server refuses the host name it is called by",
    ),
    breach(
        "healthy",
        "error_status",
        &[("contract.wrong_path", Proven)],
        BOTH,
        "the health path is answered with an error",
    ),
    breach(
        "healthy",
        "bad_body",
        &[("contract.wrong_path", Circumstantial)],
        SET,
        "the health answer is not the JSON that the contract asks for",
    ),
    breach(
        "healthy",
        "no_answer",
        &[("contract.blocked_event_loop", Circumstantial), ("app.slow_init", Circumstantial)],
        BOTH,
        "something listens and does not answer",
    ),
    breach(
        "healthy",
        "not_http",
        &[("contract.protocol_mismatch", Proven)],
        SET,
        "what listens does not speak HTTP",
    ),
    breach(
        "healthy",
        "other_protocol",
        &[("contract.protocol_mismatch", Proven)],
        SET,
        "what listens speaks another protocol",
    ),
    breach(
        "answers",
        "other_protocol",
        &[("contract.protocol_mismatch", Proven)],
        SET,
        "what answers speaks another protocol",
    ),
    breach(
        "answers",
        "path_not_found",
        &[("contract.wrong_path", Proven)],
        SET,
        "the request's path is answered with 404",
    ),
    breach(
        "answers",
        "error_status_5xx",
        &[("contract.first_request_5xx", Circumstantial)],
        BOTH,
        "the first request is answered with a server error",
    ),
    breach(
        "answers",
        "refused",
        &[("contract.non2xx_masked", Circumstantial)],
        BOTH,
        "the request is refused with a client error",
    ),
    breach(
        "answers",
        "invalid_response",
        &[("contract.protocol_mismatch", Circumstantial)],
        BOTH,
        "the answer is not one of this protocol",
    ),
    breach(
        "answers",
        "session_refused",
        &[("contract.mcp_session", Proven)],
        SET,
        "the server refuses the session id that the service sends",
    ),
    breach(
        "healthy_while_busy",
        "event_loop_blocked",
        &[("contract.blocked_event_loop", Circumstantial)],
        BOTH,
        "the health path is not answered while a request runs",
    ),
    breach(
        "idles",
        "timestamp_moves",
        &[("life.never_idle", Proven)],
        SET,
        "every health answer says that the state changed just now",
    ),
    breach(
        "writes",
        "read_only",
        &[("image.file_permissions", Circumstantial)],
        NOTHING,
        "the process could not write to a read-only path",
    ),
    breach(
        "writes",
        "permission_denied",
        &[("image.file_permissions", Circumstantial)],
        NOTHING,
        "the process was refused a file",
    ),
    breach("prints", "silent", &[("logs.app_silent", Circumstantial)], NOTHING, "it prints nothing"),
];

/// What a finding of an inspection stands for, and how surely at best.
pub(super) static FINDINGS: &[(&str, &str, Certainty)] = &[
    ("missing_submodule", "app.dependency_drift", Proven),
    ("missing_name", "app.dependency_drift", Proven),
    ("newer_major_release", "app.dependency_drift", Circumstantial),
    ("missing_module", "app.dependency_not_packaged", Proven),
    ("foreign_extension", "app.dependency_not_packaged", Proven),
    ("missing_library", "app.dependency_not_packaged", Proven),
    ("missing_own_source", "app.missing_source_file", Proven),
    ("missing_data_file", "app.missing_source_file", Proven),
    ("missing_own_name", "app.startup_exception", Proven),
    ("syntax_error", "app.startup_exception", Proven),
    ("no_command", "app.startup_exception", Proven),
    ("program_missing", "app.startup_exception", Proven),
    ("interpreter_missing", "app.startup_exception", Proven),
    ("loader_missing", "app.startup_exception", Proven),
    ("not_executable_format", "app.startup_exception", Proven),
    ("entry_point_missing", "app.startup_exception", Proven),
    ("wrong_architecture", "image.arch_mismatch", Proven),
    ("too_many_layers_for_named_user", "image.layers_user_overlay", Proven),
    ("user_unknown", "image.file_permissions", Proven),
    ("cannot_read", "image.file_permissions", Proven),
    ("cannot_execute", "image.file_permissions", Proven),
    ("no_http_server", "image.wrong_server_model", Circumstantial),
    // A declared port is a remark of whoever wrote the Dockerfile.
    ("other_port_exposed", "contract.wrong_port", Circumstantial),
    ("binds_loopback_only", "contract.wrong_port", Circumstantial),
    ("other_protocol", "contract.protocol_mismatch", Circumstantial),
    ("working_directory", "app.startup_exception", Proven),
    ("timestamp_moves", "life.never_idle", Circumstantial),
];

/// What must have held for a rehearsal to speak against a fault.
pub(super) struct Held {
    /// The fault.
    pub(super) fault: &'static str,
    /// The clauses that must have held.
    pub(super) clauses: &'static [&'static str],
    /// What may still make the difference.
    pub(super) depends_on: &'static [Condition],
}

const fn held(
    fault: &'static str,
    clauses: &'static [&'static str],
    depends_on: &'static [Condition],
) -> Held {
    Held { fault, clauses, depends_on }
}

pub(super) static HELD: &[Held] = &[
    held("app.dependency_drift", &["listens"], &[]),
    held("app.dependency_not_packaged", &["listens"], &[]),
    held("app.missing_source_file", &["listens"], &[]),
    held("app.startup_exception", &["listens"], &[Environment, Network]),
    held("app.slow_init", &["healthy"], &[Environment, Network]),
    held("image.file_permissions", &["listens"], &[]),
    held("image.wrong_server_model", &["healthy"], &[]),
    held("contract.wrong_port", &["listens"], &[Environment]),
    held("contract.wrong_path", &["healthy", "answers"], &[]),
    held("contract.protocol_mismatch", &["healthy"], &[Environment]),
    held("contract.host_header_421", &["healthy"], &[Environment]),
    held("contract.mcp_session", &["answers"], &[]),
    held("contract.first_request_5xx", &["answers"], &[Environment, Network, Payload]),
    held("contract.blocked_event_loop", &["healthy_while_busy"], &[Payload, Network]),
    held("life.never_idle", &["idles"], &[]),
    held("net.downstream_unreachable", &["answers"], &[Environment, Network, Payload]),
];
