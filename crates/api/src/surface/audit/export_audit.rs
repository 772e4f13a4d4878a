//! `GET /v1/audit/export`: the whole trail as a file that can be verified offline, streamed page by page.

use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpResponse, get};
use authority::Context;
use authority::audit::export::note_export;
use authority::audit::line;
use authority::audit::read::Audit;
use futures::Stream;
use futures::stream::try_unfold;
use serde::Deserialize;
use token_domain::id::OrganizationId;

use super::{number, organization};
use crate::surface::permission::ReadAudit;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Query;

/// The header with the number and hash of the last exported event. With it, a later export can be checked for missing
/// events at its end.
const HEAD: &str = "Nolapse-Audit-Head";

/// Where the file begins.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportAuditQuery {
    /// Only events after this sequence number, to extend an earlier file. Defaults to the whole trail.
    after: Option<String>,
}

/// Export the audit trail as NDJSON.
///
/// One event per line, in order and without gaps, with everything its hash covers: `nolapse-api audit verify FILE`
/// needs nothing else. `detail` is the text that was hashed. The header `Nolapse-Audit-Head` has the number and the
/// hash of the last event in the export. Events that happen during the export, among them the one that records it, are
/// not included. A response that ends before the event in the header was truncated.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"])),
    params(ExportAuditQuery),
    responses((status = 200, description = "The events as NDJSON.", body = String, content_type = "application/x-ndjson"))
)]
#[get("/v1/audit/export")]
pub(super) async fn export_audit(
    who: Authorized<ReadAudit>,
    audit: Data<Audit>,
    context: Data<Context>,
    Query(query): Query<ExportAuditQuery>,
) -> ApiResult<HttpResponse> {
    let organization = organization(&who.caller)?;
    let after = number("after", query.after.as_deref())?.unwrap_or(0);
    let end = audit.end(Some(organization)).await.map_err(|failure| failing::failed(&failure))?;
    if end.seq > after {
        let noted = note_export(&context, &who.caller, (after, end), &who.origin).await;
        noted.map_err(|failure| failing::failed(&failure))?;
    }
    Ok(HttpResponse::Ok()
        .content_type(line::MEDIA_TYPE)
        .insert_header((HEAD, end.to_string()))
        .insert_header(("Content-Disposition", "attachment; filename=\"audit.ndjson\""))
        .streaming(pages(audit, organization, after, end.seq)))
}

/// Streams the events after one up to another, a page at a time: each page is read when the one before has been sent.
/// If the database fails on the way, the connection is cut, so that the file does not look complete.
fn pages(
    audit: Data<Audit>,
    organization: OrganizationId,
    after: i64,
    last: i64,
) -> impl Stream<Item = Result<Bytes, Error>> {
    try_unfold(after, move |after| {
        let audit = audit.clone();
        async move {
            // SQLite reads a page on the worker itself without waiting, and a client's buffers take many pages. Yield
            // between pages to the other requests on this worker.
            tokio::task::yield_now().await;
            let records = audit.next(Some(organization), after, last).await.map_err(|error| {
                tracing::error!(%organization, %error, "an export of the audit trail was interrupted");
                ApiError::unavailable(error)
            })?;
            let Some(reached) = records.last().map(|record| record.seq) else { return Ok(None) };
            let mut lines = Vec::new();
            for record in &records {
                line::write(record, &mut lines).map_err(ApiError::internal)?;
            }
            Ok(Some((Bytes::from(lines), reached)))
        }
    })
}
