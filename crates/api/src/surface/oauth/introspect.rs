//! `POST /v1/oauth/introspect`: OAuth 2.0 token introspection (RFC 7662).

use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use authority::validate::{Entry, Outcome, Recalled, Validator};
use authority::{Caller, Context};
use serde::{Deserialize, Serialize};
use token_domain::decide::Holder;
use token_domain::{Requirement, Timestamp};
use utoipa::ToSchema;

use super::client::Client;
use crate::surface::authorized::may;
use crate::surface::permission::IntrospectTokens;
use crate::surface::public_url::PublicUrl;
use crate::surface::{ending, failing, origin};
use edge::error::ApiResult;
use edge::extract::credentials::{self, Presented};

/// The token to introspect (RFC 7662, section 2.1).
#[derive(Deserialize, ToSchema)]
#[schema(as = IntrospectionRequest)]
pub(super) struct Question {
    /// The token as presented.
    token: String,
    /// The type of the token. Not needed, because there is only one type.
    #[serde(default)]
    #[expect(dead_code, reason = "read and left alone, as RFC 7662 §2.1 allows")]
    token_type_hint: Option<String>,
}

/// The introspection response (RFC 7662, section 2.2). Only `active` is present if the token is not valid or belongs to
/// another organisation.
#[derive(Default, Serialize, ToSchema)]
struct Introspection<'a> {
    /// Whether the token is valid.
    active: bool,
    /// The scopes separated by spaces: first the scopes as granted, then all scopes they imply.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The id of the token: each token is its own client.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    /// `Bearer`
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// When the token expires, in seconds since 1970. Absent if it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// When the token was created, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// The owner of the token: the id of the organisation, the person or the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    /// This deployment, as in `server.public_url`. Absent if that is not configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    /// The id of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    /// The organisation of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<&'a str>,
    /// The kind of the token: `organization`, `personal` or `actor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<&'a str>,
    /// The slug of the actor's access scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_scope: Option<&'a str>,
}

/// Introspect a token (RFC 7662).
///
/// The caller needs the scope `authority:introspect` and presents its own token as OAuth clients do: as `Bearer`, as
/// the password of `Basic` with any user name, or as `client_secret` in the form. For anything that is not a valid
/// token of the caller's organisation, the response is `{"active":false}`.
#[utoipa::path(
    tag = "OAuth 2.0",
    security(("bearer" = ["authority:introspect"]), ("api_key" = ["authority:introspect"])),
    request_body(content = Question, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Introspection<'_>))
)]
#[post("/v1/oauth/introspect")]
pub(super) async fn introspect(
    client: Client<IntrospectTokens, Question>,
    request: HttpRequest,
    validator: Data<Validator>,
    url: Data<PublicUrl>,
) -> ApiResult<HttpResponse> {
    let recalled = validator.look_up(&client.form.token).await.map_err(|failure| failing::failed(&failure))?;
    Ok(judge(recalled, &client.caller, &validator, &url, &request))
}

/// The fast path of [`introspect`]: answers a plain question if both the token and the caller's token are in this
/// node's cache, and the caller may ask.
pub(crate) fn at_once(validator: &Validator, request: &HttpRequest, body: &[u8]) -> Option<ApiResult<HttpResponse>> {
    let Ok(Presented::Token(caller)) = credentials::presented(request.headers()) else { return None };
    // A script of a page needs CORS headers, which only the routed answer has.
    if request.method() != Method::POST || request.headers().contains_key(header::ORIGIN) {
        return None;
    }
    let url = request.app_data::<Data<PublicUrl>>()?;
    let asked = validator.recall(plain_question(body)?)?;
    let who = validator.recall_token(&caller)?;
    let caller = who
        .caller(origin::of(request).presented_from)
        .filter(|caller| may::<IntrospectTokens>(validator.context(), caller))?;
    if ending::notice(&caller, validator.context()).is_some() {
        return None;
    }
    who.decide(&Requirement::NOTHING, &origin::ByHolder(request));
    Some(Ok(judge(asked, &caller, validator, url, request)))
}

/// The token, if the body is `token=…` without further fields and without encoding.
fn plain_question(body: &[u8]) -> Option<&str> {
    let token = std::str::from_utf8(body.strip_prefix(b"token=")?).ok()?;
    let is_plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain.then_some(token)
}

fn judge(
    asked: Recalled<'_>,
    caller: &Caller,
    validator: &Validator,
    url: &PublicUrl,
    request: &HttpRequest,
) -> HttpResponse {
    // A token of another organisation is reported as inactive, and no use of it is counted.
    if asked.entry().is_some_and(|entry| entry.organization_id() != caller.organization_id) {
        return HttpResponse::Ok().json(Introspection::default());
    }
    match asked.decide(&Requirement::NOTHING, &|| origin::of(request)) {
        // No scope was required, so none can be missing, and introspection ignores where the token is presented.
        Outcome::Live(entry) | Outcome::Insufficient { entry, .. } | Outcome::Elsewhere(entry) => {
            known(&entry, validator.context(), url)
        }
        Outcome::Invalid => HttpResponse::Ok().json(Introspection::default()),
    }
}

fn known(entry: &Entry, context: &Context, url: &PublicUrl) -> HttpResponse {
    let credential = entry.credential();
    let organization = credential.organization_id.to_string();
    let token = credential.token_id.to_string();
    let (owner, actor) = match &credential.holder {
        Holder::Organization => (None, None),
        Holder::Person(person) => (Some(person.user_id.to_string()), None),
        Holder::Actor(actor) => (Some(actor.actor_id.to_string()), Some(actor)),
    };
    let project = actor.map_or(entry.project_id(), |actor| Some(actor.project_id)).map(|project| project.to_string());
    let facts = &credential.facts;
    // The earlier of the two ends. `exp` is in whole seconds, rounded down, because the token must not be used after
    // it.
    let ends =
        [facts.expires_at, facts.superseded.map(|superseded| superseded.grace_ends_at)].into_iter().flatten().min();
    HttpResponse::Ok().json(Introspection {
        active: true,
        scope: Some(covered(entry, context)),
        client_id: Some(&token),
        token_type: Some("Bearer"),
        exp: ends.map(seconds),
        iat: Some(seconds(facts.created_at)),
        sub: Some(owner.as_deref().unwrap_or(&organization)),
        iss: url.get(),
        jti: Some(&token),
        org_id: Some(&organization),
        kind: Some(credential.kind().as_str()),
        project_id: project.as_deref(),
        actor_id: actor.and(owner.as_deref()),
        access_scope: actor
            .and_then(|actor| actor.access_scope.as_ref())
            .map(|access_scope| access_scope.slug.as_str()),
    })
}

/// The granted scopes, then the scopes that these cover: a resource server compares names only.
fn covered(entry: &Entry, context: &Context) -> String {
    let listed: Vec<&str> = entry.scopes().split(' ').filter(|name| !name.is_empty()).collect();
    let covered = context.catalogue().names(entry.credential().effective());
    let more = covered.into_iter().filter(|name| !listed.contains(name));
    listed.iter().copied().chain(more).collect::<Vec<_>>().join(" ")
}

const fn seconds(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(1_000_000)
}
