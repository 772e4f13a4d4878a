//! Deleting an actor, which is the end of its tokens.

use storage::model::Touched;
use token_domain::id::ActorId;

use super::Actors;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};

impl Actors {
    /// Deletes an actor and its tokens. When this returns, no validation that starts from now on says that one of them
    /// is good.
    ///
    /// # Errors
    /// No such actor.
    pub async fn delete(&self, ground: Ground, id: ActorId, origin: &Origin) -> Result<(), TenancyError> {
        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let project = ground.open(change).await?;
                    let tokens = change.tx.delete_actor(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    let event = change
                        .event("actor.delete")
                        .on("actor", id)
                        .with("project_id", project.id.to_string())
                        .with("tokens", tokens.iter().map(ToString::to_string).collect::<Vec<_>>());
                    for token in tokens {
                        change.touch(Touched::Token(token));
                    }
                    Ok(change.record(event).await?)
                })
            })
            .await
    }
}
