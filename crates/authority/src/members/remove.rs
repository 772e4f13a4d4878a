//! Removing a member, and leaving.

use storage::model::Revocation;
use token_domain::id::UserId;
use token_domain::record::{MembershipStanding, TokenOwner};
use token_domain::token::RevokeReason;

use super::{Members, keep_an_owner, reached};
use crate::audit::Event;
use crate::change::Change;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::rights::Refused;
use crate::standing::{MANAGE, name_of_role};

impl Members {
    /// Removes a member: their sessions there end and their keys there are revoked for good. When this returns, no
    /// validation that starts from now on says that one of them is good.
    ///
    /// # Errors
    /// No such member, one who holds more than the caller, the last owner.
    pub async fn remove(&self, seat: &Seat, user: UserId, origin: &Origin) -> Result<(), OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, MANAGE)?;
                    let found = reached(change, &seat, &mine, user).await?;
                    let event = change.event("member.remove");
                    end(change, &seat, &found, event).await
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
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let found = change.tx.membership_standing(seat.organization(), user).await?.ok_or(Refused::Gone)?;
                    let event = change.event("member.leave");
                    end(change, &seat, &found, event).await
                })
            })
            .await
    }
}

/// Ends a membership with all that stood on it.
async fn end(
    change: &mut Change<'_>,
    seat: &Seat,
    found: &MembershipStanding,
    event: Event,
) -> Result<(), OrganizationError> {
    let (organization, user) = (seat.organization(), found.user.id);
    let revocation = Revocation { at: change.now, reason: RevokeReason::OwnerRemoved, by: change.by() };
    let keys = change.tx.revoke_tokens_of_owner(organization, TokenOwner::Person(user), &revocation).await?;
    let sessions = change.tx.delete_sessions_of_member(organization, user, None).await?;
    change.tx.delete_membership(organization, user).await?;
    keep_an_owner(change.tx, organization, found).await?;
    let event = event
        .on("user", user)
        .with("role", name_of_role(found.role, None))
        .with_ids("keys_revoked", &keys)
        .with("sessions_ended", sessions);
    change.record(event).await?;
    change.touching().touch_tokens(organization, Some(keys));
    Ok(())
}
