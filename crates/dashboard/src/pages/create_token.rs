//! Creating a token: a form that links and presets can fill in, a sentence about what the token will permit, and the
//! page that shows the secret once.
//!
//! The form carries a nonce that is the request's idempotency key. A form sent twice, by a double click, Reload or
//! Back, creates one token, and the secret is shown the first time only.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::Refused;
use authority::records::{Listing, TokenDetails};
use authority::tokens::{Idempotency, IssueRequest, Issued, KeyRequest, TokenError};
use token_domain::access::{Description, ExternalId, OrderBy, Paging};
use token_domain::id::ProjectId;
use token_domain::policy::AllowedScopes;
use token_domain::text::{AgentType, Name};
use token_domain::token::{AllowedNetworks, Lifetime};
use token_domain::{Span, Timestamp};

use super::proof;
use super::token_list::day;
use super::tokens::{Area, explain, failed, nonce};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::Layout;
use crate::scopes::{self, Group};
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(new_token).service(new_key).service(create_token).service(create_key);
}

/// A choice of expiry.
#[derive(Clone, Debug)]
struct Ending {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

/// A preset of the form.
#[derive(Clone, Debug)]
struct Preset {
    href: String,
    is_chosen: bool,
    name: String,
    description: String,
}

/// A project to choose.
#[derive(Clone, Debug)]
pub(super) struct ProjectChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "create_token.html")]
struct CreatePage {
    page: Layout,
    base: &'static str,
    noun: &'static str,
    is_key: bool,
    /// The address of the form for the other kind of owner; empty for people who may not create such a token.
    other: &'static str,
    presets: Vec<Preset>,
    groups: Vec<Group>,
    unknown: Vec<String>,
    warnings: Vec<String>,
    endings: Vec<Ending>,
    date: String,
    longest: String,
    name: String,
    description: String,
    agent_type: String,
    external_id: String,
    networks: String,
    address: String,
    projects: Vec<ProjectChoice>,
    sentence: String,
    problem: String,
    field: &'static str,
    nonce: String,
}

/// A line to paste, with the secret filled in.
#[derive(Clone, Debug)]
pub(super) struct Snippet {
    pub(super) label: &'static str,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "secret.html")]
pub(super) struct SecretPage {
    pub(super) page: Layout,
    pub(super) heading: String,
    pub(super) name: String,
    pub(super) secret: String,
    pub(super) snippets: Vec<Snippet>,
    pub(super) warnings: Vec<String>,
    pub(super) next: String,
    pub(super) after: String,
}

const ENDINGS: [(&str, &str, Option<u32>); 6] = [
    ("7d", "7 days", Some(7)),
    ("30d", "30 days", Some(30)),
    ("90d", "90 days", Some(90)),
    ("365d", "1 year", Some(365)),
    ("date", "On a date", None),
    ("never", "Never", None),
];

#[get("/tokens/new")]
async fn new_token(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_form(&request, &services).await)
}

#[get("/keys/new")]
async fn new_key(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_form(&request, &services).await)
}

#[post("/tokens/new")]
async fn create_token(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(create(&request, &services, &body).await)
}

#[post("/keys/new")]
async fn create_key(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(create(&request, &services, &body).await)
}

async fn show_form(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, Area::of(request).managing())?;
    let form = filled(&Form::query(request), request, services, &visitor).await?;
    Ok(ok(&form_page(request, services, &visitor, &form, Flaw::NONE).await?))
}

