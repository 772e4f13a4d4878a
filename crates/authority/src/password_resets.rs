//! New passwords for people who forgot theirs, by a code that is mailed to them.
//!
//! A code is 256 random bits, drawn when the message is sent and kept as a digest. It is valid once, until an hour after the
//! request, for the person, the address and the password hash of the moment it was sent; any change of these ends it, and a later
//! message replaces it. It is sent only to an address that the deployment vouches for, because its mailbox was read before or the
//! operator says so. An organisation's word does not do: a slip in an address that an organisation handed its invitation to would
//! give the account to a stranger.
//!
//! A code sets the password and does nothing else: it signs nobody in, and a second factor stays and is asked for as before. An
//! account without a password, which somebody else signs in, gets none by mail, and neither does a person whose organisations all
//! require an identity provider and refuse passwords.
//!
//! **Invariant:** a request does the same work for every address. Who has the address is looked up when the message is about to
//! be sent. Reading it in the request and writing only for those who exist would tell them apart by the time of the write.

use std::sync::Arc;

use secret_hash::password::Password;
use sha2::{Digest as _, Sha256};
use storage::model::{Hold, PasswordReset};
use storage::{StoreError, Tx};
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{Account, Home, Principal, User};
use token_domain::text::Email;
use token_domain::{Span, Timestamp};

use crate::attempts::{account_pseudonym, limited, refused};
use crate::audit::{Event, Refusal, Trail};
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::env::EntropyError;
use crate::error::Failure;
use crate::letters::{self, Letter};
use crate::limits::{ResetRequest, TooManyAttempts};
use crate::opaque::opaque_secret;
use crate::origin::Origin;
use crate::passwords::{NewPassword, WeakPassword};
use crate::people::{hash_password, set_password};
use crate::rights::Refused;
use crate::slow::Work;

opaque_secret! {
    /// A code that was mailed to a person who forgot their password, in the clear. No `Display`, no `Serialize`; `Debug` shows
    /// nothing of it.
    ResetCode = "nlr_"
}

