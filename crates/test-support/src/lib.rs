//! What tests share: a database per test on both backends, and records to fill it with.

pub mod database;
pub mod records;
pub mod sql;
pub mod world;

pub use database::{Backend, Db};
pub use world::World;
