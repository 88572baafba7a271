//! Faults of the contract between the service and the process: protocol, port, path, probe, answer.

mod blocked_event_loop;
mod first_request_5xx;
mod host_header_421;
mod mcp_session;
mod non2xx_masked;
mod protocol_mismatch;
mod wrong_path;
mod wrong_port;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[
    &blocked_event_loop::FAULT,
    &first_request_5xx::FAULT,
    &host_header_421::FAULT,
    &mcp_session::FAULT,
    &non2xx_masked::FAULT,
    &protocol_mismatch::FAULT,
    &wrong_path::FAULT,
    &wrong_port::FAULT,
];
