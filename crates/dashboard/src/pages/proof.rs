//! Re-authentication: the password or a code once more, before a change to how the person signs in. People who still
//! have to set up a second factor are let in.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::second_factors::{Evidence, SecondFactorError};
use zeroize::Zeroizing;

use super::sign_in::{kept_fields, local_path, proof};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::visit::{ResumePage, Visitor};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(proof_shown).service(proof_posted);
}

#[derive(Template)]
#[template(path = "proof.html")]
struct ProofPage {
    page: Layout,
    email: String,
    has_second_factor: bool,
    /// Whether the organisation takes the person's password.
    takes_password: bool,
    /// Where a sign-in at an identity provider begins that is a proof, and the provider's name.
    providers: Vec<(String, String)>,
    /// The path to continue at.
    next: String,
    /// The fields of the form that waits for the proof.
    kept: Vec<(String, String)>,
    problem: String,
}

/// The page that asks for a proof before a form is carried out. It carries the form's fields along.
pub(super) fn ask(request: &HttpRequest, visitor: &Visitor, form: &Form) -> HttpResponse {
    page(StatusCode::FORBIDDEN, &proof_page(request, visitor, request.path().to_owned(), form.kept(), ""))
}

#[get("/settings/proof")]
async fn proof_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_proof(&request, &services).await)
}

async fn show_proof(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter_to_enrol(request, services).await?;
    let next = local_path(Form::query(request).raw("next"));
    Ok(ok(&proof_page(request, &visitor, next, Vec::new(), "")))
}

fn proof_page(
    request: &HttpRequest,
    visitor: &Visitor,
    next: String,
    kept: Vec<(String, String)>,
    problem: &str,
) -> ProofPage {
    ProofPage {
        page: Layout::of(request, visitor, Section::Settings, "Confirm your identity"),
        email: visitor.me.standing.user.email.to_string(),
        has_second_factor: visitor.me.standing.second_factor_since.is_some(),
        takes_password: visitor.services.sso.takes_password(&visitor.me.standing),
        providers: visitor
            .services
            .providers(&next, Some(&visitor.me.standing.organization.slug))
            .into_iter()
            .map(|(path, name)| (path + "&fresh=1", name))
            .collect(),
        next,
        kept,
        problem: problem.to_owned(),
    }
}

#[post("/settings/proof")]
async fn proof_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(proven(&request, &services, &body).await)
}

async fn proven(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = Visitor::posted_to_enrol(request, services, body).await?;
    let next = local_path(form.raw("next"));
    let kept = kept_fields(&form);
    let again =
        |status, problem: &str| page(status, &proof_page(request, &visitor, next.clone(), kept.clone(), problem));
    let evidence = match form.some("code") {
        None => Evidence::Password(Zeroizing::new(form.raw("password").to_owned())),
        Some(text) => Evidence::Factor(proof(text).ok_or_else(|| {
            again(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Enter the six digits that your authenticator app shows, or a recovery code.",
            )
        })?),
    };
    match services.second_factors.prove_presence(&visitor.caller, evidence, &visitor.origin).await {
        Ok(_) if kept.is_empty() => {
            Ok(to_saying(request, &next, Tone::Done, "Your identity is confirmed. Send the form again."))
        }
        Ok(_) => Ok(ok(&ResumePage {
            page: Layout::of(request, &visitor, Section::Settings, "Continue"),
            action: next,
            kept,
            text: "Your identity is confirmed. Your input is kept: continue with the form.",
        })),
        Err(SecondFactorError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(SecondFactorError::Refused(refused)) => Err(visitor.refused(request, &refused)),
        Err(SecondFactorError::TooMany(wait)) => {
            let wait = crate::show::length(wait.retry_after.as_seconds().max(1));
            Err(again(StatusCode::TOO_MANY_REQUESTS, &format!("Too many attempts. Try again in {wait}.")))
        }
        Err(SecondFactorError::WrongPassword) => Err(again(StatusCode::UNPROCESSABLE_ENTITY, "The password is wrong.")),
        Err(SecondFactorError::SsoRequired) => {
            Err(again(StatusCode::FORBIDDEN, "Your organisation takes no password: sign in with its account again."))
        }
        Err(SecondFactorError::WrongCode) => Err(again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The code is wrong or was already used. Each code works once; wait for the next one.",
        )),
        Err(other) => Err(again(StatusCode::UNPROCESSABLE_ENTITY, &format!("{other}."))),
    }
}
