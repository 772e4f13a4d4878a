//! A person's own account on the wire.

use authority::people::Me;
use authority::{Caller, Context};
use serde::Serialize;
use utoipa::ToSchema;

/// The person, where they are and what they may do there.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub(super) struct MeView {
    user_id: String,
    email: String,
    /// Whether somebody has verified the address. Until then it adds nobody to an organization.
    email_verified: bool,
    /// An address that was asked for and not verified yet.
    pending_email: Option<String>,
    name: String,
    org_id: String,
    role: String,
    /// Everything this credential may do now, by name.
    scopes: Vec<String>,
}

impl MeView {
    pub(super) fn new(me: Me, caller: &Caller, context: &Context) -> Self {
        Self {
            user_id: me.standing.user.id.to_string(),
            email: me.standing.user.email.to_string(),
            email_verified: me.standing.user.verified.is_some(),
            pending_email: me.standing.user.pending_email.as_ref().map(ToString::to_string),
            name: me.standing.user.name.to_string(),
            org_id: me.standing.organization.id.to_string(),
            role: me.role,
            scopes: context.catalogue().names(caller.effective).into_iter().map(str::to_owned).collect(),
        }
    }
}
