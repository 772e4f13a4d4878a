//! Projects, their access scopes and their actors.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::access_scopes::{ActorCounts, NewAccessScope};
use authority::actors::NewActor;
use authority::projects::{Ground, NewProject, TenancyError};
use authority::records::{Project, ScopedTo};
use authority::tokens::TokenError;
use token_domain::access::{ActorName, ActorType};
use token_domain::id::{AccessScopeId, ProjectId};
use token_domain::tenant::ActorStatus;
use token_domain::text::{Name, Slug};

use super::create_token::{SecretPage, snippets};
use super::pager::{Pager, listing};
use super::proof;
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, When};
use crate::visit::{Visitor, explain_refused};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(projects_shown).service(create_posted).service(project_shown).service(add_posted);
}

#[derive(Clone, Debug)]
struct ProjectLine {
    id: String,
    name: String,
    slug: String,
    created: When,
}

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    page: Layout,
    projects: Vec<ProjectLine>,
    total: String,
    pager: Pager,
    may_manage: bool,
    slug: String,
    name: String,
    problem: String,
}

fn failed(request: &HttpRequest, visitor: &Visitor, error: &TenancyError) -> HttpResponse {
    match error {
        TenancyError::NotFound => visitor.not_found(request),
        TenancyError::Failed(failure) => visitor.failed(request, failure),
        TenancyError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &explain(other)),
    }
}

fn explain(error: &TenancyError) -> String {
    match error {
        TenancyError::SlugTaken => "This short name is taken.".to_owned(),
        TenancyError::Refused(refused) => explain_refused(refused),
        TenancyError::Token(error) => super::tokens::explain(error),
        TenancyError::NoSuchAccessScope => "Choose an access scope of this project.".to_owned(),
        other => format!("{other}."),
    }
}

#[get("/projects")]
async fn projects_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_projects(&request, &services).await)
}

async fn show_projects(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "projects:read")?;
    let template = projects_page(request, services, &visitor, &Form::default(), String::new()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn projects_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<ProjectsPage, HttpResponse> {
    let query = Form::query(request);
    let asked = listing(&query, "page");
    let found = services.projects.list(&visitor.caller, visitor.caller.organization_id, asked).await;
    let found = found.map_err(|error| failed(request, visitor, &error))?;
    let line = |project: Project| ProjectLine {
        id: project.id.to_string(),
        name: project.name.to_string(),
        slug: project.slug.to_string(),
        created: When::new(project.created_at, visitor.now),
    };
    Ok(ProjectsPage {
        page: Layout::of(request, visitor, Section::Projects, "Projects"),
        total: show::count(found.total, "project"),
        pager: Pager::of("/projects", &query, "page", "", found.total, "project"),
        projects: found.items.into_iter().map(line).collect(),
        may_manage: visitor.may("projects:manage"),
        slug: form.raw("slug").to_owned(),
        name: form.raw("name").to_owned(),
        problem,
    })
}

#[post("/projects")]
async fn create_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(created(&request, &services, &body).await)
}

async fn created(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "projects:manage")?;
    if form.is_restored() {
        return Ok(ok(&projects_page(request, services, &visitor, &form, String::new()).await?));
    }
    let read = || -> Result<NewProject, String> {
        Ok(NewProject {
            slug: Slug::parse(form.text("slug")).map_err(|error| format!("The short name {error}."))?,
            name: form.some("name").map(Name::parse).transpose().map_err(|error| format!("The name {error}."))?,
        })
    };
    let problem = match read() {
        Err(problem) => problem,
        Ok(asked) => {
            let organization = visitor.caller.organization_id;
            match services.projects.create(&visitor.caller, organization, asked, &visitor.origin).await {
                Ok(project) => {
                    return Ok(to_saying(
                        request,
                        &format!("/projects/{}", project.id),
                        Tone::Done,
                        "The project was created.",
                    ));
                }
                Err(TenancyError::Failed(failure)) => return Err(visitor.failed(request, &failure)),
                Err(error) => explain(&error),
            }
        }
    };
    let template = projects_page(request, services, &visitor, &form, problem).await?;
    Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
}

