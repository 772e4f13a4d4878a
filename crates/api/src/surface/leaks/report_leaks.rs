//! `POST /v1/leaks/github` and `/v1/leaks/gitlab`: signed reports of code hosts about tokens found in public.

use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::leaks::partner::{Feedback, Finding, Label};
use authority::leaks::{Leaks, Reported};
use serde::Serialize;
use token_domain::leak::LeakSource;
use utoipa::ToSchema;

use super::partner_keys::{Keys, PartnerKeys};
use crate::surface::{failing, origin};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::body;

/// The longest report in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The result for one finding.
#[derive(Serialize, ToSchema)]
#[schema(as = LeakFeedback)]
struct Told {
    /// The SHA-256 of the token, in Base64.
    token_hash: String,
    /// The type as reported.
    token_type: String,
    /// `true_positive` for a token of this deployment, even if it was revoked before; otherwise `false_positive`.
    label: String,
}

/// One finding.
#[derive(Serialize, ToSchema)]
#[schema(as = LeakFinding)]
struct Found {
    token: String,
    r#type: String,
    url: Option<String>,
    source: Option<String>,
}

/// Report leaked tokens in the format of GitHub secret scanning.
///
/// The body is signed with a key from `leaks.github_keys_url`; the headers `Github-Public-Key-Identifier` and
/// `Github-Public-Key-Signature` carry the key's identifier and the signature. With every token of this deployment in the
/// report, what its organisation chose as `leak_action` is done: by default it is revoked.
#[utoipa::path(
    tag = "leaks",
    security(),
    params(
        ("Github-Public-Key-Identifier" = Option<String>, Header, description = "The identifier of the public key: the SHA-256 of its PEM text."),
        ("Github-Public-Key-Signature" = Option<String>, Header, description = "The ECDSA P-256 signature with SHA-256 over the body, as DER in Base64."),
    ),
    request_body = Vec<Found>,
    responses(
        (status = 200, description = "One result per finding.", body = Vec<Told>),
        (status = 404, description = "The two headers are missing, or no address of public keys is configured.", body = crate::error_body::Error),
        (status = 503, description = "The public keys could not be fetched.", body = crate::error_body::Error),
    )
)]
#[post("/v1/leaks/github")]
pub(super) async fn report_github_leaks(
    request: HttpRequest,
    payload: Payload,
    keys: Data<PartnerKeys>,
    leaks: Data<Leaks>,
    context: Data<Context>,
) -> ApiResult<HttpResponse> {
    let names = ["Github-Public-Key-Identifier", "Github-Public-Key-Signature"];
    report(&request, payload, keys.github.as_ref(), names, LeakSource::GitHub, &leaks, &context).await
}

/// Report leaked tokens in the format of GitLab secret detection.
///
/// Works like the report for GitHub, with the headers `Gitlab-Public-Key-Identifier` and `Gitlab-Public-Key-Signature`
/// and a key from `leaks.gitlab_keys_url`.
#[utoipa::path(
    tag = "leaks",
    security(),
    params(
        ("Gitlab-Public-Key-Identifier" = Option<String>, Header, description = "The identifier of the public key: the SHA-256 of its PEM text."),
        ("Gitlab-Public-Key-Signature" = Option<String>, Header, description = "The ECDSA P-256 signature with SHA-256 over the body, as DER in Base64."),
    ),
    request_body = Vec<Found>,
    responses(
        (status = 200, description = "One result per finding.", body = Vec<Told>),
        (status = 404, description = "The two headers are missing, or no address of public keys is configured.", body = crate::error_body::Error),
        (status = 503, description = "The public keys could not be fetched.", body = crate::error_body::Error),
    )
)]
#[post("/v1/leaks/gitlab")]
pub(super) async fn report_gitlab_leaks(
    request: HttpRequest,
    payload: Payload,
    keys: Data<PartnerKeys>,
    leaks: Data<Leaks>,
    context: Data<Context>,
) -> ApiResult<HttpResponse> {
    let names = ["Gitlab-Public-Key-Identifier", "Gitlab-Public-Key-Signature"];
    report(&request, payload, keys.gitlab.as_ref(), names, LeakSource::GitLab, &leaks, &context).await
}

async fn report(
    request: &HttpRequest,
    payload: Payload,
    keys: Option<&Keys>,
    names: [&str; 2],
    source: LeakSource,
    leaks: &Leaks,
    context: &Data<Context>,
) -> ApiResult<HttpResponse> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let [name, signature] = names.map(header);
    let (Some(keys), Some(name), Some(signature)) = (keys, name, signature) else { return Err(Code::NotFound.into()) };
    let body: Bytes = body::read(request, &mut payload.into_inner(), MAX_BODY).await?;
    let list = keys
        .with(&name, context)
        .await
        .map_err(|_| ApiError::unavailable("the public keys of the code host could not be fetched"))?;
    if !list.has_signed(&name, &signature, &body) {
        let message = "The signature is not valid. Sign the exact bytes of the body with one of the published keys of the code host.";
        return Err(ApiError::from(Code::InvalidRequest).message(message));
    }
    let findings: Vec<Finding> = serde_json::from_slice(&body)
        .map_err(|_| ApiError::from(Code::MalformedRequest).message("Send a JSON array of findings."))?;
    let origin = origin::of(request);
    let mut told = Vec::with_capacity(findings.len());
    for finding in &findings {
        let reported = leaks.report(&finding.token, source, &origin).await.map_err(|error| failing::leak(&error))?;
        let label = match reported {
            Reported::Foreign => Label::FalsePositive,
            Reported::Goes | Reported::Revoked => Label::TruePositive,
        };
        told.push(Feedback::on(finding, label));
    }
    Ok(HttpResponse::Ok().json(told))
}
