//! Which mail about tokens a person wants.

use std::sync::Arc;

use storage::model::Muted;

use crate::change::Ask;
use crate::context::Context;
use crate::origin::{Caller, Origin};
use crate::people::PersonError;

/// Which mail about tokens a person gets. There is no switch for leaks and reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// Warnings before tokens end.
    pub token_expiring: bool,
    /// Uses of tokens from addresses that were not known.
    pub token_new_address: bool,
}

impl MailSettings {
    fn of(muted: &[Muted]) -> Self {
        let wants = |notice| !muted.contains(&notice);
        Self { token_expiring: wants(Muted::TokenExpiring), token_new_address: wants(Muted::TokenNewAddress) }
    }

    fn muted(self) -> Vec<Muted> {
        let unwanted = [(self.token_expiring, Muted::TokenExpiring), (self.token_new_address, Muted::TokenNewAddress)];
        unwanted.into_iter().filter(|(wanted, _)| !wanted).map(|(_, muted)| muted).collect()
    }
}

/// People's choices of mail.
pub struct NoticeSettings {
    context: Arc<Context>,
}

impl NoticeSettings {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// What the person behind the caller chose.
    ///
    /// # Errors
    /// A caller without a person.
    pub async fn get(&self, caller: &Caller) -> Result<MailSettings, PersonError> {
        let user = caller.user_id().ok_or(PersonError::NotFound)?;
        let muted = self.context.store.read(move |reads| Box::pin(reads.muted_notices(user))).await?;
        Ok(MailSettings::of(&muted))
    }

    /// Chooses what the person behind the caller gets.
    ///
    /// # Errors
    /// A caller without a person.
    pub async fn set(
        &self,
        caller: &Caller,
        asked: MailSettings,
        origin: &Origin,
    ) -> Result<MailSettings, PersonError> {
        let user = caller.user_id().ok_or(PersonError::NotFound)?;
        self.context
            .change(Ask::by(caller, origin).holding(user), move |change| {
                Box::pin(async move {
                    if MailSettings::of(&change.tx.muted_notices(user).await?) == asked {
                        return Ok(asked);
                    }
                    change.check_concerns_nobody_else::<PersonError>(user).await?;
                    change.tx.replace_muted_notices(user, &asked.muted()).await?;
                    let event = change.event("user.notices.update").on("user", user);
                    let event = event.with("token_expiring", asked.token_expiring);
                    change.record(event.with("token_new_address", asked.token_new_address)).await?;
                    Ok(asked)
                })
            })
            .await
    }
}
