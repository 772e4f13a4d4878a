//! Mail that waits to be sent.

use token_domain::Timestamp;
use token_domain::id::{MailId, OrganizationId, UserId};

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

/// What the code in a message to a person who forgot their password is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordReset {
    /// Whose password it sets.
    pub user_id: UserId,
    /// The key of the address that it was mailed to.
    pub email_key: String,
    /// The SHA-256 of the stored password hash at that time.
    pub password_digest: [u8; 32],
    /// When it expires.
    pub expires_at: Timestamp,
}
