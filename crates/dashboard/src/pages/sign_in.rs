//! Signing in and out, and the choice of light or dark.
//!
//! A session token is created at sign-in and never before, which rules out session fixation.

use actix_web::http::header::HeaderValue;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use authority::Refused;
use authority::hashing::{RecoveryCode, TotpCode};
use authority::second_factors::Proof;
use authority::sessions::{EndError, OrganizationRef, SignInError, SignedIn};
use token_domain::text::Slug;
use zeroize::Zeroizing;

use super::settings::end_failed;
use crate::answer::{Answer, Tone, UNAVAILABLE, either, page, to, to_saying, too_many};
use crate::cookies::{self, Cookie};
use crate::form::Form;
use crate::layout::{Layout, theme_cookie};
use crate::services::Services;
use crate::visit::{Problem, ResumePage, SignInPage, Visitor, csrf, origin, own_form};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(sign_in_shown).service(sign_in_posted).service(sign_out_posted).service(theme_posted);
}

#[get("/sign-in")]
async fn sign_in_shown(request: HttpRequest, services: Services) -> HttpResponse {
    if services.awaits_setup().await.unwrap_or(false) {
        return to("/setup");
    }
    let query = Form::query(&request);
    let layout = Layout::anonymous(&request, "Sign in");
    let notice = match query.raw("after") {
        "sign-in" if cookies::session(&request).is_none() => {
            "Your browser did not store the session. Allow cookies for this site, and open it with https."
        }
        _ => "",
    };
    let sign_in = SignInPage {
        page: layout.clone(),
        email: query.text("email").to_owned(),
        asks_code: false,
        problem: String::new(),
        notice: notice.to_owned(),
        next: local_path(query.raw("next")),
        kept: Vec::new(),
        resets_passwords: services.password_resets.is_available(),
        providers: services.providers(&local_path(query.raw("next")), None),
    };
    layout.shown(&request, page(StatusCode::OK, &sign_in))
}

#[post("/sign-in")]
async fn sign_in_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(try_sign_in(&request, &services, &body).await)
}

async fn try_sign_in(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let form = own_form(request, services, body)?;
    // An empty database, perhaps because its address is wrong: nothing may be said about a password.
    if services.awaits_setup().await.unwrap_or(false) {
        return Err(not_set_up(request));
    }
    let kept = kept_fields(&form);
    let ask = |status, asks_code, problem: &str| {
        let sign_in = SignInPage {
            page: Layout::anonymous(request, "Sign in"),
            email: form.text("email").to_owned(),
            asks_code,
            problem: problem.to_owned(),
            notice: String::new(),
            next: local_path(form.raw("next")),
            kept: kept.clone(),
            resets_passwords: services.password_resets.is_available(),
            providers: services.providers(&local_path(form.raw("next")), None),
        };
        page(status, &sign_in)
    };
    let password = Zeroizing::new(form.raw("password").to_owned());
    let proof = match form.some("code") {
        None => None,
        Some(text) => Some(proof(text).ok_or_else(|| {
            ask(
                StatusCode::UNPROCESSABLE_ENTITY,
                true,
                "Enter the six digits that your authenticator app shows, or a recovery code.",
            )
        })?),
    };
    let organization = match form.some("organization") {
        None => None,
        Some(text) => Some(OrganizationRef::Slug(Slug::parse(text).map_err(|_| {
            ask(StatusCode::UNPROCESSABLE_ENTITY, false, "Enter the short name of the organisation, such as acme.")
        })?)),
    };
    let from = origin(request);
    match services.sessions.sign_in_with(form.text("email"), password, organization, proof.as_ref(), &from).await {
        Ok(signed_in) => Ok(enter(request, services, &signed_in, &form, kept)),
        Err(error) => Err(match error {
            // `Refused`: the account changed after the check. Answered like a wrong password.
            SignInError::Denied | SignInError::Refused(_) => {
                ask(StatusCode::UNAUTHORIZED, false, "The e-mail address or the password is wrong.")
            }
            SignInError::SecondFactorRequired => ask(StatusCode::UNAUTHORIZED, true, ""),
            SignInError::WrongCode => ask(
                StatusCode::UNAUTHORIZED,
                true,
                "The code is wrong or was already used. Each code works once; wait for the next one.",
            ),
            SignInError::SsoRequired => ask(
                StatusCode::FORBIDDEN,
                false,
                "Your organisation asks its members to sign in with its own account: use the button below. Passwords are for its owners alone.",
            ),
            SignInError::TooMany(wait) => too_many(wait, |text| ask(StatusCode::TOO_MANY_REQUESTS, false, text)),
            SignInError::Failed(failure) => {
                tracing::warn!(%failure, "a sign-in failed: internal error or unavailable database");
                ask(StatusCode::SERVICE_UNAVAILABLE, false, UNAVAILABLE)
            }
        }),
    }
}

