//! How projects, access scopes and actors are listed and changed.

use token_domain::Timestamp;
use token_domain::access::{
    ActorName, ActorType, Description, ExternalId, Metadata, OrderBy, Paging, ScopeDisplayName,
};
use token_domain::id::{AccessScopeId, ProjectId};

/// What happens to a value that may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It becomes this.
    Set(T),
}

/// A change to an access scope. Its slug never changes.
#[derive(Clone, Debug, Default)]
pub struct AccessScopeEdit {
    /// Its name.
    pub name: Change<ScopeDisplayName>,
    /// Its description.
    pub description: Change<Description>,
    /// Its notes.
    pub metadata: Change<Metadata>,
    /// Whether it is active, if that changes.
    pub is_active: Option<bool>,
}

/// A change to an actor.
#[derive(Clone, Debug, Default)]
pub struct ActorEdit {
    /// A new name.
    pub name: Option<ActorName>,
    /// A new type.
    pub actor_type: Option<ActorType>,
    /// Its description.
    pub description: Change<Description>,
    /// What another system calls it.
    pub external_id: Change<ExternalId>,
    /// Its notes.
    pub metadata: Change<Metadata>,
    /// Its tenant boundary, which is of the same project.
    pub access_scope_id: Change<AccessScopeId>,
    /// Since when it is switched off.
    pub disabled_at: Change<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Change<Timestamp>,
}

/// Which page of a list, in what order.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The order; ties are broken by id, in the same direction. What has no name comes last when names ascend. Actors
    /// have no slug and are ordered by name instead.
    pub order: OrderBy,
    /// The page.
    pub paging: Paging,
    /// Only what has this in its name or slug, without regard to ASCII case. Taken literally, no wildcards.
    pub search: Option<String>,
}

/// Which actors to list.
#[derive(Clone, Copy, Debug)]
pub struct ActorFilter {
    /// Whose.
    pub project_id: ProjectId,
    /// Of which tenant boundary.
    pub scoped_to: ScopedTo,
}

/// Which tenant boundary actors are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopedTo {
    /// Any, or none.
    Anything,
    /// None.
    Nothing,
    /// This one.
    This(AccessScopeId),
}

/// How much there is in a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectContents {
    /// Its access scopes.
    pub access_scopes: u64,
    /// Its actors.
    pub actors: u64,
    /// Live tokens of its actors and live tokens that are bound to it.
    pub live_tokens: u64,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many the whole list has, at nearly the same moment.
    pub total: u64,
}

impl<T> Change<T> {
    /// What to make of the new value, unless it stays.
    pub(crate) fn then<'c, R>(&'c self, update: impl FnOnce(Option<&'c T>) -> R) -> Option<R> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(update(None)),
            Self::Set(value) => Some(update(Some(value))),
        }
    }
}
