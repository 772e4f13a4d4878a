//! Tests of the whole service: the real program over real sockets, on both databases.
//!
//! Every test has its own database and server. A test is a function that takes a backend; `both!` makes one test of it
//! for each backend.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]
#![expect(clippy::print_stdout, reason = "seeds and counts, which a failing test shows")]

mod support;

mod audit;
mod chromium;
mod clients;
mod crash;
mod executions;
mod gateways;
mod isolation;
mod journey;
mod keys;
mod leaks;
mod ledger;
mod load;
mod mail;
mod malformed;
mod nodes;
mod oauth;
mod operations;
mod outage;
mod pages;
mod people;
mod policy;
mod private;
mod race;
mod redaction;
mod rights;
mod scopes;
mod sessions;
mod tenancy;
mod tokens;
mod trust;
mod trust_only;
mod validate;
mod webhooks;
