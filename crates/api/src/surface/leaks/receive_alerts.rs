//! `POST /v1/leaks/github-alerts` and `/v1/leaks/gitlab-alerts`: webhooks of code hosts that found a secret.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::leaks::Leaks;
use authority::leaks::alerts::{Alert, GitLabHeaders};
use serde::Deserialize;
use utoipa::ToSchema;

use super::alert_hosts::CodeHosts;
use crate::surface::failing;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::body;

/// The longest payload in bytes. Those of alerts are a few thousand.
const MAX_BODY: usize = 1024 * 1024;

/// The fields of GitHub's event that are used.
#[derive(Deserialize, ToSchema)]
struct GitHubAlertEvent {
    /// `created` and `publicly_leaked` are acted on.
    #[serde(default)]
    action: String,
    alert: Option<GitHubAlertNumber>,
    repository: Option<GitHubRepository>,
}

#[derive(Deserialize, ToSchema)]
struct GitHubAlertNumber {
    number: u64,
}

#[derive(Deserialize, ToSchema)]
struct GitHubRepository {
    name: String,
    owner: GitHubOwner,
}

#[derive(Deserialize, ToSchema)]
struct GitHubOwner {
    login: String,
}

/// The fields of GitLab's event that are used.
#[derive(Deserialize, ToSchema)]
struct GitLabVulnerabilityEvent {
    /// `vulnerability` is acted on.
    #[serde(default)]
    object_kind: String,
    object_attributes: Option<GitLabVulnerability>,
}

#[derive(Deserialize, ToSchema)]
struct GitLabVulnerability {
    project_id: u64,
    /// `secret_detection` is acted on.
    #[serde(default)]
    report_type: String,
    /// `detected` and `confirmed` are acted on.
    #[serde(default)]
    state: String,
    location: Option<GitLabLocation>,
}

#[derive(Deserialize, ToSchema)]
struct GitLabLocation {
    file: Option<String>,
    commit: Option<GitLabCommit>,
}

#[derive(Deserialize, ToSchema)]
struct GitLabCommit {
    sha: Option<String>,
}

/// Receive an alert of GitHub secret scanning.
///
/// For a webhook of a GitHub organisation or repository with the event "secret scanning alerts" and the content type
/// `application/json`. The body is signed with `leaks.github_webhook_secret`. The secret is not in it: it is fetched with
/// `leaks.github_token` afterwards, and if it is a token of this deployment, what its organisation chose as `leak_action` is
/// done. Other events are answered and ignored, and so is a delivery that is repeated.
#[utoipa::path(
    tag = "leaks",
    security(),
    params(
        ("X-GitHub-Event" = Option<String>, Header, description = "The type of the event; `secret_scanning_alert` is acted on."),
        ("X-Hub-Signature-256" = Option<String>, Header, description = "`sha256=` and the HMAC-SHA-256 of the body, in hexadecimal."),
    ),
    request_body = GitHubAlertEvent,
    responses(
        (status = 202, description = "The alert is written down and will be acted on."),
        (status = 204, description = "The event is of another type, and nothing is done."),
        (status = 404, description = "Alerts of GitHub are not configured.", body = crate::error_body::Error),
    )
)]
#[post("/v1/leaks/github-alerts")]
pub(super) async fn receive_github_alert(
    request: HttpRequest,
    payload: Payload,
    hosts: Data<CodeHosts>,
    leaks: Data<Leaks>,
) -> ApiResult<HttpResponse> {
    let Some(host) = &hosts.github else { return Err(Code::NotFound.into()) };
    let body: Bytes = body::read(&request, &mut payload.into_inner(), MAX_BODY).await?;
    if !host.key.has_signed(header(&request, "X-Hub-Signature-256").unwrap_or_default(), &body) {
        return Err(unsigned("Sign the body with the secret in leaks.github_webhook_secret."));
    }
    if header(&request, "X-GitHub-Event") != Some("secret_scanning_alert") {
        return Ok(HttpResponse::NoContent().finish());
    }
    let event: GitHubAlertEvent = read(&body)?;
    if !["created", "publicly_leaked"].contains(&event.action.as_str()) {
        return Ok(HttpResponse::NoContent().finish());
    }
    let alert = event
        .alert
        .zip(event.repository)
        .and_then(|(alert, repository)| Alert::github(&repository.owner.login, &repository.name, alert.number));
    queue(&leaks, alert).await
}

