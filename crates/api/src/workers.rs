//! Background work: writes token usage, removes expired rows.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use authority::executions::Executions;
use authority::leaks::Leaks;
use authority::mail::{Composed, Outbox};
use authority::operator::Operator;
use authority::sessions::Sessions;
use authority::usage::{FlushShare, Next};
use authority::validate::Validator;
use authority::webhooks::Webhooks;
use authority::{Context, usage};
use futures::future::select;
use token_domain::Span;
use token_domain::usage::Hour;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::assembly::Services;
use crate::config::Config;
use crate::mail::Mailer;
use crate::spare::Processors;
use crate::surface::leaks::alert_hosts::CodeHosts;
use crate::surface::webhooks::sender::Sender;

/// How often expired rows are removed. Expired rows have no effect, so this only saves space.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// How often operators' orders are read from the database; their commands wait this long for an answer.
const ORDERS: Duration = Duration::from_secs(1);

/// How often mail that is due is looked for.
const MAIL: Duration = Duration::from_secs(1);

/// How often tokens that end soon, and uses of tokens from new addresses, are looked for.
const NOTICES: Duration = Duration::from_mins(1);

/// How often webhooks for which something is due are looked for.
const WEBHOOKS: Duration = Duration::from_secs(1);

/// How often alerts of code hosts that are due are looked for.
const ALERTS: Duration = Duration::from_secs(1);

/// How many webhooks are sent to at once. An organisation has ten at most, so several of them can hang and others still get
/// through.
const WEBHOOKS_AT_ONCE: usize = 32;

/// How long old rows are kept.
#[derive(Clone, Copy, Debug)]
struct Retention {
    /// `None` keeps them for ever.
    executions: Option<Span>,
    usage: Span,
}

/// The running workers.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Stops the workers and waits until they have ended.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // An error means that the worker panicked, which is logged already.
            let _ = task.await;
        }
    }
}

/// Starts the workers; that of mail only where there is a server to hand it to.
pub(crate) fn start(config: &Config, services: &Services, mailer: Option<Mailer>, runtime: &Handle) -> Workers {
    let (stop, stopped) = watch::channel(false);
    let flusher = Flusher {
        interval: config.usage.flush_interval,
        share: FlushShare::percent(config.usage.flush_share_percent).unwrap_or(FlushShare::ALL),
        processors: Processors::default(),
        context: Arc::clone(&services.context),
        validator: Arc::clone(&services.validator),
    };
    let flush = flusher.run(stopped.clone());
    let orders = every(ORDERS, stopped.clone(), {
        let operator = Arc::new(Operator::new(&services.context));
        move || carry_out(Arc::clone(&operator))
    });
    let mail = mailer.map(|mailer| send_mail(mailer, Arc::clone(&services.outbox), stopped.clone()));
    let webhooks = config
        .webhooks
        .enabled
        .then(|| send_webhooks(Arc::clone(&services.webhooks), Arc::clone(&services.sender), stopped.clone()));
    let alerts = services.code_hosts.accept_alerts().then(|| {
        let (leaks, hosts) = (Arc::clone(&services.leaks), Arc::clone(&services.code_hosts));
        work_off_alerts(leaks, hosts, stopped.clone())
    });
    let notices = (config.webhooks.enabled || services.context.policy().mail.is_some()).then(|| {
        let context = Arc::clone(&services.context);
        every(NOTICES, stopped.clone(), move || notify(Arc::clone(&context)))
    });
    let tidy = every(HOUSEKEEPING, stopped, {
        let (context, sessions) = (Arc::clone(&services.context), Arc::clone(&services.sessions));
        let executions = Arc::clone(&services.executions);
        let retention = Retention {
            executions: config.executions.retention_days.map(Span::days),
            usage: Span::days(config.usage.retention_days),
        };
        move || tidy(Arc::clone(&context), Arc::clone(&sessions), Arc::clone(&executions), retention)
    });
    let mut tasks = vec![runtime.spawn(flush), runtime.spawn(orders), runtime.spawn(tidy)];
    tasks.extend(mail.map(|mail| runtime.spawn(mail)));
    tasks.extend(webhooks.map(|webhooks| runtime.spawn(webhooks)));
    tasks.extend(alerts.map(|alerts| runtime.spawn(alerts)));
    tasks.extend(notices.map(|notices| runtime.spawn(notices)));
    Workers { stop, tasks }
}

/// Carries out operators' orders. A failure is logged at debug level only, because other workers log a failing store.
async fn carry_out(operator: Arc<Operator>) {
    if let Err(error) = operator.serve().await {
        tracing::debug!(%error, "the orders of operators could not be read");
    }
}

/// Sends mail. A stop does not wait for a slow server: a message under way stays in the outbox and is sent again.
async fn send_mail(mailer: Mailer, outbox: Arc<Outbox>, mut stopped: watch::Receiver<bool>) {
    let mailer = Arc::new(mailer);
    let rounds = every(MAIL, stopped.clone(), move || send_due(Arc::clone(&mailer), Arc::clone(&outbox)));
    select(pin!(rounds), pin!(stopped.wait_for(|stopped| *stopped))).await;
}

/// A failure is logged at debug level only, because other workers log a failing store.
async fn send_due(mailer: Arc<Mailer>, outbox: Arc<Outbox>) {
    let send = |mail: Composed| {
        let mailer = Arc::clone(&mailer);
        async move { mailer.send(&mail).await }
    };
    if let Err(error) = outbox.send_due(send).await {
        tracing::debug!(%error, "mail could not be read from the database");
    }
}

