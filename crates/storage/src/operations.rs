//! Every operation of the store, listed once: its signature, what it promises, and where its body is.
//!
//! The list makes a method of [`Tx`] of each, and of [`Reads`] of those that read with a single statement. To add one,
//! write the function in `repo` and a line here, and say what it is `queued for` if that is locked first. Those that a
//! unit of work begins and ends with are in [`frame`](crate::frame).
//!
//! Reads are of two kinds. What is listed under `reads` looks at a few rows, found by a key or an index, and is done at once
//! where the caller stands. What is listed under `scans` may look at more than a few hundred: it goes through a lane with
//! connections of its own, few at a time, so that nothing else waits for it. What a scan borrows is copied
//! (`lent`, or `maybe` for an option of it) because on SQLite it goes to another thread; the rest is `given`.
//!
//! Common rules: `Ok(None)`, `Ok(false)` or an empty list is "not there" or "not in that state"; what belongs to another
//! organisation is not there. Moments are arguments; the database's clock is never asked. After an error a unit of work
//! accepts no further operation and is rolled back.

use crate::backend::postgresql::Queue;
use crate::backend::{postgresql, sqlite};
use crate::error::StoreError;
use crate::model::{
    AccessScopeEdit, ActorEdit, ActorFilter, AddressNotice, AuditFilter, ClaimedWebhook, DeliveryAttempt, DueDelivery,
    ExecutionFilter, ExecutionKey, Hold, IdempotencyRecord, ImportedToken, LeakAlert, Listing, LogPlace, Muted,
    NewDelivery, Page, PasswordReset, ProjectContents, QueuedMail, RegisteredNode, Revocation, StatusCounts,
    TokenCount, TokenEdit, TokenFilter, TokenUse, WebhookSecrets,
};
use crate::unit::{Reads, ReadsSide, Tx, TxSide};
use futures::executor::block_on;
use futures::future::{BoxFuture, join};
use token_domain::Timestamp;
use token_domain::execution::{BranchName, Coverage, RepositoryName};
use token_domain::id::{
    AccessScopeId, ActorId, DeliveryId, ExecutionId, InvitationId, MailId, OrganizationId, ProjectId, RepositoryId,
    RoleId, SessionId, TokenId, TrustPolicyId, UserId, WebhookId,
};
use token_domain::leak::{LeakAction, LeakSource};
use token_domain::person::{RoleRef, SecondFactorRule};
use token_domain::record::{
    AccessScope, Account, Actor, AuditHead, AuditRecord, Baseline, Candidate, CustomRole, Execution, Hint, Home,
    Identity, Invitation, Invited, Member, Membership, MembershipStanding, Organization, Principal, Project,
    Repository, ScopeUse, SecondFactor, Session, SessionStanding, SessionUse, StoredRule, StoredSecret, Token,
    TokenLeak, TokenOrigin, TokenOwner, TokenTerms, TrustAttempt, TrustPolicy, User, Verified, Webhook,
    WebhookDelivery,
};
use token_domain::text::{Email, Name, Slug};
use token_domain::token::{Explanation, GraceMode, Kind};
use token_domain::usage::{Hour, UsageHour};

/// An operation under way, for as long as what it was given lives.
///
/// Boxed where it is defined: the code of a bare `async fn` is made by the crate that waits for it, so that the code of all
/// statements was made in every crate above, and made anew with every edit there.
pub type Operation<'o, T> = BoxFuture<'o, Result<T, StoreError>>;

/// The type of a parameter of a scan.
macro_rules! parameter {
    (given $type:ty) => {
        $type
    };
    (lent $type:ty) => {
        &'o $type
    };
    (maybe $type:ty) => {
        Option<&'o $type>
    };
}

/// An argument of a scan as it goes to another thread.
macro_rules! carried {
    (given $arg:ident) => {
        $arg
    };
    (lent $arg:ident) => {
        $arg.to_owned()
    };
    (maybe $arg:ident) => {
        $arg.cloned()
    };
}

/// An argument of a scan as it is lent there.
macro_rules! lent {
    (given $arg:ident) => {
        $arg
    };
    (lent $arg:ident) => {
        &$arg
    };
    (maybe $arg:ident) => {
        $arg.as_ref()
    };
}

