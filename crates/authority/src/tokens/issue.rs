//! Issuing a token.

use storage::model::Touched;
use storage::{Constraint, StoreError};
use token_domain::Timestamp;
use token_domain::id::ProjectId;
use token_domain::record::{Hint, NewToken, StoredSecret, Token, TokenDetails, TokenOwner};
use token_domain::scope::Grants;
use token_domain::text::{AgentType, Name};
use token_domain::token::{Lifetime, TokenFacts};
use token_format::PlainToken;

use super::governed::{check_static, govern_new};
use super::reach::{check_key_maker, project_of_new};
use super::{Idempotency, TokenError, Tokens, remember, replayed, secret, within};
use crate::audit::Event;
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};

/// What an idempotency key is for.
const fn operation(owner: TokenOwner) -> &'static str {
    match owner {
        TokenOwner::Organization => "tokens.create",
        TokenOwner::Person(_) => "keys.create",
        TokenOwner::Actor(_) => "actors.create",
    }
}

/// A token asked for; of a key, the scopes may be left out.
#[derive(Clone, Debug)]
pub struct IssueRequest<S = Vec<String>> {
    /// Its name.
    pub name: Name,
    /// Its scopes, as asked.
    pub scopes: S,
    /// Its label.
    pub agent_type: AgentType,
    /// The project to bind it to.
    pub project_id: Option<ProjectId>,
    /// When it ends.
    pub lifetime: Lifetime,
    /// What is said about it.
    pub details: TokenDetails,
    /// The caller's key against carrying this out twice.
    pub idempotency: Option<Idempotency>,
}

/// A token just made. The only place, with a rotation's answer, where its secret exists.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Token,
    /// Its secret, shown once.
    pub secret: PlainToken,
    /// Scopes that will not work for want of a companion: the scope, and what it also needs.
    pub warnings: Vec<(String, Vec<String>)>,
}

impl Tokens {
    /// Issues a token of the caller's organisation.
    ///
    /// # Errors
    /// Unknown or too wide scopes, a passed expiry, an unknown project, a reached cap, a replayed idempotency key.
    pub async fn issue(&self, caller: &Caller, request: IssueRequest, origin: &Origin) -> Result<Issued, TokenError> {
        self.issue_for(caller, TokenOwner::Organization, request, origin).await
    }

    /// Issues a token for an owner whom the caller may issue for.
    pub(super) async fn issue_for(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        request: IssueRequest,
        origin: &Origin,
    ) -> Result<Issued, TokenError> {
        let context = &self.context;
        let grants = context.catalogue.grant(&request.scopes, owner.kind())?;
        within(&context.catalogue, grants.effective(), caller.effective)?;
        project_of_new(caller, request.project_id)?;
        check_expiry(request.lifetime, context.now())?;
        let (secret, stored) = secret::make_for(context, caller, origin).await?;
        let ask = Ask::by(caller, origin).making(owner.kind());
        let (asked, new) =
            (request.project_id, New { owner, request, grants: grants.clone(), hint: secret.hint(), stored });
        let made = context.change(ask, move |change| Box::pin(new.run(change))).await;
        let token = made.map_err(|error| no_such_project(asked, error))?;
        let warnings = context
            .catalogue
            .warnings(&grants)
            .into_iter()
            .map(|(scope, needs)| (scope.to_string(), needs.into_iter().map(str::to_owned).collect()))
            .collect();
        Ok(Issued { token, secret, warnings })
    }
}

/// A token about to be made, with the secret that was hashed before its change began.
struct New {
    owner: TokenOwner,
    request: IssueRequest,
    grants: Grants,
    hint: Hint,
    stored: StoredSecret,
}

