//! Second factors: time-based one-time passwords (RFC 6238) and recovery codes.
//!
//! A factor belongs to the person, not to a membership. The session it is set up or removed in goes on; all others of the
//! person end, as when a password changes.

mod presence;
mod proof;

use std::sync::Arc;

use secret_hash::recovery::{self, RecoveryCode};
use secret_hash::totp::{TotpCode, TotpSecret};
use storage::StoreError;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::person::SecondFactorRule;
use token_domain::record::{Principal, SecondFactor};
use token_domain::text::Email;
use zeroize::Zeroizing;

pub use presence::Evidence;
pub use proof::Proof;
pub(crate) use proof::{Spend, check};

use crate::attempts::{self, AttemptError, is_still_proven};
use crate::audit::Refusal;
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::letters::Notice;
use crate::limits::TooManyAttempts;
use crate::origin::{Caller, Origin, Via};
use crate::people::{PersonError, confirm_password};
use crate::rights::Refused;

/// Why a second factor was not set up, removed or asked for.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The caller is no person in a session.
    #[error("no such person")]
    NotSignedIn,
    /// There is one.
    #[error("a second factor is set up already")]
    AlreadySet,
    /// There is no second factor, or no unconfirmed one.
    #[error("there is no second factor")]
    NotSet,
    /// The code is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// The password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The organisation requires its identity provider, so its members prove who they are there.
    #[error("the organisation requires single sign-on")]
    SsoRequired,
    /// Too many attempts lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for SecondFactorError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for SecondFactorError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

impl From<AttemptError> for SecondFactorError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany(wait) => Self::TooMany(wait),
            AttemptError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<PersonError> for SecondFactorError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::NotFound => Self::NotSignedIn,
            PersonError::WrongPassword => Self::WrongPassword,
            PersonError::TooMany(wait) => Self::TooMany(wait),
            PersonError::Refused(refused) => Self::Refused(refused),
            PersonError::Failed(failure) => Self::Failed(failure),
            error @ (PersonError::SessionNeeded
            | PersonError::WrongAddressCode
            | PersonError::AddressTaken
            | PersonError::Weak(_)) => {
                Self::Failed(Failure::Inconsistent(format!("a password could not be checked: {error}")))
            }
        }
    }
}

/// How a person stands with their second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Since when it counts.
    pub since: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
    /// Whether the organisation of the session asks for one.
    pub rule: SecondFactorRule,
}

/// A second factor that waits for its first code. The only place where its secret exists.
#[derive(Debug)]
pub struct Begun {
    /// What the app is told.
    pub secret: TotpSecret,
    /// What the app shows it under.
    pub account: Email,
}

/// Second factors.
pub struct SecondFactors {
    context: Arc<Context>,
}

/// A person in a session.
#[derive(Clone, Copy)]
struct Person {
    organization: OrganizationId,
    user: UserId,
    session: SessionId,
}

impl SecondFactors {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// How the caller stands with their second factor.
    ///
    /// # Errors
    /// When the caller is no person in a session.
    pub async fn status(&self, caller: &Caller) -> Result<Status, SecondFactorError> {
        let Person { organization, user, .. } = person(caller)?;
        let store = &self.context.store;
        let standing = store.read(move |reads| Box::pin(reads.membership_standing(organization, user))).await?;
        let standing = standing.ok_or(SecondFactorError::NotSignedIn)?;
        let left = store.read(move |reads| Box::pin(reads.count_recovery_codes(user))).await?;
        Ok(Status {
            since: standing.second_factor_since,
            recovery_codes_left: left,
            rule: standing.organization.second_factor,
        })
    }

