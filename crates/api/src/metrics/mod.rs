//! Metrics of the service itself, read at each scrape from the modules that count.

mod process;

use std::fmt;
use std::sync::Arc;

use authority::Context;
use authority::ledger::Ledger;
use authority::limits::SharedLimitCounters;
use authority::mail::{MailCounters, Outbox};
use authority::shared::SharedCounters;
use authority::validate::Validator;
use authority::webhooks::{DeliveryCounters, Webhooks};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::assembly::Services;
use crate::membership::{Membership, NodeStatus, RedisStatus};
use crate::telemetry::Dropped;

/// The prefix of the service's own metrics.
const PREFIX: &str = "nolapse";

/// Registers the collectors below and the process metrics; returns the part of the registry for the service's own
/// metrics.
pub(crate) fn register<'r>(
    registry: &'r mut Registry,
    services: &Services,
    membership: &Arc<Membership>,
    log_dropped: Dropped,
) -> &'r mut Registry {
    registry.register_collector(Box::new(process::Process));
    let registry = registry.sub_registry_with_prefix(PREFIX);
    registry.register("build", "The version that is running", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let (context, validator) = (Arc::clone(&services.context), Arc::clone(&services.validator));
    // Without mail there is nothing to count.
    let outbox = context.policy().mail.is_some().then(|| Arc::clone(&services.outbox));
    let webhooks = context.policy().webhooks.then(|| Arc::clone(&services.webhooks));
    let membership = Arc::clone(membership);
    if membership.status().is_some() {
        let help = "How long a change that takes rights away waited for the other nodes";
        registry.register("ack_wait_seconds", help, membership.ack_wait());
    }
    registry.register_collector(Box::new(Service { context, outbox, webhooks, validator, membership, log_dropped }));
    registry
}

