//! Mail that waits to be sent.

use token_domain::Timestamp;
use token_domain::id::{MailId, OrganizationId};

/// A message that waits. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its id, which is in the message as well.
    pub id: MailId,
    /// In whose trail it is recorded when it is dropped; nothing: in the deployment's.
    pub organization_id: Option<OrganizationId>,
    /// The address it goes to.
    pub recipient: String,
    /// What it says, opaque to the store.
    pub letter: String,
    /// How often it was taken to be sent.
    pub attempts: i32,
    /// When the change it tells of was made.
    pub created_at: Timestamp,
    /// When it is taken next.
    pub due_at: Timestamp,
}
