//! Reports of leaked tokens.

pub mod alert_hosts;
mod get_addresses;
pub mod partner_keys;
mod receive_alerts;
mod report_leaks;
mod revoke_credentials;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(revoke_credentials::revoke_credentials)
        .service(report_leaks::report_github_leaks)
        .service(report_leaks::report_gitlab_leaks)
        .service(receive_alerts::receive_github_alert)
        .service(receive_alerts::receive_gitlab_alert)
        .service(get_addresses::get_addresses);
}
