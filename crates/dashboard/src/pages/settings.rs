//! Settings: the organisation, one's own account, and one's sessions.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::Refused;
use authority::organizations::{OrganizationChange, OrganizationError};
use authority::passwords::NewPassword;
use authority::people::PersonError;
use authority::sessions::{EndError, OrganizationRef};
use token_domain::id::{OrganizationId, SessionId};
use token_domain::leak::LeakAction;
use token_domain::person::SecondFactorRule;
use token_domain::text::Name;
use zeroize::Zeroizing;

use super::members::{explain, seat};
use super::session_line::SessionLine;
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::cookies::Cookie;
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(settings_shown).service(settings_posted);
}

#[derive(Clone, Debug)]
struct HomeLine {
    id: String,
    name: String,
    role: String,
    is_current: bool,
}

/// What can be done about a leaked token.
#[derive(Clone, Debug)]
struct LeakLine {
    name: &'static str,
    text: &'static str,
    is_chosen: bool,
}

impl LeakLine {
    /// All of them, the strictest first; the organisation's own, or the one that was just picked.
    fn all(chosen: LeakAction) -> Vec<Self> {
        let line = |action: LeakAction| Self {
            name: action.as_str(),
            text: match action {
                LeakAction::Revoke => "Revoke it at once",
                LeakAction::RotateGrace1h => "Rotate it: it ends within an hour",
                LeakAction::Notify => "Tell people, and leave it valid",
            },
            is_chosen: action == chosen,
        };
        LeakAction::ALL.into_iter().rev().map(line).collect()
    }
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    page: Layout,
    organization: String,
    slug: String,
    cap: String,
    requires_second_factor: bool,
    leak_actions: Vec<LeakLine>,
    is_trust_only: bool,
    may_write: bool,
    may_see_policy: bool,
    is_operator: bool,
    may_edit_self: bool,
    name: String,
    email: String,
    /// The requested address; empty if there is none.
    pending: String,
    has_second_factor: bool,
    sessions: Vec<SessionLine>,
    /// Whether the session counts in all organisations of the person: not one by an identity provider.
    is_everywhere: bool,
    homes: Vec<HomeLine>,
    problem: String,
}

#[get("/settings")]
async fn settings_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_settings(&request, &services).await)
}

