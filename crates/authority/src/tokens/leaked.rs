//! Rotation of a leaked token, without anybody who could be shown its successor's secret.
//!
//! The successor has a secret that nobody knows. Its owner asks for one by rotating the successor, which shows it to them as
//! every rotation does. So the leaked token ends by itself, what it was made with is carried over, and a secret is shown to
//! nobody but those who may see it.

use token_domain::id::TokenId;
use token_domain::leak::LeakAction;
use token_domain::record::{Hint, NewToken, Principal, StoredSecret, Token};
use token_domain::token::{GraceMode, TokenFacts};
use token_domain::{Span, Timestamp};

use super::rotate::{Rotation, lifetime};
use super::{TokenError, secret};
use crate::change::Change;
use crate::context::Context;
use crate::error::Failure;

/// The secret of a leaked token's successor.
pub(crate) struct UnseenSecret {
    hint: Hint,
    stored: StoredSecret,
}

impl UnseenSecret {
    /// Makes one.
    pub(crate) fn make(context: &Context) -> Result<Self, Failure> {
        let (hint, stored) = secret::make_unseen(context)?;
        Ok(Self { hint, stored })
    }

    /// Rotates a leaked token, in a change that said it makes one of its kind; its successor, and when the leaked token ends.
    /// A token that a workload got for its identity token is not rotated: the workload gets another the same way.
    ///
    /// # Errors
    /// A token that is not active; one whose successor the organisation's policy does not allow; the store's.
    pub(crate) async fn succeed(
        self,
        change: &mut Change<'_>,
        old: Token,
    ) -> Result<Option<(TokenId, Timestamp)>, TokenError> {
        if matches!(old.created_by, Principal::Policy(_)) {
            return Ok(None);
        }
        let now = change.now;
        let facts = TokenFacts::new(now, lifetime(&old).expires_at(now));
        let token = old.successor(change.context().id(now)?, facts, Principal::System, self.hint);
        let new = NewToken { token, secret: self.stored };
        let grace: Span = LeakAction::GRACE;
        let (token, facts) =
            Rotation { old, new, grace, mode: GraceMode::Fixed, idempotency: None }.run(change).await?;
        Ok(Some((token.id, facts.superseded.map_or(now, |superseded| superseded.grace_ends_at))))
    }
}
