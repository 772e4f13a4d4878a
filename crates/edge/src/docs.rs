//! `/docs`: a viewer for the API document. All its files are embedded, and its content security policy allows no
//! others.

use std::borrow::Cow;
use std::io;
use std::sync::OnceLock;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use super::codes::Code;
use super::error::{ApiError, ApiResult};
use super::packed::Packed;
use super::routes::PagePath;

/// Scripts and styles from here only; the viewer draws some of its icons as `data:` images.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// An hour: the viewer changes only with the program.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The API document as text. Made by the first request for it, because that takes longer than all else that a start does.
pub(super) struct Printed {
    made: OnceLock<Packed>,
    make: Box<dyn Fn() -> io::Result<Packed> + Send + Sync>,
}

impl Printed {
    /// Prints with this function when it is asked to.
    pub(super) fn when_asked(make: impl Fn() -> io::Result<Packed> + Send + Sync + 'static) -> Self {
        Self { made: OnceLock::new(), make: Box::new(make) }
    }

    /// The document. Requests that come while it is made may make it as well; the first result is kept.
    fn get(&self) -> io::Result<&Packed> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = (self.make)()?;
        Ok(self.made.get_or_init(|| made))
    }
}

/// The paths of this file.
pub(super) const PATHS: [PagePath; 3] =
    [PagePath::read("/openapi.json"), PagePath::read("/docs"), PagePath::read("/docs/{file:.*}")];

/// The document as the text that is served and committed.
pub fn text(api: &OpenApi) -> serde_json::Result<String> {
    api.to_pretty_json().map(|text| text + "\n")
}

/// Registers the document and its viewer.
pub fn routes(config: &mut web::ServiceConfig) {
    // `none` keeps the viewer from sending the document to a public validator.
    let viewer =
        Config::from("/openapi.json").validator_url("none").try_it_out_enabled(true).persist_authorization(false);
    config.app_data(web::Data::new(viewer)).service(document).service(folder).service(file);
}

#[get("/openapi.json")]
async fn document(request: HttpRequest, printed: web::Data<Printed>) -> ApiResult<HttpResponse> {
    // Not on the worker, whose other requests would wait.
    let made = web::block(move || printed.get().cloned()).await.map_err(ApiError::internal)?;
    made.and_then(|packed| packed.answer(&request, "application/json")).map_err(ApiError::internal)
}

#[get("/docs")]
async fn folder() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

#[get("/docs/{file:.*}")]
async fn file(
    request: HttpRequest,
    name: web::Path<String>,
    viewer: web::Data<Config<'static>>,
) -> ApiResult<HttpResponse> {
    let found = utoipa_swagger_ui::serve(&name, viewer.into_inner()).map_err(ApiError::internal)?;
    let file = found.ok_or(Code::NotFound)?;
    let bytes = match file.bytes {
        Cow::Borrowed(embedded) => web::Bytes::from_static(embedded),
        Cow::Owned(made) => web::Bytes::from(made),
    };
    let mut answer = if file.gzpipped {
        Packed::stream(bytes).answer(&request, &file.content_type).map_err(ApiError::internal)?
    } else {
        HttpResponse::Ok().content_type(file.content_type).body(bytes)
    };
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    answer.headers_mut().insert(header::CACHE_CONTROL, CACHING);
    Ok(answer)
}
