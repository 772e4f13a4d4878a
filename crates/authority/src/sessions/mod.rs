//! Sessions: a signed-in person in one organisation.

mod authenticate;
mod prove;
mod seen;
mod switch;
mod token;
mod uses;

use std::sync::Arc;

use secret_hash::password::{self, PasswordHash};
use storage::StoreError;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::record::{MembershipStanding, Principal, Session, SessionUse};
use token_domain::text::{Email, Slug};
use zeroize::Zeroizing;

pub use authenticate::{AuthError, Presented};
pub use seen::SeenSession;
pub(crate) use seen::seen;
pub use switch::SwitchError;
pub use token::SessionToken;

use crate::attempts::{self, AttemptError, PasswordAttempt, is_still_proven};
use crate::audit::{Event, MOST_NAMED, Refusal};
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::limits::{Attempter, SignInLimiter, TooManyAttempts};
use crate::origin::{Caller, Origin};
use crate::rights::Refused;
use crate::second_factors::{self, Proof, Spend};
use crate::standing::{is_welcome, role_name};
use crate::validate::Validator;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Wrong e-mail, wrong password, switched off, not a member: one answer for all.
    #[error("wrong e-mail or password")]
    Denied,
    /// The password is right, and the person has a second factor: it is asked for.
    #[error("a second factor is required")]
    SecondFactorRequired,
    /// The second factor that was shown is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// The password is right, and the organisation's people sign in by an identity provider.
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

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<AttemptError> for SignInError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany(wait) => Self::TooMany(wait),
            AttemptError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<EntropyError> for SignInError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// Which organisation to sign in to.
#[derive(Clone, Debug)]
pub enum OrganizationRef {
    /// By id.
    Id(OrganizationId),
    /// By slug.
    Slug(Slug),
}

/// Whom to sign in without a password.
#[derive(Clone, Debug)]
pub enum PersonRef {
    /// By id.
    Id(UserId),
    /// By e-mail.
    Email(Email),
}

/// A session just made. The only place where its token exists.
#[derive(Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its token, shown once.
    pub token: SessionToken,
    /// What the person is in the organisation.
    pub role: String,
    /// Whether the organisation asks for a second factor that the person does not have: the session is good for setting
    /// one up, and for nothing else.
    pub lacks_second_factor: bool,
}

/// Ends a session, if the person has it.
async fn delete(change: &mut Change<'_>, user: UserId, id: SessionId) -> Result<bool, EndError> {
    let ended = change.tx.delete_session(user, id).await?;
    if ended {
        let event = change.event("session.delete").on("session", id);
        change.record(event).await?;
    }
    Ok(ended)
}

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// Sessions are ended in a session, never by a key: one that is stolen must not sign its owner out.
    #[error("a session is needed")]
    SessionNeeded,
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for EndError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// The proof of identity behind a new session. The change that makes the session checks it again.
enum Basis {
    /// What the person proved: this password, and this use of the second factor, if they had one.
    Proven { password_hash: Option<String>, spend: Option<Spend> },
    /// The word of a front end that holds the service token, and the address by which it named the person, if it did.
    FrontEnd { address: Option<String> },
    /// A session in another organisation.
    Session(Caller),
}

/// Signing in and out, and telling who a credential belongs to.
pub struct Sessions {
    context: Arc<Context>,
    validator: Arc<Validator>,
    limiter: Arc<SignInLimiter>,
    noted: uses::Noted,
    /// The hash that a password for an unknown address is compared with, so that it takes as long as for a known one.
    nobody: PasswordHash,
}

impl Sessions {
    /// Over a context and the validator that knows tokens.
    ///
    /// # Errors
    /// When the configured password parameters cannot be computed with.
    pub fn new(context: &Arc<Context>, validator: &Arc<Validator>) -> Result<Self, Failure> {
        let nobody = password::nobody(&context.policy.password)
            .map_err(|error| Failure::Inconsistent(format!("the password parameters: {error}")))?;
        let (context, validator) = (Arc::clone(context), Arc::clone(validator));
        let limiter = Arc::clone(&context.sign_ins);
        Ok(Self { context, validator, limiter, noted: uses::Noted::default(), nobody })
    }

