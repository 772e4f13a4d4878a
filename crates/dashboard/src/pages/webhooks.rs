//! Webhooks: the list, a new one, its secret once, what was sent, a test, sending again, switching off, deletion.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::records::{DeliveryError, DeliveryState, Webhook, WebhookDelivery};
use authority::webhooks::{EVENTS, MOST_WEBHOOKS, NewWebhook, WebhookEdit, WebhookError, WebhookSecret};
use authority::{Failure, Refused};
use token_domain::access::Description;
use token_domain::id::{DeliveryId, WebhookId};

use super::proof;
use super::tokens::Names;
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, Badge, When};
use crate::visit::{Visitor, explain_refused};

pub(super) fn register(config: &mut ServiceConfig) {
    // The fixed path first, or it would match that of one webhook.
    config.service(list_shown).service(new_shown).service(new_posted).service(one_shown).service(one_posted);
}

const LIST: &str = "/settings/webhooks";
/// Whoever may do this sees and changes webhooks.
const SCOPE: &str = "org:write";
/// Chips that a line of the list has at most.
const CHIPS: usize = 3;
/// Deliveries that a page shows.
const SHOWN: u32 = 20;

#[derive(Clone, Debug)]
struct WebhookLine {
    id: String,
    url: String,
    description: String,
    events: Vec<String>,
    more: usize,
    changed: When,
    badge: Badge,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct ListPage {
    page: Layout,
    webhooks: Vec<WebhookLine>,
    is_on: bool,
    is_full: bool,
}

#[derive(Clone, Debug)]
struct EventChoice {
    name: &'static str,
    text: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "create_webhook.html")]
struct CreatePage {
    page: Layout,
    /// The id that the webhook gets: a form that is sent twice makes one.
    once: String,
    url: String,
    description: String,
    events: Vec<EventChoice>,
    problem: String,
}

#[derive(Template)]
#[template(path = "webhook_secret.html")]
struct SecretPage {
    page: Layout,
    heading: &'static str,
    after: &'static str,
    url: String,
    secret: String,
    next: String,
}

#[derive(Clone, Debug)]
struct DeliveryLine {
    id: String,
    event: String,
    badge: Badge,
    queued: When,
    next: Option<When>,
    attempts: u32,
    answer: String,
    is_over: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    page: Layout,
    id: String,
    url: String,
    badge: Badge,
    description: String,
    events: Vec<String>,
    created: When,
    creator: String,
    previous_until: Option<String>,
    is_on: bool,
    is_enabled: bool,
    is_deleting: bool,
    warning: String,
    deliveries: Vec<DeliveryLine>,
    has_more: bool,
}

fn badge(webhook: &Webhook) -> Badge {
    let (tone, text) = match (webhook.is_enabled, webhook.gone_at, webhook.failures) {
        (false, Some(_), _) => ("dead", "Gone"),
        (false, None, _) => ("dead", "Off"),
        (true, _, 0) => ("good", "On"),
        (true, _, _) => ("warn", "Failing"),
    };
    Badge { tone, text: text.to_owned() }
}

/// What an error means, and what to do about it.
fn explain(error: &WebhookError) -> String {
    match error {
        WebhookError::TooMany => format!("The organisation already has the maximum of {MOST_WEBHOOKS} webhooks."),
        WebhookError::Off => "Webhooks are switched off in this deployment.".to_owned(),
        WebhookError::Disabled => "The webhook is switched off: switch it on first.".to_owned(),
        WebhookError::Refused(refused) => explain_refused(refused),
        WebhookError::NotFound | WebhookError::Made(_) | WebhookError::Confined | WebhookError::Failed(_) => {
            format!("{error}.")
        }
    }
}

fn failed(request: &HttpRequest, visitor: &Visitor, error: &WebhookError) -> HttpResponse {
    match error {
        WebhookError::NotFound => visitor.not_found(request),
        WebhookError::Failed(failure) => visitor.failed(request, failure),
        WebhookError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &explain(other)),
    }
}

#[get("/settings/webhooks")]
async fn list_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_list(&request, &services).await)
}

async fn show_list(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, SCOPE)?;
    let found = services.webhooks.list(&visitor.caller, visitor.caller.organization_id).await;
    let found = found.map_err(|error| failed(request, &visitor, &error))?;
    let line = |webhook: &Webhook| WebhookLine {
        id: webhook.id.to_string(),
        url: webhook.url.clone(),
        description: webhook.description.clone().unwrap_or_default(),
        events: webhook.events.iter().take(CHIPS).cloned().collect(),
        more: webhook.events.len().saturating_sub(CHIPS),
        changed: When::new(webhook.updated_at, visitor.now),
        badge: badge(webhook),
    };
    let template = ListPage {
        page: Layout::of(request, &visitor, Section::Settings, "Webhooks"),
        webhooks: found.iter().map(line).collect(),
        is_on: services.webhooks.is_on(),
        is_full: found.len() >= usize::try_from(MOST_WEBHOOKS).unwrap_or(usize::MAX),
    };
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

