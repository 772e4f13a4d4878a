//! Sessions: a signed-in person in one organisation.

mod authenticate;
mod token;

use std::sync::Arc;

use secret_hash::password::{self, Password, PasswordHash};
use storage::StoreError;
use storage::model::{MembershipStanding, Principal, Session, SessionStanding};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::person::RoleRef;
use token_domain::text::{Email, Name, Slug};
use zeroize::Zeroizing;

pub use authenticate::{AuthError, Presented};
pub use token::SessionToken;

use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::limits::{SignInLimiter, TooManyAttempts};
use crate::origin::{Caller, Origin, Via};
use crate::second_factors::{self, Proof, ProofError, Spend};
use crate::validate::Validator;

/// The most characters of a client's name that are kept.
const LONGEST_USER_AGENT: usize = 200;

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
    /// Too many attempts lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<ProofError> for SignInError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::TooMany(wait) => Self::TooMany(wait),
            ProofError::Failed(failure) => Self::Failed(failure),
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

/// Signing in and out, and telling who a credential belongs to.
pub struct Sessions {
    context: Arc<Context>,
    validator: Arc<Validator>,
    limiter: Arc<SignInLimiter>,
    /// What an unknown e-mail's password is compared with, so that it costs what a known one costs.
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
        Ok(Self { context, validator, limiter, nobody })
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
        let account = email.trim().to_lowercase();
        let attempt = self.limiter.take(&account, origin.client_ip, self.context.now())?;
        let standing = self.prove(&account, password, organization).await?;
        let Some(standing) = standing else {
            self.record_denial(origin).await?;
            return Err(SignInError::Denied);
        };
        attempt.succeeded();
        let spend = self.second_factor(&standing, proof, origin).await?;
        let by = Principal::User(standing.user.id);
        self.open(standing, by, spend, origin).await
    }

    /// Signs a person in on the word of a front end that holds the service token.
    ///
    /// # Errors
    /// No such person, not a member, switched off.
    pub async fn sign_in_for(
        &self,
        person: PersonRef,
        organization: OrganizationRef,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let user = match person {
            PersonRef::Id(id) => Some(id),
            PersonRef::Email(email) => {
                let key = email.key();
                let user = self
                    .context
                    .store
                    .read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }))
                    .await?;
                user.map(|user| user.id)
            }
        };
        let standing = match user {
            Some(user) => self.standing(user, Some(organization)).await?,
            None => None,
        };
        let standing = standing.filter(is_welcome).ok_or(SignInError::Denied)?;
        // Whether there was a second factor is the front end's to know.
        self.open(standing, Principal::Service, None, origin).await
    }

    /// The person's live sessions, newest first, in whatever organisation.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, user: UserId) -> Result<Vec<Session>, Failure> {
        let now = self.context.now();
        Ok(self.context.store.read(move |reads| Box::pin(reads.sessions_of_user(user, None, now))).await?)
    }

    /// Ends one session of the person. Says whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn end(&self, caller: &Caller, user: UserId, id: SessionId, origin: &Origin) -> Result<bool, Failure> {
        let now = self.context.now();
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let ended = tx.delete_session(user, id).await?;
                    if ended {
                        trail.append(tx, Event::new(now, "session.delete", by, &origin).on("session", id)).await?;
                    }
                    Ok(ended)
                })
            })
            .await
    }

    /// Ends every session of the person, except one.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_all(
        &self,
        caller: &Caller,
        user: UserId,
        except: Option<SessionId>,
        origin: &Origin,
    ) -> Result<usize, Failure> {
        let now = self.context.now();
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let ended = tx.delete_sessions_of_user(user, except).await?;
                    for id in &ended {
                        trail.append(tx, Event::new(now, "session.delete", by, &origin).on("session", id)).await?;
                    }
                    Ok(ended.len())
                })
            })
            .await
    }

    /// Removes sessions that ended by themselves; a bounded number at a time. They stopped counting long before.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_expired(&self) -> Result<usize, Failure> {
        const AT_ONCE: u32 = 1_000;
        let now = self.context.now();
        let work = self.context.store.write(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.delete_expired_sessions(now, AT_ONCE).await?) })
        });
        work.await
    }

    /// The person behind e-mail and password, in the organisation asked for.
    async fn prove(
        &self,
        account: &str,
        mut password: Zeroizing<String>,
        organization: Option<OrganizationRef>,
    ) -> Result<Option<MembershipStanding>, SignInError> {
        // A text that no password may have is wrong for every account; refusing it early tells nobody anything.
        let Ok(password) = Password::new(std::mem::take(&mut *password)) else { return Ok(None) };
        let key = account.to_owned();
        let user =
            self.context.store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await })).await?;
        if user.is_none() {
            // What reading a person costs besides the hash: texts are checked, normalised and folded. It is little, and
            // it is counted (`tests/it/cost.rs`).
            let _ = std::hint::black_box(Email::parse(account).map(|email| email.key()));
            let _ = std::hint::black_box(Name::parse(account));
        }
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let known = stored.is_some();
        let against = PasswordHash::parse(stored.unwrap_or(self.nobody.as_str()))
            .map_err(|error| Failure::Inconsistent(format!("a stored password hash cannot be read: {error}")))?;
        let verified = self.context.lane.run(move || password::verify(&password, &against)).await?;
        let verified = verified
            .map_err(|error| Failure::Inconsistent(format!("a stored password hash cannot be used: {error}")))?;
        match user {
            Some(user) if known && verified => Ok(self.standing(user.id, organization).await?.filter(is_welcome)),
            Some(_) | None => Ok(None),
        }
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
                let memberships = store.read(move |reads| Box::pin(reads.memberships_of_user(user))).await?;
                memberships.first().map(|(organization, _)| organization.id)
            }
        };
        let Some(organization) = organization else { return Ok(None) };
        Ok(store.read(move |reads| Box::pin(reads.membership_standing(organization, user))).await?)
    }

    async fn open(
        &self,
        standing: MembershipStanding,
        by: Principal,
        spend: Option<Spend>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let context = &self.context;
        let token = SessionToken::from_random(random(context.entropy.as_ref())?);
        let now = context.now();
        let session = Session {
            id: context.id(now)?,
            user_id: standing.user.id,
            organization_id: standing.organization.id,
            token_digest: token.digest(),
            user_agent: origin.user_agent.as_ref().map(|text| text.chars().take(LONGEST_USER_AGENT).collect()),
            created_at: now,
            expires_at: now + context.policy.session_lifetime,
        };
        let (made, origin) = (session.clone(), origin.clone());
        context
            .units
            .run(now, context.units.touching(), move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(made.organization_id)).await?;
                    let mut event = Event::new(now, "session.create", by, &origin)
                        .on("session", made.id)
                        .with("user_id", made.user_id.to_string());
                    if let Some(spend) = spend {
                        if !spend.spend(tx, made.user_id).await? {
                            return Err(SignInError::WrongCode);
                        }
                        event = event.with("second_factor", spend.name());
                    }
                    trail.append(tx, event).await?;
                    Ok::<_, SignInError>(tx.insert_session(&made).await?)
                })
            })
            .await?;
        let lacks_second_factor = standing.lacks_second_factor();
        Ok(SignedIn { session, token, role: role_name(&standing), lacks_second_factor })
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
        let spend = second_factors::check(&self.context, user, proof).await?;
        if spend.is_none() {
            self.record_wrong_code(standing, origin).await?;
        }
        spend.map(Some).ok_or(SignInError::WrongCode)
    }

    /// Somebody has the password and not the second factor: that stands in the organisation's trail, where it is seen.
    async fn record_wrong_code(&self, standing: &MembershipStanding, origin: &Origin) -> Result<(), Failure> {
        let (now, organization) = (self.context.now(), standing.organization.id);
        let mut event = Event::new(now, "session.create.denied", Principal::Anonymous, origin)
            .on("user", standing.user.id)
            .with("second_factor", "wrong");
        if let Some(ip) = origin.client_ip {
            event = event.with("client_ip", ip.to_string());
        }
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(Trail::open(tx, Some(organization)).await?.append(tx, event).await?)
                })
            })
            .await
    }

    /// Denials stand in the deployment's own trail: which organisation was meant is not known for sure.
    async fn record_denial(&self, origin: &Origin) -> Result<(), Failure> {
        let now = self.context.now();
        let mut event = Event::new(now, "session.create.denied", Principal::Anonymous, origin);
        if let Some(ip) = origin.client_ip {
            event = event.with("client_ip", ip.to_string());
        }
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move { Ok::<_, Failure>(Trail::open(tx, None).await?.append(tx, event).await?) })
            })
            .await
    }
}

fn is_welcome(standing: &MembershipStanding) -> bool {
    standing.user.disabled_at.is_none() && standing.organization.disabled_at.is_none()
}

/// What a role is called: the built-in name or the organisation's own.
pub(crate) fn role_name(standing: &MembershipStanding) -> String {
    match standing.role {
        RoleRef::BuiltIn(role) => role.as_str().to_owned(),
        RoleRef::Custom(id) => standing.custom_name.as_ref().map_or_else(|| id.to_string(), ToString::to_string),
    }
}

/// Turns a session found by its token into a caller, if it still counts.
fn caller_of(context: &Context, found: &SessionStanding, now: Timestamp) -> Result<Option<Caller>, Failure> {
    let SessionStanding { session, standing } = found;
    if session.expires_at <= now || !is_welcome(standing) {
        return Ok(None);
    }
    Ok(Some(Caller {
        organization_id: session.organization_id,
        via: Via::Session { session_id: session.id, user_id: session.user_id },
        effective: context.ceiling(standing.role, standing.custom_scopes.as_deref())?,
    }))
}
