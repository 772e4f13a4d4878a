//! A session as the wire shows it.

use authority::sessions::SeenSession;
use authority::sessions::SignedIn;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

/// The session that was created.
#[derive(Serialize, ToSchema)]
pub(super) struct NewSession {
    id: String,
    /// The session token: `nls_` and 64 hexadecimal digits. Shown only once.
    token: String,
    user_id: String,
    org_id: String,
    role: String,
    expires_at: String,
    /// `true` if the organisation requires a second factor that the person does not have: the session can then only set
    /// one up (`POST /v1/me/totp`). Otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_factor_required: Option<bool>,
}

/// An active session of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(in crate::surface) struct SessionView {
    id: String,
    org_id: String,
    /// The user agent of the client at sign-in.
    agent: Option<String>,
    /// When the session was last used; at most a minute old.
    last_used_at: Option<String>,
    /// The address from which the session was last used; `null` if unknown.
    address: Option<String>,
    created_at: String,
    expires_at: String,
    /// When the person last proved their identity by password or second factor, or at the identity provider; `null` if the session
    /// was created by a separate web front end, or the provider does not say when.
    proven_at: Option<String>,
    /// The identity provider that the session was created by, whose sessions count for one organisation alone; `null` for others.
    provider: Option<String>,
    /// Whether this is the session of the request.
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
            provider: session.provider,
            current,
        }
    }
}
