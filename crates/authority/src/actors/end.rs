//! Deleting an actor, which is the end of its tokens.

use storage::model::Touched;
use token_domain::id::ActorId;

use super::Actors;
use crate::audit::Event;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};

impl Actors {
    /// Deletes an actor and its tokens. When this returns, no validation that starts from now on says that one of them
    /// is good.
    ///
    /// # Errors
    /// No such actor.
    pub async fn delete(&self, ground: Ground, id: ActorId, origin: &Origin) -> Result<(), TenancyError> {
        let (now, origin) = (self.context.now(), origin.clone());
        let touching = self.context.units.touching();
        let also = touching.clone();
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let (mut trail, project) = ground.open(tx).await?;
                    let tokens = tx.delete_actor(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    let event = Event::new(now, "actor.delete", ground.by(), &origin)
                        .on("actor", id)
                        .with("project_id", project.id.to_string())
                        .with("tokens", tokens.iter().map(ToString::to_string).collect::<Vec<_>>());
                    for token in tokens {
                        also.touch(Touched::Token(token));
                    }
                    Ok(trail.append(tx, event).await?)
                })
            })
            .await
    }
}
