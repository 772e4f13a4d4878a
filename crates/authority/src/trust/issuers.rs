//! The issuers of identity tokens, as the authority sees them: it decides which may be asked for their keys, and makes no
//! request itself.

use std::pin::Pin;
use std::sync::Arc;

use super::jwt::{Jwt, KeySet};
use crate::context::Context;

/// Fetches the keys of an issuer; `None` if they could not be fetched.
pub type FindingKeys<'a> = Pin<Box<dyn Future<Output = Option<Arc<KeySet>>> + 'a>>;

/// Requests to issuers. The program around the authority makes them, for the JSON operations and the pages alike.
pub trait Issuers: Send + Sync {
    /// Checks the text that a new policy names as its issuer; the message completes "the issuer …".
    ///
    /// # Errors
    /// It is no address that this deployment could ask for keys.
    fn check(&self, text: &str) -> Result<(), &'static str>;

    /// The keys for verifying a token of this issuer.
    fn keys<'a>(&'a self, issuer: &'a str, jwt: &'a Jwt, context: &'a Context) -> FindingKeys<'a>;
}
