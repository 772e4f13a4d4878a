//! What a message broker asks: who connects with this token, whether a connection may go on, and which topics it may use.
//!
//! A broker answers for its callers' organisation alone, and within that for what its own token reaches.

use storage::model::TokenFilter;
use storage::{Reads, StoreError};
use token_domain::access::TopicPattern;
use token_domain::decide::{Denial, Verdict, decide};
use token_domain::id::ActorId;
use token_domain::record::{AccessScope, Actor, Candidate, Project};
use token_domain::tenant::ActorStatus;
use token_domain::{Holder, Requirement, Timestamp};

use super::Actors;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Presentation};
use crate::rights;
use crate::tokens::ActorToken;
use crate::validate::{Outcome, Validator};

/// The tokens of one actor that are looked at for one that still counts, newest first. A rotation leaves two.
const MOST_TOKENS: u32 = 16;

/// An actor that may be connected to a broker.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who.
    pub actor: Actor,
    /// Where it acts.
    pub project: Project,
    /// Its tenant boundary, if it has one.
    pub access_scope: Option<AccessScope>,
    /// When its token ends, if it does: no later than the actor.
    pub ends_at: Option<Timestamp>,
}

impl Connection {
    /// The topics it may use.
    pub fn topics(&self) -> TopicPattern {
        TopicPattern::of(&self.project.slug, self.access_scope.as_ref().map(|access_scope| &access_scope.slug))
    }
}

/// Why an actor may not be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnection {
    /// There is no such actor for this caller, or none of its tokens counts any more.
    NotFound,
    /// It, its access scope or its organisation is switched off.
    Suspended,
    /// Its time, or that of its token, is over.
    Expired,
}

impl Actors {
    /// The actor whose token this is, if it may connect now; `None` for anything but a valid token of an actor that the caller's
    /// credential reaches. Validating counts as a use of the token, with the broker and not the holder presenting it.
    ///
    /// # Errors
    /// It cannot be known.
    pub async fn admit(
        &self,
        caller: &Caller,
        validator: &Validator,
        text: &str,
        presented: &dyn Presentation,
    ) -> Result<Option<Connection>, Failure> {
        let outcome = validator.validate(text, &Requirement::NOTHING, presented).await?;
        let (Outcome::Live(entry) | Outcome::Insufficient { entry, .. }) = outcome else { return Ok(None) };
        if entry.organization_id() != caller.organization_id {
            return Ok(None);
        }
        let credential = entry.credential();
        let Holder::Actor(standing) = &credential.holder else { return Ok(None) };
        let (id, ends_at, caller) = (standing.actor_id, credential.facts.dies_at(), *caller);
        let found = self.context.store.read(move |reads| Box::pin(find(reads, caller, id))).await?;
        let now = self.context.now();
        Ok(found.and_then(|found| match suspension(&found, now) {
            None => Some(Connection { ends_at, ..found }),
            Some(_) => None,
        }))
    }

    /// Whether an actor that is connected may stay, and with what.
    ///
    /// # Errors
    /// It cannot be known.
    pub async fn readmit(&self, caller: &Caller, id: ActorId) -> Result<Result<Connection, Disconnection>, Failure> {
        let (caller, now) = (*caller, self.context.now());
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(found) = find(reads, caller, id).await? else { return Ok(None) };
                let tokens = tokens_of(reads, &found, now).await?;
                Ok(Some((found, tokens)))
            })
        });
        let Some((found, tokens)) = found.await? else { return Ok(Err(Disconnection::NotFound)) };
        if let Some(why) = suspension(&found, now) {
            return Ok(Err(why));
        }
        let ends_at = longest(&self.context, &tokens, now)?;
        Ok(ends_at.map(|ends_at| Connection { ends_at, ..found }))
    }
}

/// The actor with its place, if the caller reaches it.
async fn find(reads: &mut Reads, caller: Caller, id: ActorId) -> Result<Option<Connection>, StoreError> {
    let Some((actor, project)) = reads.actor_of_organization(caller.organization_id, id).await? else {
        return Ok(None);
    };
    let is_outside = caller.bound_project().is_some_and(|bound| bound != project.id)
        || caller.boundary().is_some_and(|boundary| actor.access_scope_id != Some(boundary));
    if is_outside {
        return Ok(None);
    }
    let access_scope = match actor.access_scope_id {
        Some(scope) => reads.access_scope(project.id, scope).await?,
        None => None,
    };
    if actor.access_scope_id.is_some() && access_scope.is_none() {
        // Deleted between the two reads. To let the actor into the whole project is for a request that reads so.
        return Ok(None);
    }
    Ok(Some(Connection { actor, project, access_scope, ends_at: None }))
}

/// Why the actor itself does not count.
fn suspension(found: &Connection, now: Timestamp) -> Option<Disconnection> {
    let is_inactive = found.access_scope.as_ref().is_some_and(|scope| !scope.is_active);
    match ActorStatus::at(found.actor.disabled_at, found.actor.expires_at, now) {
        ActorStatus::Disabled => Some(Disconnection::Suspended),
        ActorStatus::Active | ActorStatus::Expired if is_inactive => Some(Disconnection::Suspended),
        ActorStatus::Expired => Some(Disconnection::Expired),
        ActorStatus::Active => None,
    }
}

/// The actor's newest tokens, good or not.
async fn tokens_of(reads: &mut Reads, found: &Connection, now: Timestamp) -> Result<Vec<Candidate>, StoreError> {
    let organization = found.project.organization_id;
    let filter =
        TokenFilter { status: None, limit: MOST_TOKENS, ..ActorToken::current(organization, found.actor.id, now) };
    let mut tokens = Vec::new();
    for token in reads.list_tokens(&filter).await? {
        tokens.extend(reads.candidate(organization, token.id).await?);
    }
    Ok(tokens)
}

/// When the token that lasts longest ends; nothing if it has no end.
fn longest(
    context: &Context,
    tokens: &[Candidate],
    now: Timestamp,
) -> Result<Result<Option<Timestamp>, Disconnection>, Failure> {
    let (mut longest, mut why) = (None, Disconnection::NotFound);
    for candidate in tokens {
        let grants = rights::grants(context, candidate.into())?;
        let credential = rights::credential(context, candidate.into(), &grants)?;
        match decide(&credential, &Requirement::NOTHING, now) {
            Verdict::Allowed { .. } | Verdict::Insufficient { .. } => {
                let Some(ends_at) = credential.facts.dies_at() else { return Ok(Ok(None)) };
                longest = longest.max(Some(ends_at));
            }
            Verdict::Denied(denial) => why = worse(why, denial),
        }
    }
    Ok(longest.map(Some).ok_or(why))
}

/// The reason for an actor none of whose tokens is valid. A suspension, which an administrator can lift, is named before an expiry,
/// and an expiry before `NotFound`.
fn worse(so_far: Disconnection, denial: Denial) -> Disconnection {
    match denial {
        Denial::OrganizationDisabled
        | Denial::ActorDisabled
        | Denial::AccessScopeInactive
        | Denial::PersonDisabled
        | Denial::PersonRemoved => Disconnection::Suspended,
        Denial::Expired | Denial::ActorExpired | Denial::Idle if so_far == Disconnection::NotFound => {
            Disconnection::Expired
        }
        Denial::Expired | Denial::ActorExpired | Denial::Idle | Denial::Revoked(_) => so_far,
    }
}
