//! What diesel reports, sorted into the families of [`StoreError`].
//!
//! PostgreSQL names the breached constraint. SQLite names the columns of a unique key and the name of a `CHECK`, and
//! says nothing about a reference. Outages are told by their text: neither driver passes a code on.

use crate::error::{Constraint, OutageKind, StoreError};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind as Kind, Error};

/// Unique keys by name (PostgreSQL) and by columns (SQLite).
const UNIQUE_KEYS: [(&str, &str, Constraint); 13] = [
    ("organizations_slug_key", "organizations.slug", Constraint::OrganizationSlug),
    ("users_email_key_key", "users.email_key", Constraint::UserEmail),
    ("roles_name_key_key", "roles.organization_id, roles.name_key", Constraint::RoleName),
    ("memberships_pkey", "memberships.organization_id, memberships.user_id", Constraint::Membership),
    ("invitations_email_key_key", "invitations.organization_id, invitations.email_key", Constraint::Invitation),
    ("invitations_code_digest_key", "invitations.code_digest", Constraint::InvitationDigest),
    ("projects_slug_key", "projects.organization_id, projects.slug", Constraint::ProjectSlug),
    ("access_scopes_slug_key", "access_scopes.project_id, access_scopes.slug", Constraint::AccessScopeSlug),
    (
        "idempotency_keys_pkey",
        "idempotency_keys.organization_id, idempotency_keys.principal, idempotency_keys.operation, idempotency_keys.key",
        Constraint::Idempotency,
    ),
    (
        "execution_keys_pkey",
        "execution_keys.organization_id, execution_keys.principal, execution_keys.key",
        Constraint::Submission,
    ),
    ("sessions_token_digest_key", "sessions.token_digest", Constraint::SessionDigest),
    ("tokens_rotated_to_key", "tokens.rotated_to", Constraint::Successor),
    ("imported_tokens_pkey", "imported_tokens.identity", Constraint::ImportedHash),
];

/// Parts of messages that tell an outage, in lower case. Sources: all of SQLite's `sqlite3ErrStr` that say something of the
/// file and not of the statement; PostgreSQL's English messages of classes 08, 40, 53, 55, 57, 58 and XX. A table that is
/// not there is one too: the database was emptied or replaced, which is no fault of the request.
const OUTAGES: [(&str, OutageKind); 43] = [
    ("database is locked", OutageKind::Busy),
    ("database table is locked", OutageKind::Busy),
    ("database schema is locked", OutageKind::Busy),
    ("locking protocol", OutageKind::Busy),
    ("database schema has changed", OutageKind::Busy),
    ("deadlock detected", OutageKind::Busy),
    ("could not serialize access", OutageKind::Busy),
    ("database is being accessed", OutageKind::Busy),
    ("disk i/o error", OutageKind::Disk),
    ("database or disk is full", OutageKind::Disk),
    ("database disk image is malformed", OutageKind::Disk),
    ("file is not a database", OutageKind::Disk),
    ("large file support is disabled", OutageKind::Disk),
    ("access permission denied", OutageKind::Disk),
    ("readonly database", OutageKind::Disk),
    ("read-only transaction", OutageKind::Disk),
    ("no space left on device", OutageKind::Disk),
    ("could not extend file", OutageKind::Disk),
    ("could not open file", OutageKind::Disk),
    ("could not read", OutageKind::Disk),
    ("could not write", OutageKind::Disk),
    ("could not fsync", OutageKind::Disk),
    ("could not access status of transaction", OutageKind::Disk),
    ("invalid page in block", OutageKind::Disk),
    ("unexpected zero page", OutageKind::Disk),
    ("input/output error", OutageKind::Disk),
    ("unable to open database file", OutageKind::Connect),
    ("no such table", OutageKind::Connect),
    ("does not exist", OutageKind::Connect),
    ("too many clients", OutageKind::Connect),
    ("too many connections", OutageKind::Connect),
    ("remaining connection slots are reserved", OutageKind::Connect),
    ("the database system is", OutageKind::Connect),
    ("out of memory", OutageKind::Busy),
    ("out of shared memory", OutageKind::Busy),
    ("interrupted", OutageKind::Timeout),
    ("statement timeout", OutageKind::Timeout),
    ("lock timeout", OutageKind::Timeout),
    ("user request", OutageKind::Timeout),
    ("idle-in-transaction timeout", OutageKind::Lost),
    ("terminating connection", OutageKind::Lost),
    ("connection closed", OutageKind::Lost),
    ("server closed the connection", OutageKind::Lost),
];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => from_database(kind, information.as_ref()),
            Error::DeserializationError(cause) => Self::Inconsistent(cause.to_string()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            Error::BrokenTransactionManager => {
                Self::outage(OutageKind::Lost, "the transaction was lost with its connection")
            }
            other => Self::Broken(other.to_string()),
        }
    }
}

