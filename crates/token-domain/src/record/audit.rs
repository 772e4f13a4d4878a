//! An event of the audit trail.

use crate::Timestamp;
use crate::id::OrganizationId;

/// The end of a trail's hash chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of the last event; zero for an empty trail.
    pub seq: i64,
    /// Its hash; zeros for an empty trail.
    pub hash: [u8; 32],
    /// Its time; 1970 for an empty trail. The next event is not earlier.
    pub at: Timestamp,
    /// Whether an enabled webhook of the organisation may want to be told of the next event.
    pub has_webhooks: bool,
}

/// An audit event in its place in the chain, exactly as stored: nothing in it is interpreted, so that an event somebody
/// tampered with can still be read and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number in its trail, from 1, without gaps.
    pub seq: i64,
    /// The organisation; nothing for the deployment's own trail.
    pub organization_id: Option<OrganizationId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// By whom, as [`Principal`](super::Principal) is shown.
    pub actor: String,
    /// On what kind of thing.
    pub target_kind: String,
    /// On which.
    pub target_id: String,
    /// With which request.
    pub request_id: String,
    /// More, a JSON object.
    pub detail: String,
    /// The hash of the event before it.
    pub prev_hash: [u8; 32],
    /// Its own hash.
    pub hash: [u8; 32],
}
