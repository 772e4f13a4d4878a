//! The tokens of an organisation.

mod create;
mod edit;
mod idempotency;
mod list;
mod managing;
mod own;
mod revoke;
mod rotate;
mod usage;
mod uses;
