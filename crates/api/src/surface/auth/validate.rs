//! `POST /v1/auth/validate`: the hot path. No credential, two fixed bodies, one prepared answer.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, post};
use authority::validate::{Details, Entry, Outcome, Validator};
use authority::{Context, Failure};
use serde::{Deserialize, Serialize};
use token_domain::access::Metadata;
use token_domain::decide::Holder;
use token_domain::{Requirement, ScopeSet};
use token_format::PlainToken;
use utoipa::ToSchema;

use super::shown::shown;
use crate::surface::origin::ByGateway;
use crate::surface::{failing, freshness};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult, NO_STORE, accepted_scopes, accepted_scopes_header, exact, lacking_challenge};
use edge::extract::body::{self, MAX_VALIDATE_BODY};

pub(super) const INVALID: &str = r#"{"valid":false,"error":"invalid token"}"#;
const MALFORMED: &str = r#"{"error":"malformed request"}"#;
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"nolapse\", error=\"invalid_token\"");

/// The validation request.
#[derive(Deserialize, ToSchema)]
#[schema(as = ValidateRequest)]
struct Question<'a> {
    /// The token as presented.
    #[serde(borrow)]
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    token: Cow<'a, str>,
    /// The required scopes, all of which the token must have.
    #[serde(borrow, default)]
    required_scopes: Option<Vec<Cow<'a, str>>>,
    /// Whether to return all details of the token.
    #[serde(default)]
    detail: Option<bool>,
    /// The address from which the token was presented. It is checked against the allowed networks of the token.
    #[serde(borrow, default)]
    #[schema(example = "203.0.113.7")]
    ip: Option<Cow<'a, str>>,
}

/// A valid token.
#[derive(Serialize, ToSchema)]
pub(super) struct ValidToken {
    /// `true`
    valid: bool,
    /// The organisation of the token.
    org_id: String,
    /// The scopes of the token.
    scopes: Vec<String>,
    #[serde(flatten)]
    detail: Option<TokenDetail>,
}

/// What only `detail` adds.
#[derive(Serialize, ToSchema)]
struct TokenDetail {
    token_id: String,
    /// The kind of the token: `organization`, `personal` or `actor`.
    kind: &'static str,
    name: String,
    /// `active` or `rotating`.
    status: &'static str,
    agent_type: String,
    created_at: String,
    expires_at: Option<String>,
    grace_period_ends_at: Option<String>,
    last_used_at: Option<String>,
    owner: Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_scope: Option<AccessScope>,
    /// The holder in the caller's own system.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// The owner of a token.
#[derive(Serialize, ToSchema)]
struct Owner {
    /// `organization`, `user` or `actor`.
    r#type: &'static str,
    id: String,
}

/// The current access scope of an actor's token.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenAccessScope)]
struct AccessScope {
    id: String,
    slug: String,
}

/// The token is not valid. The response is the same for every reason.
#[derive(Serialize, ToSchema)]
pub(super) struct InvalidToken {
    /// `false`
    valid: bool,
    /// `invalid token`
    error: &'static str,
}

/// The request cannot be read.
#[derive(Serialize, ToSchema)]
struct UnreadableQuestion {
    /// `malformed request`
    error: &'static str,
}

/// The two bodies of a 400. The second one names the `ip` or header that is not acceptable.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the API document")]
enum MalformedQuestion {
    Unreadable(UnreadableQuestion),
    Invalid(crate::error_body::Error),
}

/// A valid token that lacks required scopes.
#[derive(Serialize, ToSchema)]
struct LackingToken<'a> {
    /// `true`
    valid: bool,
    /// `insufficient scope`
    error: &'static str,
    message: &'static str,
    /// The scopes that are missing.
    missing: Vec<&'a str>,
    #[serde(rename = "statusCode")]
    status_code: u16,
}

