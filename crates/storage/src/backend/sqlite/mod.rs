//! SQLite: point reads inline on the calling thread, long ones in a lane of their own; units of work on the
//! one thread of [`crate::writer`].

mod backup;
mod budget;
mod connection;
mod control;
mod dialect;
mod header;
mod identity;
mod lane;
mod log_files;
pub(crate) mod mark;
mod prepared;
mod readers;
#[path = "../../repo/mod.rs"]
pub(crate) mod repo;
mod thread;

pub(crate) use backup::backup;
pub(crate) use connection::{SqliteConn, establish, open_writer};
pub(crate) use control::Control;
pub(crate) use header::MAGIC;
pub(crate) use identity::{Identity, Standing, beside};
pub(crate) use lane::Lane;
pub(crate) use log_files::{LogFiles, set_start, start_of};
pub(crate) use readers::Readers;
pub(crate) use thread::{Importance, start};

/// What the repository functions work on. The lifetime is the other side's.
pub(crate) type Conn<'a> = SqliteConn;
