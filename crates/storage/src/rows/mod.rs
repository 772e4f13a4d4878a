//! Rows as they lie in the tables, and the two mappings between them and the records of [`model`](crate::model):
//! record → row never fails, row → record checks everything again.

mod audit;
mod candidate;
mod execution;
mod mail;
mod node;
mod people;
mod policy;
mod project;
mod tenant;
mod token;
mod trust;
mod usage;
mod webhook;

pub(crate) use audit::{AuditEventRow, AuditHeadRow, LogRow, NIL_TRAIL, touched_columns};
pub(crate) use candidate::{CandidateRow, candidate_query};
pub(crate) use execution::{BaselineRow, ExecutionKeyRow, ExecutionRow, RepositoryRow};
pub(crate) use mail::{MailRow, PasswordResetRow};
pub(crate) use node::{NodeRow, applied_text};
pub(crate) use people::{
    InvitationRow, MembershipRow, RoleRow, SecondFactorRow, SessionRow, SessionUseRow, StandingRow, UserRow,
    parse_name, role_columns, standing,
};
pub(crate) use policy::RuleRow;
pub(crate) use project::{AccessScopeRow, ActorRow, ProjectRow};
pub(crate) use tenant::OrganizationRow;
pub(crate) use token::{IdempotencyRow, SecretRow, TokenRow};
pub(crate) use trust::{AttemptRow, TrustPolicyRow};
pub(crate) use usage::{OrganizationUsageRow, OriginRow, ScopeUseRow, UsageRow};
pub(crate) use webhook::{DeliveryRow, DueRow, SecretsRow, WebhookRow};

use crate::error::StoreError;
use std::fmt::Debug;
use token_domain::{Span, Timestamp};

/// A column of a row that the domain refuses.
pub(crate) fn inconsistent(table: &str, id: impl Debug, column: &str) -> StoreError {
    StoreError::Inconsistent(format!("{table} {id:?}: {column}"))
}

/// A span of that many microseconds; nothing when it is negative.
fn span(micros: i64) -> Option<Span> {
    (micros >= 0).then(|| Timestamp::from_micros(micros).since(Timestamp::EPOCH))
}

/// Scope names as one text, separated by single spaces.
///
/// A name that is empty or has a space in it would read back as something else and is refused.
pub(crate) fn join_scopes(scopes: &[String]) -> Result<String, StoreError> {
    if scopes.iter().any(|scope| scope.is_empty() || scope.contains(' ')) {
        return Err(StoreError::Broken("a scope name that is empty or has a space in it cannot be stored".to_owned()));
    }
    Ok(scopes.join(" "))
}

/// The reverse of [`join_scopes`].
pub(crate) fn split_scopes(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}