#[derive(Clone, Debug)]
struct ScopeLine {
    id: String,
    slug: String,
    name: String,
    actors: String,
    is_active: bool,
    is_chosen: bool,
}

#[derive(Clone, Debug)]
struct ActorLine {
    name: String,
    kind: &'static str,
    place: String,
    status: &'static str,
    tone: &'static str,
    used: Option<When>,
    expires: Option<When>,
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage {
    page: Layout,
    id: String,
    name: String,
    slug: String,
    created: When,
    scopes: Vec<ScopeLine>,
    scope_pager: Pager,
    actors: Vec<ActorLine>,
    actor_pager: Pager,
    actor_total: String,
    kinds: Vec<&'static str>,
    may_manage_scopes: bool,
    may_manage_actors: bool,
    scope_slug: String,
    scope_name: String,
    actor_name: String,
    problem: String,
}

#[get("/projects/{project_id}")]
async fn project_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_project(&request, &services).await)
}

async fn show_project(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "projects:read")?;
    let template = project_page(request, services, &visitor, &Form::default(), String::new()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

fn ground(request: &HttpRequest, visitor: &Visitor) -> Result<Ground, HttpResponse> {
    let id = request.match_info().get("project_id").and_then(|id| ProjectId::parse(id).ok());
    let id = id.ok_or_else(|| visitor.not_found(request))?;
    Ground::of(&visitor.caller, visitor.caller.organization_id, id).map_err(|error| failed(request, visitor, &error))
}

async fn project_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<ProjectPage, HttpResponse> {
    let broken = |error| failed(request, visitor, &error);
    let query = Form::query(request);
    let project = services.projects.get(ground(request, visitor)?).await.map_err(broken)?;
    let (mut scopes, mut scope_total) = (Vec::new(), 0);
    if visitor.may("access-scopes:read") {
        let found = services
            .access_scopes
            .list(ground(request, visitor)?, listing(&query, "scopes"), ActorCounts::Included)
            .await
            .map_err(broken)?;
        scope_total = found.total;
        let line = |listed: authority::access_scopes::Listed| ScopeLine {
            is_chosen: listed.access_scope.id.to_string() == form.text("access_scope"),
            id: listed.access_scope.id.to_string(),
            slug: listed.access_scope.slug.to_string(),
            name: listed.access_scope.name.map(|name| name.to_string()).unwrap_or_default(),
            actors: listed.actors.map(|count| show::count(count, "actor")).unwrap_or_default(),
            is_active: listed.access_scope.is_active,
        };
        scopes = found.items.into_iter().map(line).collect();
    }
    let (mut actors, mut total) = (Vec::new(), 0);
    if visitor.may("actors:read") {
        let asked = listing(&query, "actors");
        let found = services.actors.list(ground(request, visitor)?, ScopedTo::Anything, asked).await.map_err(broken)?;
        total = found.total;
        let place = |id: Option<AccessScopeId>| match id {
            None => "whole project".to_owned(),
            Some(id) => scopes
                .iter()
                .find(|scope: &&ScopeLine| scope.id == id.to_string())
                .map_or_else(|| show::short(&id.to_string()), |scope| scope.slug.clone()),
        };
        let line = |actor: authority::records::Actor| {
            let status = ActorStatus::at(actor.disabled_at, actor.expires_at, visitor.now);
            ActorLine {
                name: actor.name.to_string(),
                kind: actor.actor_type.as_str(),
                place: place(actor.access_scope_id),
                status: status.as_str(),
                tone: if status == ActorStatus::Active { "good" } else { "dead" },
                used: actor.last_used_at.map(|used| When::new(used, visitor.now)),
                expires: actor.expires_at.map(|end| When::new(end, visitor.now)),
            }
        };
        actors = found.items.into_iter().map(line).collect();
    }
    Ok(ProjectPage {
        page: Layout::of(request, visitor, Section::Projects, project.name.as_str()),
        id: project.id.to_string(),
        name: project.name.to_string(),
        slug: project.slug.to_string(),
        created: When::new(project.created_at, visitor.now),
        scope_pager: Pager::of(request.path(), &query, "scopes", "actors", scope_total, "access scope"),
        actor_pager: Pager::of(request.path(), &query, "actors", "scopes", total, "actor"),
        scopes,
        actors,
        actor_total: show::count(total, "actor"),
        kinds: ActorType::ALL.into_iter().map(ActorType::as_str).collect(),
        may_manage_scopes: visitor.may("access-scopes:manage"),
        may_manage_actors: visitor.may("actors:manage"),
        scope_slug: form.raw("slug").to_owned(),
        scope_name: form.raw("scope_name").to_owned(),
        actor_name: form.raw("actor_name").to_owned(),
        problem,
    })
}

#[post("/projects/{project_id}")]
async fn add_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(added(&request, &services, &body).await)
}

