//! PostgreSQL: point reads on one pipelined connection per worker, long ones on another, units of work on a small pool.

mod connect;
mod dialect;
mod lane;
mod pool;
mod readers;
#[expect(clippy::duplicate_mod, reason = "one repository source, compiled for each database")]
#[path = "../../repo/mod.rs"]
pub(crate) mod repo;
mod tls;
mod transaction;
mod turns;

pub(crate) use connect::{
    Purpose, Watched, connect, connect_for_copy, connect_watched, history, history_of, names_standby,
};
pub(crate) use lane::Lane;
pub(crate) use pool::Pool;
pub(crate) use readers::{Reader, Readers};
pub(crate) use transaction::Transaction;
pub(crate) use turns::Queue;

use diesel_async::AsyncPgConnection;

/// What the repository functions work on: a shared reference, so that statements of many callers can be under way on
/// one connection at once. A unit of work has the connection to itself and lends it in the same way.
pub(crate) type Conn<'a> = &'a AsyncPgConnection;
