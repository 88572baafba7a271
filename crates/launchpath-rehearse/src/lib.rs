//! Runs an image here as AgentCore Runtime would, and says which clause of the service's contract breaks first.
//!
//! What it is: a sandbox like a session's microVM ([`sandbox`]) and a container engine where none can be had (`engine`), the probes
//! of the contract ([`contract`]), and the record of what was seen ([`record`]), which a bundle takes as evidence. What it is not: it brings no image here, and it judges no
//! runtime; the diagnosis reads the record like any other evidence.
//!
//! The one crate with `unsafe`: every block says why it is sound.
//!
//! Start with [`subject::Subject`], the line between running a process and judging it.

pub mod contract;
#[cfg(unix)]
pub mod engine;
mod maker;
pub mod record;
pub mod sandbox;
pub mod subject;