/// The form, filled in from a link, a preset or another token. A GET request never creates a token.
async fn filled(
    query: &Form,
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
) -> Result<Form, HttpResponse> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    for name in ["name", "description", "agent_type", "external_id", "expires", "date", "project_id", "networks"] {
        if let Some(value) = query.some(name) {
            set(name, value);
        }
    }
    let listed = query.all("scopes").join(",") + "," + &query.all("scope").join(",");
    for scope in listed.split([',', ' ']).filter(|scope| !scope.is_empty()) {
        set("scope", scope);
    }
    let catalogue = services.context.catalogue();
    if let Some(preset) = catalogue.presets().iter().find(|preset| preset.name == query.text("preset")) {
        for scope in &preset.scopes {
            set("scope", catalogue.name(*scope).as_str());
        }
        if query.some("name").is_none() {
            set("name", &preset.name);
        }
        set("expires", "90d");
        set("preset", &preset.name);
    }
    if let Some(id) = query.some("like").and_then(|id| token_domain::id::TokenId::parse(id).ok()) {
        let like = match Area::of(request) {
            Area::Organization => services.tokens.get(&visitor.caller, id).await,
            Area::Own => services.tokens.key(&visitor.caller, id).await,
        };
        let like = like.map_err(|error| failed(request, visitor, &error))?;
        set("name", like.name.as_str());
        set("agent_type", like.agent_type.as_str());
        set("description", like.details.description.as_ref().map_or("", Description::as_str));
        set("external_id", like.details.external_id.as_ref().map_or("", ExternalId::as_str));
        set(
            "networks",
            &like.details.allowed_networks.as_ref().map(AllowedNetworks::names).unwrap_or_default().join("\n"),
        );
        if let Some(project) = like.project_id {
            set("project_id", &project.to_string());
        }
        // The link "Make a narrower successor" names the unused scopes.
        let without = query.all("without");
        for scope in like.scopes.iter().filter(|scope| !without.contains(scope)) {
            set("scope", scope);
        }
    }
    Ok(Form::of(fields))
}

/// What is wrong with a form, and in which field.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Flaw {
    pub(super) const NONE: Self = Self { field: "", text: String::new() };

    pub(super) fn of(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

async fn form_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    flaw: Flaw,
) -> Result<CreatePage, HttpResponse> {
    let area = Area::of(request);
    let catalogue = services.context.catalogue();
    let chosen = form.all("scope");
    let rules = services.policies.get(&visitor.caller, visitor.caller.organization_id).await;
    let rule = rules.ok().and_then(|in_force| in_force.rules.get(area.kind().as_str()).map(|(_, rule)| rule.clone()));
    let longest = rule.as_ref().and_then(|rule| rule.longest_lifetime);
    let allowed = |days: Option<u32>, value: &str| match (longest, days) {
        (Some(longest), Some(days)) => Span::days(days).as_micros() <= longest.as_micros(),
        (Some(_), None) => value != "never",
        (None, _) => true,
    };
    let wanted = form.some("expires").unwrap_or("90d");
    let endings: Vec<Ending> = ENDINGS
        .into_iter()
        .filter(|(value, _, days)| allowed(*days, value))
        .map(|(value, label, _)| Ending { value, label, is_chosen: value == wanted })
        .collect();
    let projects = projects(services, visitor, form.text("project_id")).await;
    let mut groups = scopes::groups(catalogue, area.kind(), visitor.caller.effective, &chosen);
    if let Some(AllowedScopes::Only(grants)) = rule.as_ref().map(|rule| &rule.scopes) {
        let covered =
            |name: &str| catalogue.find(name).is_some_and(|id| grants.effective().covers(&catalogue.expand([id])));
        for scope in groups.iter_mut().flat_map(|group| &mut group.scopes).filter(|scope| !covered(&scope.name)) {
            scope.held_by = String::from("none, because the token policy does not allow it");
        }
    }
    let known: Vec<String> = chosen.iter().filter(|name| catalogue.find(name).is_some()).cloned().collect();
    let warnings = catalogue.restore(&known).map(|grants| {
        let warnings = catalogue.warnings(&grants).into_iter();
        warnings.map(|(scope, needs)| format!("{scope} requires {}: choose it as well.", needs.join(", "))).collect()
    });
    let place = projects.iter().find(|project| project.is_chosen);
    let place = place.map(|project| format!(", in project {}", project.name)).unwrap_or_default();
    let until = match wanted {
        "7d" => ", for 7 days".to_owned(),
        "30d" => ", for 30 days".to_owned(),
        "90d" => ", for 90 days".to_owned(),
        "365d" => ", for a year".to_owned(),
        "never" => ", until it is revoked".to_owned(),
        "date" => day(form.text("date")).map(|end| format!(", until {}", show::date(end))).unwrap_or_default(),
        _ => String::new(),
    };
    let from = if form.some("networks").is_some() { "from the networks above" } else { "from anywhere" };
    let sentence = format!("{}{place}{until}, {from}.", scopes::permits(catalogue, &chosen));
    Ok(CreatePage {
        page: Layout::of(
            request,
            visitor,
            area.section(),
            match area {
                Area::Organization => "New token",
                Area::Own => "New key",
            },
        ),
        base: area.base(),
        noun: area.noun(),
        is_key: area == Area::Own,
        other: match area {
            Area::Organization if visitor.may(Area::Own.managing()) => "/keys/new",
            Area::Own if visitor.may(Area::Organization.managing()) => "/tokens/new",
            Area::Organization | Area::Own => "",
        },
        presets: catalogue
            .presets()
            .iter()
            .filter(|preset| preset.kinds.contains(&area.kind()))
            .map(|preset| Preset {
                href: format!("{}/new?preset={}", area.base(), preset.name.replace(' ', "+")),
                is_chosen: preset.name == form.text("preset"),
                name: preset.name.clone(),
                description: preset.description.clone(),
            })
            .collect(),
        groups,
        unknown: scopes::unknown(catalogue, &chosen),
        warnings: warnings.unwrap_or_default(),
        endings,
        date: form.text("date").to_owned(),
        longest: longest.map(show::span).unwrap_or_default(),
        name: form.raw("name").to_owned(),
        description: form.raw("description").to_owned(),
        agent_type: form.raw("agent_type").to_owned(),
        external_id: form.raw("external_id").to_owned(),
        networks: form.raw("networks").to_owned(),
        address: visitor.origin.client_ip.map(|address| address.to_string()).unwrap_or_default(),
        projects,
        sentence,
        problem: flaw.text,
        field: flaw.field,
        nonce: match form.some("_nonce") {
            Some(nonce) => nonce.to_owned(),
            None => nonce(services, request, visitor)?,
        },
    })
}

