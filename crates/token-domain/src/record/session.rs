//! A signed-in session.

use crate::Timestamp;
use crate::id::{OrganizationId, SessionId, UserId};

use super::MembershipStanding;

/// A signed-in session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The person.
    pub user_id: UserId,
    /// The one organisation it is for.
    pub organization_id: OrganizationId,
    /// What the client calls itself, cut to 200 characters; for the list of sessions.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When its person last proved to be at it, by password or second factor or at the identity provider; nothing where a front
    /// end vouched for them, or a provider that does not say when.
    pub proven_at: Option<Timestamp>,
    /// The identity provider that it was made by. It counts for the one organisation that trusts the provider, and nowhere else.
    pub provider: Option<String>,
}

/// When and from where a session was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUse {
    /// The session.
    pub session_id: SessionId,
    /// When. Noted once a minute.
    pub last_used_at: Timestamp,
    /// From where, if that is known.
    pub address: Option<String>,
}

/// A session with everything that decides whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStanding {
    /// The session.
    pub session: Session,
    /// The person's place in the session's organisation (a session cannot outlive the membership).
    pub standing: MembershipStanding,
}

impl SessionStanding {
    /// As [`MembershipStanding::lacks_second_factor`]. How people prove who they are at an identity provider is decided there.
    pub const fn lacks_second_factor(&self) -> bool {
        self.session.provider.is_none() && self.standing.lacks_second_factor()
    }
}
