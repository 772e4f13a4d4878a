//! Revoking many tokens: first a page with their number and up to ten of them, the busiest first; then the revocation, which
//! is refused if the number has changed.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::tokens::{BulkRequest, Chosen, ListRequest, Mode, TokenError};
use token_domain::id::TokenId;
use token_domain::token::{Explanation, Status};

use super::revoke::{Cause, causes, explanation, guarantee};
use super::token_list::{FIELDS, address, read};
use super::tokens::{Line, Names, explain, failed};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(bulk_shown).service(bulk_posted);
}

/// One of the most used among the chosen tokens.
#[derive(Clone, Debug)]
struct Busy {
    line: Line,
    uses: String,
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    page: Layout,
    matched: u64,
    count: String,
    busiest: Vec<Busy>,
    /// Tokens without uses in the last 24 hours, where there are few busy ones.
    others: Vec<Line>,
    /// The number of tokens that are not named.
    more: u64,
    /// The fields of the selection (ids or a filter), as hidden inputs.
    fields: Vec<(String, String)>,
    causes: Vec<Cause>,
    note: String,
    problem: String,
    back: String,
}

#[get("/tokens/bulk")]
async fn bulk_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(looked_at(&request, &services).await)
}

async fn looked_at(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "tokens:manage")?;
    Ok(ok(&look(request, services, &visitor, &Form::query(request), String::new()).await?))
}

/// Which tokens a form is about: the checked ones, or all that a filter finds.
fn chosen(form: &Form, now: token_domain::Timestamp) -> Result<Chosen, String> {
    let ids = form.all("id");
    if !ids.is_empty() {
        let ids: Result<Vec<_>, _> = ids.iter().map(|id| TokenId::parse(id)).collect();
        return ids.map(Chosen::Named).map_err(|_| "The selection cannot be read.".to_owned());
    }
    if address(form, &[]).is_empty() {
        return Err("Select tokens, or narrow the list by a filter first.".to_owned());
    }
    let status = Status::parse(form.text("status"));
    read(form, now).map(|asked| Chosen::Listed(Box::new(ListRequest { status, ..asked })))
}

async fn look(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<BulkPage, HttpResponse> {
    let chosen = match chosen(form, visitor.now) {
        Ok(chosen) => chosen,
        Err(text) => return Err(to_saying(request, "/tokens", Tone::Problem, &text)),
    };
    let asked = BulkRequest { chosen, explanation: Explanation::default(), mode: Mode::DryRun, expected: None };
    let seen = services.tokens.revoke_many(&visitor.caller, asked, &visitor.origin).await;
    let seen = seen.map_err(|error| failed(request, visitor, &error))?;
    let names = Names::read(visitor, services).await;
    let busy = |(token, uses): (authority::records::Token, u64)| Busy {
        line: Line::new(&token, &names, visitor.now),
        uses: show::count(uses, "use"),
    };
    let carried = |name: &str| {
        name == "id" || name == "_list" || name == "status" || name == "expires_before" || FIELDS.contains(&name)
    };
    let matched = u64::try_from(seen.matched).unwrap_or(u64::MAX);
    let shown = u64::try_from(seen.busiest.len() + seen.others.len()).unwrap_or(u64::MAX);
    Ok(BulkPage {
        page: Layout::of(request, visitor, Section::Tokens, "Revoke several"),
        matched,
        count: show::count(matched, "token"),
        others: seen.others.iter().map(|token| Line::new(token, &names, visitor.now)).collect(),
        more: matched.saturating_sub(shown),
        busiest: seen.busiest.into_iter().map(busy).collect(),
        fields: form.kept().into_iter().filter(|(name, _)| carried(name)).collect(),
        causes: causes(form.text("reason")),
        note: form.raw("note").to_owned(),
        problem,
        back: back(form),
    })
}

/// The page of the list from which the tokens were chosen: its query string is a field of the form, so that the place in
/// a long list is kept.
fn back(form: &Form) -> String {
    let list = Form::read(form.raw("_list").as_bytes());
    let (status, cursor) = (list.text("status"), list.text("cursor"));
    if status.is_empty() {
        return format!("/tokens?{}", address(form, &[])).trim_end_matches('?').to_owned();
    }
    format!("/tokens?{}", address(&list, &[("status", status), ("cursor", cursor)]))
}

#[post("/tokens/bulk")]
async fn bulk_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(carried_out(&request, &services, &body).await)
}

async fn carried_out(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "tokens:manage")?;
    // The first post comes from the list, with the checked tokens, and asks for confirmation.
    if form.is_restored() || !form.has("_confirm") {
        return Ok(ok(&look(request, services, &visitor, &form, String::new()).await?));
    }
    let explained = match explanation(&form) {
        Ok(explained) => explained,
        Err(problem) => {
            let template = look(request, services, &visitor, &form, problem).await?;
            return Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template));
        }
    };
    let chosen = chosen(&form, visitor.now).map_err(|text| to_saying(request, "/tokens", Tone::Problem, &text))?;
    let expected = form.text("expected_count").parse().ok();
    let asked = BulkRequest { chosen, explanation: explained, mode: Mode::Carry, expected };
    match services.tokens.revoke_many(&visitor.caller, asked, &visitor.origin).await {
        Ok(done) if done.revoked == done.matched => {
            let count = show::count(u64::try_from(done.revoked).unwrap_or(u64::MAX), "token");
            let text = format!("{count} revoked. {}", guarantee(services, &visitor).await);
            Ok(to_saying(request, &back(&form), Tone::Done, &text))
        }
        Ok(done) => {
            let text = format!(
                "Only {} of {} tokens were revoked before an error occurred. The rest are below: try them again.",
                done.revoked, done.matched
            );
            let template = look(request, services, &visitor, &form, text).await?;
            Err(page(StatusCode::SERVICE_UNAVAILABLE, &template))
        }
        Err(error @ TokenError::OtherCount { .. }) => {
            let template = look(request, services, &visitor, &form, explain(&error)).await?;
            Err(page(StatusCode::CONFLICT, &template))
        }
        Err(error) => Err(failed(request, &visitor, &error)),
    }
}
