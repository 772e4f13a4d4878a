//! Single sign-on: people sign in at the identity provider of their organisation, by `OpenID` Connect Core 1.0 §3.1 (authorization
//! code, with PKCE by RFC 7636, a state and a nonce).
//!
//! Providers are configuration of the deployment, not settings of an organisation: a provider says whose an address is, and the
//! operator says which domains it may speak of. Each is of one organisation and counts there alone: the session it makes reaches no
//! other organisation of the person, and does not change the password, address and second factor that do
//! ([`Refused::OfProvider`]). So whoever runs the provider of one organisation gains nothing in another.
//!
//! An attempt is kept by the browser that began it, in a cookie under a key of the deployment: any node can finish it, and nothing
//! has to be stored for visitors who never come back. State, nonce and code verifier are made of one secret in that cookie, so an
//! answer for another browser, another provider or another attempt does not fit. An attempt is spent before the provider is asked
//! anything: a copy of the cookie makes no second request.
//!
//! **Invariant:** this module makes no request itself; a provider is believed as far as its signature goes, and what it may say
//! about an address ends at the domains that the operator listed for it.

mod admit;
mod attempt;
mod providers;

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use storage::StoreError;
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{MembershipStanding, Organization, Principal};
use token_domain::text::{Email, Name};
use token_domain::{Span, Timestamp};

use crate::attempts::{account_pseudonym, refused};
use crate::audit::Refusal;
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::leaks::limiter::ReportLimiter;
use crate::limits::TooManyAttempts;
use crate::origin::Origin;
use crate::rights::Refused;
use crate::sessions::{SessionToken, Sessions, SignedIn};
use crate::trust::jwt::{Jwt, JwtError, LEEWAY};

pub use attempt::ATTEMPT_LIFETIME;
pub use providers::{Authorization, Finding, IdentityProviders, Provider, Redeemed};

use attempt::Attempt;

/// The longest subject (`OpenID` Connect Core 1.0 §2).
const LONGEST_SUBJECT: usize = 255;
/// The most groups of a person that are looked at; a token of 16 KiB hardly holds more.
const MOST_GROUPS: usize = 1_000;
/// How many sign-ins of one network may fail in an hour: each costs a request to the provider, which may hold the client back that
/// sends it codes that are none. Those that succeed are not counted, because a network may be a whole company's.
const FAILURES_AN_HOUR: u32 = 120;
/// How long an attempt is remembered beyond its end: for a request that was under way, and for another node's clock.
const REMEMBERED: Span = Span::seconds(60);

/// Why nobody was signed in by a provider.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// There is no provider of that name.
    #[error("no such provider")]
    NoProvider,
    /// The answer belongs to no attempt of this browser, or to one that is over or was used.
    #[error("the sign-in was not begun in this browser, was used, or was begun more than ten minutes ago")]
    NoAttempt,
    /// The person was to prove who they are, and the provider does not say that they did.
    #[error("the provider did not ask the person to sign in anew")]
    NotAnew,
    /// The provider signed nobody in; its error, if it is one of the standard's.
    #[error("the provider answered {0}")]
    Declined(&'static str),
    /// The provider cannot be reached, or gives no token for the code.
    #[error("the provider cannot be reached, or gives no token for the code")]
    Unreachable,
    /// What the provider says cannot be believed; the text is for the log.
    #[error("the provider's identity token {0}")]
    Unacceptable(&'static str),
    /// The provider does not vouch for the address, or may not.
    #[error("the provider has no verified address of a permitted domain for the person")]
    Address,
    /// The provider's token lacks what the operator requires of it: it is about somebody of another company.
    #[error("the identity token lacks a claim that sso.file requires, or has another value there")]
    Outside,
    /// An account has the address and is not known to be the person's.
    #[error("an account with the address exists, and is not linked")]
    Taken,
    /// Nobody without an account, or without a place in the organisation, is let in.
    #[error("the person is no member of the organisation")]
    NoMember,
    /// The person, their membership or the organisation is switched off.
    #[error("the person is switched off")]
    Disabled,
    /// Too many answers from this network lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// Overtaken by another change.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for SsoError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for SsoError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

impl From<JwtError> for SsoError {
    fn from(error: JwtError) -> Self {
        Self::Unacceptable(match error {
            JwtError::Expired => "has expired",
            JwtError::TooEarly => "is not valid yet",
            JwtError::TooOld => "is too old",
            JwtError::Signature => "has a signature that fits none of the provider's keys",
            JwtError::Algorithm => "is signed by an algorithm that is not accepted",
            JwtError::Claim(_) => "lacks a claim",
            JwtError::TooLong | JwtError::Malformed | JwtError::Type | JwtError::Critical => "cannot be read",
        })
    }
}

/// How recent the sign-in at the provider has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recency {
    /// The provider may remember the person.
    Any,
    /// The person proves who they are to the provider now: a recent proof here as well.
    Now,
}

impl Recency {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Now => "now",
        }
    }
}

