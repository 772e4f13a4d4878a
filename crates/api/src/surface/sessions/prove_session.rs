//! `POST /v1/sessions/current/proof`: proves again that the person is at their session.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::second_factors::{Evidence, SecondFactors};
use authority::sessions::Sessions;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::view::SessionView;
use crate::surface::Authorized;
use crate::surface::failing;
use crate::surface::permission::Enrolling;
use crate::surface::second_factors::{errors, proof};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// One of three proofs.
#[derive(Deserialize, ToSchema)]
struct ProveSession {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Option<Zeroizing<String>>,
    /// A six-digit code of the authenticator app.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Zeroizing<String>>,
    /// One of the recovery codes. Each can be used once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Zeroizing<String>>,
}

/// Prove your identity again in the current session.
///
/// For `sessions.fresh_seconds` (ten minutes by default), the session can then change how the person signs in: the
/// e-mail address, the second factor and other sessions.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    request_body = ProveSession,
    responses(
        (status = 200, description = "Proven.", body = SessionView),
        (status = 409, description = "The person has no second factor.", body = crate::error_body::Error),
        (status = 429, description = "There were too many wrong passwords or codes.", body = crate::error_body::Error),
    )
)]
#[post("/v1/sessions/current/proof")]
pub(super) async fn prove_session(
    who: Authorized<Enrolling>,
    factors: Data<SecondFactors>,
    sessions: Data<Sessions>,
    Json(body): Json<ProveSession>,
) -> ApiResult<web::Json<SessionView>> {
    let evidence = body.evidence()?;
    let session = factors.prove_presence(&who.caller, evidence, &who.origin).await.map_err(errors::second_factor)?;
    let noted = sessions.uses(session.user_id).await.map_err(|failure| failing::failed(&failure))?;
    let last = noted.into_iter().find(|last| last.session_id == session.id);
    Ok(web::Json(SessionView::new((session, last), true)))
}

impl ProveSession {
    fn evidence(self) -> ApiResult<Evidence> {
        match (self.password, proof(self.code.as_ref(), self.recovery_code.as_ref())?) {
            (Some(password), None) => Ok(Evidence::Password(password)),
            (None, Some(factor)) => Ok(Evidence::Factor(factor)),
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("password", "must not be sent together with code or recovery_code"))
            }
            (None, None) => Err(ApiError::invalid("password", "is required, unless code or recovery_code is sent")),
        }
    }
}
