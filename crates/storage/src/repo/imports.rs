//! Hashes of other systems that were imported.

use super::Conn;
use crate::error::StoreError;
use crate::model::ImportedToken;
use crate::schema::{imported_tokens, tokens};
use crate::sql_types::{Bind, Digest32};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::{OrganizationId, TokenId};

/// Hashes named per statement.
const PER_STATEMENT: usize = 500;

pub(crate) async fn imported(conn: &mut Conn<'_>, identities: &[[u8; 32]]) -> Result<Vec<ImportedToken>, StoreError> {
    let mut found = Vec::new();
    for part in identities.chunks(PER_STATEMENT) {
        let rows: Vec<(Digest32, OrganizationId, TokenId)> = imported_tokens::table
            .filter(imported_tokens::identity.eq_any(part.iter().map(|identity| identity.to_vec())))
            .select((imported_tokens::identity, imported_tokens::organization_id, imported_tokens::token_id))
            .load(conn)
            .await?;
        found.extend(rows.into_iter().map(|(Digest32(identity), organization_id, token_id)| ImportedToken {
            identity,
            organization_id,
            token_id,
        }));
    }
    Ok(found)
}

pub(crate) async fn insert_imported(conn: &mut Conn<'_>, record: &ImportedToken) -> Result<(), StoreError> {
    diesel::insert_into(imported_tokens::table)
        .values((
            imported_tokens::identity.eq(record.identity.as_slice()),
            imported_tokens::organization_id.eq(record.organization_id.bind()),
            imported_tokens::token_id.eq(record.token_id.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn count_by_hint(conn: &mut Conn<'_>, lookup_hint: i64) -> Result<i64, StoreError> {
    Ok(tokens::table.filter(tokens::lookup_hint.eq(lookup_hint)).count().get_result(conn).await?)
}