macro_rules! operations {
    (
        reads { $($(#[$read_doc:meta])* $read_in:ident::$read:ident($($read_arg:ident: $read_type:ty),*) -> $read_out:ty;)+ }
        scans { $($(#[$scan_doc:meta])* $scan_in:ident::$scan:ident($($scan_arg:ident: $how:ident $scan_type:ty),*) -> $scan_out:ty;)+ }
        writes { $($(#[$write_doc:meta])* $write_in:ident::$write:ident($($arg:ident: $type:ty),*) -> $out:ty $(, queued for $queue:expr)?;)+ }
    ) => {
        #[expect(clippy::elidable_lifetime_names, reason = "some of the listed operations borrow what they are given")]
        impl Reads {
            $(
                $(#[$read_doc])*
                pub fn $read<'o>(&'o mut self, $($read_arg: $read_type),*) -> Operation<'o, $read_out> {
                    Box::pin(async move { match &mut self.0 {
                        ReadsSide::Sqlite(connection, _) => {
                            sqlite::repo::$read_in::$read(connection, $($read_arg),*).await
                        }
                        ReadsSide::PostgreSql(reader, _) => {
                            operations!(twice reader, postgresql::repo::$read_in::$read($($read_arg),*))
                        }
                    } })
                }
            )+
            $(
                $(#[$scan_doc])*
                pub fn $scan<'o>(&'o mut self, $($scan_arg: parameter!($how $scan_type)),*) -> Operation<'o, $scan_out> {
                    Box::pin(async move { match &mut self.0 {
                        ReadsSide::Sqlite(_, lane) => {
                            $(let $scan_arg = carried!($how $scan_arg);)*
                            let read = lane.run(move |connection| {
                                block_on(sqlite::repo::$scan_in::$scan(connection, $(lent!($how $scan_arg)),*))
                            });
                            read.await
                        }
                        ReadsSide::PostgreSql(_, lane) => {
                            let mut turn = lane.turn().await?;
                            let reader = &mut turn.reader;
                            operations!(twice reader, postgresql::repo::$scan_in::$scan($($scan_arg),*))
                        }
                    } })
                }
            )+
        }

        #[expect(clippy::elidable_lifetime_names, reason = "some of the listed operations borrow what they are given")]
        impl Tx {
            $(operations! { in_tx $(#[$read_doc])* $read_in::$read($($read_arg: $read_type),*) -> $read_out })+
            $(operations! { in_tx $(#[$scan_doc])* $scan_in::$scan($($scan_arg: parameter!($how $scan_type)),*) -> $scan_out })+
            $(operations! { in_tx $(#[$write_doc])* $write_in::$write($($arg: $type),*) -> $out $(, queued for $queue)? })+
        }
    };
    (twice $reader:ident, postgresql::repo::$module:ident::$name:ident($($arg:ident),*)) => {{
        let connection = $reader.connection();
        let mut shared = &connection.connection;
        let read = postgresql::repo::$module::$name(&mut shared, $($arg),*);
        match $reader.bounded(read).await {
            Err(error) if error.is_lost_connection() => {
                $reader.renew().await?;
                let connection = $reader.connection();
                let mut shared = &connection.connection;
                let again = postgresql::repo::$module::$name(&mut shared, $($arg),*);
                $reader.bounded(again).await
            }
            result => result,
        }
    }};
    (in_tx $(#[$doc:meta])* $module:ident::$name:ident($($arg:ident: $type:ty),*) -> $out:ty $(, queued for $queue:expr)?) => {
        $(#[$doc])*
        #[expect(clippy::allow_attributes, reason = "only some of the listed operations have many arguments")]
        #[allow(clippy::too_many_arguments, reason = "the columns of one rotation, each of its own type")]
        pub fn $name<'o>(&'o mut self, $($arg: $type),*) -> Operation<'o, $out> {
            Box::pin(async move {
                self.begin()?;
                let result = match &mut self.side {
                    TxSide::Sqlite(connection) => sqlite::repo::$module::$name(connection, $($arg),*).await,
                    TxSide::PostgreSql(transaction) => {
                        // Boxed, as it would otherwise lie beside SQLite's in every future that does one or the other.
                        let unit = &mut **transaction;
                        let answered = Box::pin(async move {
                            $(unit.queue($queue).await?;)?
                            let (before, mut connection) = unit.next().await?;
                            let this = postgresql::repo::$module::$name(&mut connection, $($arg),*);
                            let (before, this) = join(before, this).await;
                            before.and(this)
                        });
                        let answer = answered.await;
                        transaction.understood(answer)
                    }
                };
                self.note(&result);
                result
            })
        }
    };
}

operations! {
    reads {
        /// The organisation of that id.
        organizations::organization(id: OrganizationId) -> Option<Organization>;
        /// The organisation of that slug.
        organizations::organization_by_slug(slug: &'o Slug) -> Option<Organization>;
        /// The organisation that was made first, by set-up.
        organizations::first_made_organization() -> Option<OrganizationId>;
        /// How many organisations there are: none means that nothing was set up.
        organizations::count_organizations() -> i64;

        /// The person of that id.
        users::user(id: UserId) -> Option<User>;
        /// The person whose address has that key ([`Email::key`]).
        users::user_by_email_key(key: &'o str) -> Option<User>;
        /// A person by their id, with what proves their password.
        users::account(id: UserId) -> Option<Account>;
        /// A person by their address, with what proves their password.
        users::account_by_email_key(key: &'o str) -> Option<Account>;

        /// A person's place in an organisation, with all that decides what they may do there.
        memberships::membership_standing(organization: OrganizationId, user: UserId) -> Option<MembershipStanding>;
        /// The organisation a person joined first, of those that are switched on and have not switched the person off.
        memberships::first_organization(user: UserId) -> Option<OrganizationId>;
        /// Whether there is an organisation that both are members of.
        memberships::share_organization(one: UserId, other: UserId) -> bool;

        /// A person's second factor, confirmed or not.
        second_factors::second_factor(user: UserId) -> Option<SecondFactor>;
        /// How many people have a second factor, confirmed or not.
        second_factors::count_second_factors() -> i64;
        /// One of the sealed secrets of second factors, whichever.
        second_factors::some_sealed_secret() -> Option<Vec<u8>>;
        /// Whether somebody signed in from that device.
        devices::is_known_device(digest: &'o [u8; 32]) -> bool;
        /// Whether a person signed in from any.
        devices::has_devices(user: UserId) -> bool;
        /// How many recovery codes a person has left.
        second_factors::count_recovery_codes(user: UserId) -> i64;

        /// One of them.
        roles::role(organization: OrganizationId, id: RoleId) -> Option<CustomRole>;

        /// The invitation with that SHA-256, expired or not.
        invitations::invitation_by_digest(digest: &'o [u8; 32]) -> Option<Invitation>;
        /// The invitation whose mailed code has that SHA-256, expired or not.
        invitations::mailed_invitation(digest: &'o [u8; 32]) -> Option<Invitation>;
        /// What the code with that SHA-256, mailed to a person who forgot their password, is good for, expired or not.
        users::password_reset(digest: &'o [u8; 32]) -> Option<PasswordReset>;
        /// The person whom the organisation's identity provider knows by that subject.
        identities::identity(organization: OrganizationId, issuer: &'o str, subject: &'o str) -> Option<UserId>;
        /// Whether the organisation's identity provider knows the person.
        identities::has_identity(user: UserId, organization: OrganizationId, issuer: &'o str) -> bool;
        /// How many messages wait to be sent.
        mail::count_mail() -> i64;
        /// The invitation of the person whose address has that key ([`Email::key`]), expired or not.
        invitations::invitation_for(organization: OrganizationId, email_key: &'o str) -> Option<Invitation>;

        /// The scopes that were asked of a token and that it had.
        sightings::scope_uses(token: TokenId) -> Vec<ScopeUse>;
        /// The session with that SHA-256, expired or not, and its person's standing.
        sessions::session_by_digest(digest: &'o [u8; 32]) -> Option<SessionStanding>;
        /// The session of that id, expired or not, and its person's standing.
        sessions::session_standing(id: SessionId) -> Option<SessionStanding>;

        /// Every token that a presented secret with this look-up hint may be, with all that bears on it. One statement.
        tokens::candidates(lookup_hint: i64) -> Vec<Candidate>;
        /// The same for several look-up hints, the oldest token first; at most `limit` rows.
        tokens::candidates_among(lookup_hints: &'o [i64], limit: u32) -> Vec<Candidate>;
        /// Which of these hashes of other systems were imported, into any organisation.
        imports::imported(identities: &'o [[u8; 32]]) -> Vec<ImportedToken>;
        /// How many tokens have this look-up hint.
        imports::count_by_hint(lookup_hint: i64) -> i64;
        /// One of the tags of tokens, whichever.
        tokens::some_verify_tag() -> Option<Vec<u8>>;
        /// A token of the organisation.
        tokens::token(organization: OrganizationId, id: TokenId) -> Option<Token>;
        /// The token with its owner, its organisation's state and its terms, whether or not it is live.
        tokens::candidate(organization: OrganizationId, id: TokenId) -> Option<Candidate>;

        /// A project of the organisation.
        projects::project(organization: OrganizationId, id: ProjectId) -> Option<Project>;
        /// A tenant boundary of the project.
        access_scopes::access_scope(project: ProjectId, id: AccessScopeId) -> Option<AccessScope>;
        /// An actor of the project.
        actors::actor(project: ProjectId, id: ActorId) -> Option<Actor>;
        /// An actor of any project of the organisation, with that project. When it was last used is not read.
        tenancy::actor_of_organization(organization: OrganizationId, id: ActorId) -> Option<(Actor, Project)>;

        /// What an organisation asks of its tokens, by kind; a kind that is asked nothing is left out.
        policies::token_rules(organization: OrganizationId) -> Vec<StoredRule>;
        /// What it has to say about a new token of one kind: its cap, and what it asks. No such organisation: nothing.
        policies::token_terms(organization: OrganizationId, kind: Kind) -> TokenTerms;

        /// A trust policy of the organisation.
        trust::trust_policy(organization: OrganizationId, id: TrustPolicyId) -> Option<TrustPolicy>;
        /// The trust policy of that id, whosever it is.
        trust::trust_policy_by_id(id: TrustPolicyId) -> Option<TrustPolicy>;

        /// What was done about the leak of a token.
        leaks::token_leak(token: TokenId) -> Option<TokenLeak>;
        /// Alerts of code hosts that are due, the longest due first.
        leaks::due_leak_alerts(now: Timestamp, limit: u32) -> Vec<LeakAlert>;

        /// The mail about tokens that a person does not want.
        notices::muted_notices(user: UserId) -> Vec<Muted>;
        /// A webhook of the organisation.
        webhooks::webhook(organization: OrganizationId, id: WebhookId) -> Option<Webhook>;
        /// One of the sealed secrets of webhooks, whichever.
        webhooks::some_webhook_secret() -> Option<Vec<u8>>;
        /// Webhooks with a due delivery and without a claim: first those that were never served, then by the end of their last claim.
        webhooks::due_webhooks(now: Timestamp, limit: u32) -> Vec<WebhookId>;
        /// What was or is to be sent to a webhook about an event.
        webhooks::webhook_delivery(webhook: WebhookId, id: DeliveryId) -> Option<WebhookDelivery>;

        /// A repository of the organisation.
        repositories::repository(organization: OrganizationId, name: &'o RepositoryName) -> Option<Repository>;
        /// What the last submission of a repository said, or the last one of a branch; nothing for an organisation that is
        /// switched off.
        repositories::published_coverage(organization: &'o Slug, name: &'o RepositoryName, branch: Option<&'o BranchName>) -> Option<Coverage>;
        /// The baseline in force.
        baselines::baseline(repository: RepositoryId) -> Option<Baseline>;
        /// An execution of the organisation.
        executions::execution(organization: OrganizationId, id: ExecutionId) -> Option<Execution>;
        /// What a submission's key recorded.
        executions::execution_key(organization: OrganizationId, principal: Principal, key: &'o str) -> Option<ExecutionKey>;

        /// What an idempotency key made.
        idempotency::idempotency(organization: OrganizationId, principal: Principal, operation: &'o str, key: &'o str) -> Option<IdempotencyRecord>;

        /// The end of a trail as it is remembered beside the events; nothing for a trail that was never written to.
        audit::audit_end(organization: Option<OrganizationId>) -> Option<AuditHead>;

        /// The number of the last logged change of a shard; zero before the first.
        log::log_tail(shard: i16) -> i64;
        /// When the entries at these places of the log were made; nothing of a place that has none.
        log::logged_at(places: &'o [LogPlace]) -> Vec<(LogPlace, Timestamp)>;
        /// The servers that share the database, in the order they registered in. None on SQLite.
        nodes::list_nodes() -> Vec<RegisteredNode>;

        /// A named value of the deployment.
        settings::meta_get(key: &'o str) -> Option<String>;
    }
    scans {
        /// All organisations by slug, byte by byte, after a slug.
        organizations::list_organizations(after: maybe Slug, limit: given u32) -> Vec<Organization>;
        /// A person's organisations by slug, byte by byte, after a slug.
        memberships::organizations_of_user(user: given UserId, after: maybe Slug, limit: given u32) -> Vec<Home>;
        /// An organisation's people, newest first, before a place in the list.
        memberships::list_members(organization: given OrganizationId, after: given Option<(Timestamp, UserId)>, limit: given u32) -> Vec<Member>;
        /// Who wears a custom role; at most so many.
        memberships::members_of_role(organization: given OrganizationId, role: given RoleId, limit: given u32) -> Vec<UserId>;
        /// How many wear it.
        memberships::count_members_of_role(organization: given OrganizationId, role: given RoleId) -> usize;
        /// An organisation's own roles, by name.
        roles::roles(organization: given OrganizationId) -> Vec<CustomRole>;
        /// An organisation's invitations, newest first, before a place in the list.
        invitations::list_invitations(organization: given OrganizationId, after: given Option<(Timestamp, InvitationId)>, limit: given u32) -> Vec<Invited>;
        /// A person's unexpired sessions, newest first, at most so many; in one organisation or in all.
        sessions::sessions_of_user(user: given UserId, organization: given Option<OrganizationId>, now: given Timestamp, limit: given u32) -> Vec<Session>;
        /// Tokens by filter, newest first.
        tokens::list_tokens(filter: lent TokenFilter) -> Vec<Token>;
        /// The last token that a search looks at which looks at so many of the owner's tokens, from the filter's place on;
        /// nothing if it gets to the end of them.
        tokens::search_end_of_tokens(filter: lent TokenFilter, rows: given u32) -> Option<(Timestamp, TokenId)>;
        /// Those of these tokens that are the organisation's, newest first.
        tokens::tokens_by_id(organization: given OrganizationId, ids: lent [TokenId]) -> Vec<Token>;
        /// How many of the tokens by filter have each status; its page is not looked at.
        tokens::count_tokens(filter: lent TokenFilter) -> StatusCounts;
        /// The live ones of the tokens by filter, newest first; its page but for the limit is not looked at.
        tokens::live_token_ids(filter: lent TokenFilter) -> Vec<TokenId>;
        /// How often each of these tokens was found good, with or without the scopes asked for, from an hour on; those
        /// without a use are left out.
        usage::uses_since(tokens: lent [TokenId], first: given Hour) -> Vec<(TokenId, u64)>;
        /// When and from where the newest of the person's sessions were used last, expired ones included.
        sessions::session_uses(user: given UserId, limit: given u32) -> Vec<SessionUse>;
        /// Where these tokens were used from lately, the last first.
        sightings::origins_of(tokens: lent [TokenId]) -> Vec<TokenOrigin>;
        /// How many of a person's keys in the organisation are active or rotating.
        tokens::live_key_count(organization: given OrganizationId, user: given UserId, now: given Timestamp) -> i64;
        /// How many of the organisation's tokens, of every kind, are active or rotating.
        tokens::live_token_count(organization: given OrganizationId, now: given Timestamp) -> i64;
        /// Personal keys of these people in the organisation, dead ones included: what a change to the people touches. At most
        /// so many.
        tokens::keys_of_people(organization: given OrganizationId, people: lent [UserId], limit: given u32) -> Vec<TokenId>;
        /// The tokens of a project that were not revoked, its actors' included; at most so many.
        tenancy::tokens_of_project(project: given ProjectId, limit: given u32) -> Vec<TokenId>;
        /// What was counted of a token from an hour up to, not including, another; hours without a use are left out.
        usage::token_usage(token: given TokenId, first: given Hour, end: given Hour) -> Vec<UsageHour>;
        /// The same of all the organisation's tokens together, those that are gone included.
        usage::organization_usage(organization: given OrganizationId, first: given Hour, end: given Hour) -> Vec<UsageHour>;
        /// A page of an organisation's projects.
        projects::list_projects(organization: given OrganizationId, listing: lent Listing) -> Page<Project>;
        /// A page of a project's tenant boundaries.
        access_scopes::list_access_scopes(project: given ProjectId, listing: lent Listing) -> Page<AccessScope>;
        /// A page of a project's actors.
        actors::list_actors(filter: lent ActorFilter, listing: lent Listing) -> Page<Actor>;
        /// Tokens of these actors, dead ones included: what a change to the actors touches. At most so many.
        actors::tokens_of_actors(ids: lent [ActorId], limit: given u32) -> Vec<TokenId>;
        /// Tokens of these actors, and whose each is; at most so many.
        actors::tokens_by_actor(ids: lent [ActorId], limit: given u32) -> Vec<(ActorId, TokenId)>;
        /// How many actors these tenant boundaries have; one with none is left out.
        totals::actor_counts(project: given ProjectId, scopes: lent [AccessScopeId]) -> Vec<(AccessScopeId, u64)>;
        /// The actors of a tenant boundary; at most so many.
        tenancy::actor_ids(project: given ProjectId, scope: given AccessScopeId, limit: given u32) -> Vec<ActorId>;
        /// The tenant boundaries of these actors, as far as the project has them.
        tenancy::places_of_actors(project: given ProjectId, ids: lent [ActorId]) -> Vec<(ActorId, Option<AccessScopeId>)>;
        /// How much there is in a project.
        tenancy::project_contents(project: given ProjectId, now: given Timestamp) -> ProjectContents;
        /// The organisation's live tokens of a kind, newest first, whoever's they are, after one of them.
        tokens::live_tokens_of_kind(organization: given OrganizationId, kind: given Kind, after: given Option<(Timestamp, TokenId)>, now: given Timestamp, limit: given u32) -> Vec<Token>;
        /// How many live tokens of the organisation were not made under a trust policy, as far as `most`.
        tokens::count_static_tokens(organization: given OrganizationId, now: given Timestamp, most: given u32) -> usize;
        /// An organisation's trust policies, oldest first.
        trust::list_trust_policies(organization: given OrganizationId, limit: given u32) -> Vec<TrustPolicy>;
        /// The trust policies in force for an issuer, of one organisation or of all.
        trust::trust_policies_of_issuer(issuer: lent str, organization: given Option<OrganizationId>, limit: given u32) -> Vec<TrustPolicy>;
        /// The last attempts under a trust policy, newest first.
        trust::list_trust_attempts(policy: given TrustPolicyId, limit: given u32) -> Vec<TrustAttempt>;
        /// The last failed attempts since a moment under an organisation's policies in force, newest first.
        trust::failed_trust_attempts(organization: given OrganizationId, since: given Timestamp, limit: given u32) -> Vec<TrustAttempt>;
        /// Tokens that were not revoked by the order of their ends, after a place in it and up to a moment.
        notices::expiring_tokens(after: given (Timestamp, TokenId), until: given Timestamp, limit: given u32) -> Vec<Token>;
        /// Uses of tokens from addresses that were not known, of which nobody was told yet, the earliest first.
        notices::list_address_notices(limit: given u32) -> Vec<AddressNotice>;
        /// The organisation's owners and administrators who are switched on; at most so many.
        notices::administrators(organization: given OrganizationId, limit: given u32) -> Vec<User>;
        /// An organisation's webhooks, oldest first.
        webhooks::list_webhooks(organization: given OrganizationId, limit: given u32) -> Vec<Webhook>;
        /// What is to be sent to a webhook by now, the longest due first.
        webhooks::due_deliveries(webhook: given WebhookId, now: given Timestamp, limit: given u32) -> Vec<DueDelivery>;
        /// What was and is to be sent to a webhook, newest event first, before an event.
        webhooks::list_deliveries(webhook: given WebhookId, before: given Option<DeliveryId>, limit: given u32) -> Vec<WebhookDelivery>;
        /// An organisation's repositories by name, byte by byte, after a name.
        repositories::list_repositories(organization: given OrganizationId, after: maybe RepositoryName, limit: given u32) -> Vec<Repository>;
        /// A repository's baselines, newest first, before a number.
        baselines::baseline_history(repository: given RepositoryId, before_seq: given Option<i64>, limit: given u32) -> Vec<Baseline>;
        /// A repository's executions, newest first.
        executions::list_executions(filter: lent ExecutionFilter) -> Vec<Execution>;
        /// Events of a trail by filter. Moments are places in a trail, whose times never go back.
        audit::list_audit(filter: lent AuditFilter) -> Vec<AuditRecord>;
        /// When the newest event of any trail was: every change writes one. Looks at the end of every trail, once a start.
        audit::newest_event() -> Option<Timestamp>;
        /// The last event that a search looks at which looks at so many events, from the filter's place on; nothing if it
        /// gets to the end of them.
        audit::search_end_of_audit(filter: lent AuditFilter, rows: given u32) -> Option<i64>;
        /// The hashes of those of these events that the trail has, by number.
        audit::hashes_of_events(organization: given Option<OrganizationId>, numbers: lent [i64]) -> Vec<(i64, Vec<u8>)>;
        /// The trails that an event was appended to at this moment or later. Looks at the end of every trail, once a start.
        audit::trails_since(since: given Timestamp) -> Vec<Option<OrganizationId>>;
        /// Every trail there is; nothing stands for the deployment's own.
        audit::audit_trails() -> Vec<Option<OrganizationId>>;
    }
    writes {
        /// Adds an organisation. [`OrganizationSlug`](crate::Constraint::OrganizationSlug) when the slug is taken.
        organizations::insert_organization(record: &'o Organization) -> ();
        /// Gives it another name.
        organizations::rename_organization(id: OrganizationId, name: &'o Name, at: Timestamp) -> Option<Organization>;
        /// Switches it off, or on again with nothing.
        organizations::set_organization_disabled(id: OrganizationId, disabled_at: Option<Timestamp>, at: Timestamp) -> Option<Organization>;
        /// Sets or lifts its token cap.
        organizations::set_token_cap(id: OrganizationId, cap: Option<u32>, at: Timestamp) -> Option<Organization>;
        /// Asks its people for a second factor, or no longer.
        organizations::set_second_factor_rule(id: OrganizationId, rule: SecondFactorRule, at: Timestamp) -> Option<Organization>;
        /// Chooses what is done with its tokens that others report as leaked.
        organizations::set_leak_action(id: OrganizationId, action: LeakAction, at: Timestamp) -> Option<Organization>;
        /// Lets it make tokens of its own under trust policies alone, or otherwise as well.
        organizations::set_trust_only(id: OrganizationId, trust_only: bool, at: Timestamp) -> Option<Organization>;

        /// Adds a person. [`UserEmail`](crate::Constraint::UserEmail) when the address is taken.
        users::insert_user(record: &'o User, password_hash: Option<&'o str>) -> ();
        /// Gives a person another name.
        users::rename_user(id: UserId, name: &'o Name, at: Timestamp) -> bool;
        /// Notes an address that a person asked for, or that they did not: it counts for nothing until it is verified.
        users::set_pending_email(id: UserId, pending: Option<&'o Email>, at: Timestamp) -> bool;
        /// Gives a person an address, and says who vouches for it; nothing is pending then.
        users::set_email(id: UserId, email: &'o Email, verified: Option<Verified>, at: Timestamp) -> bool;
        /// Remembers the code that is mailed to an address which a person asked for, by its SHA-256, in place of an earlier one.
        users::keep_address_code(
            id: UserId, email_key: &'o str, digest: &'o [u8; 32], expires_at: Timestamp
        ) -> ();
        /// Takes the person's unexpired code with that SHA-256 away; the key of the address it was mailed to.
        users::take_address_code(id: UserId, digest: &'o [u8; 32], now: Timestamp) -> Option<String>;
        /// Remembers the code that is mailed to a person who forgot their password, by its SHA-256, in place of an earlier one.
        users::keep_password_reset(record: &'o PasswordReset, digest: &'o [u8; 32]) -> ();
        /// Takes the code with that SHA-256 away, expired or not; what it is good for.
        users::take_password_reset(digest: &'o [u8; 32]) -> Option<PasswordReset>;
        /// Links a person to what an identity provider knows them as: nobody else by that subject, and by no other subject.
        identities::insert_identity(record: &'o Identity) -> ();
        /// Forgets whom identity providers know the person as; how many did.
        identities::delete_identities(user: UserId) -> usize;
        /// Locks a person's row until the unit ends. Take the trails first.
        users::hold_user(id: UserId, hold: Hold) -> ();
        /// Sets or removes the password's PHC string.
        users::set_password(id: UserId, phc: Option<&'o str>, at: Timestamp) -> bool;
        /// Switches the person off, or on again with nothing.
        users::set_user_disabled(id: UserId, disabled_at: Option<Timestamp>, at: Timestamp) -> Option<User>;

        /// Replaces a password's PHC string by another of the same password, unless it is no longer the one that was checked.
        users::rehash_password(id: UserId, phc: &'o str, expected: &'o str) -> bool;

        /// Notes that a person signed in from a device. Of their others the thirty-one used last are kept.
        devices::note_device(user: UserId, digest: &'o [u8; 32], at: Timestamp) -> ();
        /// Forgets a person's devices; how many.
        devices::forget_devices(user: UserId) -> usize;
        /// Forgets at most `limit` devices that nobody signed in from since; how many.
        devices::delete_devices_before(before: Timestamp, limit: u32) -> usize;

        /// Begins a second factor in place of one that was begun and not confirmed. False: one is confirmed.
        second_factors::begin_second_factor(record: &'o SecondFactor) -> bool;
        /// Confirms it by a code of this time step. False: none is under way.
        second_factors::confirm_second_factor(user: UserId, step: i64, at: Timestamp) -> bool;
        /// Spends a time step, and with it all before. False: it was spent, or there is no confirmed factor. Of any number
        /// of callers at once exactly one is told true.
        second_factors::spend_step(user: UserId, step: i64) -> bool;
        /// Replaces the sealed secret, unless it is no longer the one the change was based on.
        second_factors::reseal_second_factor(user: UserId, sealed: &'o [u8], expected: &'o [u8]) -> bool;
        /// Removes it with its recovery codes.
        second_factors::delete_second_factor(user: UserId) -> bool;
        /// Puts these recovery codes in place of those there were.
        second_factors::replace_recovery_codes(user: UserId, digests: &'o [[u8; 32]]) -> ();
        /// Spends a recovery code. False: there is none of that digest, or it was spent.
        second_factors::spend_recovery_code(user: UserId, digest: &'o [u8; 32]) -> bool;

        /// Adds a membership. [`Membership`](crate::Constraint::Membership) when there is one.
        memberships::insert_membership(record: &'o Membership) -> ();
        /// Gives a member another role.
        memberships::set_membership_role(organization: OrganizationId, user: UserId, role: RoleRef) -> Option<Membership>;
        /// Switches a member off there, or on again with nothing. False: no such member.
        memberships::set_membership_disabled(organization: OrganizationId, user: UserId, disabled_at: Option<Timestamp>) -> bool;
        /// Removes a member and ends their sessions there.
        memberships::delete_membership(organization: OrganizationId, user: UserId) -> bool;
        /// Gives everyone with a custom role another role; who they are.
        memberships::move_members(organization: OrganizationId, from: RoleId, to: RoleRef) -> Vec<UserId>;
        /// How many owners are switched on, there and everywhere, counted so that two who leave at once are counted one after the other.
        memberships::count_owners(organization: OrganizationId) -> i64;

        /// Adds a role. [`RoleName`](crate::Constraint::RoleName) when the name is taken.
        roles::insert_role(record: &'o CustomRole) -> ();
        /// Changes what is given.
        roles::update_role(organization: OrganizationId, id: RoleId, name: Option<&'o Name>, scopes: Option<&'o [String]>, at: Timestamp) -> Option<CustomRole>;
        /// Removes a role nobody wears; [`Reference`](crate::Constraint::Reference) when someone does.
        roles::delete_role(organization: OrganizationId, id: RoleId) -> bool;

        /// Adds an invitation. [`Invitation`](crate::Constraint::Invitation) when the address has one.
        invitations::insert_invitation(record: &'o Invitation, digest: &'o [u8; 32]) -> ();
        /// Withdraws an invitation.
        invitations::delete_invitation(organization: OrganizationId, id: InvitationId) -> Option<Invitation>;
        /// Takes the unexpired invitation with that SHA-256 away: of any number of callers at once exactly one gets it.
        invitations::take_invitation(digest: &'o [u8; 32], now: Timestamp) -> Option<Invitation>;
        /// The same by the SHA-256 of the code that was mailed.
        invitations::take_mailed_invitation(digest: &'o [u8; 32], now: Timestamp) -> Option<Invitation>;
        /// Remembers the code that is mailed with an invitation by its SHA-256, in place of an earlier one.
        invitations::keep_mailed_code(invitation: InvitationId, digest: &'o [u8; 32]) -> ();
        /// Offers another role instead of a custom one; in how many invitations.
        invitations::move_invitations(organization: OrganizationId, from: RoleId, to: RoleRef) -> usize;
        /// Forgets at most `limit` invitations that expired before; how many.
        invitations::delete_invitations_before(before: Timestamp, limit: u32) -> usize;

        /// Adds a session of a member.
        sessions::insert_session(record: &'o Session, digest: &'o [u8; 32]) -> ();
        /// Notes that its person proved to be at it.
        sessions::set_session_proven(id: SessionId, at: Timestamp) -> bool;
        /// Notes the last use of a session that is there.
        sessions::note_session_use(used: &'o SessionUse) -> ();
        /// Ends one of the person's sessions.
        sessions::delete_session(user: UserId, id: SessionId) -> bool;
        /// Ends all of them but one; how many.
        sessions::delete_sessions_of_user(user: UserId, except: Option<SessionId>) -> usize;
        /// Ends a person's sessions in one organisation, all or all but one; how many.
        sessions::delete_sessions_of_member(organization: OrganizationId, user: UserId, except: Option<SessionId>) -> usize;
        /// Forgets at most `limit` sessions that expired; how many.
        sessions::delete_expired_sessions(before: Timestamp, limit: u32) -> usize;

        /// Changes what is shown of it.
        tokens::edit_token(organization: OrganizationId, id: TokenId, edit: &'o TokenEdit) -> Option<Token>;
        /// Turns a token that is active at `now` into a rotating one; nothing if it is not active. Of any number of
        /// callers at once exactly one gets the token back.
        tokens::supersede_active(organization: OrganizationId, old: TokenId, by: TokenId, at: Timestamp, grace_ends_at: Timestamp, mode: GraceMode, now: Timestamp) -> Option<Token>;
        /// Takes a rotation back while its grace runs: the old token, active again, and its former successor, which
        /// is left as it is.
        tokens::cancel_supersession(organization: OrganizationId, id: TokenId, now: Timestamp) -> Option<(Token, TokenId)>;
        /// Revokes a token; nothing if it is not there or was revoked before, whose first reason stays.
        tokens::revoke_token(organization: OrganizationId, id: TokenId, revocation: &'o Revocation) -> Option<Token>;
        /// Revokes those of these tokens that were not revoked before; which.
        tokens::revoke_tokens(organization: OrganizationId, ids: &'o [TokenId], revocation: &'o Revocation) -> Vec<TokenId>;
        /// Records what was said about the revocation of these tokens.
        tokens::explain_revocations(organization: OrganizationId, ids: &'o [TokenId], explanation: &'o Explanation) -> ();
        /// Revokes every token of an owner in the organisation that was not revoked before; which.
        tokens::revoke_tokens_of_owner(organization: OrganizationId, owner: TokenOwner, revocation: &'o Revocation) -> Vec<TokenId>;
        /// Records the first use of a successor, and in first-use mode brings the end of its predecessor's grace
        /// forward, never back. The predecessor, if its grace changed.
        tokens::shorten_grace(successor: TokenId, at: Timestamp, new_end: Timestamp) -> Option<TokenId>;
        /// Brings the end of a token's grace forward, never back. The token, if its grace changed.
        tokens::end_grace_by(organization: OrganizationId, id: TokenId, new_end: Timestamp) -> Option<Token>;
        /// Records the first presentation after the grace. True the first time only.
        tokens::mark_reuse(id: TokenId, at: Timestamp) -> bool;
        /// Replaces how the secret is stored, unless the hash is no longer the one the change was based on; and what is shown
        /// of it, where that was not known before.
        tokens::set_secret(id: TokenId, secret: &'o StoredSecret, hint: Option<Hint>, expected_hash: &'o str) -> bool;
        /// Remembers which hash of another system made a token. [`ImportedHash`](crate::Constraint::ImportedHash) when it
        /// has made one.
        imports::insert_imported(record: &'o ImportedToken) -> ();
        /// Writes down last uses; an earlier moment never replaces a later one. Unknown tokens are passed over.
        tokens::record_uses(uses: &'o [TokenUse]) -> ();
        /// Adds to the counts of hours, of each token and of its organisation. A token that is not there is skipped; one
        /// that comes twice is added twice.
        usage::add_counts(counts: &'o [TokenCount]) -> ();
        /// Notes where tokens were used from, each token and address once, tokens together; of each token the last five stay, and
        /// for a moment what another node is writing.
        sightings::record_origins(origins: &'o [TokenOrigin]) -> ();
        /// Notes scopes that tokens were used for, each token and scope once.
        sightings::record_scope_uses(uses: &'o [ScopeUse]) -> ();
        /// Forgets at most `limit` counts of tokens, and as many of organisations, of hours before this one; how many of
        /// the kind of which there were more.
        usage::delete_usage_before(end: Hour, limit: u32) -> usize;

        /// Asks nothing of an organisation's tokens any more; how many kinds were asked something.
        policies::delete_token_rules(organization: OrganizationId) -> usize;
        /// Asks something of a kind of which nothing was asked.
        policies::insert_token_rule(record: &'o StoredRule) -> ();

        /// Adds a trust policy.
        trust::insert_trust_policy(record: &'o TrustPolicy) -> ();
        /// Replaces all of a trust policy that may change. False: no such one.
        trust::update_trust_policy(record: &'o TrustPolicy) -> bool;
        /// Removes a trust policy with its attempts.
        trust::delete_trust_policy(organization: OrganizationId, id: TrustPolicyId) -> bool;
        /// Adds an attempt, and forgets all but the newest `keep` of the policy. False: the policy is gone.
        trust::insert_trust_attempt(record: &'o TrustAttempt, keep: u32) -> bool;
        /// Remembers that an identity token was exchanged. False: it was before. Of any number of callers at once exactly
        /// one is told true.
        trust::spend_identity(digest: &'o [u8; 32], keep_until: Timestamp) -> bool;
        /// Forgets at most about `limit` identity tokens that can no longer be presented; how many.
        trust::delete_identities_before(before: Timestamp, limit: u32) -> usize;

        /// Adds a project. [`ProjectSlug`](crate::Constraint::ProjectSlug) when the slug is taken.
        projects::insert_project(record: &'o Project) -> ();
        /// Changes what is given.
        projects::update_project(organization: OrganizationId, id: ProjectId, name: Option<&'o Name>, slug: Option<&'o Slug>, at: Timestamp) -> Option<Project>;
        /// Removes a project with nothing in it; [`Reference`](crate::Constraint::Reference) when it has access scopes,
        /// actors or tokens.
        projects::delete_project(organization: OrganizationId, id: ProjectId) -> bool;
        /// Adds a tenant boundary. [`AccessScopeSlug`](crate::Constraint::AccessScopeSlug) when the slug is taken.
        access_scopes::insert_access_scope(record: &'o AccessScope) -> ();
        /// Changes what is given.
        access_scopes::update_access_scope(project: ProjectId, id: AccessScopeId, edit: &'o AccessScopeEdit, at: Timestamp) -> Option<AccessScope>;
        /// Removes one that has no actors; [`Reference`](crate::Constraint::Reference) when it has:
        /// [`unscope_actors`](Tx::unscope_actors) comes first.
        access_scopes::delete_access_scope(project: ProjectId, id: AccessScopeId) -> bool;
        /// Adds an actor. [`Reference`](crate::Constraint::Reference) when the access scope is not of its project.
        actors::insert_actor(record: &'o Actor) -> ();
        /// Changes what is given.
        actors::update_actor(project: ProjectId, id: ActorId, edit: &'o ActorEdit, at: Timestamp) -> Option<Actor>;
        /// Takes a tenant boundary away from all its actors; which.
        actors::unscope_actors(project: ProjectId, scope: AccessScopeId, at: Timestamp) -> Vec<ActorId>;
        /// Removes an actor and its tokens; which tokens. The audit trail keeps what they were.
        actors::delete_actor(project: ProjectId, id: ActorId) -> Option<Vec<TokenId>>;
        /// Puts actors into a tenant boundary of their project, or into none; how many there were.
        tenancy::move_actors(project: ProjectId, ids: &'o [ActorId], scope: Option<AccessScopeId>, at: Timestamp) -> usize;
        /// What an actor's tokens that were not revoked are called, and when they end.
        tenancy::update_tokens_of_actor(actor: ActorId, name: &'o Name, expires_at: Option<Timestamp>) -> ();
        /// Removes all that is in a project: its actors with their tokens, its access scopes. Other tokens that are bound to
        /// it are revoked, and bound to it no more.
        tenancy::empty_project(project: ProjectId, revocation: &'o Revocation) -> ();

        /// The repository of that name, registered if it was not, and held until the unit ends: of two who register it at
        /// once the second sees what the first did. Call it first.
        repositories::register_repository(id: RepositoryId, organization: OrganizationId, name: &'o RepositoryName, at: Timestamp) -> Repository,
            queued for Queue::Repository(organization, name.clone());
        /// Counts an execution and keeps what it said as the last. False: no such repository.
        repositories::note_submission(id: RepositoryId, coverage: Coverage, at: Timestamp) -> bool;
        /// Puts a baseline in force. Its number follows the one before; hold the repository to know it.
        baselines::append_baseline(record: &'o Baseline) -> ();
        /// Records an execution.
        executions::insert_execution(record: &'o Execution) -> ();
        /// Forgets at most `limit` of the oldest executions, as far as they are older than `before`, with their keys; how
        /// many.
        executions::delete_executions_before(before: Timestamp, limit: u32) -> usize;
        /// Remembers what a submission's key recorded. [`Submission`](crate::Constraint::Submission) when it is in use.
        executions::insert_execution_key(record: &'o ExecutionKey) -> ();
        /// Forgets one key.
        executions::delete_execution_key(organization: OrganizationId, principal: Principal, key: &'o str) -> bool;
        /// Forgets about `limit` of the oldest keys made before; how many.
        executions::delete_execution_keys_before(before: Timestamp, limit: u32) -> usize;

        /// Records the warning of a token's end at a stage. False: this stage or a shorter one was recorded before.
        notices::note_expiry(token: TokenId, days: i32) -> bool;
        /// Records the notice of a new address of a token. False: another one was recorded since `not_since`.
        notices::note_new_address(token: TokenId, at: Timestamp, not_since: Timestamp) -> bool;
        /// Queues notices that tokens were used from new addresses. A token with a queued notice is skipped.
        notices::queue_address_notices(origins: &'o [TokenOrigin]) -> ();
        /// Takes such a notice: of any number of callers at once exactly one is told true.
        notices::take_address_notice(token: TokenId) -> bool;
        /// Chooses what mail about tokens a person does not want.
        notices::replace_muted_notices(user: UserId, muted: &'o [Muted]) -> ();

        /// Records what was done about the leak of a token, in place of what was recorded before.
        leaks::set_token_leak(leak: &'o TokenLeak) -> ();
        /// Queues an alert of a code host. One that is queued already is tried again at once, as a new one.
        leaks::queue_leak_alert(host: LeakSource, place: &'o str, at: Timestamp) -> ();
        /// Counts an attempt at an alert and puts the next one off. False: it is not as it was read.
        leaks::postpone_leak_alert(alert: &'o LeakAlert, due_at: Timestamp) -> bool;
        /// Forgets an alert. False: it was delivered or tried again meanwhile.
        leaks::delete_leak_alert(host: LeakSource, place: &'o str, due_at: Timestamp) -> bool;

        /// Adds a webhook with its sealed secret.
        webhooks::insert_webhook(record: &'o Webhook, secret: &'o [u8]) -> ();
        /// Changes a webhook, but for its secret; [`plan_webhook`](Tx::plan_webhook) comes next. False: no such webhook.
        webhooks::update_webhook(record: &'o Webhook) -> bool;
        /// Gives a webhook another secret; the one before signs as well until the record's moment.
        webhooks::rotate_webhook_secret(record: &'o Webhook, secret: &'o [u8]) -> bool;
        /// Replaces the sealed secrets, unless the current one is no longer the one the change was based on.
        webhooks::reseal_webhook(id: WebhookId, secrets: &'o WebhookSecrets, expected: &'o [u8]) -> bool;
        /// Removes a webhook and what waits for it.
        webhooks::delete_webhook(organization: OrganizationId, id: WebhookId) -> bool;
        /// Notes at the end of the organisation's trail whether it has a webhook that wants to be told of events. Hold the trail.
        webhooks::set_has_webhooks(organization: OrganizationId, has_webhooks: bool) -> ();
        /// Queues deliveries, each of which makes its webhook due.
        webhooks::queue_deliveries(deliveries: &'o [NewDelivery]) -> ();
        /// Claims a webhook with a due delivery until a moment. Until then, no other claim of it succeeds.
        webhooks::claim_webhook(id: WebhookId, now: Timestamp, until: Timestamp) -> Option<ClaimedWebhook>;
        /// Records an attempt. False: another one was recorded before, or the delivery is gone.
        webhooks::end_delivery_attempt(webhook: WebhookId, id: DeliveryId, attempt: &'o DeliveryAttempt) -> bool;
        /// Gives up what a webhook should have been told before a moment; how much.
        webhooks::fail_old_deliveries(webhook: WebhookId, before: Timestamp, at: Timestamp) -> usize;
        /// Gives a webhook back that was claimed until a moment; it rests until another one. False: it is no longer claimed.
        webhooks::release_webhook(id: WebhookId, claimed_until: Timestamp, held_until: Option<Timestamp>, failures: u32) -> bool;
        /// Sets when the webhook is sent to next, by what waits for it.
        webhooks::plan_webhook(id: WebhookId) -> ();
        /// Has something sent again that arrived or was given up. False: there is no such delivery, or it waits.
        webhooks::replay_delivery(webhook: WebhookId, id: DeliveryId, at: Timestamp) -> bool;
        /// Forgets about `limit` of the oldest deliveries of events before; how many.
        webhooks::delete_deliveries_before(before: Timestamp, limit: u32) -> usize;

        /// Has a message sent.
        mail::queue_mail(record: &'o QueuedMail) -> ();
        /// Takes a message that is due, for whoever asks and until then: nobody else gets it meanwhile.
        mail::claim_mail(now: Timestamp, until: Timestamp) -> Option<QueuedMail>;
        /// Has a message taken again at a moment, unless somebody took it since that attempt.
        mail::defer_mail(id: MailId, attempts: i32, until: Timestamp) -> bool;
        /// Forgets messages that wait with exactly that letter; how many.
        mail::withdraw_mail(letter: &'o str) -> usize;
        /// Forgets a message, sent or dropped; whether it was there.
        mail::delete_mail(id: MailId) -> bool;

        /// Remembers what a key made. [`Idempotency`](crate::Constraint::Idempotency) when it is in use.
        idempotency::insert_idempotency(record: &'o IdempotencyRecord) -> ();
        /// Forgets one key.
        idempotency::delete_idempotency(organization: OrganizationId, principal: Principal, operation: &'o str, key: &'o str) -> bool;
        /// Forgets about `limit` of the oldest keys made before; how many.
        idempotency::delete_idempotency_before(before: Timestamp, limit: u32) -> usize;

        /// Forgets at most `limit` of the oldest changes, as far as they are older than `before`; how many.
        log::delete_log_before(before: Timestamp, limit: u32) -> usize;

        /// Sets a named value of the deployment.
        settings::meta_set(key: &'o str, value: &'o str) -> ();
        /// Sets it unless it is set: true for exactly one caller.
        settings::meta_insert(key: &'o str, value: &'o str) -> bool;
        /// Removes it, if it is this; whether it was.
        settings::meta_delete(key: &'o str, value: &'o str) -> bool;
    }
}
