//! A real server on a free port with routes for tests of the edge: they echo, sleep, panic and fail.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, get, post, put, web};
use edge::app::{Description, Insight, Pages, Register, Site, SiteParts, Surfaces};
use edge::codes::Code;
use edge::cors::Cors;
use edge::drain::Drain;
use edge::error::{ApiError, ApiResult, exact};
use edge::extract::path::Unreadable;
use edge::extract::{ClientIp, Credentials, Json, Limit, OptionalJson, PathParam, Query, Segment};
use edge::hot::{Extras, Hot, HotPath};
use edge::listen::Listen;
use edge::metrics::HttpMetrics;
use edge::parts::{EdgeParts, Limits, Transport};
use edge::routes::PagePath;
use edge::server::{self, Settings};
use edge::untrusted_proxy::UntrustedProxy;
use futures::FutureExt as _;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt as _;

/// The settings of a server that a test may change.
pub(crate) struct Ground {
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) origins: Vec<String>,
    pub(crate) transport: Transport,
    pub(crate) insight: Insight,
    /// The listener of the paths for operators, if they have their own.
    pub(crate) insight_place: Listen,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            settings: Settings {
                listen: Listen::Network((Ipv4Addr::LOCALHOST, 0).into()),
                workers: 1,
                max_connections: 25_000,
                keep_alive: Duration::from_secs(75),
                head_deadline: Duration::from_secs(5),
                drain_delay: Duration::ZERO,
                shutdown_grace: Duration::from_secs(30),
            },
            limits: Limits {
                deadline: Duration::from_secs(10),
                trusted_proxies: Vec::new(),
                untrusted_proxy: UntrustedProxy::default(),
            },
            origins: Vec::new(),
            transport: Transport::Any,
            insight: Insight::Here,
            insight_place: Listen::Network((Ipv4Addr::LOCALHOST, 0).into()),
        }
    }
}

/// A server that stops when dropped.
pub(crate) struct EdgeServer {
    pub(crate) address: SocketAddr,
    /// The address of the paths for operators, if they have their own listener.
    pub(crate) insight: Option<SocketAddr>,
    /// Both listeners; Unix sockets have no address above.
    pub(crate) places: Vec<Listen>,
    /// What the readiness check of `/ready` reports.
    pub(crate) database_is_well: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EdgeServer {
    /// Starts a server with the settings that `change` makes.
    pub(crate) fn start(change: impl FnOnce(&mut Ground)) -> Self {
        let mut ground = Ground::default();
        change(&mut ground);
        let database_is_well = Arc::new(AtomicBool::new(true));
        let (started, places) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (settings, site) = (ground.settings.clone(), site(&ground, database_is_well.clone()));
        let elsewhere =
            (ground.insight == Insight::Elsewhere).then(|| (ground.insight_place.clone(), site.insight(collect)));
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = server::start_with(site, &settings, elsewhere).unwrap();
                let places = [Some(running.place.clone()), running.insight.clone()].into_iter().flatten();
                started.send(places.collect::<Vec<_>>()).unwrap();
                running.until(stopped.map(drop)).await.unwrap();
            });
        });
        let places: Vec<Listen> = places.recv().unwrap();
        let address = |place: &Listen| match place {
            Listen::Network(address) => *address,
            Listen::Socket(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        };
        let (main, insight) = (address(&places[0]), places.get(1).map(address));
        Self { address: main, insight, places, database_is_well, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to stop, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has stopped.
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

fn site(ground: &Ground, well: Arc<AtomicBool>) -> Site {
    let mut registry = Registry::with_prefix("nolapse");
    let edge = EdgeParts {
        gate: None,
        limits: ground.limits.clone(),
        transport: ground.transport,
        cors: Cors::new(&ground.origins),
        drain: Drain::default(),
        metrics: HttpMetrics::register(&mut registry),
        hot: Arc::new([Hot::routed("/hot"), at_once()]),
        access_log: false,
        resource_metadata: None,
        draw: Arc::new(|| 0x0123_4567_89ab_cdef),
    };
    let readiness = move || {
        let failing = if well.load(Ordering::SeqCst) { vec![] } else { vec!["database"] };
        async move { failing }.boxed()
    };
    Site::new(SiteParts {
        edge,
        readiness: Arc::new(readiness),
        registry: Some(Arc::new(registry)),
        surfaces: surfaces(),
        description: Description { collect, complete: Ok, with_slashes: &[] },
        pages: vec![PAGES],
        insight: ground.insight,
    })
}

fn collect(routes: &Register<'_>) -> OpenApi {
    App::new().into_utoipa_app().configure(routes).split_for_parts().1
}

const PAGES: Pages = Pages { paths: &[PagePath::read("/page")], register: pages };

fn pages(config: &mut web::ServiceConfig) {
    config.service(page);
}

/// A page beside the operations.
#[get("/page")]
async fn page() -> &'static str {
    "a page"
}

/// A hot route without a handler: only its fast path answers.
fn at_once() -> Hot {
    let answer = |_: &HttpRequest, body: &[u8]| match body {
        b"yes" => Some(Ok(HttpResponse::Ok().body("at once"))),
        b"no" => Some(Err(ApiError::from(Code::Conflict))),
        b"panic" => panic!("an answer at once panicked"),
        _ => None,
    };
    Hot { path: HotPath::Whole("/at-once"), at_once: Some(Arc::new(answer)), extras: Extras::Everything }
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

/// An optional body.
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
