//! The access scopes of a project: tenant boundaries. (`/v1/scopes/catalog` and its like are about what tokens may do.)

mod assign_actors;
mod create_scope;
mod delete_scope;
mod edit_scope;
mod get_namespace;
mod get_scope;
mod list_scope_actors;
mod list_scopes;
mod query;
mod several;
mod unassign_actor;
mod unassign_actors;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_scope::create_scope)
        .service(list_scopes::list_scopes)
        .service(list_scopes::list_scopes_bound)
        .service(get_scope::get_scope)
        .service(edit_scope::edit_scope)
        .service(delete_scope::delete_scope)
        .service(list_scope_actors::list_scope_actors)
        .service(list_scope_actors::list_scope_actors_bound)
        .service(assign_actors::assign_actors)
        .service(unassign_actors::unassign_actors)
        .service(unassign_actor::unassign_actor)
        .service(get_namespace::get_namespace);
}
