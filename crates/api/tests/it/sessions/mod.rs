//! People: signing in and out, what a role opens, and their own account.

mod account;
mod credentials;
mod ending;
mod proof;
mod roles;
mod second_factor;
mod service;
mod sign_in;
