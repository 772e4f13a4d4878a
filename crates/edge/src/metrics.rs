//! Metrics of the HTTP edge. Labels are bounded: route patterns instead of paths, and known methods only.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::hot::HotPath;

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 14] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
/// The buckets for hot routes, most of whose answers take microseconds.
const HOT_BUCKETS: [f64; 12] =
    [0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.001, 0.005, 0.025, 0.1, 1.0, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pattern {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Class {
    class: &'static str,
}

/// Handles to the metrics of the edge. Clones share the counters.
#[derive(Clone)]
pub struct HttpMetrics {
    requests: Family<Answer, Counter>,
    durations: Family<Pattern, Histogram, fn() -> Histogram>,
    hot_durations: Family<Pattern, Histogram, fn() -> Histogram>,
    classes: [Counter; 5],
    in_flight: Gauge,
    panics: Counter,
    overdue: Counter,
}

impl HttpMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let classes = Family::<Class, Counter>::default();
        let bound = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| classes.get_or_create_owned(&Class { class }));
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            hot_durations: Family::new_with_constructor(|| Histogram::new(HOT_BUCKETS)),
            classes: bound,
            in_flight: Gauge::default(),
            panics: Counter::default(),
            overdue: Counter::default(),
        };
        registry.register("http_responses", "Responses of every route, by class of status", classes);
        registry.register(
            "http_requests",
            "Requests but for hot routes, by method, route and status",
            metrics.requests.clone(),
        );
        let help = "Time to answer a request, but for hot routes";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, metrics.durations.clone());
        let help = "Time to answer a request of a hot route; one request in 64 is measured";
        registry.register_with_unit("http_hot_request_duration", help, Unit::Seconds, metrics.hot_durations.clone());
        registry.register(
            "http_requests_in_flight",
            "Requests being worked on, but for hot routes",
            metrics.in_flight.clone(),
        );
        registry.register("http_panics", "Requests whose handler panicked", metrics.panics.clone());
        registry.register("http_overdue", "Requests ended at their deadline", metrics.overdue.clone());
        metrics
    }

    /// Counts a response of any route.
    pub(super) fn responded(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, self.classes.len());
        self.classes[class - 1].inc();
    }

    /// Counts a request of a route that is not hot.
    pub(super) fn finished(&self, method: &Method, route: String, status: StatusCode, elapsed: Duration) {
        self.durations.get_or_create(&Pattern { route: route.clone() }).observe(elapsed.as_secs_f64());
        self.requests.get_or_create(&Answer { method: known(method), route, status: status.as_u16() }).inc();
    }

    /// Records the duration of a sampled request to a hot route.
    pub(super) fn answered_hot(&self, path: HotPath, elapsed: Duration) {
        let pattern = Pattern { route: path.name().to_owned() };
        self.hot_durations.get_or_create(&pattern).observe(elapsed.as_secs_f64());
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    pub(super) fn overdue(&self) {
        self.overdue.inc();
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }
}

/// A request in flight.
pub(super) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
