//! Rows of tokens and idempotency keys.

use super::{inconsistent, span, split_scopes};
use crate::error::StoreError;
use crate::model::IdempotencyRecord;
use crate::schema::{idempotency_keys, tokens};
use crate::sql_types::Digest32;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::id::{ActorId, OrganizationId, ProjectId, TokenId, UserId};
use token_domain::record::{Hint, Principal, StoredSecret, Token, TokenDetails, TokenOwner};
use token_domain::text::{AgentType, Name};
use token_domain::token::{
    AllowedNetworks, Explanation, GraceMode, Kind, RevokeCause, RevokeReason, Revoked, Superseded, TokenFacts,
};

/// A row of `tokens`, without what proves the secret.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub(crate) struct TokenRow {
    pub(super) id: TokenId,
    pub(super) organization_id: OrganizationId,
    kind: String,
    owner_user_id: Option<UserId>,
    actor_id: Option<ActorId>,
    name: String,
    agent_type: String,
    scopes: String,
    project_id: Option<ProjectId>,
    hint: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    lifetime: Option<i64>,
    created_by: String,
    superseded_at: Option<Timestamp>,
    rotated_to: Option<TokenId>,
    grace_ends_at: Option<Timestamp>,
    grace_mode: Option<String>,
    revoked_at: Option<Timestamp>,
    revoked_reason: Option<String>,
    revoked_by: Option<String>,
    rotated_from: Option<TokenId>,
    first_used_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    reuse_detected_at: Option<Timestamp>,
    description: Option<String>,
    external_id: Option<String>,
    metadata: Option<String>,
    allowed_networks: Option<String>,
    revoked_cause: Option<String>,
    revoked_note: Option<String>,
}

impl TokenRow {
    fn owner(&self) -> Option<TokenOwner> {
        match (Kind::parse(&self.kind)?, self.owner_user_id, self.actor_id) {
            (Kind::Organization, None, None) => Some(TokenOwner::Organization),
            (Kind::Personal, Some(user), None) => Some(TokenOwner::Person(user)),
            (Kind::Actor, None, Some(actor)) => Some(TokenOwner::Actor(actor)),
            (Kind::Organization | Kind::Personal | Kind::Actor, _, _) => None,
        }
    }

    fn superseded(&self) -> Result<Option<Superseded>, StoreError> {
        match (self.superseded_at, self.rotated_to, self.grace_ends_at, self.grace_mode.as_deref()) {
            (None, None, None, None) => Ok(None),
            (Some(at), Some(by), Some(grace_ends_at), Some(mode)) => GraceMode::parse(mode)
                .map(|mode| Some(Superseded { at, by, grace_ends_at, mode }))
                .ok_or_else(|| inconsistent("token", self.id, "grace_mode")),
            _ => Err(inconsistent("token", self.id, "superseded_at, rotated_to, grace_ends_at, grace_mode")),
        }
    }

    fn revoked(&self) -> Result<Option<Revoked>, StoreError> {
        match (self.revoked_at, self.revoked_reason.as_deref()) {
            (None, None) => Ok(None),
            (Some(at), Some(reason)) => RevokeReason::parse(reason)
                .map(|reason| Some(Revoked { at, reason }))
                .ok_or_else(|| inconsistent("token", self.id, "revoked_reason")),
            _ => Err(inconsistent("token", self.id, "revoked_at, revoked_reason")),
        }
    }
}

impl TokenRow {
    fn details(&self) -> Result<TokenDetails, StoreError> {
        let bad = |column| inconsistent("token", self.id, column);
        Ok(TokenDetails {
            description: read(self.description.as_deref(), Description::parse_stored)
                .map_err(|()| bad("description"))?,
            external_id: read(self.external_id.as_deref(), ExternalId::parse_stored)
                .map_err(|()| bad("external_id"))?,
            metadata: read(self.metadata.as_deref(), Metadata::parse_stored).map_err(|()| bad("metadata"))?,
            allowed_networks: read(self.allowed_networks.as_deref(), AllowedNetworks::parse_stored)
                .map_err(|()| bad("allowed_networks"))?,
        })
    }

    fn explanation(&self) -> Result<Explanation, StoreError> {
        let bad = |column| inconsistent("token", self.id, column);
        Ok(Explanation {
            cause: read(self.revoked_cause.as_deref(), |text| RevokeCause::parse(text).ok_or(()))
                .map_err(|()| bad("revoked_cause"))?,
            note: read(self.revoked_note.as_deref(), Description::parse_stored).map_err(|()| bad("revoked_note"))?,
        })
    }
}

/// What a column that may be empty holds, unless the domain refuses it.
fn read<T, E>(text: Option<&str>, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, ()> {
    text.map(parse).transpose().map_err(drop)
}

impl TryFrom<TokenRow> for Token {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("token", row.id, column);
        let (details, explanation) = (row.details()?, row.explanation()?);
        let owner = row.owner().ok_or_else(|| bad("kind, owner_user_id, actor_id"))?;
        let facts = TokenFacts {
            created_at: row.created_at,
            expires_at: row.expires_at,
            superseded: row.superseded()?,
            revoked: row.revoked()?,
        };
        let revoked_by = match row.revoked_by.as_deref() {
            Some(text) => Some(Principal::parse(text).ok_or_else(|| bad("revoked_by"))?),
            None => None,
        };
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            owner,
            name: Name::parse_stored(&row.name).map_err(|_| bad("name"))?,
            agent_type: AgentType::parse_stored(&row.agent_type).map_err(|_| bad("agent_type"))?,
            hint: Hint::parse(&row.hint).map_err(|_| bad("hint"))?,
            scopes: split_scopes(&row.scopes),
            project_id: row.project_id,
            facts,
            lifetime: row.lifetime.map(|micros| span(micros).ok_or_else(|| bad("lifetime"))).transpose()?,
            created_by: Principal::parse(&row.created_by).ok_or_else(|| bad("created_by"))?,
            revoked_by,
            rotated_from: row.rotated_from,
            first_used_at: row.first_used_at,
            last_used_at: row.last_used_at,
            reuse_detected_at: row.reuse_detected_at,
            details,
            explanation,
            used_from: Vec::new(),
        })
    }
}

/// The columns of `tokens` that prove a secret. Not `Debug`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub(crate) struct SecretRow {
    secret_hash: String,
    lookup_hint: i64,
    verify_tag: Option<Vec<u8>>,
}

impl From<SecretRow> for StoredSecret {
    fn from(row: SecretRow) -> Self {
        Self { secret_hash: row.secret_hash, lookup_hint: row.lookup_hint, verify_tag: row.verify_tag }
    }
}

/// A row of `idempotency_keys`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct IdempotencyRow {
    organization_id: OrganizationId,
    principal: String,
    operation: String,
    key: String,
    request_digest: Digest32,
    token_id: TokenId,
    created_at: Timestamp,
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = StoreError;

    fn try_from(row: IdempotencyRow) -> Result<Self, StoreError> {
        let principal = Principal::parse(&row.principal)
            .ok_or_else(|| inconsistent("idempotency key for", row.token_id, "principal"))?;
        Ok(Self {
            organization_id: row.organization_id,
            principal,
            operation: row.operation,
            key: row.key,
            request_digest: row.request_digest.0,
            token_id: row.token_id,
            created_at: row.created_at,
        })
    }
}
