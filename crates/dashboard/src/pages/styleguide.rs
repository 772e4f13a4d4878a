//! Every part of the design system on one page, for developers. In development builds only.

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
    /// Statuses: the colour and the text of each.
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
            ("info", "Rotating until 14:05 UTC"),
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
