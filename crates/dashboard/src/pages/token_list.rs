//! The list of tokens and of personal keys: tabs with counts, filters in the query string, a search that also accepts a
//! secret.

use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::records::{Narrowing, OwnerFilter, Principal, StatusCounts, Token};
use authority::tokens::{Cursor, ListRequest};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use token_domain::id::{ProjectId, UserId};
use token_domain::text::{AgentType, composed};
use token_domain::token::{Kind, Status};
use token_domain::{Span, Timestamp};

use super::file::{Format, csv};
use super::tokens::{Area, Line, Names, failed};
use crate::answer::{Answer, Tone, either, ok, to, to_saying};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

/// Tokens on a page, which keeps the HTML under 25 KB.
const PAGE: u32 = 15;
/// The most tokens of an export.
const EXPORTED: usize = 10_000;
/// The fields of the filter, in their order in the query string.
pub(super) const FIELDS: [&str; 8] =
    ["q", "kind", "scope", "owner", "created_by", "project_id", "agent_type", "unused_days"];
const LAST_FIELDS: [&str; 1] = ["expires_before"];

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(tokens_shown).service(keys_shown).service(search_tokens).service(search_keys).service(export_shown);
}

/// A tab of the list.
#[derive(Clone, Debug)]
struct Tab {
    href: String,
    label: &'static str,
    count: String,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "token_list.html")]
struct ListPage {
    page: Layout,
    base: &'static str,
    noun: &'static str,
    heading: &'static str,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    forgotten: usize,
    forgotten_link: String,
    next: String,
    /// The filter's form fields.
    filter: Filter,
    is_filtered: bool,
    export: String,
    /// The query string of this page, for a form that leads back to it.
    here: String,
    may_manage: bool,
    is_everything_empty: bool,
    problem: String,
    status: &'static str,
}

/// The fields of the filter's form.
#[derive(Clone, Debug, Default)]
struct Filter {
    q: String,
    kind: String,
    scope: String,
    unused_days: String,
    expires_before: String,
    agent_type: String,
    is_organization: bool,
    /// Conditions that links set and the form has no fields for: they stay when it is sent.
    carried: Vec<(&'static str, String)>,
}

impl Filter {
    /// The conditions that the search adds to: all but its own text.
    fn kept(&self) -> Vec<(&'static str, &str)> {
        let own = [
            ("kind", self.kind.as_str()),
            ("scope", &self.scope),
            ("unused_days", &self.unused_days),
            ("expires_before", &self.expires_before),
            ("agent_type", &self.agent_type),
        ];
        let carried = self.carried.iter().map(|(name, value)| (*name, value.as_str()));
        own.into_iter().chain(carried).filter(|(_, value)| !value.is_empty()).collect()
    }
}

#[get("/tokens")]
async fn tokens_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(list(&request, &services).await)
}

#[get("/keys")]
async fn keys_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(list(&request, &services).await)
}

#[post("/tokens")]
async fn search_tokens(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(search(&request, &services, &body).await)
}

#[post("/keys")]
async fn search_keys(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(search(&request, &services, &body).await)
}

