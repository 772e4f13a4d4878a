//! The HTTP edge: everything between a socket and a handler.

pub mod app;
pub mod codes;
pub mod cors;
pub mod docs;
pub mod drain;
pub mod edge;
pub mod ends_soon;
pub mod error;
pub mod extract;
pub mod health;
pub mod hot;
pub mod metrics;
pub mod middleware;
mod packed;
mod patience;
pub mod request_id;
pub mod routes;
pub mod server;
mod within;
