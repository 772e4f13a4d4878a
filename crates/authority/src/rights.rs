//! What a credential may do at a moment, from what the store knows of it: the same judgement where a request comes in and,
//! under the locks of its change, where the request takes effect.
//!
//! **Invariant:** this module never reads the store. The caller decides how fresh the facts are.

use token_domain::decide::{Credential, Holder, Verdict, decide_used};
use token_domain::id::{OrganizationId, ProjectId, TokenId};
use token_domain::person::PersonStanding;
use token_domain::policy::Idle;
use token_domain::record::{Candidate, OwnerState, SessionStanding};
use token_domain::scope::Grants;
use token_domain::tenant::{AccessScopeStanding, ActorStanding};
use token_domain::token::{Status, TokenFacts};
use token_domain::{Requirement, ScopeSet, Span, Timestamp};

use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Admission, Caller, Proven, Via};
use crate::standing::is_welcome;

/// Why a request that was let in is refused where its change is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The credential counts no more: revoked, expired, signed out, its person removed or switched off.
    #[error("the credential is not valid any more")]
    Gone,
    /// The credential is still valid but no longer has these scopes.
    #[error("the caller lacks {}", .0.join(", "))]
    Lacks(Vec<String>),
    /// The organisation asks for a second factor that the person does not have.
    #[error("a second factor is required")]
    SecondFactorRequired,
    /// Passwords, addresses and second factors can be changed only by a session whose person recently confirmed their presence.
    #[error("a recent proof is needed")]
    ProofNeeded,
    /// The session was made by the identity provider of its organisation, which does not speak for the person anywhere else: not
    /// about other organisations, and not about the password, address and second factor that open all of them.
    #[error("the session counts for its organisation alone")]
    OfProvider,
    /// The token was rotated: it works until its grace ends, but must not create anything that outlives it.
    #[error("the token was superseded")]
    Superseded,
}

/// The caller that a session makes, if it counts at that moment.
pub(crate) fn session_caller(
    context: &Context,
    found: &SessionStanding,
    now: Timestamp,
) -> Result<Option<Caller>, Failure> {
    let SessionStanding { session, standing } = found;
    let organization = &standing.organization.slug;
    let is_trusted = match &session.provider {
        Some(provider) => context.policy.trusts(provider, organization),
        // One by a password from before the organisation required its identity provider, or of an owner who is none any more,
        // counts no longer. The word of a front end goes on: the operator decided with its token what it is worth.
        None => session.proven_at.is_none() || !context.policy.asks_for_sso(standing.role, organization),
    };
    if session.expires_at <= now || !is_welcome(standing) || !is_trusted {
        return Ok(None);
    }
    let proven = if session.provider.is_some() { Proven::AtProvider } else { Proven::Here };
    Ok(Some(Caller {
        organization_id: session.organization_id,
        via: Via::Session { session_id: session.id, user_id: session.user_id, proven },
        effective: context.ceiling(standing.role, standing.custom_scopes.as_deref())?,
        admission: Admission::default(),
    }))
}

/// The caller that a token makes, if it counts at that moment.
pub(crate) fn token_caller(
    credential: &Credential,
    bound_to: Option<ProjectId>,
    last_used: Option<Timestamp>,
    now: Timestamp,
) -> Option<(Caller, Status)> {
    // Nothing is required, so nothing can be insufficient.
    let Verdict::Allowed { effective, status } = decide_used(credential, last_used, &Requirement::NOTHING, now) else {
        return None;
    };
    let (user_id, project_id, boundary) = match &credential.holder {
        Holder::Organization => (None, bound_to, None),
        Holder::Person(person) => (Some(person.user_id), bound_to, None),
        Holder::Actor(actor) => (None, Some(actor.project_id), actor.access_scope.as_ref().map(|scope| scope.id)),
    };
    let ends_at = credential.facts.dies_at();
    let via = Via::Token { token_id: credential.token_id, user_id, project_id, boundary, ends_at };
    let admission = Admission::default();
    Some((Caller { organization_id: credential.organization_id, via, effective, admission }, status))
}

/// The stored columns that decide what a token may do, from its row or from an entry of the shared cache.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) token_id: TokenId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) organization_disabled_at: Option<Timestamp>,
    pub(crate) facts: TokenFacts,
    pub(crate) scopes: &'a [String],
    pub(crate) owner: &'a OwnerState,
    pub(crate) idle_after: Option<Span>,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl<'a> From<&'a Candidate> for Stored<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        let token = &candidate.token;
        Self {
            token_id: token.id,
            organization_id: token.organization_id,
            organization_disabled_at: candidate.organization_disabled_at,
            facts: token.facts,
            scopes: &token.scopes,
            owner: &candidate.owner,
            idle_after: candidate.idle_after,
            last_used_at: token.last_used_at,
        }
    }
}

/// Builds the credential of a token from its stored columns.
pub(crate) fn credential(context: &Context, stored: Stored<'_>, grants: &Grants) -> Result<Credential, Failure> {
    let Stored { token_id, facts, .. } = stored;
    Ok(Credential {
        token_id,
        organization_id: stored.organization_id,
        organization_disabled_at: stored.organization_disabled_at,
        facts,
        granted: grants.effective(),
        holder: holder(context, stored.owner)?,
        idle: stored.idle_after.map(|after| Idle {
            after,
            // Some of its uses may not be written down yet.
            since: stored
                .last_used_at
                .max(context.uses.last_used(token_id))
                .map_or(facts.created_at, |used| used.max(facts.created_at)),
        }),
    })
}

/// The scopes a token was granted, which the catalogue must know.
pub(crate) fn grants(context: &Context, stored: Stored<'_>) -> Result<Grants, Failure> {
    let granted = context.catalogue.restore(stored.scopes);
    granted.map_err(|error| Failure::Inconsistent(format!("token {} cannot be read: {error}", stored.token_id)))
}

/// As [`token_caller`], from a token's stored row.
pub(crate) fn candidate_caller(
    context: &Context,
    candidate: &Candidate,
    now: Timestamp,
) -> Result<Option<(Caller, Status)>, Failure> {
    let stored = Stored::from(candidate);
    let credential = credential(context, stored, &grants(context, stored)?)?;
    Ok(token_caller(&credential, candidate.token.project_id, None, now))
}

/// Refuses a caller who no longer has the scopes that the request was admitted with.
pub(crate) fn check(context: &Context, admission: &Admission, effective: ScopeSet) -> Result<(), Refused> {
    admission
        .requirement
        .check(&effective)
        .map_err(|missing| Refused::Lacks(context.catalogue.names(missing.0).into_iter().map(str::to_owned).collect()))
}

fn holder(context: &Context, owner: &OwnerState) -> Result<Holder, Failure> {
    Ok(match owner {
        OwnerState::Organization => Holder::Organization,
        OwnerState::Person { user_id, disabled_at, role, custom_scopes } => Holder::Person(PersonStanding {
            user_id: *user_id,
            disabled_at: *disabled_at,
            ceiling: role.map(|role| context.ceiling(role, custom_scopes.as_deref())).transpose()?,
        }),
        OwnerState::Actor { actor_id, project_id, disabled_at, expires_at, access_scope } => {
            Holder::Actor(ActorStanding {
                actor_id: *actor_id,
                project_id: *project_id,
                disabled_at: *disabled_at,
                expires_at: *expires_at,
                access_scope: access_scope.as_ref().map(|(id, slug, active)| AccessScopeStanding {
                    id: *id,
                    slug: slug.clone(),
                    active: *active,
                }),
            })
        }
    })
}
