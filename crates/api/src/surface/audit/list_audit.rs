//! `GET /v1/audit`: filtered pages of events, oldest or newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::audit::read::{Audit, ListRequest};
use authority::records::Principal;
use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::access::Direction;
use token_domain::id::{OrganizationId, Uuid};
use utoipa::ToSchema;

use super::view::EventView;
use super::{number, organization};
use crate::surface::permission::ReadAudit;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::{Limit, Query};

/// The longest action and target.
const LONGEST: usize = 255;

/// Which events to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListAuditQuery {
    /// Only events after this sequence number. Use `next_cursor` of the previous page, or the `seq` of the last event
    /// you have seen to poll for new events.
    after: Option<String>,
    /// Events per page: 1–1000. Defaults to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit<100, 1000>,
    /// Only events with this action, such as `token.create`.
    action: Option<String>,
    /// Only events caused by this actor: `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    actor: Option<String>,
    /// Only events on the resource with this id.
    target: Option<String>,
    /// Only events at or after this time (RFC 3339).
    from: Option<String>,
    /// Only events before this time (RFC 3339).
    to: Option<String>,
    /// The sort order: `oldest` first or `newest` first. Defaults to `oldest`.
    order: Option<String>,
}

/// A page of audit events.
#[derive(Serialize, ToSchema)]
struct EventList {
    events: Vec<EventView>,
    /// Send this as `after` to get the next page; `null` on the last page. A page may have fewer entries than `limit`
    /// and still not be the last.
    next_cursor: Option<String>,
}

/// List the events of the audit trail.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"])),
    params(ListAuditQuery),
    responses((status = 200, body = EventList))
)]
#[get("/v1/audit")]
pub(super) async fn list_audit(
    who: Authorized<ReadAudit>,
    audit: Data<Audit>,
    Query(query): Query<ListAuditQuery>,
) -> ApiResult<web::Json<EventList>> {
    let organization = organization(&who.caller)?;
    let page = audit.list(organization, query.read(organization)?).await;
    let page = page.map_err(|failure| failing::failed(&failure))?;
    Ok(web::Json(EventList {
        events: page.events.into_iter().map(EventView::from).collect(),
        next_cursor: page.next.map(|seq| seq.to_string()),
    }))
}

impl ListAuditQuery {
    fn read(self, organization: OrganizationId) -> ApiResult<ListRequest> {
        let actor = |text: &str| {
            Principal::parse(text).ok_or_else(|| {
                ApiError::invalid("actor", "must be user:<id>, token:<id>, policy:<id>, service, system or anonymous")
            })
        };
        Ok(ListRequest {
            action: bounded("action", self.action)?,
            actor: self.actor.as_deref().map(actor).transpose()?,
            target_id: bounded("target", self.target)?.map(|text| as_shown(&text, organization)),
            from: moment("from", self.from.as_deref())?,
            until: moment("to", self.to.as_deref())?,
            direction: direction(self.order.as_deref())?,
            after: number("after", self.after.as_deref())?,
            limit: self.limit.0,
        })
    }
}

fn bounded(parameter: &'static str, text: Option<String>) -> ApiResult<Option<String>> {
    match text {
        Some(text) if text.is_empty() || text.chars().count() > LONGEST => {
            Err(ApiError::invalid(parameter, format!("must have 1 to {LONGEST} characters")))
        }
        text => Ok(text),
    }
}

fn moment(parameter: &'static str, text: Option<&str>) -> ApiResult<Option<Timestamp>> {
    let moment = text.map(Timestamp::parse_rfc3339).transpose();
    moment.map_err(|error| ApiError::invalid(parameter, error.to_string()))
}

fn direction(text: Option<&str>) -> ApiResult<Direction> {
    match text {
        None | Some("oldest") => Ok(Direction::Ascending),
        Some("newest") => Ok(Direction::Descending),
        Some(_) => Err(ApiError::invalid("order", "must be oldest or newest")),
    }
}

/// An id in the form that events show: the `TypeID` of the organisation, the UUID of anything else. Both forms are
/// accepted.
fn as_shown(text: &str, organization: OrganizationId) -> String {
    match (OrganizationId::parse(text), Uuid::try_parse(text)) {
        (Ok(id), _) if id == organization => id.to_string(),
        (_, Ok(id)) => id.hyphenated().to_string(),
        (_, Err(_)) => text.to_owned(),
    }
}