struct Service {
    context: Arc<Context>,
    outbox: Option<Arc<Outbox>>,
    webhooks: Option<Arc<Webhooks>>,
    validator: Arc<Validator>,
    membership: Arc<Membership>,
    log_dropped: Dropped,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl Collector for Service {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counter = ConstCounter::new(0_u64);
        let mut outcomes =
            encoder.encode_descriptor("validations", "Validations by outcome", None, counter.metric_type())?;
        for (outcome, count) in self.validator.counters().snapshot() {
            ConstCounter::new(count).encode(outcomes.encode_family(&[("outcome", outcome)])?)?;
        }
        let lane = self.context.lane();
        let store = self.context.store().counters();
        let counters = [
            ("slow_hashes", "bcrypt and argon2 computations started", lane.runs()),
            ("slow_hashes_refused", "Callers turned away from the lane for slow hashes", lane.refused()),
            ("candidate_reads", "Reads of the database made for validation", store.candidate_reads()),
            ("cache_evictions", "Remembered tokens that made room for others", self.validator.evicted()),
            ("store_reads", "Other reads of the database", store.reads()),
            ("store_writes", "Units of work written to the database", store.writes()),
            ("log_dropped", "Log lines dropped because nobody took them in time", self.log_dropped.count()),
            ("long_reads", "Lists and searches taken into their lane", store.lane_reads()),
            ("long_reads_refused", "Lists and searches turned away because too many waited", store.lane_refusals()),
            (
                "foreign_commits",
                "Times another program was seen to write to the SQLite file; each empties the memory of tokens",
                store.foreign_commits(),
            ),
            ("commit_unknown", "Commits of which nobody knows whether they took effect", store.unknown_commits()),
            (
                "fail_closed",
                "Times the memory of tokens was not used because this process's lease was over",
                self.context.fail_closed(),
            ),
            ("store_commits", "Commits; fewer than units of work where units are grouped", store.commits()),
        ];
        for (name, help, value) in counters {
            let metric = ConstCounter::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        if let Some(outbox) = &self.outbox {
            encode_mail(&mut encoder, outbox.counters())?;
        }
        if let Some(webhooks) = &self.webhooks {
            encode_webhooks(&mut encoder, webhooks.counters())?;
        }
        if let Some(ledger) = self.context.ledger() {
            encode_ledger(&mut encoder, ledger)?;
        }
        if let Some(status) = self.membership.status() {
            encode_node(&mut encoder, status)?;
        }
        if let Some(status) = self.membership.redis_status() {
            encode_redis(&mut encoder, status)?;
        }
        if let Some(counters) = self.context.shared_counters() {
            encode_shared(&mut encoder, counters)?;
        }
        if let Some(counters) = self.context.shared_limits() {
            encode_shared_limits(&mut encoder, counters)?;
        }
        let backlog = self.validator.uses().backlog(self.context.now());
        let age = usize::try_from(backlog.age.as_seconds()).unwrap_or(0);
        let gauges = [
            ("uses_waiting", "Tokens whose uses wait to be written down", backlog.tokens),
            ("uses_waiting_seconds", "How long ago the earliest use that waits was noted", age),
            ("cached_tokens", "Tokens remembered", self.validator.cached()),
            ("cached_bytes", "Memory that remembered tokens take", self.validator.cached_bytes()),
            ("cached_unknown", "Unknown digests remembered", self.validator.cached_unknown()),
        ];
        for (name, help, value) in gauges {
            let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}

/// Encodes the metrics of a deployment that sends mail.
fn encode_mail(encoder: &mut DescriptorEncoder<'_>, counters: &MailCounters) -> fmt::Result {
    let counter = ConstCounter::new(0_u64);
    let help = "Messages by what became of them; a deferred one is tried again";
    let mut outcomes = encoder.encode_descriptor("mail", help, None, counter.metric_type())?;
    for (outcome, count) in
        [("sent", counters.sent()), ("deferred", counters.deferred()), ("dropped", counters.dropped())]
    {
        ConstCounter::new(count).encode(outcomes.encode_family(&[("outcome", outcome)])?)?;
    }
    let waiting = ConstGauge::new(i64::try_from(counters.waiting()).unwrap_or(i64::MAX));
    waiting.encode(encoder.encode_descriptor(
        "mail_waiting",
        "Messages that wait to be sent",
        None,
        waiting.metric_type(),
    )?)
}

/// Encodes the metrics of a deployment that sends to webhooks.
fn encode_webhooks(encoder: &mut DescriptorEncoder<'_>, counters: &DeliveryCounters) -> fmt::Result {
    let counter = ConstCounter::new(0_u64);
    let help = "Attempts to send an event to a webhook, by what became of them; a failed one is tried again";
    let mut outcomes = encoder.encode_descriptor("webhook_attempts", help, None, counter.metric_type())?;
    for (outcome, count) in [("delivered", counters.delivered()), ("failed", counters.failed())] {
        ConstCounter::new(count).encode(outcomes.encode_family(&[("outcome", outcome)])?)?;
    }
    Ok(())
}

/// Encodes the metrics of the ledger of revocations.
fn encode_ledger(encoder: &mut DescriptorEncoder<'_>, ledger: &Ledger) -> fmt::Result {
    let counters = [
        ("ledger_entries", "Entries written to the ledger of revocations", ledger.written()),
        ("ledger_failures", "Times the ledger of revocations could not be written", ledger.failures()),
        ("ledger_repeated", "Changes repeated because the database had lost them", ledger.repeated()),
    ];
    for (name, help, value) in counters {
        let metric = ConstCounter::new(value);
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
    }
    let waiting = ConstGauge::new(i64::try_from(ledger.waiting()).unwrap_or(i64::MAX));
    let help = "Entries that the ledger of revocations still lacks, because its disk fails";
    waiting.encode(encoder.encode_descriptor("ledger_waiting", help, None, waiting.metric_type())?)
}

/// Encodes the metrics that only nodes on a shared database have.
fn encode_node(encoder: &mut DescriptorEncoder<'_>, status: NodeStatus) -> fmt::Result {
    let applied = ConstGauge::new(status.applied);
    let help = "Entries of the log of changes that this node has applied";
    applied.encode(encoder.encode_descriptor("log_applied_seq", help, None, applied.metric_type())?)?;
    let registrations = ConstCounter::new(status.registrations);
    let help = "Times this node had to register; more than one after it was away for longer than its lease";
    registrations.encode(encoder.encode_descriptor(
        "node_registrations",
        help,
        None,
        registrations.metric_type(),
    )?)?;
    let seconds = [
        ("log_lag_seconds", "How long ago the log of changes was last read to its end", status.lag),
        ("lease_remaining_seconds", "How long this node may go on answering from memory", status.lease_left),
    ];
    for (name, help, value) in seconds {
        let metric = ConstGauge::new(value.as_secs_f64());
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
    }
    Ok(())
}

/// Encodes the metrics of a node that shares a Redis with others.
fn encode_redis(encoder: &mut DescriptorEncoder<'_>, status: RedisStatus) -> fmt::Result {
    let up = ConstGauge::new(i64::from(status.is_up));
    up.encode(encoder.encode_descriptor("redis_up", "Whether Redis is connected", None, up.metric_type())?)?;
    let counters = [
        ("redis_hints_sent", "Hints of changes that were published", status.hints_sent),
        ("redis_hints_received", "Hints of changes that were received", status.hints_heard),
        ("redis_failures", "Times Redis failed or was too slow; each leaves it alone for a second", status.failures),
    ];
    for (name, help, value) in counters {
        let metric = ConstCounter::new(value);
        metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
    }
    Ok(())
}

/// Encodes how often attempts were counted with the other nodes.
fn encode_shared_limits(encoder: &mut DescriptorEncoder<'_>, counters: &SharedLimitCounters) -> fmt::Result {
    let help = "Attempts that this node let in, by what counting them with the other nodes in Redis came to; where that is \
                unavailable, the node's own count decided";
    encode_outcomes(encoder, "shared_limits", help, &counters.snapshot())
}

/// Encodes how often facts were taken from the cache that the nodes share.
fn encode_shared(encoder: &mut DescriptorEncoder<'_>, counters: &SharedCounters) -> fmt::Result {
    let help =
        "Tokens looked for in the shared cache by what came of it; a refused entry may be outdated or is not ours";
    encode_outcomes(encoder, "shared_cache", help, &counters.snapshot())
}

/// Encodes one counter with a value for each outcome.
fn encode_outcomes(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, counts: &[(&str, u64)]) -> fmt::Result {
    let counter = ConstCounter::new(0_u64);
    let mut outcomes = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
    for (outcome, count) in counts {
        ConstCounter::new(*count).encode(outcomes.encode_family(&[("outcome", *outcome)])?)?;
    }
    Ok(())
}
