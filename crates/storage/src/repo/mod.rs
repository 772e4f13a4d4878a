//! What can be asked of the database: plain functions over one connection, written once.
//!
//! This folder is compiled twice, as `backend::sqlite::repo` and as `backend::postgresql::repo`; `Conn` and `dialect`
//! are whatever the parent says. A function that changes a state does so in one guarded statement
//! (`UPDATE … WHERE <state> RETURNING …`): the statement is the lock and its result is the proof. "Not there" is
//! `Ok(None)`, never an error.

pub(crate) mod access_scopes;
pub(crate) mod actors;
pub(crate) mod audit;
pub(crate) mod baselines;
pub(crate) mod devices;
pub(crate) mod executions;
pub(crate) mod idempotency;
pub(crate) mod identities;
pub(crate) mod imports;
pub(crate) mod invitations;
pub(crate) mod leaks;
mod listing;
pub(crate) mod log;
pub(crate) mod mail;
pub(crate) mod memberships;
pub(crate) mod nodes;
pub(crate) mod notices;
pub(crate) mod organizations;
pub(crate) mod policies;
pub(crate) mod projects;
pub(crate) mod repositories;
pub(crate) mod roles;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod sightings;
pub(crate) mod standing;
pub(crate) mod tenancy;
pub(crate) mod tokens;
pub(crate) mod totals;
pub(crate) mod trust;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod webhooks;

use super::{Conn, dialect};