impl New {
    async fn run(self, change: &mut Change<'_>) -> Result<Token, TokenError> {
        let Self { owner, request, grants, hint, stored } = self;
        let (context, now) = (change.context(), change.now);
        change.check_not_superseded()?;
        change.check_present()?;
        // Once more, by what the caller may do now: the hash may have taken its time.
        let caller = *change.caller()?;
        within(&context.catalogue, grants.effective(), caller.effective)?;
        match owner {
            TokenOwner::Person(_) => check_key_maker(&context.catalogue, &caller)?,
            TokenOwner::Organization | TokenOwner::Actor(_) => {}
        }
        let expires_at = check_expiry(request.lifetime, now)?;
        let (id, organization) = (context.id(now)?, caller.organization_id);
        let facts = TokenFacts::new(now, expires_at);
        let mut token = Token {
            agent_type: request.agent_type,
            scopes: owned_names(&context, &grants),
            project_id: project_of_new(&caller, request.project_id)?,
            lifetime: request.lifetime.span(),
            details: request.details,
            ..Token::new(id, organization, owner, request.name, facts, change.by(), hint)
        };
        if let Some(idempotency) = &request.idempotency {
            replayed(change, token.organization_id, operation(owner), idempotency).await?;
        }
        check_static(&context, change.terms(), owner)?;
        govern_new(&context, change.terms(), &mut token, &grants, request.lifetime)?;
        within_cap(change, &token).await?;
        within_key_cap(change, &token).await?;
        change.touch(Touched::Created(token.id));
        let new = NewToken { token, secret: stored };
        change.tx.insert_token(&new).await?;
        let token = new.token;
        if let Some(idempotency) = request.idempotency {
            remember(change, token.organization_id, operation(owner), idempotency, token.id).await?;
        }
        let event = created(change, &token);
        change.record(event).await?;
        Ok(token)
    }
}

/// Maps a violated reference to a missing project: everything else a new token refers to is the caller's own or was just
/// read.
fn no_such_project(project: Option<ProjectId>, error: TokenError) -> TokenError {
    match error {
        TokenError::Failed(Failure::Store(StoreError::Conflict(Constraint::Reference(_)))) if project.is_some() => {
            TokenError::NoSuchProject
        }
        other => other,
    }
}

pub(crate) fn owned_names(context: &Context, grants: &Grants) -> Vec<String> {
    grants.names(&context.catalogue).into_iter().map(str::to_owned).collect()
}

pub(super) fn created(change: &Change<'_>, token: &Token) -> Event {
    let event = change
        .event("token.create")
        .on("token", token.id)
        .with("name", token.name.as_str())
        .with("kind", token.owner.kind().as_str())
        .with("scopes", token.scopes.clone())
        .with("hint", token.hint.as_str());
    match &token.details.allowed_networks {
        Some(networks) => event.with("allowed_networks", networks.names()),
        None => event,
    }
}

/// The expiry, if it lies ahead.
fn check_expiry(lifetime: Lifetime, now: Timestamp) -> Result<Option<Timestamp>, TokenError> {
    match lifetime.expires_at(now) {
        Some(moment) if moment <= now => Err(TokenError::ExpiryPassed),
        expires_at => Ok(expires_at),
    }
}

/// Checks the cap. The lock on the trail's end keeps other requests of the organisation from counting at the same time.
pub(super) async fn within_cap(change: &mut Change<'_>, token: &Token) -> Result<(), TokenError> {
    let Some(cap) = change.terms().token_cap.or(change.context().policy.token_cap) else { return Ok(()) };
    let used = change.tx.live_token_count(token.organization_id, token.facts.created_at).await?;
    let used = u32::try_from(used).unwrap_or(u32::MAX);
    if used < cap { Ok(()) } else { Err(TokenError::CapReached { used, cap }) }
}

/// A person has so many live keys in an organisation: without a bound one of them fills the table, and the lane for slow hashes,
/// of everybody. Counted under the same lock.
async fn within_key_cap(change: &mut Change<'_>, token: &Token) -> Result<(), TokenError> {
    let TokenOwner::Person(owner) = token.owner else { return Ok(()) };
    let cap = change.context().policy.key_cap;
    let used = change.tx.live_key_count(token.organization_id, owner, token.facts.created_at).await?;
    let used = u32::try_from(used).unwrap_or(u32::MAX);
    if used < cap { Ok(()) } else { Err(TokenError::KeyCapReached { used, cap }) }
}
