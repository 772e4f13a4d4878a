//! The tokens of an organisation.

mod bulk;
mod create;
mod details;
mod edit;
mod idempotency;
mod import;
mod list;
mod lookup;
mod managing;
mod networks;
mod origins;
mod own;
mod revoke;
mod rotate;
mod usage;
mod uses;
