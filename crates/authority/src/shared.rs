//! What nodes keep for each other about tokens, in a cache that nobody trusts.
//!
//! An entry is sealed for one token (`secret_hash`), and says how far its writer had followed the log when it began to read the
//! facts. A node takes it only if it is not older than a minute and the log has nothing since that touches the token or its
//! organisation ([`Lease::holds`](crate::env::Lease::holds)); and this node has changed neither since its last look at the log
//! began ([`Fences::holds_since_asked`](crate::fence::Fences::holds_since_asked)): its own changes have no place in what it applied
//! until then. From then on the facts are remembered like those that it read itself, under a stamp taken before it asked.
//!
//! So an entry that is old, replayed, of another token, of another key or made up is not used, and a cache that forgets everything
//! costs reads of the database.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use secret_hash::{Keyring, Tag};
use serde::{Deserialize, Serialize};
use storage::model::LogMark;
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId, RoleId, TokenId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{Candidate, OwnerState};
use token_domain::text::Slug;
use token_domain::token::{AllowedNetworks, TokenFacts};
use token_domain::{Span, Timestamp};

/// How long an entry counts.
pub(crate) const LIFETIME: Span = Span::seconds(60);

/// A cache that nodes have in common. Nothing is expected of it: it may lose, change and make up what it returns.
pub trait SharedCache: Send + Sync {
    /// What is kept under a name. It gives up after a few milliseconds.
    fn get(&self, name: [u8; 32]) -> BoxFuture<'_, SharedAnswer>;

    /// Has it kept for a time. Returns at once; it may be left out.
    fn put(&self, name: [u8; 32], sealed: Vec<u8>, lifetime: Span);
}

/// What a shared cache says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedAnswer {
    /// This is kept.
    Kept(Vec<u8>),
    /// Nothing is.
    Nothing,
    /// It is away, or too slow.
    Unknown,
}

/// How often the shared cache was asked, by what came of it.
#[derive(Debug, Default)]
pub struct SharedCounters {
    used: AtomicU64,
    nothing: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
}

impl SharedCounters {
    /// Each outcome with its count since the process began.
    pub fn snapshot(&self) -> [(&'static str, u64); 4] {
        [("hit", &self.used), ("miss", &self.nothing), ("refused", &self.refused), ("unavailable", &self.unknown)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }

    pub(crate) fn count_used(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_nothing(&self) {
        self.nothing.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }
}

/// The facts of a token as an entry has them. Scopes and roles go by their names: the catalogue of each node says what they mean.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) token_id: TokenId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) organization_disabled_at: Option<Timestamp>,
    pub(crate) facts: TokenFacts,
    pub(crate) scopes: Vec<String>,
    pub(crate) owner: OwnerState,
    pub(crate) project_id: Option<ProjectId>,
    pub(crate) networks: Option<AllowedNetworks>,
    pub(crate) idle_after: Option<Span>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) first_use_pending: bool,
    pub(crate) reuse_pending: bool,
}

/// An entry: the facts, and what they may be judged by.
#[derive(Clone, Debug)]
pub(crate) struct SharedEntry {
    pub(crate) row: Row,
    /// How far the log was followed before they were read.
    pub(crate) mark: LogMark,
    /// When that was, by the database's clock.
    pub(crate) read_at: Timestamp,
}

impl Row {
    /// What is passed on of a token that was read: nothing of one that was rotated or revoked, which are asked about seldom.
    pub(crate) fn of(candidate: &Candidate) -> Option<Self> {
        let token = &candidate.token;
        (token.facts.superseded.is_none() && token.facts.revoked.is_none()).then(|| Self {
            token_id: token.id,
            organization_id: token.organization_id,
            organization_disabled_at: candidate.organization_disabled_at,
            facts: token.facts,
            scopes: token.scopes.clone(),
            owner: candidate.owner.clone(),
            project_id: token.project_id,
            networks: token.details.allowed_networks.clone(),
            idle_after: candidate.idle_after,
            last_used_at: token.last_used_at,
            first_use_pending: candidate.first_use_pending,
            reuse_pending: token.reuse_detected_at.is_none(),
        })
    }
}

impl SharedEntry {
    /// Sealed for its token. Nothing if the cipher fails.
    pub(crate) fn seal(&self, keyring: &Keyring, digest: &Tag, nonce: [u8; 12]) -> Option<Vec<u8>> {
        keyring.seal_shared(digest, &serde_json::to_vec(&Written::from(self)).ok()?, nonce)
    }

