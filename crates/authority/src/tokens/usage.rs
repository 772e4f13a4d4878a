//! How often a token was used.

use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Stretch, UseCounts};

use super::reach::Whose;
use super::{TokenError, Tokens};
use crate::origin::Caller;

/// A scope of a token, and whether anybody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedScope {
    /// The scope, as granted.
    pub scope: String,
    /// The hour of the last validation that required the scope, or one that it covers, and found it.
    pub last_used_at: Option<Timestamp>,
}

impl Tokens {
    /// The scopes of a token that the caller reaches, in their order, each with its last use. What asks about a token without
    /// naming scopes, and reads them itself, is not seen here.
    ///
    /// # Errors
    /// No such token.
    pub async fn scope_uses(&self, caller: &Caller, id: TokenId) -> Result<Vec<GrantedScope>, TokenError> {
        let token = self.reached(caller, id, Whose::Anybody).await?;
        let noted = self.context.store.read(move |reads| Box::pin(reads.scope_uses(id))).await?;
        let catalogue = &self.context.catalogue;
        let asked: Vec<_> =
            noted.iter().filter_map(|noted| Some((catalogue.find(&noted.scope)?, noted.last_used_at))).collect();
        let granted = |scope: String| {
            let covered = catalogue.find(&scope).map(|granted| catalogue.expand([granted]));
            let uses = asked.iter().filter(|(asked, _)| covered.is_some_and(|covered| covered.contains(*asked)));
            GrantedScope { last_used_at: uses.map(|(_, at)| *at).max(), scope }
        };
        Ok(token.scopes.into_iter().map(granted).collect())
    }

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
