//! What is known about one token, kept small: a million of them are remembered at once.
//!
//! Most tokens are an organisation's own, neither rotated nor revoked, bound to no project. The entry of such a token holds
//! only its own fields and shares the rest (organisation, scopes, the answer's bytes) with every token that has the same:
//! 128 bytes with the counts of its `Arc`, two lines of a processor's cache, instead of more than 500. The entry of any
//! other token keeps all facts in a box.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering};

use bytes::Bytes;
use secret_hash::Tag;
use token_domain::id::{OrganizationId, ProjectId, TokenId};
use token_domain::token::{AllowedNetworks, TokenFacts};
use token_domain::usage::UseCounts;
use token_domain::{Credential, Holder, ScopeSet, Timestamp};

use super::noted::{Noted, UseKind};
use crate::fence::Stamp;

/// What an entry costs beside its own size: the counts of its `Arc`, its place in the table at the usual load, what the
/// allocator rounds up.
const OVERHEAD: usize = 40;
/// What a box of facts costs beside its size: the allocator's rounding and the texts in it.
const BOX_OVERHEAD: usize = 64;
/// Bytes that are charged at once.
const CHARGE: usize = 16;
/// Stands for the end of a token that never expires: later than [`Timestamp::MAX`].
const NEVER: i64 = i64::MAX;

/// One byte more would make the allocator give each of a million entries 32, and spread it over a third line of cache.
/// What a network of a token takes, at most.
const NETWORK: usize = 18;

const _: () = assert!(size_of::<Entry>() + 2 * size_of::<usize>() <= 128);

/// What is known about one token.
#[derive(Debug)]
pub struct Entry {
    digest: Tag,
    token_id: TokenId,
    shared: Arc<Shared>,
    more: Option<Box<More>>,
    created_at: Timestamp,
    /// Microseconds, or [`NEVER`].
    expires_at: i64,
    stamp: Stamp,
    last_used: AtomicI64,
    counts: [AtomicU32; UseKind::ALL.len()],
    /// In units of [`CHARGE`].
    charged: u16,
    marks: Marks,
}

/// A flag on an entry: a fact to remember about it, or work that is still to be done.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Mark {
    /// It stands in the list of those used.
    Queued = 1,
    /// Its first use has to be written down.
    FirstUse = 1 << 1,
    /// A reuse after supersession has to be written down.
    Reuse = 1 << 2,
    /// That it fell idle has to be made lasting.
    Idle = 1 << 3,
    /// It was looked up since the hand of the cache last came by.
    Seen = 1 << 4,
}

/// The marks of an entry, in one byte.
#[derive(Debug)]
struct Marks(AtomicU8);

impl Marks {
    fn new<const N: usize>(marks: [(Mark, bool); N]) -> Self {
        Self(AtomicU8::new(
            marks.into_iter().fold(0, |bits, (mark, is_set)| if is_set { bits | mark as u8 } else { bits }),
        ))
    }

    fn has(&self, mark: Mark) -> bool {
        self.0.load(Ordering::Relaxed) & mark as u8 != 0
    }

    /// Sets a mark and says whether it was new. Reads first: a cache line that is not written stays shared by all cores.
    fn set(&self, mark: Mark) -> bool {
        !self.has(mark) && self.0.fetch_or(mark as u8, Ordering::AcqRel) & mark as u8 == 0
    }

    /// Removes a mark and says whether it was set. Reads before writing, as [`set`](Self::set).
    fn take(&self, mark: Mark) -> bool {
        self.has(mark) && self.0.fetch_and(!(mark as u8), Ordering::AcqRel) & mark as u8 != 0
    }
}

/// What many tokens have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shared {
    pub(crate) organization_id: OrganizationId,
    pub(crate) organization_disabled_at: Option<Timestamp>,
    pub(crate) granted: ScopeSet,
    /// The names of the scopes as shown, separated by spaces.
    pub(crate) scopes: Box<str>,
    /// The body of the plain 200 answer, ready to send.
    pub(crate) answer: Bytes,
}

/// The facts of a token that cannot use the compact form.
#[derive(Debug)]
struct More {
    credential: Credential,
    project_id: Option<ProjectId>,
    /// Where the token may be used from; nothing for anywhere.
    networks: Option<AllowedNetworks>,
}

