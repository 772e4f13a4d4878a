//! Every part of the design system on one page, for whoever changes it. In development builds alone: a release has no page
//! that is for nobody.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use crate::answer::ok;
use crate::layout::Layout;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(styleguide_shown);
}

#[derive(Template)]
#[template(path = "styleguide.html")]
struct Styleguide {
    page: Layout,
    /// Statuses: how each is coloured and what it says besides.
    badges: [(&'static str, &'static str); 4],
    notes: [(&'static str, &'static str); 4],
}

#[get("/styleguide")]
async fn styleguide_shown(request: HttpRequest) -> HttpResponse {
    ok(&Styleguide {
        page: Layout::anonymous(&request, "Styleguide"),
        badges: [
            ("good", "Active"),
            ("warn", "Expires in 3 d"),
            ("info", "Rotating, 4 h left"),
            ("dead", "Revoked: leaked"),
        ],
        notes: [
            ("done", "It was done, and what that guarantees."),
            ("info", "Worth knowing; nothing has to be done."),
            ("warn", "Should be looked at before long."),
            ("problem", "It was not done, and what to do about it."),
        ],
    })
}
