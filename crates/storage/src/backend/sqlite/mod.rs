//! SQLite: point reads inline on the calling thread, long ones in a lane of their own, one writer thread for every unit of
//! work.

mod budget;
mod connection;
mod control;
mod dialect;
mod identity;
mod lane;
mod prepared;
mod readers;
#[path = "../../repo/mod.rs"]
pub(crate) mod repo;
mod thread;
mod writer;

pub(crate) use connection::{SqliteConn, backup, establish};
pub(crate) use identity::{Identity, Standing};
pub(crate) use lane::Lane;
pub(crate) use readers::Readers;
pub(crate) use writer::Writer;

/// What the repository functions work on. The lifetime is the other side's.
pub(crate) type Conn<'a> = SqliteConn;
