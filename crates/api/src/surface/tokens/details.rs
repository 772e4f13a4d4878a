//! What is said about a token when it is made, read from a request.

use authority::records::TokenDetails;
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::token::AllowedNetworks;

use crate::surface::projects::patch;
use edge::error::{ApiError, ApiResult};

/// The details of a token, from the fields that requests to make one have in common.
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