/// A valid token that was presented from outside its allowed networks.
#[derive(Serialize, ToSchema)]
struct ElsewhereToken {
    /// `true`
    valid: bool,
    /// `address not allowed`
    error: &'static str,
    message: &'static str,
    #[serde(rename = "statusCode")]
    status_code: u16,
}

/// The two bodies of a 403.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the API document")]
enum RefusedToken<'a> {
    Lacking(LackingToken<'a>),
    Elsewhere(ElsewhereToken),
}

/// Validate a token.
#[utoipa::path(
    tag = "validation",
    security(),
    request_body = Question<'_>,
    responses(
        (status = 200, description = "The token is valid.", body = ValidToken),
        (status = 400, description = "The body is not a JSON object with a string `token`, or `ip` is not an IP address.", body = MalformedQuestion),
        (status = 401, description = "The token is unknown, expired or revoked, or it is not a token.", body = InvalidToken),
        (status = 403, description = "The token is valid, but it lacks one of `required_scopes`, or `ip` is outside its allowed networks.", body = RefusedToken<'_>),
    )
)]
#[post("/v1/auth/validate")]
pub(super) async fn validate(
    request: HttpRequest,
    payload: Payload,
    validator: Data<Validator>,
) -> ApiResult<HttpResponse> {
    let context = validator.context();
    let body: Bytes = body::read(&request, &mut payload.into_inner(), MAX_VALIDATE_BODY).await?;
    let Some(question) = question(&body) else { return Ok(exact(StatusCode::BAD_REQUEST, MALFORMED)) };
    let (requirement, unknown) = question.requirement(context);
    let presented_from = question.presented_from()?;
    let origin = ByGateway { request: &request, presented_from };
    let lease = context.lease();
    let wanted = if lease.is_relaxed() { freshness::wanted(&request)? } else { None };
    let (outcome, details) = if wanted.is_some_and(|place| !lease.has_applied(place)) {
        let afresh = async {
            let outcome = validator.validate_afresh(&question.token, &requirement, &origin).await?;
            if question.detail == Some(true) { validator.detailed(outcome).await } else { Ok((outcome, None)) }
        };
        Box::pin(afresh).await.map_err(|failure| unknowable(&failure))?
    } else if question.detail == Some(true) {
        // Boxed: the future of a plain question stays small, which matters because it is moved.
        let inspected = Box::pin(validator.inspect(&question.token, &requirement, &origin)).await;
        inspected.map_err(|failure| unknowable(&failure))?
    } else {
        let outcome = validator.validate(&question.token, &requirement, &origin).await;
        (outcome.map_err(|failure| unknowable(&failure))?, None)
    };
    Ok(match (outcome, details) {
        (Outcome::Live(entry), Some(details)) if unknown.is_empty() => detailed(context, &entry, details),
        (outcome, _) => told(context, &outcome, &requirement, &unknown),
    })
}

/// The fast path of [`validate`]: answers a plain question about a token that is in this node's cache, valid or not.
pub(crate) fn at_once(validator: &Validator, request: &HttpRequest, body: &[u8]) -> Option<ApiResult<HttpResponse>> {
    if request.method() != Method::POST || body.len() > MAX_VALIDATE_BODY {
        return None;
    }
    if let Some(token) = only_token(body) {
        let origin = ByGateway { request, presented_from: None };
        let outcome = validator.recall_token(&token)?.decide(&Requirement::NOTHING, &origin);
        return Some(Ok(told(validator.context(), &outcome, &Requirement::NOTHING, &[])));
    }
    let question = question(body).filter(|question| question.detail != Some(true))?;
    let (requirement, unknown) = question.requirement(validator.context());
    let presented_from = question.presented_from().ok()?;
    let origin = ByGateway { request, presented_from };
    let outcome = validator.recall(&question.token)?.decide(&requirement, &origin);
    Some(Ok(told(validator.context(), &outcome, &requirement, &unknown)))
}

