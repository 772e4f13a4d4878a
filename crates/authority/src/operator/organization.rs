//! What an operator decides about an organisation. Its own trail records it: the people there are told why creating a token
//! is refused, or why nothing of theirs counted for a while.
//!
//! Doing it again succeeds, and the revocation is logged again: an operator who lost the first answer relies on the second.

use serde::{Deserialize, Serialize};
use storage::model::Touched;
use token_domain::record::Organization;

use super::OperatorError;
use crate::change::Change;

/// An act of the operator on an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum OrganizationAct {
    /// Limit how many live tokens it may have. Those it has stay, also where they are more.
    Cap {
        /// The limit; nothing for the deployment's own.
        tokens: Option<u32>,
    },
    /// Switch it off: none of its tokens, keys and sessions counts any more.
    Disable,
    /// Switch it on again: what has not ended or been revoked meanwhile counts again.
    Enable,
}

impl OrganizationAct {
    pub(super) async fn apply(self, change: &mut Change<'_>, before: &Organization) -> Result<(), OperatorError> {
        let (id, now) = (before.id, change.now);
        let event = match self {
            Self::Cap { tokens } => {
                if before.token_cap == tokens {
                    return Ok(());
                }
                change.tx.set_token_cap(id, tokens, now).await?;
                change.event("organization.cap").with("token_cap", tokens)
            }
            Self::Disable => {
                change.touch(Touched::Organization(id));
                if before.disabled_at.is_some() {
                    return Ok(());
                }
                change.tx.set_organization_disabled(id, Some(now), now).await?;
                change.event("organization.disable")
            }
            Self::Enable => {
                change.touch(Touched::Organization(id));
                if before.disabled_at.is_none() {
                    return Ok(());
                }
                change.tx.set_organization_disabled(id, None, now).await?;
                change.event("organization.enable")
            }
        };
        Ok(change.record(event.on("organization", id)).await?)
    }
}