fn from_database(kind: Kind, information: &dyn DatabaseErrorInformation) -> StoreError {
    let message = information.message();
    let name = information.constraint_name();
    match kind {
        Kind::UniqueViolation => StoreError::Conflict(unique(name, message)),
        Kind::ForeignKeyViolation | Kind::RestrictViolation => {
            StoreError::Conflict(Constraint::Reference(name.map(str::to_owned)))
        }
        Kind::CheckViolation => {
            StoreError::Conflict(Constraint::Check(name.unwrap_or(after_colon(message)).to_owned()))
        }
        Kind::NotNullViolation | Kind::ExclusionViolation => {
            StoreError::Conflict(Constraint::Other(name.unwrap_or(message).to_owned()))
        }
        Kind::SerializationFailure => StoreError::outage(OutageKind::Busy, message),
        Kind::ReadOnlyTransaction => StoreError::outage(OutageKind::Disk, message),
        Kind::UnableToSendCommand | Kind::ClosedConnection => StoreError::outage(OutageKind::Lost, message),
        _ => from_text(message),
    }
}

fn from_text(message: &str) -> StoreError {
    let lower = message.to_ascii_lowercase();
    if let Some((_, kind)) = OUTAGES.iter().find(|(part, _)| lower.contains(part)) {
        return StoreError::outage(*kind, message);
    }
    if lower.contains("append-only") {
        return StoreError::Conflict(Constraint::Other(message.to_owned()));
    }
    StoreError::Broken(message.to_owned())
}

fn unique(name: Option<&str>, message: &str) -> Constraint {
    let columns = after_colon(message);
    UNIQUE_KEYS
        .iter()
        .find(|(known, known_columns, _)| name.map_or(columns == *known_columns, |name| name == *known))
        .map_or_else(|| Constraint::Other(name.unwrap_or(columns).to_owned()), |(_, _, constraint)| constraint.clone())
}

fn after_colon(message: &str) -> &str {
    message.split_once(": ").map_or(message, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_told_by_their_text() {
        for (message, kind) in [
            ("database is locked", OutageKind::Busy),
            ("canceling statement due to statement timeout", OutageKind::Timeout),
            ("canceling statement due to lock timeout", OutageKind::Timeout),
            ("terminating connection due to administrator command", OutageKind::Lost),
            ("sorry, too many clients already", OutageKind::Connect),
            ("the database system is starting up", OutageKind::Connect),
            ("database or disk is full", OutageKind::Disk),
            ("database disk image is malformed", OutageKind::Disk),
            ("file is not a database", OutageKind::Disk),
            ("disk I/O error", OutageKind::Disk),
            ("locking protocol", OutageKind::Busy),
            ("interrupted", OutageKind::Timeout),
            ("no such table: tokens", OutageKind::Connect),
            ("relation \"tokens\" does not exist", OutageKind::Connect),
            ("database \"nolapse\" does not exist", OutageKind::Connect),
            ("could not read block 7 in file \"base/5/1234\": Input/output error", OutageKind::Disk),
            ("invalid page in block 7 of relation base/5/1234", OutageKind::Disk),
            ("terminating connection due to idle-in-transaction timeout", OutageKind::Lost),
        ] {
            assert_eq!(from_text(message), StoreError::outage(kind, message), "{message}");
        }
        for fault in
            ["syntax error at or near \"FORM\"", "near \"FORM\": syntax error", "bad parameter or other API misuse"]
        {
            assert!(matches!(from_text(fault), StoreError::Broken(_)), "{fault}");
        }
        assert!(matches!(from_text("audit events are append-only"), StoreError::Conflict(Constraint::Other(_))));
    }

    #[test]
    fn unique_keys_are_told_by_name_or_by_columns() {
        for (name, columns, constraint) in UNIQUE_KEYS {
            assert_eq!(unique(Some(name), "duplicate key value violates unique constraint"), constraint);
            assert_eq!(unique(None, &format!("UNIQUE constraint failed: {columns}")), constraint);
        }
        assert_eq!(unique(None, "UNIQUE constraint failed: tokens.id"), Constraint::Other("tokens.id".into()));
    }
}
