//! `/v1/auth/forward`: what a proxy asks before it lets a request through (nginx `auth_request`, Traefik `ForwardAuth`,
//! Caddy `forward_auth`, Envoy's HTTP authorisation service). By any method, since some proxies pass the client's on.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use authority::validate::{Entry, Outcome, Validator};
use token_domain::decide::Holder;
use token_domain::{Requirement, ScopeCatalogue, ScopeSet};
use token_format::PlainToken;

use crate::surface::{failing, origin};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::credentials::{self, Presented};
use edge::extract::query::Pairs;

const ORG: HeaderName = HeaderName::from_static("x-nlp-org");
const TOKEN_ID: HeaderName = HeaderName::from_static("x-nlp-token-id");
const KIND: HeaderName = HeaderName::from_static("x-nlp-kind");
const SCOPES: HeaderName = HeaderName::from_static("x-nlp-scopes");
const PROJECT: HeaderName = HeaderName::from_static("x-nlp-project");
const ACTOR: HeaderName = HeaderName::from_static("x-nlp-actor");
const ACCESS_SCOPE: HeaderName = HeaderName::from_static("x-nlp-access-scope");
const NOTHING: HeaderValue = HeaderValue::from_static("");

/// What the proxy asks for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the API document: both may come several times, which no reader of objects takes")]
struct Asked {
    /// A scope the token must have. May come several times: all of them.
    scope: Option<Vec<String>>,
    /// A scope that will do. May come several times: one of them.
    any: Option<Vec<String>>,
}

/// The scopes asked for.
#[derive(Debug)]
struct Wanted {
    all: Requirement,
    /// Each would do by itself.
    any: Vec<Requirement>,
    /// Names that the catalogue does not have, among those that all are needed: no token has them.
    unknown: Vec<String>,
    /// The names of which one will do, as they came.
    alternatives: Vec<String>,
}

/// Whether a request may pass, for a proxy.
///
/// Takes the credential of the request at hand and answers without a body; any method will do. The headers are always
/// there, empty where there is nothing to say: a proxy that copies them overwrites whatever a client sent.
#[utoipa::path(
    tag = "validation",
    security(("bearer" = []), ("api_key" = [])),
    params(Asked),
    responses(
        (status = 200, description = "let it through", headers(
            ("X-Nlp-Org" = String, description = "the organisation"),
            ("X-Nlp-Token-Id" = String, description = "the token"),
            ("X-Nlp-Kind" = String, description = "`organization`, `personal` or `actor`"),
            ("X-Nlp-Scopes" = String, description = "what it may do, separated by spaces"),
            ("X-Nlp-Project" = String, description = "the project it is bound to"),
            ("X-Nlp-Actor" = String, description = "the actor it belongs to"),
            ("X-Nlp-Access-Scope" = String, description = "the slug of the actor's access scope"),
        )),
        (status = 401, description = "no credential, or not a good token"),
        (status = 403, description = "a good token without the scopes"),
    )
)]
#[get("/v1/auth/forward")]
pub(super) async fn forward(request: HttpRequest, query: Pairs, validator: Data<Validator>) -> ApiResult<HttpResponse> {
    decide(request, query, validator).await
}

/// The same, by every method: what [`forward`] documents once.
pub(super) async fn decide(request: HttpRequest, query: Pairs, validator: Data<Validator>) -> ApiResult<HttpResponse> {
    let catalogue = validator.context().catalogue();
    let wanted = Wanted::read(query, catalogue)?;
    let token = presented(&request)?;
    let outcome = validator.validate_token(&token, &wanted.all, &|| origin::of(&request)).await;
    wanted.judge(outcome.map_err(|failure| failing::failed(&failure))?, catalogue)
}

/// The answer of [`decide`] about a token that this node remembers, good or bad.
pub(crate) fn at_once(validator: &Validator, request: &HttpRequest, body: &[u8]) -> Option<ApiResult<HttpResponse>> {
    if !body.is_empty() {
        return None;
    }
    let catalogue = validator.context().catalogue();
    let asked = || Ok((Wanted::read(Pairs::of(request)?, catalogue)?, presented(request)?));
    match asked() {
        Ok((wanted, token)) => {
            let outcome = validator.recall_token(&token)?.decide(&wanted.all, &|| origin::of(request));
            Some(wanted.judge(outcome, catalogue))
        }
        Err(error) => Some(Err(error)),
    }
}

