//! The verbs against real databases, with a clock that stands still.

mod executions;
mod lives;
mod sign_in;
mod trail;
mod uses;
mod validation;