pub(super) async fn projects(services: &Services, visitor: &Visitor, chosen: &str) -> Vec<ProjectChoice> {
    let Ok(paging) = Paging::parse(None, Some("100")) else { return Vec::new() };
    let listing = Listing { order: OrderBy::default(), paging, search: None };
    if !visitor.may("projects:read") {
        return Vec::new();
    }
    let found = services.projects.list(&visitor.caller, visitor.caller.organization_id, listing).await;
    let choice = |project: authority::records::Project| ProjectChoice {
        is_chosen: project.id.to_string() == chosen,
        id: project.id.to_string(),
        name: project.name.to_string(),
    };
    found.map(|page| page.items.into_iter().map(choice).collect()).unwrap_or_default()
}

/// A form, parsed.
struct Asked {
    name: Name,
    scopes: Vec<String>,
    agent_type: AgentType,
    project_id: Option<ProjectId>,
    lifetime: Lifetime,
    details: TokenDetails,
    idempotency: Option<Idempotency>,
}

fn read(form: &Form, now: Timestamp) -> Result<Asked, Flaw> {
    let name = Name::parse(form.raw("name")).map_err(|error| Flaw::of("name", format!("The name {error}.")))?;
    let scopes = form.all("scope");
    if scopes.is_empty() {
        return Err(Flaw::of("scope", "Choose at least one scope."));
    }
    let lifetime = match form.text("expires") {
        "never" => Lifetime::Unlimited,
        "date" => {
            let end = day(form.text("date")).map_err(|text| Flaw::of("expires", text))?;
            if end <= now {
                return Err(Flaw::of("expires", "The expiry must be in the future."));
            }
            Lifetime::Until(end)
        }
        preset => match ENDINGS.into_iter().find(|(value, _, days)| *value == preset && days.is_some()) {
            Some((_, _, Some(days))) => Lifetime::For(Span::days(days)),
            _ => return Err(Flaw::of("expires", "Choose an expiry.")),
        },
    };
    let networks: Vec<&str> =
        form.text("networks").split([',', '\n', ' ', '\r']).map(str::trim).filter(|text| !text.is_empty()).collect();
    let allowed_networks = if networks.is_empty() {
        None
    } else {
        Some(
            AllowedNetworks::parse(&networks)
                .map_err(|error| Flaw::of("networks", format!("The networks {error}.")))?,
        )
    };
    let optional = |field: &'static str| form.some(field);
    let description = optional("description").map(Description::parse).transpose();
    let external_id = optional("external_id").map(ExternalId::parse).transpose();
    Ok(Asked {
        name,
        scopes,
        agent_type: AgentType::parse(form.text("agent_type"))
            .map_err(|error| Flaw::of("agent_type", format!("The agent type {error}.")))?,
        project_id: optional("project_id")
            .map(ProjectId::parse)
            .transpose()
            .map_err(|_| Flaw::of("project_id", "Choose a project of this organisation."))?,
        lifetime,
        details: TokenDetails {
            description: description.map_err(|error| Flaw::of("description", format!("The description {error}.")))?,
            external_id: external_id.map_err(|error| Flaw::of("external_id", format!("The holder {error}.")))?,
            metadata: None,
            allowed_networks,
        },
        idempotency: optional("_nonce").map(|nonce| Idempotency::new(nonce, b"dashboard form")),
    })
}

