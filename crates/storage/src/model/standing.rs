//! The credential or person that a change is made by, and their rights as read under the locks of the change.

use token_domain::id::{OrganizationId, SessionId, TokenId, UserId};
use token_domain::token::Kind;

use token_domain::record::{AuditHead, Candidate, MembershipStanding, SessionStanding, TokenTerms};

/// The credential that a change is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// None: the person proved who they are in the request itself, or the service acts on its own.
    None,
    /// A session.
    Session(SessionId),
    /// A token of that organisation.
    Token(OrganizationId, TokenId),
}

/// How a person's row is locked until the unit ends. A change that takes a right away from a person everywhere (a new
/// password, the end of all their sessions) locks it exclusively, so that no concurrent change uses that right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Together with other changes that rely on the person's current state.
    Shared,
    /// Alone.
    Exclusive,
}

/// The rows that a change reads and locks when it begins. See [`Tx::open`](crate::Tx::open).
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The trail the change belongs to: an organisation's, or the deployment's.
    pub trail: Option<OrganizationId>,
    /// The credential it is made by.
    pub credential: Credential,
    /// The person behind the credential, or whom it is about, and how their row is held.
    pub person: Option<(UserId, Hold)>,
    /// The kind of token it makes, for the organisation's terms.
    pub terms_for: Option<Kind>,
}

/// The state that a change begins with, read under its locks.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The end of the trail.
    pub head: AuditHead,
    /// The credential as it is now; nothing when it is gone, or there was none.
    pub standing: Option<Standing>,
    /// What the organisation asks of a new token.
    pub terms: TokenTerms,
}

/// A credential as it is now, with all that bears on what it may do.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A session and its person's place in its organisation.
    Session(Box<SessionStanding>),
    /// A token and its owner.
    Token(Box<Candidate>),
    /// A person without a credential, in the organisation of the trail.
    Member(Box<MembershipStanding>),
}
