//! The actors of a project, each with a token.

mod check_topic;
mod create_actor;
mod delete_actor;
mod edit_actor;
mod get_actor;
mod list_actors;
mod rotate_actor;

pub(in crate::surface) mod query;
pub(in crate::surface) mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_actor::create_actor)
        .service(list_actors::list_actors)
        .service(list_actors::list_actors_bound)
        .service(get_actor::get_actor)
        .service(edit_actor::edit_actor)
        .service(delete_actor::delete_actor)
        .service(rotate_actor::rotate_actor)
        .service(check_topic::check_topic);
}
