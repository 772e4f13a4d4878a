//! Trust policies: which workloads of an identity provider may exchange their identity token for a token of ours.
//!
//! A policy names an issuer and what the claims of a token must be. Whether a token was really signed by its issuer is
//! decided elsewhere; here claims are facts.
//!
//! **Invariant:** a claim is compared as a whole. Nothing here takes a `sub` apart: its form is the issuer's business, and
//! issuers change it.

mod condition;
mod glob;
mod preset;

pub use condition::{Conditions, Expected, InvalidConditions, Judged, Weight};
pub use glob::{Glob, InvalidGlob};
pub use preset::{InvalidTrust, Preset, Refusal, Warning};