    /// Begins to set one up: makes a secret, which counts once a code of it was shown. Whatever was begun before and not
    /// confirmed is forgotten.
    ///
    /// # Errors
    /// [`SecondFactorError::AlreadySet`] when there is one that counts; a session that was not proven lately.
    pub async fn begin(&self, caller: &Caller, origin: &Origin) -> Result<Begun, SecondFactorError> {
        let Person { user, .. } = person(caller)?;
        let found = self.context.store.read(move |reads| Box::pin(reads.user(user))).await?;
        let account = found.ok_or(SecondFactorError::NotSignedIn)?.email;
        let secret = TotpSecret::from_random(random(self.context.entropy.as_ref())?);
        let sealed_secret = proof::seal(&self.context, user, &secret)?;
        self.context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    change.check_person_proven_lately()?;
                    let created_at = change.now;
                    let record =
                        SecondFactor { user_id: user, sealed_secret, created_at, confirmed_at: None, last_step: 0 };
                    if !change.tx.begin_second_factor(&record).await? {
                        return Err(SecondFactorError::AlreadySet);
                    }
                    let event = change.event("user.second_factor.begin").on("user", user);
                    Ok(change.record(event).await?)
                })
            })
            .await?;
        Ok(Begun { secret, account })
    }

    /// Confirms what was begun with a first code. From now on it counts; all other sessions of the person end.
    ///
    /// # Errors
    /// A wrong code; nothing that waits for one; a session that was not proven lately.
    pub async fn confirm(
        &self,
        caller: &Caller,
        code: TotpCode,
        origin: &Origin,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let Person { organization, user, session } = person(caller)?;
        let factor = self.context.store.read(move |reads| Box::pin(reads.second_factor(user))).await?;
        let factor = factor.ok_or(SecondFactorError::NotSet)?;
        if factor.confirmed_at.is_some() {
            return Err(SecondFactorError::AlreadySet);
        }
        let attempt = proof::guess(&self.context, user, origin).await?;
        let (secret, _) = proof::open(&self.context, &factor)?;
        let proven = secret.proves(code, proof::seconds(self.context.wall()), factor.last_step);
        let Some(step) = proven else { return Err(self.wrong_code(organization, user, origin).await) };
        attempt.succeeded();
        let (codes, digests) = self.recovery_codes(user)?;
        self.context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    change.check_person_proven_lately()?;
                    let current = change.tx.second_factor(user).await?;
                    if current.is_none_or(|current| current.sealed_secret != factor.sealed_secret) {
                        // Begun anew since: the code was of another secret.
                        return Err(SecondFactorError::WrongCode);
                    }
                    if !change.tx.confirm_second_factor(user, step, change.now).await? {
                        return Err(SecondFactorError::NotSet);
                    }
                    change.tx.replace_recovery_codes(user, &digests).await?;
                    tell_member(change, Notice::SecondFactorAdded).await?;
                    let ended = change.tx.delete_sessions_of_user(user, Some(session)).await?;
                    let event = change.event("user.second_factor.enable").on("user", user);
                    Ok(change.record(event.with("sessions_ended", ended)).await?)
                })
            })
            .await?;
        Ok(codes)
    }

    /// Removes the caller's second factor. All their other sessions end; if the organisation asks for one, this one may
    /// set up another and nothing else.
    ///
    /// # Errors
    /// A wrong password, a wrong code, or nothing to remove.
    pub async fn remove(
        &self,
        caller: &Caller,
        password: Zeroizing<String>,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<(), SecondFactorError> {
        let Person { organization, user, session } = person(caller)?;
        self.is_set(user).await?;
        let found = self.context.store.read(move |reads| Box::pin(reads.account(user))).await?;
        let found = found.ok_or(SecondFactorError::NotSignedIn)?;
        confirm_password(&self.context, organization, &found, password, origin).await?;
        let spend = self.proven(organization, user, proof, origin).await?;
        let changed = self
            .context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    change.check_person_everywhere()?;
                    let proven = found.password_hash.as_deref();
                    if change.member().is_none() || !is_still_proven(change, user, proven).await? {
                        return Err(SecondFactorError::WrongPassword);
                    }
                    if !spend.spend(change.tx, user).await? {
                        return Err(SecondFactorError::WrongCode);
                    }
                    change.tx.delete_second_factor(user).await?;
                    tell_member(change, Notice::SecondFactorRemoved).await?;
                    let ended = change.tx.delete_sessions_of_user(user, Some(session)).await?;
                    let event = change
                        .event("user.second_factor.disable")
                        .on("user", user)
                        .with("second_factor", spend.name())
                        .with("sessions_ended", ended);
                    Ok(change.record(event).await?)
                })
            })
            .await;
        self.after_spending(changed, organization, user, origin).await
    }

    /// Gives the caller new recovery codes in place of the old ones.
    ///
    /// # Errors
    /// A wrong code, or no second factor to recover.
    pub async fn renew_recovery_codes(
        &self,
        caller: &Caller,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let Person { organization, user, .. } = person(caller)?;
        self.is_set(user).await?;
        let spend = self.proven(organization, user, proof, origin).await?;
        let (codes, digests) = self.recovery_codes(user)?;
        let changed = self
            .context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    change.check_person_everywhere()?;
                    if !spend.spend(change.tx, user).await? {
                        return Err(SecondFactorError::WrongCode);
                    }
                    change.tx.replace_recovery_codes(user, &digests).await?;
                    tell_member(change, Notice::RecoveryCodesReplaced).await?;
                    let event =
                        change.event("user.recovery_codes.create").on("user", user).with("second_factor", spend.name());
                    Ok(change.record(event).await?)
                })
            })
            .await;
        self.after_spending(changed, organization, user, origin).await?;
        Ok(codes)
    }

    /// There is one that counts.
    async fn is_set(&self, user: UserId) -> Result<(), SecondFactorError> {
        let factor = self.context.store.read(move |reads| Box::pin(reads.second_factor(user))).await?;
        let is_set = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        if is_set { Ok(()) } else { Err(SecondFactorError::NotSet) }
    }

    async fn proven(
        &self,
        organization: OrganizationId,
        user: UserId,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<Spend, SecondFactorError> {
        match check(&self.context, user, proof, origin).await? {
            Some(spend) => Ok(spend),
            None => Err(self.wrong_code(organization, user, origin).await),
        }
    }

    /// Records a code that turned out to be spent, or to be none, only when it was to be used up.
    async fn after_spending(
        &self,
        changed: Result<(), SecondFactorError>,
        organization: OrganizationId,
        user: UserId,
        origin: &Origin,
    ) -> Result<(), SecondFactorError> {
        match changed {
            Err(SecondFactorError::WrongCode) => Err(self.wrong_code(organization, user, origin).await),
            other => other,
        }
    }

    /// Records that somebody who is signed in sent a wrong code; the error to answer with.
    async fn wrong_code(&self, organization: OrganizationId, user: UserId, origin: &Origin) -> SecondFactorError {
        let by = (Some(organization), Principal::User(user));
        let recorded = attempts::refused(&self.context, Refusal::Confirmation, by, origin, |event| {
            event.on("user", user).with("wrong", "second_factor")
        });
        match recorded.await {
            Ok(()) => SecondFactorError::WrongCode,
            Err(failure) => failure.into(),
        }
    }

    /// New recovery codes, and what is stored of them.
    fn recovery_codes(&self, user: UserId) -> Result<(Vec<RecoveryCode>, Vec<[u8; 32]>), EntropyError> {
        let make = || random(self.context.entropy.as_ref()).map(RecoveryCode::from_random);
        let codes = (0..recovery::COUNT).map(|_| make()).collect::<Result<Vec<_>, _>>()?;
        let digests = codes.iter().map(|code| code.digest(user.uuid().as_bytes())).collect();
        Ok((codes, digests))
    }
}

/// The person behind a caller, if they are here themselves: no key sets up or removes a second factor.
const fn person(caller: &Caller) -> Result<Person, SecondFactorError> {
    match caller.via {
        Via::Session { session_id, user_id, .. } => {
            Ok(Person { organization: caller.organization_id, user: user_id, session: session_id })
        }
        Via::Token { .. } => Err(SecondFactorError::NotSignedIn),
    }
}

/// Tells the person in the session of a change what it did.
async fn tell_member(change: &mut Change<'_>, notice: Notice) -> Result<(), Failure> {
    match change.member().map(|member| member.user.clone()) {
        Some(user) => change.tell(&user, notice).await,
        None => Ok(()),
    }
}