fn not_set_up(request: &HttpRequest) -> HttpResponse {
    let problem = Problem {
        page: Layout::anonymous(request, "Not set up"),
        heading: "Not set up".to_owned(),
        text: "The database that this server uses has no organisation yet. If it was set up before, the server's database \
               URL is wrong. This says nothing about your password."
            .to_owned(),
        back: "/setup",
    };
    page(StatusCode::SERVICE_UNAVAILABLE, &problem)
}

/// Sets the session cookie, and redirects to the page asked for or shows the form that was interrupted.
fn enter(
    request: &HttpRequest,
    services: &Services,
    signed_in: &SignedIn,
    form: &Form,
    kept: Vec<(String, String)>,
) -> HttpResponse {
    let cookie = session_cookie(request, services, signed_in);
    let next = local_path(form.raw("next"));
    let mut answer = if kept.is_empty() {
        // The parameter lets the overview tell a browser without cookies why it has to sign in again.
        let next = if next == "/" { "/?after=sign-in".to_owned() } else { next };
        to(&next)
    } else {
        let resume = ResumePage {
            page: Layout { csrf: csrf(&signed_in.token), ..Layout::anonymous(request, "Continue") },
            action: next,
            kept,
            text: "You are signed in again. Your input is kept: continue with the form.",
        };
        page(StatusCode::OK, &resume)
    };
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    answer
}

/// The cookie of a session that was just made.
pub(super) fn session_cookie(request: &HttpRequest, services: &Services, signed_in: &SignedIn) -> HeaderValue {
    let seconds = signed_in.session.expires_at.since(services.context.now()).as_seconds();
    Cookie::Session.set(request, signed_in.token.expose(), seconds)
}

/// Parses a code of an authenticator app or a recovery code.
pub(super) fn proof(text: &str) -> Option<Proof> {
    TotpCode::parse(text).map(Proof::Code).or_else(|| RecoveryCode::parse(text).map(Proof::Recovery))
}

/// The fields of an interrupted form, which the pages that ask for a password carry along.
pub(super) fn kept_fields(form: &Form) -> Vec<(String, String)> {
    let own = |key: &str| matches!(key, "email" | "organization" | "next");
    form.kept()
        .into_iter()
        .filter(|(key, _)| !own(key))
        .filter_map(|(key, value)| key.strip_prefix("kept.").map(|key| (key.to_owned(), value)))
        .collect()
}

/// `text` if it is a path on this host, else `/`: prevents open redirects.
pub(crate) fn local_path(text: &str) -> String {
    let is_local = text.starts_with('/')
        && !text.starts_with("//")
        && !text.starts_with("/\\")
        && !text.starts_with("/sign-")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { text.to_owned() } else { "/".to_owned() }
}

#[post("/sign-out")]
async fn sign_out_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    let (visitor, _) = match Visitor::posted_to_enrol(&request, &services, &body).await {
        Ok(entered) => entered,
        Err(instead) => return instead,
    };
    if let authority::Via::Session { session_id, user_id, .. } = visitor.caller.via
        && let Err(error) = services.sessions.end(&visitor.caller, user_id, session_id, &visitor.origin).await
        // A session that has already ended counts as signed out.
        && !matches!(error, EndError::Refused(Refused::Gone))
    {
        return end_failed(&request, &visitor, &error);
    }
    let mut answer = to_saying(&request, "/sign-in", Tone::Done, "You are signed out.");
    answer.headers_mut().append(header::SET_COOKIE, Cookie::Session.set(&request, "", 0));
    answer
}

#[post("/theme")]
async fn theme_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    // Needs no session: only a cookie of this browser changes.
    let form = match own_form(&request, &services, &body) {
        Ok(form) => form,
        Err(instead) => return instead,
    };
    let mut answer = to(&local_path(form.raw("back")));
    answer.headers_mut().append(header::SET_COOKIE, theme_cookie(&request, form.raw("theme")));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        for (text, expected) in [
            ("/tokens?status=active", "/tokens?status=active"),
            ("/", "/"),
            ("", "/"),
            ("tokens", "/"),
            ("https://evil.example", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\\b", "/"),
            ("/a b", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("/sign-out", "/"),
        ] {
            assert_eq!(local_path(text), expected, "{text:?}");
        }
    }
}
