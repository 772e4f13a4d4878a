//! Second factors: time-based one-time passwords (RFC 6238) and recovery codes, and organisations that ask for them.
//!
//! A factor belongs to the person, not to a membership. The session it is set up or removed in goes on; all others of the
//! person end, as when a password changes.

mod proof;

use std::sync::Arc;

use secret_hash::recovery::{self, RecoveryCode};
use secret_hash::totp::{TotpCode, TotpSecret};
use storage::model::{Organization, Principal, SecondFactor};
use storage::{StoreError, Tx};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::person::SecondFactorRule;
use token_domain::text::Email;
use zeroize::Zeroizing;

pub use proof::Proof;
pub(crate) use proof::{ProofError, Spend, check};

use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::limits::TooManyAttempts;
use crate::origin::{Caller, Origin, Via};
use crate::people::{PersonError, confirm_password};

/// Why a second factor was not set up, removed or asked for.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The caller is no person in a session.
    #[error("no such person")]
    NotSignedIn,
    /// There is one.
    #[error("a second factor is set up already")]
    AlreadySet,
    /// There is none, or none that was begun and not confirmed.
    #[error("there is no second factor")]
    NotSet,
    /// The code is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// The password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// Whoever asks others for a second factor has one.
    #[error("the caller has no second factor")]
    OwnMissing,
    /// Too many attempts lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
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

