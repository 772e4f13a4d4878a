//! Making a secret and what is kept of it; bringing what is kept up to date.

use std::sync::Arc;

use secret_hash::{HashError, Scheme, StoredHash, hash, lookup_hint};
use token_domain::id::TokenId;
use token_domain::record::{Hint, Principal, StoredSecret};
use token_format::PlainToken;

use crate::attempts;
use crate::audit::Refusal;
use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use crate::slow::Work;

/// A new token's secret for a caller, and its stored form. A refusal for too many secrets at once is recorded in the trail.
pub(super) async fn make_for(
    context: &Context,
    caller: &Caller,
    origin: &Origin,
) -> Result<(PlainToken, StoredSecret), Failure> {
    let made = make(context, caller.principal()).await;
    if matches!(made, Err(Failure::TooManyAtOnce)) {
        let by = (Some(caller.organization_id), caller.principal());
        attempts::refused(context, Refusal::SecretsLimited, by, origin, |event| event).await?;
    }
    made
}

/// A new token's secret for a principal, and its stored form. The slow hash runs in the lane.
pub(super) async fn make(context: &Context, by: Principal) -> Result<(PlainToken, StoredSecret), Failure> {
    let secret = PlainToken::from_random(random(context.entropy.as_ref())?);
    let stored = keep(context, &secret, Work::Creation(by)).await?;
    Ok((secret, stored))
}

/// The hint and the stored form of a secret that nobody is shown: it keeps a place for the one that its owner asks for. Nobody
/// can guess 128 random bits, so the fast hash does, and a report of a thousand leaks does not take a thousand slow ones.
pub(super) fn make_unseen(context: &Context) -> Result<(Hint, StoredSecret), Failure> {
    let secret = PlainToken::from_random(random(context.entropy.as_ref())?);
    let hashed = hash(&secret, &Scheme::Sha256, random(context.entropy.as_ref())?);
    Ok((secret.hint(), stored(context, &secret, hashed)?))
}

/// The stored form of a secret, by the current hash scheme and tag key.
async fn keep(context: &Context, secret: &PlainToken, work: Work) -> Result<StoredSecret, Failure> {
    let salt = random(context.entropy.as_ref())?;
    let scheme = context.policy.scheme;
    let hashed = if scheme.is_slow() {
        let secret = secret.clone();
        context.lane.run(work, move || hash(&secret, &scheme, salt)).await?
    } else {
        hash(secret, &scheme, salt)
    };
    stored(context, secret, hashed)
}

fn stored(
    context: &Context,
    secret: &PlainToken,
    hashed: Result<StoredHash, HashError>,
) -> Result<StoredSecret, Failure> {
    let hashed = hashed.map_err(|error| Failure::Inconsistent(format!("a secret cannot be hashed: {error}")))?;
    let digest = context.keyring.digest(secret);
    Ok(StoredSecret {
        secret_hash: hashed.as_str().to_owned(),
        lookup_hint: lookup_hint(secret).0,
        verify_tag: Some(context.keyring.seal(&digest).to_bytes().to_vec()),
    })
}

/// Writes a proven token's tag anew, and its hash by the configured scheme where it has another. Gives way when the
/// lane is busy and says so only at debug level: the next cold read of the token tries again. `hint` is what is shown of a
/// secret from now on, of which nothing was known before.
pub(crate) async fn upgrade(
    context: Arc<Context>,
    secret: PlainToken,
    id: TokenId,
    old: StoredSecret,
    hash_meets: bool,
    hint: Option<Hint>,
) {
    if !hash_meets && context.policy.scheme.is_slow() && !context.lane.is_idle() {
        return;
    }
    let made = if hash_meets {
        let digest = context.keyring.digest(&secret);
        Ok(StoredSecret { verify_tag: Some(context.keyring.seal(&digest).to_bytes().to_vec()), ..old.clone() })
    } else {
        keep(&context, &secret, Work::Validation).await
    };
    let expected = old.secret_hash;
    let written = match made {
        Ok(made) => {
            context
                .store
                .write(move |tx| {
                    Box::pin(async move { Ok::<_, Failure>(tx.set_secret(id, &made, hint, &expected).await?) })
                })
                .await
        }
        Err(error) => Err(error),
    };
    match written {
        Ok(changed) => tracing::debug!(token = %id, changed, "rehashed a token with the configured scheme"),
        Err(error) => {
            tracing::debug!(token = %id, %error, "a token could not be rehashed with the configured scheme");
        }
    }
}
