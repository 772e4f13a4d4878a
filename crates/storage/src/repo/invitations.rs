//! Invitations to organisations.

use super::Conn;
use super::dialect::older;
use crate::error::StoreError;
use crate::rows::{InvitationRow, parse_name, role_columns};
use crate::schema::{invitations, mailed_invitations, roles};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{InvitationId, OrganizationId, RoleId};
use token_domain::person::RoleRef;
use token_domain::record::{Invitation, Invited};

pub(crate) async fn insert_invitation(
    conn: &mut Conn<'_>,
    record: &Invitation,
    digest: &[u8; 32],
) -> Result<(), StoreError> {
    let (built_in, custom) = role_columns(record.role);
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(record.id.bind()),
            invitations::organization_id.eq(record.organization_id.bind()),
            invitations::email.eq(record.email.as_str()),
            invitations::email_key.eq(record.email.key()),
            invitations::built_in_role.eq(built_in),
            invitations::role_id.eq(custom.bind()),
            invitations::code_digest.eq(digest.as_slice()),
            invitations::created_by.eq(record.created_by.to_string()),
            invitations::sponsor_id.eq(record.sponsor.bind()),
            invitations::created_at.eq(record.created_at.bind()),
            invitations::expires_at.eq(record.expires_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn invitation_by_digest(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
) -> Result<Option<Invitation>, StoreError> {
    let row = invitations::table
        .filter(invitations::code_digest.eq(digest.as_slice()))
        .select(InvitationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

/// The id of the invitation whose mailed code has this digest.
macro_rules! mailed {
    ($digest:expr) => {
        mailed_invitations::table
            .filter(mailed_invitations::digest.eq($digest.as_slice()))
            .select(mailed_invitations::invitation_id)
    };
}

pub(crate) async fn mailed_invitation(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
) -> Result<Option<Invitation>, StoreError> {
    let row = invitations::table
        .filter(invitations::id.eq_any(mailed!(digest)))
        .select(InvitationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

pub(crate) async fn keep_mailed_code(
    conn: &mut Conn<'_>,
    invitation: InvitationId,
    digest: &[u8; 32],
) -> Result<(), StoreError> {
    diesel::insert_into(mailed_invitations::table)
        .values((
            mailed_invitations::invitation_id.eq(invitation.bind()),
            mailed_invitations::digest.eq(digest.as_slice()),
        ))
        .on_conflict(mailed_invitations::invitation_id)
        .do_update()
        .set(mailed_invitations::digest.eq(excluded(mailed_invitations::digest)))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn invitation_for(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    email_key: &str,
) -> Result<Option<Invitation>, StoreError> {
    let row = invitations::table
        .filter(invitations::organization_id.eq(organization.bind()).and(invitations::email_key.eq(email_key)))
        .select(InvitationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

pub(crate) async fn list_invitations(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    after: Option<(Timestamp, InvitationId)>,
    limit: u32,
) -> Result<Vec<Invited>, StoreError> {
    let mut page = invitations::table
        .left_join(roles::table.on(roles::id.nullable().eq(invitations::role_id)))
        .filter(invitations::organization_id.eq(organization.bind()))
        .order((invitations::created_at.desc(), invitations::id.desc()))
        .limit(i64::from(limit))
        .select((InvitationRow::as_select(), roles::name.nullable()))
        .into_boxed();
    if let Some(place) = after {
        page = page.filter(older!("invitations.created_at", "invitations.id", place));
    }
    let rows: Vec<(InvitationRow, Option<String>)> = page.load(conn).await?;
    rows.into_iter()
        .map(|(row, name)| {
            let custom_name = parse_name("role of an invitation", row.id, name)?;
            Ok(Invited { invitation: row.try_into()?, custom_name })
        })
        .collect()
}

pub(crate) async fn delete_invitation(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<Option<Invitation>, StoreError> {
    let one = invitations::id.eq(id.bind()).and(invitations::organization_id.eq(organization.bind()));
    let row = diesel::delete(invitations::table.filter(one))
        .returning(InvitationRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

pub(crate) async fn take_invitation(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, StoreError> {
    let one = invitations::code_digest.eq(digest.as_slice()).and(invitations::expires_at.gt(now.bind()));
    let row = diesel::delete(invitations::table.filter(one))
        .returning(InvitationRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

pub(crate) async fn take_mailed_invitation(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, StoreError> {
    let one = invitations::id.eq_any(mailed!(digest)).and(invitations::expires_at.gt(now.bind()));
    let row = diesel::delete(invitations::table.filter(one))
        .returning(InvitationRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Invitation::try_from).transpose()
}

pub(crate) async fn move_invitations(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    from: RoleId,
    to: RoleRef,
) -> Result<usize, StoreError> {
    let (built_in, custom) = role_columns(to);
    let of_role = invitations::organization_id.eq(organization.bind()).and(invitations::role_id.eq(Some(from.bind())));
    Ok(diesel::update(invitations::table.filter(of_role))
        .set((invitations::built_in_role.eq(built_in), invitations::role_id.eq(custom.bind())))
        .execute(conn)
        .await?)
}

pub(crate) async fn delete_invitations_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let expired: Vec<InvitationId> = invitations::table
        .filter(invitations::expires_at.lt(before.bind()))
        .order(invitations::expires_at)
        .limit(i64::from(limit))
        .select(invitations::id)
        .load(conn)
        .await?;
    Ok(diesel::delete(invitations::table.filter(invitations::id.eq_any(expired.into_iter().map(Bind::bind))))
        .execute(conn)
        .await?)
}
