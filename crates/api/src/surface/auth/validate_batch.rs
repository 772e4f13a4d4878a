//! `POST /v1/auth/validate/batch`: validates many tokens, for a caller with the scope for it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, post};
use authority::validate::{Outcome, Validator};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::validate::{INVALID, InvalidToken, ValidToken};
use crate::surface::permission::ValidateTokens;
use crate::surface::{Authorized, failing, origin};
use edge::error::{ApiError, ApiResult, exact};
use edge::extract::Json;

/// The result for a valid token that may be used only from its allowed networks.
const ELSEWHERE: &str = r#"{"valid":true,"error":"address not allowed"}"#;

/// The most tokens of one batch.
const MOST: usize = 1_000;
/// The longest body: as many tokens as a batch may have, and as much again for white space.
const MAX_BODY: usize = 128 * 1024;

/// The tokens to validate.
#[derive(Deserialize, ToSchema)]
#[schema(as = BatchRequest)]
struct Questions {
    /// The tokens as presented, at most 1000. Duplicates are allowed.
    #[schema(max_items = 1000)]
    tokens: Vec<String>,
}

/// The results of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResults)]
struct Results {
    /// One result per token, in the order of the request.
    results: Vec<Verdict>,
}

/// The same body as the validation of this token alone.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BatchResult)]
#[expect(dead_code, reason = "for the API document alone")]
enum Verdict {
    Valid(Box<ValidToken>),
    Invalid(InvalidToken),
}

/// Validate many tokens.
#[utoipa::path(
    tag = "validation",
    security(("bearer" = ["authority:validate"]), ("api_key" = ["authority:validate"])),
    request_body = Questions,
    responses((status = 200, description = "One result per token, in the order of the request.", body = Results))
)]
#[post("/v1/auth/validate/batch")]
pub(super) async fn validate_batch(
    _who: Authorized<ValidateTokens>,
    request: HttpRequest,
    Json(questions): Json<Questions, MAX_BODY>,
    validator: Data<Validator>,
) -> ApiResult<HttpResponse> {
    if questions.tokens.len() > MOST {
        return Err(ApiError::invalid("tokens", format!("must have at most {MOST} entries")));
    }
    let outcomes = validator.validate_each(&questions.tokens, &|| origin::of(&request)).await;
    let outcomes = outcomes.map_err(|failure| failing::failed(&failure))?;
    Ok(exact(StatusCode::OK, body(&outcomes)))
}

/// The results, each with the bytes that validating its token alone returns.
fn body(outcomes: &[Outcome]) -> Bytes {
    let mut body = Vec::with_capacity(16 + outcomes.len() * 96);
    body.extend_from_slice(b"{\"results\":[");
    for (index, outcome) in outcomes.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        match outcome {
            // No scope was required, so none can be missing.
            Outcome::Live(entry) | Outcome::Insufficient { entry, .. } => {
                body.extend_from_slice(entry.answer());
            }
            // A batch does not say where a token was presented.
            Outcome::Elsewhere(_) => body.extend_from_slice(ELSEWHERE.as_bytes()),
            Outcome::Invalid => body.extend_from_slice(INVALID.as_bytes()),
        }
    }
    body.extend_from_slice(b"]}");
    body.into()
}
