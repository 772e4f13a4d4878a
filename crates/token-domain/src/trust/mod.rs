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

use crate::text::{HOLDS_SECRET, holds_secret};

/// The default lifetime of a token made under a policy, in seconds.
pub const DEFAULT_TTL: u32 = 900;

/// Reads what `aud` must be.
///
/// # Errors
/// What is wrong with it; the message completes "audience …".
pub fn audience(text: &str) -> Result<String, &'static str> {
    const LONGEST: usize = 512;
    if holds_secret(text) {
        return Err(HOLDS_SECRET);
    }
    let is_good = (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_good { Ok(text.to_owned()) } else { Err("must have 1 to 512 characters, none of them control characters") }
}

/// Reads how long a token lives, in seconds.
///
/// # Errors
/// What is wrong with it; the message completes "ttl …".
pub fn ttl(seconds: u32) -> Result<u32, &'static str> {
    if (60..=3_600).contains(&seconds) { Ok(seconds) } else { Err("must be 60 to 3600 seconds") }
}