async fn list(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let area = Area::of(request);
    visitor.check(request, area.reading())?;
    let query = Form::query(request);
    let (asked, problem) = match read(&query, visitor.now) {
        Ok(asked) => (asked, String::new()),
        Err(problem) => (ListRequest::default(), problem),
    };
    let owner = match area {
        Area::Organization => asked.owner,
        Area::Own => own(&visitor).map_or(asked.owner, OwnerFilter::Person),
    };
    let status = Status::parse(query.text("status")).unwrap_or(Status::Active);
    let after = Cursor::parse(query.raw("cursor")).ok();
    let wanted = ListRequest { owner, status: Some(status), limit: PAGE, after, ..asked };
    let counted = ListRequest { status: None, after: None, ..wanted.clone() };
    let counts =
        services.tokens.count(&visitor.caller, counted).await.map_err(|error| failed(request, &visitor, &error))?;
    let page =
        services.tokens.list(&visitor.caller, wanted).await.map_err(|error| failed(request, &visitor, &error))?;
    let names = Names::read(&visitor, services).await;
    let lines: Vec<Line> = page.tokens.iter().map(|token| Line::new(token, &names, visitor.now)).collect();
    let filtered = address(&query, &[]);
    let layout = Layout::of(request, &visitor, area.section(), heading(area));
    let next = page.next.map(|cursor| {
        format!("{}?{}", area.base(), address(&query, &[("status", status.as_str()), ("cursor", &cursor.to_string())]))
    });
    let template = ListPage {
        base: area.base(),
        noun: area.noun(),
        heading: heading(area),
        tabs: tabs(area, &query, counts, status),
        forgotten: lines.iter().filter(|line| line.is_forgotten).count(),
        forgotten_link: format!("/tokens/bulk?{}", address(&query, &[("unused_days", "30"), ("status", "active")])),
        next: next.unwrap_or_default(),
        filter: Filter {
            q: query.text("q").to_owned(),
            kind: query.text("kind").to_owned(),
            scope: query.text("scope").to_owned(),
            unused_days: query.text("unused_days").to_owned(),
            expires_before: query.text("expires_before").to_owned(),
            agent_type: query.text("agent_type").to_owned(),
            is_organization: area == Area::Organization,
            carried: ["owner", "created_by", "project_id"]
                .into_iter()
                .filter_map(|name| Some((name, query.some(name)?.to_owned())))
                .collect(),
        },
        is_filtered: !filtered.is_empty(),
        export: address(&query, &[("status", status.as_str())]),
        here: address(&query, &[("status", status.as_str()), ("cursor", query.raw("cursor"))]),
        may_manage: visitor.may(area.managing()),
        is_everything_empty: filtered.is_empty() && counts == StatusCounts::default(),
        lines,
        problem,
        status: status.as_str(),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

const fn heading(area: Area) -> &'static str {
    match area {
        Area::Organization => "Tokens",
        Area::Own => "My keys",
    }
}

fn own(visitor: &Visitor) -> Option<UserId> {
    visitor.caller.user_id()
}

fn tabs(area: Area, query: &Form, counts: StatusCounts, current: Status) -> Vec<Tab> {
    let tab = |status: Status, label, count| Tab {
        href: format!("{}?{}", area.base(), address(query, &[("status", status.as_str())])),
        label,
        count: show::number(count),
        is_current: status == current,
    };
    vec![
        tab(Status::Active, "Active", counts.active),
        tab(Status::Rotating, "Rotating", counts.rotating),
        tab(Status::Expired, "Expired", counts.expired),
        tab(Status::Revoked, "Revoked", counts.revoked),
    ]
}

/// The query string of a filter, with the fields of `set` replaced.
pub(super) fn address(query: &Form, set: &[(&str, &str)]) -> String {
    let kept = FIELDS.iter().chain(&LAST_FIELDS).filter(|field| !set.iter().any(|(name, _)| name == *field));
    let kept = kept.filter_map(|field| query.some(field).map(|value| (*field, value)));
    let all = kept.chain(set.iter().copied());
    let encode = |(name, value): (&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    all.map(encode).collect::<Vec<_>>().join("&")
}

/// Parses a filter from the query string; the error is the message about the first field that is malformed.
pub(super) fn read(query: &Form, now: Timestamp) -> Result<ListRequest, String> {
    let kind = |text: &str| Kind::parse(text).ok_or("Choose an owner.");
    let owner = match (query.some("owner"), query.some("kind")) {
        (Some(owner), _) => match owner.strip_prefix("user:").and_then(|id| UserId::parse(id).ok()) {
            Some(user) => OwnerFilter::Person(user),
            None => return Err("The owner must be user: and an id.".to_owned()),
        },
        (None, Some(text)) => OwnerFilter::Kind(kind(text)?),
        (None, None) => OwnerFilter::Kind(Kind::Organization),
    };
    let days = query.some("unused_days").map(|text| text.parse::<u32>().ok().filter(|days| (1..=3_650).contains(days)));
    let unused_since = match days {
        Some(None) => return Err("The number of unused days must be from 1 to 3650.".to_owned()),
        Some(Some(days)) => Some(now - Span::days(days)),
        None => None,
    };
    let before = query.some("expires_before").map(day).transpose()?;
    let creator =
        query.some("created_by").map(|text| Principal::parse(text).ok_or("The creator must be user: and an id."));
    let project = query.some("project_id").map(|text| ProjectId::parse(text).map_err(|_| "The project must be an id."));
    let label = query
        .some("agent_type")
        .map(|text| AgentType::parse(text).map_err(|_| "The agent type may only contain a–z, 0–9 and _."));
    if query.text("q").chars().count() > 100 {
        return Err("Search for at most 100 characters.".to_owned());
    }
    Ok(ListRequest {
        owner,
        project_id: project.transpose()?,
        narrowed: Narrowing {
            text: query.some("q").map(composed),
            scope: query.some("scope").map(str::to_owned),
            created_by: creator.transpose()?,
            agent_type: label.transpose()?,
            unused_since,
            expires_before: before,
            ..Narrowing::default()
        },
        ..ListRequest::default()
    })
}

/// Parses a date, as the beginning of that day in UTC.
pub(super) fn day(text: &str) -> Result<Timestamp, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse_rfc3339(&whole).map_err(|_| "A date must have the form 2026-12-31.".to_owned())
}

/// Searches for a text, or for the token with that secret. By POST, so that a secret is never part of an address.
async fn search(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    let typed = form.text("q");
    // Pasted with what surrounds it, such as a header's name, it is still a secret.
    let text = token_format::pattern::scan(typed.as_bytes()).next().map_or(typed, |found| &typed[found.range]);
    if !text.starts_with(token_format::PREFIX) || text.len() < token_format::PREFIX.len() + 16 {
        return Ok(to(&format!("{}?{}", area.base(), address(&form, &[]))));
    }
    visitor.check(request, Area::Organization.reading())?;
    match services.tokens.lookup(&visitor.caller, text).await {
        Ok(token) => Ok(to(&format!("/tokens/{}", token.id))),
        Err(authority::tokens::TokenError::NotFound) => {
            let text = "No token of this organisation has this secret.";
            Ok(to_saying(request, area.base(), Tone::Problem, text))
        }
        Err(error) => Err(failed(request, &visitor, &error)),
    }
}

/// The filtered list as a file.
#[get("/tokens/export/{file}")]
async fn export_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(exported(&request, &services).await)
}

