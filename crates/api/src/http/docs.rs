//! `/docs`: the API document to browse, everything embedded, under a policy that lets nothing in from elsewhere.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, get, web};
use utoipa_swagger_ui::Config;

use super::codes::Code;
use super::error::{ApiError, ApiResult};

/// Scripts and styles from here only; the viewer draws some of its icons as `data:` images.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// The API document in its printed form, made once.
pub struct Printed(pub web::Bytes);

/// Undocumented paths of this file, for the table of routes.
pub const PATHS: [&str; 3] = ["/openapi.json", "/docs", "/docs/{file:.*}"];

/// Registers the document and its viewer.
pub fn routes(config: &mut web::ServiceConfig) {
    // `none` keeps the viewer from sending the document to a public validator.
    let viewer =
        Config::from("/openapi.json").validator_url("none").try_it_out_enabled(true).persist_authorization(false);
    config.app_data(web::Data::new(viewer)).service(document).service(folder).service(file);
}

#[get("/openapi.json")]
async fn document(printed: web::Data<Printed>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(printed.0.clone())
}

#[get("/docs")]
async fn folder() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

#[get("/docs/{file:.*}")]
async fn file(name: web::Path<String>, viewer: web::Data<Config<'static>>) -> ApiResult<HttpResponse> {
    let viewer: Arc<Config<'static>> = viewer.into_inner();
    let found = utoipa_swagger_ui::serve(&name, viewer).map_err(ApiError::internal)?;
    let file = found.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(file.bytes.into_owned()))
}
