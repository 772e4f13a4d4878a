//! What is kept of a token's leak.

use crate::Timestamp;
use crate::id::TokenId;
use crate::leak::{LeakAction, LeakSource};

/// That a token was reported as leaked, and what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLeak {
    /// The token.
    pub token_id: TokenId,
    /// What was done about it.
    pub action: LeakAction,
    /// Who reported it.
    pub source: LeakSource,
    /// When.
    pub reported_at: Timestamp,
}
