//! Checking a token: which token a secret is, whether it is valid now, and scope by scope what it permits. A check does
//! not count as a use.

use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::records::Token;
use authority::tokens::TokenError;
use token_domain::ScopeSet;
use token_format::PlainToken;

use super::tokens::{Line, Names, failed};
use crate::answer::{Answer, either, ok};
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(check_shown).service(check_posted);
}

/// Whether a token permits one scope.
#[derive(Clone, Debug)]
struct Verdict {
    scope: String,
    description: String,
    is_allowed: bool,
    /// The required scopes that the token lacks; empty if it is allowed.
    missing: String,
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage {
    page: Layout,
    asked: bool,
    heading: &'static str,
    tone: &'static str,
    text: String,
    line: Option<Line>,
    networks: String,
    verdicts: Vec<Verdict>,
}

#[get("/check")]
async fn check_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show(&request, &services).await)
}

async fn show(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "tokens:read")?;
    Ok(ok(&blank(request, &visitor)))
}

fn blank(request: &HttpRequest, visitor: &Visitor) -> CheckPage {
    CheckPage {
        page: Layout::of(request, visitor, Section::Check, "Check a token"),
        asked: false,
        heading: "",
        tone: "info",
        text: String::new(),
        line: None,
        networks: String::new(),
        verdicts: Vec::new(),
    }
}

#[post("/check")]
async fn check_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(checked(&request, &services, &body).await)
}

async fn checked(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.check(request, "tokens:read")?;
    let page = CheckPage { asked: true, ..blank(request, &visitor) };
    let Ok(secret) = PlainToken::parse(form.text("token")) else {
        return Ok(ok(&CheckPage {
            heading: "This is not a token",
            tone: "dead",
            text: "A token is nlp_ and 40 letters or digits. Check that you copied all of it.".to_owned(),
            ..page
        }));
    };
    let token = match services.tokens.lookup(&visitor.caller, secret.expose()).await {
        Ok(token) => token,
        Err(TokenError::NotFound) => {
            let text = if secret.is_checksummed() {
                "The secret is well-formed, but no token of this organisation has it: it belongs to another organisation or was deleted."
            } else {
                "The checksum is wrong: a character is wrong or missing, or the secret was issued by another kind of service."
            };
            return Ok(ok(&CheckPage { heading: "Unknown token", tone: "dead", text: text.to_owned(), ..page }));
        }
        Err(error) => return Err(failed(request, &visitor, &error)),
    };
    let names = Names::read(&visitor, services).await;
    let is_live = token.facts.status(visitor.now).is_live();
    let (heading, tone, text) = if is_live {
        (
            "This token is valid",
            "good",
            format!("{}.", crate::scopes::permits(services.context.catalogue(), &token.scopes)),
        )
    } else {
        ("This token is not valid", "dead", "It is refused everywhere, whatever its scopes.".to_owned())
    };
    Ok(ok(&CheckPage {
        heading,
        tone,
        text,
        networks: token
            .details
            .allowed_networks
            .as_ref()
            .map(|networks| networks.names().join(", "))
            .unwrap_or_default(),
        verdicts: if is_live { verdicts(services, &token) } else { Vec::new() },
        line: Some(Line::new(&token, &names, visitor.now)),
        ..page
    }))
}

fn verdicts(services: &Services, token: &Token) -> Vec<Verdict> {
    let catalogue = services.context.catalogue();
    let granted = catalogue.restore(&token.scopes).map_or(ScopeSet::EMPTY, |grants| grants.effective());
    let verdict = |entry: &token_domain::scope::ScopeEntry| {
        let id = catalogue.find(entry.name.as_str())?;
        let missing = catalogue.require(id).check(&granted).err();
        let has_itself = granted.covers(&catalogue.expand([id]));
        // Leave out scopes that the token was not granted and that do not work; a granted scope that lacks what it
        // requires is shown.
        (missing.is_none() || has_itself).then(|| Verdict {
            scope: entry.name.to_string(),
            description: entry.description.clone(),
            is_allowed: missing.is_none(),
            missing: missing.map(|missing| catalogue.names(missing.0).join(", ")).unwrap_or_default(),
        })
    };
    catalogue.entries().iter().filter_map(verdict).collect()
}
