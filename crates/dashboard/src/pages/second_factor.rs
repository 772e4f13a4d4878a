//! Setting up and removing a second factor, and new recovery codes. People who still have to set one up are let in.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::hashing::TotpCode;
use authority::second_factors::SecondFactorError;
use zeroize::Zeroizing;

use super::sign_in::proof;
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::When;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(factor_shown).service(factor_posted);
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    page: Layout,
    since: Option<When>,
    codes_left: i64,
    is_required: bool,
    /// The secret to type or scan, while one is being set up.
    secret: String,
    link: String,
    /// Recovery codes just created, shown once.
    codes: Vec<String>,
    problem: String,
}

#[get("/settings/second-factor")]
async fn factor_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_factor(&request, &services).await)
}

async fn show_factor(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter_to_enrol(request, services).await?;
    let template = factor_page(request, services, &visitor).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn factor_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
) -> Result<SecondFactorPage, HttpResponse> {
    let status =
        services.second_factors.status(&visitor.caller).await.map_err(|error| failed(request, visitor, &error))?;
    Ok(SecondFactorPage {
        page: Layout::of(request, visitor, Section::Settings, "Second factor"),
        since: status.since.map(|since| When::new(since, visitor.now)),
        codes_left: status.recovery_codes_left,
        is_required: status.rule.is_required(),
        secret: String::new(),
        link: String::new(),
        codes: Vec::new(),
        problem: String::new(),
    })
}

fn failed(request: &HttpRequest, visitor: &Visitor, error: &SecondFactorError) -> HttpResponse {
    match error {
        SecondFactorError::Failed(failure) => visitor.failed(request, failure),
        SecondFactorError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &format!("{other}.")),
    }
}

#[post("/settings/second-factor")]
async fn factor_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = Visitor::posted_to_enrol(request, services, body).await?;
    let path = "/settings/second-factor";
    let factors = &services.second_factors;
    let again = async |problem: &str, secret: &str| -> Answer {
        let link = if secret.is_empty() { String::new() } else { link(&visitor, secret) };
        let template = factor_page(request, services, &visitor).await?;
        let template = SecondFactorPage { problem: problem.to_owned(), secret: secret.to_owned(), link, ..template };
        Err(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
    };
    let done = match if form.is_restored() { "" } else { form.text("what") } {
        "begin" => {
            let begun = factors
                .begin(&visitor.caller, &visitor.origin)
                .await
                .map_err(|error| failed(request, &visitor, &error))?;
            let secret = begun.secret.to_base32().to_string();
            let template = factor_page(request, services, &visitor).await?;
            return Ok(ok(&SecondFactorPage { link: link(&visitor, &secret), secret, ..template }));
        }
        "confirm" => {
            let secret = form.text("secret");
            let Some(code) = TotpCode::parse(form.text("code")) else {
                return again("Enter the six digits that your authenticator app shows.", secret).await;
            };
            match factors.confirm(&visitor.caller, code, &visitor.origin).await {
                Err(SecondFactorError::WrongCode) => {
                    return again("The code is wrong. Check the clock of the device and try the next code.", secret)
                        .await;
                }
                other => other.map(Some),
            }
        }
        "renew" => {
            let Some(proof) = proof(form.text("code")) else {
                return again("Enter a code from your authenticator app.", "").await;
            };
            factors.renew_recovery_codes(&visitor.caller, &proof, &visitor.origin).await.map(Some)
        }
        "remove" => {
            let Some(proof) = proof(form.text("code")) else {
                return again("Enter a code from your authenticator app.", "").await;
            };
            let password = Zeroizing::new(form.raw("password").to_owned());
            factors.remove(&visitor.caller, password, &proof, &visitor.origin).await.map(|()| None)
        }
        _ => return Ok(to_saying(request, path, Tone::Problem, "Nothing was changed.")),
    };
    match done {
        Ok(Some(codes)) => {
            let template = factor_page(request, services, &visitor).await?;
            let codes = codes.iter().map(|code| code.expose().to_string()).collect();
            Ok(ok(&SecondFactorPage { codes, ..template }))
        }
        Ok(None) => Ok(to_saying(request, path, Tone::Done, "The second factor was removed.")),
        Err(error @ (SecondFactorError::Failed(_) | SecondFactorError::Refused(_))) => {
            Err(failed(request, &visitor, &error))
        }
        Err(error) => again(&format!("{error}."), "").await,
    }
}

/// The `otpauth:` URI that authenticator apps read from a QR code or a link.
fn link(visitor: &Visitor, secret: &str) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let (issuer, account) = (encode("nolapse tokens"), encode(visitor.me.standing.user.email.as_str()));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}
