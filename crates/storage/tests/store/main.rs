//! The store against real databases: every operation, every rule of the schema, every way a unit of work can end, on
//! SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "what a test did not expect fails it")]

mod candidates;
mod copy;
mod devices;
mod executions;
mod instance;
mod lane;
mod mail;
mod migrations;
mod nodes;
mod outages;
mod people;
mod plans;
mod policies;
mod pooler;
mod projects;
mod proxy;
mod rules;
mod run;
mod schema;
mod second_factors;
mod tenancy;
mod tls;
mod tokens;
mod totals;
mod trails;
mod trust;
mod units;
mod usage;
mod webhooks;

use test_support::sql;
