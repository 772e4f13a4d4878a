//! The members of an organisation.

mod add_member;
mod edit_member;
mod end_member_sessions;
mod leave_organization;
mod list_member_sessions;
mod list_members;
mod remove_member;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

use edge::routes::closed;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(list_members::list_members)
        .service(add_member::add_member)
        // Register first, or `/members/me` would match `/members/{user_id}`.
        .service(leave_organization::leave_organization);
    closed(config, "/v1/organizations/{org_id}/members/me");
    config
        .service(list_member_sessions::list_member_sessions)
        .service(end_member_sessions::end_member_sessions)
        .service(edit_member::edit_member)
        .service(remove_member::remove_member);
}