    /// What was sealed for this token; nothing for anything else.
    pub(crate) fn open(keyring: &Keyring, digest: &Tag, sealed: &[u8]) -> Option<Self> {
        let plain = keyring.open_shared(digest, sealed)?;
        serde_json::from_slice::<Written>(&plain).ok()?.read()
    }
}

/// Whether facts were read too long ago, or at a time that has not come.
pub(crate) fn is_out_of_date(read_at: Timestamp, now: Timestamp) -> bool {
    read_at + LIFETIME <= now || now + LIFETIME <= read_at
}

/// An entry as it is written. Moments are in microseconds.
#[derive(Serialize, Deserialize)]
struct Written {
    log: String,
    ends: Vec<i64>,
    read_at: i64,
    token: TokenId,
    organization: OrganizationId,
    organization_disabled_at: Option<i64>,
    created_at: i64,
    expires_at: Option<i64>,
    scopes: Vec<String>,
    owner: WrittenOwner,
    project: Option<ProjectId>,
    networks: Option<Vec<String>>,
    idle_after: Option<i64>,
    last_used_at: Option<i64>,
    first_use_pending: bool,
    reuse_pending: bool,
}

#[derive(Serialize, Deserialize)]
enum WrittenOwner {
    Organization,
    Person {
        id: UserId,
        disabled_at: Option<i64>,
        role: Option<WrittenRole>,
        scopes: Option<Vec<String>>,
    },
    Actor {
        id: ActorId,
        project: ProjectId,
        disabled_at: Option<i64>,
        expires_at: Option<i64>,
        scope: Option<(AccessScopeId, String, bool)>,
    },
}

#[derive(Serialize, Deserialize)]
enum WrittenRole {
    BuiltIn(String),
    Custom(RoleId),
}

fn micros(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::as_micros)
}

