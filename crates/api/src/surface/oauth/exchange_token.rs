//! `POST /v1/oauth/token`: OAuth 2.0 token exchange (RFC 8693) of a workload's identity token.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::trust::jwt::{Jwt, JwtError};
use authority::trust::{Asked, ExchangeError, Target, Trust};
use serde::{Deserialize, Serialize};
use token_domain::id::{OrganizationId, TrustPolicyId};
use token_domain::text::Slug;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::errors;
use crate::surface::public_url::PublicUrl;
use crate::surface::trust::issuer_keys::{IssuerKeys, NoKeys};
use crate::surface::{failing, origin};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::body::{self, MAX_BODY};
use edge::extract::query;

/// The grant type (RFC 8693 §2.1).
pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of the issued token (§3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The accepted types of subject tokens.
pub(crate) const SUBJECT_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];

/// The token exchange request (RFC 8693, section 2.1).
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenExchangeRequest)]
struct Question {
    grant_type: String,
    /// The identity token of the workload.
    #[schema(value_type = String)]
    subject_token: Zeroizing<String>,
    subject_token_type: String,
    /// A subset of the policy's scopes, separated by spaces. Defaults to all of them.
    #[serde(default)]
    scope: Option<String>,
    /// The id of the trust policy. Required if several match.
    #[serde(default)]
    policy_id: Option<String>,
    /// The id or slug of the organisation. Required if policies of several organisations match.
    #[serde(default)]
    audience: Option<String>,
    /// The public address of this deployment. May be left out.
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    requested_token_type: Option<String>,
    #[serde(default)]
    #[schema(ignore)]
    actor_token: Option<serde::de::IgnoredAny>,
}

/// The token exchange response (RFC 8693, section 2.2.1).
#[derive(Serialize, ToSchema)]
#[schema(as = TokenExchangeResponse)]
struct Exchanged<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    /// The lifetime in seconds.
    expires_in: i64,
    /// The scopes, separated by spaces.
    scope: String,
    /// The trust policy under which the token was issued.
    policy_id: String,
}

/// Exchange the identity token of a CI job or another workload for a short-lived token (RFC 8693).
///
/// A trust policy of the organisation defines which identity tokens are accepted and which scopes they get. Each
/// identity token can be exchanged once.
#[utoipa::path(
    tag = "OAuth 2.0",
    security(),
    request_body(content = Question, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Exchanged<'_>),
        (status = 400, description = "Error `invalid_request`, `unsupported_grant_type`, `invalid_grant`, `invalid_target`, `invalid_scope` or `unauthorized_client`. `error_description` has the details.", body = crate::error_body::Error),
        (status = 402, description = "The organisation has reached its token cap.", body = crate::error_body::Error),
        (status = 429, description = "This address has requested too many exchanges.", body = crate::error_body::Error),
        (status = 503, description = "The keys of the issuer could not be fetched.", body = crate::error_body::Error),
    )
)]
#[post("/v1/oauth/token")]
pub(super) async fn exchange_token(
    request: HttpRequest,
    payload: Payload,
    trust: Data<Trust>,
    keys: Data<IssuerKeys>,
    context: Data<Context>,
    url: Data<PublicUrl>,
) -> ApiResult<HttpResponse> {
    let exchanged = exchange(&request, payload, &trust, &keys, &context, &url).await;
    exchanged.map_err(|error| errors::of(error, request.headers()))
}

async fn exchange(
    request: &HttpRequest,
    payload: Payload,
    trust: &Trust,
    keys: &IssuerKeys,
    context: &Data<Context>,
    url: &PublicUrl,
) -> ApiResult<HttpResponse> {
    let body = body::read(request, &mut payload.into_inner(), MAX_BODY).await?;
    let text = std::str::from_utf8(&body).map_err(|_| {
        ApiError::from(Code::MalformedRequest).message("Send the fields as application/x-www-form-urlencoded.")
    })?;
    let question: Question = query::parse(text)?;
    let asked = question.read(url)?;
    let origin = origin::of(request);
    let jwt = Jwt::read(&question.subject_token).map_err(|error| refused(error.into()))?;
    let candidates = trust.candidates(&jwt, &asked, &origin).await.map_err(refused)?;
    let issuer = jwt.issuer().map_err(|error| refused(error.into()))?;
    let keys = keys.of(issuer, &jwt, context).await.map_err(|error| match error {
        NoKeys::Unreachable => ApiError::unavailable("the issuer's keys could not be fetched"),
        NoKeys::Algorithm => refused(JwtError::Algorithm.into()),
    })?;
    let exchanged = trust.exchange(&jwt, &keys, &candidates, &asked, &origin).await.map_err(refused)?;
    let token = &exchanged.token;
    let ends_at = token.facts.expires_at.unwrap_or(token.facts.created_at);
    Ok(HttpResponse::Ok().json(Exchanged {
        access_token: exchanged.secret.expose(),
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: ends_at.since(token.facts.created_at).as_seconds(),
        scope: token.scopes.join(" "),
        policy_id: exchanged.policy.to_string(),
    }))
}

