//! Proving a second factor: by a code of the app, or by a recovery code. What proves is spent in the transaction of what
//! it is good for, so that it is good once.

use secret_hash::recovery::RecoveryCode;
use secret_hash::totp::{TotpCode, TotpSecret};
use storage::{StoreError, Tx};
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::record::{Principal, SecondFactor};

use crate::attempts::{self, AttemptError};
use crate::audit::Refusal;
use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::limits::CodeAttempt;
use crate::origin::Origin;

/// What somebody shows to prove their second factor.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The code their app shows now.
    Code(TotpCode),
    /// One of their recovery codes.
    Recovery(RecoveryCode),
}

/// What a good proof uses up.
#[derive(Debug)]
pub(crate) enum Spend {
    /// A time step, and the secret sealed anew if an earlier key had sealed it: new, old.
    Step { step: i64, resealed: Option<(Vec<u8>, Vec<u8>)> },
    /// The recovery code of this digest.
    RecoveryCode([u8; 32]),
}

impl Spend {
    /// How it is named in the trail.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Step { .. } => "totp",
            Self::RecoveryCode(_) => "recovery_code",
        }
    }

    /// Uses it up. False: it was used up before, perhaps by a request at the same time.
    pub(crate) async fn spend(&self, tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
        match self {
            Self::RecoveryCode(digest) => tx.spend_recovery_code(user, digest).await,
            Self::Step { step, resealed } => {
                let spent = tx.spend_step(user, *step).await?;
                if let Some((new, old)) = resealed.as_ref().filter(|_| spent) {
                    tx.reseal_second_factor(user, new, old).await?;
                }
                Ok(spent)
            }
        }
    }
}

/// Whether a proof is good; nothing when it is wrong. Guesses at codes are counted for the person, wherever they come
/// from: only somebody who has the password comes this far. Recovery codes are 80 random bits and need no counting, so that
/// a person who has to wait because of a guesser's mistakes gets in with a recovery code.
pub(crate) async fn check(
    context: &Context,
    user: UserId,
    proof: &Proof,
    origin: &Origin,
) -> Result<Option<Spend>, AttemptError> {
    match proof {
        Proof::Recovery(code) => Ok(Some(Spend::RecoveryCode(code.digest(user.uuid().as_bytes())))),
        Proof::Code(code) => {
            let attempt = guess(context, user, origin).await?;
            let factor = context.store.read(move |reads| Box::pin(reads.second_factor(user))).await?;
            let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else { return Ok(None) };
            let (secret, resealed) = open(context, &factor)?;
            let proven = secret.proves(*code, seconds(context.wall()), factor.last_step);
            if proven.is_some() {
                attempt.succeeded();
            }
            Ok(proven.map(|step| Spend::Step { step, resealed: resealed.map(|new| (new, factor.sealed_secret)) }))
        }
    }
}

/// Counts a guess at a person's code; that it has to wait is recorded.
pub(super) async fn guess<'c>(
    context: &'c Context,
    user: UserId,
    origin: &Origin,
) -> Result<CodeAttempt<'c>, AttemptError> {
    match context.codes.take(user, context.steady()).await {
        Ok(attempt) => Ok(attempt),
        Err(wait) => {
            let by = (None, Principal::Anonymous);
            let recorded = attempts::refused(context, Refusal::CodeLimited, by, origin, |event| {
                event.on("user", user).with("retry_after_seconds", wait.retry_after.as_seconds())
            });
            recorded.await?;
            Err(wait.into())
        }
    }
}

/// The secret of a factor, and the same sealed under the current key if an earlier one had sealed it.
pub(super) fn open(context: &Context, factor: &SecondFactor) -> Result<(TotpSecret, Option<Vec<u8>>), Failure> {
    let unusable = |why: &dyn std::fmt::Display| {
        Failure::Inconsistent(format!("the second factor of user {} cannot be used: {why}", factor.user_id))
    };
    let about = about(factor.user_id);
    let opened = context.keyring.decrypt(&factor.sealed_secret, &about).map_err(|error| unusable(&error))?;
    let secret = TotpSecret::from_bytes(&opened.plain).ok_or_else(|| unusable(&"it is of another length"))?;
    let resealed = opened.by_previous_key.then(|| seal(context, factor.user_id, &secret)).transpose()?;
    Ok((secret, resealed))
}

/// The secret as it is stored.
pub(super) fn seal(context: &Context, user: UserId, secret: &TotpSecret) -> Result<Vec<u8>, Failure> {
    let nonce = random(context.entropy.as_ref())?;
    let sealed = context.keyring.encrypt(secret.expose(), &about(user), nonce);
    sealed.map_err(|error| Failure::Inconsistent(format!("a second factor cannot be sealed: {error}")))
}

/// What a sealed secret belongs to.
fn about(user: UserId) -> Vec<u8> {
    [b"totp\0".as_slice(), user.uuid().as_bytes()].concat()
}

/// Whole seconds since 1970, as one-time passwords count.
pub(super) const fn seconds(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(1_000_000)
}
