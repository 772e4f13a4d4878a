//! Giving a member another role, and switching one off and on.

use token_domain::id::UserId;
use token_domain::person::RoleRef;
use token_domain::record::MembershipStanding;
use token_domain::role::Power;

use super::{Members, keep_an_owner, now_standing, reached};
use crate::change::Change;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::standing::{MANAGE, name_of_role};

/// A change to a member.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberChange {
    /// Another role.
    pub role: Option<RoleRef>,
    /// Whether they are switched on in the organisation.
    pub enabled: Option<bool>,
}

/// What every step of a change needs.
struct Desk<'a> {
    seat: &'a Seat,
    mine: &'a Power,
    user: UserId,
}

impl Members {
    /// Changes a member's role or switches them off or on. A member who is switched off is signed out, and their keys count
    /// no more until they are switched on again; both hold when this returns.
    ///
    /// # Errors
    /// No such member, one who holds more than the caller, a role that holds more, the last owner.
    pub async fn edit(
        &self,
        seat: &Seat,
        user: UserId,
        asked: MemberChange,
        origin: &Origin,
    ) -> Result<MembershipStanding, OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, MANAGE)?;
                    let desk = Desk { seat: &seat, mine: &mine, user };
                    let before = reached(change, &seat, &mine, user).await?;
                    let role = asked.role.filter(|role| *role != before.role);
                    let enabled = asked.enabled.filter(|enabled| *enabled != before.disabled_at.is_none());
                    if let Some(role) = role {
                        desk.give(change, &before, role).await?;
                    }
                    if let Some(enabled) = enabled {
                        desk.switch(change, enabled).await?;
                    }
                    if role.is_some() || enabled.is_some() {
                        keep_an_owner(change.tx, seat.organization(), &before).await?;
                        seat.fence(change, &[user]).await?;
                    }
                    let disabled_at = match enabled {
                        Some(true) => None,
                        Some(false) => Some(change.now),
                        None => before.disabled_at,
                    };
                    Ok(now_standing(change.tx, &before, role.unwrap_or(before.role), disabled_at).await?)
                })
            })
            .await
    }
}

impl Desk<'_> {
    async fn give(
        &self,
        change: &mut Change<'_>,
        before: &MembershipStanding,
        role: RoleRef,
    ) -> Result<(), OrganizationError> {
        let given = self.seat.role(change, role).await?;
        let context = change.context();
        OrganizationError::unless_reached(context.catalogue(), self.mine, &given)?;
        if context.power(before.role, before.custom_scopes.as_deref())?.reaches(&given).is_err() {
            // More than they had: that outlasts the grace of a token that was rotated. Taking away is no matter of it.
            change.check_not_superseded()?;
        }
        change.tx.set_membership_role(self.seat.organization(), self.user, role).await?;
        let event = change
            .event("member.role")
            .on("user", self.user)
            .with("from", name_of_role(before.role, None))
            .with("to", name_of_role(role, None));
        Ok(change.record(event).await?)
    }

    async fn switch(&self, change: &mut Change<'_>, enabled: bool) -> Result<(), OrganizationError> {
        let organization = self.seat.organization();
        let event = if enabled {
            change.tx.set_membership_disabled(organization, self.user, None).await?;
            change.event("member.enable").on("user", self.user)
        } else {
            change.tx.set_membership_disabled(organization, self.user, Some(change.now)).await?;
            let ended = change.tx.delete_sessions_of_member(organization, self.user, None).await?;
            change.event("member.disable").on("user", self.user).with("sessions_ended", ended)
        };
        Ok(change.record(event).await?)
    }
}