/// As [`at_once`], for `cluster.consistency = "relaxed"`: answers only if this node has applied all changes up to the
/// place in the request's `X-Nlp-Min-Seq`.
pub(crate) fn at_once_relaxed(
    validator: &Validator,
    request: &HttpRequest,
    body: &[u8],
) -> Option<ApiResult<HttpResponse>> {
    let wanted = freshness::wanted(request).ok()?;
    let is_fresh = wanted.is_none_or(|place| validator.context().lease().has_applied(place));
    if is_fresh { at_once(validator, request, body) } else { None }
}

/// The answer to a plain question.
fn told(context: &Context, outcome: &Outcome, requirement: &Requirement, unknown: &[String]) -> HttpResponse {
    match outcome {
        Outcome::Invalid => invalid(),
        Outcome::Elsewhere(_) => elsewhere(),
        Outcome::Live(_) if !unknown.is_empty() => lacking(context, requirement, ScopeSet::EMPTY, unknown),
        Outcome::Insufficient { missing, .. } => lacking(context, requirement, *missing, unknown),
        Outcome::Live(entry) => plain(entry),
    }
}

/// The token of a body that is exactly `{"token":"…"}`, the form that most clients send; the JSON parser takes five
/// times as long. A text of a token's form contains neither a quote nor a backslash, so it needs no JSON decoding.
fn only_token(body: &[u8]) -> Option<PlainToken> {
    let value = body.strip_prefix(br#"{"token":"#)?;
    let text = value.strip_prefix(b" ").unwrap_or(value).strip_prefix(b"\"")?.strip_suffix(b"\"}")?;
    PlainToken::parse_bytes(text).ok()
}

/// Reads the body if it is an object: serde's derived readers would also accept an array, by position.
fn question(body: &[u8]) -> Option<Question<'_>> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *first == b'{' { serde_json::from_slice(body).ok() } else { None }
}

impl Question<'_> {
    /// The address in `ip` that the token was presented from, if the request names one.
    fn presented_from(&self) -> ApiResult<Option<IpAddr>> {
        let address = self.ip.as_deref().map(str::parse).transpose();
        address.map_err(|_| ApiError::invalid("ip", "must be an IPv4 or IPv6 address"))
    }

    /// The required scopes, and the required names that the catalogue does not have. No token covers those: the answer
    /// lists them as missing, also for a gateway that was configured for a scope before this service knew it.
    fn requirement(&self, context: &Context) -> (Requirement, Vec<String>) {
        let names = self.required_scopes.as_deref().unwrap_or_default();
        if names.is_empty() {
            return (Requirement::NOTHING, Vec::new());
        }
        let catalogue = context.catalogue();
        let (known, unknown): (Vec<_>, Vec<_>) = names.iter().partition(|name| catalogue.find(name).is_some());
        let requirement = catalogue.require_all(&known).unwrap_or(Requirement::NOTHING);
        (requirement, unknown.into_iter().map(|name| name.clone().into_owned()).collect())
    }
}

fn plain(entry: &Entry) -> HttpResponse {
    exact(StatusCode::OK, entry.answer().clone())
}

fn invalid() -> HttpResponse {
    let mut response = exact(StatusCode::UNAUTHORIZED, INVALID);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    response
}

fn unkept(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((header::CACHE_CONTROL, NO_STORE));
    response
}

fn elsewhere() -> HttpResponse {
    let entry = Code::AddressNotAllowed.entry();
    unkept(HttpResponse::build(entry.status)).json(ElsewhereToken {
        valid: true,
        error: entry.error,
        message: entry.message,
        status_code: entry.status.as_u16(),
    })
}

