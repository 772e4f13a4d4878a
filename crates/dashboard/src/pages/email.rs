//! A person's e-mail address: requesting another one, verifying it by the code in the message, and which mail about tokens
//! is sent to it.
//!
//! The code is in the fragment of the link, as that of an invitation is.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::Refused;
use authority::notices::MailSettings;
use authority::people::PersonError;
use token_domain::text::Email;

use super::proof;
use super::settings::{Done, person};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(email_shown).service(email_posted);
}

#[derive(Template)]
#[template(path = "email.html")]
struct EmailPage {
    page: Layout,
    current: String,
    is_verified: bool,
    /// The address that waits to be verified; empty if there is none.
    verifying: String,
    /// Whether it was requested, so that a code was sent to it.
    is_requested: bool,
    /// Whether codes are mailed to requested addresses.
    sends_codes: bool,
    email: String,
    /// Which mail about tokens is sent; none if this deployment sends no mail.
    notices: Option<MailSettings>,
    problem: String,
}

impl EmailPage {
    async fn new(
        request: &HttpRequest,
        services: &Services,
        visitor: &Visitor,
        form: &Form,
        problem: String,
    ) -> Result<Self, HttpResponse> {
        let user = &visitor.me.standing.user;
        let sends_codes = services.context.policy().mail.is_some();
        let notices = if sends_codes {
            let settings = services.notices.get(&visitor.caller).await;
            Some(settings.map_err(|error| broken(request, visitor, error))?)
        } else {
            None
        };
        // Without mail, a person cannot verify their own address.
        let verifying = if sends_codes { user.unverified_email() } else { user.pending_email.as_ref() };
        Ok(Self {
            page: Layout::of(request, visitor, Section::Settings, "E-mail"),
            current: user.email.to_string(),
            is_verified: user.is_verified_by_deployment(),
            verifying: verifying.map(ToString::to_string).unwrap_or_default(),
            is_requested: user.pending_email.is_some(),
            sends_codes,
            email: form.text("email").to_owned(),
            notices,
            problem,
        })
    }
}

/// The page for an error that no form is about.
fn broken(request: &HttpRequest, visitor: &Visitor, error: PersonError) -> HttpResponse {
    match person(request, visitor, error) {
        Err(answer) => answer,
        Ok(_) => visitor.not_found(request),
    }
}

#[get("/settings/email")]
async fn email_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_email(&request, &services).await)
}

async fn show_email(request: &HttpRequest, services: &Services) -> Answer {
    let mut visitor = Visitor::enter(request, services).await?;
    visitor.admit(request, "user:write")?;
    let template = EmailPage::new(request, services, &visitor, &Form::default(), String::new()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

#[post("/settings/email")]
async fn email_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "user:write")?;
    let done = match if form.is_restored() { "" } else { form.text("what") } {
        "request" => ask(request, services, &visitor, &form, form.raw("email")).await?,
        "again" => ask(request, services, &visitor, &form, form.text("to")).await?,
        "verify" => verify(request, services, &visitor, &form).await?,
        "notices" => choose(request, services, &visitor, &form).await?,
        _ => Err(String::new()),
    };
    match done {
        Ok(text) => Ok(to_saying(request, "/settings/email", Tone::Done, &text)),
        Err(problem) => {
            let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            Err(page(status, &EmailPage::new(request, services, &visitor, &form, problem).await?))
        }
    }
}

/// As [`person`], but the form waits for a proof that is missing.
fn refused(request: &HttpRequest, visitor: &Visitor, form: &Form, error: PersonError) -> Done {
    match error {
        PersonError::Refused(Refused::ProofNeeded) => Err(proof::ask(request, visitor, form)),
        error => person(request, visitor, error),
    }
}

async fn ask(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form, address: &str) -> Done {
    let email = match Email::parse(address) {
        Ok(email) => email,
        Err(error) => return Ok(Err(format!("The address {error}."))),
    };
    match services.people.edit_me(&visitor.caller, None, Some(email.clone()), &visitor.origin).await {
        Ok(me) if me.standing.user.unverified_email().is_none() => Ok(Ok(format!("{email} is your address already."))),
        Ok(_) if services.context.policy().mail.is_some() => {
            Ok(Ok(format!("A code was sent to {email}. It is valid for a day.")))
        }
        Ok(_) => Ok(Ok(format!("{email} was requested."))),
        Err(error) => refused(request, visitor, form, error),
    }
}

async fn verify(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    match services.people.verify_email(&visitor.caller, form.text("code"), &visitor.origin).await {
        Ok(me) => Ok(Ok(format!("{} is verified.", me.standing.user.email))),
        Err(PersonError::WrongAddressCode) => {
            Ok(Err("The code is wrong, used or expired. Use the latest message, or have another code sent.".to_owned()))
        }
        Err(PersonError::AddressTaken) => {
            Ok(Err("Another account has this address. Sign in with that account, or ask your operator.".to_owned()))
        }
        Err(error) => refused(request, visitor, form, error),
    }
}

async fn choose(request: &HttpRequest, services: &Services, visitor: &Visitor, form: &Form) -> Done {
    let asked =
        MailSettings { token_expiring: form.has("token_expiring"), token_new_address: form.has("token_new_address") };
    match services.notices.set(&visitor.caller, asked, &visitor.origin).await {
        Ok(_) => Ok(Ok("Saved.".to_owned())),
        Err(error) => refused(request, visitor, form, error),
    }
}
