//! What tokens are found by.

use token_domain::Timestamp;
use token_domain::access::ExternalId;
use token_domain::id::{ActorId, UserId};
use token_domain::record::{Principal, TokenOwner};
use token_domain::text::AgentType;
use token_domain::token::Kind;

/// Whose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerFilter {
    /// All of a kind.
    Kind(Kind),
    /// One person's keys.
    Person(UserId),
    /// One actor's.
    Actor(ActorId),
}

impl From<TokenOwner> for OwnerFilter {
    fn from(owner: TokenOwner) -> Self {
        match owner {
            TokenOwner::Organization => Self::Kind(Kind::Organization),
            TokenOwner::Person(user) => Self::Person(user),
            TokenOwner::Actor(actor) => Self::Actor(actor),
        }
    }
}

/// Further conditions of a list of tokens, all of which hold together. What is not set is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// In the name, the description, the holder's id or the display hint, without regard to ASCII case; or the whole id.
    pub text: Option<String>,
    /// A scope that they carry by this very name.
    pub scope: Option<String>,
    /// Who made them.
    pub created_by: Option<Principal>,
    /// Their label.
    pub agent_type: Option<AgentType>,
    /// Their holder in the caller's own system.
    pub external_id: Option<ExternalId>,
    /// Not used since, and made before.
    pub unused_since: Option<Timestamp>,
    /// They end by themselves before this.
    pub expires_before: Option<Timestamp>,
    /// They were revoked, or their grace ended, after this.
    pub revoked_after: Option<Timestamp>,
}

/// How many tokens have each status at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Good, and not superseded.
    pub active: u64,
    /// Good, with a successor.
    pub rotating: u64,
    /// Past their expiry.
    pub expired: u64,
    /// Revoked, or past their grace.
    pub revoked: u64,
}
