//! The hot routes, which gateways and jobs call all the time, with their fast paths.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use authority::validate::Validator;

use super::auth::{forward, validate};
use super::oauth::introspect;
use edge::error::ApiResult;
use edge::hot::{AtOnce, Extras, Hot, HotPath};

type Answer = fn(&Validator, &HttpRequest, &[u8]) -> Option<ApiResult<HttpResponse>>;

/// The hot routes with their fast paths and extras. Answers to gateways have the usual headers, which forbid caching.
/// Introspection has a caller and all extras, like any other operation; its fast path only answers without errors.
const ROUTES: [(HotPath, Answer, Extras); 4] = [
    (HotPath::Whole("/v1/auth/validate"), validate::at_once, Extras::None),
    (HotPath::Whole("/v1/auth/forward"), forward::at_once, Extras::Headers),
    (HotPath::Below("/v1/auth/forward/"), forward::at_once, Extras::Headers),
    (HotPath::Whole("/v1/oauth/introspect"), introspect::at_once, Extras::Everything),
];

/// The hot routes with this validator's cache. Only in relaxed mode does a question name the log place that the answer
/// must know of; in strict mode that header is not looked up.
pub(crate) fn routes(validator: &Arc<Validator>, is_relaxed: bool) -> Arc<[Hot]> {
    let hot = |(path, mut answer, extras): (HotPath, Answer, Extras)| {
        if is_relaxed && path == HotPath::Whole("/v1/auth/validate") {
            answer = validate::at_once_relaxed;
        }
        let validator = Arc::clone(validator);
        let at_once: AtOnce = Arc::new(move |request, body| answer(&validator, request, body));
        Hot { path, at_once: Some(at_once), extras }
    };
    Arc::new(ROUTES.map(hot))
}
