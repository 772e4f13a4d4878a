//! Is this token good, and what may it do: the hot path.
//!
//! A known token costs one keyed digest, one look in a shard of the cache, two atomic loads and the decision. Facts
//! are cached, verdicts never: [`decide_used`] runs on every request against the clock of that request.

mod batch;
mod fetch;
mod flight;
mod outcome;
mod recall;

use std::sync::Arc;
use std::time::Duration;

use secret_hash::Tag;
use token_domain::decide::{Denial, Verdict, decide_used};
use token_domain::{Credential, Requirement, ScopeCatalogue, Timestamp};
use token_format::PlainToken;
use tokio::sync::Semaphore;

pub use self::outcome::{Details, Outcome, OutcomeCounters, OutcomeKind};
pub use self::recall::Recalled;

use self::fetch::{Asked, Fetch, Fetched};
use self::flight::{Flights, Place};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::Stamp;
use crate::legacy::ForeignKey;
use crate::memory::{Cache, Negatives, UseKind};
use crate::origin::Presentation;
use crate::usage::{FlushShare, Next, Uses};

pub use crate::memory::{CacheLimits, Entry};

/// The scopes of a token as the wire shows them: as granted while its owner's role covers them all, otherwise what is
/// left of them.
pub fn shown_scopes(catalogue: &ScopeCatalogue, credential: &Credential, listed: &[String]) -> Vec<String> {
    catalogue.restore(listed).map_or_else(
        |_| Vec::new(),
        |grants| fetch::shown(catalogue, credential.effective(), &grants).into_iter().map(str::to_owned).collect(),
    )
}

/// How often a request looks again when a change overtook what it waited for, before it reads for itself alone.
const ROUNDS: usize = 3;
/// Questions to the shared cache at the same time.
const MOST_QUESTIONS: usize = 256;

/// Where facts about a token may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// From another node that read them lately, or the database.
    Others,
    /// From the database.
    Database,
}

/// Bounds of the validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The cache of live and dead tokens.
    pub cache: CacheLimits,
    /// The most unknown digests remembered.
    pub negative_entries: usize,
    /// How long an unknown digest is remembered at most.
    pub negative_ttl: token_domain::Span,
    /// Reads of the database that validation may have under way.
    pub miss_places: usize,
    /// How long a miss waits for a place before it is turned away.
    pub miss_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cache: CacheLimits::default(),
            negative_entries: 100_000,
            negative_ttl: token_domain::Span::seconds(5),
            miss_places: 64,
            miss_wait: Duration::from_millis(250),
        }
    }
}

/// Answers for tokens.
pub struct Validator {
    context: Arc<Context>,
    fetch: Fetch,
    cache: Cache,
    negatives: Negatives,
    flights: Flights,
    misses: Semaphore,
    /// Questions to the shared cache. Those beyond go to the database at once.
    questions: Semaphore,
    miss_wait: Duration,
    counters: OutcomeCounters,
}

impl Validator {
    /// A validator over an empty cache.
    pub fn new(context: &Arc<Context>, limits: &Limits) -> Self {
        Self {
            context: Arc::clone(context),
            fetch: Fetch::new(Arc::clone(context)),
            cache: Cache::new(limits.cache),
            negatives: Negatives::new(limits.negative_entries, limits.negative_ttl),
            flights: Flights::default(),
            misses: Semaphore::new(limits.miss_places.max(1)),
            questions: Semaphore::new(MOST_QUESTIONS),
            miss_wait: limits.miss_wait,
            counters: OutcomeCounters::default(),
        }
    }

