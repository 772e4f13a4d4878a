//! The person behind the credential.

mod change_password;
mod edit_me;
mod get_me;
mod get_notices;
mod keys;
mod set_notices;
mod verify_email;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(get_me::get_me)
        .service(edit_me::edit_me)
        .service(get_notices::get_notices)
        .service(set_notices::set_notices)
        .service(verify_email::verify_email)
        .service(change_password::change_password);
    keys::register(config);
}
