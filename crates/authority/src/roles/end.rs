//! Deleting a role.

use token_domain::person::{BuiltInRole, RoleRef};

use super::{Roles, WRITE, own};
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;

/// The role that members get in place of a deleted one.
const INSTEAD: RoleRef = RoleRef::BuiltIn(BuiltInRole::Viewer);

impl Roles {
    /// Deletes a role. Its members, and the people invited with it, become viewers.
    ///
    /// # Errors
    /// No such role, a built-in one, one that holds more than the caller; if the role has members or invitations, a caller who
    /// may not give the viewer's role.
    pub async fn delete(&self, seat: &Seat, role: RoleRef, origin: &Origin) -> Result<(), OrganizationError> {
        let id = own(role)?;
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let (organization, context) = (seat.organization(), change.context());
                    let mine = seat.open(change, WRITE)?;
                    let before = change.tx.role(organization, id).await?.ok_or(OrganizationError::NotFound)?;
                    let held = context.power(RoleRef::Custom(id), Some(&before.scopes))?;
                    OrganizationError::unless_reached(context.catalogue(), &mine, &held)?;
                    let wearers = change.tx.move_members(organization, id, INSTEAD).await?;
                    let offers = change.tx.move_invitations(organization, id, INSTEAD).await?;
                    if !wearers.is_empty() || offers > 0 {
                        // The role may hold less than a viewer: then deleting it gives rights, which the caller must have.
                        let given = seat.role(change, INSTEAD).await?;
                        OrganizationError::unless_reached(context.catalogue(), &mine, &given)?;
                    }
                    change.tx.delete_role(organization, id).await?;
                    seat.fence(change, &wearers).await?;
                    let event = change
                        .event("role.delete")
                        .on("role", id)
                        .with("name", before.name.as_str())
                        .with_ids("members_moved", &wearers)
                        .with("invitations_moved", offers);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }
}
