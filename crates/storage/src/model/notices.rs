//! What people are told about tokens.

use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId};

/// A token that was used from an address for the first time, of which nobody was told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressNotice {
    /// Whose token it is.
    pub organization_id: OrganizationId,
    /// Which token.
    pub token_id: TokenId,
    /// From where, without a port.
    pub address: String,
    /// What the client called itself, if that is known.
    pub agent: Option<String>,
    /// When.
    pub seen_at: Timestamp,
}

/// Mail that a person may not want. There is no switch for leaks and reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muted {
    /// Warnings before a token ends.
    TokenExpiring,
    /// A token was used from an address that it had not been used from before.
    TokenNewAddress,
}

impl Muted {
    /// As it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpiring => "token_expiring",
            Self::TokenNewAddress => "token_new_address",
        }
    }

    /// The reverse.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::TokenExpiring, Self::TokenNewAddress].into_iter().find(|muted| muted.as_str() == text)
    }
}
