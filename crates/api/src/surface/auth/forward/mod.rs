//! `/v1/auth/forward`: the question of a gateway before it lets a request through (nginx `auth_request`, Traefik
//! `ForwardAuth`, Caddy `forward_auth`, Envoy's HTTP authorisation service). Any method is accepted, because some
//! gateways use the client's.
//!
//! A gateway that appends the client's path (Envoy) asks below `/v1/auth/forward/scope/<scope>` or
//! `/v1/auth/forward/routes/<table>`. There the query is the client's and is never read, so that a client cannot change
//! what is required.

mod asked;
mod headers;
mod original;
pub mod routes;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use authority::Context;
use authority::legacy::ForeignKey;
use authority::validate::{Outcome, Validator};
use token_domain::ScopeSet;
use token_format::PlainToken;

use self::asked::{Asked, Row};
use self::routes::RouteTables;
use crate::surface::authorized::foreign_key;
use crate::surface::failing;
use crate::surface::origin::ByHolder;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::credentials::{self, Presented};

/// What the gateway asks for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the API document: some may come several times, which no reader of objects takes")]
struct Parameters {
    /// A required scope. May be repeated: all of them are required.
    scope: Option<Vec<String>>,
    /// An alternative scope. May be repeated: one of them is required.
    any: Option<Vec<String>>,
    /// The name of a route table, whose row for the original request defines what is required. The original request is
    /// read from `X-Forwarded-Method`, `X-Forwarded-Uri` and, if the table names hosts, `X-Forwarded-Host`.
    routes: Option<String>,
    /// `allow` lets a CORS preflight request (`X-Forwarded-Method: OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method`) pass without a credential.
    preflight: Option<String>,
}

/// Authorise a request on behalf of a gateway.
///
/// Checks the credential of the original request and answers without a body. Every HTTP method works. The identity
/// headers are always present, and empty where there is no value, so that a gateway that copies them overwrites
/// anything the client sent. An unknown parameter is answered 400, because a misspelt one would otherwise require
/// nothing. Gateways that append the client's path can call `/v1/auth/forward/scope/{scope}/…` or
/// `/v1/auth/forward/routes/{name}/…`, where the query is never read.
#[utoipa::path(
    tag = "validation",
    security(("bearer" = []), ("api_key" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The request is allowed.", headers(
            ("X-Nlp-Org" = String, description = "The organisation of the token."),
            ("X-Nlp-Token-Id" = String, description = "The id of the token."),
            ("X-Nlp-Kind" = String, description = "The kind of the token: `organization`, `personal` or `actor`."),
            ("X-Nlp-Scopes" = String, description = "The scopes of the token, separated by spaces."),
            ("X-Nlp-Project" = String, description = "The project that the token is bound to."),
            ("X-Nlp-Actor" = String, description = "The actor that the token belongs to."),
            ("X-Nlp-Access-Scope" = String, description = "The slug of the actor's access scope."),
        )),
        (status = 401, description = "There is no credential, there are two different ones, or the credential is not valid."),
        (status = 403, description = "The token is valid but lacks the scopes, or the route table has no row for the request."),
    )
)]
#[get("/v1/auth/forward")]
pub(in crate::surface) async fn forward(
    request: HttpRequest,
    validator: Data<Validator>,
    tables: Data<RouteTables>,
) -> ApiResult<HttpResponse> {
    decide(request, validator, tables).await
}

/// The handler of [`forward`] for every method, and for paths with the client's path appended.
pub(in crate::surface) async fn decide(
    request: HttpRequest,
    validator: Data<Validator>,
    tables: Data<RouteTables>,
) -> ApiResult<HttpResponse> {
    let catalogue = validator.context().catalogue();
    let asked = Asked::read(&request, &tables, catalogue)?;
    if asked.is_preflight() {
        return Ok(headers::anonymous());
    }
    let outcome = match presented(&request, validator.context())? {
        Key::Token(token) => validator.validate_token(&token, asked.requirement(), &ByHolder(&request)).await,
        Key::Foreign(key) => Box::pin(validator.validate_foreign(&key, asked.requirement(), &ByHolder(&request))).await,
    };
    judge(&asked, outcome.map_err(|failure| failing::failed(&failure))?, validator.context())
}

/// The fast path of [`decide`]: answers about a token that is in this node's cache, valid or not.
pub(crate) fn at_once(validator: &Validator, request: &HttpRequest, body: &[u8]) -> Option<ApiResult<HttpResponse>> {
    if !body.is_empty() {
        return None;
    }
    let tables = request.app_data::<Data<RouteTables>>()?;
    let catalogue = validator.context().catalogue();
    let asked = match Asked::read(request, tables, catalogue) {
        Ok(asked) if asked.is_preflight() => return Some(Ok(headers::anonymous())),
        Ok(asked) => asked,
        Err(error) => return Some(Err(error)),
    };
    match presented(request, validator.context()) {
        Ok(key) => {
            let recalled = match &key {
                Key::Token(token) => validator.recall_token(token)?,
                Key::Foreign(key) => validator.recall_foreign(key)?,
            };
            let outcome = recalled.decide(asked.requirement(), &ByHolder(request));
            Some(judge(&asked, outcome, validator.context()))
        }
        Err(error) => Some(Err(error)),
    }
}

/// What a gateway's client presents.
enum Key {
    /// A token of this service.
    Token(PlainToken),
    /// A key of another system.
    Foreign(ForeignKey),
}

/// The token of the request.
fn presented(request: &HttpRequest, context: &Context) -> ApiResult<Key> {
    let presented = credentials::presented(request.headers()).map_err(|_| ApiError::conflicting_at_gateway())?;
    match presented {
        Presented::Token(token) => Ok(Key::Token(token)),
        Presented::Foreign(texts) => {
            let key = foreign_key(context, &texts).map_err(|_| ApiError::conflicting_at_gateway())?;
            key.map(Key::Foreign).ok_or_else(|| Code::InvalidToken.into())
        }
        Presented::None => Err(Code::Unauthenticated.into()),
        // A session is valid for this service only, not behind gateways.
        Presented::Malformed | Presented::Session(_) => Err(Code::InvalidToken.into()),
    }
}

fn judge(asked: &Asked<'_>, outcome: Outcome, context: &Context) -> ApiResult<HttpResponse> {
    let catalogue = context.catalogue();
    match outcome {
        Outcome::Invalid => Err(Code::InvalidToken.into()),
        Outcome::Elsewhere(_) => Err(Code::AddressNotAllowed.into()),
        // Checked before missing scopes: no scope lets a request without a row through.
        Outcome::Insufficient { .. } | Outcome::Live(_) if asked.row() == Row::Absent => Err(ApiError::no_route()),
        Outcome::Insufficient { missing, .. } => Err(asked.lacking(catalogue, missing)),
        Outcome::Live(entry) if asked.is_met_by(entry.credential().effective()) => {
            for alternative in asked.met_by(entry.credential().effective()) {
                context.note_scopes(entry.token_id(), alternative);
            }
            Ok(headers::of(&entry))
        }
        Outcome::Live(_) => Err(asked.lacking(catalogue, ScopeSet::EMPTY)),
    }
}
