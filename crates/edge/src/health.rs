//! `/health`, `/ready`, `/metrics`: for monitoring.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use futures::future::BoxFuture;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;

use super::drain::Drain;
use super::error::{ApiError, ApiResult};
use super::exposition::Format;

/// Checks the dependencies of this service and returns the names of those that fail; empty when ready.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Vec<&'static str>> + Send + Sync>;

/// The answer to a health probe.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

/// The answer to a readiness probe while the service is not ready.
#[derive(Serialize, ToSchema)]
pub struct NotReady {
    error: &'static str,
    /// The parts that are not ready, for people.
    message: String,
    /// The parts that are not ready: `setup` is not done, `database` does not answer, `disk` accepts no changes,
    /// `lease` is not held, `stopping`.
    failing: Vec<&'static str>,
    #[serde(rename = "statusCode")]
    status_code: u16,
}

/// Check that the process is running.
#[utoipa::path(tag = "operations", security(), responses((status = 200, body = Health)))]
#[get("/health")]
pub(super) async fn health() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// Check that the service can answer requests: the database is reachable and the cache feed is current.
#[utoipa::path(tag = "operations", security(), responses((status = 200, body = Health), (status = 503, body = NotReady)))]
#[get("/ready")]
pub(super) async fn ready(readiness: web::Data<Readiness>, drain: web::Data<Drain>) -> HttpResponse {
    let mut failing = readiness().await;
    if drain.has_begun() {
        failing.insert(0, "stopping");
    }
    if failing.is_empty() {
        return HttpResponse::Ok().json(Health { status: "ok" });
    }
    let message = format!("Not ready: {}.", failing.join(", "));
    let body = NotReady { error: "unavailable", message, failing, status_code: 503 };
    HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "1")).json(body)
}

/// Get the metrics in a Prometheus format.
///
/// The classic text format, or `OpenMetrics` for clients that request it with `Accept`.
#[utoipa::path(
    tag = "operations",
    security(),
    responses((status = 200, description = "All metrics.", content(
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    )))
)]
#[get("/metrics")]
pub(super) async fn metrics(request: HttpRequest, registry: web::Data<Registry>) -> ApiResult<HttpResponse> {
    let mut text = String::with_capacity(32 * 1024);
    encode(&mut text, &registry).map_err(ApiError::internal)?;
    let format = Format::of(request.headers());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, format.content_type()))
        .insert_header((header::VARY, "Accept"))
        .body(format.write(text)))
}
