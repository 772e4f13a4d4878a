//! The roles of an organisation: built-in ones, and its own.

mod create_role;
mod delete_role;
mod edit_role;
mod get_role;
mod list_roles;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(list_roles::list_roles)
        .service(create_role::create_role)
        .service(get_role::get_role)
        .service(edit_role::edit_role)
        .service(delete_role::delete_role);
}
