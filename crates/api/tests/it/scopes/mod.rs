//! Scopes on the wire: what is said about them, and what a refusal for want of them says.

mod additions;
mod evaluate;
mod refusals;
