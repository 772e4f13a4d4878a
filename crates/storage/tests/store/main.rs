//! The store against real databases: every operation, every rule of the schema, every way a unit of work can end, on
//! SQLite and on PostgreSQL.

mod candidates;
mod executions;
mod people;
mod run;
mod tokens;
mod trails;
mod units;
