//! The first page: what needs attention, how many tokens there are, what happened last.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use authority::audit::read::ListRequest as AuditRequest;
use authority::records::{Narrowing, StatusCounts};
use authority::tokens::ListRequest;
use authority::trust::{FailingPolicy, TrustError};
use token_domain::access::Direction;
use token_domain::token::Status;
use token_domain::usage::Step;
use token_domain::{Span, Timestamp};

use super::audit::{EventLine, lines_of};
use super::chart::Chart;
use super::tokens::{Line, Names, failed};
use super::usage;
use crate::answer::{Answer, either, ok, to};
use crate::cookies;
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, When};
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(overview_shown);
}

/// A trust policy under which exchanges failed.
#[derive(Clone, Debug)]
struct FailingLine {
    id: String,
    name: String,
    failures: String,
    why: &'static str,
    last: When,
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    page: Layout,
    may_see_tokens: bool,
    may_manage: bool,
    active: String,
    rotating: String,
    expired: String,
    revoked: String,
    is_empty: bool,
    expiring: Vec<Line>,
    unused: String,
    is_unused: bool,
    /// The last 24 hours; none for people who may not see uses.
    chart: Option<Chart>,
    alarms: Vec<EventLine>,
    leaks: Vec<EventLine>,
    failing: Vec<FailingLine>,
    events: Vec<EventLine>,
}

#[get("/")]
async fn overview_shown(request: HttpRequest, services: Services) -> HttpResponse {
    // A browser that sends no session cookie directly after sign-in does not accept cookies.
    if Form::query(&request).raw("after") == "sign-in" {
        return if cookies::session(&request).is_some() { to("/") } else { to("/sign-in?after=sign-in") };
    }
    either(show_overview(&request, &services).await)
}

async fn show_overview(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let (now, may_see_tokens) = (visitor.now, visitor.may("tokens:read"));
    let names = Names::read(&visitor, services).await;
    let narrowed =
        |narrowed| ListRequest { status: Some(Status::Active), narrowed, limit: 5, ..ListRequest::default() };
    let (mut counts, mut expiring, mut unused) = (StatusCounts::default(), Vec::new(), 0);
    let mut failing = Vec::new();
    if may_see_tokens {
        let broken = |error| failed(request, &visitor, &error);
        counts = services.tokens.count(&visitor.caller, ListRequest::default()).await.map_err(broken)?;
        let ends = narrowed(Narrowing { expires_before: Some(now + Span::days(30)), ..Narrowing::default() });
        let page = services.tokens.list(&visitor.caller, ends).await.map_err(broken)?;
        expiring = page.tokens.iter().map(|token| Line::new(token, &names, now)).collect();
        let idle = narrowed(Narrowing { unused_since: Some(now - Span::days(90)), ..Narrowing::default() });
        unused = services.tokens.count(&visitor.caller, idle).await.map_err(broken)?.active;
        let since = now - Span::days(1);
        failing = match services.trust.failing(&visitor.caller, visitor.caller.organization_id, since).await {
            Ok(found) => found.iter().map(|one| failing_line(one, now)).collect(),
            // They are the organisation's, and this session is bound to a project.
            Err(TrustError::Confined) => Vec::new(),
            Err(error) => return Err(super::trust::failed(request, &visitor, &error)),
        };
    }
    let (mut events, mut alarms, mut leaks) = (Vec::new(), Vec::new(), Vec::new());
    if visitor.may("audit:read") {
        let asked = |action: Option<&str>, limit| AuditRequest {
            action: action.map(str::to_owned),
            actor: None,
            target_id: None,
            from: Some(now - Span::days(30)),
            until: None,
            direction: Direction::Descending,
            after: None,
            limit,
        };
        let organization = visitor.caller.organization_id;
        let broken = |failure| visitor.failed(request, &failure);
        let latest = services.audit.list(organization, asked(None, 8)).await.map_err(broken)?;
        let reuse = services.audit.list(organization, asked(Some("token.reuse_detected"), 3)).await.map_err(broken)?;
        let leaked = services.audit.list(organization, asked(Some("token.leaked"), 3)).await.map_err(broken)?;
        // All three lists at once, for one question about the names of tokens.
        let all = [latest.events, reuse.events, leaked.events];
        let [shown, alarming, _] = all.each_ref().map(Vec::len);
        events = lines_of(&all.concat(), &names, &visitor, services)
            .await
            .map_err(|error| failed(request, &visitor, &error))?;
        leaks = events.split_off(shown + alarming);
        alarms = events.split_off(shown);
    }
    let chart = if visitor.may("usage:read") {
        Some(usage::chart(request, services, &visitor, 1, Step::Hour).await?)
    } else {
        None
    };
    let layout = Layout::of(request, &visitor, Section::Overview, "Overview");
    let template = OverviewPage {
        may_see_tokens,
        may_manage: visitor.may("tokens:manage"),
        active: show::number(counts.active),
        rotating: show::number(counts.rotating),
        expired: show::number(counts.expired),
        revoked: show::number(counts.revoked),
        is_empty: counts == StatusCounts::default(),
        expiring,
        unused: show::count(unused, "token"),
        is_unused: unused > 0,
        chart,
        alarms,
        leaks,
        failing,
        events,
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

fn failing_line(failing: &FailingPolicy, now: Timestamp) -> FailingLine {
    FailingLine {
        id: failing.policy.id.to_string(),
        name: failing.policy.name.to_string(),
        failures: show::count(u64::try_from(failing.failures).unwrap_or(u64::MAX), "attempt"),
        why: super::trust_policy::words(failing.last.outcome),
        last: When::new(failing.last.at, now),
    }
}
