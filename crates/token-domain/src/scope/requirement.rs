//! What an operation asks of a credential.

use super::set::ScopeSet;

/// The scopes an operation needs, all of them, with their companions (`requires`) already added.
///
/// Made by [`super::ScopeCatalogue::require`] and its siblings, so it can only speak of entries that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Requirement {
    all: ScopeSet,
}

/// What a credential lacks; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub ScopeSet);

impl Requirement {
    /// Asks for nothing: any live credential will do.
    pub const NOTHING: Self = Self { all: ScopeSet::EMPTY };

    pub(super) const fn all(all: ScopeSet) -> Self {
        Self { all }
    }

    /// What is asked for, companions included.
    pub const fn scopes(&self) -> ScopeSet {
        self.all
    }

    /// Checks an effective set (umbrellas and `implies` already expanded).
    ///
    /// # Errors
    /// The entries that are not covered.
    pub fn check(&self, effective: &ScopeSet) -> Result<(), Missing> {
        if effective.covers(&self.all) { Ok(()) } else { Err(Missing(self.all.difference(*effective))) }
    }
}
