//! Answers of pages: HTML under one policy, and redirects that carry a message.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use authority::limits::TooManyAttempts;

use crate::cookies::Cookie;
use crate::show::length;

/// The content security policy: scripts, styles, images and forms of this origin only; no framing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The lifetime of the message cookie.
const MESSAGE_SECONDS: i64 = 60;

/// What a handler returns: the page that was asked for, or as an error the page to show instead.
pub(crate) type Answer = Result<HttpResponse, HttpResponse>;

/// Whether a message reports success or a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// The action was carried out.
    Done,
    /// The action was not carried out.
    Problem,
}

impl Tone {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Problem => "problem",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Done, Self::Problem].into_iter().find(|tone| tone.as_str() == text)
    }
}

/// Renders a page, with headers that keep it out of caches.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            HttpResponse::InternalServerError().content_type("text/plain; charset=utf-8").body("internal error")
        }
    }
}

/// Renders a page with status 200.
pub(crate) fn ok(template: &impl Template) -> HttpResponse {
    page(StatusCode::OK, template)
}

/// The text of a form that cannot be processed because the database cannot be used.
pub(crate) const UNAVAILABLE: &str = "The service is unavailable at the moment. Try again in a few seconds.";

/// The answer to too many attempts, with `Retry-After`: the page that `show` makes of the text.
pub(crate) fn too_many(wait: TooManyAttempts, show: impl FnOnce(&str) -> HttpResponse) -> HttpResponse {
    let seconds = wait.retry_after.as_seconds().max(1);
    let mut answer = show(&format!("Too many attempts. Try again in {}.", length(seconds)));
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Redirects to another page, which is fetched by GET (303).
pub(crate) fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Redirects to another page, which shows a message once.
pub(crate) fn to_saying(request: &HttpRequest, path: &str, tone: Tone, message: &str) -> HttpResponse {
    let mut answer = to(path);
    let value = Cookie::Message.set(request, &format!("{}:{message}", tone.as_str()), MESSAGE_SECONDS);
    answer.headers_mut().append(header::SET_COOKIE, value);
    answer
}

/// Unwraps an answer: the error is a page as well.
pub(crate) fn either(answer: Answer) -> HttpResponse {
    answer.unwrap_or_else(|instead| instead)
}
