//! Decides which cached reads may still be used, by an order between the reads that are kept and the changes that
//! outdate them.
//!
//! # The rule
//!
//! One counter orders two kinds of events.
//!
//! - A **read** that will be remembered takes the counter's value, its [`Stamp`], *before* its first byte goes to the
//!   database.
//! - A **change** raises the counter *after* its commit, on every way out (success, error, panic, an answer that never
//!   came), and writes the new value into the slot of what it touched, *before* anybody is told that it happened.
//!
//! Something remembered may be used only while the slots of its member and its group hold nothing newer than the stamp
//! it was read under, and that is looked at on **every use**, also on the use of what another request is just reading.
//!
//! # Why it holds
//!
//! Take a request that starts after a change was acknowledged. The slot was written before the acknowledgement, so the
//! request sees the value of that change, or a greater one. If something remembered passes all the same, its stamp is
//! at least that value. The counter reached the value after the commit and the stamp was taken before the read, so the
//! read began after the commit and saw the change.
//!
//! There is no lock, no list of what to evict, and no need to know under which key a cache holds a member: whoever
//! cannot name the key can still fence the member. A hit pays two loads. The runner-up, a fence inside each bucket of
//! the cache and under the bucket's lock, needs that key, and a token whose keyed tag was made with a lost key has none.
//!
//! Slots are shared by hash. A neighbour in a raised slot is read once more; that is all a collision costs.
//!
//! # How it is known
//!
//! `tests/loom` runs a validator, a revoker and a single flight over these fences under every interleaving, and runs
//! the known mistakes too, each of which must be caught. The model grants no more than acquire and release, so nothing
//! rests on the total order that [`SeqCst`](Ordering::SeqCst) adds. The code asks for it all the same: between commit
//! and acknowledgement lie a database and a network, which no memory model describes, the argument above is about
//! before and after, and on x86-64 the instructions are the same.
//!
//! **Invariant:** this crate depends on nothing, never waits and never fails.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots for members (512 KiB). With a million members in a cache, one change makes about fifteen neighbours be read
/// again.
#[cfg(not(loom))]
const MEMBER_SLOTS: usize = 65_536;
/// Slots for groups (32 KiB).
#[cfg(not(loom))]
const GROUP_SLOTS: usize = 4_096;
/// Enough for a neighbour in the same slot and one in another.
#[cfg(loom)]
const MEMBER_SLOTS: usize = 2;
#[cfg(loom)]
const GROUP_SLOTS: usize = 2;

/// A moment in the order of changes, taken before a read that will be remembered. Stamps of one [`Fences`] compare: the
/// greater one saw more changes. Stamps of two have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// What a change touched. Ids are the 128 bits of a UUID; they pick a slot and are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raise {
    /// One member: what is remembered of it is outdated.
    Member(u128),
    /// A group: what is remembered of any of its members is outdated.
    Group(u128),
    /// A member came into being: what was found absent may be absent no longer.
    Created,
    /// Nobody knows what, because somebody else changed it: all that is remembered is outdated.
    Everything,
}

/// The counter and the slots. Shared by everything in a process that remembers reads of one database.
#[derive(Debug)]
pub struct Fences {
    /// Raises so far. It only ever grows: if it could go back, a change would write a value into its slot that stamps
    /// taken before the change already have.
    counter: AtomicU64,
    members: Slots<MEMBER_SLOTS>,
    groups: Slots<GROUP_SLOTS>,
    /// The slot of everything absent: an absent member has no id that a slot could be picked by.
    created: AtomicU64,
}

impl Default for Fences {
    fn default() -> Self {
        Self::new()
    }
}

impl Fences {
    /// Fences that nothing has been raised in.
    pub fn new() -> Self {
        Self { counter: AtomicU64::new(0), members: Slots::new(), groups: Slots::new(), created: AtomicU64::new(0) }
    }

    /// The stamp for a read that is about to begin. Take it before the first byte goes to the database: a stamp taken
    /// later may pass for a change that the read has missed.
    pub fn stamp(&self) -> Stamp {
        Stamp(self.counter.load(Ordering::SeqCst))
    }

    /// Whether what was read of a member of a group, under a stamp, may still be used. Ask on every use: the answer
    /// turns from true to false and never back.
    pub fn holds(&self, stamp: Stamp, member: u128, group: u128) -> bool {
        self.members.get(member).load(Ordering::SeqCst) <= stamp.0
            && self.groups.get(group).load(Ordering::SeqCst) <= stamp.0
    }

