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
    /// Go on behind this event: `next_cursor` of the answer before, or a `head` remembered from an earlier time.
    after: Option<String>,
    /// A `head` remembered from an earlier time, which must still be part of the trail. Without one, events cut off at the end
    /// by somebody who covers the trace, and a trail computed anew, look whole.
    expect_head: Option<String>,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// Whether all that was looked at is as it was written.
    ok: bool,
    /// Whether the end of the trail was reached, or a bad event.
    complete: bool,
    /// How many events were found good.
    checked: i64,
    /// The last good event: its number, a full stop and its hash. Remember it elsewhere and send it as `expect_head` later.
    head: String,
    /// Send it as `after` to go on; `null` when complete.
    next_cursor: Option<String>,
    /// The first event that is not as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<FirstBad>,
}

/// An event that is not as it was written.
#[derive(Serialize, ToSchema)]
struct FirstBad {
    /// Its number.
    seq: i64,
    /// `missing`, `changed`, `unlinked`, `replaced`, `cut_off`, `added` or `unreadable`.
    fault: &'static str,
    /// The same for people.
    message: String,
}

/// Verify the audit trail.
///
/// Recomputes the hash of every event. A long trail takes several calls, each of which looks at 50 000 events at most.
#[utoipa::path(
    tag = "audit",
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"])),
    params(VerifyAuditQuery),
    responses(
        (status = 200, description = "what came of it; `ok` says whether the trail is whole", body = Verification),
        (status = 409, description = "the trail is being verified already", body = crate::error_body::Error),
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
