//! Deleting an access scope: its actors become unscoped in the same transaction.

use std::sync::Arc;

use storage::model::{ActorFilter, Listing, Page, ScopedTo};
use token_domain::id::AccessScopeId;
use token_domain::record::Actor;

use super::AccessScopes;
use crate::actors::bring_up_to_date;
use crate::origin::Origin;
use crate::projects::{Ground, IfAssigned, TenancyError};

impl AccessScopes {
    /// The actors that a deletion would leave unscoped.
    ///
    /// # Errors
    /// No such access scope; one with actors, if that is to stop it.
    pub async fn preview_delete(
        &self,
        ground: Ground,
        id: AccessScopeId,
        if_assigned: IfAssigned,
        listing: Listing,
    ) -> Result<Page<Actor>, TenancyError> {
        let context = Arc::clone(&self.context);
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(access_scope) = super::find(reads, ground, id).await? else { return Ok(None) };
                let filter = ActorFilter { project_id: ground.project(), scoped_to: ScopedTo::This(access_scope.id) };
                let mut page = reads.list_actors(&filter, &listing).await?;
                bring_up_to_date(reads, &context.uses, &mut page.items).await?;
                Ok(Some(page))
            })
        });
        let page = found.await?.ok_or(TenancyError::NotFound)?;
        check(page.total, if_assigned)?;
        Ok(page)
    }

    /// Deletes an access scope. When this returns, no validation that starts from now on names it: its actors reach the
    /// whole project.
    ///
    /// # Errors
    /// No such access scope; one with actors, if that is to stop it.
    pub async fn delete(
        &self,
        ground: Ground,
        id: AccessScopeId,
        if_assigned: IfAssigned,
        origin: &Origin,
    ) -> Result<(), TenancyError> {
        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let project = ground.open(change).await?;
                    let access_scope = change.tx.access_scope(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    let actors = change.tx.unscope_actors(project.id, id, change.now).await?;
                    // An error undoes the unit, the unscoping included.
                    check(u64::try_from(actors.len()).unwrap_or(u64::MAX), if_assigned)?;
                    ground.fence(change, &actors).await?;
                    change.tx.delete_access_scope(project.id, id).await?;
                    let event = change
                        .event("access_scope.delete")
                        .on("access_scope", id)
                        .with("project_id", project.id.to_string())
                        .with("slug", access_scope.slug.as_str())
                        .with_ids("actors", &actors);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }
}

const fn check(actors: u64, if_assigned: IfAssigned) -> Result<(), TenancyError> {
    match if_assigned {
        IfAssigned::Reject if actors > 0 => Err(TenancyError::Assigned { actors }),
        IfAssigned::Reject | IfAssigned::Unassign => Ok(()),
    }
}