fn moment(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

impl From<&SharedEntry> for Written {
    fn from(entry: &SharedEntry) -> Self {
        let SharedEntry { row, mark, read_at } = entry;
        Self {
            log: mark.log.clone(),
            ends: mark.ends.clone(),
            read_at: read_at.as_micros(),
            token: row.token_id,
            organization: row.organization_id,
            organization_disabled_at: micros(row.organization_disabled_at),
            created_at: row.facts.created_at.as_micros(),
            expires_at: micros(row.facts.expires_at),
            scopes: row.scopes.clone(),
            owner: WrittenOwner::from(&row.owner),
            project: row.project_id,
            networks: row.networks.as_ref().map(AllowedNetworks::names),
            idle_after: row.idle_after.map(Span::as_micros),
            last_used_at: micros(row.last_used_at),
            first_use_pending: row.first_use_pending,
            reuse_pending: row.reuse_pending,
        }
    }
}

impl Written {
    fn read(self) -> Option<SharedEntry> {
        let networks = match self.networks {
            Some(names) => Some(AllowedNetworks::parse(&names).ok()?),
            None => None,
        };
        let row = Row {
            token_id: self.token,
            organization_id: self.organization,
            organization_disabled_at: moment(self.organization_disabled_at),
            facts: TokenFacts::new(Timestamp::from_micros(self.created_at), moment(self.expires_at)),
            scopes: self.scopes,
            owner: self.owner.read()?,
            project_id: self.project,
            networks,
            idle_after: self.idle_after.map(Span::micros),
            last_used_at: moment(self.last_used_at),
            first_use_pending: self.first_use_pending,
            reuse_pending: self.reuse_pending,
        };
        let mark = LogMark { log: self.log, ends: self.ends };
        Some(SharedEntry { row, mark, read_at: Timestamp::from_micros(self.read_at) })
    }
}

impl From<&OwnerState> for WrittenOwner {
    fn from(owner: &OwnerState) -> Self {
        match owner {
            OwnerState::Organization => Self::Organization,
            OwnerState::Person { user_id, disabled_at, role, custom_scopes } => Self::Person {
                id: *user_id,
                disabled_at: micros(*disabled_at),
                role: role.map(|role| match role {
                    RoleRef::BuiltIn(role) => WrittenRole::BuiltIn(role.as_str().to_owned()),
                    RoleRef::Custom(id) => WrittenRole::Custom(id),
                }),
                scopes: custom_scopes.clone(),
            },
            OwnerState::Actor { actor_id, project_id, disabled_at, expires_at, access_scope } => Self::Actor {
                id: *actor_id,
                project: *project_id,
                disabled_at: micros(*disabled_at),
                expires_at: micros(*expires_at),
                scope: access_scope.as_ref().map(|(id, slug, is_active)| (*id, slug.as_str().to_owned(), *is_active)),
            },
        }
    }
}

impl WrittenOwner {
    fn read(self) -> Option<OwnerState> {
        Some(match self {
            Self::Organization => OwnerState::Organization,
            Self::Person { id, disabled_at, role, scopes } => OwnerState::Person {
                user_id: id,
                disabled_at: moment(disabled_at),
                role: match role {
                    Some(WrittenRole::BuiltIn(name)) => Some(RoleRef::BuiltIn(BuiltInRole::parse(&name)?)),
                    Some(WrittenRole::Custom(id)) => Some(RoleRef::Custom(id)),
                    None => None,
                },
                custom_scopes: scopes,
            },
            Self::Actor { id, project, disabled_at, expires_at, scope } => OwnerState::Actor {
                actor_id: id,
                project_id: project,
                disabled_at: moment(disabled_at),
                expires_at: moment(expires_at),
                access_scope: match scope {
                    Some((id, slug, is_active)) => Some((id, Slug::parse(&slug).ok()?, is_active)),
                    None => None,
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use secret_hash::TagKey;
    use token_domain::id::{Id, Kind, Uuid};
    use token_format::PlainToken;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn id<K: Kind>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn entry(owner: OwnerState) -> SharedEntry {
        let row = Row {
            token_id: id(1),
            organization_id: id(2),
            organization_disabled_at: Some(NOW),
            facts: TokenFacts::new(NOW, Some(NOW + Span::days(1))),
            scopes: vec!["read".to_owned(), "execute".to_owned()],
            owner,
            project_id: Some(id(3)),
            networks: Some(AllowedNetworks::parse(&["10.0.0.0/8", "2001:db8::/32"]).unwrap()),
            idle_after: Some(Span::days(30)),
            last_used_at: Some(NOW),
            first_use_pending: true,
            reuse_pending: false,
        };
        let mark = LogMark { log: "7/1/5/9".to_owned(), ends: (0..64).collect() };
        SharedEntry { row, mark, read_at: NOW }
    }

    #[test]
    fn an_entry_reads_back_as_it_was_whoever_owns_the_token() {
        let keyring = Keyring::new(&TagKey::from_bytes([7; 32]), &[]).unwrap();
        let digest = keyring.digest(&PlainToken::parse("nlp_00112233445566778899aabbccddeeff550c911c").unwrap());
        let person =
            |role, custom_scopes| OwnerState::Person { user_id: id(4), disabled_at: Some(NOW), role, custom_scopes };
        let slug = Slug::parse("north").unwrap();
        for owner in [
            OwnerState::Organization,
            person(None, None),
            person(Some(RoleRef::BuiltIn(BuiltInRole::Admin)), None),
            person(Some(RoleRef::Custom(id(5))), Some(vec!["read".to_owned()])),
            OwnerState::Actor {
                actor_id: id(6),
                project_id: id(3),
                disabled_at: None,
                expires_at: Some(NOW),
                access_scope: Some((id(7), slug, false)),
            },
        ] {
            let written = entry(owner);
            let sealed = written.seal(&keyring, &digest, [1; 12]).unwrap();
            let read = SharedEntry::open(&keyring, &digest, &sealed).unwrap();
            assert_eq!(format!("{read:?}"), format!("{written:?}"));
        }
    }

    #[test]
    fn an_entry_counts_for_a_minute_whatever_keeps_it_for_longer() {
        for (seconds, expected) in [(0, false), (59, false), (60, true), (3_600, true), (-59, false), (-60, true)] {
            assert_eq!(is_out_of_date(NOW, NOW + Span::long_seconds(seconds)), expected, "{seconds}");
        }
    }
}