async fn added(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    if form.is_restored() {
        return Ok(ok(&project_page(request, services, &visitor, &form, String::new()).await?));
    }
    let done = match form.text("what") {
        "scope" => {
            visitor.admit(request, "access-scopes:manage")?;
            add_scope(request, services, &visitor, &form).await
        }
        "actor" => {
            visitor.admit(request, "actors:manage")?;
            add_actor(request, services, &visitor, &form).await
        }
        _ => return Err(visitor.not_found(request)),
    };
    match done {
        Ok(answer) => Ok(answer),
        Err(Ok(TenancyError::Failed(failure))) => Err(visitor.failed(request, &failure)),
        Err(Ok(TenancyError::Token(TokenError::Refused(authority::Refused::ProofNeeded)))) => {
            Err(proof::ask(request, &visitor, &form))
        }
        Err(refused) => {
            let problem = match refused {
                Ok(error) => explain(&error),
                Err(problem) => problem,
            };
            let template = project_page(request, services, &visitor, &form, problem).await?;
            Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
        }
    }
}

/// Why a change was refused: an error of the authority, or the text about a malformed field.
type Refused = Result<TenancyError, String>;

async fn add_scope(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
) -> Result<HttpResponse, Refused> {
    let name = form.some("scope_name").map(token_domain::access::ScopeDisplayName::parse).transpose();
    let asked = NewAccessScope {
        slug: Slug::parse(form.text("slug")).map_err(|error| Err(format!("The short name {error}.")))?,
        name: name.map_err(|error| Err(format!("The name {error}.")))?,
        description: None,
        metadata: None,
        is_active: true,
    };
    let ground = ground(request, visitor).map_err(|_| Ok(TenancyError::NotFound))?;
    services.access_scopes.create(ground, asked, &visitor.origin).await.map_err(Ok)?;
    Ok(to_saying(request, request.path(), Tone::Done, "The access scope was created. Add actors to it."))
}

async fn add_actor(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
) -> Result<HttpResponse, Refused> {
    let place = form.some("access_scope").map(AccessScopeId::parse).transpose();
    let asked = NewActor {
        name: ActorName::parse(form.raw("actor_name")).map_err(|error| Err(format!("The name {error}.")))?,
        actor_type: ActorType::parse(form.text("kind"))
            .ok_or_else(|| Err("Choose the type of the actor.".to_owned()))?,
        description: None,
        external_id: None,
        metadata: None,
        expires_at: None,
        access_scope_id: place.map_err(|_| Err("Choose an access scope of this project.".to_owned()))?,
        scopes: None,
    };
    let ground = ground(request, visitor).map_err(|_| Ok(TenancyError::NotFound))?;
    let made = services.actors.create(ground, asked, &visitor.origin).await.map_err(Ok)?;
    let secret = made.secret.expose().to_owned();
    Ok(ok(&SecretPage {
        page: Layout::of(request, visitor, Section::Projects, "Copy the secret"),
        heading: "The actor was created".to_owned(),
        name: made.actor.name.to_string(),
        snippets: snippets(&secret),
        secret,
        warnings: Vec::new(),
        next: request.path().to_owned(),
        after: String::new(),
    }))
}