/// How long a code is valid after it was requested.
const LIFETIME: Span = Span::seconds(3_600);
/// The most organisations of a person in whose trails a new password is recorded.
const MOST_TRAILS: u32 = 1_000;

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The deployment sends no mail.
    #[error("this deployment sends no mail")]
    NoMail,
    /// A code that is not the latest one of a person, or no longer valid.
    #[error("the code is wrong, used or expired")]
    InvalidCode,
    /// The new password is not one to choose.
    #[error("the new password {0}")]
    Weak(#[from] WeakPassword),
    /// Too many requests lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// Overtaken by another change.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for ResetError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for ResetError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// Requests for new passwords, and the codes that set them.
pub struct PasswordResets {
    context: Arc<Context>,
}

impl PasswordResets {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Whether codes can be sent at all.
    pub fn is_available(&self) -> bool {
        self.context.policy.mail.is_some()
    }

    /// Has a code sent to the address if it is the verified address of somebody with a password. The result and the work are the
    /// same for every address.
    ///
    /// # Errors
    /// A deployment without mail; a network that has to wait.
    pub async fn request(&self, email: &Email, origin: &Origin) -> Result<(), ResetError> {
        let context = &self.context;
        if !self.is_available() {
            return Err(ResetError::NoMail);
        }
        let account = email.key();
        let pseudonym = account_pseudonym(context, &account);
        match context.resets.take(&account, origin.client_ip, context.steady()).await {
            Ok(ResetRequest::Sent) => {}
            Ok(ResetRequest::Withheld) => {
                let by = (None, Principal::Anonymous);
                let recorded = refused(context, Refusal::PasswordResetsLimited, by, origin, |event| {
                    event.with("account", pseudonym.as_str()).with("withheld", true)
                });
                return Ok(recorded.await?);
            }
            Err(wait) => {
                limited(context, Refusal::PasswordResetsLimited, Some(&pseudonym), wait, origin).await?;
                return Err(wait.into());
            }
        }
        // The request is anonymous, so its events have the same limit as refusals of strangers: a flood must not fill the trail.
        let row = context.refusals.row(origin.client_ip, context.steady());
        let event = Event::new(context.now(), "user.password.reset.request", Principal::Anonymous, origin)
            .seen_from(origin)
            .with("account", pseudonym.as_str());
        let (writing, to) = (Arc::clone(context), email.clone());
        let letter = Letter::password_reset(origin, context.now());
        let written = context.store.write(move |tx| {
            Box::pin(async move {
                match row {
                    Some(left_out) => {
                        let event = if left_out == 0 { event } else { event.with("not_recorded_before", left_out) };
                        Trail::open(tx, None).await?.append(tx, event).await?;
                    }
                    None => event.log(None),
                }
                letters::queue(&writing, tx, None, &to, &letter).await
            })
        });
        Ok(written.await?)
    }

    /// Sets the password of the person whom the code was mailed to, ends all of their sessions and tells them by mail. Recorded in
    /// the deployment's trail and in those of the person's organisations.
    ///
    /// # Errors
    /// A code that is not valid; a password that is not to be chosen, which leaves the code valid.
    pub async fn confirm(&self, code: &str, new: NewPassword, origin: &Origin) -> Result<(), ResetError> {
        let confirmed = self.try_confirm(code, new, origin).await;
        if matches!(confirmed, Err(ResetError::InvalidCode)) {
            let by = (None, Principal::Anonymous);
            refused(&self.context, Refusal::PasswordReset, by, origin, |event| event).await?;
        }
        confirmed
    }

    async fn try_confirm(&self, code: &str, new: NewPassword, origin: &Origin) -> Result<(), ResetError> {
        let context = &self.context;
        let digest = ResetCode::parse(code).ok_or(ResetError::InvalidCode)?.digest();
        // Looked at before the slow hash, which nobody without a code can make this service compute.
        let found = context.store.read(move |reads| {
            Box::pin(async move {
                let Some(reset) = reads.password_reset(&digest).await? else { return Ok(None) };
                let account = reads.account(reset.user_id).await?;
                Ok(account.map(|account| (reset, account)))
            })
        });
        let now = context.now();
        let (reset, account) = found.await?.ok_or(ResetError::InvalidCode)?;
        if !is_good(&reset, &account, now) {
            return Err(ResetError::InvalidCode);
        }
        let User { id, email, name, .. } = account.user;
        new.suits(context.policy.password_min_chars, &[email.as_str(), name.as_str()])?;
        let hash = self.hash(new.into_password()).await?;
        context
            .change(Ask::of(Principal::User(id), None, origin), move |change| {
                Box::pin(async move {
                    let mut trails = trails(change, id).await?;
                    change.tx.hold_user(id, Hold::Exclusive).await?;
                    // Anybody who held the row may have changed what the code was sent for.
                    let taken = change.tx.take_password_reset(&digest).await?;
                    let account = change.tx.account(id).await?;
                    let (Some(taken), Some(account)) = (taken, account) else { return Err(ResetError::InvalidCode) };
                    let is_useless = is_useless(&change.context(), change.tx, id).await?;
                    if taken.user_id != id || !is_good(&taken, &account, change.now) || is_useless {
                        return Err(ResetError::InvalidCode);
                    }
                    set_password(change, &account.user, &hash).await?;
                    let ended = change.tx.delete_sessions_of_user(id, None).await?;
                    for trail in &mut trails {
                        let event = reset_event(change, id, ended);
                        trail.append(change.tx, event).await?;
                    }
                    let event = reset_event(change, id, ended);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }

    async fn hash(&self, password: Password) -> Result<String, Failure> {
        Ok(hash_password(&self.context, password, Work::Stranger).await?.as_str().to_owned())
    }
}

fn reset_event(change: &Change<'_>, user: UserId, sessions_ended: usize) -> Event {
    change
        .event("user.password.reset")
        .seen_from(&change.origin)
        .on("user", user)
        .with("sessions_ended", sessions_ended)
}

/// The trails of the person's organisations, held until the unit ends. After the deployment's, which the change holds already, by
/// id: all resets take them in this order, and no other unit takes two that exist.
async fn trails(change: &mut Change<'_>, user: UserId) -> Result<Vec<Trail>, StoreError> {
    let homes = change.tx.organizations_of_user(user, None, MOST_TRAILS).await?;
    let mut ids: Vec<OrganizationId> = homes.iter().map(|home| home.organization.id).collect();
    ids.sort_unstable();
    let mut trails = Vec::with_capacity(ids.len());
    for id in ids {
        trails.push(Trail::open(change.tx, Some(id)).await?);
    }
    Ok(trails)
}

/// The reset to store for an account, counted from the request; `None` if the account cannot be reset by mail.
pub fn for_account(account: &Account, requested_at: Timestamp, now: Timestamp) -> Option<PasswordReset> {
    let Account { user, password_hash } = account;
    // A message that waited longer than its code is valid, or in the meantime of which the person changed, is not sent.
    let is_current = requested_at + LIFETIME > now && user.updated_at <= requested_at;
    let reset = PasswordReset {
        user_id: user.id,
        email_key: user.email.key(),
        password_digest: digest_of(password_hash.as_deref()?),
        expires_at: requested_at + LIFETIME,
    };
    Some(reset).filter(|_| is_current && may_reset(user))
}

/// Whether no organisation of the person takes their password: all require an identity provider.
///
/// # Errors
/// An error of the store.
pub(crate) async fn is_useless(context: &Context, tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
    let policy = &context.policy;
    if policy.sso.is_empty() {
        return Ok(false);
    }
    let homes = tx.organizations_of_user(user, None, MOST_TRAILS).await?;
    let requires = |home: &Home| policy.asks_for_sso(home.membership.role, &home.organization.slug);
    Ok(!homes.is_empty() && homes.iter().all(requires))
}

/// Whether the code counts for the account as it is.
fn is_good(reset: &PasswordReset, account: &Account, now: Timestamp) -> bool {
    let Account { user, password_hash } = account;
    now < reset.expires_at
        && may_reset(user)
        && user.email.key() == reset.email_key
        && password_hash.as_deref().is_some_and(|hash| digest_of(hash) == reset.password_digest)
}

fn may_reset(user: &User) -> bool {
    user.disabled_at.is_none() && user.is_verified_by_deployment()
}

/// A stored hash as a code remembers it: the store has it once, and not in a second table.
fn digest_of(password_hash: &str) -> [u8; 32] {
    Sha256::digest(password_hash.as_bytes()).into()
}