#[get("/settings/webhooks/new")]
async fn new_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_new(&request, &services).await)
}

async fn show_new(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, SCOPE)?;
    let usual = ["token.leaked", "token.reuse_detected"].map(|event| ("event".to_owned(), event.to_owned()));
    Ok(ok(&create_page(request, services, &visitor, &Form::of(usual.to_vec()), String::new())?))
}

fn create_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    problem: String,
) -> Result<CreatePage, HttpResponse> {
    let chosen = form.all("event");
    let fresh = || services.webhooks.fresh_id().map_err(|failure: Failure| visitor.failed(request, &failure));
    let once = match WebhookId::parse(form.text("once")) {
        Ok(id) => id,
        Err(_) => fresh()?,
    };
    Ok(CreatePage {
        page: Layout::of(request, visitor, Section::Settings, "New webhook"),
        once: once.to_string(),
        url: form.raw("url").to_owned(),
        description: form.raw("description").to_owned(),
        events: EVENTS
            .iter()
            .map(|(name, text)| EventChoice { name, text, is_chosen: chosen.iter().any(|one| one == name) })
            .collect(),
        problem,
    })
}

fn read(form: &Form, services: &Services) -> Result<NewWebhook, String> {
    let url = form.text("url");
    services.targets.check(url).map_err(|problem| format!("The URL {problem}."))?;
    let description = form.some("description").map(Description::parse).transpose();
    let description = description.map_err(|problem| format!("The description {problem}."))?;
    let chosen = form.all("event");
    let events: Vec<String> = EVENTS
        .iter()
        .filter(|(event, _)| chosen.iter().any(|one| one == event))
        .map(|(event, _)| (*event).to_owned())
        .collect();
    if events.is_empty() {
        return Err("Choose at least one event.".to_owned());
    }
    Ok(NewWebhook {
        once: WebhookId::parse(form.text("once")).ok(),
        url: url.to_owned(),
        description: description.map(|text| text.as_str().to_owned()),
        events,
        is_enabled: true,
    })
}

#[post("/settings/webhooks/new")]
async fn new_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(create(&request, &services, &body).await)
}

async fn create(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, SCOPE)?;
    if form.is_restored() {
        return Ok(ok(&create_page(request, services, &visitor, &form, String::new())?));
    }
    let problem = match read(&form, services) {
        Err(problem) => problem,
        Ok(asked) => {
            let organization = visitor.caller.organization_id;
            match services.webhooks.create(&visitor.caller, organization, asked, &visitor.origin).await {
                Ok((webhook, secret)) => {
                    return Ok(ok(&secret_page(request, &visitor, &webhook, &secret, "The webhook is created", "")));
                }
                Err(WebhookError::Made(id)) => {
                    let text = "The webhook was created already, and its secret is shown once. Make a new secret if you do not have it.";
                    return Ok(to_saying(request, &format!("{LIST}/{id}"), Tone::Problem, text));
                }
                Err(WebhookError::Refused(Refused::ProofNeeded)) => return Err(proof::ask(request, &visitor, &form)),
                Err(error @ (WebhookError::Failed(_) | WebhookError::NotFound)) => {
                    return Err(failed(request, &visitor, &error));
                }
                Err(error) => explain(&error),
            }
        }
    };
    Err(page(StatusCode::UNPROCESSABLE_ENTITY, &create_page(request, services, &visitor, &form, problem)?))
}

fn secret_page(
    request: &HttpRequest,
    visitor: &Visitor,
    webhook: &Webhook,
    secret: &WebhookSecret,
    heading: &'static str,
    after: &'static str,
) -> SecretPage {
    SecretPage {
        page: Layout::of(request, visitor, Section::Settings, heading),
        heading,
        after,
        url: webhook.url.clone(),
        secret: secret.text().as_str().to_owned(),
        next: format!("{LIST}/{}", webhook.id),
    }
}

#[get("/settings/webhooks/{webhook_id}")]
async fn one_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_one(&request, &services).await)
}

fn id_of(request: &HttpRequest, visitor: &Visitor) -> Result<WebhookId, HttpResponse> {
    let id = request.match_info().get("webhook_id").and_then(|id| WebhookId::parse(id).ok());
    id.ok_or_else(|| visitor.not_found(request))
}

/// What the last attempt came to.
fn answer(delivery: &WebhookDelivery) -> String {
    match (delivery.status, delivery.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(DeliveryError::AddressNotAllowed)) => "address not allowed".to_owned(),
        (None, Some(DeliveryError::NoAnswer)) => "no answer".to_owned(),
        (None, Some(DeliveryError::SecretUnavailable)) => "the secret cannot be read: make a new one".to_owned(),
        (None, Some(DeliveryError::WaitedTooLong)) => "waited too long".to_owned(),
        (None, None) => String::new(),
    }
}

