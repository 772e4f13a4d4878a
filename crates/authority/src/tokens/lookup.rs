//! Finds the token of a secret, for a person who found the secret and wants to know what it opens.

use secret_hash::{StoredHash, TagCheck, VerifyTag, lookup_hint};
use token_domain::record::{StoredSecret, Token};
use token_format::PlainToken;

use super::reach::reaches;
use super::{TokenError, Tokens};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Caller;
use crate::slow::Work;

impl Tokens {
    /// The token of the caller's organisation whose secret this is, dead or alive. No use is counted.
    ///
    /// # Errors
    /// No such token in the organisation and within the caller's reach. A secret of another organisation gets the same error as
    /// an unknown one.
    pub async fn lookup(&self, caller: &Caller, text: &str) -> Result<Token, TokenError> {
        let Ok(secret) = PlainToken::parse(text.trim()) else { return Err(TokenError::NotFound) };
        let candidates = self.context.store.candidates(lookup_hint(&secret).0).await?;
        for candidate in candidates {
            let (mut token, stored) = (candidate.token, candidate.secret);
            // Do not verify the secret against tokens out of reach: the time that takes would reveal that they exist.
            if token.organization_id != caller.organization_id || !reaches(caller, &token) {
                continue;
            }
            if is_of(&self.context, &secret, &token, &stored).await? {
                self.context.uses.add_to([&mut token]);
                return self.seen(token).await;
            }
        }
        Err(TokenError::NotFound)
    }
}

/// Whether a secret is this token's: by its tag where that can tell, by its hash where it cannot.
async fn is_of(context: &Context, secret: &PlainToken, token: &Token, stored: &StoredSecret) -> Result<bool, Failure> {
    let digest = context.keyring.digest(secret);
    let tag = stored.verify_tag.as_deref().and_then(|bytes| VerifyTag::from_bytes(bytes).ok());
    match tag.map(|tag| context.keyring.check(secret, &digest, &tag)) {
        Some(TagCheck::Match | TagCheck::MatchPreviousKey) => return Ok(true),
        Some(TagCheck::Mismatch) => return Ok(false),
        Some(TagCheck::UnknownKey) | None => {}
    }
    let unreadable =
        |error: &dyn std::fmt::Display| Failure::Inconsistent(format!("token {} cannot be read: {error}", token.id));
    let stored = StoredHash::parse(&stored.secret_hash).map_err(|error| unreadable(&error))?;
    let verified = if stored.is_slow() {
        let secret = secret.clone();
        context.lane.run(Work::Validation, move || secret_hash::verify(&secret, &stored)).await?
    } else {
        secret_hash::verify(secret, &stored)
    };
    verified.map_err(|error| unreadable(&error))
}
