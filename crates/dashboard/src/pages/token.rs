//! One token: its scopes, who uses it, its events, and the actions on it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, routes};
use askama::Template;
use authority::audit::read::ListRequest as AuditRequest;
use authority::records::{Change, Token, TokenEdit, TokenLeak};
use authority::tokens::GrantedScope;
use token_domain::access::{Description, Direction, ExternalId};
use token_domain::leak::LeakSource;
use token_domain::text::{AgentType, Name};
use token_domain::token::Status;
use token_domain::usage::{Step, Stretch};
use token_domain::{Span, Timestamp};

use super::audit::{EventLine, lines_of};
use super::chart::Chart;
use super::tokens::{Area, Line, Names, explain, failed, found, hint};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::layout::Layout;
use crate::scopes;
use crate::services::Services;
use crate::show::When;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(token_shown).service(edit_shown).service(edit_posted);
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    page: Layout,
    base: &'static str,
    line: Line,
    scopes: Vec<ScopeLine>,
    /// The scopes not asked for in [`UNUSED_FOR`]; see [`unused`].
    unused: Vec<String>,
    /// The link to create a token without them.
    narrower: String,
    permits: String,
    description: String,
    external_id: String,
    metadata: String,
    networks: Vec<String>,
    agent_type: String,
    project: String,
    revoked_note: String,
    /// None for people who may not see uses.
    chart: Option<Chart>,
    events: Vec<EventLine>,
    predecessor: String,
    successor: String,
    successor_first_used: Option<When>,
    successor_used: Option<When>,
    successor_from: String,
    grace_ends: Option<When>,
    revoked: Option<When>,
    reuse: Option<When>,
    leak: Option<LeakLine>,
    /// Whether nobody has seen the secret, because the token took over from one that leaked.
    is_unseen: bool,
    may_rotate: bool,
    why_not_rotate: &'static str,
    may_manage: bool,
    is_rotating: bool,
    is_live: bool,
}

/// That the token was reported as leaked.
#[derive(Clone, Debug)]
struct LeakLine {
    at: When,
    by: &'static str,
    /// What is to be done about it.
    advice: &'static str,
}

impl LeakLine {
    fn new(leak: TokenLeak, status: Status, now: Timestamp) -> Self {
        Self {
            at: When::new(leak.reported_at, now),
            by: match leak.source {
                LeakSource::Holder => "somebody who had it",
                LeakSource::GitHub => "GitHub",
                LeakSource::GitLab => "GitLab",
            },
            advice: match status {
                Status::Active => {
                    "It is still valid. Rotate it without a grace or revoke it, and find out how it got out."
                }
                Status::Rotating => {
                    "It is valid until its grace ends. Use its successor where it was used, and find out how it got out."
                }
                Status::Revoked | Status::Expired => "Find out how it got out.",
            },
        }
    }
}

/// A scope of the token, and when a validation last required it.
#[derive(Clone, Debug)]
struct ScopeLine {
    name: String,
    description: String,
    used: Option<When>,
}

/// After how long without a request for it a scope counts as unused.
const UNUSED_FOR: Span = Span::days(90);

/// The scopes not asked for in [`UNUSED_FOR`]. Empty for a token younger than that, and if no scope was asked for.
fn unused(token: &Token, granted: &[GrantedScope], now: Timestamp) -> Vec<String> {
    let since = now - UNUSED_FOR;
    let is_used = |granted: &&GrantedScope| granted.last_used_at.is_some_and(|used| used > since);
    if token.facts.created_at > since || !granted.iter().any(|granted| is_used(&granted)) {
        return Vec::new();
    }
    granted.iter().filter(|granted| !is_used(granted)).map(|granted| granted.scope.clone()).collect()
}

#[routes]
#[get("/tokens/{token_id}")]
#[get("/keys/{token_id}")]
async fn token_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_token(&request, &services).await)
}

