//! People: signing in and out, rights of roles, and their own account.

mod account;
mod credentials;
mod ending;
mod proof;
mod roles;
mod second_factor;
mod service;
mod sign_in;
