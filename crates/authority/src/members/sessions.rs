//! A member's sessions in the organisation, as an administrator sees and ends them.

use token_domain::id::UserId;

use super::{Members, reached};
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::sessions::{SeenSession, seen};
use crate::standing::MANAGE;

impl Members {
    /// The member's live sessions in the organisation, newest first. Those elsewhere are not the organisation's to see.
    ///
    /// # Errors
    /// No such member, a credential that is bound to a project.
    pub async fn sessions(&self, seat: &Seat, user: UserId) -> Result<Vec<SeenSession>, OrganizationError> {
        seat.check_unbound()?;
        let (organization, now) = (seat.organization(), self.context.now());
        let store = &self.context.store;
        let member = store.read(move |reads| Box::pin(reads.membership_standing(organization, user))).await?;
        member.ok_or(OrganizationError::NotFound)?;
        Ok(seen(&self.context, user, Some(organization), now).await?)
    }

    /// Ends the member's sessions in the organisation; how many. One's own take a recent proof, as everywhere.
    ///
    /// # Errors
    /// No such member, one who holds more than the caller.
    pub async fn end_sessions(&self, seat: &Seat, user: UserId, origin: &Origin) -> Result<usize, OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, MANAGE)?;
                    reached(change, &seat, &mine, user).await?;
                    if seat.person() == Some(user) {
                        change.check_proven_lately()?;
                    }
                    let ended = change.tx.delete_sessions_of_member(seat.organization(), user, None).await?;
                    let event = change.event("session.delete").on("user", user).with("sessions_ended", ended);
                    change.record(event).await?;
                    Ok(ended)
                })
            })
            .await
    }
}
