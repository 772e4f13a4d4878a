//! The routes that gateways and jobs call all the time, and what of them is answered before it is routed.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use authority::validate::Validator;

use super::auth::{forward, validate};
use super::oauth::introspect;
use edge::error::ApiResult;
use edge::hot::{AtOnce, Extras, Hot, HotPath};

type Answer = fn(&Validator, &HttpRequest, &[u8]) -> Option<ApiResult<HttpResponse>>;

/// With what their requests get besides. Answers to gateways must not be kept by a cache in between, and say so.
/// Introspection is an operation like any other, with a caller who is told what they lack; it is only quicker where nothing
/// has to be said.
const ROUTES: [(HotPath, Answer, Extras); 4] = [
    (HotPath::Whole("/v1/auth/validate"), validate::at_once, Extras::None),
    (HotPath::Whole("/v1/auth/forward"), forward::at_once, Extras::Headers),
    (HotPath::Below("/v1/auth/forward/"), forward::at_once, Extras::Headers),
    (HotPath::Whole("/v1/oauth/introspect"), introspect::at_once, Extras::Everything),
];

/// The hot routes over what this validator remembers. Only where changes are answered before they hold everywhere do
/// questions say how fresh the answer has to be; otherwise nobody pays for the look at that header.
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
