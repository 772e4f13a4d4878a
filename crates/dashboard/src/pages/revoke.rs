//! Revoking one token, on a page that first shows who still uses it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, routes};
use askama::Template;
use authority::records::Token;
use token_domain::Span;
use token_domain::access::Description;
use token_domain::token::{Explanation, RevokeCause};
use token_domain::usage::{Step, Stretch};

use super::rotate::stale;
use super::tokens::{Area, Line, Names, failed, found};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(revoke_shown).service(revoke_posted);
}

/// A reason to choose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) is_chosen: bool,
}

/// Every reason, the chosen one marked.
pub(super) fn causes(chosen: &str) -> Vec<Cause> {
    let label = |cause| match cause {
        RevokeCause::Leaked => "It leaked",
        RevokeCause::Replaced => "Another token replaces it",
        RevokeCause::PersonLeft => "The person left",
        RevokeCause::Unused => "Nobody uses it",
        RevokeCause::Other => "Another reason",
    };
    let cause =
        |cause: RevokeCause| Cause { value: cause.as_str(), label: label(cause), is_chosen: cause.as_str() == chosen };
    RevokeCause::ALL.into_iter().map(cause).collect()
}

/// What a form says about a revocation.
pub(super) fn explanation(form: &Form) -> Result<Explanation, String> {
    let cause = RevokeCause::parse(form.text("reason")).ok_or("Choose a reason. It is stored in the audit trail.")?;
    let note = form.some("note").map(Description::parse).transpose().map_err(|error| format!("The note {error}."))?;
    Ok(Explanation { cause: Some(cause), note })
}

#[derive(Template)]
#[template(path = "revoke.html")]
struct RevokePage {
    page: Layout,
    base: &'static str,
    line: Line,
    is_in_use: bool,
    /// Whether the name has to be typed: something may break.
    asks_for_name: bool,
    /// The hint of the token that replaces this one; empty if none does.
    successor: String,
    is_successor_used: bool,
    uses_today: String,
    /// The number of addresses that used it lately.
    addresses: usize,
    causes: Vec<Cause>,
    note: String,
    problem: String,
}

#[routes]
#[get("/tokens/{token_id}/revoke")]
#[get("/keys/{token_id}/revoke")]
async fn revoke_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(revoke_form(&request, &services).await)
}

#[routes]
#[post("/tokens/{token_id}/revoke")]
#[post("/keys/{token_id}/revoke")]
async fn revoke_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(revoke(&request, &services, &body).await)
}

async fn revoke_form(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, Area::of(request).managing())?;
    let token = found(request, services, &visitor).await?;
    if !token.facts.status(visitor.now).is_live() {
        return Err(stale(request, &visitor, &token));
    }
    let uses = uses_today(services, &visitor, &token).await;
    Ok(ok(&revoke_page(request, services, &visitor, &token, uses, &Form::query(request), String::new()).await))
}

/// How often the token was valid in the last 24 hours.
async fn uses_today(services: &Services, visitor: &Visitor, token: &Token) -> u64 {
    let Ok(stretch) = Stretch::new(visitor.now - Span::days(1), visitor.now, Step::Hour) else { return 0 };
    let hours = services.tokens.usage(&visitor.caller, token.id, stretch).await.unwrap_or_default();
    hours.iter().map(|(_, counts)| counts.allowed + counts.insufficient).sum()
}

/// The token that replaces this one while both are valid.
async fn successor(services: &Services, visitor: &Visitor, token: &Token) -> Option<Token> {
    let superseded = token.facts.superseded?;
    services.tokens.get(&visitor.caller, superseded.by).await.ok()
}

/// Whether the name has to be typed: the token is in use, and no successor has taken its place.
fn asks_for_name(uses: u64, successor: Option<&Token>) -> bool {
    uses > 0 && successor.is_none_or(|next| next.last_used_at.is_none())
}

async fn revoke_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    token: &Token,
    uses: u64,
    form: &Form,
    problem: String,
) -> RevokePage {
    let area = Area::of(request);
    let names = Names::read(visitor, services).await;
    let successor = successor(services, visitor, token).await;
    RevokePage {
        page: Layout::of(request, visitor, area.section(), "Revoke"),
        base: area.base(),
        line: Line::new(token, &names, visitor.now),
        is_in_use: uses > 0,
        asks_for_name: asks_for_name(uses, successor.as_ref()),
        is_successor_used: successor.as_ref().is_some_and(|next| next.last_used_at.is_some()),
        successor: successor.map(|next| next.hint.to_string()).unwrap_or_default(),
        uses_today: show::count(uses, "use"),
        addresses: token.used_from.len(),
        causes: causes(form.text("reason")),
        note: form.raw("note").to_owned(),
        problem,
    }
}

async fn revoke(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    visitor.admit(request, area.managing())?;
    let token = found(request, services, &visitor).await?;
    if !token.facts.status(visitor.now).is_live() {
        return Err(stale(request, &visitor, &token));
    }
    let uses = uses_today(services, &visitor, &token).await;
    if form.is_restored() {
        return Ok(ok(&revoke_page(request, services, &visitor, &token, uses, &form, String::new()).await));
    }
    let successor = successor(services, &visitor, &token).await;
    let confirmed = !asks_for_name(uses, successor.as_ref()) || form.text("confirm") == token.name.as_str();
    let explained = explanation(&form).and_then(|explanation| {
        if confirmed {
            Ok(explanation)
        } else {
            Err("The token is in use: to confirm, type its name exactly as shown.".to_owned())
        }
    });
    let explanation = match explained {
        Ok(explanation) => explanation,
        Err(problem) => {
            let template = revoke_page(request, services, &visitor, &token, uses, &form, problem).await;
            return Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template));
        }
    };
    let done = match area {
        Area::Organization => {
            let revoked = services.tokens.revoke_saying(&visitor.caller, token.id, explanation, &visitor.origin).await;
            revoked.map(drop)
        }
        Area::Own => services.tokens.revoke_key_saying(&visitor.caller, token.id, explanation, &visitor.origin).await,
    };
    done.map_err(|error| failed(request, &visitor, &error))?;
    let guarantee = guarantee(services, &visitor).await;
    let text = match successor {
        Some(_) => format!("The old secret {} of {} no longer works. {guarantee}", token.hint, token.name),
        None => format!("{} is revoked. {guarantee}", token.name),
    };
    Ok(to_saying(request, area.base(), Tone::Done, &text))
}

/// Where a revocation holds that was just carried out for this request, and after how long.
pub(super) async fn guarantee(services: &Services, visitor: &Visitor) -> String {
    if services.context.lease().is_relaxed() {
        return "Dead on all servers within five seconds.".to_owned();
    }
    // The authority returned when every server had applied it, or could no longer answer from memory. A server that
    // joined since then has read the database after the commit.
    let took = services.context.now().since(visitor.now).as_micros() / 1_000;
    let place = match services.context.nodes().await {
        Ok((nodes, now)) => match nodes.iter().filter(|node| node.lease_left(now).as_micros() > 0).count() {
            0 | 1 => "the one server of this deployment".to_owned(),
            count => format!("all {count} servers"),
        },
        // It is carried out, only their number is not known.
        Err(failure) => {
            tracing::warn!(%failure, "the servers could not be counted for the message about a revocation");
            "all servers".to_owned()
        }
    };
    format!("Dead on {place}, {took} ms.")
}