/// A sign-in that was begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the browser keeps until it comes back, for [`ATTEMPT_LIFETIME`].
    pub cookie: String,
}

/// What the browser brings back from a provider.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The code.
    pub code: Option<String>,
    /// The state it was sent with.
    pub state: Option<String>,
    /// The error, without a code.
    pub error: Option<String>,
    /// The issuer (RFC 9207).
    pub issuer: Option<String>,
}

/// A person who was signed in.
#[derive(Debug)]
pub struct Entered {
    /// The session.
    pub signed_in: SignedIn,
    /// The page they came for.
    pub next: String,
}

/// A person as a provider knows them.
#[derive(Clone, Debug)]
struct Claims {
    /// The issuer.
    issuer: String,
    /// The person there: never another one's.
    subject: String,
    /// Their address, if the provider vouches for it and may.
    email: Option<Email>,
    /// What they are called.
    name: Option<Name>,
    /// Their groups.
    groups: Vec<String>,
    /// When they last proved who they are, if the provider says so.
    proven_at: Option<Timestamp>,
}

/// Who somebody is who is perhaps not let in, for the trail: digests under the deployment's key of what is not known here.
#[derive(Debug, Default)]
struct Seen {
    organization: Option<OrganizationId>,
    user: Option<UserId>,
    account: Option<String>,
    subject: Option<String>,
}

/// Signing in at providers.
pub struct Sso {
    context: Arc<Context>,
    sessions: Arc<Sessions>,
    providers: Vec<Provider>,
    outside: Arc<dyn IdentityProviders>,
    failures: ReportLimiter,
}

impl Sso {
    /// Over a context, with these providers, which `outside` makes requests to.
    pub fn new(
        context: &Arc<Context>,
        sessions: &Arc<Sessions>,
        providers: Vec<Provider>,
        outside: Arc<dyn IdentityProviders>,
    ) -> Self {
        let failures = ReportLimiter::new(FAILURES_AN_HOUR);
        Self { context: Arc::clone(context), sessions: Arc::clone(sessions), providers, outside, failures }
    }

