//! Rows of mail that waits to be sent, and of the codes that were sent to people who forgot their password.

use super::inconsistent;
use crate::error::StoreError;
use crate::model::{PasswordReset, QueuedMail};
use crate::schema::{outbox, password_resets};
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{MailId, OrganizationId, UserId};

/// A row of `outbox`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct MailRow {
    id: MailId,
    organization_id: Option<OrganizationId>,
    recipient: String,
    letter: String,
    attempts: i32,
    created_at: Timestamp,
    due_at: Timestamp,
}

impl From<MailRow> for QueuedMail {
    fn from(row: MailRow) -> Self {
        let MailRow { id, organization_id, recipient, letter, attempts, created_at, due_at } = row;
        Self { id, organization_id, recipient, letter, attempts, created_at, due_at }
    }
}

/// A row of `password_resets`, without the digest that it is found by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = password_resets)]
pub(crate) struct PasswordResetRow {
    user_id: UserId,
    email_key: String,
    password_digest: Vec<u8>,
    expires_at: Timestamp,
}

impl TryFrom<PasswordResetRow> for PasswordReset {
    type Error = StoreError;

    fn try_from(row: PasswordResetRow) -> Result<Self, StoreError> {
        let PasswordResetRow { user_id, email_key, password_digest, expires_at } = row;
        let password_digest =
            password_digest.try_into().map_err(|_| inconsistent("password_resets", user_id, "password_digest"))?;
        Ok(Self { user_id, email_key, password_digest, expires_at })
    }
}
