//! What the repositories take and give: plain records in domain types. Rows of the database never leave this crate.

mod executions;
mod new_token;
mod nodes;
mod people;
mod policies;
mod projects;
mod standing;
mod tokens;
mod trust;

pub use executions::{Baseline, Execution, ExecutionFilter, ExecutionKey, Repository};
pub use nodes::{Consistency, InvalidLogPlace, LogPlace, NodeRecord, Poll, PollAnswer, RegisteredNode, SHARDS};
pub use people::{Home, Invitation, Invited, Member};
pub use policies::{StoredRule, TokenTerms};
pub use projects::{
    AccessScope, AccessScopeEdit, Actor, ActorEdit, ActorFilter, Change, Listing, Page, Project, ProjectContents,
    ScopedTo,
};
pub use standing::{Credential, Hold, Opened, Opening, Standing};
use token_domain::access::{Description, Direction, ExternalId, Metadata};
use token_domain::id::{
    AccessScopeId, ActorId, OrganizationId, ProjectId, RoleId, SessionId, TokenId, TrustPolicyId, UserId,
};
use token_domain::person::{RoleRef, SecondFactorRule};
use token_domain::text::{AgentType, Email, Name, Slug};
use token_domain::token::{Explanation, Kind, RevokeReason, TokenFacts};
use token_domain::usage::{Hour, UseCounts};
use token_domain::{Span, Timestamp};
pub use tokens::{Narrowing, OwnerFilter, StatusCounts, TokenDetails};
pub use trust::{TrustAttempt, TrustOutcome, TrustPolicy};

/// Who did something, as stored in `created_by`, `revoked_by` and the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A signed-in person.
    User(UserId),
    /// A token.
    Token(TokenId),
    /// A trust policy, under which a workload exchanged its identity token.
    Policy(TrustPolicyId),
    /// A front end that holds the service token.
    Service,
    /// The set-up of the deployment, or the process itself.
    System,
    /// Nobody who proved who they are.
    Anonymous,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Unique in the deployment.
    pub slug: Slug,
    /// Shown to people.
    pub name: Name,
    /// Set while it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// The most live tokens it may have; nothing means no cap.
    pub token_cap: Option<u32>,
    /// Whether its people need a second factor.
    pub second_factor: SecondFactorRule,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Unique in the deployment without regard to case.
    pub email: Email,
    /// Shown to others.
    pub name: Name,
    /// The PHC string of their password; nothing when they cannot sign in with one. Opaque here.
    pub password_hash: Option<String>,
    /// Since when and for whom the address counts; nothing while nobody has verified it.
    pub verified: Option<Verified>,
    /// An address that they asked for and nobody verified: it counts for nothing, and others may ask for the same.
    pub pending_email: Option<Email>,
    /// Set while they are switched off.
    pub disabled_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// That an address is its person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Since when.
    pub at: Timestamp,
    /// Who vouches for it: an organisation, whose invitation was accepted with it and which vouches for itself alone; nothing
    /// stands for whoever operates the deployment.
    pub by: Option<OrganizationId>,
}

impl User {
    /// Whether the address stands for the person in an organisation: somebody verified it for all, or for that one.
    pub fn has_address_in(&self, organization: OrganizationId) -> bool {
        self.verified.is_some_and(|verified| verified.by.is_none_or(|by| by == organization))
    }
}

/// A person's place in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organization_id: OrganizationId,
    /// The person.
    pub user_id: UserId,
    /// What they are there.
    pub role: RoleRef,
    /// Set while they are switched off there.
    pub disabled_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A role an organisation made for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its id.
    pub id: RoleId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Unique in the organisation without regard to case.
    pub name: Name,
    /// The scopes it names, in order.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A membership with everything that decides what the person may do in the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipStanding {
    /// The organisation.
    pub organization: Organization,
    /// The person.
    pub user: User,
    /// What they are there.
    pub role: RoleRef,
    /// The scopes of a custom role; nothing for a built-in one.
    pub custom_scopes: Option<Vec<String>>,
    /// The name of a custom role; nothing for a built-in one.
    pub custom_name: Option<Name>,
    /// Set while they are switched off there.
    pub disabled_at: Option<Timestamp>,
    /// Since when they have been a member.
    pub joined_at: Timestamp,
    /// Since when the person has a second factor that counts.
    pub second_factor_since: Option<Timestamp>,
}

impl MembershipStanding {
    /// Whether the organisation asks for a second factor that the person does not have: they may set one up, and nothing
    /// else.
    pub const fn lacks_second_factor(&self) -> bool {
        self.organization.second_factor.is_required() && self.second_factor_since.is_none()
    }
}

/// A person's second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user_id: UserId,
    /// Its secret, sealed. Opaque here.
    pub sealed_secret: Vec<u8>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When a first code proved it; nothing until then, and it does not count.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("user_id", &self.user_id)
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

/// A signed-in session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The person.
    pub user_id: UserId,
    /// The one organisation it is for.
    pub organization_id: OrganizationId,
    /// SHA-256 of the session token. Opaque here.
    pub token_digest: [u8; 32],
    /// What the client calls itself, cut to 200 characters; for the list of sessions.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When its person last proved by password or second factor to be at it; nothing where a front end vouched for them.
    pub proven_at: Option<Timestamp>,
}

/// A session with everything that decides whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStanding {
    /// The session.
    pub session: Session,
    /// The person's place in the session's organisation (a session cannot outlive the membership).
    pub standing: MembershipStanding,
}

/// How a token's secret is stored: opaque here.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// The first four characters of the body, for display.
    pub hint: String,
    /// The slow or fast hash, as text that names its scheme.
    pub secret_hash: String,
    /// Finds the row, proves nothing.
    pub lookup_hint: i64,
    /// Key id and keyed digest; nothing when it has to be made again.
    pub verify_tag: Option<Vec<u8>>,
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").field("hint", &self.hint).finish_non_exhaustive()
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
    /// Who killed it.
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
    /// Its secret, at rest.
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
        self.name.is_none()
            && self.agent_type.is_none()
            && self.description == Change::Keep
            && self.external_id == Change::Keep
            && self.metadata == Change::Keep
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

/// The end of a trail's hash chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of the last event; zero for an empty trail.
    pub seq: i64,
    /// Its hash; zeros for an empty trail.
    pub hash: [u8; 32],
    /// Its time; 1970 for an empty trail. The next event is not earlier.
    pub at: Timestamp,
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

/// An audit event in its place in the chain, exactly as stored: nothing in it is interpreted, so that an event somebody
/// tampered with can still be read and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number in its trail, from 1, without gaps.
    pub seq: i64,
    /// The organisation; nothing for the deployment's own trail.
    pub organization_id: Option<OrganizationId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// By whom, as [`Principal`] is shown.
    pub actor: String,
    /// On what kind of thing.
    pub target_kind: String,
    /// On which.
    pub target_id: String,
    /// With which request.
    pub request_id: String,
    /// More, a JSON object.
    pub detail: String,
    /// The hash of the event before it.
    pub prev_hash: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
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

/// The reason a kill is recorded with, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevokeReason,
    /// By whom.
    pub by: Principal,
}