    /// Signs a person in by password alone.
    ///
    /// # Errors
    /// As [`Sessions::sign_in_with`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: Zeroizing<String>,
        organization: Option<OrganizationRef>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        self.sign_in_with(email, password, organization, None, origin).await
    }

    /// Signs a person in by password and, if they have one, their second factor.
    ///
    /// # Errors
    /// One denial for every reason; a wait after too many attempts. Only who has the password learns that there is a
    /// second factor.
    pub async fn sign_in_with(
        &self,
        email: &str,
        password: Zeroizing<String>,
        organization: Option<OrganizationRef>,
        proof: Option<&Proof>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let account = account_of(email);
        let mut attempt = PasswordAttempt::begin(&self.context, &account, origin).await?;
        if account.chars().count() > Email::LONGEST {
            // Nobody's: counted and recorded as any other, and nothing is read or hashed for it.
            attempt.denied(None, origin).await?;
            return Err(SignInError::Denied);
        }
        let (standing, password_hash) = self.prove(&mut attempt, &account, password, organization, origin).await?;
        let spend = self.second_factor(&standing, proof, origin).await?;
        let user = standing.user.id;
        let opened = self.open(standing.clone(), Basis::Proven { password_hash, spend }, origin).await;
        if matches!(opened, Err(SignInError::WrongCode)) {
            self.record_wrong_code(&standing, origin).await?;
        }
        if matches!(opened, Err(SignInError::SsoRequired)) {
            let by = (Some(standing.organization.id), Principal::Anonymous);
            let recorded = attempts::refused(&self.context, Refusal::SignIn, by, origin, |event| {
                event.on("user", user).with("reason", "single sign-on required")
            });
            recorded.await?;
        }
        let opened = opened?;
        attempt.signed_in(user, origin).await?;
        Ok(opened)
    }

    /// Signs a person in on the word of a front end that holds the service token.
    ///
    /// # Errors
    /// No such person, not a member, switched off; an address that nobody has verified.
    pub async fn sign_in_for(
        &self,
        person: PersonRef,
        organization: OrganizationRef,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let (user, address) = match person {
            PersonRef::Id(id) => (Some(id), None),
            PersonRef::Email(email) => {
                let (key, address) = (email.key(), email.key());
                let user = self
                    .context
                    .store
                    .read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }))
                    .await?;
                (user.map(|user| user.id), Some(address))
            }
        };
        let standing = match user {
            Some(user) => self.standing(user, Some(organization)).await?,
            None => None,
        };
        let standing = standing.filter(is_welcome).ok_or(SignInError::Denied)?;
        // Whether there was a second factor is the front end's to know.
        self.open(standing, Basis::FrontEnd { address }, origin).await
    }

    /// The live sessions of the caller's person with their last uses, newest first, at most a thousand: those in all
    /// organisations for a session, those in its own organisation for a key or a session by an identity provider. None for a
    /// caller that is no person. Last uses are at most a minute behind.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<SeenSession>, Failure> {
        let Some(user) = caller.user_id() else { return Ok(Vec::new()) };
        let now = self.context.now();
        let within = (!caller.is_person_everywhere()).then_some(caller.organization_id);
        Ok(seen(&self.context, user, within, now).await?)
    }

    /// When and from where the person's sessions were used last; at most a minute behind.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn uses(&self, user: UserId) -> Result<Vec<SessionUse>, Failure> {
        Ok(self.context.store.read(move |reads| Box::pin(reads.session_uses(user, seen::MOST_LISTED))).await?)
    }

    /// Ends one session of the person. Says whether there was one. The caller's own they may always end; any other takes a
    /// recent proof. For a session by an identity provider there are none in other organisations.
    ///
    /// # Errors
    /// A caller without a session; one that counts no more, or was not proven lately.
    pub async fn end(&self, caller: &Caller, user: UserId, id: SessionId, origin: &Origin) -> Result<bool, EndError> {
        if !caller.is_signed_in() {
            return Err(EndError::SessionNeeded);
        }
        let organization = caller.organization_id;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    if change.session().is_none_or(|own| own.id != id) {
                        change.check_proven_lately()?;
                        if change.is_by_provider() && !is_within(change, user, id, organization).await? {
                            return Ok(false);
                        }
                    }
                    delete(change, user, id).await
                })
            })
            .await
    }

    /// Ends a session on behalf of a front end that holds the service token; `false` if no session has this id.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn end_for(&self, id: SessionId, origin: &Origin) -> Result<bool, EndError> {
        let found = self.context.store.read(move |reads| Box::pin(reads.session_standing(id))).await?;
        let Some(found) = found else { return Ok(false) };
        let (user, organization) = (found.session.user_id, found.session.organization_id);
        self.context
            .change(Ask::of(Principal::Service, Some(organization), origin), move |change| {
                Box::pin(async move { delete(change, user, id).await })
            })
            .await
    }

    /// Ends every session of the person, except one: one event, which names the newest. How many, with those that had expired and
    /// were not removed yet. A session by an identity provider ends those in its own organisation.
    ///
    /// # Errors
    /// A caller without a session; one that counts no more, or was not proven lately.
    pub async fn end_all(
        &self,
        caller: &Caller,
        user: UserId,
        except: Option<SessionId>,
        origin: &Origin,
    ) -> Result<usize, EndError> {
        let most = u32::try_from(MOST_NAMED + 1).unwrap_or(u32::MAX);
        if !caller.is_signed_in() {
            return Err(EndError::SessionNeeded);
        }
        let organization = caller.organization_id;
        // The person is held alone: a session that is being made from one of these is there to be ended, or is not made.
        self.context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    change.check_proven_lately()?;
                    let within = change.is_by_provider().then_some(organization);
                    let mut named = change.tx.sessions_of_user(user, within, change.now, most).await?;
                    named.retain(|session| Some(session.id) != except);
                    let named: Vec<SessionId> = named.iter().map(|session| session.id).collect();
                    let ended = match within {
                        Some(organization) => change.tx.delete_sessions_of_member(organization, user, except).await?,
                        None => change.tx.delete_sessions_of_user(user, except).await?,
                    };
                    if ended > 0 {
                        let event = change.event("session.delete").on("user", user);
                        change.record(event.with_some_ids("sessions_ended", ended, &named)).await?;
                    }
                    Ok(ended)
                })
            })
            .await
    }

    /// Removes sessions that ended by themselves; a bounded number at a time. They stopped counting long before.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn forget_expired(&self) -> Result<usize, Failure> {
        const AT_ONCE: u32 = 1_000;
        let now = self.context.now();
        let work = self.context.store.write(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.delete_expired_sessions(now, AT_ONCE).await?) })
        });
        work.await
    }

    /// The person's place in the organisation asked for, or in the first they joined.
    async fn standing(
        &self,
        user: UserId,
        organization: Option<OrganizationRef>,
    ) -> Result<Option<MembershipStanding>, Failure> {
        let store = &self.context.store;
        let organization = match organization {
            Some(OrganizationRef::Id(id)) => Some(id),
            Some(OrganizationRef::Slug(slug)) => {
                let found =
                    store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await })).await?;
                found.map(|organization| organization.id)
            }
            None => {
                // Not the first by name: an administrator who adds a person to another organisation must not decide
                // where that person signs in.
                store.read(move |reads| Box::pin(reads.first_organization(user))).await?
            }
        };
        let Some(organization) = organization else { return Ok(None) };
        Ok(store.read(move |reads| Box::pin(reads.membership_standing(organization, user))).await?)
    }

    async fn open(&self, standing: MembershipStanding, basis: Basis, origin: &Origin) -> Result<SignedIn, SignInError> {
        let context = &self.context;
        let token = SessionToken::from_random(random(context.entropy.as_ref())?);
        let (organization, user) = (standing.organization.id, standing.user.id);
        let ask = match &basis {
            Basis::Proven { .. } => Ask::of(Principal::User(user), Some(organization), origin).of_person(user),
            Basis::FrontEnd { .. } => Ask::of(Principal::Service, Some(organization), origin).of_person(user),
            Basis::Session(caller) => Ask::by(caller, origin).in_trail_of(organization),
        };
        let digest = token.digest();
        let made = context.change(ask, move |change| {
            Box::pin(async move {
                let proven_at = basis.proven_at(change);
                let (standing, spend) = basis.check(change, &standing).await?;
                if let Some(spend) = &spend
                    && !spend.spend(change.tx, user).await?
                {
                    return Err(SignInError::WrongCode);
                }
                let session = new_session(change, &standing, proven_at)?;
                keep_session(change, &session, &digest, |event| match &spend {
                    Some(spend) => event.with("second_factor", spend.name()),
                    None => event,
                })
                .await?;
                Ok::<_, SignInError>((session, standing))
            })
        });
        let (session, standing) = made.await?;
        self.was_noted(&session);
        let lacks_second_factor = standing.lacks_second_factor();
        Ok(SignedIn { session, token, role: role_name(&standing), lacks_second_factor })
    }

    /// The first use of a session was written down with it.
    pub(crate) fn was_noted(&self, session: &Session) {
        self.noted.is_due(session.id, session.created_at);
    }

    /// What of the person's second factor the session will use up, if they have one.
    async fn second_factor(
        &self,
        standing: &MembershipStanding,
        proof: Option<&Proof>,
        origin: &Origin,
    ) -> Result<Option<Spend>, SignInError> {
        if standing.second_factor_since.is_none() {
            return Ok(None);
        }
        let user = standing.user.id;
        let proof = proof.ok_or(SignInError::SecondFactorRequired)?;
        let spend = second_factors::check(&self.context, user, proof, origin).await?;
        if spend.is_none() {
            self.record_wrong_code(standing, origin).await?;
        }
        spend.map(Some).ok_or(SignInError::WrongCode)
    }

    /// Somebody has the password and not the second factor: that stands in the organisation's trail, where it is seen.
    async fn record_wrong_code(&self, standing: &MembershipStanding, origin: &Origin) -> Result<(), Failure> {
        let by = (Some(standing.organization.id), Principal::Anonymous);
        let recorded = attempts::refused(&self.context, Refusal::SignIn, by, origin, |event| {
            event.on("user", standing.user.id).with("second_factor", "wrong")
        });
        recorded.await
    }

    /// Counts and records a wrong service token. The right one is never kept waiting: it is looked at first.
    ///
    /// # Errors
    /// A wait after too many of them; the store's.
    pub async fn refuse_front_end(&self, origin: &Origin) -> Result<(), SignInError> {
        // No address has a NUL in it.
        let attempter = Attempter::new("\0service token", origin.client_ip, None);
        if let Err(wait) = self.limiter.take(attempter, self.context.steady()).await {
            attempts::limited(&self.context, Refusal::ServiceTokenLimited, None, wait, origin).await?;
            return Err(wait.into());
        }
        tracing::warn!(
            client_ip = origin.client_ip.map(tracing::field::display),
            "a wrong service token was presented"
        );
        let by = (None, Principal::Anonymous);
        Ok(attempts::refused(&self.context, Refusal::ServiceToken, by, origin, |event| event).await?)
    }
}

