//! How records are asked for, changed and logged, beside the records themselves ([`token_domain::record`]). Rows of the database
//! never leave this crate.

mod executions;
mod imports;
mod leaks;
mod mail;
mod nodes;
mod notices;
mod projects;
mod standing;
mod tokens;
mod webhooks;

pub use executions::{ExecutionFilter, ExecutionKey};
pub use imports::ImportedToken;
pub use leaks::LeakAlert;
pub use mail::{PasswordReset, QueuedMail};
pub use nodes::{
    Consistency, InvalidLogPlace, LogMark, LogPlace, NodeRecord, Poll, PollAnswer, RegisteredNode, SHARDS,
};
pub use notices::{AddressNotice, Muted};
pub use projects::{AccessScopeEdit, ActorEdit, ActorFilter, Change, Listing, Page, ProjectContents, ScopedTo};
pub use standing::{Credential, Hold, Opened, Opening, Standing};
use token_domain::Timestamp;
use token_domain::access::{Description, Direction, ExternalId, Metadata};
use token_domain::id::{OrganizationId, ProjectId, TokenId};
use token_domain::record::Principal;
use token_domain::text::{AgentType, Name};
use token_domain::token::{Kind, RevokeReason};
use token_domain::usage::{Hour, UseCounts};
pub use tokens::{Narrowing, OwnerFilter, StatusCounts};
pub use webhooks::{AttemptEnd, ClaimedWebhook, DeliveryAttempt, DueDelivery, NewDelivery, WebhookSecrets};

/// Which tokens to list. All conditions hold together.
#[derive(Clone, Debug)]
pub struct TokenFilter {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Whose.
    pub owner: OwnerFilter,
    /// Only tokens bound to this project.
    pub project_id: Option<ProjectId>,
    /// Only tokens whose derived status at `now` is this one.
    pub status: Option<token_domain::token::Status>,
    /// Only tokens whose name contains this, without regard to ASCII case. Taken literally, no wildcards.
    pub name_contains: Option<String>,
    /// What else is asked of them.
    pub narrowed: Narrowing,
    /// The moment statuses are derived for.
    pub now: Timestamp,
    /// Only tokens made before this one (newest first): a keyset cursor.
    pub after: Option<(Timestamp, TokenId)>,
    /// Only this token and those made after it: how far a search goes, by
    /// [`search_end_of_tokens`](crate::Reads::search_end_of_tokens).
    pub until: Option<(Timestamp, TokenId)>,
    /// At most this many.
    pub limit: u32,
}

/// How many rows a search looks at before it says how far it came: some 10 ms on SQLite. No index finds parts of names, nor
/// every combination of conditions. One of the pieces of names would cost every new token a dozen entries, and answer for
/// all organisations together what is asked for one.
pub const SEARCHED_ROWS: u32 = 10_000;

impl TokenFilter {
    /// Whether no index leads to the tokens asked for, so that all of the owner's may have to be looked at for one page.
    pub fn is_search(&self) -> bool {
        let Narrowing { text, scope, created_by, agent_type, external_id, unused_since, expires_before, revoked_after } =
            &self.narrowed;
        let is_narrowed = text.is_some()
            || scope.is_some()
            || created_by.is_some()
            || agent_type.is_some()
            || unused_since.is_some()
            || expires_before.is_some()
            || revoked_after.is_some();
        // An actor has few, and a holder.
        let has_few = matches!(self.owner, OwnerFilter::Actor(_)) || external_id.is_some();
        // Most tokens are active: an index of those would be written with every token.
        let is_common = self.status == Some(token_domain::token::Status::Active);
        let has_index = self.status.is_none() && self.owner == OwnerFilter::Kind(Kind::Organization);
        !has_few
            && (self.name_contains.is_some() || is_narrowed || is_common || (self.project_id.is_some() && !has_index))
    }
}

/// A change to what is shown of a token.
#[derive(Clone, Debug, Default)]
pub struct TokenEdit {
    /// A new name.
    pub name: Option<Name>,
    /// A new label.
    pub agent_type: Option<AgentType>,
    /// Its description.
    pub description: Change<Description>,
    /// Its holder in another system.
    pub external_id: Change<ExternalId>,
    /// Its notes.
    pub metadata: Change<Metadata>,
}

impl TokenEdit {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        // Taken apart, so that a new field has to be named here.
        let Self { name, agent_type, description, external_id, metadata } = self;
        name.is_none()
            && agent_type.is_none()
            && *description == Change::Keep
            && *external_id == Change::Keep
            && *metadata == Change::Keep
    }
}

/// A use of a token to be written down by the next flush.
#[derive(Clone, Copy, Debug)]
pub struct TokenUse {
    /// Which token.
    pub token_id: TokenId,
    /// When it last validated; an earlier value never replaces a later one.
    pub last_used_at: Timestamp,
}

/// Uses of a token to be added to those of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCount {
    /// Which token.
    pub token_id: TokenId,
    /// Which hour.
    pub hour: Hour,
    /// How many more.
    pub counts: UseCounts,
}

/// A remembered create or rotate, so that a retry does not mint a second token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose key it is.
    pub organization_id: OrganizationId,
    /// Who sent it: two callers may use the same key.
    pub principal: Principal,
    /// What was asked: `tokens.create`, `tokens.rotate:<id>`, ….
    pub operation: String,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the request, so that a key used for something else is noticed. Opaque here.
    pub request_digest: [u8; 32],
    /// What was made.
    pub token_id: TokenId,
    /// When.
    pub created_at: Timestamp,
}

/// Which events of a trail to list. All conditions hold together.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// Whose trail; nothing for the deployment's own.
    pub organization_id: Option<OrganizationId>,
    /// Only this action.
    pub action: Option<String>,
    /// Only by this principal.
    pub actor: Option<Principal>,
    /// Only on what has this id.
    pub target_id: Option<String>,
    /// Only at this moment or later.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Oldest first, or newest first.
    pub direction: Direction,
    /// Only what comes after the event of this number, in that direction.
    pub after: Option<i64>,
    /// Only up to the event of this number, in that direction: how far a search goes, by
    /// [`search_end_of_audit`](crate::Reads::search_end_of_audit).
    pub up_to: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

impl AuditFilter {
    /// Whether events are asked for by more than one condition: an index serves one of them, and the events it leads to
    /// are looked at one by one for the others.
    pub fn is_search(&self) -> bool {
        let conditions = [self.action.is_some(), self.actor.is_some(), self.target_id.is_some()];
        conditions.into_iter().filter(|asked| *asked).count() > 1
    }

    /// Every event of a trail behind the event of this number, in order: the chain as it is.
    pub const fn chain(organization_id: Option<OrganizationId>, after: i64, limit: u32) -> Self {
        Self {
            organization_id,
            action: None,
            actor: None,
            target_id: None,
            from: None,
            until: None,
            direction: Direction::Ascending,
            after: Some(after),
            up_to: None,
            limit,
        }
    }
}

/// What a logged change touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// One token.
    Token(TokenId),
    /// Everything of an organisation.
    Organization(OrganizationId),
    /// A token was made: a node that remembers it as unknown must forget that.
    Created(TokenId),
}

/// An entry of the ordered log of changes that take rights away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place: within a shard, order of `seq` is order of commit.
    pub place: LogPlace,
    /// What it touches.
    pub touched: Touched,
    /// When, by the clock of the node that wrote it.
    pub at: Timestamp,
}

/// The reason a revocation is recorded with, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevokeReason,
    /// By whom.
    pub by: Principal,
}
