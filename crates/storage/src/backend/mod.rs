//! The two databases. Each side says what a connection is, how one is opened, how a unit of work runs, and in
//! `dialect` the few statements that are not the same text on both; everything else is `repo`, compiled once here and
//! once there.

mod errors;
pub(crate) mod postgresql;
pub(crate) mod sqlite;
