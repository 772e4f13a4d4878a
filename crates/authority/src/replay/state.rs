//! What can be taken away and given back again.

use audit_trail::ledger::Entry;
use token_domain::id::OrganizationId;

use crate::ledger::kinds;

/// A pair of opposite states, of which the last entry counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Member,
    MemberOff,
    PersonOff,
    OrganizationOff,
    ActorOff,
    Rotated,
}

impl State {
    pub(super) const ALL: [Self; 6] =
        [Self::Member, Self::MemberOff, Self::PersonOff, Self::OrganizationOff, Self::ActorOff, Self::Rotated];

    /// The actions that may end it.
    pub(super) const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Member => &["member.add"],
            Self::MemberOff => &["member.enable", "member.add"],
            Self::PersonOff => &["user.enable"],
            Self::OrganizationOff => &["organization.enable"],
            Self::ActorOff => &["actor.update"],
            Self::Rotated => &["token.rotate.cancel"],
        }
    }

    /// Whether an entry about its target ends it.
    pub(super) fn is_ended_by(self, entry: &Entry) -> bool {
        self.ends().contains(&entry.action.as_str()) && kinds::gives_back(entry)
    }
}

/// What can be given back again: the state, the trail, and whose state it is.
pub(super) type Key = (State, Option<OrganizationId>, String);

pub(super) fn key(state: State, entry: &Entry) -> Key {
    (state, entry.organization_id, entry.target_id.clone())
}
