//! What a message broker asks about actors that connect to it. Every decision is a 200: the broker reads the body.

mod check_room_access;
mod revalidate_actor;
mod validate_actor;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(validate_actor::validate_actor)
        .service(revalidate_actor::revalidate_actor)
        .service(check_room_access::check_room_access);
}