impl From<ProofError> for SecondFactorError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::TooMany(wait) => Self::TooMany(wait),
            ProofError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<PersonError> for SecondFactorError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::NotFound => Self::NotSignedIn,
            PersonError::WrongPassword => Self::WrongPassword,
            PersonError::TooMany(wait) => Self::TooMany(wait),
            PersonError::Failed(failure) => Self::Failed(failure),
            error @ (PersonError::EmailTaken | PersonError::Weak(_)) => {
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
    /// [`SecondFactorError::AlreadySet`] when there is one that counts.
    pub async fn begin(&self, caller: &Caller, origin: &Origin) -> Result<Begun, SecondFactorError> {
        let Person { organization, user, .. } = person(caller)?;
        let found = self.context.store.read(move |reads| Box::pin(reads.user(user))).await?;
        let account = found.ok_or(SecondFactorError::NotSignedIn)?.email;
        let secret = TotpSecret::from_random(random(self.context.entropy.as_ref())?);
        let now = self.context.now();
        let record = SecondFactor {
            user_id: user,
            sealed_secret: proof::seal(&self.context, user, &secret)?,
            created_at: now,
            confirmed_at: None,
            last_step: 0,
        };
        let event = Event::new(now, "user.second_factor.begin", caller.principal(), origin).on("user", user);
        self.change(organization, now, event, move |tx| {
            Box::pin(async move {
                let begun = tx.begin_second_factor(&record).await?;
                if begun { Ok(((), 0)) } else { Err(SecondFactorError::AlreadySet) }
            })
        })
        .await?;
        Ok(Begun { secret, account })
    }

    /// Confirms what was begun with a first code. From now on it counts; all other sessions of the person end.
    ///
    /// # Errors
    /// A wrong code; nothing that waits for one.
    pub async fn confirm(
        &self,
        caller: &Caller,
        code: TotpCode,
        origin: &Origin,
    ) -> Result<Vec<RecoveryCode>, SecondFactorError> {
        let Person { organization, user, session } = person(caller)?;
        let now = self.context.now();
        let factor = self.context.store.read(move |reads| Box::pin(reads.second_factor(user))).await?;
        let factor = factor.ok_or(SecondFactorError::NotSet)?;
        if factor.confirmed_at.is_some() {
            return Err(SecondFactorError::AlreadySet);
        }
        let attempt = self.context.codes.take(user, now)?;
        let (secret, _) = proof::open(&self.context, &factor)?;
        let proven = secret.proves(code, proof::seconds(now), factor.last_step);
        let step = proven.ok_or(SecondFactorError::WrongCode)?;
        attempt.succeeded();
        let (codes, digests) = self.recovery_codes(user)?;
        let event = Event::new(now, "user.second_factor.enable", caller.principal(), origin).on("user", user);
        self.change(organization, now, event, move |tx| {
            Box::pin(async move {
                if !tx.confirm_second_factor(user, step, now).await? {
                    return Err(SecondFactorError::NotSet);
                }
                tx.replace_recovery_codes(user, &digests).await?;
                Ok(((), tx.delete_sessions_of_user(user, Some(session)).await?.len()))
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
        let found = self.context.store.read(move |reads| Box::pin(reads.user(user))).await?;
        let found = found.ok_or(SecondFactorError::NotSignedIn)?;
        confirm_password(&self.context, &found, password, origin).await?;
        let spend = self.proven(user, proof).await?;
        let now = self.context.now();
        let event = Event::new(now, "user.second_factor.disable", caller.principal(), origin)
            .on("user", user)
            .with("second_factor", spend.name());
        self.change(organization, now, event, move |tx| {
            Box::pin(async move {
                if !spend.spend(tx, user).await? {
                    return Err(SecondFactorError::WrongCode);
                }
                tx.delete_second_factor(user).await?;
                Ok(((), tx.delete_sessions_of_user(user, Some(session)).await?.len()))
            })
        })
        .await
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
        let spend = self.proven(user, proof).await?;
        let (codes, digests) = self.recovery_codes(user)?;
        let now = self.context.now();
        let event = Event::new(now, "user.recovery_codes.create", caller.principal(), origin)
            .on("user", user)
            .with("second_factor", spend.name());
        self.change(organization, now, event, move |tx| {
            Box::pin(async move {
                if !spend.spend(tx, user).await? {
                    return Err(SecondFactorError::WrongCode);
                }
                tx.replace_recovery_codes(user, &digests).await?;
                Ok(((), 0))
            })
        })
        .await?;
        Ok(codes)
    }

    /// Asks the people of the caller's organisation for a second factor, or no longer. Sessions of those who lack one go
    /// on, to set one up.
    ///
    /// # Errors
    /// [`SecondFactorError::OwnMissing`] when a person who has none would ask others for one, and shut themselves out.
    pub async fn set_rule(
        &self,
        caller: &Caller,
        rule: SecondFactorRule,
        origin: &Origin,
    ) -> Result<Organization, SecondFactorError> {
        let organization = caller.organization_id;
        if let (Some(user), SecondFactorRule::Required) = (caller.user_id(), rule) {
            self.is_set(user).await.map_err(|error| match error {
                SecondFactorError::NotSet => SecondFactorError::OwnMissing,
                other => other,
            })?;
        }
        let now = self.context.now();
        let wanted = match rule {
            SecondFactorRule::Optional => "optional",
            SecondFactorRule::Required => "required",
        };
        let event = Event::new(now, "organization.update", caller.principal(), origin)
            .on("organization", organization)
            .with("second_factor", wanted);
        self.change(organization, now, event, move |tx| {
            Box::pin(async move {
                let changed = tx.set_second_factor_rule(organization, rule, now).await?;
                Ok((changed.ok_or(SecondFactorError::NotSignedIn)?, 0))
            })
        })
        .await
    }

    /// Takes somebody's second factor away on the word of whoever operates the deployment: for a person who lost both the
    /// device and the recovery codes. All their sessions end. It stands in the deployment's own trail, for no organisation
    /// decides about a person of several.
    ///
    /// # Errors
    /// [`SecondFactorError::NotSignedIn`] when nobody has that address, [`SecondFactorError::NotSet`] when they have none.
    pub async fn reset(&self, email: &Email, origin: &Origin) -> Result<UserId, SecondFactorError> {
        let key = email.key();
        let read = self.context.store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        let user = read.await?.ok_or(SecondFactorError::NotSignedIn)?.id;
        let (now, origin) = (self.context.now(), origin.clone());
        let units = &self.context.units;
        units
            .run(now, units.touching(), move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, None).await?;
                    if !tx.delete_second_factor(user).await? {
                        return Err(SecondFactorError::NotSet);
                    }
                    let ended = tx.delete_sessions_of_user(user, None).await?.len();
                    let event = Event::new(now, "user.second_factor.reset", Principal::System, &origin)
                        .on("user", user)
                        .with("sessions_ended", ended);
                    trail.append(tx, event).await?;
                    Ok(user)
                })
            })
            .await
    }

    /// There is one that counts.
    async fn is_set(&self, user: UserId) -> Result<(), SecondFactorError> {
        let factor = self.context.store.read(move |reads| Box::pin(reads.second_factor(user))).await?;
        let is_set = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        if is_set { Ok(()) } else { Err(SecondFactorError::NotSet) }
    }

    async fn proven(&self, user: UserId, proof: &Proof) -> Result<Spend, SecondFactorError> {
        check(&self.context, user, proof).await?.ok_or(SecondFactorError::WrongCode)
    }

    /// New recovery codes, and what is stored of them.
    fn recovery_codes(&self, user: UserId) -> Result<(Vec<RecoveryCode>, Vec<[u8; 32]>), EntropyError> {
        let make = || random(self.context.entropy.as_ref()).map(RecoveryCode::from_random);
        let codes = (0..recovery::COUNT).map(|_| make()).collect::<Result<Vec<_>, _>>()?;
        let digests = codes.iter().map(|code| code.digest(user.uuid().as_bytes())).collect();
        Ok((codes, digests))
    }

    /// A change with its event, which says how many sessions it ended.
    async fn change<T, F>(
        &self,
        organization: OrganizationId,
        now: Timestamp,
        event: Event,
        work: F,
    ) -> Result<T, SecondFactorError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> futures::future::BoxFuture<'c, Result<(T, usize), SecondFactorError>>
            + Send
            + 'static,
    {
        let units = &self.context.units;
        units
            .run(now, units.touching(), move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let (value, ended) = work(tx).await?;
                    let event = if ended > 0 { event.with("sessions_ended", ended) } else { event };
                    trail.append(tx, event).await?;
                    Ok(value)
                })
            })
            .await
    }
}

/// The person behind a caller, if they are here themselves: no key sets up or removes a second factor.
const fn person(caller: &Caller) -> Result<Person, SecondFactorError> {
    match caller.via {
        Via::Session { session_id, user_id } => {
            Ok(Person { organization: caller.organization_id, user: user_id, session: session_id })
        }
        Via::Token { .. } => Err(SecondFactorError::NotSignedIn),
    }
}
