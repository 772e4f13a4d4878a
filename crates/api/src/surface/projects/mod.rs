//! The projects of an organisation, and code shared by the families inside a project.

mod create_project;
mod delete_project;
mod edit_project;
mod get_project;
mod list_projects;
mod view;

pub(in crate::surface) mod deletion;
pub(in crate::surface) mod errors;
pub(in crate::surface) mod paging;
pub(in crate::surface) mod patch;
pub(in crate::surface) mod place;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_project::create_project)
        .service(list_projects::list_projects)
        .service(get_project::get_project)
        .service(edit_project::edit_project)
        .service(delete_project::delete_project);
}