/// Whether a session is one in the organisation.
async fn is_within(
    change: &mut Change<'_>,
    user: UserId,
    id: SessionId,
    organization: OrganizationId,
) -> Result<bool, StoreError> {
    let live = change.tx.sessions_of_user(user, Some(organization), change.now, seen::MOST_LISTED).await?;
    Ok(live.iter().any(|session| session.id == id))
}

/// An address as accounts are looked up by it. One that cannot be an address is nobody's, and is counted all the same.
fn account_of(email: &str) -> String {
    Email::parse_stored(email).map_or_else(|_| email.trim().to_lowercase(), |email| email.key())
}

impl Basis {
    /// When the person proved to be at the session that is made. One that is made from another is proven as that one is, and a
    /// front end's word is no proof.
    fn proven_at(&self, change: &Change<'_>) -> Option<Timestamp> {
        match self {
            Self::Proven { .. } => Some(change.now),
            Self::FrontEnd { .. } => None,
            Self::Session(_) => change.session().and_then(|origin| origin.proven_at),
        }
    }

    /// The person's place as it is now, if what the session stands on is still so; and what of a second factor it uses up.
    async fn check(
        self,
        change: &mut Change<'_>,
        before: &MembershipStanding,
    ) -> Result<(MembershipStanding, Option<Spend>), SignInError> {
        let (organization, user) = (before.organization.id, before.user.id);
        if matches!(self, Self::Session(_)) {
            // What the provider of one organisation says of a person opens no other.
            change.check_person_everywhere()?;
        }
        let current = match &self {
            // The session that the change reads again is one of another organisation.
            Self::Session(_) => change.tx.membership_standing(organization, user).await?,
            Self::Proven { .. } | Self::FrontEnd { .. } => change.member().cloned(),
        };
        let current = current.filter(is_welcome).ok_or(SignInError::Denied)?;
        // What a front end's word is worth, the operator decided with its token.
        let is_own_word = matches!(self, Self::Proven { .. } | Self::Session(_));
        if is_own_word && change.context().policy.asks_for_sso(current.role, &current.organization.slug) {
            return Err(SignInError::SsoRequired);
        }
        match self {
            // The address must be verified for this organisation, and still be the person's.
            Self::FrontEnd { address: Some(address) }
                if !current.user.has_address_in(organization) || current.user.email.key() != address =>
            {
                Err(SignInError::Denied)
            }
            Self::FrontEnd { .. } | Self::Session(_) => Ok((current, None)),
            Self::Proven { password_hash, .. } if !is_still_proven(change, user, password_hash.as_deref()).await? => {
                Err(SignInError::Denied)
            }
            // Set up since the password was proven: it has to be shown now. (One that was removed and set up anew has other
            // codes, which spending the code tells.)
            Self::Proven { spend: None, .. } if current.second_factor_since.is_some() => {
                Err(SignInError::SecondFactorRequired)
            }
            Self::Proven { spend, .. } => Ok((current, spend)),
        }
    }
}