/// Works off alerts of code hosts. A stop does not wait for a slow host: an alert under way is tried again after the next start.
async fn work_off_alerts(leaks: Arc<Leaks>, hosts: Arc<CodeHosts>, mut stopped: watch::Receiver<bool>) {
    let rounds = every(ALERTS, stopped.clone(), move || {
        let (leaks, hosts) = (Arc::clone(&leaks), Arc::clone(&hosts));
        async move {
            // Logged at debug level only, because other workers log a failing store.
            if let Err(error) = leaks.work_off_alerts(hosts.as_ref()).await {
                tracing::debug!(%error, "alerts about leaked secrets could not be worked off");
            }
        }
    });
    select(pin!(rounds), pin!(stopped.wait_for(|stopped| *stopped))).await;
}

/// Tells of tokens that end soon, and of those that were used from new addresses.
async fn notify(context: Arc<Context>) {
    match (context.warn_of_expiry().await, context.tell_of_new_addresses().await) {
        (Ok(expiring), Ok(addresses)) => tracing::debug!(expiring, addresses, "told of tokens"),
        (Err(error), _) | (_, Err(error)) => {
            tracing::debug!(%error, "notices about tokens could not be queued; the next round tries again");
        }
    }
}

/// Sends events to webhooks. Each webhook has a task, so that a receiver that hangs does not delay the others. A stop does not wait
/// for these tasks: an event whose delivery was not recorded is sent again after the next start.
async fn send_webhooks(webhooks: Arc<Webhooks>, sender: Arc<Sender>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(WEBHOOKS_AT_ONCE));
    let mut tasks = JoinSet::new();
    while !stops_within(WEBHOOKS, &mut stopped).await {
        while tasks.try_join_next().is_some() {}
        let free = u32::try_from(places.available_permits()).unwrap_or(0);
        let due = match webhooks.due(free).await {
            Ok(due) => due,
            Err(error) => {
                tracing::debug!(%error, "due webhooks could not be read from the database");
                continue;
            }
        };
        for id in due {
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
            let (webhooks, sender) = (Arc::clone(&webhooks), Arc::clone(&sender));
            tasks.spawn(async move {
                let send = |posted| {
                    let sender = Arc::clone(&sender);
                    async move { sender.send(posted).await }
                };
                if let Err(error) = webhooks.deliver(id, send).await {
                    tracing::debug!(%error, webhook = %id, "what was sent to a webhook could not be recorded");
                }
                drop(place);
            });
        }
    }
}

async fn every<F, W>(interval: Duration, mut stopped: watch::Receiver<bool>, work: W)
where
    F: Future<Output = ()>,
    W: Fn() -> F,
{
    while !stops_within(interval, &mut stopped).await {
        work().await;
    }
}

/// Waits for this time, or until the workers are to stop; returns whether they are.
async fn stops_within(wait: Duration, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::time::timeout(wait, stopped.wait_for(|stopped| *stopped)).await.is_ok()
}

/// The worker that writes token usage.
struct Flusher {
    interval: Duration,
    /// The largest share of the time for writing while the processor is busy.
    share: FlushShare,
    processors: Processors,
    context: Arc<Context>,
    validator: Arc<Validator>,
}

impl Flusher {
    async fn run(self, mut stopped: watch::Receiver<bool>) {
        while !stops_within(self.wait(), &mut stopped).await {
            let rest = |rest| {
                let mut stopped = stopped.clone();
                async move { if stops_within(rest, &mut stopped).await { Next::Stop } else { Next::Unit } }
            };
            let share = || share(self.share, self.processors.have_time());
            if let Err(error) = self.validator.flush_at_pace(share, rest).await {
                tracing::warn!(%error, "token usage could not be written; it is kept for the next flush");
            }
        }
    }

    /// The time until the next flush: the interval, or less at the end of an hour, so that uses count in their own
    /// hour.
    fn wait(&self) -> Duration {
        let now = self.context.now();
        let left = Hour::of(now).ends().since(now);
        self.interval.min(Duration::from_micros(u64::try_from(left.as_micros()).unwrap_or(0)))
    }
}

/// The share of the time for writing: the configured one, unless the processor has idle time.
fn share(configured: FlushShare, has_time: bool) -> FlushShare {
    if has_time { configured.max(FlushShare::SPARE) } else { configured }
}

async fn tidy(context: Arc<Context>, sessions: Arc<Sessions>, executions: Arc<Executions>, retention: Retention) {
    let sessions = sessions.forget_expired().await;
    let executions = executions.forget_old(retention.executions).await;
    let usage = usage::forget_old(context.store(), context.now(), retention.usage).await;
    let rest = context.forget_old().await;
    match (sessions, executions, usage, rest) {
        (Ok(sessions), Ok(executions), Ok(usage), Ok(rest)) => {
            tracing::debug!(sessions, executions, usage, rest, "removed expired rows");
        }
        (Err(error), _, _, _) | (_, Err(error), _, _) | (_, _, Err(error), _) | (_, _, _, Err(error)) => {
            tracing::warn!(%error, "expired rows could not be removed; the next round tries again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_share_is_a_bound_only_while_others_want_the_processor() {
        let percent = |percent| FlushShare::percent(percent).unwrap();
        for (configured, has_time, taken) in [(1, false, 1), (1, true, 50), (80, false, 80), (80, true, 80)] {
            assert_eq!(share(percent(configured), has_time), percent(taken), "{configured} {has_time}");
        }
    }
}