    /// The providers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Warns of providers whose organisation does not exist: nobody signs in by them, and what they require is required of nobody.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn check_organizations(&self) -> Result<(), Failure> {
        for provider in &self.providers {
            if self.organization_of(provider).await?.is_none() {
                let organization = provider.organization.as_str();
                tracing::warn!(
                    provider = provider.id,
                    organization,
                    "the organisation of an identity provider does not exist: correct sso.file, or make the organisation yourself"
                );
            }
        }
        Ok(())
    }

    /// The organisation of a provider, if it exists.
    async fn organization_of(&self, provider: &Provider) -> Result<Option<Organization>, StoreError> {
        let slug = provider.organization.clone();
        let store = &self.context.store;
        store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await })).await
    }

    /// What people call a provider; its id, if it is not configured any more.
    pub fn name_of(&self, id: &str) -> String {
        self.provider(id).map_or(id, |provider| &provider.name).to_owned()
    }

    /// Whether the organisation takes the member's password, and not its identity provider alone.
    pub fn takes_password(&self, member: &MembershipStanding) -> bool {
        !self.context.policy.asks_for_sso(member.role, &member.organization.slug)
    }

    fn provider(&self, id: &str) -> Result<&Provider, SsoError> {
        self.providers.iter().find(|provider| provider.id == id).ok_or(SsoError::NoProvider)
    }

    /// Begins a sign-in, after which the browser is to show the page `next`, a path on this host.
    ///
    /// # Errors
    /// No such provider, or one whose description cannot be fetched.
    pub async fn begin(&self, id: &str, next: &str, recency: Recency) -> Result<Begun, SsoError> {
        let provider = self.provider(id)?;
        let authorization = self.outside.authorization(provider, &self.context).await.ok_or(SsoError::Unreachable)?;
        let secret = random(self.context.entropy.as_ref())?;
        let attempt = Attempt::new(secret, provider, recency, next, self.context.now());
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(attempt.verifier().as_bytes()));
        let (state, nonce, scope) = (attempt.state(), attempt.nonce(), provider.scopes.join(" "));
        let mut asked = vec![
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("redirect_uri", &provider.redirect_uri),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if recency == Recency::Now {
            asked.extend([("prompt", "login"), ("max_age", "0")]);
        }
        let url = self.outside.with_query(&authorization.endpoint, &asked);
        Ok(Begun { url, cookie: attempt.cookie(&self.context.keyring) })
    }

    /// Signs the person in whom the provider sent back. The session that the browser had, if it is the same person's in the same
    /// organisation, ends.
    ///
    /// # Errors
    /// An answer that fits no attempt of this browser; a provider that declined, or cannot be believed; a person who is not let
    /// in. Recorded, unless the service itself failed.
    pub async fn finish(
        &self,
        id: &str,
        cookie: Option<&str>,
        answer: &Answer,
        before: Option<&SessionToken>,
        origin: &Origin,
    ) -> Result<Entered, SsoError> {
        let mut seen = Seen::default();
        let entered = self.try_finish(id, cookie, answer, before, &mut seen, origin).await;
        if let Err(error) = &entered
            && !matches!(error, SsoError::Failed(_) | SsoError::NoProvider)
        {
            self.refuse(id, error, &seen, origin).await?;
        }
        entered
    }

    /// Records that somebody was not let in: in the organisation's trail, if the provider's word about the person was believed.
    async fn refuse(&self, id: &str, error: &SsoError, seen: &Seen, origin: &Origin) -> Result<(), Failure> {
        let reason = error.to_string();
        tracing::warn!(provider = id, reason, "a sign-in by a provider was refused");
        let by = (seen.organization, Principal::Anonymous);
        let recorded = refused(&self.context, Refusal::Sso, by, origin, |event| {
            let event = event.with("provider", id).with("reason", reason);
            let event = if let Some(user) = seen.user { event.on("user", user) } else { event };
            let event = if let Some(subject) = &seen.subject { event.with("subject", subject.as_str()) } else { event };
            if let Some(account) = &seen.account { event.with("account", account.as_str()) } else { event }
        });
        recorded.await
    }

    async fn try_finish(
        &self,
        id: &str,
        cookie: Option<&str>,
        answer: &Answer,
        before: Option<&SessionToken>,
        seen: &mut Seen,
        origin: &Origin,
    ) -> Result<Entered, SsoError> {
        let (provider, context) = (self.provider(id)?, &self.context);
        let attempt = cookie.and_then(|cookie| Attempt::read(cookie, provider, &context.keyring, context.now()));
        let attempt = attempt.filter(|attempt| answer.state.as_deref() == Some(attempt.state().as_str()));
        let attempt = attempt.ok_or(SsoError::NoAttempt)?;
        self.failures.check(origin.client_ip, context.steady())?;
        self.spend(&attempt).await?;
        let entered = self.redeemed(provider, &attempt, answer, before, seen, origin).await;
        if entered.is_err() {
            // Nobody waits for this one.
            let _ = self.failures.admit_here(origin.client_ip, context.steady());
        }
        entered
    }

    /// Uses the attempt up, whatever comes of it: no copy of the cookie is good for another request to the provider.
    async fn spend(&self, attempt: &Attempt) -> Result<(), SsoError> {
        let (spent, until) = (attempt.spent(), attempt.ends_at() + REMEMBERED);
        let written = self
            .context
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.spend_identity(&spent, until).await?) }));
        if written.await? { Ok(()) } else { Err(SsoError::NoAttempt) }
    }

    async fn redeemed(
        &self,
        provider: &Provider,
        attempt: &Attempt,
        answer: &Answer,
        before: Option<&SessionToken>,
        seen: &mut Seen,
        origin: &Origin,
    ) -> Result<Entered, SsoError> {
        let context = &self.context;
        let authorization = self.outside.authorization(provider, context).await.ok_or(SsoError::Unreachable)?;
        // RFC 9207 §2.4. An answer without an issuer, where the provider promises one, may be another provider's.
        match &answer.issuer {
            Some(issuer) if *issuer != provider.issuer => {
                return Err(SsoError::Unacceptable("was not asked for: the answer is of another issuer"));
            }
            None if authorization.names_issuer => {
                return Err(SsoError::Unacceptable("was not asked for: the answer does not name its issuer"));
            }
            Some(_) | None => {}
        }
        if let Some(error) = &answer.error {
            return Err(SsoError::Declined(known_error(error)));
        }
        let code = answer.code.as_deref().ok_or(SsoError::Unacceptable("was not asked for: the answer has no code"))?;
        let redeemed = self.outside.redeem(provider, code, &attempt.verifier(), context).await;
        let Redeemed { id_token, access_token } = redeemed.ok_or(SsoError::Unreachable)?;
        let jwt = self.verified(provider, &id_token, attempt).await?;
        let more = self.more(provider, &jwt, access_token.as_ref().map(|token| token.as_str())).await?;
        let claims = self.claims(provider, &jwt, &more, attempt)?;
        seen.subject = Some(account_pseudonym(context, &format!("{} {}", claims.issuer, claims.subject)));
        seen.account = claims.email.as_ref().map(|email| account_pseudonym(context, &email.key()));
        let signed_in = self.sign_in(provider, claims, before, seen, origin).await?;
        Ok(Entered { signed_in, next: attempt.next().to_owned() })
    }

    /// An identity token, verified (`OpenID` Connect Core 1.0 §3.1.3.7).
    async fn verified(&self, provider: &Provider, token: &str, attempt: &Attempt) -> Result<Jwt, SsoError> {
        let (context, jwt) = (&self.context, Jwt::read(token)?);
        if jwt.issuer()? != provider.issuer {
            return Err(SsoError::Unacceptable("was made by another issuer"));
        }
        // Several audiences are refused, though the standard permits them with an `azp`: the others could present it here.
        if jwt.audience()? != provider.client_id
            || jwt.claims().get("azp").is_some_and(|party| party.as_str() != Some(&provider.client_id))
        {
            return Err(SsoError::Unacceptable("was made for another client"));
        }
        let keys = self.outside.keys(&provider.issuer, &jwt, context).await.ok_or(SsoError::Unreachable)?;
        jwt.verify(&keys)?;
        jwt.check_time(context.now())?;
        if jwt.text("nonce") != Some(&attempt.nonce()) {
            return Err(SsoError::Unacceptable("was made for another sign-in"));
        }
        // At each sign-in, and of what is signed alone.
        if provider.required_claims.iter().any(|(name, value)| jwt.claims().get(name) != Some(value)) {
            return Err(SsoError::Outside);
        }
        Ok(jwt)
    }

    /// The claims that the identity token lacks, if the provider has them elsewhere: many put only the subject into the token, as
    /// `OpenID` Connect Core 1.0 §5.4 has it. What is about another subject is not believed (§5.3.2).
    async fn more(
        &self,
        provider: &Provider,
        jwt: &Jwt,
        access_token: Option<&str>,
    ) -> Result<Map<String, Value>, SsoError> {
        let lacks = |name: &str| !jwt.claims().contains_key(name);
        let lacks_groups = !provider.roles.is_empty() && lacks(&provider.groups_claim);
        let Some(access_token) = access_token.filter(|_| lacks("email") || lacks("email_verified") || lacks_groups)
        else {
            return Ok(Map::new());
        };
        let more = self.outside.user_info(provider, access_token, &self.context).await.ok_or(SsoError::Unreachable)?;
        if !more.is_empty() && more.get("sub") != jwt.claims().get("sub") {
            return Err(SsoError::Unacceptable("is of another person than the claims beside it"));
        }
        Ok(more)
    }

    fn claims(
        &self,
        provider: &Provider,
        jwt: &Jwt,
        more: &Map<String, Value>,
        attempt: &Attempt,
    ) -> Result<Claims, SsoError> {
        // What was signed goes first.
        let claim = |name: &str| jwt.claims().get(name).or_else(|| more.get(name));
        let text = |name: &str| claim(name).and_then(Value::as_str);
        let subject = jwt.text("sub").filter(|subject| is_subject(subject));
        let subject = subject.ok_or(SsoError::Unacceptable("lacks a subject"))?;
        let proven_at = proven_at(jwt, self.context.now());
        if attempt.recency() == Recency::Now && proven_at.is_none_or(|at| at + LEEWAY < attempt.begun_at()) {
            return Err(SsoError::NotAnew);
        }
        // Both from one place: a word about one address must not vouch for another.
        let is_signed = ["email", "email_verified"].iter().all(|name| jwt.claims().contains_key(*name));
        let source = if is_signed { jwt.claims() } else { more };
        let is_verified = source.get("email_verified") == Some(&Value::Bool(true));
        let email = source.get("email").and_then(Value::as_str).and_then(|email| Email::parse(email).ok());
        Ok(Claims {
            issuer: provider.issuer.clone(),
            subject: subject.to_owned(),
            email: email.filter(|email| is_verified && provider.may_vouch_for(email)),
            name: text("name").and_then(|name| Name::parse(name).ok()),
            groups: groups(claim(&provider.groups_claim)),
            proven_at,
        })
    }
}

/// At most 255 characters of ASCII; what cannot be seen is in no subject either.
fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// When the person last proved to the provider who they are. A moment that has not come proves nothing.
fn proven_at(jwt: &Jwt, now: Timestamp) -> Option<Timestamp> {
    let latest = (now + LEEWAY).as_micros().div_euclid(1_000_000);
    let seconds = jwt.claims().get("auth_time").and_then(Value::as_i64);
    let seconds = seconds.filter(|seconds| (0..=latest).contains(seconds))?;
    Some(Timestamp::from_micros(seconds * 1_000_000).min(now))
}

/// The groups in a claim: a list of texts, or one text.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            several.iter().take(MOST_GROUPS).filter_map(|group| group.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// An error of the standards (RFC 6749 §4.1.2.1, `OpenID` Connect Core 1.0 §3.1.2.6); a stranger may have written any other text.
fn known_error(error: &str) -> &'static str {
    const KNOWN: [&str; 11] = [
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("an unknown error")
}
