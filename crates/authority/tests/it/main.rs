//! The verbs against real databases, with a clock that stands still.

mod executions;
mod lives;
mod sign_in;
mod tampering;
mod trail;
mod validation;
