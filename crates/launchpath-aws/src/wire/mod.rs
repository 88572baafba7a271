//! AWS's five protocols: a JSON request in the AWS CLI's shape to HTTP, and an HTTP answer back to
//! the AWS CLI's JSON.
//!
//! Nothing here sends anything. Start reading at [`request::build`] and [`answer::read`].

pub(crate) mod answer;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod xml;
