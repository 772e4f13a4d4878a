//! Deleting a project with everything in it.

use storage::model::{Revocation, Touched};
use token_domain::token::RevokeReason;

use super::{Ground, IfAssigned, Projects, TenancyError};
use crate::audit::MOST_NAMED;
use crate::origin::Origin;

pub use storage::model::ProjectContents as Contents;

impl Projects {
    /// Counts what a deletion would remove.
    ///
    /// # Errors
    /// No such project; one with actors, if that is to stop it.
    pub async fn preview_delete(&self, ground: Ground, if_assigned: IfAssigned) -> Result<Contents, TenancyError> {
        let now = self.context.now();
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(project) = ground.look(reads).await? else { return Ok(None) };
                reads.project_contents(project.id, now).await.map(Some)
            })
        });
        let contents = found.await?.ok_or(TenancyError::NotFound)?;
        check(contents, if_assigned)?;
        Ok(contents)
    }

    /// Deletes the project with its actors and access scopes. From now on, every token that belongs to one of its actors or is
    /// bound to it validates as dead.
    ///
    /// # Errors
    /// No such project; one with actors, if that is to stop it.
    pub async fn delete(&self, ground: Ground, if_assigned: IfAssigned, origin: &Origin) -> Result<(), TenancyError> {
        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let now = change.now;
                    let project = ground.open(change).await?;
                    let contents = change.tx.project_contents(project.id, now).await?;
                    check(contents, if_assigned)?;
                    let revocation = Revocation { at: now, reason: RevokeReason::OwnerRemoved, by: change.by() };
                    // Any number of tokens may go: the organisation's remembered ones are read again rather than listed here.
                    change.touch(Touched::Organization(ground.organization()));
                    let most = u32::try_from(MOST_NAMED).unwrap_or(u32::MAX);
                    let tokens = change.tx.tokens_of_project(project.id, most).await?;
                    change.tx.empty_project(project.id, &revocation).await?;
                    change.tx.delete_project(ground.organization(), project.id).await?;
                    let event = change
                        .event("project.delete")
                        .on("project", project.id)
                        .with("slug", project.slug.as_str())
                        .with("access_scopes", contents.access_scopes)
                        .with("actors", contents.actors)
                        .with("live_tokens", contents.live_tokens)
                        .with("token_ids", tokens.iter().map(ToString::to_string).collect::<Vec<_>>());
                    Ok(change.record(event).await?)
                })
            })
            .await
    }
}

const fn check(contents: Contents, if_assigned: IfAssigned) -> Result<(), TenancyError> {
    match if_assigned {
        IfAssigned::Reject if contents.actors > 0 => Err(TenancyError::Assigned { actors: contents.actors }),
        IfAssigned::Reject | IfAssigned::Unassign => Ok(()),
    }
}
