//! Organisations, their members, roles and invitations, as clients call them, on both databases.

mod addresses;
mod ground;
mod invitations;
mod joining;
mod members;
mod organizations;
mod power;
mod race;
mod refusals;
mod roles;
mod standing;
