//! The verbs against real databases, with a clock that stands still.

mod cost;
mod executions;
mod lives;
mod second_factors;
mod sign_in;
mod tampering;
mod trail;
mod uses;
mod validation;
