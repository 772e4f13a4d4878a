//! The store against real databases: every operation, every rule of the schema, every way a unit of work can end, on
//! SQLite and on PostgreSQL.

mod candidates;
mod executions;
mod instance;
mod migrations;
mod outages;
mod people;
mod projects;
mod proxy;
mod rules;
mod run;
mod schema;
mod sql;
mod tokens;
mod trails;
mod units;
