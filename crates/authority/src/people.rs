//! People as they see and change themselves.

use std::sync::Arc;

use secret_hash::password::{self, Password, PasswordHash};
use storage::StoreError;
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{Account, MembershipStanding, Principal, User};
use token_domain::text::{Email, Name};
use zeroize::Zeroizing;

use crate::addresses::{AddressCode, awaits, is_taken, move_address, request_address};
use crate::attempts::{self, AttemptError, PasswordAttempt, account_pseudonym, forget_devices, is_still_proven};
use crate::audit::Refusal;
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::letters::Notice;
use crate::limits::TooManyAttempts;
use crate::origin::{Caller, Origin, Via};
use crate::passwords::WeakPassword;
use crate::rights::Refused;
use crate::slow::Work;

pub use crate::passwords::NewPassword;

/// Why a change to a person was not made.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The caller is no person, or is gone.
    #[error("no such person")]
    NotFound,
    /// What signing in stands on changes in a session, never by a key.
    #[error("a session is needed")]
    SessionNeeded,
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A code that was not mailed to this person's address, or counts no more.
    #[error("the code is wrong, used or expired")]
    WrongAddressCode,
    /// The address is another account's.
    #[error("another account has this e-mail address")]
    AddressTaken,
    /// The new password is not one to choose.
    #[error("the new password {0}")]
    Weak(#[from] WeakPassword),
    /// Too many wrong passwords, or too many requests for addresses lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for PersonError {
    fn from(error: StoreError) -> Self {
        if is_taken(&error) { Self::AddressTaken } else { Self::Failed(Failure::Store(error)) }
    }
}

impl From<AttemptError> for PersonError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany(wait) => Self::TooMany(wait),
            AttemptError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<EntropyError> for PersonError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// The person behind a caller, in the caller's organisation.
#[derive(Clone, Debug)]
pub struct Me {
    /// The person, the organisation and the role.
    pub standing: MembershipStanding,
    /// What the role is called.
    pub role: String,
}

impl From<MembershipStanding> for Me {
    fn from(standing: MembershipStanding) -> Self {
        Self { role: crate::standing::role_name(&standing), standing }
    }
}

/// People.
pub struct People {
    context: Arc<Context>,
}

impl People {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The person behind the caller.
    ///
    /// # Errors
    /// When there is none.
    pub async fn me(&self, caller: &Caller) -> Result<Me, PersonError> {
        let user = caller.user_id().ok_or(PersonError::NotFound)?;
        self.standing(caller.organization_id, user).await
    }

    /// Changes the caller's own name, or requests another address. Signing in depends on the address, so a key cannot request
    /// one: with a stolen key, a thief could lock its owner out and be signed in as the owner by a front end that trusts the
    /// address. A requested address has no effect until it is verified ([`People::verify_email`]); whether another account has
    /// it is not revealed.
    ///
    /// # Errors
    /// An address, by a key or in a session that was not proven lately; too many requests for addresses.
    pub async fn edit_me(
        &self,
        caller: &Caller,
        name: Option<Name>,
        email: Option<Email>,
        origin: &Origin,
    ) -> Result<Me, PersonError> {
        let (organization, user) = (caller.organization_id, caller.user_id().ok_or(PersonError::NotFound)?);
        if email.is_some() && !caller.is_signed_in() {
            return Err(PersonError::SessionNeeded);
        }
        let edited = self.context.change(Ask::by(caller, origin).holding(user), move |change| {
            Box::pin(async move {
                let mut event = change.event("user.update").on("user", user).with("name_changed", name.is_some());
                if let Some(name) = &name {
                    change.check_concerns_nobody_else::<PersonError>(user).await?;
                    change.tx.rename_user(user, name, change.now).await?;
                }
                if let Some(email) = &email {
                    change.check_person_proven_lately()?;
                    let asked = account_pseudonym(&change.context(), &email.key());
                    event = event.with("account_asked_for", asked);
                    let current = change.member().ok_or(PersonError::NotFound)?.user.clone();
                    request_address(change, &current, email).await?;
                }
                change.record(event).await?;
                // Read within the change: by a later read the person may have been removed, though the edit was committed.
                let standing = change.tx.membership_standing(organization, user).await?;
                standing.map(Me::from).ok_or(PersonError::NotFound)
            })
        });
        let edited = edited.await;
        if let Err(PersonError::TooMany(wait)) = &edited {
            let by = (Some(organization), caller.principal());
            let recorded = attempts::refused(&self.context, Refusal::AddressCodesLimited, by, origin, |event| {
                event.on("user", user).with("retry_after_seconds", wait.retry_after.as_seconds())
            });
            recorded.await?;
        }
        edited
    }

