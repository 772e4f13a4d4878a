//! Setting up an empty deployment: its first organisation and the person who owns it.
//!
//! The set-up code is in the fragment of the link, which browsers do not send. The script copies it into the form;
//! without JavaScript the person types it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::people::NewPassword;
use authority::setup::{SetupError, SetupRequest};
use token_domain::text::{Email, Name, Slug};
use zeroize::Zeroizing;

use crate::answer::{Answer, UNAVAILABLE, either, ok, page};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::visit::{origin, own_form};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(shown).service(posted);
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    page: Layout,
    /// Whether the deployment is already set up.
    is_done: bool,
    min_chars: usize,
    code: String,
    organization: String,
    name: String,
    email: String,
    problem: String,
}

/// The form. It is shown also when the database cannot say whether set-up is due: sending it then reports the error.
#[get("/setup")]
async fn shown(request: HttpRequest, services: Services) -> HttpResponse {
    match services.awaits_setup().await {
        Ok(false) => ok(&SetupPage::done(&request, &services, String::new())),
        Ok(true) | Err(_) => ok(&SetupPage::new(&request, &services, &Form::default(), String::new())),
    }
}

#[post("/setup")]
async fn posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(set_up(&request, &services, &body).await)
}

async fn set_up(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let form = own_form(request, services, body)?;
    let show = |status, problem: String| page(status, &SetupPage::new(request, services, &form, problem));
    if matches!(services.awaits_setup().await, Ok(false)) {
        return Err(page(StatusCode::CONFLICT, &SetupPage::done(request, services, String::new())));
    }
    let asked = read(&form).map_err(|problem| show(StatusCode::UNPROCESSABLE_ENTITY, problem))?;
    let organization = asked.slug.to_string();
    let code = Zeroizing::new(form.text("code").to_owned());
    let pending = services.pending_setup.0.as_ref();
    match services.setup.run_with_code(pending, &code, asked, &origin(request)).await {
        Ok(_) => Ok(ok(&SetupPage::done(request, services, organization))),
        Err(SetupError::AlreadyDone) => {
            Err(page(StatusCode::CONFLICT, &SetupPage::done(request, services, String::new())))
        }
        Err(SetupError::WrongCode) => Err(show(
            StatusCode::FORBIDDEN,
            "The set-up code is wrong. Each server prints its own code at start, which works once.".to_owned(),
        )),
        Err(SetupError::Weak(error)) => Err(show(StatusCode::UNPROCESSABLE_ENTITY, format!("The password {error}."))),
        Err(SetupError::Failed(failure)) => {
            tracing::warn!(%failure, "the set-up failed: internal error or unavailable database");
            Err(show(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned()))
        }
    }
}

fn read(form: &Form) -> Result<SetupRequest, String> {
    Ok(SetupRequest {
        slug: Slug::parse(form.text("organization")).map_err(|error| format!("The organisation {error}."))?,
        organization_name: None,
        email: Email::parse(form.text("email")).map_err(|error| format!("The e-mail address {error}."))?,
        person_name: form.some("name").map(Name::parse).transpose().map_err(|error| format!("Your name {error}."))?,
        password: NewPassword::new(Zeroizing::new(form.raw("password").to_owned()))
            .map_err(|error| format!("The password {error}."))?,
    })
}

impl SetupPage {
    /// The form, with what was typed. The code is repeated: it opens nothing once the form was accepted.
    fn new(request: &HttpRequest, services: &Services, form: &Form, problem: String) -> Self {
        Self {
            page: Layout::anonymous(request, "Set up"),
            is_done: false,
            min_chars: services.context.policy().password_min_chars,
            code: form.text("code").to_owned(),
            organization: form.text("organization").to_owned(),
            name: form.raw("name").to_owned(),
            email: form.text("email").to_owned(),
            problem,
        }
    }

    /// What there is to say afterwards; with the organisation to the one who made it.
    fn done(request: &HttpRequest, services: &Services, organization: String) -> Self {
        Self { is_done: true, organization, ..Self::new(request, services, &Form::default(), String::new()) }
    }
}
