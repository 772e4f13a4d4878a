//! The facts on disk: one code for SQLite and PostgreSQL.
//!
//! [`Store::read`] and [`Store::write`] run closures over [`Reads`] and [`Tx`], whose operations are listed in one
//! place and written once (`repo`), compiled for each database. [`migrate`] makes the tables, [`instance`] keeps a second
//! process away from the same SQLite file, [`nodes`] is what servers that share a PostgreSQL database say to each other,
//! [`copy`] moves a database from SQLite to PostgreSQL.
//!
//! **Invariant:** this crate decides nothing. It has no wall clock, no randomness and no hash function; digests and
//! stored secrets are opaque bytes to it, moments and ids come as arguments. No type of diesel leaves it.

mod backend;
mod boottime;
pub mod copy;
mod counters;
mod error;
mod frame;
pub mod instance;
mod kept;
pub mod migrate;
pub mod model;
pub mod nodes;
mod operations;
mod options;
mod registration;
mod rows;
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "the form diesel's tables are written in"))]
mod schema;
mod sql_types;
mod store;
mod unit;
mod url;
mod writer;

pub use boottime::boottime_nanos;
pub use counters::StoreCounters;
pub use error::{Constraint, Outage, OutageKind, StoreError};
pub use frame::Logged;
pub use operations::Operation;
pub use options::StoreOptions;
pub use store::Store;
pub use unit::{Reads, Tx};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
