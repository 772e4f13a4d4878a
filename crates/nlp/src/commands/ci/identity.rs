//! Finds the identity token of the running job. Each CI system provides it in its own way.

use std::process::{Command, Stdio};

use client::Secret;

use crate::credential;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::settings::Settings;

/// Variables that hold an identity token: `NLP_ID_TOKEN`, which is configured in GitLab and others, and those that CI
/// systems set.
const VARIABLES: [&str; 4] =
    ["NLP_ID_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN", "TFC_WORKLOAD_IDENTITY_TOKEN", "SPACELIFT_OIDC_TOKEN"];

/// An identity token.
pub(super) struct Found {
    pub(super) token: Secret,
    /// Whether GitHub made it. GitHub's log can be told to mask a secret.
    pub(super) is_github: bool,
}

/// The identity token of this job; for `audience`, if the CI system lets a job choose it.
pub(super) fn find(settings: &Settings, audience: &str) -> Result<Found> {
    let plain = |token: Secret| Found { token, is_github: false };
    if let Some(given) = settings.file()? {
        return Ok(plain(given.secret));
    }
    if let Some(text) = VARIABLES.into_iter().find_map(variable) {
        return Ok(plain(credential::secret(&text)));
    }
    if let (Some(url), Some(credential)) =
        (variable("ACTIONS_ID_TOKEN_REQUEST_URL"), variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
    {
        let token = client::identity::from_github(&url, &credential::secret(&credential), audience)?;
        return Ok(Found { token, is_github: true });
    }
    if variable("BUILDKITE").is_some() {
        return said("buildkite-agent", &["oidc", "request-token", "--audience", audience]).map(plain);
    }
    if variable("CIRCLECI").is_some() {
        let claims = serde_json::json!({ "aud": audience }).to_string();
        return said("circleci", &["run", "oidc", "get", "--claims", &claims]).map(plain);
    }
    Err(missing())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// The output of a program of the CI system.
fn said(program: &str, arguments: &[&str]) -> Result<Secret> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("{program} cannot be started: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && !text.trim().is_empty() {
        return Ok(credential::secret(&text));
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{program} did not return an identity token: {}", why.trim())))
}

fn missing() -> Failure {
    let next = if variable("GITHUB_ACTIONS").is_some() {
        "give the job the permission id-token: write"
    } else if variable("GITLAB_CI").is_some() {
        "add to the job: id_tokens: {NLP_ID_TOKEN: {aud: <address of the authority>}}"
    } else if variable("BITBUCKET_BUILD_NUMBER").is_some() {
        "add to the step: oidc: true"
    } else {
        "put it into NLP_ID_TOKEN or a file for --token-file"
    };
    Failure::new("this is not a CI job with an identity token")
        .coded("no identity token")
        .ending(Exit::Refused)
        .next(next)
}
