//! What a token may do with itself: read, rotate, revoke. The first and the last take no scope: the holder of a secret may
//! always learn what it is and put an end to it.

use storage::model::LogPlace;
use token_domain::id::TokenId;
use token_domain::record::Token;
use token_domain::token::Explanation;

use super::rotate::Reach;
use super::{RotateRequest, Rotated, TokenError, Tokens};
use crate::origin::{Caller, Origin, Via};

impl Tokens {
    /// The token that is asking.
    ///
    /// # Errors
    /// A caller that is no token.
    pub async fn own(&self, caller: &Caller) -> Result<Token, TokenError> {
        self.get(caller, token_id(caller)?).await
    }

    /// Rotates the token that is asking, whatever its kind; its own scope `self:rotate` was checked at the door.
    ///
    /// # Errors
    /// A caller that is no token; a token that is not active; a replayed idempotency key; a policy.
    pub async fn rotate_own(
        &self,
        caller: &Caller,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        let token = self.own(caller).await?;
        self.succeed(caller, token, Reach::Own, request, origin).await
    }

    /// Revokes the token that is asking; the place of that in the log.
    ///
    /// # Errors
    /// A caller that is no token.
    pub async fn revoke_own(&self, caller: &Caller, origin: &Origin) -> Result<Option<LogPlace>, TokenError> {
        self.revoke_reached(caller, token_id(caller)?, Explanation::default(), origin).await
    }
}

fn token_id(caller: &Caller) -> Result<TokenId, TokenError> {
    match caller.via {
        Via::Token { token_id, .. } => Ok(token_id),
        Via::Session { .. } => Err(TokenError::NotAToken),
    }
}
