//! Rotating one token and cancelling a rotation, each on a page that explains the consequences first.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, routes};
use askama::Template;
use authority::Refused;
use authority::records::Token;
use authority::tokens::{Idempotency, RotateRequest, TokenError};
use token_domain::token::{GraceMode, Status};
use token_domain::{Span, Timestamp};

use super::create_token::{SecretPage, snippets};
use super::proof;
use super::token_list::day;
use super::tokens::{Area, Line, Names, explain, failed, found, nonce};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(rotate_shown).service(rotate_posted).service(cancel_posted);
}

/// A choice of grace period.
#[derive(Clone, Copy, Debug)]
struct Grace {
    value: &'static str,
    label: &'static str,
    note: &'static str,
    is_chosen: bool,
}

/// Value, label, what it is for, seconds.
const GRACES: [(&str, &str, &str, u32); 8] = [
    (
        "first-use",
        "Until the new secret is first used",
        "At most 7 days; the old secret expires five minutes after the first use of the new one.",
        604_800,
    ),
    ("900", "15 minutes", "", 900),
    ("3600", "1 hour", "", 3_600),
    ("21600", "6 hours", "", 21_600),
    ("86400", "24 hours", "Enough for a nightly deployment.", 86_400),
    ("604800", "7 days", "", 604_800),
    ("date", "Until a date", "At most 30 days from now.", 0),
    ("0", "Now: the secret leaked", "The old secret stops working at once on all servers.", 0),
];

#[derive(Template)]
#[template(path = "rotate.html")]
struct RotatePage {
    page: Layout,
    base: &'static str,
    line: Line,
    graces: Vec<Grace>,
    lifetime: String,
    until: String,
    problem: String,
    nonce: String,
}

#[routes]
#[get("/tokens/{token_id}/rotate")]
#[get("/keys/{token_id}/rotate")]
async fn rotate_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(rotate_form(&request, &services).await)
}

#[routes]
#[post("/tokens/{token_id}/rotate")]
#[post("/keys/{token_id}/rotate")]
async fn rotate_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(rotate(&request, &services, &body).await)
}

async fn rotate_form(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, Area::of(request).managing())?;
    let token = found(request, services, &visitor).await?;
    if token.facts.status(visitor.now) != Status::Active {
        return Err(stale(request, &visitor, &token));
    }
    Ok(ok(&rotate_page(request, services, &visitor, &token, &Form::query(request), String::new()).await?))
}

/// Redirects to the token's page with its current status: it has changed since the form was opened.
pub(super) fn stale(request: &HttpRequest, visitor: &Visitor, token: &Token) -> HttpResponse {
    let text = match token.facts.status(visitor.now) {
        Status::Active => "It is active.".to_owned(),
        Status::Rotating => "The token is already rotating.".to_owned(),
        Status::Expired => "The token has expired in the meantime.".to_owned(),
        Status::Revoked => {
            let since = token.facts.revocation(visitor.now).map(|revoked| visitor.now.since(revoked.at).as_seconds());
            let ago = since.map(|seconds| format!(" {} ago", show::length(seconds))).unwrap_or_default();
            let whom = match token.revoked_by {
                Some(by) if by == visitor.caller.principal() => " by you",
                Some(_) => " by somebody else",
                None => "",
            };
            format!("It was already revoked{ago}{whom}.")
        }
    };
    let path = format!("{}/{}", Area::of(request).base(), token.id);
    to_saying(request, &path, Tone::Problem, &text)
}

async fn rotate_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    token: &Token,
    form: &Form,
    problem: String,
) -> Result<RotatePage, HttpResponse> {
    let area = Area::of(request);
    let names = Names::read(visitor, services).await;
    let wanted = form.some("grace").unwrap_or("first-use");
    let grace = |(value, label, note, _)| Grace { value, label, note, is_chosen: value == wanted };
    Ok(RotatePage {
        page: Layout::of(request, visitor, area.section(), "Rotate"),
        base: area.base(),
        line: Line::new(token, &names, visitor.now),
        graces: GRACES.into_iter().map(grace).collect(),
        lifetime: match (token.lifetime, token.facts.expires_at) {
            (Some(span), _) => format!("{} from now", show::span(span)),
            (None, Some(end)) => show::date(end),
            (None, None) => "never".to_owned(),
        },
        until: form.text("until").to_owned(),
        problem,
        nonce: match form.some("_nonce") {
            Some(nonce) => nonce.to_owned(),
            None => nonce(services, request, visitor)?,
        },
    })
}

