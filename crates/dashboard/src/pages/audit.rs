//! The audit trail: what happened, by whom, to what; and whether its hash chain verifies.

use std::collections::{HashMap, HashSet};

use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, get};
use askama::Template;
use authority::audit::chain::Place;
use authority::audit::export::{events, note_export};
use authority::audit::line;
use authority::audit::read::{ListRequest, Outcome, VerifyError};
use authority::records::{AuditRecord, Principal};
use authority::tokens::TokenError;
use edge::error::ApiError;
use futures::StreamExt as _;
use futures::stream::iter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use token_domain::Timestamp;
use token_domain::access::Direction;
use token_domain::id::TokenId;

use super::file::{Format, csv};
use super::tokens::{Names, failed};
use crate::answer::{Answer, Tone, either, ok, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, When};
use crate::visit::Visitor;

const PAGE: u32 = 40;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(trail_shown).service(verify_shown).service(export_shown);
}

/// An event as a line of the page.
#[derive(Clone, Debug)]
pub(super) struct EventLine {
    pub(super) at: When,
    pub(super) action: String,
    /// The action in words.
    pub(super) words: String,
    pub(super) actor: String,
    pub(super) target: String,
    pub(super) href: String,
    pub(super) detail: String,
    pub(super) is_alarm: bool,
}

impl EventLine {
    fn new(event: &AuditRecord, names: &Names, tokens: &HashMap<TokenId, String>, now: Timestamp) -> Self {
        let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let told = |name: &str| detail.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let href = match event.target_kind.as_str() {
            "token" => format!("/tokens/{}", event.target_id),
            "user" => format!("/members/{}", event.target_id),
            "trust_policy" if event.action != "trust_policy.delete" => format!("/trust/{}", event.target_id),
            "project" if event.action != "project.delete" => format!("/projects/{}", event.target_id),
            _ => String::new(),
        };
        // What the event itself says of a name; else, of a token, its name of today.
        let current = || token_of(event).and_then(|id| tokens.get(&id).cloned());
        let target = match (event.target_kind.as_str(), told("name").or_else(current).or_else(|| told("slug"))) {
            ("", _) | ("session", None) => String::new(),
            (_, Some(name)) => name,
            (_, None) => show::short(&event.target_id),
        };
        let said = [told("cause").or_else(|| told("reason")), told("note"), told("client_ip")];
        Self {
            at: When::new(event.at, now),
            words: words(&event.action),
            action: event.action.clone(),
            actor: Principal::parse(&event.actor).map_or_else(|| event.actor.clone(), |by| names.of(by)),
            target,
            href,
            detail: said.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            is_alarm: matches!(event.action.as_str(), "token.reuse_detected" | "token.leaked"),
        }
    }
}

/// The token that an event is about.
fn token_of(event: &AuditRecord) -> Option<TokenId> {
    if event.target_kind == "token" { TokenId::parse(&event.target_id).ok() } else { None }
}

/// Events as lines of a page, with the names of their tokens, which are read all at once.
pub(super) async fn lines_of(
    events: &[AuditRecord],
    names: &Names,
    visitor: &Visitor,
    services: &Services,
) -> Result<Vec<EventLine>, TokenError> {
    let ids: HashSet<TokenId> = events.iter().filter_map(token_of).collect();
    let tokens = if ids.is_empty() || !visitor.may("tokens:read") {
        Vec::new()
    } else {
        services.tokens.named(&visitor.caller, ids.into_iter().collect()).await?
    };
    let tokens = tokens.into_iter().map(|token| (token.id, token.name.to_string())).collect();
    Ok(events.iter().map(|event| EventLine::new(event, names, &tokens, visitor.now)).collect())
}

/// An action in words: `token.rotate` is "Token: rotate" unless there is a better phrase.
fn words(action: &str) -> String {
    let phrase = match action {
        "token.create" => "Created token",
        "token.rotate" => "Rotated token",
        "token.rotate_cancel" => "Cancelled the rotation of",
        "token.revoke" => "Revoked token",
        "token.reuse_detected" => "Replaced secret presented:",
        "token.leaked" => "Leaked secret:",
        "session.create" => "Signed in",
        "session.delete" => "Signed out",
        "session.create.denied" => "Sign-in refused",
        "member.add" => "Added member",
        "member.remove" => "Removed member",
        "invitation.create" => "Invited somebody",
        "invitation.accept" => "Accepted an invitation",
        "mail.drop" => "Could not deliver mail",
        "role.create" => "Created role",
        "role.delete" => "Deleted role",
        "project.create" => "Created project",
        "project.delete" => "Deleted project",
        "access_scope.create" => "Created access scope",
        "access_scope.delete" => "Deleted access scope",
        "actor.create" => "Created actor",
        "actor.delete" => "Deleted actor",
        "trust_policy.create" => "Created trust policy",
        "trust_policy.update" => "Changed trust policy",
        "trust_policy.delete" => "Deleted trust policy",
        "deployment.setup" => "Set up this deployment",
        "audit.export" => "Exported the audit trail",
        _ => {
            let text = action.replacen('.', ": ", 1).replace(['_', '.'], " ");
            let mut letters = text.chars();
            return letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
        }
    };
    phrase.to_owned()
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Layout,
    events: Vec<EventLine>,
    action: String,
    actor: String,
    target: String,
    next: String,
    /// The query string of the files.
    export: String,
    problem: String,
}

/// The fields of the filter.
const FIELDS: [&str; 3] = ["action", "actor", "target"];

