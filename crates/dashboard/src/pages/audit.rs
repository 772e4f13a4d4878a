//! The audit trail: what happened, by whom, to what; and whether its hash chain verifies.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use authority::audit::chain::Place;
use authority::audit::read::{ListRequest, Outcome, VerifyError};
use authority::records::{AuditRecord, Principal};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use token_domain::Timestamp;
use token_domain::access::Direction;

use super::tokens::Names;
use crate::answer::{Answer, Tone, either, ok, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, When};
use crate::visit::Visitor;

const PAGE: u32 = 40;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(trail_shown).service(verify_shown);
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
    pub(super) fn new(event: &AuditRecord, names: &Names, now: Timestamp) -> Self {
        let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let told = |name: &str| detail.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let href = match event.target_kind.as_str() {
            "token" => format!("/tokens/{}", event.target_id),
            "user" => format!("/members/{}", event.target_id),
            "trust_policy" if event.action != "trust_policy.delete" => format!("/trust/{}", event.target_id),
            _ => String::new(),
        };
        let target = match (event.target_kind.as_str(), told("name")) {
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

impl EventLine {
    /// Shows the target by its name, for pages that know the name.
    pub(super) fn about(self, name: &str) -> Self {
        Self { target: name.to_owned(), ..self }
    }
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
    problem: String,
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
    let actor = query.some("actor").map(Principal::parse);
    let problem = if matches!(actor, Some(None)) {
        "The actor must be user: or token: and an id, service or system."
    } else {
        ""
    };
    let asked = ListRequest {
        action: query.some("action").map(str::to_owned),
        actor: actor.flatten(),
        target_id: query.some("target").map(str::to_owned),
        from: None,
        until: None,
        direction: Direction::Descending,
        after: query.some("after").and_then(|text| text.parse().ok()),
        limit: PAGE,
    };
    let found = services.audit.list(visitor.caller.organization_id, asked).await;
    let found = found.map_err(|failure| visitor.failed(request, &failure))?;
    let filter: Vec<String> = ["action", "actor", "target"]
        .into_iter()
        .filter_map(|name| {
            query.some(name).map(|value| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        })
        .collect();
    let next = found.next.map(|after| {
        let mut parts = filter.clone();
        parts.push(format!("after={after}"));
        format!("/audit?{}", parts.join("&"))
    });
    let layout = Layout::of(request, &visitor, Section::Audit, "Audit");
    let template = AuditPage {
        events: found.events.iter().map(|event| EventLine::new(event, &names, visitor.now)).collect(),
        action: query.text("action").to_owned(),
        actor: query.text("actor").to_owned(),
        target: query.text("target").to_owned(),
        next: next.unwrap_or_default(),
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
