//! The data that the guard and the extractors need for each request: limits, origins, metrics, fast paths, whether the
//! server is stopping. One [`Edge`] per worker.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use ipnet::IpNet;

use super::cors::Cors;
use super::drain::Drain;
use super::failures::Failures;
use super::gate::Gate;
use super::hot::Hot;
use super::metrics::HttpMetrics;
use super::request_id::RequestIds;
use super::untrusted_proxy::UntrustedProxy;

/// The parts that all workers share; cloned into each.
#[derive(Clone)]
pub struct EdgeParts {
    /// Limits that extractors apply.
    pub limits: Limits,
    /// Which web origins may call.
    pub cors: Cors,
    /// How people reach the server from outside.
    pub transport: Transport,
    /// Whether the server is stopping.
    pub drain: Drain,
    /// Refuses requests until the deployment is set up; `None` if it was set up at start.
    pub gate: Option<Gate>,
    /// Metrics, registered at start.
    pub metrics: HttpMetrics,
    /// The hot routes.
    pub hot: Arc<[Hot]>,
    /// Whether requests to other routes are logged.
    pub access_log: bool,
    /// The URL of the protected resource metadata (RFC 9728) for challenges; `None` without a public URL.
    pub resource_metadata: Option<Arc<str>>,
    /// Returns 64 random bits for request ids; called once for each worker.
    pub draw: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// How people reach the server from outside, whatever protocol a proxy in front speaks to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By `https`: browsers are told to use nothing else.
    Https,
    /// By `http`, or not configured.
    Any,
}

/// Limits that extractors apply.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The deadline of a request, its body included.
    pub deadline: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Logs once that a proxy is not among them.
    pub untrusted_proxy: UntrustedProxy,
}

impl Limits {
    /// The deadline for a request's body: a little earlier, so that a connection whose body drips is closed by the
    /// request's deadline. After its answer the server lingers, so that a client that is still sending can read the
    /// answer before the connection ends.
    pub fn body_deadline(&self) -> Duration {
        self.deadline.saturating_sub(LINGER).max(self.deadline / 2)
    }
}

/// One in this many requests to hot routes of a worker is measured: reading the clock twice and locking the histogram
/// would cost much beside an answer from memory.
const MEASURED: u64 = 64;

/// How long a connection still reads after its last answer.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// The edge of one worker.
pub struct Edge {
    pub(super) parts: EdgeParts,
    pub(super) ids: RequestIds,
    /// The log limit for requests that failed because a dependency could not be reached.
    pub(super) failures: Failures,
    /// The count of requests to hot routes, for sampling.
    hot_requests: Cell<u64>,
    /// The end of challenges: `resource_metadata`. An `Rc` of this worker, so that workers share no reference count.
    challenge_end: Option<Rc<str>>,
}

impl Edge {
    /// The edge of a new worker.
    pub fn new(parts: EdgeParts) -> Rc<Self> {
        let ids = RequestIds::new((parts.draw)());
        let end = |url: &Arc<str>| Rc::from(format!(", resource_metadata=\"{url}\""));
        let challenge_end = parts.resource_metadata.as_ref().map(end);
        Rc::new(Self { parts, ids, failures: Failures::default(), hot_requests: Cell::new(0), challenge_end })
    }

    /// Appends `resource_metadata` (RFC 9728 §5.1) to the challenge of an answer, if it has one.
    #[inline]
    pub(super) fn complete_challenge<B>(&self, response: &mut HttpResponse<B>) {
        let Some(end) = &self.challenge_end else { return };
        if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return;
        }
        let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let completed =
            challenge.filter(|challenge| challenge.starts_with("Bearer ")).map(|start| format!("{start}{end}"));
        if let Some(value) = completed.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
    }

    /// The server's limits; in a unit test without a server, strict defaults.
    pub fn of(request: &HttpRequest) -> &Limits {
        static ALONE: LazyLock<Limits> = LazyLock::new(|| Limits {
            deadline: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
            untrusted_proxy: UntrustedProxy::default(),
        });
        request.app_data::<Rc<Self>>().map_or(&ALONE, |edge| &edge.parts.limits)
    }

    /// The hot route of this request, if it has one. A request with an `Origin` is not treated as hot, because CORS is
    /// handled on the other routes, nor is any request before the deployment is set up. Without an allow-list and a
    /// gate these checks cost two comparisons.
    #[inline]
    pub(super) fn hot(&self, path: &str, headers: &HeaderMap) -> Option<&Hot> {
        let EdgeParts { gate, cors, hot, .. } = &self.parts;
        if gate.as_ref().is_some_and(|gate| !gate.is_open()) || cors.is_asked(headers) {
            return None;
        }
        hot.iter().find(|hot| hot.path.has(path))
    }

    /// The start time of a request to a hot route, if it is sampled.
    #[inline]
    pub(super) fn measured(&self) -> Option<Instant> {
        let before = self.hot_requests.get();
        self.hot_requests.set(before.wrapping_add(1));
        before.is_multiple_of(MEASURED).then(Instant::now)
    }
}
