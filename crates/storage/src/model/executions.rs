//! How executions are asked for, and remembered for a retry.

use token_domain::Timestamp;
use token_domain::id::{ExecutionId, OrganizationId, RepositoryId};
use token_domain::record::Principal;

/// Which executions to list, newest first.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionFilter {
    /// Of this repository.
    pub repository_id: RepositoryId,
    /// Only those recorded before this one: a keyset cursor.
    pub after: Option<(Timestamp, ExecutionId)>,
    /// At most this many.
    pub limit: u32,
}

/// A remembered submission, so that a retry is answered with the same execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionKey {
    /// Whose key it is.
    pub organization_id: OrganizationId,
    /// Who sent it: two callers may use the same key.
    pub principal: Principal,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the request, so that a key used for something else is noticed. Opaque here.
    pub request_digest: [u8; 32],
    /// What was recorded.
    pub execution_id: ExecutionId,
    /// When.
    pub created_at: Timestamp,
}
