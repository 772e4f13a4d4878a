//! Making an actor and its first token.

use storage::{Constraint, StoreError};
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType, Description, ExternalId, Metadata};
use token_domain::id::AccessScopeId;
use token_domain::record::Actor;
use token_domain::token::Kind;
use token_format::PlainToken;

use super::Actors;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};
use crate::tokens::ActorToken;

/// An actor asked for.
#[derive(Clone, Debug)]
pub struct NewActor {
    /// Its name.
    pub name: ActorName,
    /// What sort of thing it is.
    pub actor_type: ActorType,
    /// What it is for.
    pub description: Option<Description>,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// The caller's own notes.
    pub metadata: Option<Metadata>,
    /// When it, and its tokens, end.
    pub expires_at: Option<Timestamp>,
    /// Its tenant boundary, of the same project.
    pub access_scope_id: Option<AccessScopeId>,
    /// What its token may do, none of it beyond the caller's own; nothing for the least there is.
    pub scopes: Option<Vec<String>>,
}

/// An actor just made. The only place, with a rotation's answer, where its token's secret exists.
#[derive(Debug)]
pub struct MadeActor {
    /// The actor.
    pub actor: Actor,
    /// Its token's secret, shown once.
    pub secret: PlainToken,
}

impl Actors {
    /// Makes an actor and its token.
    ///
    /// # Errors
    /// An access scope of another project, a passed expiry, unknown or too wide scopes, a reached token cap.
    pub async fn create(&self, ground: Ground, request: NewActor, origin: &Origin) -> Result<MadeActor, TenancyError> {
        let context = &self.context;
        let scopes = ActorToken::scopes(context, request.scopes.as_deref(), ground.effective())?;
        check_expiry(request.expires_at, context.now())?;
        let made = ActorToken::make(context, ground.caller(), origin).await?;
        context
            .change(ground.ask(origin).making(Kind::Actor), move |change| {
                Box::pin(async move {
                    let (context, now) = (change.context(), change.now);
                    let project = ground.open(change).await?;
                    check_expiry(request.expires_at, now)?;
                    // Once more, by what the caller may do now.
                    ActorToken::scopes(&context, request.scopes.as_deref(), change.effective())?;
                    let actor = Actor {
                        id: context.id(now)?,
                        project_id: project.id,
                        access_scope_id: request.access_scope_id,
                        name: request.name,
                        actor_type: request.actor_type,
                        description: request.description,
                        external_id: request.external_id,
                        metadata: request.metadata,
                        disabled_at: None,
                        expires_at: request.expires_at,
                        last_used_at: None,
                        created_at: now,
                        updated_at: now,
                    };
                    let (secret, token) =
                        made.token(&context, ground.organization(), &actor, scopes, change.by(), now)?;
                    change.tx.insert_actor(&actor).await.map_err(placed)?;
                    let event = change
                        .event("actor.create")
                        .on("actor", actor.id)
                        .with("project_id", project.id.to_string())
                        .with("name", actor.name.as_str())
                        .with("access_scope_id", actor.access_scope_id.map(|id| id.to_string()));
                    change.record(event).await?;
                    ActorToken::store(change, &token).await?;
                    Ok(MadeActor { actor, secret })
                })
            })
            .await
    }
}

pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), TenancyError> {
    if expires_at.is_some_and(|moment| moment <= now) { Err(TenancyError::ExpiryPassed) } else { Ok(()) }
}

/// An actor's project was found in the same transaction, so a reference that leads nowhere is its access scope's.
pub(super) fn placed(error: StoreError) -> TenancyError {
    match error {
        StoreError::Conflict(Constraint::Reference(_)) => TenancyError::NoSuchAccessScope,
        other => other.into(),
    }
}