/// Receive a finding of GitLab secret detection.
///
/// For a webhook of a GitLab project or group with the trigger "vulnerability events". `leaks.gitlab_webhook_secret` is its
/// secret token, or its signing token. The secret is not in the payload: the file that it names is fetched with
/// `leaks.gitlab_token` afterwards, and with every token of this deployment in it, what its organisation chose as
/// `leak_action` is done. Other events are answered and ignored, and so is a delivery that is repeated.
#[utoipa::path(
    tag = "leaks",
    security(),
    params(
        ("X-Gitlab-Token" = Option<String>, Header, description = "The secret token of the webhook."),
        ("webhook-id" = Option<String>, Header, description = "With a signing token: the id of the delivery."),
        ("webhook-timestamp" = Option<String>, Header, description = "With a signing token: when the delivery was signed, in seconds after 1970. At most five minutes from now."),
        ("webhook-signature" = Option<String>, Header, description = "With a signing token: the signature of Standard Webhooks."),
    ),
    request_body = GitLabVulnerabilityEvent,
    responses(
        (status = 202, description = "The finding is written down and will be acted on."),
        (status = 204, description = "The event is of another type, and nothing is done."),
        (status = 404, description = "Alerts of GitLab are not configured.", body = crate::error_body::Error),
    )
)]
#[post("/v1/leaks/gitlab-alerts")]
pub(super) async fn receive_gitlab_alert(
    request: HttpRequest,
    payload: Payload,
    hosts: Data<CodeHosts>,
    leaks: Data<Leaks>,
    context: Data<Context>,
) -> ApiResult<HttpResponse> {
    let Some(host) = &hosts.gitlab else { return Err(Code::NotFound.into()) };
    let body: Bytes = body::read(&request, &mut payload.into_inner(), MAX_BODY).await?;
    let headers = GitLabHeaders {
        token: header(&request, "X-Gitlab-Token"),
        id: header(&request, "webhook-id"),
        timestamp: header(&request, "webhook-timestamp"),
        signature: header(&request, "webhook-signature"),
    };
    if !host.key.has_sent(&headers, &body, context.wall()) {
        return Err(unsigned(
            "Use the secret in leaks.gitlab_webhook_secret as the webhook's secret token or signing token.",
        ));
    }
    let event: GitLabVulnerabilityEvent = read(&body)?;
    let found = event.object_attributes.filter(|found| {
        event.object_kind == "vulnerability"
            && found.report_type == "secret_detection"
            && ["detected", "confirmed"].contains(&found.state.as_str())
    });
    let Some(found) = found else { return Ok(HttpResponse::NoContent().finish()) };
    let alert = found.location.and_then(|location| {
        let commit = location.commit.and_then(|commit| commit.sha);
        Alert::gitlab(found.project_id, location.file.as_deref()?, commit.as_deref())
    });
    queue(&leaks, alert).await
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn unsigned(advice: &'static str) -> ApiError {
    ApiError::from(Code::InvalidRequest).message(format!("The request does not come from the code host. {advice}"))
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> ApiResult<T> {
    serde_json::from_slice(body).map_err(|_| {
        ApiError::from(Code::MalformedRequest)
            .message("Send the event as the code host describes it, with the content type application/json.")
    })
}

/// Writes an alert down, so that it is not lost while the host's interface or this process is away.
async fn queue(leaks: &Leaks, alert: Option<Alert>) -> ApiResult<HttpResponse> {
    let alert = alert.ok_or_else(|| {
        ApiError::from(Code::InvalidRequest).message("The event names no place where a secret can be: a repository and the number of an alert, or a project and a file.")
    })?;
    leaks.queue_alert(&alert).await.map_err(|failure| failing::failed(&failure))?;
    Ok(HttpResponse::build(StatusCode::ACCEPTED).finish())
}
