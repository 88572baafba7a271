//! A small HTTP/1.1 client for servers that are not trusted: every read has a limit in bytes and in time.
//!
//! What it is: one request on one connection, and what came back ([`Outcome`]), the ways of failing told apart. What it is
//! not: a general client; it keeps no connection, follows no redirect and decides nothing.
//!
//! Start with [`exchange`].

mod body;
mod request;
mod response;
pub mod web_socket;

pub use request::Request;
pub use response::{Answer, Limits, Outcome, exchange};
