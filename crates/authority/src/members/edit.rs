//! Giving a member another role, and switching one off and on.

use std::sync::Arc;

use storage::Tx;
use storage::model::MembershipStanding;
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::person::RoleRef;
use token_domain::role::Power;

use super::{MANAGE, Members, keep_an_owner, now_standing};
use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::sessions::name_of_role;

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
    context: &'a Context,
    seat: &'a Seat,
    mine: &'a Power,
    user: UserId,
    now: Timestamp,
    origin: &'a Origin,
}

impl Members {
    /// Changes a member's role or switches them off or on. Whoever is switched off is signed out, and their keys count
    /// no more until they are switched on again; both hold when this returns.
    ///
    /// # Errors
    /// No such member, one who holds more than the caller, a role that holds more, the last owner.
    pub async fn edit(
        &self,
        seat: &Seat,
        user: UserId,
        change: MemberChange,
        origin: &Origin,
    ) -> Result<MembershipStanding, OrganizationError> {
        let now = self.context.now();
        let (context, seat, origin) = (Arc::clone(&self.context), seat.clone(), origin.clone());
        let touching = self.context.units.touching();
        let also = touching.clone();
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let (mut trail, mine) = seat.open(&context, tx, MANAGE).await?;
                    let desk = Desk { context: &context, seat: &seat, mine: &mine, user, now, origin: &origin };
                    let before = desk.member(tx).await?;
                    let role = change.role.filter(|role| *role != before.role);
                    let enabled = change.enabled.filter(|enabled| *enabled != before.disabled_at.is_none());
                    if let Some(role) = role {
                        desk.give(tx, &mut trail, &before, role).await?;
                    }
                    if let Some(enabled) = enabled {
                        desk.switch(tx, &mut trail, enabled).await?;
                    }
                    if role.is_some() || enabled.is_some() {
                        keep_an_owner(tx, seat.organization(), &before).await?;
                        seat.fence(tx, &also, &[user]).await?;
                    }
                    let disabled_at = match enabled {
                        Some(true) => None,
                        Some(false) => Some(now),
                        None => before.disabled_at,
                    };
                    Ok(now_standing(tx, &before, role.unwrap_or(before.role), disabled_at).await?)
                })
            })
            .await
    }
}

impl Desk<'_> {
    /// The member as they are, if the caller may decide about them.
    async fn member(&self, tx: &mut Tx) -> Result<MembershipStanding, OrganizationError> {
        let found = tx.membership_standing(self.seat.organization(), self.user).await?;
        let found = found.ok_or(OrganizationError::NotFound)?;
        let theirs = self.context.power(found.role, found.custom_scopes.as_deref())?;
        OrganizationError::unless_reached(self.context.catalogue(), self.mine, &theirs)?;
        Ok(found)
    }

    async fn give(
        &self,
        tx: &mut Tx,
        trail: &mut Trail,
        before: &MembershipStanding,
        role: RoleRef,
    ) -> Result<(), OrganizationError> {
        let given = self.seat.role(self.context, tx, role).await?;
        OrganizationError::unless_reached(self.context.catalogue(), self.mine, &given)?;
        tx.set_membership_role(self.seat.organization(), self.user, role).await?;
        let event = Event::new(self.now, "member.role", self.seat.by(), self.origin)
            .on("user", self.user)
            .with("from", name_of_role(before.role, None))
            .with("to", name_of_role(role, None));
        Ok(trail.append(tx, event).await?)
    }

    async fn switch(&self, tx: &mut Tx, trail: &mut Trail, enabled: bool) -> Result<(), OrganizationError> {
        let organization = self.seat.organization();
        let event = if enabled {
            tx.set_membership_disabled(organization, self.user, None).await?;
            Event::new(self.now, "member.enable", self.seat.by(), self.origin).on("user", self.user)
        } else {
            tx.set_membership_disabled(organization, self.user, Some(self.now)).await?;
            let ended = tx.delete_sessions_of_member(organization, self.user).await?;
            Event::new(self.now, "member.disable", self.seat.by(), self.origin)
                .on("user", self.user)
                .with("sessions_ended", ended)
        };
        Ok(trail.append(tx, event).await?)
    }
}
