//! A token as the wire shows it.

use authority::records::{Token, TokenOrigin};
use serde::Serialize;
use token_domain::Timestamp;
use token_domain::access::Metadata;
use token_domain::token::{AllowedNetworks, RevokeCause};
use utoipa::ToSchema;

/// A token. Times are in UTC with seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(in crate::surface) struct TokenView {
    /// The id of the token.
    id: String,
    /// The kind of the token: `organization`, `personal` or `actor`.
    kind: &'static str,
    name: String,
    /// The purpose of the token.
    description: Option<String>,
    /// The current status: `active`, `rotating`, `revoked` or `expired`.
    status: &'static str,
    scopes: Vec<String>,
    /// A free label without effect on access.
    agent_type: String,
    /// The project that the token is bound to.
    project_id: Option<String>,
    /// The identifier of the holder in your own system.
    external_id: Option<String>,
    /// Data about the holder for gateways.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// The networks from which the token may be used; `null` for any address.
    #[schema(value_type = Option<Vec<String>>)]
    allowed_networks: Option<AllowedNetworks>,
    /// The first characters of the token, to recognise it by.
    #[schema(example = "nlp_3f7a…")]
    hint: String,
    created_at: String,
    /// Who created the token: `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    created_by: String,
    expires_at: Option<String>,
    /// The time of the last use; up to ten seconds old.
    last_used_at: Option<String>,
    /// The last five addresses from which the token was used, latest first. Empty if validations do not send an
    /// address.
    #[schema(max_items = 5)]
    last_used_from: Vec<UsedFromView>,
    grace_period_ends_at: Option<String>,
    rotated_from: Option<String>,
    rotated_to: Option<String>,
    revoked_at: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` if given at the revocation; otherwise `requested`,
    /// `superseded`, `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    revoked_reason: Option<&'static str>,
    /// The comment given at the revocation.
    revoked_note: Option<String>,
}

/// An address from which a token was used.
#[derive(Serialize, ToSchema)]
#[schema(as = UsedFrom)]
struct UsedFromView {
    address: String,
    /// The user agent of the client; `null` if a gateway validated the token on its behalf.
    agent: Option<String>,
    /// When the token was last used from there, to the minute.
    at: String,
    /// When the token was first used from there, since the address last became one of the five.
    first_at: String,
}

impl From<TokenOrigin> for UsedFromView {
    fn from(origin: TokenOrigin) -> Self {
        Self {
            address: origin.address,
            agent: origin.agent,
            at: origin.last_used_at.rfc3339_seconds(),
            first_at: origin.first_used_at.rfc3339_seconds(),
        }
    }
}

impl TokenView {
    pub(in crate::surface) fn new(token: Token, now: Timestamp) -> Self {
        let facts = token.facts;
        let time = |moment: Timestamp| moment.rfc3339_seconds();
        let revocation = facts.revocation(now);
        Self {
            id: token.id.to_string(),
            kind: token.owner.kind().as_str(),
            name: token.name.to_string(),
            description: token.details.description.map(|text| text.to_string()),
            status: facts.status(now).as_str(),
            scopes: token.scopes,
            agent_type: token.agent_type.to_string(),
            project_id: token.project_id.map(|id| id.to_string()),
            external_id: token.details.external_id.map(|id| id.to_string()),
            metadata: token.details.metadata,
            allowed_networks: token.details.allowed_networks,
            hint: token.hint.to_string(),
            created_at: time(facts.created_at),
            created_by: token.created_by.to_string(),
            expires_at: facts.expires_at.map(time),
            last_used_at: token.last_used_at.map(time),
            last_used_from: token.used_from.into_iter().map(UsedFromView::from).collect(),
            grace_period_ends_at: facts.superseded.map(|superseded| time(superseded.grace_ends_at)),
            rotated_from: token.rotated_from.map(|id| id.to_string()),
            rotated_to: facts.superseded.map(|superseded| superseded.by.to_string()),
            revoked_at: revocation.map(|revoked| time(revoked.at)),
            revoked_reason: revocation
                .map(|revoked| token.explanation.cause.map_or(revoked.reason.as_str(), RevokeCause::as_str)),
            revoked_note: token.explanation.note.map(|note| note.to_string()),
        }
    }
}
