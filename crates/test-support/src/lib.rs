//! What tests share: a database per test on both backends, and records to fill it with.

pub mod database;
pub mod records;

pub use database::{Backend, Db};