async fn show_token(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let token = found(request, services, &visitor).await?;
    let (area, now) = (Area::of(request), visitor.now);
    let names = Names::read(&visitor, services).await;
    let chart = usage(services, &visitor, &token).await;
    let granted = if visitor.may("usage:read") {
        let granted = services.tokens.scope_uses(&visitor.caller, token.id).await;
        granted.map_err(|error| failed(request, &visitor, &error))?
    } else {
        token.scopes.iter().map(|scope| GrantedScope { scope: scope.clone(), last_used_at: None }).collect()
    };
    let unused = unused(&token, &granted, now);
    let events = if visitor.may("audit:read") {
        let asked = AuditRequest {
            action: None,
            actor: None,
            target_id: Some(token.id.to_string()),
            from: None,
            until: None,
            direction: Direction::Descending,
            after: None,
            limit: 10,
        };
        let page = services.audit.list(visitor.caller.organization_id, asked).await;
        let page = page.map_err(|failure| visitor.failed(request, &failure))?;
        lines_of(&page.events, &names, &visitor, services).await.map_err(|error| failed(request, &visitor, &error))?
    } else {
        Vec::new()
    };
    let successor = match token.facts.superseded {
        Some(superseded) => services.tokens.get(&visitor.caller, superseded.by).await.ok(),
        None => None,
    };
    let status = token.facts.status(now);
    let (leak, is_unseen) = leak_notes(request, services, &visitor, &token, status).await?;
    let may_manage = visitor.may(area.managing());
    let is_own_kind = token.owner.kind() == area.kind();
    let why_not_rotate = match status {
        _ if !may_manage => "Your role can view tokens but not change them.",
        Status::Rotating => "The token is already rotating: finish or cancel that rotation first.",
        Status::Revoked => "The token is revoked.",
        Status::Expired => "The token has expired: create another one.",
        Status::Active if !is_own_kind => "Only its owner can rotate it, because a rotation shows a secret.",
        Status::Active => "",
    };
    let layout = Layout::of(request, &visitor, area.section(), token.name.as_str());
    let template = TokenPage {
        base: area.base(),
        permits: scopes::permits(services.context.catalogue(), &token.scopes),
        description: token.details.description.as_ref().map(ToString::to_string).unwrap_or_default(),
        external_id: token.details.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        metadata: token.details.metadata.as_ref().map(|metadata| metadata.as_json().to_owned()).unwrap_or_default(),
        networks: token
            .details
            .allowed_networks
            .as_ref()
            .map(token_domain::token::AllowedNetworks::names)
            .unwrap_or_default(),
        agent_type: token.agent_type.to_string(),
        project: token.project_id.map(|id| id.to_string()).unwrap_or_default(),
        revoked_note: token.explanation.note.as_ref().map(ToString::to_string).unwrap_or_default(),
        chart,
        events,
        predecessor: token.rotated_from.map(|id| id.to_string()).unwrap_or_default(),
        successor: token.facts.superseded.map(|superseded| superseded.by.to_string()).unwrap_or_default(),
        successor_first_used: successor.as_ref().and_then(|next| next.first_used_at).map(|used| When::new(used, now)),
        successor_used: successor.as_ref().and_then(|next| next.last_used_at).map(|used| When::new(used, now)),
        successor_from: successor
            .and_then(|next| next.used_from.into_iter().next())
            .map(|origin| origin.address)
            .unwrap_or_default(),
        revoked: token.facts.revocation(now).map(|revoked| When::new(revoked.at, now)),
        grace_ends: token.facts.superseded.map(|superseded| When::new(superseded.grace_ends_at, now)),
        reuse: token.reuse_detected_at.map(|at| When::new(at, now)),
        leak,
        is_unseen,
        may_rotate: why_not_rotate.is_empty(),
        why_not_rotate,
        may_manage,
        is_rotating: status == Status::Rotating,
        is_live: status.is_live(),
        line: Line::new(&token, &names, now),
        narrower: narrower(area, &token, &unused),
        unused,
        scopes: granted
            .into_iter()
            .map(|granted| ScopeLine {
                description: scopes::description(services.context.catalogue(), &granted.scope),
                name: granted.scope,
                used: granted.last_used_at.map(|used| When::new(used, now)),
            })
            .collect(),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

/// What is said of the token's leak, and whether nobody has seen its secret because it took over from one that leaked.
async fn leak_notes(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    token: &Token,
    status: Status,
) -> Result<(Option<LeakLine>, bool), HttpResponse> {
    let failed = |error| failed(request, visitor, &error);
    let leak = services.tokens.leak(token).await.map_err(failed)?;
    let is_unseen = status == Status::Active && services.tokens.is_unseen(token).await.map_err(failed)?;
    Ok((leak.map(|leak| LeakLine::new(leak, status, visitor.now)), is_unseen))
}

/// The link to create a token like this one without some scopes.
fn narrower(area: Area, token: &Token, without: &[String]) -> String {
    without.iter().fold(format!("{}/new?like={}", area.base(), token.id), |mut link, scope| {
        link.push_str("&without=");
        link.extend(percent_encoding::utf8_percent_encode(scope, percent_encoding::NON_ALPHANUMERIC));
        link
    })
}

/// Hourly uses of two days, if the person may see them.
async fn usage(services: &Services, visitor: &Visitor, token: &Token) -> Option<Chart> {
    if !visitor.may("usage:read") {
        return None;
    }
    let stretch = Stretch::new(visitor.now - Span::days(2), visitor.now, Step::Hour).ok()?;
    let hours = services.tokens.usage(&visitor.caller, token.id, stretch).await.ok()?;
    Some(Chart::of(&hours, Step::Hour))
}

#[derive(Template)]
#[template(path = "edit_token.html")]
struct EditPage {
    page: Layout,
    action: String,
    back: String,
    hint: String,
    name: String,
    description: String,
    agent_type: String,
    external_id: String,
    problem: String,
}

#[routes]
#[get("/tokens/{token_id}/edit")]
#[get("/keys/{token_id}/edit")]
async fn edit_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(edit_form(&request, &services).await)
}

#[routes]
#[post("/tokens/{token_id}/edit")]
#[post("/keys/{token_id}/edit")]
async fn edit_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(edit(&request, &services, &body).await)
}

