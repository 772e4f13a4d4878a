//! A person's own account on the wire.

use authority::people::Me;
use authority::{Caller, Context};
use serde::Serialize;
use utoipa::ToSchema;

/// The account, its organisation and the scopes of this credential.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub(super) struct MeView {
    user_id: String,
    email: String,
    /// Whether the address is verified: for the whole deployment, or by an organisation whose invitation was accepted, for that
    /// organisation. An unverified address cannot be used to add the person to an organisation.
    email_verified: bool,
    /// A requested new address that is not verified yet.
    pending_email: Option<String>,
    name: String,
    org_id: String,
    role: String,
    /// All scopes that this credential has at present.
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
