//! One file per command.

pub(crate) mod collect;
pub(crate) mod diagnose;
pub(crate) mod explain;
mod live;
pub(crate) mod permissions;
