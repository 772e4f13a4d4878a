//! How often the organisation's tokens are used: bars by hour or by day, with a table behind them.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use token_domain::Span;
use token_domain::usage::{Step, Stretch};

use super::chart::Chart;
use super::members::{failed, seat};
use crate::answer::{Answer, either, ok};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(usage_shown);
}

/// The periods to choose from: name in the query string, label, days, and the time that a bar covers.
const STRETCHES: [(&str, &str, u32, Step); 3] =
    [("day", "24 hours", 1, Step::Hour), ("week", "7 days", 7, Step::Hour), ("quarter", "90 days", 90, Step::Day)];

/// A period as a tab.
#[derive(Clone, Debug)]
struct Tab {
    href: String,
    label: &'static str,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    page: Layout,
    tabs: Vec<Tab>,
    chart: Chart,
}

#[get("/usage")]
async fn usage_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_usage(&request, &services).await)
}

async fn show_usage(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "usage:read")?;
    let query = Form::query(request);
    let chosen = STRETCHES.into_iter().find(|(name, ..)| *name == query.text("over")).unwrap_or(STRETCHES[0]);
    let layout = Layout::of(request, &visitor, Section::Usage, "Usage");
    let tab = |(name, label, ..): (&str, &'static str, u32, Step)| Tab {
        href: format!("/usage?over={name}"),
        label,
        is_current: name == chosen.0,
    };
    let template = UsagePage {
        tabs: STRETCHES.into_iter().map(tab).collect(),
        chart: chart(request, services, &visitor, chosen.2, chosen.3).await?,
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

/// The uses of the last `days` days.
pub(super) async fn chart(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    days: u32,
    step: Step,
) -> Result<Chart, HttpResponse> {
    let Ok(stretch) = Stretch::new(visitor.now - Span::days(days), visitor.now, step) else {
        return Ok(Chart::of(&[], step));
    };
    let parts = services.organizations.usage(&seat(request, visitor)?, stretch).await;
    Ok(Chart::of(&parts.map_err(|error| failed(request, visitor, &error))?, step))
}
