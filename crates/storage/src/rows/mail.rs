//! Rows of mail that waits to be sent.

use crate::model::QueuedMail;
use crate::schema::outbox;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{MailId, OrganizationId};

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