impl Question {
    fn read(&self, url: &PublicUrl) -> ApiResult<Asked> {
        if self.grant_type != GRANT {
            return Err(ApiError::from(Code::UnsupportedGrantType).with("field", "grant_type"));
        }
        if !SUBJECT_TYPES.contains(&self.subject_token_type.as_str()) {
            return Err(ApiError::invalid("subject_token_type", format!("must be {}", SUBJECT_TYPES.join(" or "))));
        }
        if self.requested_token_type.as_deref().is_some_and(|asked| asked != ACCESS_TOKEN) {
            return Err(ApiError::invalid("requested_token_type", format!("must be {ACCESS_TOKEN}, or left out")));
        }
        if self.actor_token.is_some() {
            return Err(ApiError::invalid("actor_token", "must be left out: delegation is not supported"));
        }
        if self.resource.as_deref().is_some_and(|asked| url.get() != Some(asked.trim_end_matches('/'))) {
            let message = "The resource must be the public address of this deployment, or left out.";
            return Err(ApiError::from(Code::InvalidTarget).message(message).with("field", "resource"));
        }
        let policy = match self.policy_id.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let id = TrustPolicyId::parse(text);
                Some(id.map_err(|_| ApiError::invalid("policy_id", "must be the id of a trust policy"))?)
            }
        };
        let scopes = self.scope.as_deref().map(|text| text.split_ascii_whitespace().map(str::to_owned).collect());
        Ok(Asked { policy, target: self.target(url)?, scopes: scopes.filter(|scopes: &Vec<_>| !scopes.is_empty()) })
    }

    /// The organisation in `audience`. Some libraries send the URL of this service there, which is ignored.
    fn target(&self, url: &PublicUrl) -> ApiResult<Option<Target>> {
        let Some(text) = self.audience.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        if url.get() == Some(text.trim_end_matches('/')) {
            return Ok(None);
        }
        if let Ok(id) = OrganizationId::parse(text) {
            return Ok(Some(Target::Id(id)));
        }
        let slug = Slug::parse(text).map_err(|_| refused(ExchangeError::UnknownTarget))?;
        Ok(Some(Target::Slug(slug)))
    }
}

/// The error of an exchange, in the codes of RFC 6749 §5.2 and RFC 8693 §2.2.2: a malformed token is an invalid
/// request, a well-formed token that is not accepted an invalid grant.
fn refused(error: ExchangeError) -> ApiError {
    let saying = |code: Code, message: String| ApiError::from(code).message(message);
    match error {
        ExchangeError::TooMany(wait) => failing::too_many(wait),
        ExchangeError::Jwt(error @ (JwtError::TooLong | JwtError::Malformed)) => {
            ApiError::invalid("subject_token", error.to_string())
        }
        ExchangeError::Jwt(error) => saying(Code::InvalidGrant, format!("The identity token {error}.")),
        ExchangeError::UnknownIssuer => {
            saying(Code::InvalidGrant, "No trust policy exists for the issuer of this identity token.".to_owned())
        }
        ExchangeError::Audience => saying(
            Code::InvalidGrant,
            "The identity token is for another audience. Request one for the audience of the trust policy from its issuer."
                .to_owned(),
        ),
        ExchangeError::Replayed => saying(
            Code::InvalidGrant,
            "The identity token was already exchanged. Request another one from its issuer.".to_owned(),
        ),
        ExchangeError::UnknownTarget => saying(
            Code::InvalidTarget,
            "The audience must be the id or the slug of an organisation, or left out.".to_owned(),
        ),
        ExchangeError::NoPolicy => saying(
            Code::UnauthorizedClient,
            "No trust policy matches this workload. List the attempts under the policies, or test them: both show which claim differs."
                .to_owned(),
        ),
        ExchangeError::RefusedByDefault(why) => saying(Code::UnauthorizedClient, format!("Refused: {why}.")),
        ExchangeError::Gone => saying(
            Code::UnauthorizedClient,
            "The organisation, the project or the actor of the trust policy is deleted or disabled.".to_owned(),
        ),
        ExchangeError::Ambiguous => saying(
            Code::InvalidRequest,
            "Several trust policies match. Send `policy_id`, or the organisation as `audience`.".to_owned(),
        ),
        ExchangeError::Scopes => {
            saying(Code::InvalidScope, "The requested scopes must be scopes of the trust policy.".to_owned())
        }
        ExchangeError::Token(error) => failing::token(error),
        ExchangeError::Failed(failure) => failing::failed(&failure),
    }
}

/// One error of each code, for the API document.
pub(super) fn refusals() -> Vec<ApiError> {
    let all = [
        ExchangeError::Replayed,
        ExchangeError::NoPolicy,
        ExchangeError::UnknownTarget,
        ExchangeError::Scopes,
        ExchangeError::Ambiguous,
    ];
    all.into_iter().map(refused).collect()
}