/// Stores a new session and records it; `describe` adds to the event what the session stands on.
///
/// # Errors
/// An error of the store.
pub(crate) async fn keep_session(
    change: &mut Change<'_>,
    session: &Session,
    digest: &[u8; 32],
    describe: impl FnOnce(Event) -> Event,
) -> Result<(), Failure> {
    let event = change.event("session.create").on("session", session.id);
    change.record(describe(event.with("user_id", session.user_id.to_string()))).await?;
    change.tx.insert_session(session, digest).await?;
    Ok(change.tx.note_session_use(&uses::of(session.id, &change.origin, change.now)).await?)
}

/// A session of a person in an organisation, which ends no later than the one it was made from.
pub(crate) fn new_session(
    change: &Change<'_>,
    standing: &MembershipStanding,
    proven_at: Option<Timestamp>,
) -> Result<Session, Failure> {
    let (context, now) = (change.context(), change.now);
    let whole = now + context.policy.session_lifetime;
    Ok(Session {
        id: context.id(now)?,
        user_id: standing.user.id,
        organization_id: standing.organization.id,
        user_agent: change.origin.agent(),
        created_at: now,
        expires_at: change.session().map_or(whole, |origin| origin.expires_at.min(whole)),
        proven_at,
        provider: None,
    })
}
