//! The world around the fences, as small as it can be: one row, a cache of one place, a memory of one unknown token,
//! one flight, a validator and changes. [`Habit`] says which mistake is made, if any.

use std::sync::Arc;

use fence::Raise;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex, MutexGuard};

use crate::fencing::Fencing;
use crate::tally::{Event, Tally};

/// The token that everything is about, and its organisation.
pub(crate) const TOKEN: u128 = 1;
pub(crate) const ORGANIZATION: u128 = 1;
/// A token in the same slot, and one in another.
pub(crate) const SLOT_MATE: u128 = 3;
pub(crate) const STRANGER: u128 = 2;

/// How often a request looks again when a change overtook what it waited for, before it reads for itself alone.
const ROUNDS: usize = 2;

const UNPOISONED: &str = "nobody panics while holding a lock of the model";

/// What the row says, and so what a validation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    Unknown,
    Live,
    Dead,
}

/// How the fences are used: as meant, or with one mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    AsMeant,
    /// The fence is raised before the commit and not after it.
    RaiseBeforeCommit,
    /// The change is acknowledged, then the fence is raised.
    RaiseAfterTelling,
    /// The stamp is taken when the read is back.
    StampAfterRead,
    /// The stamp is looked at under the cache's lock when something is inserted, and never again.
    LookOnInsertOnly,
    /// What is remembered is never looked at again; the change evicts it, as with the usual cache libraries.
    EvictOnly,
    /// As above, and the stamp is looked at before the insert, without the lock.
    EvictAndLookBeforeInsert,
    /// As above, and with the lock. Not a mistake: what another service might do that knows its keys.
    EvictAndLookOnInsert,
    /// What another request has read is taken as it comes.
    TrustFlights,
}

/// One read of the row.
#[derive(Clone, Copy, Debug)]
struct Read<S> {
    stamp: S,
    facts: Facts,
}

/// A read under way that others wait for.
struct Flight<S> {
    landed: Mutex<Option<Read<S>>>,
    landing: Condvar,
}

enum Place<S> {
    Leader(Arc<Flight<S>>),
    Follower(Arc<Flight<S>>),
}

/// A change to the row, and what is fenced for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) facts: Facts,
    pub(crate) touched: Raise,
}

/// Everything that requests of one process share.
pub(crate) struct World<F: Fencing> {
    fences: F,
    habit: Habit,
    row: Mutex<Facts>,
    cache: Mutex<Option<Read<F::Stamp>>>,
    /// Only where the token is unknown at first. Elsewhere nobody would write here, and a lock around nothing doubles
    /// the executions and adds none that differ.
    unknown: Option<Mutex<Option<F::Stamp>>>,
    flight: Mutex<Option<Arc<Flight<F::Stamp>>>>,
    /// The client that asked for the change has its answer.
    acknowledged: AtomicBool,
    tally: Arc<Tally>,
}

impl<F: Fencing> World<F> {
    pub(crate) fn new(fences: F, habit: Habit, row: Facts, tally: &Arc<Tally>) -> Self {
        Self {
            fences,
            habit,
            row: Mutex::new(row),
            cache: Mutex::new(None),
            unknown: (row == Facts::Unknown).then(|| Mutex::new(None)),
            flight: Mutex::new(None),
            acknowledged: AtomicBool::new(false),
            tally: Arc::clone(tally),
        }
    }

    /// Raises the fence of a change to some other row.
    pub(crate) fn raise(&self, touched: Raise) {
        self.fences.raise(touched);
    }

    /// Commits a change, raises the fence, tells the client.
    pub(crate) fn change(&self, change: Change) {
        let commit = || *hold(&self.row) = change.facts;
        let raise = || self.fences.raise(change.touched);
        let tell = || self.acknowledged.store(true, Ordering::Release);
        match self.habit {
            Habit::AsMeant | Habit::StampAfterRead | Habit::LookOnInsertOnly | Habit::TrustFlights => {
                commit();
                raise();
                tell();
            }
            Habit::EvictOnly | Habit::EvictAndLookBeforeInsert | Habit::EvictAndLookOnInsert => {
                commit();
                raise();
                *hold(&self.cache) = None;
                tell();
            }
            Habit::RaiseBeforeCommit => {
                raise();
                commit();
                tell();
            }
            Habit::RaiseAfterTelling => {
                commit();
                tell();
                raise();
            }
        }
    }