/// What a token is bound to.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// The project, if any.
    pub(crate) project_id: Option<ProjectId>,
    /// Where it may be used from; nothing for anywhere.
    pub(crate) networks: Option<AllowedNetworks>,
}

/// The events of a token's use that are still to be recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// It is the unused successor of a rotation in first-use mode.
    pub(crate) first_use: bool,
    /// No reuse after supersession was recorded yet.
    pub(crate) reuse: bool,
}

impl Shared {
    /// Its size in memory, its place in the set of all included.
    fn cost(&self) -> usize {
        size_of::<Self>() + OVERHEAD + self.scopes.len() + self.answer.len()
    }
}

impl Entry {
    pub(crate) fn new(
        digest: &Tag,
        credential: Credential,
        binding: Binding,
        shared: Arc<Shared>,
        stamp: Stamp,
        pending: Pending,
    ) -> Self {
        let TokenFacts { created_at, expires_at, superseded, revoked } = credential.facts;
        let token_id = credential.token_id;
        let Binding { project_id, networks } = binding;
        let is_plain = matches!(credential.holder, Holder::Organization)
            && superseded.is_none()
            && revoked.is_none()
            && credential.idle.is_none()
            && project_id.is_none()
            && networks.is_none();
        let listed = networks.as_ref().map_or(0, |networks| networks.count() * NETWORK);
        let more = (!is_plain).then(|| Box::new(More { credential, project_id, networks }));
        // Shared bytes are charged evenly to the entries that point at them. The set of all shared records holds one
        // reference itself.
        let sharers = Arc::strong_count(&shared).saturating_sub(1).max(1);
        let boxed = more.as_ref().map_or(0, |_| size_of::<More>() + BOX_OVERHEAD + listed);
        let charged = size_of::<Self>() + OVERHEAD + boxed + shared.cost() / sharers;
        Self {
            digest: *digest,
            token_id,
            shared,
            more,
            created_at,
            expires_at: expires_at.map_or(NEVER, Timestamp::as_micros),
            stamp,
            last_used: AtomicI64::new(0),
            counts: Default::default(),
            charged: u16::try_from(charged.div_ceil(CHARGE)).unwrap_or(u16::MAX),
            marks: Marks::new([(Mark::FirstUse, pending.first_use), (Mark::Reuse, pending.reuse), (Mark::Idle, true)]),
        }
    }

    /// The token.
    pub const fn token_id(&self) -> TokenId {
        self.token_id
    }

    /// Its organisation.
    pub fn organization_id(&self) -> OrganizationId {
        self.shared.organization_id
    }

