//! The pages, one file each. Their paths are listed once, for the router and for the 405 answers.

mod audit;
mod bulk;
mod chart;
mod check;
mod create_token;
mod create_trust;
mod deployment;
mod email;
mod file;
mod invitation;
mod members;
mod overview;
mod pager;
mod password_reset;
mod policy;
mod projects;
mod proof;
mod revoke;
mod roles;
mod rotate;
mod second_factor;
mod session_line;
mod settings;
mod setup;
mod sign_in;
mod sso;
#[cfg(debug_assertions)]
mod styleguide;
mod token;
mod token_list;
mod tokens;
mod trust;
mod trust_policy;
mod usage;
mod webhooks;

use actix_web::web;
use edge::routes::PagePath;

use crate::assets;

const BOTH: &str = "GET, HEAD, POST";

const fn both(pattern: &'static str) -> PagePath {
    PagePath { pattern, allow: BOTH }
}

const fn post(pattern: &'static str) -> PagePath {
    PagePath { pattern, allow: "POST" }
}

/// Every path of the pages.
pub(crate) const PATHS: &[PagePath] = &[
    PagePath::read("/"),
    PagePath::read("/assets/{file}"),
    both("/setup"),
    both("/invitation"),
    both("/sign-in"),
    PagePath::read("/sign-in/sso/{provider}"),
    PagePath::read("/sign-in/sso/{provider}/callback"),
    both("/password-reset"),
    both("/password-reset/request"),
    post("/sign-out"),
    post("/theme"),
    both("/tokens"),
    both("/tokens/new"),
    both("/tokens/bulk"),
    PagePath::read("/tokens/export/{file}"),
    PagePath::read("/tokens/{token_id}"),
    both("/tokens/{token_id}/rotate"),
    both("/tokens/{token_id}/revoke"),
    post("/tokens/{token_id}/cancel-rotation"),
    both("/tokens/{token_id}/edit"),
    both("/keys"),
    both("/keys/new"),
    PagePath::read("/keys/{token_id}"),
    both("/keys/{token_id}/rotate"),
    both("/keys/{token_id}/revoke"),
    post("/keys/{token_id}/cancel-rotation"),
    both("/keys/{token_id}/edit"),
    both("/check"),
    both("/trust"),
    both("/trust/new"),
    both("/trust/{policy_id}"),
    both("/members"),
    both("/members/{user_id}"),
    post("/invitations/{invitation_id}/withdraw"),
    both("/roles"),
    both("/projects"),
    both("/projects/{project_id}"),
    PagePath::read("/usage"),
    PagePath::read("/audit"),
    PagePath::read("/audit/verify"),
    PagePath::read("/audit/export/{file}"),
    PagePath::read("/deployment"),
    both("/settings"),
    both("/settings/email"),
    both("/settings/policy"),
    both("/settings/proof"),
    both("/settings/second-factor"),
    PagePath::read("/settings/webhooks"),
    both("/settings/webhooks/new"),
    both("/settings/webhooks/{webhook_id}"),
    #[cfg(debug_assertions)]
    PagePath::read("/styleguide"),
];

pub(crate) fn register(config: &mut web::ServiceConfig) {
    config.service(assets::asset);
    for pages in [
        overview::register,
        setup::register,
        sign_in::register,
        sso::register,
        password_reset::register,
        invitation::register,
        // Register before the pages of one token, or `/tokens/{token_id}` would match `new`, `bulk` and `export`.
        create_token::register,
        bulk::register,
        token_list::register,
        rotate::register,
        revoke::register,
        token::register,
        check::register,
        trust::register,
        // Before the page of one policy, whose path would match `new`.
        create_trust::register,
        trust_policy::register,
        members::register,
        roles::register,
        projects::register,
        usage::register,
        deployment::register,
        audit::register,
        policy::register,
        proof::register,
        second_factor::register,
        email::register,
        webhooks::register,
        settings::register,
        #[cfg(debug_assertions)]
        styleguide::register,
    ] {
        pages(config);
    }
}
