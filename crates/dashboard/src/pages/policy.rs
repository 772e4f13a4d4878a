//! The token policy: the rules for an organisation's tokens, with a preview before they are set.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::policies::{AskedRule, Counts, PolicyError, PreviewRequest};
use token_domain::Span;
use token_domain::policy::{AllowedScopes, KindRule, Making};
use token_domain::token::Kind;

use super::tokens::{Line, Names};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(show_policy).service(policy_posted);
}

/// The rule for one kind of token, as form fields.
#[derive(Clone, Debug)]
struct RuleFields {
    kind: &'static str,
    label: &'static str,
    is_permitted: bool,
    /// False for actors' tokens, which end with their actor.
    has_lifetime: bool,
    default_days: String,
    longest_days: String,
    idle_days: String,
    scopes: String,
}

/// What setting the policy would change.
#[derive(Clone, Debug)]
struct Effect {
    text: String,
    parts: Vec<String>,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    page: Layout,
    rules: Vec<RuleFields>,
    may_write: bool,
    effect: Option<Effect>,
    hit: Vec<Line>,
    problem: String,
}

#[get("/settings/policy")]
async fn show_policy(request: HttpRequest, services: Services) -> HttpResponse {
    either(in_force(&request, &services).await)
}

async fn in_force(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "org:read")?;
    let found = services.policies.get(&visitor.caller, visitor.caller.organization_id).await;
    let found = found.map_err(|error| failed(request, &visitor, &error))?;
    let catalogue = services.context.catalogue();
    let fields = |kind: Kind| {
        let rule = found.rules.get(kind.as_str()).map(|(_, rule)| rule.clone()).unwrap_or_default();
        let days = |span: Option<Span>| span.map(|span| span.as_days().to_string()).unwrap_or_default();
        RuleFields {
            is_permitted: rule.making == Making::Permitted,
            default_days: days(rule.default_lifetime),
            longest_days: days(rule.longest_lifetime),
            idle_days: days(rule.idle_after),
            scopes: match &rule.scopes {
                AllowedScopes::Any => String::new(),
                AllowedScopes::Only(grants) => grants.names(catalogue).join(" "),
            },
            ..blank(kind)
        }
    };
    let layout = Layout::of(request, &visitor, Section::Settings, "Token policy");
    let template = PolicyPage {
        rules: Kind::ALL.into_iter().map(fields).collect(),
        may_write: visitor.may("org:write"),
        effect: None,
        hit: Vec::new(),
        problem: String::new(),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

fn blank(kind: Kind) -> RuleFields {
    RuleFields {
        kind: kind.as_str(),
        label: match kind {
            Kind::Organization => "Tokens of the organisation",
            Kind::Personal => "Personal keys",
            Kind::Actor => "Tokens of actors",
        },
        is_permitted: true,
        has_lifetime: kind != Kind::Actor,
        default_days: String::new(),
        longest_days: String::new(),
        idle_days: String::new(),
        scopes: String::new(),
    }
}

fn failed(request: &HttpRequest, visitor: &Visitor, error: &PolicyError) -> HttpResponse {
    match error {
        PolicyError::NotFound => visitor.not_found(request),
        PolicyError::Failed(failure) => visitor.failed(request, failure),
        PolicyError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &format!("{other}.")),
    }
}

fn read(form: &Form) -> Result<Vec<AskedRule>, String> {
    let mut asked = Vec::new();
    for kind in Kind::ALL {
        let field = |name: &str| format!("{}.{name}", kind.as_str());
        let days = |name: &str, what: &str| match form.some(&field(name)) {
            None => Ok(None),
            Some(text) => match text.parse::<u32>() {
                Ok(days @ 1..=36_500) => Ok(Some(Span::days(days))),
                Ok(_) | Err(_) => Err(format!("{what} must be a number of days from 1 to 36500, or empty.")),
            },
        };
        let rule = KindRule {
            making: if form.has(&field("permitted")) { Making::Permitted } else { Making::Forbidden },
            default_lifetime: days("default", "The default lifetime")?,
            longest_lifetime: days("longest", "The maximum lifetime")?,
            idle_after: days("idle", "Unused for")?,
            scopes: AllowedScopes::Any,
        };
        if let (Some(usual), Some(longest)) = (rule.default_lifetime, rule.longest_lifetime)
            && usual.as_micros() > longest.as_micros()
        {
            return Err("The default lifetime must not be longer than the maximum lifetime.".to_owned());
        }
        let scopes = form.some(&field("scopes"));
        let scopes = scopes.map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        if rule != KindRule::default() || scopes.is_some() {
            asked.push(AskedRule { kind, rule, scopes });
        }
    }
    Ok(asked)
}

fn typed(form: &Form) -> Vec<RuleFields> {
    let fields = |kind: Kind| {
        let text = |name: &str| form.raw(&format!("{}.{name}", kind.as_str())).to_owned();
        RuleFields {
            is_permitted: form.has(&format!("{}.permitted", kind.as_str())),
            default_days: text("default"),
            longest_days: text("longest"),
            idle_days: text("idle"),
            scopes: text("scopes"),
            ..blank(kind)
        }
    };
    Kind::ALL.into_iter().map(fields).collect()
}

#[post("/settings/policy")]
async fn policy_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "org:write")?;
    let organization = visitor.caller.organization_id;
    let base = || PolicyPage {
        page: Layout::of(request, &visitor, Section::Settings, "Token policy"),
        rules: typed(&form),
        may_write: true,
        effect: None,
        hit: Vec::new(),
        problem: String::new(),
    };
    let refused = |problem: String| page(StatusCode::UNPROCESSABLE_ENTITY, &PolicyPage { problem, ..base() });
    if form.is_restored() {
        return Ok(ok(&base()));
    }
    let rules = read(&form).map_err(refused)?;
    if form.has("_set") {
        return match services.policies.set(&visitor.caller, organization, rules, &visitor.origin).await {
            Ok(_) => {
                Ok(to_saying(request, "/settings/policy", Tone::Done, "The policy is in force from the next request."))
            }
            Err(PolicyError::Scopes(_, error)) => Err(refused(format!("The scopes {error}."))),
            Err(error) => Err(failed(request, &visitor, &error)),
        };
    }
    let asked = PreviewRequest { rules, limit: 20, after: None };
    let preview = match services.policies.preview(&visitor.caller, organization, asked).await {
        Ok(preview) => preview,
        Err(PolicyError::Scopes(_, error)) => return Err(refused(format!("The scopes {error}."))),
        Err(error) => return Err(failed(request, &visitor, &error)),
    };
    let names = Names::read(&visitor, services).await;
    let hit = preview.tokens.iter().map(|examined| Line::new(&examined.token, &names, visitor.now)).collect();
    Ok(ok(&PolicyPage { effect: Some(effect(&preview.counts)), hit, ..base() }))
}

fn effect(counts: &Counts) -> Effect {
    let examined = show::count(counts.examined, "valid token");
    let text = match counts.hit {
        0 => format!("None of {examined} would be affected."),
        hit => format!("{} of {examined} would be affected.", show::number(hit)),
    };
    let parts = [
        (counts.idle, "would stop being valid at once: unused for too long"),
        (counts.lifetime, "would get a shorter lifetime at the next rotation"),
        (counts.scopes, "could not be rotated: scopes not allowed"),
        (counts.kind, "could not be rotated: kind not allowed"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    Effect { text, parts: parts.map(|(count, what)| format!("{} {what}", show::number(count))).collect() }
}
