//! A token, whose it is, and what it is judged by.
//!
//! A new field of a token begins in [`Token::new`] as it is when nobody chose it, and in [`Token::successor`] as a rotation
//! treats it.

use crate::access::{Description, ExternalId, Metadata};
use crate::id::{AccessScopeId, ActorId, OrganizationId, ProjectId, TokenId, UserId};
use crate::person::RoleRef;
use crate::text::{AgentType, Name, Slug};
use crate::token::{AllowedNetworks, Explanation, Kind, TokenFacts};
use crate::{Span, Timestamp};
use token_format::Hint;

use super::Principal;

/// What is kept of a token's secret, by which a presented one is proven: opaque here, and never part of a [`Token`].
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// The slow or fast hash, as text that names its scheme.
    pub secret_hash: String,
    /// Finds the row, proves nothing.
    pub lookup_hint: i64,
    /// Key id and keyed digest; nothing when it has to be made again.
    pub verify_tag: Option<Vec<u8>>,
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").finish_non_exhaustive()
    }
}

/// A token, as issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Its organisation.
    pub organization_id: OrganizationId,
    /// Whose it is.
    pub owner: TokenOwner,
    /// Shown to people; need not be unique.
    pub name: Name,
    /// A label without effect.
    pub agent_type: AgentType,
    /// What is shown of its secret.
    pub hint: Hint,
    /// The scopes as listed, in order.
    pub scopes: Vec<String>,
    /// The project it is bound to, if any. An actor's token always has its actor's.
    pub project_id: Option<ProjectId>,
    /// What its status follows from.
    pub facts: TokenFacts,
    /// The whole span it was made for, when its expiry was chosen as a span.
    pub lifetime: Option<Span>,
    /// Who made it.
    pub created_by: Principal,
    /// Who revoked it.
    pub revoked_by: Option<Principal>,
    /// The token it was rotated from.
    pub rotated_from: Option<TokenId>,
    /// When it first validated, recorded only for a successor in first-use mode.
    pub first_used_at: Option<Timestamp>,
    /// When it last validated, up to ten seconds behind.
    pub last_used_at: Option<Timestamp>,
    /// When it was first presented after its grace was over.
    pub reuse_detected_at: Option<Timestamp>,
    /// What its makers say about it.
    pub details: TokenDetails,
    /// What was said about its revocation.
    pub explanation: Explanation,
    /// Where it was used from lately, the last first. Read apart from the token, where it is shown; else empty.
    pub used_from: Vec<TokenOrigin>,
}

/// An address that a token was used from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrigin {
    /// Which token.
    pub token_id: TokenId,
    /// From where, without a port.
    pub address: String,
    /// What the client called itself, if that is known.
    pub agent: Option<String>,
    /// When it was first used from there, as long as the address has been among the last five.
    pub first_used_at: Timestamp,
    /// When it was last used from there, to the minute.
    pub last_used_at: Timestamp,
}

/// A scope that a token was asked for and had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeUse {
    /// Which token.
    pub token_id: TokenId,
    /// The scope that was asked for.
    pub scope: String,
    /// When it last was, to the hour.
    pub last_used_at: Timestamp,
}

/// A token about to be stored, with what will prove its secret.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The token.
    pub token: Token,
    /// What proves it.
    pub secret: StoredSecret,
}

/// Whose token it is, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// The organisation itself.
    Organization,
    /// A person in it.
    Person(UserId),
    /// An actor of one of its projects.
    Actor(ActorId),
}

impl TokenOwner {
    /// The kind of token this owner has.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Organization => Kind::Organization,
            Self::Person(_) => Kind::Personal,
            Self::Actor(_) => Kind::Actor,
        }
    }
}

/// A token with everything that bears on what it may do, read in one statement.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The token.
    pub token: Token,
    /// What proves it.
    pub secret: StoredSecret,
    /// Set while its organisation is switched off.
    pub organization_disabled_at: Option<Timestamp>,
    /// The state of its owner.
    pub owner: OwnerState,
    /// Facts of the token that names this one as its successor, when that rotation is in first-use mode and this
    /// token has not been used: the first use must be recorded.
    pub first_use_pending: bool,
    /// How long a token of its kind may go unused in its organisation; nothing for as long as may be.
    pub idle_after: Option<Span>,
}

/// The state of a token's owner at the moment of the read.
#[derive(Clone, Debug)]
pub enum OwnerState {
    /// The organisation itself.
    Organization,
    /// A person.
    Person {
        /// Who.
        user_id: UserId,
        /// Set while they are switched off, everywhere or in the organisation.
        disabled_at: Option<Timestamp>,
        /// Their role now; nothing when they are no longer a member.
        role: Option<RoleRef>,
        /// The scopes of a custom role.
        custom_scopes: Option<Vec<String>>,
    },
    /// An actor.
    Actor {
        /// Which.
        actor_id: ActorId,
        /// Its project.
        project_id: ProjectId,
        /// Set while it is switched off.
        disabled_at: Option<Timestamp>,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// Its tenant boundary: id, slug, whether active.
        access_scope: Option<(AccessScopeId, Slug, bool)>,
    },
}

/// What a token's makers say about it. Carried over by a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenDetails {
    /// What it is for, in words.
    pub description: Option<Description>,
    /// Its holder in the caller's own system.
    pub external_id: Option<ExternalId>,
    /// What a gateway wants to know about the holder.
    pub metadata: Option<Metadata>,
    /// Where it may be used from; nothing for anywhere.
    pub allowed_networks: Option<AllowedNetworks>,
}

impl Token {
    /// A token that carries no scope, is bound to nothing and was never used.
    pub fn new(
        id: TokenId,
        organization_id: OrganizationId,
        owner: TokenOwner,
        name: Name,
        facts: TokenFacts,
        created_by: Principal,
        hint: Hint,
    ) -> Self {
        Self {
            id,
            organization_id,
            owner,
            name,
            agent_type: AgentType::none(),
            hint,
            scopes: Vec::new(),
            project_id: None,
            facts,
            lifetime: None,
            created_by,
            revoked_by: None,
            rotated_from: None,
            first_used_at: None,
            last_used_at: None,
            reuse_detected_at: None,
            details: TokenDetails::default(),
            explanation: Explanation::default(),
            used_from: Vec::new(),
        }
    }

    /// The token that replaces this one: it may do the same, for the same owner, and was never used.
    #[must_use]
    pub fn successor(&self, id: TokenId, facts: TokenFacts, created_by: Principal, hint: Hint) -> Self {
        Self {
            agent_type: self.agent_type.clone(),
            scopes: self.scopes.clone(),
            project_id: self.project_id,
            lifetime: self.lifetime,
            rotated_from: Some(self.id),
            details: self.details.clone(),
            ..Self::new(id, self.organization_id, self.owner, self.name.clone(), facts, created_by, hint)
        }
    }
}
