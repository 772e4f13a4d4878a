//! A forgotten password: requesting a message, and choosing a new password where the link in it leads.
//!
//! The code is in the fragment of the link, as that of an invitation is. What is answered to a request is the same for every
//! address.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::password_resets::ResetError;
use authority::people::NewPassword;
use token_domain::text::Email;
use zeroize::Zeroizing;

use crate::answer::{Answer, Tone, UNAVAILABLE, either, ok, page, to_saying, too_many};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::visit::{origin, own_form};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(request_shown).service(request_posted).service(choice_shown).service(choice_posted);
}

#[derive(Template)]
#[template(path = "request_password.html")]
struct RequestPage {
    page: Layout,
    /// Whether this deployment sends mail.
    sends_mail: bool,
    /// The address that a request was made for; empty until then.
    requested: String,
    email: String,
    problem: String,
}

#[derive(Template)]
#[template(path = "choose_password.html")]
struct ChoicePage {
    page: Layout,
    min_chars: usize,
    code: String,
    problem: String,
}

impl RequestPage {
    fn new(request: &HttpRequest, services: &Services, email: &str, problem: String) -> Self {
        Self {
            page: Layout::anonymous(request, "Forgot password"),
            sends_mail: services.password_resets.is_available(),
            requested: String::new(),
            email: email.to_owned(),
            problem,
        }
    }
}

#[get("/password-reset/request")]
async fn request_shown(request: HttpRequest, services: Services) -> HttpResponse {
    ok(&RequestPage::new(&request, &services, Form::query(&request).text("email"), String::new()))
}

#[post("/password-reset/request")]
async fn request_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(ask(&request, &services, &body).await)
}

async fn ask(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let form = own_form(request, services, body)?;
    let address = form.text("email");
    let show = |status, problem: String| page(status, &RequestPage::new(request, services, address, problem));
    let email = Email::parse(address)
        .map_err(|error| show(StatusCode::UNPROCESSABLE_ENTITY, format!("The address {error}.")))?;
    match services.password_resets.request(&email, &origin(request)).await {
        Ok(()) => {
            let shown = RequestPage::new(request, services, "", String::new());
            Ok(ok(&RequestPage { requested: email.to_string(), ..shown }))
        }
        Err(error) => Err(refused(error, show)),
    }
}

#[get("/password-reset")]
async fn choice_shown(request: HttpRequest, services: Services) -> HttpResponse {
    ok(&choice(&request, &services, "", String::new()))
}

#[post("/password-reset")]
async fn choice_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(choose(&request, &services, &body).await)
}

fn choice(request: &HttpRequest, services: &Services, code: &str, problem: String) -> ChoicePage {
    ChoicePage {
        page: Layout::anonymous(request, "New password"),
        min_chars: services.context.policy().password_min_chars,
        code: code.to_owned(),
        problem,
    }
}

async fn choose(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let form = own_form(request, services, body)?;
    let show = |status, problem: String| page(status, &choice(request, services, form.text("code"), problem));
    let password = Zeroizing::new(form.raw("new_password").to_owned());
    let password = NewPassword::new(password)
        .map_err(|error| show(StatusCode::UNPROCESSABLE_ENTITY, format!("The new password {error}.")))?;
    match services.password_resets.confirm(form.text("code"), password, &origin(request)).await {
        Ok(()) => Ok(to_saying(
            request,
            "/sign-in",
            Tone::Done,
            "Your password is set, and you are signed out everywhere. Sign in with the new password.",
        )),
        Err(error) => Err(refused(error, show)),
    }
}

/// The form again, with what is wrong and what to do about it.
fn refused(error: ResetError, show: impl FnOnce(StatusCode, String) -> HttpResponse) -> HttpResponse {
    let text = match error {
        ResetError::NoMail => "This service sends no mail. Ask its operator for a new password.".to_owned(),
        // `Refused`: overtaken by another change of the account, after which the code is not valid either.
        ResetError::InvalidCode | ResetError::Refused(_) => {
            "The code is wrong, used or expired. Use the latest message, or request another one.".to_owned()
        }
        ResetError::Weak(error) => format!("The new password {error}."),
        ResetError::TooMany(wait) => {
            return too_many(wait, |text| show(StatusCode::TOO_MANY_REQUESTS, text.to_owned()));
        }
        ResetError::Failed(failure) => {
            tracing::warn!(%failure, "a password could not be reset: internal error or unavailable database");
            return show(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned());
        }
    };
    show(StatusCode::UNPROCESSABLE_ENTITY, text)
}
