//! The HTTP ground: everything between a socket and a handler. The JSON operations and the pages stand on it.
//!
//! **Invariant:** nothing here knows the authority, the database, an operation, a page or a configuration key. Handlers,
//! pages with their paths, fast answers and readiness are handed in as values, see [`app::Site`].

pub mod app;
pub mod codes;
mod connections;
pub mod cors;
pub mod docs;
pub mod drain;
pub mod ends_soon;
pub mod error;
mod exposition;
pub mod extract;
mod failures;
pub mod gate;
pub mod health;
pub mod hot;
pub mod listen;
mod listener;
pub mod metrics;
pub mod middleware;
pub mod outbound;
mod packed;
pub mod parts;
mod patience;
pub mod request_id;
pub mod routes;
pub mod server;
mod socket;
pub mod untrusted_proxy;
mod within;
