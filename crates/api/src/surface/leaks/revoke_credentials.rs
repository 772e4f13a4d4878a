//! `POST /v1/credentials/revoke`: revokes leaked tokens by their secrets.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::leaks::Leaks;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::surface::failing;
use crate::surface::origin::From;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The most credentials of one report.
const MOST: usize = 1_000;
/// The longest body: as many tokens as a report may have, and as much again for white space.
const MAX_BODY: usize = 128 * 1024;

/// The tokens that were found.
#[derive(Deserialize, ToSchema)]
#[schema(as = FoundCredentials)]
struct Found {
    /// The tokens as found, at most 1000. Strings that are not tokens of this deployment are ignored.
    #[schema(value_type = Vec<String>, required = true)]
    #[serde(default)]
    credentials: Value,
}

/// Revoke leaked tokens by their secrets.
///
/// For secret scanners and anybody else who finds a token in the wrong place: no credential is needed except the tokens
/// that were found. The response is the same whether or not any of them were valid. At most 60 reports per hour and
/// address are accepted.
#[utoipa::path(
    tag = "leaks",
    security(),
    request_body = Found,
    responses(
        (status = 202, description = "None of these tokens is valid any more."),
        (status = 422, description = "There are more than 1000 entries, or one of them is not a string.", body = crate::error_body::Error),
        (status = 429, description = "This address has sent too many reports.", body = crate::error_body::Error),
    )
)]
#[post("/v1/credentials/revoke")]
pub(super) async fn revoke_credentials(
    From(origin): From,
    Json(found): Json<Found, MAX_BODY>,
    leaks: Data<Leaks>,
) -> ApiResult<HttpResponse> {
    let texts = texts(found.credentials)?;
    leaks.revoke_found(&texts, &origin).await.map_err(|error| failing::leak(&error))?;
    Ok(HttpResponse::Accepted().finish())
}

fn texts(credentials: Value) -> ApiResult<Vec<String>> {
    let refused = || {
        ApiError::from(Code::UnprocessableContent)
            .message(format!("credentials must be a list of at most {MOST} strings"))
            .with("field", "credentials")
    };
    let Value::Array(items) = credentials else { return Err(refused()) };
    if items.len() > MOST {
        return Err(refused());
    }
    let text = |item| if let Value::String(text) = item { Ok(text) } else { Err(refused()) };
    items.into_iter().map(text).collect()
}
