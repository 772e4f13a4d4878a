//! The properties of a new token or key, parsed from a request.

use authority::records::TokenDetails;
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::token::{AllowedNetworks, Lifetime};
use token_domain::{Span, Timestamp};

use crate::surface::projects::patch;
use edge::error::{ApiError, ApiResult};

/// The longest lifetime in days: a hundred years.
const MOST_DAYS: u32 = 36_500;

/// The details of a token, from the fields that all requests for one have in common.
pub(in crate::surface) fn details(
    description: Option<&String>,
    external_id: Option<&String>,
    metadata: Option<Metadata>,
    allowed_networks: Option<&[String]>,
) -> ApiResult<TokenDetails> {
    let networks = allowed_networks.map(AllowedNetworks::parse).transpose();
    Ok(TokenDetails {
        description: patch::read("description", description, Description::parse)?,
        external_id: patch::read("external_id", external_id, ExternalId::parse)?,
        metadata,
        allowed_networks: networks.map_err(|error| ApiError::invalid("allowed_networks", error.to_string()))?,
    })
}

pub(in crate::surface) fn lifetime(expires_at: Option<&str>, expires_in_days: Option<u32>) -> ApiResult<Lifetime> {
    match (expires_at, expires_in_days) {
        (None, None) => Ok(Lifetime::Unlimited),
        (Some(_), Some(_)) => Err(ApiError::invalid("expires_in_days", "must not be sent together with expires_at")),
        (Some(moment), None) => Timestamp::parse_rfc3339(moment)
            .map(Lifetime::Until)
            .map_err(|error| ApiError::invalid("expires_at", error.to_string())),
        (None, Some(days @ 1..=MOST_DAYS)) => Ok(Lifetime::For(Span::days(days))),
        (None, Some(_)) => Err(ApiError::invalid("expires_in_days", format!("must be 1 to {MOST_DAYS}"))),
    }
}

/// Parses the body of a request for a token or a key, without its `Idempotency-Key`. A macro, because the two bodies
/// are different types for the API document, with the same fields but for the type of `scopes`.
macro_rules! asked {
    ($body:ident) => {{
        use authority::tokens::IssueRequest;
        use edge::error::ApiError;
        use token_domain::id::ProjectId;
        use token_domain::text::{AgentType, Name};

        use crate::surface::tokens::details::{details, lifetime};

        let project_id = $body.project_id.as_deref().map(ProjectId::parse).transpose();
        IssueRequest {
            name: Name::parse(&$body.name).map_err(|error| ApiError::invalid("name", error.to_string()))?,
            scopes: $body.scopes,
            agent_type: AgentType::parse(&$body.agent_type.unwrap_or_default())
                .map_err(|error| ApiError::invalid("agent_type", error.to_string()))?,
            project_id: project_id.map_err(|error| ApiError::invalid("project_id", error.to_string()))?,
            lifetime: lifetime($body.expires_at.as_deref(), $body.expires_in_days)?,
            details: details(
                $body.description.as_ref(),
                $body.external_id.as_ref(),
                $body.metadata,
                $body.allowed_networks.as_deref(),
            )?,
            idempotency: None,
        }
    }};
}

pub(in crate::surface) use asked;