async fn exported(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, Area::Organization.reading())?;
    let format = Format::of(request, "tokens").ok_or_else(|| visitor.not_found(request))?;
    let query = Form::query(request);
    let Ok(asked) = read(&query, visitor.now) else { return Err(visitor.not_found(request)) };
    let mut wanted = ListRequest { status: Status::parse(query.text("status")), limit: 1_000, ..asked };
    let mut text = String::new();
    if format == Format::Csv {
        text.push_str("id,name,hint,status,kind,scopes,created_at,created_by,last_used_at,expires_at,external_id\r\n");
    }
    let mut written = 0;
    loop {
        let page = services.tokens.list(&visitor.caller, wanted.clone()).await;
        let page = page.map_err(|error| failed(request, &visitor, &error))?;
        for token in &page.tokens {
            text.push_str(&line(format, token, visitor.now));
        }
        written += page.tokens.len();
        match page.next.filter(|_| written < EXPORTED) {
            Some(next) => wanted.after = Some(next),
            None => break,
        }
    }
    Ok(format.answer("tokens").body(text))
}

fn cells(token: &Token, now: Timestamp) -> [(&'static str, Option<String>); 11] {
    let time = |moment: Timestamp| moment.rfc3339_seconds();
    [
        ("id", Some(token.id.to_string())),
        ("name", Some(token.name.to_string())),
        ("hint", Some(super::tokens::hint(token))),
        ("status", Some(token.facts.status(now).as_str().to_owned())),
        ("kind", Some(token.owner.kind().as_str().to_owned())),
        ("scopes", Some(token.scopes.join(" "))),
        ("created_at", Some(time(token.facts.created_at))),
        ("created_by", Some(token.created_by.to_string())),
        ("last_used_at", token.last_used_at.map(time)),
        ("expires_at", token.facts.expires_at.map(time)),
        ("external_id", token.details.external_id.as_ref().map(ToString::to_string)),
    ]
}

/// A token as a line of a file.
fn line(format: Format, token: &Token, now: Timestamp) -> String {
    let cells = cells(token, now);
    match format {
        Format::Csv => csv(cells.iter().map(|(_, value)| value.as_deref().unwrap_or_default())),
        Format::Ndjson => {
            let object: serde_json::Map<String, serde_json::Value> =
                cells.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            format!("{}\n", serde_json::Value::Object(object))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_survive_a_round_trip_through_the_query_string() {
        let query = Form::read(b"q=a%26b&scope=read&cursor=x&status=revoked&other=1&unused_days=30");
        let again = address(&query, &[("status", "active")]);
        assert_eq!(again, "q=a%26b&scope=read&unused%5Fdays=30&status=active".replace("%5F", "_"));
        let now = Timestamp::parse_rfc3339("2026-03-01T00:00:00Z").unwrap();
        let asked = read(&query, now).unwrap();
        assert_eq!(asked.narrowed.text.as_deref(), Some("a&b"));
        assert_eq!(asked.narrowed.unused_since, Some(now - Span::days(30)));
        for bad in ["kind=any", "owner=ada", "unused_days=0", "unused_days=x", "expires_before=soon", "agent_type=A"] {
            assert!(read(&Form::read(bad.as_bytes()), now).is_err(), "{bad}");
        }
    }
}
