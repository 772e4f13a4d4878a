//! Records in a trail that it was exported: the exported file discloses every address and name in the trail.

use super::chain::Place;
use super::{Event, record};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};

/// Records that the caller receives a range of events of their organisation's trail.
///
/// # Errors
/// The store's; nothing must be sent then.
pub async fn note_export(
    context: &Context,
    caller: &Caller,
    (after, end): (i64, Place),
    origin: &Origin,
) -> Result<(), Failure> {
    let event = Event::new(context.now(), "audit.export", caller.principal(), origin)
        .with("after", after)
        .with("last", end.seq)
        .seen_from(origin);
    record(context, Some(caller.organization_id), event).await
}
