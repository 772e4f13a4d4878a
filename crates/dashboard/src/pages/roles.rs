//! Roles: the four that are built in, and those the organisation made, as a grid of scopes.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::organizations::OrganizationError;
use authority::roles::{NewRole, Role};
use token_domain::person::RoleRef;
use token_domain::role::RoleName;
use token_domain::token::Kind;

use super::members::{explain, failed, role_of, seat};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::scopes::{self, Group};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(roles_shown).service(roles_posted);
}

#[derive(Clone, Debug)]
struct RoleLine {
    id: String,
    name: String,
    description: String,
    scopes: Vec<String>,
    is_built_in: bool,
}

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    page: Layout,
    roles: Vec<RoleLine>,
    may_write: bool,
    groups: Vec<Group>,
    name: String,
    problem: String,
}

#[get("/roles")]
async fn roles_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_roles(&request, &services).await)
}

async fn show_roles(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "roles:read")?;
    let template = roles_page(request, services, &visitor, &Form::default(), String::new()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn roles_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<RolesPage, HttpResponse> {
    let found =
        services.roles.list(&seat(request, visitor)?).await.map_err(|error| failed(request, visitor, &error))?;
    let catalogue = services.context.catalogue();
    let line = |role: Role| match role {
        Role::BuiltIn(role) => {
            let entry = catalogue.role(role.as_str());
            RoleLine {
                id: role.as_str().to_owned(),
                name: role.as_str().to_owned(),
                description: entry.map(|entry| entry.description.clone()).unwrap_or_default(),
                scopes: entry
                    .map(|entry| entry.scopes.iter().map(|id| catalogue.name(*id).to_string()).collect())
                    .unwrap_or_default(),
                is_built_in: true,
            }
        }
        Role::Custom(role) => RoleLine {
            id: role.id.to_string(),
            name: role.name.to_string(),
            description: String::new(),
            scopes: role.scopes,
            is_built_in: false,
        },
    };
    Ok(RolesPage {
        page: Layout::of(request, visitor, Section::People, "Roles"),
        roles: found.into_iter().map(line).collect(),
        may_write: visitor.may("roles:write"),
        groups: scopes::groups(catalogue, Kind::Personal, visitor.caller.effective, &form.all("scope")),
        name: form.raw("name").to_owned(),
        problem,
    })
}

#[post("/roles")]
async fn roles_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "roles:write")?;
    let seat = seat(request, &visitor)?;
    if form.is_restored() {
        return Ok(ok(&roles_page(request, services, &visitor, &form, String::new()).await?));
    }
    if let Some(id) = form.some("delete") {
        let Some(role @ RoleRef::Custom(_)) = role_of(id) else { return Err(visitor.not_found(request)) };
        return match services.roles.delete(&seat, role, &visitor.origin).await {
            Ok(()) => Ok(to_saying(
                request,
                "/roles",
                Tone::Done,
                "The role was deleted. Members who had it are viewers now.",
            )),
            Err(OrganizationError::Failed(failure)) => Err(visitor.failed(request, &failure)),
            Err(error) => Ok(to_saying(request, "/roles", Tone::Problem, &explain(&error))),
        };
    }
    let problem = match RoleName::parse(form.raw("name")) {
        Err(error) => format!("The name {error}."),
        Ok(name) => {
            let asked = NewRole { name, scopes: form.all("scope") };
            match services.roles.create(&seat, asked, &visitor.origin).await {
                Ok(role) => {
                    let text = format!("The role {} was created. Assign it to people on their pages.", role.name);
                    return Ok(to_saying(request, "/roles", Tone::Done, &text));
                }
                Err(OrganizationError::Failed(failure)) => return Err(visitor.failed(request, &failure)),
                Err(error) => explain(&error),
            }
        }
    };
    let template = roles_page(request, services, &visitor, &form, problem).await?;
    Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
}
