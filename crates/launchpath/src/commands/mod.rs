//! One file per command.

mod batch;
pub(crate) mod can;
mod certificate;
pub(crate) mod collect;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod diagnose;
mod experiment;
pub(crate) mod explain;
mod fleet;
mod image;
pub(crate) mod inspect;
mod keep;
mod live;
pub(crate) mod logs;
pub(crate) mod man;
mod page;
pub(crate) mod permissions;
pub(crate) mod reach;
pub(crate) mod redact;
pub(crate) mod rehearse;
pub(crate) mod verify;