    /// The facts. Those of most tokens are put together here, which takes a few copies and no allocation.
    pub fn credential(&self) -> Cow<'_, Credential> {
        match &self.more {
            Some(more) => Cow::Borrowed(&more.credential),
            None => Cow::Owned(Credential {
                token_id: self.token_id,
                organization_id: self.shared.organization_id,
                organization_disabled_at: self.shared.organization_disabled_at,
                facts: TokenFacts::new(self.created_at, self.expires_at()),
                granted: self.shared.granted,
                holder: Holder::Organization,
                idle: None,
            }),
        }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        (self.expires_at != NEVER).then(|| Timestamp::from_micros(self.expires_at))
    }

    /// Whether the token may be used from where it was presented, which is asked only of a token that is bound to networks.
    pub fn admits(&self, presented_from: impl FnOnce() -> Option<IpAddr>) -> bool {
        match self.more.as_ref().and_then(|more| more.networks.as_ref()) {
            None => true,
            // An address that is not known lies in no network.
            Some(networks) => presented_from().is_some_and(|address| networks.admits(address)),
        }
    }

    /// The project the token is bound to, if any.
    pub fn project_id(&self) -> Option<ProjectId> {
        self.more.as_ref().and_then(|more| more.project_id)
    }

    /// The body of the plain 200 answer, ready to send: a clone shares the bytes and allocates nothing.
    pub fn answer(&self) -> &Bytes {
        &self.shared.answer
    }

    /// The names of its scopes, as granted while its owner's role covers them all, separated by spaces.
    pub fn scopes(&self) -> &str {
        &self.shared.scopes
    }

    pub(crate) const fn digest(&self) -> &Tag {
        &self.digest
    }

    pub(crate) const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// What it takes of the cache's bytes.
    pub(crate) fn charged(&self) -> usize {
        usize::from(self.charged) * CHARGE
    }

    /// Marks it as looked up lately.
    pub(crate) fn see(&self) {
        self.marks.set(Mark::Seen);
    }

    /// Takes the mark away; whether there was one.
    pub(crate) fn unsee(&self) -> bool {
        self.marks.take(Mark::Seen)
    }

    /// When it was last used through this entry, if it was.
    pub fn last_used(&self) -> Option<Timestamp> {
        let micros = self.last_used.load(Ordering::Relaxed);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    /// Notes that the token was presented; says whether the entry has to be listed for the next round.
    ///
    /// `AcqRel` synchronises with the thread that last took the counts: if it took them before this one was added, this thread
    /// sees that the entry has left the list and lists it again, so no count is lost.
    pub(crate) fn note(&self, kind: UseKind, now: Timestamp) -> bool {
        match kind {
            UseKind::Allowed | UseKind::Insufficient => {
                self.last_used.fetch_max(now.as_micros(), Ordering::Relaxed);
            }
            UseKind::Denied => {}
        }
        self.counts[kind as usize].fetch_add(1, Ordering::AcqRel);
        self.marks.set(Mark::Queued)
    }

    /// The uses counted since the last call of [`take_uses`](Self::take_uses).
    pub(crate) fn noted(&self) -> UseCounts {
        let [allowed, insufficient, denied] =
            UseKind::ALL.map(|kind| u64::from(self.counts[kind as usize].load(Ordering::Acquire)));
        UseCounts { allowed, insufficient, denied }
    }

    /// Takes the uses counted since the last call, to write them to the database.
    pub(crate) fn take_uses(&self) -> Noted {
        // Out of the list first: a use noted from here on puts the entry there again, so nothing is lost between.
        self.marks.take(Mark::Queued);
        let counts = UseKind::ALL.map(|kind| self.counts[kind as usize].swap(0, Ordering::AcqRel));
        let [allowed, insufficient, _] = counts;
        Noted::new(self.token_id, self.last_used().filter(|_| allowed > 0 || insufficient > 0), counts)
    }

    pub(crate) fn take_first_use(&self) -> bool {
        self.marks.take(Mark::FirstUse)
    }

    pub(crate) fn return_first_use(&self) {
        self.marks.set(Mark::FirstUse);
    }

    pub(crate) fn take_reuse(&self) -> bool {
        self.marks.take(Mark::Reuse)
    }

    pub(crate) fn return_reuse(&self) {
        self.marks.set(Mark::Reuse);
    }

    /// Whether a token that was refused for being idle still has to be revoked; true for the first caller only.
    pub(crate) fn take_idle(&self) -> bool {
        self.marks.take(Mark::Idle)
    }

    pub(crate) fn return_idle(&self) {
        self.marks.set(Mark::Idle);
    }

    /// Whether it has fallen idle, as far as this entry knows. One that was killed has nothing to fall from.
    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        let Some(More { credential, .. }) = self.more.as_deref() else { return false };
        let Some(idle) = credential.idle else { return false };
        idle.ends_at(self.last_used()) <= now && credential.facts.status(now).is_live()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_set_and_taken_one_by_one() {
        let marks = Marks::new([(Mark::Queued, false), (Mark::FirstUse, true), (Mark::Idle, true)]);
        let there = || {
            [Mark::Queued, Mark::FirstUse, Mark::Reuse, Mark::Idle, Mark::Seen].map(|mark| u8::from(marks.has(mark)))
        };
        assert_eq!(there(), [0, 1, 0, 1, 0]);
        assert_eq!([marks.set(Mark::Seen), marks.set(Mark::Seen), marks.set(Mark::Idle)], [true, false, false]);
        assert_eq!(
            [marks.take(Mark::FirstUse), marks.take(Mark::FirstUse), marks.take(Mark::Reuse)],
            [true, false, false]
        );
        assert_eq!(there(), [0, 0, 0, 1, 1]);
    }
}
