//! A real server on a free port with routes that show what the edge does: they echo, sleep, panic and fail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use api::config::{self, Sources};
use api::http::app::{Site, Surfaces};
use api::http::codes::Code;
use api::http::cors::Cors;
use api::http::drain::Drain;
use api::http::edge::{EdgeParts, Limits};
use api::http::error::{ApiError, ApiResult, exact};
use api::http::extract::path::Unreadable;
use api::http::extract::{ClientIp, Credentials, Json, Limit, OptionalJson, PathParam, Query, Segment};
use api::http::hot::Hot;
use api::http::metrics::HttpMetrics;
use api::http::server;
use futures::FutureExt as _;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;

/// A server that stops when dropped.
pub(crate) struct EdgeServer {
    pub(crate) address: SocketAddr,
    /// What `/ready` is told.
    pub(crate) database_is_well: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EdgeServer {
    /// Starts one; `environment` sets configuration keys by their environment names.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        // Later entries win, so a test can have its own drain delay.
        let always = [
            ("NOLAPSE_LISTEN", "127.0.0.1:0"),
            ("NOLAPSE__SERVER__WORKERS", "1"),
            ("NOLAPSE__SERVER__DRAIN_DELAY_SECONDS", "0"),
        ];
        let variables =
            always.iter().chain(environment).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = match config::load(&Sources { environment: variables, ..Sources::default() }) {
            Ok(loaded) => loaded.config.server,
            Err(problems) => panic!("{problems}"),
        };
        let database_is_well = Arc::new(AtomicBool::new(true));
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let site = site(&settings, database_is_well.clone());
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = server::start(site, &settings).unwrap();
                started.send(running.address).unwrap();
                running.until(stopped.map(drop)).await.unwrap();
            });
        });
        Self { address: address.recv().unwrap(), database_is_well, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks it to stop, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until it has stopped.
    pub(crate) fn join(mut self) {
        self.begin_stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for EdgeServer {
    fn drop(&mut self) {
        self.begin_stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server panicked");
        }
    }
}

fn site(settings: &config::sections::Server, well: Arc<AtomicBool>) -> Site {
    let mut registry = Registry::with_prefix("nolapse");
    let edge = EdgeParts {
        limits: Limits { deadline: settings.request_deadline, trusted_proxies: settings.trusted_proxies.clone() },
        cors: Cors::new(&settings.allowed_origins),
        drain: Drain::default(),
        metrics: HttpMetrics::register(&mut registry),
        hot: Arc::new([Hot::routed("/hot"), at_once()]),
        access_log: false,
        draw: Arc::new(|| 0x0123_4567_89ab_cdef),
    };
    let readiness = move || {
        let failing = if well.load(Ordering::SeqCst) { vec![] } else { vec!["database"] };
        async move { failing }.boxed()
    };
    Site::new(edge, Arc::new(readiness), Some(Arc::new(registry)), surfaces()).unwrap()
}

/// A route that no handler has: answered before it is routed, or not at all.
fn at_once() -> Hot {
    let answer = |_: &HttpRequest, body: &[u8]| match body {
        b"yes" => Some(Ok(HttpResponse::Ok().body("at once"))),
        b"no" => Some(Err(ApiError::from(Code::Conflict))),
        b"panic" => panic!("an answer at once panicked"),
        _ => None,
    };
    Hot { path: "/at-once", at_once: Some(Arc::new(answer)), watched: true }
}

fn surfaces() -> Surfaces {
    Arc::new(|config| {
        config.service(hot).service(echo).service(replace).service(small).service(optional).service(list);
        config.service(thing).service(whoami).service(panics).service(sleeps).service(fails).service(foreign);
    })
}

/// A body with a field of each kind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Form {
    name: String,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    tags: Vec<String>,
}

#[utoipa::path(request_body = Form, responses((status = 200, body = Form)))]
#[post("/echo")]
pub(crate) async fn echo(form: Json<Form>) -> web::Json<Form> {
    web::Json(form.0)
}

#[utoipa::path(request_body = Form, responses((status = 200, body = Form)))]
#[put("/echo")]
pub(crate) async fn replace(form: Json<Form>) -> web::Json<Form> {
    web::Json(form.0)
}

#[utoipa::path(request_body = Form, responses((status = 200, body = Form)))]
#[post("/small")]
pub(crate) async fn small(form: Json<Form, 4096>) -> web::Json<Form> {
    web::Json(form.0)
}

/// A hot route, with its two exact bodies.
#[utoipa::path(request_body = Form, responses((status = 200)))]
#[post("/hot")]
pub(crate) async fn hot(form: Result<Json<Form, 4096>, ApiError>) -> ApiResult<HttpResponse> {
    use actix_web::http::StatusCode;
    match form {
        Ok(form) if form.0.name == "panic" => panic!("a hot handler panicked"),
        Ok(_) => Ok(exact(StatusCode::OK, r#"{"valid":true}"#)),
        Err(error) if error.code().entry().status == StatusCode::BAD_REQUEST => {
            Ok(exact(StatusCode::BAD_REQUEST, r#"{"error":"malformed request"}"#))
        }
        Err(error) => Err(error),
    }
}

/// A body that may be missing.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Options {
    grace: Option<u32>,
}

#[utoipa::path(request_body = Options, responses((status = 200, body = Options)))]
#[post("/optional")]
pub(crate) async fn optional(options: OptionalJson<Options>) -> web::Json<Options> {
    web::Json(options.0)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    limit: Limit<100, 1000>,
}

#[utoipa::path(responses((status = 200)))]
#[get("/list")]
pub(crate) async fn list(query: Query<ListQuery>) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "limit": query.0.limit.0 }))
}

pub(crate) struct ThingId(u32);

impl Segment for ThingId {
    const NAME: &'static str = "thing";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

#[utoipa::path(responses((status = 200)))]
#[get("/things/{thing}")]
pub(crate) async fn thing(id: PathParam<ThingId>) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "thing": id.0.0 }))
}

#[utoipa::path(security(("bearer" = [])), responses((status = 200)))]
#[get("/whoami")]
pub(crate) async fn whoami(credentials: Credentials, client: ClientIp) -> HttpResponse {
    let shown = format!("{:?}", credentials.0);
    HttpResponse::Ok().json(serde_json::json!({ "presented": shown, "client": client.0 }))
}

#[utoipa::path(responses((status = 200)))]
#[get("/panic")]
pub(crate) async fn panics() -> HttpResponse {
    panic!("a handler panicked")
}

#[utoipa::path(responses((status = 200)))]
#[get("/sleep")]
pub(crate) async fn sleeps() -> HttpResponse {
    tokio::time::sleep(Duration::from_hours(1)).await;
    HttpResponse::Ok().finish()
}

#[utoipa::path(responses((status = 200)))]
#[get("/fail")]
pub(crate) async fn fails() -> ApiResult<HttpResponse> {
    Err(ApiError::unavailable("the database at 10.1.2.3 refused the password"))
}

/// An extractor of the framework, whose errors are plain text.
#[utoipa::path(responses((status = 200)))]
#[get("/foreign/{number}")]
pub(crate) async fn foreign(number: web::Path<u32>) -> String {
    number.to_string()
}
