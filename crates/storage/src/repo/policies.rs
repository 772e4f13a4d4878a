//! What organisations ask of their tokens.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::rows::{RuleRow, inconsistent, join_scopes};
use crate::schema::{organizations, token_policies};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Span;
use token_domain::id::OrganizationId;
use token_domain::record::{StoredRule, TokenTerms};
use token_domain::token::Kind;

pub(crate) async fn token_rules(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
) -> Result<Vec<StoredRule>, StoreError> {
    let rows: Vec<RuleRow> = token_policies::table
        .filter(token_policies::organization_id.eq(organization.bind()))
        .order(token_policies::kind)
        .select(RuleRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(StoredRule::try_from).collect()
}

pub(crate) async fn token_terms(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    kind: Kind,
) -> Result<TokenTerms, StoreError> {
    let of_kind = token_policies::organization_id.eq(organizations::id).and(token_policies::kind.eq(kind.as_str()));
    let with_rule = organizations::table
        .find(organization.bind())
        .left_join(token_policies::table.on(of_kind))
        .select((organizations::token_cap, organizations::trust_only, Option::<RuleRow>::as_select()));
    let row: Option<(Option<i64>, bool, Option<RuleRow>)> = dialect::only!(conn, with_rule).await.optional()?;
    let Some((cap, trust_only, rule)) = row else { return Ok(TokenTerms::default()) };
    let token_cap = cap.map(u32::try_from).transpose();
    Ok(TokenTerms {
        token_cap: token_cap.map_err(|_| inconsistent("organization", organization, "token_cap"))?,
        trust_only,
        rule: rule.map(StoredRule::try_from).transpose()?,
    })
}

pub(crate) async fn delete_token_rules(conn: &mut Conn<'_>, organization: OrganizationId) -> Result<usize, StoreError> {
    let of_organization = token_policies::table.filter(token_policies::organization_id.eq(organization.bind()));
    Ok(diesel::delete(of_organization).execute(conn).await?)
}

pub(crate) async fn insert_token_rule(conn: &mut Conn<'_>, record: &StoredRule) -> Result<(), StoreError> {
    let scopes = record.scopes.as_deref().map(join_scopes).transpose()?;
    diesel::insert_into(token_policies::table)
        .values((
            token_policies::organization_id.eq(record.organization_id.bind()),
            token_policies::kind.eq(record.kind.as_str()),
            token_policies::is_permitted.eq(record.is_permitted),
            token_policies::default_lifetime.eq(record.default_lifetime.map(Span::as_micros)),
            token_policies::longest_lifetime.eq(record.longest_lifetime.map(Span::as_micros)),
            token_policies::idle_after.eq(record.idle_after.map(Span::as_micros)),
            token_policies::scopes.eq(scopes),
            token_policies::updated_at.eq(record.updated_at.bind()),
            token_policies::updated_by.eq(record.updated_by.to_string()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
