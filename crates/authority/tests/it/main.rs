//! The verbs against real databases, with a clock that stands still.

mod cost;
mod demotion;
mod executions;
mod imports;
mod leaks;
mod limits;
mod lives;
mod mail;
mod notices;
mod password_resets;
mod people;
mod policies;
mod refusals;
mod second_factors;
mod sign_in;
mod sizes;
mod sso;
mod tampering;
mod trail;
mod uses;
mod validation;
mod webhooks;
mod writing;
