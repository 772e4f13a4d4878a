//! Deleting a role.

use std::sync::Arc;

use token_domain::person::{BuiltInRole, RoleRef};

use super::{Roles, WRITE, own};
use crate::audit::Event;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;

/// What becomes of those who wore a role that is gone.
const INSTEAD: RoleRef = RoleRef::BuiltIn(BuiltInRole::Viewer);

impl Roles {
    /// Deletes a role. Who wears it, and who was offered it, becomes a viewer.
    ///
    /// # Errors
    /// No such role, a built-in one, one that holds more than the caller; when somebody wears it, a caller who could not
    /// make them a viewer.
    pub async fn delete(&self, seat: &Seat, role: RoleRef, origin: &Origin) -> Result<(), OrganizationError> {
        let id = own(role)?;
        let now = self.context.now();
        let (context, seat, origin) = (Arc::clone(&self.context), seat.clone(), origin.clone());
        let touching = self.context.units.touching();
        let also = touching.clone();
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let organization = seat.organization();
                    let (mut trail, mine) = seat.open(&context, tx, WRITE).await?;
                    let before = tx.role(organization, id).await?.ok_or(OrganizationError::NotFound)?;
                    let held = context.power(RoleRef::Custom(id), Some(&before.scopes))?;
                    OrganizationError::unless_reached(context.catalogue(), &mine, &held)?;
                    let wearers = tx.move_members(organization, id, INSTEAD).await?;
                    let offers = tx.move_invitations(organization, id, INSTEAD).await?;
                    if !wearers.is_empty() || offers > 0 {
                        // A role can hold less than a viewer: deleting it gives, and nobody gives what they lack.
                        let given = seat.role(&context, tx, INSTEAD).await?;
                        OrganizationError::unless_reached(context.catalogue(), &mine, &given)?;
                    }
                    tx.delete_role(organization, id).await?;
                    seat.fence(tx, &also, &wearers).await?;
                    let event = Event::new(now, "role.delete", seat.by(), &origin)
                        .on("role", id)
                        .with("name", before.name.as_str())
                        .with("members_moved", wearers.len())
                        .with("invitations_moved", offers);
                    Ok(trail.append(tx, event).await?)
                })
            })
            .await
    }
}
