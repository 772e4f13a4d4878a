//! What can go wrong with the store, in four families that callers treat differently.

use std::fmt;

/// Why the store did not do what it was asked.
///
/// The text never holds a parameter of a statement, so no secret, name or address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is too busy or out of room. Nothing is known; asking again may help. This is
    /// "cannot know", never "no".
    #[error("the database is unavailable: {0}")]
    Unavailable(Outage),
    /// A rule of the schema forbids the change. Nothing was written.
    #[error("the database refuses the change: {0}")]
    Conflict(Constraint),
    /// A row that this program could not have written.
    #[error("the database holds something inconsistent: {0}")]
    Inconsistent(String),
    /// A fault of this program or of the database file.
    #[error("the database cannot be used: {0}")]
    Broken(String),
}

/// A database that cannot answer now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What kind of trouble it is.
    pub kind: OutageKind,
    /// What the database or the operating system said.
    pub detail: String,
}

/// Kinds of trouble with reaching a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutageKind {
    /// No connection could be made.
    Connect,
    /// The connection, or the unit of work, was lost on its way; whether a commit under way took effect is unknown.
    Lost,
    /// It took too long: a statement, a lock, those in front of it, a place in the pool.
    Timeout,
    /// Locked by someone else, or two transactions in each other's way.
    Busy,
    /// No room or no permission to write.
    Disk,
    /// The store is being closed.
    Closed,
    /// This server is not registered among those that share the database, or may not be: it changes nothing.
    Superseded,
}

/// A rule of the schema, as far as callers tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// An organisation of that slug exists.
    OrganizationSlug,
    /// A person with that e-mail address exists.
    UserEmail,
    /// The organisation has a role of that name.
    RoleName,
    /// The person is a member already.
    Membership,
    /// That address is invited to the organisation already.
    Invitation,
    /// Another invitation has that digest.
    InvitationDigest,
    /// The organisation has a project of that slug.
    ProjectSlug,
    /// The project has an access scope of that slug.
    AccessScopeSlug,
    /// The same caller used that key for the same operation before.
    Idempotency,
    /// The same caller used that key for another submission.
    Submission,
    /// Another session has that digest.
    SessionDigest,
    /// The token is the successor of another one already.
    Successor,
    /// A hash of another system that has made a token.
    ImportedHash,
    /// Something referred to is not there, or something is still referred to. SQLite does not say which.
    Reference(Option<String>),
    /// A `CHECK`, by name.
    Check(String),
    /// Any other unique key, `NOT NULL` or trigger, as named by the database.
    Other(String),
}

impl StoreError {
    /// Whether the database could not be asked (503, try again), as opposed to having answered.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn outage(kind: OutageKind, detail: impl Into<String>) -> Self {
        Self::Unavailable(Outage { kind, detail: detail.into() })
    }

    pub(crate) const fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Unavailable(Outage { kind: OutageKind::Lost, .. }))
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrganizationSlug => f.write_str("the organisation's slug is taken"),
            Self::UserEmail => f.write_str("the e-mail address is taken"),
            Self::RoleName => f.write_str("the role's name is taken"),
            Self::Membership => f.write_str("the person is a member already"),
            Self::Invitation => f.write_str("the address is invited already"),
            Self::InvitationDigest => f.write_str("the invitation's digest is taken"),
            Self::ProjectSlug => f.write_str("the project's slug is taken"),
            Self::AccessScopeSlug => f.write_str("the access scope's slug is taken"),
            Self::Idempotency => f.write_str("the idempotency key was used"),
            Self::Submission => f.write_str("the submission's key was used"),
            Self::SessionDigest => f.write_str("the session digest is taken"),
            Self::Successor => f.write_str("the token is a successor already"),
            Self::ImportedHash => f.write_str("the hash was imported already"),
            Self::Reference(Some(name)) => write!(f, "reference {name}"),
            Self::Reference(None) => f.write_str("a reference"),
            Self::Check(name) => write!(f, "check {name}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}