    /// Whether "there is no such member", read under a stamp, may still be used. Ask on every use.
    pub fn still_unknown(&self, stamp: Stamp) -> bool {
        self.created.load(Ordering::SeqCst) <= stamp.0
    }

    /// Outdates every read that began before this call and that the change affects. Call it after the commit, whether or
    /// not the commit is known to have succeeded, and before the answer to the change is sent.
    pub fn raise(&self, touched: Raise) {
        // An addition, not a load and a store, with which a slow change would set the counter back.
        let value = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
        // The greater value, not the later one: of two changes to a slot, the one that counted first may write last.
        // Written before counting, the slot would outdate reads that begin in between as well.
        let write = |slot: &AtomicU64| {
            slot.fetch_max(value, Ordering::SeqCst);
        };
        match touched {
            Raise::Member(member) => write(self.members.get(member)),
            Raise::Group(group) => write(self.groups.get(group)),
            Raise::Created => write(&self.created),
            Raise::Everything => {
                self.members.0.iter().for_each(write);
                write(&self.created);
            }
        }
    }
}

/// The value of the last change to each of `N` sets of ids.
#[derive(Debug)]
struct Slots<const N: usize>(Box<[AtomicU64]>);

impl<const N: usize> Slots<N> {
    fn new() -> Self {
        Self((0..N).map(|_| AtomicU64::new(0)).collect())
    }

    /// The slot of an id: the low bits of a `UUIDv7` are random, so they spread by themselves.
    fn get(&self, id: u128) -> &AtomicU64 {
        &self.0[slot_of::<N>(id)]
    }
}

/// The low bits of an id, as many as `N` slots need.
const fn slot_of<const N: usize>(id: u128) -> usize {
    const { assert!(N.is_power_of_two() && N <= 1 << 16, "as many slots as some of the low 16 bits can tell apart") }
    let [.., high, low] = id.to_be_bytes();
    u16::from_be_bytes([high, low]) as usize & (N - 1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Whether a stamp is still good for: member 1 of group 1, member 2 of group 1, member 3 of group 2, the absent.
    fn good_for(fences: &Fences, stamp: Stamp) -> [bool; 4] {
        let holds = |member, group| fences.holds(stamp, member, group);
        [holds(1, 1), holds(2, 1), holds(3, 2), fences.still_unknown(stamp)]
    }

    #[test]
    fn a_change_outdates_what_was_read_of_it_before_and_nothing_else() {
        let table = [
            (Raise::Member(1), [false, true, true, true]),
            (Raise::Group(1), [false, false, true, true]),
            (Raise::Created, [true, true, true, false]),
            (Raise::Everything, [false; 4]),
        ];
        for (touched, expected) in table {
            let fences = Fences::new();
            let before = fences.stamp();
            assert_eq!(good_for(&fences, before), [true; 4], "{touched:?}");
            fences.raise(touched);
            assert_eq!(good_for(&fences, before), expected, "{touched:?}");
            let after = fences.stamp();
            assert!(before < after);
            assert_eq!(good_for(&fences, after), [true; 4], "{touched:?}");
        }
    }

    #[test]
    fn what_is_outdated_stays_outdated() {
        let fences = Fences::new();
        let before = fences.stamp();
        for touched in [Raise::Member(1), Raise::Member(2), Raise::Group(9), Raise::Created, Raise::Member(1)] {
            fences.raise(touched);
            assert!(!fences.holds(before, 1, 1), "after {touched:?}");
        }
        assert!(fences.holds(fences.stamp(), 1, 1));
    }

    #[test]
    fn neighbours_in_a_slot_are_outdated_together() {
        let slots = u128::try_from(MEMBER_SLOTS).unwrap();
        let fences = Fences::new();
        let before = fences.stamp();
        fences.raise(Raise::Member(7));
        assert!(!fences.holds(before, 7 + slots, 1));
        assert!(!fences.holds(before, 7 + (1 << 127), 1));
        assert!(fences.holds(before, 8, 1));
    }

    #[test]
    fn ids_reach_every_slot_by_their_low_bits() {
        let table = [
            (0, 0, 0),
            (1, 1, 1),
            (0xfff, 0xfff, 0xfff),
            (0x1000, 0x1000, 0),
            (0xffff, 0xffff, 0xfff),
            (0x1_0000, 0, 0),
            (u128::MAX, 0xffff, 0xfff),
            (u128::MAX << 16, 0, 0),
        ];
        for (id, member, group) in table {
            assert_eq!(slot_of::<MEMBER_SLOTS>(id), member, "{id:#x}");
            assert_eq!(slot_of::<GROUP_SLOTS>(id), group, "{id:#x}");
        }
    }
}
