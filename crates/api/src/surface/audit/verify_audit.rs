//! `GET /v1/audit/verify`: verifies the hash chain of the trail.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::audit::chain::Place;
use authority::audit::read::{Audit, Outcome, Verified, VerifyError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{organization, trail_place};
use crate::surface::permission::ReadAudit;
use crate::surface::{Authorized, failing};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::Query;

/// Where to begin and what to come through.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct VerifyAuditQuery {
    /// Continue after this event: `next_cursor` of the previous response, or a `head` saved earlier.
    after: Option<String>,
    /// A `head` saved earlier, which must still be part of the trail. Without it, a trail that was truncated or
    /// recomputed as a whole cannot be told from an intact one.
    expect_head: Option<String>,
}

/// The result of the verification.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// Whether everything checked so far is intact.
    ok: bool,
    /// Whether the verification has reached the end of the trail or a damaged event.
    complete: bool,
    /// The number of events that were found intact.
    checked: i64,
    /// The last intact event: its sequence number, a full stop and its hash. Save it elsewhere and send it later as
    /// `expect_head`.
    head: String,
    /// Send this as `after` to continue; `null` if the verification is complete.
    next_cursor: Option<String>,
    /// The first damaged event.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<FirstBad>,
}

/// The first damaged event.
#[derive(Serialize, ToSchema)]
struct FirstBad {
    /// The sequence number of the event.
    seq: i64,
    /// The kind of the fault: `missing`, `changed`, `unlinked`, `replaced`, `cut_off`, `added` or `unreadable`.
    fault: &'static str,
    /// A description of the fault for people.
    message: String,
}

/// Verify the audit trail.
///
/// Recomputes the hash of every event. One call checks at most 50 000 events, so a long trail takes several calls.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"])),
    params(VerifyAuditQuery),
    responses(
        (status = 200, description = "The result. `ok` says whether the trail is intact.", body = Verification),
        (status = 409, description = "A verification of this trail is already running.", body = crate::error_body::Error),
    )
)]
#[get("/v1/audit/verify")]
pub(super) async fn verify_audit(
    who: Authorized<ReadAudit>,
    audit: Data<Audit>,
    Query(query): Query<VerifyAuditQuery>,
) -> ApiResult<web::Json<Verification>> {
    let organization = organization(&who.caller)?;
    let began = trail_place("after", query.after.as_deref())?.unwrap_or(Place::START);
    let remembered = trail_place("expect_head", query.expect_head.as_deref())?;
    let verified = audit.verify(Some(organization), began, remembered).await;
    Ok(web::Json(verified.map_err(failed)?.into()))
}

fn failed(error: VerifyError) -> ApiError {
    match error {
        VerifyError::UnderWay => Code::VerificationUnderWay.into(),
        VerifyError::Failed(failure) => failing::failed(&failure),
    }
}

impl From<Verified> for Verification {
    fn from(verified: Verified) -> Self {
        let broken = match verified.outcome {
            Outcome::Whole | Outcome::More => None,
            Outcome::Broken(broken) => Some(broken),
        };
        Self {
            ok: broken.is_none(),
            complete: verified.outcome != Outcome::More,
            checked: verified.reached.seq - verified.began.seq,
            head: verified.reached.to_string(),
            next_cursor: (verified.outcome == Outcome::More).then(|| verified.reached.to_string()),
            first_bad: broken.map(|broken| FirstBad {
                seq: broken.seq,
                fault: broken.fault.as_str(),
                message: broken.to_string(),
            }),
        }
    }
}
