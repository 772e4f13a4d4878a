//! A set of catalogue entries as a fixed-size bit set: copied, never allocated.

use std::fmt;

/// The place of an entry in its catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(u8);

impl ScopeId {
    pub(super) fn new(index: usize) -> Option<Self> {
        u8::try_from(index).ok().map(Self)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

const WORDS: usize = 4;

/// A set of entries of one catalogue (at most 256).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ScopeSet([u64; WORDS]);

impl ScopeSet {
    /// How many entries a catalogue, and so a set, can hold.
    pub const CAPACITY: usize = WORDS * 64;
    /// The set of nothing.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// The set of one entry.
    #[must_use]
    pub fn of(scope: ScopeId) -> Self {
        let mut set = Self::EMPTY;
        set.insert(scope);
        set
    }

    /// Adds an entry.
    pub fn insert(&mut self, scope: ScopeId) {
        self.0[scope.index() / 64] |= 1 << (scope.index() % 64);
    }

    /// Whether the entry is in the set.
    pub fn contains(&self, scope: ScopeId) -> bool {
        self.0[scope.index() / 64] & (1 << (scope.index() % 64)) != 0
    }

    /// Whether every entry of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| theirs & !mine == 0)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// What is in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// The entries, in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = ScopeId> + '_ {
        (0..Self::CAPACITY).filter_map(ScopeId::new).filter(|&scope| self.contains(scope))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(ScopeId::index)).finish()
    }
}

impl FromIterator<ScopeId> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeId>>(scopes: I) -> Self {
        let mut set = Self::EMPTY;
        scopes.into_iter().for_each(|scope| set.insert(scope));
        set
    }
}
