//! Rows of trust policies and of attempts under them.

use super::{inconsistent, split_scopes};
use crate::error::StoreError;
use crate::schema::{trust_attempts, trust_policies};
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{ActorId, OrganizationId, ProjectId, TokenId, TrustAttemptId, TrustPolicyId};
use token_domain::record::{Principal, TrustAttempt, TrustOutcome, TrustPolicy};
use token_domain::text::Name;
use token_domain::trust::{Conditions, Preset};

/// A row of `trust_policies`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = trust_policies)]
pub(crate) struct TrustPolicyRow {
    id: TrustPolicyId,
    organization_id: OrganizationId,
    name: String,
    preset: String,
    issuer: String,
    audience: Option<String>,
    conditions: String,
    scopes: String,
    project_id: Option<ProjectId>,
    actor_id: Option<ActorId>,
    ttl_seconds: i32,
    is_enabled: bool,
    created_at: Timestamp,
    created_by: String,
    updated_at: Timestamp,
    updated_by: String,
}

/// A row of `trust_attempts`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = trust_attempts)]
pub(crate) struct AttemptRow {
    policy_id: TrustPolicyId,
    id: TrustAttemptId,
    at: Timestamp,
    outcome: String,
    claim: Option<String>,
    subject: Option<String>,
    address: Option<String>,
    token_id: Option<TokenId>,
}

impl TryFrom<TrustPolicyRow> for TrustPolicy {
    type Error = StoreError;

    fn try_from(row: TrustPolicyRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("trust policy", row.id, column);
        let conditions = serde_json::from_str(&row.conditions).map_err(|_| bad("conditions"))?;
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            name: Name::parse_stored(&row.name).map_err(|_| bad("name"))?,
            preset: Preset::parse(&row.preset).ok_or_else(|| bad("preset"))?,
            conditions: Conditions::read(&conditions).map_err(|_| bad("conditions"))?,
            scopes: split_scopes(&row.scopes),
            project_id: row.project_id,
            actor_id: row.actor_id,
            ttl_seconds: u32::try_from(row.ttl_seconds).map_err(|_| bad("ttl_seconds"))?,
            is_enabled: row.is_enabled,
            created_at: row.created_at,
            created_by: Principal::parse(&row.created_by).ok_or_else(|| bad("created_by"))?,
            updated_at: row.updated_at,
            updated_by: Principal::parse(&row.updated_by).ok_or_else(|| bad("updated_by"))?,
            issuer: row.issuer,
            audience: row.audience,
        })
    }
}

impl TryFrom<AttemptRow> for TrustAttempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        let outcome = TrustOutcome::parse(&row.outcome);
        Ok(Self {
            policy_id: row.policy_id,
            id: row.id,
            at: row.at,
            outcome: outcome.ok_or_else(|| inconsistent("trust attempt", row.id, "outcome"))?,
            claim: row.claim,
            subject: row.subject,
            address: row.address,
            token_id: row.token_id,
        })
    }
}