fn lacking(context: &Context, required: &Requirement, missing: ScopeSet, unknown: &[String]) -> HttpResponse {
    let mut names = context.catalogue().names(missing);
    names.extend(unknown.iter().map(|name| shown(name)));
    let entry = Code::InsufficientScope.entry();
    let mut response = unkept(HttpResponse::build(entry.status));
    response.insert_header((header::WWW_AUTHENTICATE, lacking_challenge(&names)));
    // No scope covers a name that the catalogue does not have.
    let sets = if unknown.is_empty() { context.catalogue().sufficient_names(required.scopes()) } else { Vec::new() };
    if let Some(accepted) = accepted_scopes(&sets) {
        response.insert_header((accepted_scopes_header(), accepted));
    }
    response.json(LackingToken {
        valid: true,
        error: entry.error,
        message: entry.message,
        missing: names,
        status_code: entry.status.as_u16(),
    })
}

fn detailed(context: &Context, entry: &Entry, details: Details) -> HttpResponse {
    let credential = entry.credential();
    let Details { token, status } = details;
    let time = |moment: token_domain::Timestamp| moment.rfc3339_seconds();
    let (owner, actor_id, access_scope) = match &credential.holder {
        Holder::Organization => {
            (Owner { r#type: "organization", id: credential.organization_id.to_string() }, None, None)
        }
        Holder::Person(person) => (Owner { r#type: "user", id: person.user_id.to_string() }, None, None),
        Holder::Actor(actor) => (
            Owner { r#type: "actor", id: actor.actor_id.to_string() },
            Some(actor.actor_id.to_string()),
            actor
                .access_scope
                .as_ref()
                .map(|scope| AccessScope { id: scope.id.to_string(), slug: scope.slug.to_string() }),
        ),
    };
    let scopes = authority::validate::shown_scopes(context.catalogue(), &credential, &token.scopes);
    unkept(HttpResponse::Ok()).json(ValidToken {
        valid: true,
        org_id: credential.organization_id.to_string(),
        scopes,
        detail: Some(TokenDetail {
            token_id: token.id.to_string(),
            kind: token.owner.kind().as_str(),
            name: token.name.to_string(),
            status: status.as_str(),
            agent_type: token.agent_type.to_string(),
            created_at: time(token.facts.created_at),
            expires_at: token.facts.expires_at.map(time),
            grace_period_ends_at: token.facts.superseded.map(|superseded| time(superseded.grace_ends_at)),
            last_used_at: token.last_used_at.map(time),
            owner,
            project_id: token.project_id.map(|id| id.to_string()),
            actor_id,
            access_scope,
            external_id: token.details.external_id.map(|id| id.to_string()),
            metadata: token.details.metadata,
        }),
    })
}

/// The error for a token that cannot be judged now: an outage is never reported as an invalid token.
fn unknowable(failure: &Failure) -> ApiError {
    failing::failed(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_alone_is_read_as_any_body_is() {
        const TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";
        let whole = |inside: &str| inside.replace("TOKEN", TOKEN);
        let rows = [
            (r#"{"token":"TOKEN"}"#, true),
            (r#"{"token": "TOKEN"}"#, true),
            (r#"{ "token":"TOKEN"}"#, false),
            (r#"{"token":"TOKEN" }"#, false),
            (r#"{"token":"TOKEN"}}"#, false),
            (r#"{"token":"TOKEN","token":"TOKEN"}"#, false),
            (r#"{"token":"TOKEN","ip":"203.0.113.7"}"#, false),
            (r#"{"token":"TOKEN","detail":true}"#, false),
            (r#"{"token":"TOKEN\n"}"#, false),
            (r#"{"token":"\u006elp_00112233445566778899aabbccddeeff550c91"}"#, false),
            (r#"{"token":"nlp_00112233445566778899aabbccddeeff5,"a":""}"#, false),
            (r#"{"token":""}"#, false),
            (r#"["TOKEN"]"#, false),
        ];
        for (body, is_alone) in rows {
            let body = whole(body);
            let read = only_token(body.as_bytes());
            assert_eq!(read.is_some(), is_alone, "{body}");
            if let Some(token) = read {
                let question = question(body.as_bytes()).expect("a question");
                assert_eq!(question.token, token.expose(), "{body}");
                assert!(question.required_scopes.is_none() && question.detail.is_none() && question.ip.is_none());
            }
        }
    }
}
