//! Finds the token of a secret, for a person who found the secret and wants to know what it opens.

use secret_hash::{ForeignHash, StoredHash, TagCheck, VerifyTag, foreign_hints, lookup_hint};
use token_domain::record::{StoredSecret, Token};
use token_format::PlainToken;
use zeroize::Zeroizing;

use super::reach::reaches;
use super::{TokenError, Tokens};
use crate::context::Context;
use crate::error::Failure;
use crate::legacy::{MOST_FOREIGN, is_foreign};
use crate::origin::Caller;
use crate::slow::Work;

impl Tokens {
    /// The token of the caller's organisation whose secret this is, dead or alive. No use is counted.
    ///
    /// # Errors
    /// No such token in the organisation and within the caller's reach. A secret of another organisation gets the same error as
    /// an unknown one.
    pub async fn lookup(&self, caller: &Caller, text: &str) -> Result<Token, TokenError> {
        let text = text.trim();
        let Ok(secret) = PlainToken::parse(text) else {
            let key = self.context.policy.legacy.shapes.read(text).ok_or(TokenError::NotFound)?;
            return self.lookup_asked(caller, key.alias().clone(), key.secret()).await;
        };
        self.lookup_asked(caller, secret, text).await
    }

    /// `text` is what another system hashed, should it be a key of one.
    async fn lookup_asked(&self, caller: &Caller, secret: PlainToken, text: &str) -> Result<Token, TokenError> {
        if let Some(token) = self.lookup_ours(caller, &secret).await? {
            return Ok(token);
        }
        if self.context.policy.legacy.is_on() {
            if let Some(token) = self.lookup_imported(caller, text).await? {
                return Ok(token);
            }
            // Its first use may have rewritten the hash between the two searches.
            if let Some(token) = self.lookup_ours(caller, &secret).await? {
                return Ok(token);
            }
        }
        Err(TokenError::NotFound)
    }

    /// Among tokens with a hash of this service.
    async fn lookup_ours(&self, caller: &Caller, secret: &PlainToken) -> Result<Option<Token>, TokenError> {
        let candidates = self.context.store.candidates(lookup_hint(secret).0).await?;
        for candidate in candidates {
            let (mut token, stored) = (candidate.token, candidate.secret);
            // Do not verify the secret against tokens out of reach: the time that takes would reveal that they exist.
            if token.organization_id != caller.organization_id || !reaches(caller, &token) || is_foreign(&stored) {
                continue;
            }
            if is_of(&self.context, secret, &token, &stored).await? {
                self.context.uses.add_to([&mut token]);
                return self.seen(token).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Among tokens whose hash is still that of another system.
    async fn lookup_imported(&self, caller: &Caller, text: &str) -> Result<Option<Token>, TokenError> {
        let hmac = self.context.policy.legacy.hmac_key.as_ref();
        let hints = foreign_hints(text.as_bytes(), hmac);
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                let mut found = reads.candidates_among(&hints.fast, MOST_FOREIGN).await?;
                found.extend(reads.candidates_among(&hints.slow, MOST_FOREIGN).await?);
                Ok(found)
            })
        });
        for candidate in read.await? {
            let (mut token, stored) = (candidate.token, candidate.secret);
            if token.organization_id != caller.organization_id || !reaches(caller, &token) {
                continue;
            }
            let Some(hash) = ForeignHash::from_stored(&stored.secret_hash) else { continue };
            let verified = if hash.is_slow() {
                let secret = Zeroizing::new(text.as_bytes().to_vec());
                self.context.lane.run(Work::Validation, move || hash.verify(&secret, None)).await?
            } else {
                hash.verify(text.as_bytes(), hmac)
            };
            if verified.map_err(|error| Failure::Inconsistent(format!("token {} cannot be read: {error}", token.id)))? {
                self.context.uses.add_to([&mut token]);
                return self.seen(token).await.map(Some);
            }
        }
        Ok(None)
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
