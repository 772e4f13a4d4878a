//! New passwords for people who forgot theirs.

mod confirm_password_reset;
mod request_password_reset;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(request_password_reset::request_password_reset)
        .service(confirm_password_reset::confirm_password_reset);
}
