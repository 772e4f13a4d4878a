//! Where tokens are used from, and for which scopes.
//!
//! A token that is not there is skipped.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::rows::{OriginRow, ScopeUseRow};
use crate::schema::{token_origins, token_scope_uses};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::TokenId;
use token_domain::record::{ScopeUse, TokenOrigin};

/// Tokens asked about per statement.
const TOKENS_PER_STATEMENT: usize = 500;

pub(crate) async fn origins_of(conn: &mut Conn<'_>, tokens: &[TokenId]) -> Result<Vec<TokenOrigin>, StoreError> {
    let mut origins = Vec::new();
    for tokens in tokens.chunks(TOKENS_PER_STATEMENT) {
        let rows: Vec<OriginRow> = token_origins::table
            .filter(token_origins::token_id.eq_any(tokens.iter().map(|id| id.bind())))
            .select(OriginRow::as_select())
            .load(conn)
            .await?;
        origins.extend(rows.into_iter().map(TokenOrigin::from));
    }
    origins.sort_by(|one, other| other.last_used_at.cmp(&one.last_used_at).then(one.address.cmp(&other.address)));
    Ok(origins)
}

pub(crate) async fn scope_uses(conn: &mut Conn<'_>, token: TokenId) -> Result<Vec<ScopeUse>, StoreError> {
    let rows: Vec<ScopeUseRow> = token_scope_uses::table
        .filter(token_scope_uses::token_id.eq(token.bind()))
        .order(token_scope_uses::scope)
        .select(ScopeUseRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(ScopeUse::from).collect())
}

pub(crate) async fn record_origins(conn: &mut Conn<'_>, origins: &[TokenOrigin]) -> Result<(), StoreError> {
    Ok(dialect::record_origins(conn, origins).await?)
}

pub(crate) async fn record_scope_uses(conn: &mut Conn<'_>, uses: &[ScopeUse]) -> Result<(), StoreError> {
    Ok(dialect::record_scope_uses(conn, uses).await?)
}