async fn show_settings(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let template = settings_page(request, services, &visitor, &Form::default(), String::new()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn settings_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<SettingsPage, HttpResponse> {
    let standing = &visitor.me.standing;
    let sessions = if visitor.may("user:read") {
        services.sessions.list(&visitor.caller).await.map_err(|failure| visitor.failed(request, &failure))?
    } else {
        Vec::new()
    };
    let homes = if visitor.may("org:read") {
        services.organizations.list(&visitor.caller, None, 50).await.map(|page| page.organizations).unwrap_or_default()
    } else {
        Vec::new()
    };
    Ok(SettingsPage {
        page: Layout::of(request, visitor, Section::Settings, "Settings"),
        organization: form.some("organization").unwrap_or(standing.organization.name.as_str()).to_owned(),
        slug: standing.organization.slug.to_string(),
        cap: standing.organization.token_cap.map(|cap| cap.to_string()).unwrap_or_default(),
        requires_second_factor: standing.organization.second_factor.is_required(),
        leak_actions: LeakLine::all(
            form.some("leak_action").and_then(LeakAction::parse).unwrap_or(standing.organization.leak_action),
        ),
        is_trust_only: standing.organization.trust_only,
        may_write: visitor.may("org:write"),
        may_see_policy: visitor.may("org:read"),
        is_operator: services
            .context
            .is_operator(&visitor.caller)
            .await
            .map_err(|failure| visitor.failed(request, &failure))?,
        may_edit_self: visitor.may("user:write"),
        name: form.some("name").unwrap_or(standing.user.name.as_str()).to_owned(),
        email: standing.user.email.to_string(),
        pending: standing.user.pending_email.as_ref().map(ToString::to_string).unwrap_or_default(),
        has_second_factor: standing.second_factor_since.is_some(),
        sessions: sessions.into_iter().map(|seen| SessionLine::new(seen, visitor)).collect(),
        is_everywhere: visitor.caller.is_person_everywhere(),
        homes: homes
            .into_iter()
            .map(|seen| HomeLine {
                id: seen.organization.id.to_string(),
                is_current: seen.organization.id == visitor.caller.organization_id,
                name: seen.organization.name.to_string(),
                role: seen.role.map(|(_, name)| name).unwrap_or_default(),
            })
            .collect(),
        problem,
    })
}

#[post("/settings")]
async fn settings_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let what = if form.is_restored() { "" } else { form.text("what") };
    match what {
        "organization" => visitor.admit(request, "org:write")?,
        "account" | "password" | "end-session" | "end-sessions" => visitor.admit(request, "user:write")?,
        _ => {}
    }
    let done = match what {
        "organization" => organization(request, services, &visitor, &form).await?,
        "account" => account(request, services, &visitor, &form).await?,
        "password" => password(request, services, &visitor, &form).await?,
        "end-session" | "end-sessions" => sessions(request, services, &visitor, &form).await?,
        "switch" => return switch(request, services, &visitor, &form).await,
        _ => Err(String::new()),
    };
    match done {
        Ok(text) => Ok(to_saying(request, "/settings", Tone::Done, &text)),
        Err(problem) => {
            let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            let template = settings_page(request, services, &visitor, &form, problem).await?;
            Err(page(status, &template))
        }
    }
}

/// The message of success or of what is wrong with a field; as an outer error, a page to show instead.
pub(super) type Done = Result<Result<String, String>, HttpResponse>;

async fn organization(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    let name = match Name::parse(form.raw("organization")) {
        Ok(name) => name,
        Err(error) => return Ok(Err(format!("The name {error}."))),
    };
    let rule = if form.has("second_factor") { SecondFactorRule::Required } else { SecondFactorRule::Optional };
    let standing = &visitor.me.standing.organization;
    let Some(action) = LeakAction::parse(form.some("leak_action").unwrap_or(standing.leak_action.as_str())) else {
        return Ok(Err("Choose what is done with leaked tokens.".to_owned()));
    };
    let change = OrganizationChange {
        slug: None,
        name: Some(name).filter(|name| *name != standing.name),
        second_factor: Some(rule).filter(|rule| *rule != standing.second_factor),
        leak_action: Some(action).filter(|action| *action != standing.leak_action),
        trust_only: Some(form.has("trust_only")).filter(|trust_only| *trust_only != standing.trust_only),
    };
    match services.organizations.edit(&seat(request, visitor)?, change, &visitor.origin).await {
        Ok(_) => Ok(Ok("Saved.".to_owned())),
        Err(OrganizationError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(OrganizationError::Refused(refused @ Refused::ProofNeeded)) => Err(visitor.refused(request, &refused)),
        Err(error) => Ok(Err(explain(&error))),
    }
}

async fn account(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    let name = match Name::parse(form.raw("name")) {
        Ok(name) => name,
        Err(error) => return Ok(Err(format!("The name {error}."))),
    };
    match services.people.edit_me(&visitor.caller, Some(name), None, &visitor.origin).await {
        Ok(_) => Ok(Ok("Saved.".to_owned())),
        Err(error) => person(request, visitor, error),
    }
}

async fn password(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    let new = match NewPassword::new(Zeroizing::new(form.raw("new_password").to_owned())) {
        Ok(new) => new,
        Err(error) => return Ok(Err(format!("The new password {error}."))),
    };
    let current = Zeroizing::new(form.raw("current_password").to_owned());
    match services.people.change_password(&visitor.caller, current, new, &visitor.origin).await {
        Ok(()) => Ok(Ok("The password was changed. Your other sessions have ended.".to_owned())),
        Err(error) => person(request, visitor, error),
    }
}

pub(super) fn person(request: &HttpRequest, visitor: &Visitor, error: PersonError) -> Done {
    match error {
        PersonError::Failed(failure) => Err(visitor.failed(request, &failure)),
        PersonError::Refused(refused) => Err(visitor.refused(request, &refused)),
        PersonError::WrongPassword => Ok(Err("The current password is wrong.".to_owned())),
        PersonError::Weak(error) => Ok(Err(format!("The new password {error}."))),
        other => Ok(Err(format!("{other}."))),
    }
}

async fn sessions(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    let authority::Via::Session { session_id, user_id, .. } = visitor.caller.via else { return Ok(Err(String::new())) };
    if form.text("what") == "end-sessions" {
        let ended = services.sessions.end_all(&visitor.caller, user_id, Some(session_id), &visitor.origin).await;
        ended.map_err(|error| end_failed(request, visitor, &error))?;
        return Ok(Ok("Your other sessions have ended.".to_owned()));
    }
    let Ok(id) = SessionId::parse(form.text("session")) else { return Ok(Err(String::new())) };
    let ended = services.sessions.end(&visitor.caller, user_id, id, &visitor.origin).await;
    ended.map_err(|error| end_failed(request, visitor, &error))?;
    Ok(Ok("The session has ended.".to_owned()))
}

/// The page for a session that could not be ended.
pub(super) fn end_failed(request: &HttpRequest, visitor: &Visitor, error: &EndError) -> HttpResponse {
    match error {
        EndError::Failed(failure) => visitor.failed(request, failure),
        EndError::Refused(refused) => visitor.refused(request, refused),
        EndError::SessionNeeded => visitor.not_found(request),
    }
}

/// Switches to another organisation: starts a session there, whose cookie replaces the current one.
async fn switch(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Answer {
    let Ok(id) = OrganizationId::parse(form.text("to")) else { return Err(visitor.not_found(request)) };
    match services.sessions.switch(&visitor.caller, OrganizationRef::Id(id), &visitor.origin).await {
        Ok(signed_in) => {
            let seconds = signed_in.session.expires_at.since(visitor.now).as_seconds();
            let mut answer = to_saying(request, "/", Tone::Done, "You have switched to another organisation.");
            let cookie = Cookie::Session.set(request, signed_in.token.expose(), seconds);
            answer.headers_mut().append(actix_web::http::header::SET_COOKIE, cookie);
            Ok(answer)
        }
        Err(authority::sessions::SwitchError::Failed(authority::sessions::SignInError::Failed(failure))) => {
            Err(visitor.failed(request, &failure))
        }
        Err(authority::sessions::SwitchError::Failed(authority::sessions::SignInError::SsoRequired)) => Err(visitor
            .problem(
                request,
                StatusCode::FORBIDDEN,
                "Sign in there",
                "That organisation takes its own account and no password. Sign out, and sign in with its account.",
            )),
        Err(authority::sessions::SwitchError::Failed(authority::sessions::SignInError::Refused(refused))) => {
            Err(visitor.refused(request, &refused))
        }
        Err(_) => Err(visitor.not_found(request)),
    }
}
