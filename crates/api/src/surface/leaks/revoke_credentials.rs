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

/// What was found.
#[derive(Deserialize, ToSchema)]
#[schema(as = FoundCredentials)]
struct Found {
    /// As found; at most 1000 texts. What is no token of this deployment is passed over.
    #[schema(value_type = Vec<String>, required = true)]
    #[serde(default)]
    credentials: Value,
}

/// Revoke leaked tokens by their secrets.
///
/// For scanners and whoever else finds a token where it should not be: it takes no credential but those that were found.
/// The answer is the same whatever there was among them. At most 60 reports an hour and address.
#[utoipa::path(
    tag = "leaks",
    security(),
    request_body = Found,
    responses(
        (status = 202, description = "none of them is good any more"),
        (status = 422, description = "more than 1000, or something that is no text", body = crate::error_body::Error),
        (status = 429, description = "too many reports from this address lately", body = crate::error_body::Error),
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
            .message(format!("credentials must be a list of at most {MOST} texts"))
            .with("field", "credentials")
    };
    let Value::Array(items) = credentials else { return Err(refused()) };
    if items.len() > MOST {
        return Err(refused());
    }
    let text = |item| if let Value::String(text) = item { Ok(text) } else { Err(refused()) };
    items.into_iter().map(text).collect()
}
