//! The extractors: bodies, queries, path ids and credentials, each parsed more strictly than the framework does.

pub mod body;
pub mod client;
pub mod credentials;
pub mod form;
pub mod json;
pub mod path;
pub mod query;
pub mod turn;

mod explain;
mod strict;

pub use client::ClientIp;
pub use credentials::{Credentials, Presented};
pub use explain::must_be;
pub use form::Form;
pub use json::{Json, OptionalJson};
pub use path::{PathParam, Segment};
pub use query::{Limit, Pairs, Query};