async fn edit_form(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let token = found(request, services, &visitor).await?;
    Ok(ok(&EditPage {
        name: token.name.to_string(),
        description: token.details.description.as_ref().map(ToString::to_string).unwrap_or_default(),
        agent_type: token.agent_type.to_string(),
        external_id: token.details.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        ..edit_page(request, &visitor, &token)
    }))
}

fn edit_page(request: &HttpRequest, visitor: &Visitor, token: &Token) -> EditPage {
    let area = Area::of(request);
    let back = format!("{}/{}", area.base(), token.id);
    EditPage {
        page: Layout::of(request, visitor, area.section(), "Edit"),
        action: format!("{back}/edit"),
        back,
        hint: hint(token),
        name: String::new(),
        description: String::new(),
        agent_type: String::new(),
        external_id: String::new(),
        problem: String::new(),
    }
}

async fn edit(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    visitor.admit(request, area.managing())?;
    let token = found(request, services, &visitor).await?;
    let again = |status, problem: String| {
        page(
            status,
            &EditPage {
                name: form.raw("name").to_owned(),
                description: form.raw("description").to_owned(),
                agent_type: form.raw("agent_type").to_owned(),
                external_id: form.raw("external_id").to_owned(),
                problem,
                ..edit_page(request, &visitor, &token)
            },
        )
    };
    if form.is_restored() {
        return Ok(again(StatusCode::OK, String::new()));
    }
    let read = || -> Result<TokenEdit, String> {
        Ok(TokenEdit {
            name: Some(Name::parse(form.raw("name")).map_err(|error| format!("The name {error}."))?),
            agent_type: Some(
                AgentType::parse(form.text("agent_type")).map_err(|error| format!("The agent type {error}."))?,
            ),
            description: match form.some("description") {
                None => Change::Clear,
                Some(text) => {
                    Change::Set(Description::parse(text).map_err(|error| format!("The description {error}."))?)
                }
            },
            external_id: match form.some("external_id") {
                None => Change::Clear,
                Some(text) => Change::Set(ExternalId::parse(text).map_err(|error| format!("The holder {error}."))?),
            },
            metadata: Change::Keep,
        })
    };
    let edit = read().map_err(|problem| again(StatusCode::UNPROCESSABLE_ENTITY, problem))?;
    let done = match area {
        Area::Organization => services.tokens.edit(&visitor.caller, token.id, edit, &visitor.origin).await,
        Area::Own => services.tokens.edit_key(&visitor.caller, token.id, edit, &visitor.origin).await,
    };
    match done {
        Ok(_) => Ok(to_saying(request, &format!("{}/{}", area.base(), token.id), Tone::Done, "Saved.")),
        Err(authority::tokens::TokenError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(authority::tokens::TokenError::NotFound) => {
            Err(failed(request, &visitor, &authority::tokens::TokenError::NotFound))
        }
        Err(error) => Err(again(StatusCode::CONFLICT, explain(&error))),
    }
}
