//! `nlp ci exchange`: exchanges the identity token that a CI system signs for the running job for a short-lived token,
//! so that no secret is stored in the CI system.

mod identity;

use client::{Error, identity as wire, types};

use super::json;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// Exchange the identity token of the running job for a short-lived token.
    Exchange(Args),
}

/// Options of `ci exchange`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "The identity token is read from --token-file, from NLP_ID_TOKEN, or asked of the CI system that is running: \
                  GitHub Actions, Buildkite, CircleCI, Bitbucket Pipelines, Terraform, Spacelift. On GitHub the token that is \
                  made is masked in the log.\n\
                  For example: nlp ci exchange --field access_token | nlp exec --token-file - -- ./deploy\n\
                  Exit codes: 0 done, 3 the identity token is not accepted, 4 there is none or no trust policy is for this job."
)]
pub(crate) struct Args {
    /// A scope for the token, which the trust policy must have. May be repeated. Defaults to all scopes of the policy.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// The id of the trust policy. Required if several match.
    #[arg(long, value_name = "ID")]
    policy: Option<String>,
    /// The id or slug of the organisation. Required if policies of several organisations match.
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// The audience to request the identity token for. Defaults to the address of the authority.
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
}

pub(crate) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<()> {
    let Command::Exchange(args) = command;
    let client = settings.client()?.anonymous();
    let audience = args.audience.clone().unwrap_or_else(|| client.base().to_owned());
    let found = identity::find(settings, &audience)?;
    let body = types::TokenExchangeRequest {
        grant_type: wire::GRANT.to_owned(),
        subject_token: found.token,
        subject_token_type: wire::ID_TOKEN.to_owned(),
        scope: (!args.scope.is_empty()).then(|| args.scope.join(" ")),
        policy_id: args.policy.clone(),
        audience: args.organization.clone(),
        ..Default::default()
    };
    let made = client.exchange_token(&body).map_err(|error| refused(error, &audience))?;
    if found.is_github {
        // On standard error, which the runner reads as well: standard output may be captured.
        printer.mask(made.access_token.expose());
    }
    printer.one(&json(&made)?, &["access_token", "expires_in", "scope", "policy_id"])
}

/// The exit code and the advice for each refusal of RFC 6749.
fn refused(error: Error, audience: &str) -> Failure {
    let (exit, next) = match error.refusal().map(|refusal| refusal.error.as_str()) {
        Some("invalid_grant") => {
            let next =
                format!("the identity token must be new and for the audience of the policy (requested: {audience})");
            (Exit::InvalidToken, next)
        }
        Some("unauthorized_client") => {
            (Exit::Refused, "compare the job's claims with the policy: POST …/trust-policies/test".to_owned())
        }
        Some("invalid_scope") => (Exit::Refused, "request only scopes of the policy, or leave out --scope".to_owned()),
        Some("invalid_target") => (Exit::Usage, "set --organization to an id or a slug".to_owned()),
        Some(_) | None => return error.into(),
    };
    Failure::from(error).ending(exit).next(next)
}
