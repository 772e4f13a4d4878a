//! Answers of pages: HTML under one policy, and redirects that carry a message.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::cookies::Cookie;

/// Scripts, styles, images and forms of this origin alone, in no frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// How long a message waits for the page that shows it.
const MESSAGE_SECONDS: i64 = 60;

/// What a handler gives: a page, or the page that stands in its way.
pub(crate) type Answer = Result<HttpResponse, HttpResponse>;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It was done.
    Done,
    /// It was not.
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

/// A page. Nothing of what a signed-in person sees is kept by caches.
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

/// A page, with 200.
pub(crate) fn ok(template: &impl Template) -> HttpResponse {
    page(StatusCode::OK, template)
}

/// Elsewhere, by GET.
pub(crate) fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Elsewhere, where a message is shown once.
pub(crate) fn to_saying(request: &HttpRequest, path: &str, tone: Tone, message: &str) -> HttpResponse {
    let mut answer = to(path);
    let value = Cookie::Message.set(request, &format!("{}:{message}", tone.as_str()), MESSAGE_SECONDS);
    answer.headers_mut().append(header::SET_COOKIE, value);
    answer
}

/// The page or what stood in its way: both are answers.
pub(crate) fn either(answer: Answer) -> HttpResponse {
    answer.unwrap_or_else(|instead| instead)
}
