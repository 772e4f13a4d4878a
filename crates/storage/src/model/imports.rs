//! Tokens made from hashes of other systems.

use token_domain::id::{OrganizationId, TokenId};

/// Which hash made which token. It stays when the token's first use replaces the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedToken {
    /// A digest of the hash as it was imported; one hash makes one token in the whole deployment.
    pub identity: [u8; 32],
    /// The token's organisation.
    pub organization_id: OrganizationId,
    /// The token.
    pub token_id: TokenId,
}