async fn create(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let area = Area::of(request);
    visitor.admit(request, area.managing())?;
    if form.is_restored() || form.has("_preview") {
        return Ok(ok(&form_page(request, services, &visitor, &form, Flaw::NONE).await?));
    }
    let asked = match read(&form, visitor.now) {
        Ok(asked) => asked,
        Err(flaw) => {
            let template = form_page(request, services, &visitor, &form, flaw).await?;
            return Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template));
        }
    };
    match issue(services, &visitor, area, asked).await {
        Ok(issued) => Ok(secret_page(request, &visitor, area, issued)),
        Err(TokenError::Replayed { token_id }) => {
            let path = format!("{}/{token_id}", area.base());
            let text = "This form was already submitted. The secret was shown then and cannot be shown again.";
            Ok(to_saying(request, &path, Tone::Problem, text))
        }
        Err(TokenError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(TokenError::Refused(Refused::ProofNeeded)) => Err(proof::ask(request, &visitor, &form)),
        Err(error) => {
            let field = match &error {
                TokenError::Scopes(_) | TokenError::Excess { .. } => "scope",
                TokenError::ExpiryPassed => "expires",
                TokenError::NoSuchProject => "project_id",
                _ => "form",
            };
            let template = form_page(request, services, &visitor, &form, Flaw::of(field, explain(&error))).await?;
            Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
        }
    }
}

async fn issue(services: &Services, visitor: &Visitor, area: Area, asked: Asked) -> Result<Issued, TokenError> {
    let Asked { name, scopes, agent_type, project_id, lifetime, details, idempotency } = asked;
    match area {
        Area::Organization => {
            let request = IssueRequest { name, scopes, agent_type, project_id, lifetime, details, idempotency };
            services.tokens.issue(&visitor.caller, request, &visitor.origin).await
        }
        Area::Own => {
            let scopes = Some(scopes);
            let request = KeyRequest { name, scopes, agent_type, project_id, lifetime, details, idempotency };
            services.tokens.issue_key(&visitor.caller, request, &visitor.origin).await
        }
    }
}

fn secret_page(request: &HttpRequest, visitor: &Visitor, area: Area, issued: Issued) -> HttpResponse {
    let secret = issued.secret.expose().to_owned();
    let warning = |(scope, needs): (String, Vec<String>)| format!("{scope} requires {}.", needs.join(", "));
    ok(&SecretPage {
        page: Layout::of(request, visitor, area.section(), "Copy the secret"),
        heading: format!("Your new {} is ready", area.noun()),
        name: issued.token.name.to_string(),
        snippets: snippets(&secret),
        secret,
        warnings: issued.warnings.into_iter().map(warning).collect(),
        next: format!("{}/{}", area.base(), issued.token.id),
        after: String::new(),
    })
}

/// Lines for the places where secrets are usually put.
pub(super) fn snippets(secret: &str) -> Vec<Snippet> {
    let snippet = |label, text: String| Snippet { label, text };
    vec![
        snippet("Shell", format!("export NLP_TOKEN={secret}")),
        snippet("GitHub Actions secret", format!("printf %s '{secret}' | gh secret set NLP_TOKEN")),
        snippet(
            "GitHub Actions step",
            "- name: Use the token\n  env:\n    NLP_TOKEN: ${{ secrets.NLP_TOKEN }}\n  run: curl -fsS -H \"Authorization: Bearer $NLP_TOKEN\" \
             https://your-service.example.com"
                .to_owned(),
        ),
        snippet("GitLab variable", format!("glab variable set NLP_TOKEN '{secret}' --masked")),
        snippet(".env", format!("NLP_TOKEN={secret}")),
        snippet("nginx", format!("proxy_set_header Authorization \"Bearer {secret}\";")),
        snippet("MCP client", format!("{{\"headers\": {{\"Authorization\": \"Bearer {secret}\"}}}}")),
    ]
}
