//! The verbs against real databases, with a clock that stands still.

mod executions;
mod lives;
mod people;
mod sign_in;
mod trail;
mod validation;