/// How long the old secret keeps working, in seconds, when it ends on the day that a form names.
fn until(form: &Form, now: Timestamp) -> Result<u32, String> {
    const LONGEST: i64 = 30 * 86_400;
    let end = day(form.text("until"))?;
    match end.as_micros().saturating_sub(now.as_micros()) / 1_000_000 {
        seconds @ 1..=LONGEST => u32::try_from(seconds).map_err(|_| String::new()),
        ..=0 => Err("The date must be in the future.".to_owned()),
        _ => Err("The old secret can stay valid for at most 30 days: choose an earlier date.".to_owned()),
    }
}

async fn rotate(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    visitor.admit(request, area.managing())?;
    let token = found(request, services, &visitor).await?;
    let chosen = GRACES.into_iter().find(|(value, ..)| *value == form.text("grace"));
    let Some((value, _, _, seconds)) = chosen.filter(|_| !form.is_restored()) else {
        return Ok(ok(&rotate_page(request, services, &visitor, &token, &form, String::new()).await?));
    };
    let seconds = if value == "date" {
        match until(&form, visitor.now) {
            Ok(seconds) => seconds,
            Err(problem) => {
                let template = rotate_page(request, services, &visitor, &token, &form, problem).await?;
                return Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template));
            }
        }
    } else {
        seconds
    };
    let asked = RotateRequest {
        grace: Some(Span::seconds(seconds)),
        mode: if value == "first-use" { GraceMode::FirstUse } else { GraceMode::Fixed },
        idempotency: form.some("_nonce").map(|nonce| Idempotency::new(nonce, b"dashboard form")),
    };
    let rotated = match area {
        Area::Organization => services.tokens.rotate(&visitor.caller, token.id, asked, &visitor.origin).await,
        Area::Own => services.tokens.rotate_key(&visitor.caller, token.id, asked, &visitor.origin).await,
    };
    match rotated {
        Ok(rotated) => {
            let secret = rotated.secret.expose().to_owned();
            let after = if rotated.old_status == Status::Rotating {
                format!(
                    "The old secret works until {} at the latest. Deploy the new one; the page of the old {} shows when the new one is first used.",
                    show::exact(rotated.grace_ends_at),
                    area.noun()
                )
            } else {
                "The old secret no longer works on any server.".to_owned()
            };
            Ok(ok(&SecretPage {
                page: Layout::of(request, &visitor, area.section(), "Copy the new secret"),
                heading: "The new secret is ready".to_owned(),
                name: rotated.token.name.to_string(),
                snippets: snippets(&secret),
                secret,
                warnings: Vec::new(),
                next: format!("{}/{}", area.base(), rotated.old_token_id),
                after,
            }))
        }
        Err(TokenError::Replayed { token_id }) => {
            let path = format!("{}/{token_id}", area.base());
            let text = "This form was already submitted. The new secret was shown then and cannot be shown again.";
            Ok(to_saying(request, &path, Tone::Problem, text))
        }
        Err(TokenError::WrongStatus(_)) => {
            let token = found(request, services, &visitor).await?;
            Err(stale(request, &visitor, &token))
        }
        Err(TokenError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(TokenError::Refused(Refused::ProofNeeded)) => Err(proof::ask(request, &visitor, &form)),
        Err(error) => {
            let template = rotate_page(request, services, &visitor, &token, &form, explain(&error)).await?;
            Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
        }
    }
}

#[routes]
#[post("/tokens/{token_id}/cancel-rotation")]
#[post("/keys/{token_id}/cancel-rotation")]
async fn cancel_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(cancel(&request, &services, &body).await)
}

async fn cancel(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    visitor.admit(request, area.managing())?;
    let token = found(request, services, &visitor).await?;
    let path = format!("{}/{}", area.base(), token.id);
    if form.is_restored() {
        return Ok(to_saying(request, &path, Tone::Problem, "Nothing was changed while you were signed out."));
    }
    let done = match area {
        Area::Organization => services.tokens.cancel_rotation(&visitor.caller, token.id, &visitor.origin).await,
        Area::Own => services.tokens.cancel_key_rotation(&visitor.caller, token.id, &visitor.origin).await,
    };
    match done {
        Ok(_) => {
            let text = "The rotation was cancelled: the old secret is active again, and the new one is revoked.";
            Ok(to_saying(request, &path, Tone::Problem, text))
        }
        Err(TokenError::WrongStatus(_)) => Err(stale(request, &visitor, &token)),
        Err(error) => Err(failed(request, &visitor, &error)),
    }
}
