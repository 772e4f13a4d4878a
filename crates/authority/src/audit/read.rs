//! Questions about a trail: lists, the whole of it for a file, and whether it is as it was written.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use storage::model::{AuditFilter, SEARCHED_ROWS};
use storage::{Store, StoreError};
use token_domain::Timestamp;
use token_domain::access::Direction;
use token_domain::id::OrganizationId;
use token_domain::record::{AuditRecord, Principal};

use super::chain::{Break, Chain, Fault, Place};
use crate::cursor::cut;
use crate::error::Failure;

/// Events read at once, for files and for verification: what either holds in memory.
const PAGE: u32 = 500;
/// Events that one verification looks at, unless told otherwise, before it says how far it came: about a second.
const MOST_AT_ONCE: i64 = 50_000;

/// Which events to list. All conditions hold together.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Only this action.
    pub action: Option<String>,
    /// Only by this principal.
    pub actor: Option<Principal>,
    /// Only on what has this id, as events show it.
    pub target_id: Option<String>,
    /// Only at this moment or later.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Oldest first, or newest first.
    pub direction: Direction,
    /// Only what comes after the event of this number, in that direction.
    pub after: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

impl ListRequest {
    /// All events after the one of this number, oldest first, as many at once as files and verifications read.
    pub const fn after(after: i64) -> Self {
        Self {
            action: None,
            actor: None,
            target_id: None,
            from: None,
            until: None,
            direction: Direction::Ascending,
            after: Some(after),
            limit: PAGE,
        }
    }
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub events: Vec<AuditRecord>,
    /// The number of the last event, if more follow. A search looks at [`SEARCHED_ROWS`] events at a time, so there it is the
    /// number of the last event looked at, however few matched.
    pub next: Option<i64>,
}

/// Why a trail was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Somebody is at it already: one at a time for each trail.
    #[error("the trail is being verified already")]
    UnderWay,
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The event after which the walk began.
    pub began: Place,
    /// The last event that was found good.
    pub reached: Place,
    /// How the walk ended after that event.
    pub outcome: Outcome,
}

/// How a walk along a trail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At the end of the trail: it is as it was written.
    Whole,
    /// At the limit of events for one call: go on from [`Verified::reached`].
    More,
    /// At an event that is not as it was written.
    Broken(Break),
}

/// The trails.
pub struct Audit {
    store: Store,
    most_at_once: i64,
    under_way: Mutex<HashSet<Option<OrganizationId>>>,
}

/// The right to verify a trail, until it is dropped.
struct Turn<'a> {
    audit: &'a Audit,
    trail: Option<OrganizationId>,
}

impl Audit {
    /// Over a store.
    pub fn new(store: Store) -> Self {
        Self { store, most_at_once: MOST_AT_ONCE, under_way: Mutex::default() }
    }

    /// The same, with another bound on what one verification looks at.
    #[must_use]
    pub fn at_most(self, events: i64) -> Self {
        Self { most_at_once: events, ..self }
    }

