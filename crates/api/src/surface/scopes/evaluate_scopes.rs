//! `POST /v1/scopes/evaluate`: whether some scopes are sufficient for others, and why. Public like the catalogue,
//! because it is about names and not about tokens.

use std::collections::BTreeMap;

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use serde::{Deserialize, Serialize};
use token_domain::scope::{Evaluation, ScopeName, ScopeSet};
use utoipa::ToSchema;

use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The scopes to compare.
#[derive(Deserialize, ToSchema)]
struct EvaluateScopes {
    /// The scopes of a token, at most 256.
    #[schema(example = json!(["scans", "projects:read"]))]
    granted: Vec<String>,
    /// The scopes that an operation requires, all of them; at most 256.
    #[schema(example = json!(["scans:run"]))]
    required: Vec<String>,
}

/// The result of the comparison.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopeEvaluation)]
struct Evaluated<'a> {
    /// Whether a token with the granted scopes has all required ones.
    allowed: bool,
    /// The scopes that are missing, including scopes that a required scope itself requires.
    missing: Vec<&'a str>,
    /// Each required scope that is granted, with the granted scope that covers it.
    matched: BTreeMap<&'a str, &'a str>,
    /// Names in either list that the catalogue does not have. They grant nothing and cannot be granted.
    unknown: Vec<&'a str>,
    /// The smallest sets of scopes that would be sufficient, least permissive first; at most eight. Empty if a required
    /// scope is unknown, because no set is sufficient then.
    sufficient: Vec<Vec<&'a str>>,
}

/// Compare granted scopes with required ones.
#[utoipa::path(
    tag = "scopes",
    security(),
    request_body = EvaluateScopes,
    responses((status = 200, body = Evaluated<'_>))
)]
#[post("/v1/scopes/evaluate")]
pub(super) async fn evaluate_scopes(
    context: Data<Context>,
    Json(body): Json<EvaluateScopes>,
) -> ApiResult<web::Json<serde_json::Value>> {
    check("granted", &body.granted)?;
    check("required", &body.required)?;
    let evaluated = Evaluated::from(context.catalogue().evaluate(&body.granted, &body.required));
    serde_json::to_value(evaluated).map(web::Json).map_err(ApiError::internal)
}

/// Refuses malformed names without repeating them, because they may be secrets.
fn check(list: &str, names: &[String]) -> ApiResult<()> {
    if names.len() > ScopeSet::CAPACITY {
        return Err(ApiError::invalid(list, format!("must have at most {} names", ScopeSet::CAPACITY)));
    }
    match names.iter().position(|name| ScopeName::parse(name).is_err()) {
        Some(index) => Err(ApiError::invalid(
            format!("{list}[{index}]"),
            "must be the name of a scope: name, name:action or name.sub:action in lower-case letters, digits and hyphens",
        )),
        None => Ok(()),
    }
}

impl<'a> From<Evaluation<'a>> for Evaluated<'a> {
    fn from(found: Evaluation<'a>) -> Self {
        Self {
            allowed: found.missing.is_empty(),
            missing: found.missing,
            matched: found.matched.into_iter().collect(),
            unknown: found.unknown,
            sufficient: found.sufficient,
        }
    }
}
