//! Alerts of code hosts about leaked tokens.

use token_domain::Timestamp;
use token_domain::leak::LeakSource;

/// An alert whose secret is still to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakAlert {
    /// The code host.
    pub host: LeakSource,
    /// What names the alert there, as JSON.
    pub place: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it is tried next. It changes with every attempt and every delivery, so it tells the holder of a claim from others.
    pub due_at: Timestamp,
}