    /// Gives the caller the address that a code was mailed to. The old address is told.
    ///
    /// # Errors
    /// A caller without a session; a code that is not the latest one of this person, that has expired, or whose address the
    /// person no longer requests; an address that another account has; a session that was not proven lately.
    pub async fn verify_email(&self, caller: &Caller, code: &str, origin: &Origin) -> Result<Me, PersonError> {
        let user_id = caller.user_id().ok_or(PersonError::NotFound)?;
        if !caller.is_signed_in() {
            return Err(PersonError::SessionNeeded);
        }
        let organization = caller.organization_id;
        let digest = AddressCode::parse(code).map(|code| code.digest());
        let verified = self.context.change(Ask::by(caller, origin).holding(user_id), move |change| {
            Box::pin(async move {
                change.check_person_proven_lately()?;
                let now = change.now;
                let digest = digest.ok_or(PersonError::WrongAddressCode)?;
                let key = change.tx.take_address_code(user_id, &digest, now).await?;
                let user = change.member().ok_or(PersonError::NotFound)?.user.clone();
                let email = key.and_then(|key| awaits(&user, &key).cloned()).ok_or(PersonError::WrongAddressCode)?;
                move_address::<PersonError>(change, &user, &email, None).await?;
                let standing = change.tx.membership_standing(organization, user_id).await?;
                standing.map(Me::from).ok_or(PersonError::NotFound)
            })
        });
        match verified.await {
            Err(PersonError::WrongAddressCode) => {
                let by = (Some(organization), caller.principal());
                let recorded = attempts::refused(&self.context, Refusal::Confirmation, by, origin, |event| {
                    event.on("user", user_id).with("wrong", "address_code")
                });
                recorded.await?;
                Err(PersonError::WrongAddressCode)
            }
            verified => verified,
        }
    }

    /// Changes the caller's own password and ends all other sessions of theirs.
    ///
    /// # Errors
    /// A wrong current password; a new one that is not to be chosen.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Zeroizing<String>,
        new: NewPassword,
        origin: &Origin,
    ) -> Result<(), PersonError> {
        let Via::Session { session_id, user_id, .. } = caller.via else { return Err(PersonError::NotFound) };
        let me = self.standing(caller.organization_id, user_id).await?;
        let MembershipStanding { user, organization, .. } = &me.standing;
        let about = [user.email.as_str(), user.name.as_str(), organization.name.as_str(), organization.slug.as_str()];
        new.suits(self.context.policy.password_min_chars, &about)?;
        let account = self.context.store.read(move |reads| Box::pin(reads.account(user_id))).await?;
        let account = account.ok_or(PersonError::NotFound)?;
        confirm_password(&self.context, caller.organization_id, &account, current, origin).await?;
        let hash = hash_password(&self.context, new.into_password(), Work::SignIn).await?;
        self.context
            .change(Ask::by(caller, origin).holding(user_id), move |change| {
                Box::pin(async move {
                    change.check_person_everywhere()?;
                    let Account { user, password_hash } = account;
                    if change.member().is_none() || !is_still_proven(change, user_id, password_hash.as_deref()).await? {
                        // Changed by somebody else since it was asked for.
                        return Err(PersonError::WrongPassword);
                    }
                    set_password(change, &user, hash.as_str()).await?;
                    let ended = change.tx.delete_sessions_of_user(user_id, Some(session_id)).await?;
                    let event = change.event("user.password.change").on("user", user_id).with("sessions_ended", ended);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }

    async fn standing(&self, organization: OrganizationId, user: UserId) -> Result<Me, PersonError> {
        let found =
            self.context.store.read(move |reads| Box::pin(reads.membership_standing(organization, user))).await?;
        found.map(Me::from).ok_or(PersonError::NotFound)
    }
}

/// Gives a person another password: their devices are forgotten, and they are told.
pub(crate) async fn set_password(change: &mut Change<'_>, user: &User, hash: &str) -> Result<(), Failure> {
    change.tx.set_password(user.id, Some(hash), change.now).await?;
    forget_devices(change, user).await?;
    change.tell(user, Notice::PasswordChanged).await
}

/// Asks a signed-in person for their password once more. An attempt like one at signing in, counted with those: a session
/// that was left open is no way to guess faster. A wrong one is recorded in the trail of the session's organisation.
pub(crate) async fn confirm_password(
    context: &Arc<Context>,
    organization: OrganizationId,
    account: &Account,
    mut given: Zeroizing<String>,
    origin: &Origin,
) -> Result<(), PersonError> {
    let mut attempt = PasswordAttempt::begin(context, &account.user.email.key(), origin).await?;
    let stored = account.password_hash.as_deref().ok_or(PersonError::WrongPassword)?;
    let inconsistent = |error| Failure::Inconsistent(format!("a stored password hash cannot be used: {error}"));
    let stored = PasswordHash::parse(stored).map_err(inconsistent)?;
    let right = match Password::new(std::mem::take(&mut *given)) {
        Ok(given) => attempt.check(given, stored).await?,
        Err(_) => false,
    };
    if right {
        return Ok(());
    }
    let by = (Some(organization), Principal::User(account.user.id));
    let recorded = attempts::refused(context, Refusal::Confirmation, by, origin, |event| {
        event.on("user", account.user.id).with("wrong", "password")
    });
    recorded.await?;
    Err(PersonError::WrongPassword)
}

/// Somebody without a name is called by their address, as far as it fits.
pub(crate) fn named_after(email: &Email) -> Result<Name, Failure> {
    let cut: String = email.as_str().chars().take(Name::LONGEST).collect();
    Name::parse_stored(&cut).map_err(|error| Failure::Inconsistent(format!("a name from an address: {error}")))
}

/// Hashes a password in the lane, by the configured parameters.
pub(crate) async fn hash_password(context: &Context, password: Password, work: Work) -> Result<PasswordHash, Failure> {
    let salt = random(context.entropy.as_ref())?;
    let params = context.policy.password;
    let hashed = context.lane.run(work, move || password::hash(&password, &params, salt)).await?;
    hashed.map_err(|error| Failure::Inconsistent(format!("a password cannot be hashed: {error}")))
}
