//! How often a token was used.

use storage::StoreError;
use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Stretch, UseCounts};

use super::{TokenError, Tokens};
use crate::origin::Caller;

impl Tokens {
    /// The uses of a token of the caller's organisation in each part of a stretch, with what this node has not
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
        let organization = caller.organization_id;
        let _still = self.context.uses.still().await;
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                if reads.token(organization, id).await?.is_none() {
                    return Ok::<_, StoreError>(None);
                }
                reads.token_usage(id, stretch.first_hour(), stretch.end_hour()).await.map(Some)
            })
        });
        let mut hours = found.await?.ok_or(TokenError::NotFound)?;
        hours.extend(self.context.uses.unwritten(id));
        Ok(stretch.sum(&hours))
    }
}
