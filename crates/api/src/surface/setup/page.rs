//! The set-up page. The code travels in the fragment of the link, which browsers send to nobody; the page's script puts
//! it into the call.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use authority::setup::Setup;
use edge::routes::PagePath;

/// The paths of this file.
pub(super) const PATHS: [PagePath; 3] =
    [PagePath::read("/setup"), PagePath::read("/setup.js"), PagePath::read("/setup.css")];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The form; once somebody sent it, what to do instead. While that cannot be known the form is shown: sending it tells.
#[get("/setup")]
pub(super) async fn page(setup: Data<Setup>) -> HttpResponse {
    let text = match setup.is_due().await {
        Ok(false) => include_str!("set_up.html"),
        Ok(true) | Err(_) => include_str!("setup.html"),
    };
    asset("text/html; charset=utf-8", text)
}

#[get("/setup.js")]
pub(super) async fn script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", include_str!("setup.js"))
}

#[get("/setup.css")]
pub(super) async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", include_str!("setup.css"))
}

fn asset(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).insert_header((header::CONTENT_SECURITY_POLICY, POLICY)).body(text)
}
