//! The probes and the judging against servers of this process that break the contract in one way each.

mod page;
mod protocols;
mod stand_in;
mod starts;
mod wire;
