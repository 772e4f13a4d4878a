//! Signing in by an identity provider: leaving for it, and coming back.
//!
//! Both are plain links, without a form: `form-action 'self'` would hold the browser back on the way out, and a provider sends it
//! back by a redirect. What protects the way back is the attempt that the browser keeps in a cookie.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use authority::sso::{ATTEMPT_LIFETIME, Answer as Brought, Recency, SsoError};

use super::sign_in::{local_path, session_cookie};
use crate::answer::{UNAVAILABLE, page, to, too_many};
use crate::cookies::{self, Cookie};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::visit::{Problem, origin};

/// The longest path that people come back to.
const LONGEST_NEXT: usize = 1_000;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(leave).service(come_back);
}

#[get("/sign-in/sso/{provider}")]
async fn leave(request: HttpRequest, services: Services, provider: Path<String>) -> HttpResponse {
    if services.awaits_setup().await.unwrap_or(false) {
        return to("/setup");
    }
    let query = Form::query(&request);
    let recency = if query.raw("fresh") == "1" { Recency::Now } else { Recency::Any };
    // A browser keeps no cookie of more than 4 KiB, in which each sign is encoded as three.
    let next = Some(local_path(query.raw("next"))).filter(|next| next.len() <= LONGEST_NEXT);
    match services.sso.begin(&provider, next.as_deref().unwrap_or("/"), recency).await {
        Ok(begun) => {
            let mut answer = to(&begun.url);
            let cookie = Cookie::Attempt.set(&request, &begun.cookie, ATTEMPT_LIFETIME.as_seconds());
            answer.headers_mut().append(header::SET_COOKIE, cookie);
            answer
        }
        Err(error) => refused(&request, &services, &provider, &error),
    }
}

#[get("/sign-in/sso/{provider}/callback")]
async fn come_back(request: HttpRequest, services: Services, provider: Path<String>) -> HttpResponse {
    let query = Form::query(&request);
    let given = |name| query.some(name).map(str::to_owned);
    let brought = Brought { code: given("code"), state: given("state"), error: given("error"), issuer: given("iss") };
    let (cookie, before, from) = (Cookie::Attempt.read(&request), cookies::session(&request), origin(&request));
    let finished = services.sso.finish(&provider, cookie.as_deref(), &brought, before.as_ref(), &from).await;
    let mut answer = match finished {
        Ok(entered) => {
            // The parameter lets the overview tell a browser without cookies why it has to sign in again.
            let next = if entered.next == "/" { "/?after=sign-in" } else { &entered.next };
            let mut answer = to(next);
            answer.headers_mut().append(header::SET_COOKIE, session_cookie(&request, &services, &entered.signed_in));
            answer
        }
        Err(error) => refused(&request, &services, &provider, &error),
    };
    // Good once, whatever came of it.
    answer.headers_mut().append(header::SET_COOKIE, Cookie::Attempt.set(&request, "", 0));
    answer
}

fn refused(request: &HttpRequest, services: &Services, id: &str, error: &SsoError) -> HttpResponse {
    let name = services.sso.name_of(id);
    let forbidden = |text: String| (StatusCode::FORBIDDEN, text);
    let (status, text) = match error {
        SsoError::NoProvider => (StatusCode::NOT_FOUND, "There is no such way to sign in.".to_owned()),
        SsoError::NoAttempt | SsoError::Refused(_) => (
            StatusCode::BAD_REQUEST,
            format!(
                "This sign-in was not begun in this browser, was already used, or took more than ten minutes. Sign in with {name} again."
            ),
        ),
        SsoError::NotAnew => forbidden(format!(
            "{name} did not ask you to sign in again, so your identity is not confirmed. Sign out there, then try again; if that does not help, tell your operator that {name} has to send auth_time."
        )),
        SsoError::Declined(why) => forbidden(format!("{name} did not sign you in: {}", declined(why, &name))),
        SsoError::Unreachable => (
            StatusCode::BAD_GATEWAY,
            format!(
                "{name} cannot be reached at the moment, or did not complete the sign-in. Try again in a minute; if that does not help, tell your operator."
            ),
        ),
        SsoError::Unacceptable(_) => {
            forbidden(format!("What {name} says about you cannot be believed. Tell your operator: the log says why."))
        }
        SsoError::Address => forbidden(format!(
            "{name} gives no verified e-mail address for you, or one of a domain that is not permitted here. Ask the people who run {name}."
        )),
        SsoError::Outside => forbidden(format!(
            "Your account at {name} is not one of those that are permitted here. Sign in there with the account of your organisation."
        )),
        SsoError::Taken => forbidden(format!(
            "An account here has your e-mail address and cannot be linked to {name}: nobody has verified that the address is its owner's, or it is linked to another account at {name}. If you have its password, sign in with it and verify the address under Settings; else ask your operator."
        )),
        SsoError::NoMember => forbidden(
            "You are not a member of this organisation here. Ask an administrator for an invitation.".to_owned(),
        ),
        SsoError::Disabled => forbidden(
            "Your account, your membership or the organisation is switched off. Ask an administrator.".to_owned(),
        ),
        SsoError::TooMany(wait) => {
            return too_many(*wait, |text| page(StatusCode::TOO_MANY_REQUESTS, &problem(request, text)));
        }
        SsoError::Failed(failure) => {
            tracing::warn!(%failure, "a sign-in by a provider failed: internal error or unavailable database");
            (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned())
        }
    };
    page(status, &problem(request, &text))
}

/// What a provider's error (RFC 6749 §4.1.2.1) means for the person.
fn declined(error: &str, name: &str) -> String {
    match error {
        "access_denied" => format!(
            "you declined there, or are not permitted to use this service. Try again, or ask the people who run {name}."
        ),
        "temporarily_unavailable" | "server_error" => "it has a problem of its own. Try again in a minute.".to_owned(),
        "login_required" | "interaction_required" | "account_selection_required" | "consent_required" => {
            "it needs an answer from you. Try again, and complete the sign-in there.".to_owned()
        }
        other => format!("it refuses the request of this service ({other}). Tell your operator."),
    }
}

fn problem(request: &HttpRequest, text: &str) -> Problem {
    Problem {
        page: Layout::anonymous(request, "Not signed in"),
        heading: "Not signed in".to_owned(),
        text: text.to_owned(),
        back: "/sign-in",
    }
}
