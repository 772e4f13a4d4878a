//! What the guard and the extractors need at each request: limits, origins, metrics, fast paths, whether the server is
//! stopping. One [`Edge`] per worker.

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

/// The same for all workers; cloned into each.
#[derive(Clone)]
pub struct EdgeParts {
    /// Read by extractors.
    pub limits: Limits,
    /// Which web origins may call.
    pub cors: Cors,
    /// How people reach the server from outside.
    pub transport: Transport,
    /// Whether the server is stopping.
    pub drain: Drain,
    /// What is closed until the deployment is set up; `None` once it was at the start.
    pub gate: Option<Gate>,
    /// Counters, bound at start.
    pub metrics: HttpMetrics,
    /// Routes that get a request id and counters and little else; they are called thousands of times a second.
    pub hot: Arc<[Hot]>,
    /// Whether other requests are logged.
    pub access_log: bool,
    /// Where the metadata of this resource is (RFC 9728), for challenges; nothing if nobody says.
    pub resource_metadata: Option<Arc<str>>,
    /// Draws 64 random bits; called once for each worker.
    pub draw: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// How people reach a server from outside, whatever a proxy in front speaks to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By `https`: browsers are told to use nothing else.
    Https,
    /// By `http`, or nobody said.
    Any,
}

/// What extractors need to know.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most a request may take, its body included.
    pub deadline: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Tells once of somebody else's.
    pub untrusted_proxy: UntrustedProxy,
}

impl Limits {
    /// When the body of a request has to be there: a little before the deadline, so that a connection whose body drips is
    /// closed by then. The server lingers after its answer, which lets a client that is still sending read it before the
    /// connection breaks.
    pub fn body_deadline(&self) -> Duration {
        self.deadline.saturating_sub(LINGER).max(self.deadline / 2)
    }
}

/// Of so many requests to hot routes on a worker, one is measured: two looks at the clock and a histogram, which has a lock,
/// are dear beside an answer from memory.
const MEASURED: u64 = 64;

/// How long a connection that is to end goes on reading.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// The edge of one worker.
pub struct Edge {
    pub(super) parts: EdgeParts,
    pub(super) ids: RequestIds,
    /// Requests that failed because something could not be reached.
    pub(super) failures: Failures,
    /// Requests to hot routes, so that one of many is measured.
    hot_requests: Cell<u64>,
    /// What challenges end with. Of this worker alone, so that nothing is counted across workers.
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

    /// Ends the challenge of an answer, if it has one, with where the metadata of this resource is (RFC 9728 §5.1).
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

    /// The limits of the server this request came to; the strictest sensible ones off a server, in a unit test.
    pub fn of(request: &HttpRequest) -> &Limits {
        static ALONE: LazyLock<Limits> = LazyLock::new(|| Limits {
            deadline: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
            untrusted_proxy: UntrustedProxy::default(),
        });
        request.app_data::<Rc<Self>>().map_or(&ALONE, |edge| &edge.parts.limits)
    }

    /// The hot route of this request, if it has one. A page's request goes the longer way, where its origin is looked at,
    /// and so does every request to a deployment that is not set up; where neither can be, that costs two comparisons.
    #[inline]
    pub(super) fn hot(&self, path: &str, headers: &HeaderMap) -> Option<&Hot> {
        let EdgeParts { gate, cors, hot, .. } = &self.parts;
        if gate.as_ref().is_some_and(|gate| !gate.is_open()) || cors.is_asked(headers) {
            return None;
        }
        hot.iter().find(|hot| hot.path.has(path))
    }

    /// When a request to a hot route began, if it is one that is measured.
    #[inline]
    pub(super) fn measured(&self) -> Option<Instant> {
        let before = self.hot_requests.get();
        self.hot_requests.set(before.wrapping_add(1));
        before.is_multiple_of(MEASURED).then(Instant::now)
    }
}
