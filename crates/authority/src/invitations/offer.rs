//! Making an invitation, inside the change that leads to it.

use token_domain::id::InvitationId;
use token_domain::person::RoleRef;
use token_domain::record::{Invitation, Invited};
use token_domain::text::Email;

use super::{InvitationCode, event};
use crate::attempts;
use crate::audit::Refusal;
use crate::change::Change;
use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::letters::Letter;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;

/// The parts of an invitation, drawn before the change that may create it.
pub(crate) struct Offer {
    id: InvitationId,
    code: InvitationCode,
    role: RoleRef,
}

impl Offer {
    /// Draws an id and a code.
    pub(crate) fn draw(context: &Context, role: RoleRef) -> Result<Self, Failure> {
        let code = InvitationCode::from_random(random(context.entropy.as_ref())?);
        Ok(Self { id: context.id(context.now())?, code, role })
    }
}

/// Records that an invitation was refused because the organisation had too many mailed; the result stays as it is.
///
/// # Errors
/// The result's, or the store's.
pub(crate) async fn recorded<T>(
    context: &Context,
    seat: &Seat,
    origin: &Origin,
    result: Result<T, OrganizationError>,
) -> Result<T, OrganizationError> {
    if let Err(OrganizationError::TooMany(wait)) = &result {
        let by = (Some(seat.organization()), seat.principal());
        let recorded = attempts::refused(context, Refusal::InvitationsLimited, by, origin, |event| {
            event.with("retry_after_seconds", wait.retry_after.as_seconds())
        });
        recorded.await?;
    }
    result
}

/// Invites an address that belongs to no member. This replaces an expired invitation, but never a valid one: that has to be
/// withdrawn first, deliberately.
///
/// # Errors
/// An address that is invited; where mail is configured, too many invitations of the organisation lately.
pub(crate) async fn invite(
    change: &mut Change<'_>,
    seat: &Seat,
    email: Email,
    offer: Offer,
) -> Result<(Invited, InvitationCode), OrganizationError> {
    let Offer { id, code, role } = offer;
    let (organization_id, now) = (seat.organization(), change.now);
    if let Some(earlier) = change.tx.invitation_for(organization_id, &email.key()).await? {
        if earlier.expires_at > now {
            return Err(OrganizationError::AlreadyInvited(earlier.id));
        }
        change.tx.delete_invitation(organization_id, earlier.id).await?;
    }
    let expires_at = now + change.context().policy.invitation_lifetime;
    let invitation = Invitation {
        id,
        organization_id,
        email,
        role,
        created_by: change.by(),
        sponsor: seat.person(),
        created_at: now,
        expires_at,
    };
    change.tx.insert_invitation(&invitation, &code.digest()).await?;
    let event = event(change, "invitation.create", id, role).with("expires_at", expires_at.rfc3339_seconds());
    change.record(event).await?;
    if change.context().policy.mail.is_some()
        && let Some(organization) = change.tx.organization(organization_id).await?
    {
        let context = change.context();
        context.invitation_messages.take(organization_id, context.steady())?;
        let letter = Letter::Invitation {
            invitation: id.to_string(),
            organization: organization.name.as_str().to_owned(),
            until: expires_at.rfc3339_seconds(),
        };
        change.mail(&invitation.email, &letter).await?;
    }
    let custom_name = match role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => change.tx.role(organization_id, id).await?.map(|role| role.name),
    };
    Ok((Invited { invitation, custom_name }, code))
}
