//! `GET /v1/audit/export`: the whole trail as a file that can be verified offline, streamed page by page.

use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpResponse, get};
use authority::Context;
use authority::audit::export::{events, note_export};
use authority::audit::line;
use authority::audit::read::{Audit, ListRequest};
use futures::{Stream, StreamExt as _};
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
        let noted = note_export(&context, &who.caller, (after, end), &[], &who.origin).await;
        noted.map_err(|failure| failing::failed(&failure))?;
    }
    Ok(HttpResponse::Ok()
        .content_type(line::MEDIA_TYPE)
        .insert_header((HEAD, end.to_string()))
        .insert_header(("Content-Disposition", "attachment; filename=\"audit.ndjson\""))
        .streaming(lines(audit, organization, after, end.seq)))
}

/// The lines of the events after one up to another. If the database fails on the way, the connection is cut, so that the
/// file does not look complete.
fn lines(
    audit: Data<Audit>,
    organization: OrganizationId,
    after: i64,
    last: i64,
) -> impl Stream<Item = Result<Bytes, Error>> {
    events(audit.into_inner(), organization, ListRequest::after(after), last).map(move |records| {
        let records = records.map_err(|failure| {
            tracing::error!(%organization, %failure, "an export of the audit trail was interrupted");
            failing::failed(&failure)
        })?;
        let mut lines = Vec::new();
        for record in &records {
            line::write(record, &mut lines).map_err(ApiError::internal)?;
        }
        Ok(Bytes::from(lines))
    })
}
