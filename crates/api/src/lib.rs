//! The `nolapse-api` program as a library: wire surfaces, command line, composition root.

pub mod cli;
pub mod compose;
pub mod openapi;
pub mod surface;
pub mod telemetry;

mod assembly;
#[cfg(test)]
mod bounded;
mod config;
mod error_body;
mod mail;
mod membership;
mod metrics;
mod spare;
mod sso;
mod workers;
