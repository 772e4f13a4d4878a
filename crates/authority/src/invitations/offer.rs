//! Making an invitation, inside the transaction of whatever leads to it.

use storage::Tx;
use storage::model::{Invitation, Invited};
use token_domain::Timestamp;
use token_domain::id::InvitationId;
use token_domain::person::RoleRef;
use token_domain::text::Email;

use super::{InvitationCode, event};
use crate::audit::Trail;
use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;

/// What an invitation is made of, drawn before the transaction that may make it.
pub(crate) struct Offer {
    id: InvitationId,
    code: InvitationCode,
    role: RoleRef,
    now: Timestamp,
    expires_at: Timestamp,
}

impl Offer {
    /// Draws an id and a code.
    pub(crate) fn draw(context: &Context, role: RoleRef, now: Timestamp) -> Result<Self, Failure> {
        Ok(Self {
            id: context.id(now)?,
            code: InvitationCode::from_random(random(context.entropy.as_ref())?),
            role,
            now,
            expires_at: now + context.policy.invitation_lifetime,
        })
    }
}

/// Invites an address that is no member's. In the place of an invitation that has expired, never of one that counts: that
/// one has to be withdrawn first, by somebody who knows of it.
pub(crate) async fn invite(
    tx: &mut Tx,
    trail: &mut Trail,
    seat: &Seat,
    email: Email,
    offer: Offer,
    origin: &Origin,
) -> Result<(Invited, InvitationCode), OrganizationError> {
    let Offer { id, code, role, now, expires_at } = offer;
    let organization_id = seat.organization();
    if let Some(earlier) = tx.invitation_for(organization_id, &email.key()).await? {
        if earlier.expires_at > now {
            return Err(OrganizationError::AlreadyInvited(earlier.id));
        }
        tx.delete_invitation(organization_id, earlier.id).await?;
    }
    let invitation = Invitation {
        id,
        organization_id,
        email,
        role,
        code_digest: code.digest(),
        created_by: seat.by(),
        sponsor: seat.person(),
        created_at: now,
        expires_at,
    };
    tx.insert_invitation(&invitation).await?;
    let event =
        event("invitation.create", now, seat.by(), origin, id, role).with("expires_at", expires_at.rfc3339_seconds());
    trail.append(tx, event).await?;
    let custom_name = match role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => tx.role(organization_id, id).await?.map(|role| role.name),
    };
    Ok((Invited { invitation, custom_name }, code))
}
