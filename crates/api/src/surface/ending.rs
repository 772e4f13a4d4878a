//! Headers that warn the client of a token that ends soon, by its expiry or by the end of its grace.
//!
//! A header, not a field of bodies: it reaches clients on every route and changes no answer that is compared byte by byte.

use actix_web::http::header::HeaderValue;
use authority::{Caller, Context};

use edge::ends_soon::EndsSoon;

/// The notice for this caller, if their token ends within the configured warning time.
pub(super) fn notice(caller: &Caller, context: &Context) -> Option<EndsSoon> {
    let ends_at = caller.token_ends_at()?;
    let is_soon = ends_at <= context.now() + context.policy().expiry_warning;
    let value = || HeaderValue::from_str(&ends_at.rfc3339_seconds()).ok();
    is_soon.then(value).flatten().map(EndsSoon)
}