    /// Decides about a presented text. Anything that is not a live token of this deployment is
    /// [`Outcome::Invalid`], whatever the reason.
    ///
    /// # Errors
    /// Only when it cannot be known: the store fails, or the lane for misses or slow hashes is full.
    pub async fn validate(
        &self,
        text: &str,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<Outcome, Failure> {
        match PlainToken::parse(text) {
            Ok(token) => self.validate_token(&token, requirement, presented).await,
            Err(_) => match self.foreign(text) {
                Some(key) => Box::pin(self.validate_foreign(&key, requirement, presented)).await,
                None => Ok(self.refuse(OutcomeKind::Malformed)),
            },
        }
    }

    /// As [`Validator::validate`], for a key of another system.
    ///
    /// # Errors
    /// As [`Validator::validate`].
    pub async fn validate_foreign(
        &self,
        key: &ForeignKey,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<Outcome, Failure> {
        self.validate_asked(Asked::foreign(key), requirement, presented).await
    }

    /// A text that is no token of ours as a key of another system, where the deployment accepts such keys.
    pub fn foreign(&self, text: &str) -> Option<ForeignKey> {
        self.context.policy.legacy.shapes.read(text)
    }

    /// As [`Validator::validate`], for a text already known to be token-shaped.
    ///
    /// # Errors
    /// As [`Validator::validate`].
    pub async fn validate_token(
        &self,
        token: &PlainToken,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<Outcome, Failure> {
        if self.is_mistyped(token) {
            return Ok(self.refuse(OutcomeKind::Malformed));
        }
        self.validate_asked(Asked::token(token), requirement, presented).await
    }

    async fn validate_asked(
        &self,
        asked: Asked<'_>,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<Outcome, Failure> {
        let digest = self.context.keyring.digest(asked.token);
        if let Some(recalled) = self.recall_digest(&digest, self.context.now()) {
            return Ok(recalled.decide(requirement, presented));
        }
        // Boxed: its future is large, and would be moved with that of every hit.
        let found = Box::pin(self.find(asked, &digest)).await;
        let Some(entry) = found.inspect_err(|_| self.counters.count(OutcomeKind::Unavailable))? else {
            return Ok(self.refuse(OutcomeKind::Unknown));
        };
        // The clock is read anew: finding it took time.
        Ok(self.answer(entry, requirement, self.context.now(), presented))
    }

    /// As [`Validator::validate`], by a read of the database whatever is remembered: for a caller who knows of a change that
    /// this node has not applied yet.
    ///
    /// # Errors
    /// As [`Validator::validate`].
    pub async fn validate_afresh(
        &self,
        text: &str,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<Outcome, Failure> {
        let (token, foreign) = (PlainToken::parse(text), self.foreign(text));
        let asked = match (&token, &foreign) {
            (Ok(token), _) if !self.is_mistyped(token) => Asked::token(token),
            (Err(_), Some(key)) => Asked::foreign(key),
            (Ok(_) | Err(_), _) => return Ok(self.refuse(OutcomeKind::Malformed)),
        };
        let fetched = self.fetch(asked, &self.context.keyring.digest(asked.token), Source::Database).await;
        let fetched = fetched.inspect_err(|_| self.counters.count(OutcomeKind::Unavailable))?;
        Ok(match fetched.into_entry() {
            Some(entry) => self.answer(entry, requirement, self.context.now(), presented),
            None => self.refuse(OutcomeKind::Unknown),
        })
    }

    /// As [`Validator::validate`], with what `detail` shows besides: that is read from the database each time.
    ///
    /// # Errors
    /// As [`Validator::validate`].
    pub async fn inspect(
        &self,
        text: &str,
        requirement: &Requirement,
        presented: &dyn Presentation,
    ) -> Result<(Outcome, Option<Details>), Failure> {
        self.detailed(self.validate(text, requirement, presented).await?).await
    }

    /// An outcome, with what `detail` shows besides.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn detailed(&self, outcome: Outcome) -> Result<(Outcome, Option<Details>), Failure> {
        let (Outcome::Live(entry) | Outcome::Insufficient { entry, .. }) = &outcome else {
            return Ok((outcome, None));
        };
        let (organization, id) = (entry.organization_id(), entry.token_id());
        let token = self.context.store.read(move |reads| Box::pin(reads.token(organization, id))).await?;
        let Some(mut token) = token else { return Ok((Outcome::Invalid, None)) };
        token.last_used_at = token.last_used_at.max(entry.last_used());
        self.context.uses.add_to([&mut token]);
        let details = Details { status: token.facts.status(self.context.now()), token };
        Ok((outcome, Some(details)))
    }

    /// What it answers from.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Counts of outcomes since the process began.
    pub const fn counters(&self) -> &OutcomeCounters {
        &self.counters
    }

    /// Uses that wait to be written down.
    pub fn uses(&self) -> &Uses {
        &self.context.uses
    }

    /// Writes down everything that was used, without a rest; of how many tokens. What cannot be written is kept for the
    /// next time.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn flush(&self) -> Result<usize, Failure> {
        self.context.uses.flush(&self.context.store, &*self.context.clock, &self.context.catalogue).await
    }

    /// Writes down what was used at a pace, with rests between; what is remembered is what the cache holds.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn flush_at_pace<F>(
        &self,
        share: impl Fn() -> FlushShare,
        rest: impl Fn(Duration) -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Next>,
    {
        let Context { uses, store, clock, catalogue, .. } = &*self.context;
        uses.flush_at_pace(store, &**clock, &|| self.cached(), &share, &rest).await?;
        uses.sightings_at_pace(store, catalogue, share, rest).await
    }

    /// Tokens remembered now, live and dead.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// What they take of the memory that the cache may have, in bytes.
    pub fn cached_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// Tokens that had to make room for others since the process began.
    pub fn evicted(&self) -> u64 {
        self.cache.evicted()
    }

    /// Unknown digests remembered now.
    pub fn cached_unknown(&self) -> usize {
        self.negatives.len()
    }

    /// Forgets everything, as after losing touch with the database.
    pub fn clear(&self) {
        self.cache.clear();
        self.negatives.clear();
    }

    /// Whether no token of this deployment can look like this.
    fn is_mistyped(&self, token: &PlainToken) -> bool {
        !self.context.policy.legacy.lookup && !token.is_checksummed()
    }

    fn refuse(&self, kind: OutcomeKind) -> Outcome {
        self.counters.count(kind);
        Outcome::Invalid
    }

    /// Whether there lately was no such token, and none was made since.
    fn is_known_unknown(&self, digest: &Tag, now: Timestamp) -> bool {
        self.negatives.get(digest, now).is_some_and(|stamp| self.still_unknown(stamp))
    }

    /// What the cache knows and may still use.
    fn known(&self, digest: &Tag, now: Timestamp) -> Option<Arc<Entry>> {
        let entry = self.cache.get(digest)?;
        // Others may have used the token since: before it is refused for want of use, the store is asked.
        (self.usable(&entry) && !entry.is_idle(now)).then_some(entry)
    }

    /// On every use of something remembered: whether this process still is the one that may remember at all, and then the
    /// look at the fence.
    fn usable(&self, entry: &Entry) -> bool {
        self.context.may_remember()
            && self.context.fences.holds(entry.stamp(), entry.token_id(), entry.organization_id())
    }

    /// The same for "there is no such token".
    fn still_unknown(&self, stamp: Stamp) -> bool {
        self.context.may_remember() && self.context.fences.still_unknown(stamp)
    }

    /// Reads a token that the cache does not know, or may no longer use.
    async fn find(&self, asked: Asked<'_>, digest: &Tag) -> Result<Option<Arc<Entry>>, Failure> {
        for _ in 0..ROUNDS {
            if self.is_known_unknown(digest, self.context.now()) {
                return Ok(None);
            }
            match self.flights.join(digest) {
                Place::Leader(landing) => {
                    let fetched = self.fetch(asked, digest, Source::Others).await?;
                    self.keep(digest, &fetched);
                    landing.land(fetched.clone());
                    return Ok(fetched.into_entry());
                }
                Place::Follower(flight) => match flight.landed().await {
                    // Others' reads began before this request did: they count only if nothing changed since.
                    Some(Fetched::Found(entry)) if self.usable(&entry) => return Ok(Some(entry)),
                    Some(Fetched::Unknown(stamp)) if self.still_unknown(stamp) => return Ok(None),
                    Some(Fetched::Found(_) | Fetched::Unknown(_)) | None => {}
                },
            }
        }
        // Overtaken again and again: one read of its own, not kept.
        Ok(self.fetch(asked, digest, Source::Database).await?.into_entry())
    }

    async fn fetch(&self, asked: Asked<'_>, digest: &Tag, source: Source) -> Result<Fetched, Failure> {
        let begun = self.context.comparisons.begun();
        let passed_on = match source {
            // Without a place: those are for reads of the database, and a shared cache that is just not too slow would hold them.
            Source::Others => match self.questions.try_acquire() {
                Ok(_place) => self.fetch.passed_on(digest, self.context.fences.stamp()).await,
                Err(_) => None,
            },
            Source::Database => None,
        };
        let fetched = if let Some(entry) = passed_on {
            Fetched::Found(entry)
        } else {
            let place = tokio::time::timeout(self.miss_wait, self.misses.acquire());
            let _place = place.await.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
            // Before the read: what is read under this stamp is outdated by any change that commits later.
            let stamp = self.context.fences.stamp();
            self.fetch.fetch(asked, digest, stamp).await?
        };
        self.context.comparisons.check(begun)?;
        Ok(fetched)
    }

    fn keep(&self, digest: &Tag, fetched: &Fetched) {
        match fetched {
            Fetched::Found(entry) => {
                if self.cache.insert(Arc::clone(entry)) {
                    let (context, remembered) = (Arc::clone(&self.context), self.cache.len());
                    self.context.units.spawn(async move { context.uses.let_go(remembered) });
                }
            }
            Fetched::Unknown(stamp) => self.negatives.insert(digest, *stamp, self.context.now()),
        }
    }

    fn answer(
        &self,
        entry: Arc<Entry>,
        requirement: &Requirement,
        now: Timestamp,
        presented: &dyn Presentation,
    ) -> Outcome {
        let verdict = decide_used(&entry.credential(), entry.last_used(), requirement, now);
        let is_live = !matches!(verdict, Verdict::Denied(_));
        if is_live {
            self.context.uses.sightings().origin(entry.token_id(), presented, now);
        }
        if is_live && !entry.admits(|| presented.address()) {
            self.used(&entry, UseKind::Insufficient, now);
            self.counters.count(OutcomeKind::Elsewhere);
            return Outcome::Elsewhere(entry);
        }
        match verdict {
            Verdict::Allowed { .. } => {
                self.used(&entry, UseKind::Allowed, now);
                self.context.uses.sightings().scopes(entry.token_id(), requirement, now);
                self.counters.count(OutcomeKind::Live);
                Outcome::Live(entry)
            }
            Verdict::Insufficient { missing, .. } => {
                self.used(&entry, UseKind::Insufficient, now);
                self.counters.count(OutcomeKind::Insufficient);
                Outcome::Insufficient { entry, missing: missing.0 }
            }
            Verdict::Denied(denial) => {
                self.counters.count(OutcomeKind::Denied(denial));
                self.denied(&entry, denial, now, presented);
                Outcome::Invalid
            }
        }
    }

    fn used(&self, entry: &Arc<Entry>, kind: UseKind, now: Timestamp) {
        self.context.uses.note(entry, kind, now);
        if entry.take_first_use() {
            let (context, entry) = (Arc::clone(&self.context), Arc::clone(entry));
            self.context.units.spawn(async move {
                if let Err(error) = crate::tokens::first_use(&context, &entry.credential(), now).await {
                    entry.return_first_use();
                    tracing::warn!(%error, "the first use of a rotated token could not be recorded; it is retried at the next use");
                }
            });
        }
    }

    fn denied(&self, entry: &Arc<Entry>, denial: Denial, now: Timestamp, presented: &dyn Presentation) {
        self.context.uses.note(entry, UseKind::Denied, now);
        if denial == Denial::Idle {
            self.idle(entry, now, presented);
            return;
        }
        if !matches!(denial, Denial::Revoked(_)) || !entry.credential().facts.is_reuse(now) || !entry.take_reuse() {
            return;
        }
        let (context, entry, origin) = (Arc::clone(&self.context), Arc::clone(entry), presented.origin());
        self.context.units.spawn(async move {
            if let Err(error) = crate::tokens::reuse(&context, &entry.credential(), now, &origin).await {
                entry.return_reuse();
                tracing::warn!(%error, "the reuse of a superseded token could not be recorded; it is retried at the next use");
            }
        });
    }

    /// A token that fell idle is revoked when somebody presents it: it does not come back when the policy is lifted.
    fn idle(&self, entry: &Arc<Entry>, now: Timestamp, presented: &dyn Presentation) {
        if !entry.take_idle() {
            return;
        }
        let (context, entry, origin) = (Arc::clone(&self.context), Arc::clone(entry), presented.origin());
        self.context.units.spawn(async move {
            if let Err(error) = crate::tokens::fallen_idle(&context, &entry.credential(), now, &origin).await {
                entry.return_idle();
                tracing::warn!(%error, "an idle token could not be revoked; it is refused anyway");
            }
        });
    }
}
