//! The tokens of an actor: the first is made with it, a later one by a rotation. Each unit of work that uses these
//! functions is the actor's own; what they add to it is the token, its place under the cap and its audit row.

use storage::model::{Narrowing, OwnerFilter, TokenFilter, Touched};
use token_domain::id::{ActorId, OrganizationId};
use token_domain::record::{Actor, NewToken, Principal, StoredSecret, Token, TokenOwner};
use token_domain::text::Name;
use token_domain::token::{GraceMode, Kind, Status, TokenFacts};
use token_domain::{ScopeSet, Span, Timestamp};
use token_format::PlainToken;

use super::governed::govern_actor;
use super::issue::{created, owned_names, within_cap};
use super::rotate::{Rotation, granted};
use super::{TokenError, secret, within};
use crate::change::Change;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};

/// What an actor's token may do when nobody says otherwise: renew itself, and nothing else. An actor is there to be
/// recognised, with its project and its access scope; whatever more it may do is somebody's decision.
const DEFAULT_SCOPES: [&str; 1] = ["self:rotate"];

/// The secret of an actor's token that is not stored yet. Its slow hash is already computed.
pub(crate) struct ActorToken {
    secret: PlainToken,
    stored: StoredSecret,
}

impl ActorToken {
    /// Makes the secret.
    pub(crate) async fn make(context: &Context, caller: &Caller, origin: &Origin) -> Result<Self, Failure> {
        let (secret, stored) = secret::make_for(context, caller, origin).await?;
        Ok(Self { secret, stored })
    }

    /// The scopes of a new actor's token: the requested ones, which must lie within the caller's (`own`), or else the default.
    /// The default gives rights over the token itself only, so the caller need not have it.
    pub(crate) fn scopes(
        context: &Context,
        asked: Option<&[String]>,
        own: ScopeSet,
    ) -> Result<Vec<String>, TokenError> {
        let Some(asked) = asked else {
            return Ok(owned_names(context, &context.catalogue.grant(&DEFAULT_SCOPES, Kind::Actor)?));
        };
        let grants = context.catalogue.grant(asked, Kind::Actor)?;
        within(&context.catalogue, grants.effective(), own)?;
        Ok(owned_names(context, &grants))
    }

    /// The scopes of a successor: those of the old token. The caller is shown the secret, so all of them must be the caller's
    /// own (`own`) or default ones.
    pub(crate) fn carried_over(context: &Context, old: &Token, own: ScopeSet) -> Result<Vec<String>, TokenError> {
        let everyones = context.catalogue.grant(&DEFAULT_SCOPES, Kind::Actor)?;
        within(&context.catalogue, granted(context, old)?, own.union(everyones.effective()))?;
        Ok(old.scopes.clone())
    }

    /// The name of an actor's tokens: the actor's, as far as a token's name goes.
    ///
    /// # Errors
    /// None for a name that an actor can have.
    pub(crate) fn name(actor: &Actor) -> Result<Name, Failure> {
        let cut: String = actor.name.as_str().chars().take(Name::LONGEST).collect();
        Name::parse_stored(&cut)
            .map_err(|error| Failure::Inconsistent(format!("the name of actor {}: {error}", actor.id)))
    }

    /// The filter for the actor's live token without a successor.
    pub(crate) fn current(organization_id: OrganizationId, actor: ActorId, now: Timestamp) -> TokenFilter {
        TokenFilter {
            organization_id,
            owner: OwnerFilter::Actor(actor),
            project_id: None,
            status: Some(Status::Active),
            name_contains: None,
            narrowed: Narrowing::default(),
            now,
            after: None,
            until: None,
            limit: 1,
        }
    }

    /// The token this secret is for. It ends when its actor does.
    pub(crate) fn token(
        self,
        context: &Context,
        organization_id: OrganizationId,
        actor: &Actor,
        scopes: Vec<String>,
        by: Principal,
        now: Timestamp,
    ) -> Result<(PlainToken, NewToken), Failure> {
        let (id, owner, name) = (context.id(now)?, TokenOwner::Actor(actor.id), Self::name(actor)?);
        let facts = TokenFacts::new(now, actor.expires_at);
        let token = Token {
            scopes,
            project_id: Some(actor.project_id),
            ..Token::new(id, organization_id, owner, name, facts, by, self.secret.hint())
        };
        Ok((self.secret, NewToken { token, secret: self.stored }))
    }

    /// Stores a token that takes over from none, in a change that said it makes one.
    pub(crate) async fn store(change: &mut Change<'_>, new: &NewToken) -> Result<(), TokenError> {
        let token = &new.token;
        change.check_not_superseded()?;
        change.check_present()?;
        govern_actor(&change.context(), change.terms(), token)?;
        within_cap(change, token).await?;
        change.touch(Touched::Created(token.id));
        change.tx.insert_token(new).await?;
        let event = created(change, token);
        Ok(change.record(event).await?)
    }

    /// Stores a token that takes over from another; when that one dies.
    pub(crate) async fn supersede(
        change: &mut Change<'_>,
        old: Token,
        mut new: NewToken,
        grace: Span,
    ) -> Result<Timestamp, TokenError> {
        new.token.rotated_from = Some(old.id);
        let rotation = Rotation { old, new, grace, mode: GraceMode::Fixed, idempotency: None };
        let (_, facts) = rotation.run(change).await?;
        Ok(facts.superseded.map_or(change.now, |superseded| superseded.grace_ends_at))
    }
}