async fn show_one(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, SCOPE)?;
    let id = id_of(request, &visitor)?;
    let (organization, now) = (visitor.caller.organization_id, visitor.now);
    let broken = |error| failed(request, &visitor, &error);
    let webhook = services.webhooks.get(&visitor.caller, organization, id).await.map_err(broken)?;
    let found = services.webhooks.deliveries(&visitor.caller, organization, id, None, SHOWN + 1).await;
    let mut found = found.map_err(broken)?;
    let has_more = found.len() > usize::try_from(SHOWN).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
    let names = Names::read(&visitor, services).await;
    let line = |delivery: &WebhookDelivery| {
        let (tone, text, next) = match delivery.state {
            DeliveryState::Pending(at) => ("info", "Pending", Some(When::new(at, now))),
            DeliveryState::Delivered(_) => ("good", "Delivered", None),
            DeliveryState::Failed(_) => ("dead", "Failed", None),
        };
        DeliveryLine {
            id: delivery.id.to_string(),
            event: delivery.event.clone(),
            badge: Badge { tone, text: text.to_owned() },
            queued: When::new(delivery.created_at, now),
            is_over: next.is_none(),
            next,
            attempts: delivery.attempts,
            answer: answer(delivery),
        }
    };
    let warning = match (webhook.is_enabled, webhook.gone_at, webhook.failures) {
        (false, Some(at), _) => {
            format!(
                "The endpoint answered on {} that it is gone for good, so the webhook was switched off.",
                show::exact(at)
            )
        }
        (true, _, failures) if failures > 0 => {
            let attempts = show::count(u64::from(failures), "attempt");
            format!("The last {attempts} failed. What waits is tried again.")
        }
        _ => String::new(),
    };
    let template = WebhookPage {
        page: Layout::of(request, &visitor, Section::Settings, "Webhook"),
        badge: badge(&webhook),
        created: When::new(webhook.created_at, now),
        creator: names.of(webhook.created_by),
        previous_until: webhook.previous_until.filter(|until| *until > now).map(show::exact),
        is_on: services.webhooks.is_on(),
        is_enabled: webhook.is_enabled,
        is_deleting: Form::query(request).has("deleting"),
        deliveries: found.iter().map(line).collect(),
        id: id.to_string(),
        url: webhook.url,
        description: webhook.description.unwrap_or_default(),
        events: webhook.events,
        has_more,
        warning,
    };
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

#[post("/settings/webhooks/{webhook_id}")]
async fn one_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, SCOPE)?;
    let id = id_of(request, &visitor)?;
    if form.is_restored() {
        return Ok(to_saying(request, request.path(), Tone::Problem, "Nothing was changed."));
    }
    let (caller, origin, organization) = (&visitor.caller, &visitor.origin, visitor.caller.organization_id);
    let webhooks = &services.webhooks;
    let edit = |is_enabled| WebhookEdit { is_enabled: Some(is_enabled), ..WebhookEdit::default() };
    let (done, back, text) = match form.text("what") {
        "enable" => {
            let done = webhooks.edit(caller, organization, id, edit(true), origin).await.map(drop);
            (done, request.path(), "The webhook is switched on.")
        }
        "disable" => {
            let done = webhooks.edit(caller, organization, id, edit(false), origin).await.map(drop);
            (done, request.path(), "The webhook is switched off: nothing is sent to it.")
        }
        "test" => {
            let done = webhooks.test(caller, organization, id, origin).await.map(drop);
            (done, request.path(), "A test is on its way. Reload the page to see what became of it.")
        }
        "replay" => {
            let delivery = DeliveryId::parse(form.text("delivery")).map_err(|_| visitor.not_found(request))?;
            let done = webhooks.replay(caller, organization, id, delivery, origin).await.map(drop);
            (done, request.path(), "The event is sent again. Reload the page to see what became of it.")
        }
        "delete" => {
            let done = webhooks.delete(caller, organization, id, origin).await;
            (done, LIST, "The webhook is deleted.")
        }
        "rotate" => match webhooks.rotate_secret(caller, organization, id, origin).await {
            Ok((webhook, secret)) => {
                let after = "For 24 hours, what is sent is signed with the earlier secret as well.";
                return Ok(ok(&secret_page(
                    request,
                    &visitor,
                    &webhook,
                    &secret,
                    "The webhook has a new secret",
                    after,
                )));
            }
            Err(error) => (Err(error), request.path(), ""),
        },
        _ => return Err(visitor.not_found(request)),
    };
    match done {
        Ok(()) => Ok(to_saying(request, back, Tone::Done, text)),
        Err(WebhookError::NotFound) => {
            Ok(to_saying(request, LIST, Tone::Problem, "That webhook was deleted already, by somebody else."))
        }
        Err(WebhookError::Refused(Refused::ProofNeeded)) => Err(proof::ask(request, &visitor, &form)),
        Err(WebhookError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(error) => Ok(to_saying(request, request.path(), Tone::Problem, &explain(&error))),
    }
}