    /// Events of an organisation.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(&self, organization: OrganizationId, request: ListRequest) -> Result<Page, Failure> {
        let limit = request.limit;
        let mut filter = AuditFilter {
            organization_id: Some(organization),
            action: request.action,
            actor: request.actor,
            target_id: request.target_id,
            from: request.from,
            until: request.until,
            direction: request.direction,
            after: request.after,
            up_to: None,
            // One more than asked tells whether there is another page.
            limit: limit + 1,
        };
        let read = self.store.read(move |reads| {
            Box::pin(async move {
                if filter.is_search() {
                    filter.up_to = reads.search_end_of_audit(&filter, SEARCHED_ROWS).await?;
                }
                Ok((reads.list_audit(&filter).await?, filter.up_to))
            })
        });
        let (mut events, searched_to) = read.await?;
        let next = cut(&mut events, limit, |event| event.seq).or(searched_to);
        Ok(Page { events, next })
    }

    /// Every trail there is; nothing stands for the deployment's own.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn trails(&self) -> Result<Vec<Option<OrganizationId>>, Failure> {
        Ok(self.store.read(|reads| Box::pin(reads.audit_trails())).await?)
    }

    /// The end of a trail: what to remember of it.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn end(&self, trail: Option<OrganizationId>) -> Result<Place, Failure> {
        let end = self.store.read(move |reads| Box::pin(reads.audit_end(trail))).await?;
        Ok(end.map_or(Place::START, Place::from))
    }

    /// The next page of a trail after the event `after`, in order, up to and including `last`; empty when there are no more.
    async fn next(&self, trail: Option<OrganizationId>, after: i64, last: i64) -> Result<Vec<AuditRecord>, StoreError> {
        let left = u32::try_from(last.saturating_sub(after)).unwrap_or(0);
        self.behind(trail, after, left.min(PAGE)).await
    }

    async fn behind(
        &self,
        trail: Option<OrganizationId>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let chain = AuditFilter::chain(trail, after, limit);
        self.store.read(move |reads| Box::pin(async move { reads.list_audit(&chain).await })).await
    }

    /// Walks along a stored trail, for at most a bounded number of events, and says whether it is unaltered. The walk starts
    /// after `began`, an event that an earlier walk found good and that must still be there; with `remembered` it must pass
    /// through that event.
    ///
    /// # Errors
    /// [`VerifyError::UnderWay`] while another walk along the same trail goes on in this process.
    pub async fn verify(
        &self,
        trail: Option<OrganizationId>,
        began: Place,
        remembered: Option<Place>,
    ) -> Result<Verified, VerifyError> {
        let _turn = self.turn(trail)?;
        let mut chain = Chain::after(began);
        if let Some(remembered) = remembered {
            chain = chain.through(remembered);
        }
        let outcome = match self.walk(trail, began, &mut chain).await? {
            Ok(outcome) => outcome,
            Err(broken) => Outcome::Broken(broken),
        };
        Ok(Verified { began, reached: chain.reached(), outcome })
    }

    fn turn(&self, trail: Option<OrganizationId>) -> Result<Turn<'_>, VerifyError> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.insert(trail) { Ok(Turn { audit: self, trail }) } else { Err(VerifyError::UnderWay) }
    }

    async fn walk(
        &self,
        trail: Option<OrganizationId>,
        began: Place,
        chain: &mut Chain,
    ) -> Result<Result<Outcome, Break>, Failure> {
        // The end is read first: events appended meanwhile lie behind it and are another walk's.
        let end = self.end(trail).await?;
        if let Err(broken) = self.still_there(trail, began).await? {
            return Ok(Err(broken));
        }
        let stop = began.seq.saturating_add(self.most_at_once).min(end.seq);
        while chain.reached().seq < stop {
            let records = match self.next(trail, chain.reached().seq, stop).await {
                Err(StoreError::Inconsistent(_)) => match self.one_by_one(trail, chain, stop).await? {
                    Ok(()) => continue,
                    Err(broken) => return Ok(Err(broken)),
                },
                records => records?,
            };
            if records.is_empty() {
                // Nothing is left although the end is not reached: the last events were removed.
                return Ok(Err(Break { seq: chain.reached().seq.saturating_add(1), fault: Fault::CutOff }));
            }
            for record in &records {
                if let Err(broken) = chain.take(record) {
                    return Ok(Err(broken));
                }
            }
            // On SQLite a page is read on this very thread: let others have it in between.
            tokio::task::yield_now().await;
        }
        if chain.reached().seq < end.seq {
            return Ok(Ok(Outcome::More));
        }
        self.ends_there(trail, end, chain).await
    }

    /// A place somebody remembered is where they say.
    async fn still_there(&self, trail: Option<OrganizationId>, place: Place) -> Result<Result<(), Break>, Failure> {
        if place.seq == 0 {
            let is_start = place == Place::START;
            return Ok(if is_start { Ok(()) } else { Err(Break { seq: 1, fault: Fault::Replaced }) });
        }
        let broken = |fault| Ok(Err(Break { seq: place.seq, fault }));
        let found = match self.behind(trail, place.seq - 1, 1).await {
            Err(StoreError::Inconsistent(_)) => return broken(Fault::Unreadable),
            records => records?.into_iter().next().filter(|record| record.seq == place.seq),
        };
        match found {
            None => broken(Fault::CutOff),
            Some(record) if super::hash(&record) != record.hash => broken(Fault::Changed),
            Some(record) if record.hash != place.hash => broken(Fault::Replaced),
            Some(_) => Ok(Ok(())),
        }
    }

    /// Reads event by event after a page that has an unreadable row, to find which row it is.
    async fn one_by_one(
        &self,
        trail: Option<OrganizationId>,
        chain: &mut Chain,
        stop: i64,
    ) -> Result<Result<(), Break>, Failure> {
        let first = chain.reached().seq;
        while chain.reached().seq < stop.min(first + i64::from(PAGE)) {
            let next = chain.reached().seq + 1;
            let records = match self.behind(trail, next - 1, 1).await {
                Err(StoreError::Inconsistent(_)) => return Ok(Err(Break { seq: next, fault: Fault::Unreadable })),
                records => records?,
            };
            let taken =
                records.first().map_or(Err(Break { seq: next, fault: Fault::CutOff }), |record| chain.take(record));
            if let Err(broken) = taken {
                return Ok(Err(broken));
            }
        }
        Ok(Ok(()))
    }

    /// The walk came to the end that the trail remembers, and there is nothing behind it.
    async fn ends_there(
        &self,
        trail: Option<OrganizationId>,
        end: Place,
        chain: &Chain,
    ) -> Result<Result<Outcome, Break>, Failure> {
        let reached = chain.reached();
        if reached.seq == end.seq && reached.hash != end.hash {
            return Ok(Err(Break { seq: end.seq, fault: Fault::Replaced }));
        }
        let behind = match self.behind(trail, end.seq, 1).await {
            Err(StoreError::Inconsistent(_)) => {
                return Ok(Err(Break { seq: end.seq + 1, fault: Fault::Unreadable }));
            }
            records => records?,
        };
        if let Some(record) = behind.first() {
            // It may have been appended since; then the end has moved with it.
            if self.end(trail).await?.seq < record.seq {
                return Ok(Err(Break { seq: record.seq, fault: Fault::Added }));
            }
        }
        Ok(chain.end().map(|()| Outcome::Whole))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.audit.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.trail);
    }
}
