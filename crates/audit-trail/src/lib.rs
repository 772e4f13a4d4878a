//! What holds an audit trail together, the lines it leaves in, and the walk that says whether a file is as it was written.
//!
//! The authority writes and verifies with it, and so does a command line that has nothing but the file: one code says
//! what a good trail is.
//!
//! **Invariant:** this crate knows no database, no clock and no network.

pub mod chain;
pub mod file;
pub mod ledger;
pub mod line;
