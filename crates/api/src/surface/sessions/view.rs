//! A session as the wire shows it.

use authority::sessions::SeenSession;
use authority::sessions::SignedIn;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

/// A session just made.
#[derive(Serialize, ToSchema)]
pub(super) struct NewSession {
    id: String,
    /// Shown once: `nls_` and 64 hexadecimal digits.
    token: String,
    user_id: String,
    org_id: String,
    role: String,
    expires_at: String,
    /// True where the organisation asks for a second factor that the person lacks: the session is good for setting one up
    /// (`POST /v1/me/totp`) and for nothing else. Left out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_factor_required: Option<bool>,
}

/// A live session of the caller's.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(in crate::surface) struct SessionView {
    id: String,
    org_id: String,
    /// What the client called itself when it signed in.
    agent: Option<String>,
    /// When it was last used, at most a minute behind.
    last_used_at: Option<String>,
    /// Where it was last used from; null where that is not known.
    address: Option<String>,
    created_at: String,
    expires_at: String,
    /// When the person last proved to be at it, by password or second factor; null where a front end vouched for them.
    proven_at: Option<String>,
    /// Whether this request came with it.
    current: bool,
}

impl From<SignedIn> for NewSession {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn { session, token, role, lacks_second_factor } = signed_in;
        Self {
            id: session.id.to_string(),
            token: token.expose().to_owned(),
            user_id: session.user_id.to_string(),
            org_id: session.organization_id.to_string(),
            role,
            expires_at: session.expires_at.rfc3339_seconds(),
            second_factor_required: lacks_second_factor.then_some(true),
        }
    }
}

impl SessionView {
    pub(in crate::surface) fn new((session, used): SeenSession, current: bool) -> Self {
        let (last_used_at, address) = used.map(|used| (used.last_used_at.rfc3339_seconds(), used.address)).unzip();
        Self {
            id: session.id.to_string(),
            org_id: session.organization_id.to_string(),
            agent: session.user_agent,
            last_used_at,
            address: address.flatten(),
            created_at: session.created_at.rfc3339_seconds(),
            expires_at: session.expires_at.rfc3339_seconds(),
            proven_at: session.proven_at.map(Timestamp::rfc3339_seconds),
            current,
        }
    }
}
