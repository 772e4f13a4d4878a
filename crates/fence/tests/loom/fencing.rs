//! Fences that can be altered: the real ones, and a copy of them with the order or the strength of one step changed.

use std::fmt::Debug;

use fence::{Fences, Raise, Stamp};
use loom::sync::atomic::{AtomicU64, Ordering};

/// What the model asks of fences.
pub(crate) trait Fencing: Send + Sync + 'static {
    type Stamp: Copy + Debug + Ord + Send;

    fn stamp(&self) -> Self::Stamp;
    fn holds(&self, stamp: Self::Stamp, member: u128, group: u128) -> bool;
    fn still_unknown(&self, stamp: Self::Stamp) -> bool;
    fn raise(&self, touched: Raise);
}

impl Fencing for Fences {
    type Stamp = Stamp;

    fn stamp(&self) -> Stamp {
        self.stamp()
    }

    fn holds(&self, stamp: Stamp, member: u128, group: u128) -> bool {
        self.holds(stamp, member, group)
    }

    fn still_unknown(&self, stamp: Stamp) -> bool {
        self.still_unknown(stamp)
    }

    fn raise(&self, touched: Raise) {
        self.raise(touched);
    }
}

/// How a raise counts and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raising {
    /// As the real fences do. A copy that fails like this would prove nothing about the alterations.
    Faithful,
    /// The counter is loaded and stored back: a slow change sets it back to what it was before others counted.
    CountByStore,
    /// The counter is loaded and raised to at least one more: concurrent changes may share a value.
    CountByMax,
    /// The slot takes the value that was written last, not the greatest.
    WriteByStore,
    /// The slot is written with the value the counter is expected to reach, then the counter is raised.
    WriteBeforeCounting,
}

/// A copy of [`Fences`], one slot per id that the scenarios use.
#[derive(Debug)]
pub(crate) struct Altered {
    raising: Raising,
    counter: AtomicU64,
    members: [AtomicU64; 2],
    groups: [AtomicU64; 2],
    created: AtomicU64,
}

impl Altered {
    pub(crate) fn new(raising: Raising) -> Self {
        let slots = || [AtomicU64::new(0), AtomicU64::new(0)];
        let [counter, created] = slots();
        Self { raising, counter, members: slots(), groups: slots(), created }
    }

    fn write(&self, touched: Raise, value: u64) {
        let slots: Vec<&AtomicU64> = match touched {
            Raise::Member(member) => vec![slot(&self.members, member)],
            Raise::Group(group) => vec![slot(&self.groups, group)],
            Raise::Created => vec![&self.created],
            Raise::Everything => self.members.iter().chain([&self.created]).collect(),
        };
        for slot in slots {
            match self.raising {
                Raising::WriteByStore => slot.store(value, Ordering::SeqCst),
                Raising::Faithful | Raising::CountByStore | Raising::CountByMax | Raising::WriteBeforeCounting => {
                    slot.fetch_max(value, Ordering::SeqCst);
                }
            }
        }
    }
}

fn slot(slots: &[AtomicU64; 2], id: u128) -> &AtomicU64 {
    &slots[usize::from(id % 2 == 1)]
}

impl Fencing for Altered {
    type Stamp = u64;

    fn stamp(&self) -> u64 {
        self.counter.load(Ordering::SeqCst)
    }

    fn holds(&self, stamp: u64, member: u128, group: u128) -> bool {
        slot(&self.members, member).load(Ordering::SeqCst) <= stamp
            && slot(&self.groups, group).load(Ordering::SeqCst) <= stamp
    }

    fn still_unknown(&self, stamp: u64) -> bool {
        self.created.load(Ordering::SeqCst) <= stamp
    }

    fn raise(&self, touched: Raise) {
        match self.raising {
            Raising::Faithful | Raising::WriteByStore => {
                let value = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
                self.write(touched, value);
            }
            Raising::CountByStore => {
                let value = self.counter.load(Ordering::SeqCst) + 1;
                self.counter.store(value, Ordering::SeqCst);
                self.write(touched, value);
            }
            Raising::CountByMax => {
                let value = self.counter.load(Ordering::SeqCst) + 1;
                self.counter.fetch_max(value, Ordering::SeqCst);
                self.write(touched, value);
            }
            Raising::WriteBeforeCounting => {
                let value = self.counter.load(Ordering::SeqCst) + 1;
                self.write(touched, value);
                self.counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}
