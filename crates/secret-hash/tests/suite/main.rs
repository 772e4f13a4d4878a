//! The tests of the crate's surface, as one program: one link instead of four.

mod common;
mod hashes;
mod hostile_rows;
mod passwords;
mod sealed;
mod tags;
