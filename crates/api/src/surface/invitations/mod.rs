//! Invitations to an organisation.

mod accept_invitation;
mod create_invitation;
mod delete_invitation;
mod list_invitations;

pub(in crate::surface) mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(accept_invitation::accept_invitation)
        .service(list_invitations::list_invitations)
        .service(create_invitation::create_invitation)
        .service(delete_invitation::delete_invitation);
}