/// The token that the request at hand came with.
fn presented(request: &HttpRequest) -> ApiResult<PlainToken> {
    match credentials::presented(request.headers())? {
        Presented::Token(token) => Ok(token),
        Presented::None => Err(Code::Unauthenticated.into()),
        // A session is a person's, for this service alone.
        Presented::Malformed | Presented::Session(_) => Err(Code::InvalidToken.into()),
    }
}

impl Wanted {
    fn read(Pairs(pairs): Pairs, catalogue: &ScopeCatalogue) -> ApiResult<Self> {
        let mut wanted =
            Self { all: Requirement::NOTHING, any: Vec::new(), unknown: Vec::new(), alternatives: Vec::new() };
        let mut all = Vec::new();
        for (parameter, name) in pairs {
            let field = match parameter.as_str() {
                "scope" => "scope",
                "any" => "any",
                _ => continue,
            };
            if name.is_empty() {
                return Err(ApiError::invalid(field, "must be the name of a scope"));
            }
            match (field, catalogue.find(&name)) {
                ("any", found) => {
                    wanted.any.extend(found.map(|scope| catalogue.require(scope)));
                    wanted.alternatives.push(name);
                }
                (_, Some(_)) => all.push(name),
                (_, None) => wanted.unknown.push(name),
            }
        }
        wanted.all = catalogue.require_all(&all).unwrap_or(Requirement::NOTHING);
        Ok(wanted)
    }

    fn judge(&self, outcome: Outcome, catalogue: &ScopeCatalogue) -> ApiResult<HttpResponse> {
        match outcome {
            Outcome::Invalid => Err(Code::InvalidToken.into()),
            Outcome::Insufficient { missing, .. } => Err(self.lacking(catalogue, missing)),
            Outcome::Live(entry) if self.is_met_by(entry.credential().effective()) => Ok(pass(&entry)),
            Outcome::Live(_) => Err(self.lacking(catalogue, ScopeSet::EMPTY)),
        }
    }

    /// Whether what is left to ask of a token that has all of `all` is there.
    fn is_met_by(&self, effective: ScopeSet) -> bool {
        let has_any = self.alternatives.is_empty() || self.any.iter().any(|one| one.check(&effective).is_ok());
        has_any && self.unknown.is_empty()
    }

    /// 403 with what is missing: of those that all are needed, the missing ones; else those of which one would do.
    fn lacking(&self, catalogue: &ScopeCatalogue, missing: ScopeSet) -> ApiError {
        let mut names: Vec<&str> = catalogue.names(missing);
        names.extend(self.unknown.iter().map(String::as_str));
        if names.is_empty() {
            names.extend(self.alternatives.iter().map(String::as_str));
        }
        ApiError::insufficient_scope(&names)
    }
}

/// 200 with everything that is known about the token, and nothing of what the client sent.
fn pass(entry: &Entry) -> HttpResponse {
    let credential = entry.credential();
    let (actor, access_scope) = match &credential.holder {
        Holder::Organization | Holder::Person(_) => (NOTHING, NOTHING),
        Holder::Actor(actor) => {
            let slug = actor.access_scope.as_ref().map_or(NOTHING, |access_scope| value(access_scope.slug.as_str()));
            (value(&actor.actor_id.to_string()), slug)
        }
    };
    let project = match &credential.holder {
        Holder::Actor(actor) => Some(actor.project_id),
        Holder::Organization | Holder::Person(_) => entry.project_id(),
    };
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(ORG, value(&entry.organization_id().to_string()));
    headers.insert(TOKEN_ID, value(&entry.token_id().to_string()));
    headers.insert(KIND, HeaderValue::from_static(credential.kind().as_str()));
    headers.insert(SCOPES, value(entry.scopes()));
    headers.insert(PROJECT, project.map_or(NOTHING, |project| value(&project.to_string())));
    headers.insert(ACTOR, actor);
    headers.insert(ACCESS_SCOPE, access_scope);
    response
}

/// Ids, slugs and names of scopes are ASCII by their grammars.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(NOTHING)
}