    /// Whether the change had been acknowledged, as the client of a request that is about to begin may know.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// One request, from its first step to its answer.
    pub(crate) fn validate(&self) -> Facts {
        if let Some(facts) = self.known() {
            return facts;
        }
        for _ in 0..ROUNDS {
            if self.known_to_be_unknown() {
                return Facts::Unknown;
            }
            match self.join() {
                Place::Leader(flight) => {
                    let read = self.read();
                    self.keep(read);
                    self.land(&flight, read);
                    return read.facts;
                }
                Place::Follower(flight) => {
                    let read = landed(&flight);
                    if self.habit == Habit::TrustFlights || self.usable(read) {
                        self.tally.count(Event::FollowedFlight);
                        return read.facts;
                    }
                    self.tally.count(Event::RefusedFlight);
                }
            }
        }
        self.tally.count(Event::ReadAlone);
        self.read().facts
    }

    /// What the cache knows and may still use.
    fn known(&self) -> Option<Facts> {
        let read = (*hold(&self.cache))?;
        let looks = match self.habit {
            Habit::LookOnInsertOnly
            | Habit::EvictOnly
            | Habit::EvictAndLookBeforeInsert
            | Habit::EvictAndLookOnInsert => false,
            Habit::AsMeant
            | Habit::RaiseBeforeCommit
            | Habit::RaiseAfterTelling
            | Habit::StampAfterRead
            | Habit::TrustFlights => true,
        };
        let used = !looks || self.usable(read);
        self.tally.count(if used { Event::UsedCache } else { Event::RefusedCache });
        used.then_some(read.facts)
    }

    fn known_to_be_unknown(&self) -> bool {
        let remembered = self.unknown.as_ref().and_then(|unknown| *hold(unknown));
        let used = remembered.map(|stamp| self.fences.still_unknown(stamp));
        match used {
            Some(true) => self.tally.count(Event::UsedUnknown),
            Some(false) => self.tally.count(Event::RefusedUnknown),
            None => {}
        }
        used == Some(true)
    }

    fn usable(&self, read: Read<F::Stamp>) -> bool {
        match read.facts {
            Facts::Unknown => self.fences.still_unknown(read.stamp),
            Facts::Live | Facts::Dead => self.fences.holds(read.stamp, TOKEN, ORGANIZATION),
        }
    }

    fn read(&self) -> Read<F::Stamp> {
        if self.habit == Habit::StampAfterRead {
            let facts = *hold(&self.row);
            return Read { facts, stamp: self.fences.stamp() };
        }
        let stamp = self.fences.stamp();
        Read { stamp, facts: *hold(&self.row) }
    }

    fn keep(&self, read: Read<F::Stamp>) {
        if read.facts == Facts::Unknown {
            if let Some(unknown) = &self.unknown {
                *hold(unknown) = Some(read.stamp);
            }
            return;
        }
        if self.habit == Habit::EvictAndLookBeforeInsert && !self.usable(read) {
            return;
        }
        let mut cache = hold(&self.cache);
        let looks = matches!(self.habit, Habit::LookOnInsertOnly | Habit::EvictAndLookOnInsert);
        if looks && !self.usable(read) {
            return;
        }
        if cache.is_none_or(|older| older.stamp <= read.stamp) {
            *cache = Some(read);
        }
    }

    fn join(&self) -> Place<F::Stamp> {
        let mut flight = hold(&self.flight);
        if let Some(flight) = &*flight {
            return Place::Follower(Arc::clone(flight));
        }
        let ours = Arc::new(Flight { landed: Mutex::new(None), landing: Condvar::new() });
        *flight = Some(Arc::clone(&ours));
        Place::Leader(ours)
    }

    /// Tells the followers first: until the flight is taken down, newcomers still join it and find it landed.
    fn land(&self, flight: &Flight<F::Stamp>, read: Read<F::Stamp>) {
        *hold(&flight.landed) = Some(read);
        flight.landing.notify_all();
        *hold(&self.flight) = None;
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(UNPOISONED)
}

fn landed<S: Copy>(flight: &Flight<S>) -> Read<S> {
    let mut landed = hold(&flight.landed);
    loop {
        if let Some(read) = *landed {
            return read;
        }
        landed = flight.landing.wait(landed).expect(UNPOISONED);
    }
}