/// Parses the filter; the error is the message about the field that is malformed.
fn filter(query: &Form) -> Result<ListRequest, &'static str> {
    let actor = query.some("actor").map(|text| {
        Principal::parse(text)
            .ok_or("The actor must be user:, token: or policy: and an id, service, system or anonymous.")
    });
    Ok(ListRequest {
        action: query.some("action").map(str::to_owned),
        actor: actor.transpose()?,
        target_id: query.some("target").map(str::to_owned),
        ..ListRequest::after(0)
    })
}

/// The query string of the filter.
fn address(query: &Form) -> String {
    let field = |name| query.some(name).map(|value| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    FIELDS.into_iter().filter_map(field).collect::<Vec<_>>().join("&")
}

#[get("/audit")]
async fn trail_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_trail(&request, &services).await)
}

async fn show_trail(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "audit:read")?;
    let query = Form::query(request);
    let names = Names::read(&visitor, services).await;
    let (filter, problem) = match filter(&query) {
        Ok(filter) => (filter, ""),
        Err(problem) => (ListRequest::after(0), problem),
    };
    let asked = ListRequest {
        direction: Direction::Descending,
        after: query.some("after").and_then(|text| text.parse().ok()),
        limit: PAGE,
        ..filter
    };
    let found = services.audit.list(visitor.caller.organization_id, asked).await;
    let found = found.map_err(|failure| visitor.failed(request, &failure))?;
    let filtered = address(&query);
    let next = found.next.map(|after| format!("/audit?after={after}&{filtered}").trim_end_matches('&').to_owned());
    let layout = Layout::of(request, &visitor, Section::Audit, "Audit");
    let events = lines_of(&found.events, &names, &visitor, services).await;
    let template = AuditPage {
        events: events.map_err(|error| failed(request, &visitor, &error))?,
        action: query.text("action").to_owned(),
        actor: query.text("actor").to_owned(),
        target: query.text("target").to_owned(),
        next: next.unwrap_or_default(),
        export: filtered,
        problem: problem.to_owned(),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

#[get("/audit/verify")]
async fn verify_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(verified(&request, &services).await)
}

async fn verified(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "audit:read")?;
    let verified = services.audit.verify(Some(visitor.caller.organization_id), Place::START, None).await;
    let (tone, text) = match verified {
        Ok(verified) => match verified.outcome {
            Outcome::Whole => (Tone::Done, format!("The trail is intact: {} events.", verified.reached.seq)),
            Outcome::More => (
                Tone::Done,
                format!("The first {} events are intact. Use the API to verify the rest.", verified.reached.seq),
            ),
            Outcome::Broken(_) => {
                (Tone::Problem, format!("The trail is damaged after event {}.", verified.reached.seq))
            }
        },
        Err(VerifyError::UnderWay) => {
            (Tone::Problem, "The trail is already being verified. Try again in a moment.".to_owned())
        }
        Err(VerifyError::Failed(failure)) => return Err(visitor.failed(request, &failure)),
    };
    Ok(to_saying(request, "/audit", tone, &text))
}

/// The events that the filter finds as a file, oldest first.
#[get("/audit/export/{file}")]
async fn export_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(exported(&request, &services).await)
}

async fn exported(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "audit:read")?;
    let format = Format::of(request, "audit").ok_or_else(|| visitor.not_found(request))?;
    let query = Form::query(request);
    let asked = filter(&query).map_err(|problem| to_saying(request, "/audit", Tone::Problem, problem))?;
    let organization = visitor.caller.organization_id;
    let end = services.audit.end(Some(organization)).await.map_err(|failure| visitor.failed(request, &failure))?;
    let conditions: Vec<(&'static str, String)> =
        FIELDS.into_iter().filter_map(|name| query.some(name).map(|value| (name, value.to_owned()))).collect();
    let noted = note_export(&services.context, &visitor.caller, (0, end), &conditions, &visitor.origin).await;
    noted.map_err(|failure| visitor.failed(request, &failure))?;
    let head = (format == Format::Csv).then(|| Bytes::from_static(CSV_HEAD.as_bytes()));
    let found = events(services.audit.clone().into_inner(), organization, asked, end.seq);
    let lines = found.map(move |records| -> Result<Bytes, Error> {
        let records = records.map_err(|failure| {
            tracing::error!(%organization, %failure, "an export of the audit trail was interrupted");
            ApiError::unavailable(failure)
        })?;
        Ok(lines(format, &records).map_err(ApiError::internal)?)
    });
    // If the database fails on the way, the connection is cut, so that the file does not look complete.
    Ok(format.answer("audit").streaming(iter(head.map(Ok)).chain(lines)))
}

const CSV_HEAD: &str = "seq,at,action,actor,target_kind,target_id,request_id,detail\r\n";

/// Events as lines of a file. Those of an NDJSON file without a filter can be verified, as the export of the API can.
fn lines(format: Format, records: &[AuditRecord]) -> Result<Bytes, serde_json::Error> {
    let mut text = Vec::new();
    for record in records {
        match format {
            Format::Ndjson => line::write(record, &mut text)?,
            Format::Csv => {
                let (seq, at) = (record.seq.to_string(), record.at.rfc3339_micros());
                let [action, actor, kind] = [&record.action, &record.actor, &record.target_kind];
                let [target, request, detail] = [&record.target_id, &record.request_id, &record.detail];
                let cells = [&seq, &at, action, actor, kind, target, request, detail];
                text.extend_from_slice(csv(cells.into_iter().map(String::as_str)).as_bytes());
            }
        }
    }
    Ok(text.into())
}
