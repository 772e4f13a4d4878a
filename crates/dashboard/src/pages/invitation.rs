//! Accepting an invitation, where the link in its message leads.
//!
//! The code is in the fragment of the link, as that of a set-up is. Somebody who is signed in accepts as that person, anybody
//! else by a password.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::invitations::{Acceptance, InvitationCode};
use authority::organizations::OrganizationError;
use token_domain::text::Name;
use zeroize::Zeroizing;

use super::members::explain;
use crate::answer::{Answer, UNAVAILABLE, either, ok, page, too_many};
use crate::form::Form;
use crate::layout::Layout;
use crate::services::Services;
use crate::visit::{Visitor, origin, own_form};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(shown).service(posted);
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    page: Layout,
    /// The organisation that was joined; empty until then.
    joined: String,
    /// The address of whoever is signed in; empty where nobody is.
    signed_in: String,
    min_chars: usize,
    code: String,
    name: String,
    problem: String,
}

#[get("/invitation")]
async fn shown(request: HttpRequest, services: Services) -> HttpResponse {
    let visitor = Visitor::enter(&request, &services).await.ok();
    ok(&InvitationPage::new(&request, &services, visitor.as_ref(), &Form::default(), String::new()))
}

#[post("/invitation")]
async fn posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(accept(&request, &services, &body).await)
}

async fn accept(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = match Visitor::enter(request, services).await {
        Ok(_) => {
            let (visitor, form) = Visitor::posted(request, services, body).await?;
            (Some(visitor), form)
        }
        Err(_) => (None, own_form(request, services, body)?),
    };
    let show = |status, problem: String| {
        page(status, &InvitationPage::new(request, services, visitor.as_ref(), &form, problem))
    };
    let Some(code) = InvitationCode::parse(form.text("code")) else {
        return Err(show(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The code begins with nli_ and is in the message.".to_owned(),
        ));
    };
    let name = form.some("name").map(Name::parse).transpose();
    let name = name.map_err(|error| show(StatusCode::UNPROCESSABLE_ENTITY, format!("Your name {error}.")))?;
    let password = form.raw("password");
    let acceptance = Acceptance {
        code,
        name,
        password: (!password.is_empty()).then(|| Zeroizing::new(password.to_owned())),
        caller: visitor.as_ref().map(|visitor| visitor.caller),
    };
    match services.invitations.accept(acceptance, &origin(request)).await {
        Ok(accepted) => {
            let joined = accepted.standing.organization.name.to_string();
            Ok(ok(&InvitationPage {
                joined,
                ..InvitationPage::new(request, services, visitor.as_ref(), &Form::default(), String::new())
            }))
        }
        Err(OrganizationError::Failed(failure)) => {
            tracing::warn!(%failure, "an invitation could not be accepted: internal error or unavailable database");
            Err(show(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned()))
        }
        Err(OrganizationError::TooMany(wait)) => {
            Err(too_many(wait, |text| show(StatusCode::TOO_MANY_REQUESTS, text.to_owned())))
        }
        Err(error) => Err(show(StatusCode::UNPROCESSABLE_ENTITY, problem(&error))),
    }
}

/// What is wrong, and what to do about it.
fn problem(error: &OrganizationError) -> String {
    let text = match error {
        OrganizationError::InvalidInvitation => {
            "This invitation is not valid: it was accepted, withdrawn or has expired. Ask for a new one."
        }
        OrganizationError::PasswordNeeded => "The password is missing.",
        OrganizationError::Password(error) => return format!("The password {error}."),
        OrganizationError::WrongPassword => "The password of your account is another one.",
        OrganizationError::SessionNeeded => "Sign in with your second factor, and open the link again.",
        OrganizationError::ForSomebodyElse => {
            "You are signed in with another address than the one that was invited: sign out, and open the link again."
        }
        OrganizationError::AlreadyMember => "You are a member already.",
        other => return explain(other),
    };
    text.to_owned()
}

impl InvitationPage {
    /// The form, with what was typed, but for the password.
    fn new(
        request: &HttpRequest,
        services: &Services,
        visitor: Option<&Visitor>,
        form: &Form,
        problem: String,
    ) -> Self {
        let csrf = visitor.map(|visitor| visitor.csrf.clone()).unwrap_or_default();
        Self {
            page: Layout { csrf, ..Layout::anonymous(request, "Invitation") },
            joined: String::new(),
            signed_in: visitor.map(|visitor| visitor.me.standing.user.email.to_string()).unwrap_or_default(),
            min_chars: services.context.policy().password_min_chars,
            code: form.text("code").to_owned(),
            name: form.raw("name").to_owned(),
            problem,
        }
    }
}
