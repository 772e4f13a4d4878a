//! Exporting a trail: reads its events page by page, and records the export as an event, because the file discloses every
//! address and name in the trail.

use std::sync::Arc;

use futures::Stream;
use futures::stream::try_unfold;
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

use super::chain::Place;
use super::read::{Audit, ListRequest};
use super::{Event, record};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};

/// Records that the caller receives a range of events of their organisation's trail, or those of the range that a filter
/// finds; `filter` has the name and value of each condition.
///
/// # Errors
/// The store's; nothing must be sent then.
pub async fn note_export(
    context: &Context,
    caller: &Caller,
    (after, end): (i64, Place),
    filter: &[(&'static str, String)],
    origin: &Origin,
) -> Result<(), Failure> {
    let mut event = Event::new(context.now(), "audit.export", caller.principal(), origin)
        .with("after", after)
        .with("last", end.seq)
        .seen_from(origin);
    for (name, value) in filter {
        event = event.with(&format!("only_{name}"), value.as_str());
    }
    record(context, Some(caller.organization_id), event).await
}

/// The events that a request finds, up to the number `last`, oldest first: each page is read when the one before has been
/// sent.
pub fn events(
    audit: Arc<Audit>,
    organization: OrganizationId,
    request: ListRequest,
    last: i64,
) -> impl Stream<Item = Result<Vec<AuditRecord>, Failure>> {
    try_unfold(Some(request), move |request| {
        let audit = Arc::clone(&audit);
        async move {
            let Some(request) = request else { return Ok(None) };
            // SQLite reads a page on the worker itself without waiting, and a client's buffers take many pages. Yield
            // between pages to the other requests on this worker.
            tokio::task::yield_now().await;
            let mut page = audit.list(organization, request.clone()).await?;
            page.events.retain(|event| event.seq <= last);
            let after = page.next.filter(|after| *after < last);
            Ok(Some((page.events, after.map(|after| ListRequest { after: Some(after), ..request }))))
        }
    })
}
