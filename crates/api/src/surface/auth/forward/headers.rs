//! The headers that a gateway gets for a valid token and passes on to the application behind it.
//!
//! **Invariant:** every header of [`NAMES`] is in every answer that lets a request through, so that what a client sent
//! under the same name is overwritten.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use authority::validate::Entry;
use token_domain::decide::Holder;

const COUNT: usize = 7;
/// Organisation, token, kind, scopes, project, actor, access scope.
const NAMES: [HeaderName; COUNT] = [
    HeaderName::from_static("x-nlp-org"),
    HeaderName::from_static("x-nlp-token-id"),
    HeaderName::from_static("x-nlp-kind"),
    HeaderName::from_static("x-nlp-scopes"),
    HeaderName::from_static("x-nlp-project"),
    HeaderName::from_static("x-nlp-actor"),
    HeaderName::from_static("x-nlp-access-scope"),
];
const NOTHING: HeaderValue = HeaderValue::from_static("");

/// 200 with the headers for this token; nothing in them comes from the client.
pub(super) fn of(entry: &Entry) -> HttpResponse {
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
    pass([
        value(&entry.organization_id().to_string()),
        value(&entry.token_id().to_string()),
        HeaderValue::from_static(credential.kind().as_str()),
        value(entry.scopes()),
        project.map_or(NOTHING, |project| value(&project.to_string())),
        actor,
        access_scope,
    ])
}

/// 200 for a request that may pass without a credential: all headers, all empty.
pub(super) fn anonymous() -> HttpResponse {
    pass([NOTHING; COUNT])
}

fn pass(values: [HeaderValue; COUNT]) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in NAMES.into_iter().zip(values) {
        headers.insert(name, value);
    }
    response
}

/// Ids, slugs and names of scopes are ASCII by their grammars.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(NOTHING)
}
