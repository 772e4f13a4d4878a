//! Whom the identity providers of organisations know people as.

use super::Conn;
use crate::error::StoreError;
use crate::schema::identities;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::Identity;

pub(crate) async fn identity(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserId>, StoreError> {
    let here = identities::organization_id.eq(organization.bind());
    let found = identities::table
        .filter(here.and(identities::issuer.eq(issuer)).and(identities::subject.eq(subject)))
        .select(identities::user_id);
    Ok(found.first::<UserId>(conn).await.optional()?)
}

pub(crate) async fn has_identity(
    conn: &mut Conn<'_>,
    user: UserId,
    organization: OrganizationId,
    issuer: &str,
) -> Result<bool, StoreError> {
    let here = identities::user_id.eq(user.bind()).and(identities::organization_id.eq(organization.bind()));
    let found = identities::table.filter(here.and(identities::issuer.eq(issuer))).select(identities::user_id);
    Ok(found.first::<UserId>(conn).await.optional()?.is_some())
}

pub(crate) async fn insert_identity(conn: &mut Conn<'_>, record: &Identity) -> Result<(), StoreError> {
    diesel::insert_into(identities::table)
        .values((
            identities::organization_id.eq(record.organization_id.bind()),
            identities::issuer.eq(record.issuer.as_str()),
            identities::subject.eq(record.subject.as_str()),
            identities::user_id.eq(record.user_id.bind()),
            identities::created_at.eq(record.created_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_identities(conn: &mut Conn<'_>, user: UserId) -> Result<usize, StoreError> {
    Ok(diesel::delete(identities::table.filter(identities::user_id.eq(user.bind()))).execute(conn).await?)
}
