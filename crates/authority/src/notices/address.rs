//! Uses of tokens from addresses that were not known: noted where addresses are written down, told here.
//!
//! At most once a day for each token, so that a client that roams does not flood anybody. Tokens of actors are left out: devices
//! roam by nature.

use std::sync::Arc;

use storage::model::AddressNotice;
use token_domain::Span;
use token_domain::record::{Principal, TokenOwner};

use super::{Ended, Occasion, settled, tell};
use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;

/// Notices of one round.
const AT_ONCE: u32 = 100;
/// The most reads of one round: those who are told of nothing must not hold up others.
const PARTS: usize = 20;
/// How long nothing is told of a token's addresses after something was.
const QUIET: Span = Span::days(1);

impl Context {
    /// Tells of tokens that were used from addresses which were not known; of how many.
    ///
    /// # Errors
    /// The store's. What was told by then stays told.
    pub async fn tell_of_new_addresses(self: &Arc<Self>) -> Result<usize, Failure> {
        let mut told = 0;
        for _ in 0..PARTS {
            let read = self.store.read(move |reads| Box::pin(async move { reads.list_address_notices(AT_ONCE).await }));
            let part = read.await?;
            if part.is_empty() {
                break;
            }
            for notice in part {
                told += usize::from(self.tell_of_new_address(notice).await?);
            }
        }
        Ok(told)
    }

    async fn tell_of_new_address(self: &Arc<Self>, notice: AddressNotice) -> Result<bool, Failure> {
        let AddressNotice { organization_id: organization, token_id, address, agent, .. } = notice;
        let ask = Ask::of(Principal::System, Some(organization), &Origin::internal());
        let told = self.change(ask, move |change| {
            Box::pin(async move {
                let now = change.now;
                let tx = &mut *change.tx;
                // By exactly one node: another may have read it at the same moment.
                let is_mine = tx.take_address_notice(token_id).await.map_err(Failure::from)?;
                let token = tx.token(organization, token_id).await.map_err(Failure::from)?;
                let token = token.filter(|token| !matches!(token.owner, TokenOwner::Actor(_)) && is_mine);
                let Some(token) = token else { return Ok(false) };
                if !tx.note_new_address(token_id, now, now - QUIET).await.map_err(Failure::from)? {
                    return Ok(false);
                }
                let event = change.event("token.new_address").on("token", token_id).with("address", address.as_str());
                let event = match &agent {
                    Some(agent) => event.with("agent", agent.as_str()),
                    None => event,
                };
                change.record(event).await?;
                tell(change, organization, &[token], Occasion::NewAddress { address, agent }).await?;
                Ok::<_, Ended>(true)
            })
        });
        let is_told = settled(told.await)?;
        if !is_told {
            // A change without an event is taken back, and the notice with it.
            let unit = self.store.write(move |tx| Box::pin(async move { tx.take_address_notice(token_id).await }));
            unit.await?;
        }
        Ok(is_told)
    }
}
