//! Setting up an empty deployment: its first organisation and the person who owns it.
//!
//! The code travels in the fragment of the link, which browsers send to nobody. The script puts it into the form; without
//! JavaScript a person does.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::people::NewPassword;
use authority::setup::{SetupError, SetupRequest};
use token_domain::text::{Email, Name, Slug};
use zeroize::Zeroizing;

use crate::answer::{Answer, Tone, either, ok, page, to_saying};
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
    /// Whether somebody has done it.
    is_done: bool,
    code: String,
    organization: String,
    name: String,
    email: String,
    problem: String,
}

/// The form. While it cannot be known whether it is due it is shown: sending it tells.
#[get("/setup")]
async fn shown(request: HttpRequest, services: Services) -> HttpResponse {
    let is_done = matches!(services.setup.is_due().await, Ok(false));
    ok(&setup_page(&request, &Form::default(), is_done, String::new()))
}

#[post("/setup")]
async fn posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(set_up(&request, &services, &body).await)
}

async fn set_up(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let form = own_form(request, services, body)?;
    let again = |status, problem: String| page(status, &setup_page(request, &form, false, problem));
    let asked = read(&form).map_err(|problem| again(StatusCode::UNPROCESSABLE_ENTITY, problem))?;
    let (slug, email) = (asked.slug.to_string(), asked.email.to_string());
    let code = Zeroizing::new(form.text("code").to_owned());
    let pending = services.pending_setup.0.as_ref();
    match services.setup.run_with_code(pending, &code, asked, &origin(request)).await {
        Ok(_) => {
            let query = serde_urlencoded::to_string([("email", email)]).unwrap_or_default();
            let said = format!("{slug} is ready. Sign in to make its first token.");
            Ok(to_saying(request, &format!("/sign-in?{query}"), Tone::Done, &said))
        }
        Err(SetupError::AlreadyDone) => {
            Err(page(StatusCode::CONFLICT, &setup_page(request, &form, true, String::new())))
        }
        Err(SetupError::WrongCode) => {
            let empty = Form::of(form.kept());
            let problem = "The set-up code is wrong. Each start of the server prints a new one, which is good once.";
            Err(page(StatusCode::FORBIDDEN, &setup_page(request, &empty, false, problem.to_owned())))
        }
        Err(SetupError::Weak(error)) => Err(again(StatusCode::UNPROCESSABLE_ENTITY, format!("The password {error}."))),
        Err(SetupError::Failed(failure)) => {
            tracing::warn!(%failure, "the set-up failed for a reason of the server");
            let problem = "The service cannot answer at this moment. Try again in a few seconds.";
            Err(again(StatusCode::SERVICE_UNAVAILABLE, problem.to_owned()))
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

fn setup_page(request: &HttpRequest, form: &Form, is_done: bool, problem: String) -> SetupPage {
    SetupPage {
        page: Layout::anonymous(request, "Set up"),
        is_done,
        code: form.text("code").to_owned(),
        organization: form.text("organization").to_owned(),
        name: form.raw("name").to_owned(),
        email: form.text("email").to_owned(),
        problem,
    }
}
