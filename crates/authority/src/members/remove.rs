//! Removing a member, and leaving.

use std::sync::Arc;

use storage::Tx;
use storage::model::{Kill, MembershipStanding, TokenOwner};
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::token::RevokeReason;

use super::{MANAGE, Members, keep_an_owner};
use crate::audit::{Event, Trail};
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::sessions::{is_welcome, name_of_role};
use crate::unit::Touching;

impl Members {
    /// Removes a member: their sessions there end and their keys there are revoked for good. When this returns, no
    /// validation that starts from now on says that one of them is good.
    ///
    /// # Errors
    /// No such member, one who holds more than the caller, the last owner.
    pub async fn remove(&self, seat: &Seat, user: UserId, origin: &Origin) -> Result<(), OrganizationError> {
        let now = self.context.now();
        let (context, seat, origin) = (Arc::clone(&self.context), seat.clone(), origin.clone());
        let touching = self.context.units.touching();
        let also = touching.clone();
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let (trail, mine) = seat.open(&context, tx, MANAGE).await?;
                    let found = tx.membership_standing(seat.organization(), user).await?;
                    let found = found.ok_or(OrganizationError::NotFound)?;
                    let theirs = context.power(found.role, found.custom_scopes.as_deref())?;
                    OrganizationError::unless_reached(context.catalogue(), &mine, &theirs)?;
                    let event = Event::new(now, "member.remove", seat.by(), &origin);
                    end(tx, trail, &also, &seat, &found, (now, event)).await
                })
            })
            .await
    }

    /// Leaves the organisation, whatever one may do in it.
    ///
    /// # Errors
    /// A caller who is not signed in, the last owner.
    pub async fn leave(&self, seat: &Seat, origin: &Origin) -> Result<(), OrganizationError> {
        let user = seat.signed_in().ok_or(OrganizationError::NotAPerson)?;
        let now = self.context.now();
        let (seat, origin) = (seat.clone(), origin.clone());
        let touching = self.context.units.touching();
        let also = touching.clone();
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let trail = Trail::open(tx, Some(seat.organization())).await?;
                    let found = tx.membership_standing(seat.organization(), user).await?;
                    let found = found.filter(is_welcome).ok_or(OrganizationError::Gone)?;
                    let event = Event::new(now, "member.leave", seat.by(), &origin);
                    end(tx, trail, &also, &seat, &found, (now, event)).await
                })
            })
            .await
    }
}

/// Ends a membership with all that stood on it.
async fn end(
    tx: &mut Tx,
    mut trail: Trail,
    touching: &Touching,
    seat: &Seat,
    found: &MembershipStanding,
    (now, event): (Timestamp, Event),
) -> Result<(), OrganizationError> {
    let (organization, user) = (seat.organization(), found.user.id);
    let kill = Kill { at: now, reason: RevokeReason::OwnerRemoved, by: seat.by() };
    let keys = tx.revoke_tokens_of_owner(organization, TokenOwner::Person(user), &kill).await?;
    let sessions = tx.delete_sessions_of_member(organization, user).await?;
    tx.delete_membership(organization, user).await?;
    keep_an_owner(tx, organization, found).await?;
    let event = event
        .on("user", user)
        .with("role", name_of_role(found.role, None))
        .with("keys_revoked", keys.len())
        .with("sessions_ended", sessions);
    trail.append(tx, event).await?;
    touching.touch_tokens(organization, Some(keys));
    Ok(())
}
