//! How often a token was used.

use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Stretch, UseCounts};

use super::reach::Whose;
use super::{TokenError, Tokens};
use crate::origin::Caller;

impl Tokens {
    /// The uses of a token that the caller reaches, in each part of a stretch, with what this node has not
    /// written down yet.
    ///
    /// # Errors
    /// No such token.
    pub async fn usage(
        &self,
        caller: &Caller,
        id: TokenId,
        stretch: Stretch,
    ) -> Result<Vec<(Timestamp, UseCounts)>, TokenError> {
        self.reached(caller, id, Whose::Anybody).await?;
        let _still = self.context.uses.still().await;
        let found = self
            .context
            .store
            .read(move |reads| Box::pin(reads.token_usage(id, stretch.first_hour(), stretch.end_hour())));
        let mut hours = found.await?;
        hours.extend(self.context.uses.unwritten(id));
        Ok(stretch.sum(&hours))
    }
}
