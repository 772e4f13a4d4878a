//! Sessions: signing in and out.

mod create_for_person;
mod create_session;
mod delete_session;
mod list_sessions;
mod or_service;
mod prove_session;
mod switch_session;
mod view;

use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::text::Slug;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::surface::path::{Operations, Segment, Unreadable};
use authority::records::Session;
use authority::sessions::OrganizationRef;
use authority::{Caller, Via};
use edge::error::{ApiError, ApiResult};
use edge::routes::closed;

pub(super) use create_for_person::Operator;
pub use create_for_person::ServiceToken;
pub(super) use or_service::OrService;
pub(super) use view::SessionView;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_session::create_session)
        .service(create_for_person::create_for_person)
        .service(switch_session::switch_session)
        .service(list_sessions::list_sessions)
        .service(prove_session::prove_session)
        .service(delete_session::delete_current);
    for word in ["create", "switch", "current"] {
        closed(config, &format!("/v1/sessions/{word}"));
    }
    config.service(delete_session::delete_session).service(delete_session::delete_all);
}

impl Segment<Operations> for SessionId {
    const NAME: &'static str = "session_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// Parses an organisation: its id in either form, or its slug.
fn organization(text: &str) -> ApiResult<OrganizationRef> {
    if let Ok(id) = OrganizationId::parse(text) {
        return Ok(OrganizationRef::Id(id));
    }
    Slug::parse(text)
        .map(OrganizationRef::Slug)
        .map_err(|_| ApiError::invalid("organization", "must be an organisation's id or slug"))
}

/// The person behind a caller; tokens of organisations are refused.
fn person(caller: &Caller) -> ApiResult<UserId> {
    caller.user_id().ok_or_else(|| super::failing::person(authority::people::PersonError::NotFound))
}

/// Whether this is the session the request came with.
fn is_current(caller: &Caller, session: &Session) -> bool {
    matches!(caller.via, Via::Session { session_id, .. } if session_id == session.id)
}
