//! Sending to webhooks what waits for them.
//!
//! A node takes a webhook for a minute and sends what is due, one request at a time. So an endpoint that hangs takes one of the
//! node's places, and after each failure it rests, up to a minute: it never holds up another organisation's. A delivery is
//! recorded when it was answered; a node that crashes before sends it again, under the same id.

use std::sync::atomic::{AtomicU64, Ordering};

use storage::model::{AttemptEnd, ClaimedWebhook, DeliveryAttempt, DueDelivery};
use token_domain::id::WebhookId;
use token_domain::record::{DeliveryError, Principal, Webhook};
use token_domain::{Span, Timestamp};

use super::edit::note;
use super::secret::{self, WebhookSecret};
use super::{WebhookError, Webhooks};
use crate::change::Ask;
use crate::env::random;
use crate::error::Failure;
use crate::origin::Origin;

/// How long a node has a webhook to itself.
const CLAIM: Span = Span::seconds(60);
/// The least that must be left of it to begin another attempt, which takes ten seconds at most.
const LEFT: Span = Span::seconds(20);
/// Deliveries made before a webhook is given back, so that others get their turn.
const IN_A_ROW: u32 = 16;
/// The waits after failed attempts; after the last the delivery is given up, three days after the event.
const WAITS: [Span; 9] = [
    Span::seconds(5),
    Span::seconds(5 * 60),
    Span::seconds(30 * 60),
    Span::seconds(2 * 3_600),
    Span::seconds(5 * 3_600),
    Span::seconds(10 * 3_600),
    Span::seconds(14 * 3_600),
    Span::seconds(20 * 3_600),
    Span::seconds(24 * 3_600),
];
/// How long an event waits for an endpoint at most: one that answers nothing gets fewer attempts than there are events.
const KEPT: Span = Span::days(4);
/// How long an endpoint rests after a failure; each further one doubles it.
const FIRST_REST: Span = Span::seconds(5);
/// The longest rest.
const LONGEST_REST: Span = Span::seconds(60);

/// A message as it is sent.
pub struct Posted {
    /// Where to.
    pub url: String,
    /// `webhook-id`: the same at every attempt.
    pub id: String,
    /// `webhook-timestamp`: when this attempt is made, in seconds after 1970.
    pub seconds: i64,
    /// `webhook-signature`: by the secret in force, and by the one before while it counts, with a space between them.
    pub signature: String,
    /// The JSON.
    pub body: String,
}

/// Without the query of the URL, and without the body.
impl std::fmt::Debug for Posted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Posted({})", self.id)
    }
}

/// Why there was no answer; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The host resolves to an address that this service does not connect to.
    Forbidden(String),
    /// No connection, no answer in time, or something that is no answer.
    NoAnswer(String),
}

/// What became of attempts since the start of this process.
#[derive(Debug, Default)]
pub struct DeliveryCounters {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl DeliveryCounters {
    /// Attempts that were answered with a 2xx.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Attempts that were not.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// What an attempt came to.
struct Answer {
    status: Option<u16>,
    error: Option<DeliveryError>,
}

impl Answer {
    fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the endpoint says that it is gone for good.
    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

impl Webhooks {
    /// What became of attempts.
    pub const fn counters(&self) -> &DeliveryCounters {
        &self.counters
    }

    /// Webhooks for which something is due, the longest due first.
    ///
    /// # Errors
    /// The store's.
    pub async fn due(&self, limit: u32) -> Result<Vec<WebhookId>, Failure> {
        let now = self.context.now();
        let read = self.context.store.read(move |reads| Box::pin(async move { reads.due_webhooks(now, limit).await }));
        Ok(read.await?)
    }

    /// Sends what is due to one webhook, unless another node does. It stops at the first failure, when its time is over, or when
    /// it was given up meanwhile; `send` takes ten seconds at most.
    ///
    /// # Errors
    /// The store's. What was sent by then and not recorded is sent again when the claim is over.
    pub async fn deliver<S, F>(&self, id: WebhookId, send: S) -> Result<(), Failure>
    where
        S: Fn(Posted) -> F + Send + Sync,
        F: Future<Output = Result<u16, Unsent>> + Send,
    {
        let now = self.context.now();
        let until = now + CLAIM;
        let claimed = self
            .context
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.claim_webhook(id, now, until).await?) }));
        let Some(claimed) = claimed.await? else { return Ok(()) };
        let secrets = self.secrets(&claimed, now).await?;
        let due = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.due_deliveries(id, now, IN_A_ROW).await }));
        let mut failures = claimed.webhook.failures;
        let mut is_gone = false;
        for delivery in due.await? {
            if self.context.now() + LEFT > until || !self.is_wanted(&claimed.webhook).await? {
                break;
            }
            let answer = self.attempt(&claimed.webhook.url, &secrets, &delivery, &send).await;
            self.record(id, &delivery, &answer).await?;
            is_gone = answer.is_gone();
            if answer.is_success() {
                failures = 0;
            } else {
                failures = failures.saturating_add(1);
                break;
            }
        }
        if is_gone {
            self.disable(&claimed.webhook).await?;
        }
        self.give_back(id, until, failures).await
    }

    /// Whether a webhook is still sent to: it was not deleted, disabled or moved, and its organisation is not disabled.
    async fn is_wanted(&self, claimed: &Webhook) -> Result<bool, Failure> {
        let (organization, id) = (claimed.organization_id, claimed.id);
        let read = self.context.store.read(move |reads| {
            Box::pin(
                async move { Ok((reads.webhook(organization, id).await?, reads.organization(organization).await?)) },
            )
        });
        let (webhook, organization) = read.await?;
        Ok(webhook.is_some_and(|webhook| webhook.is_enabled && webhook.url == claimed.url)
            && organization.is_some_and(|organization| organization.disabled_at.is_none()))
    }

    /// The secrets that sign, sealed anew if an earlier tag key had sealed them. Nothing where they cannot be opened.
    async fn secrets(&self, claimed: &ClaimedWebhook, now: Timestamp) -> Result<Vec<WebhookSecret>, Failure> {
        let id = claimed.webhook.id;
        let (secrets, resealed) = match secret::open(&self.context, id, &claimed.secrets, now) {
            Ok(opened) => opened,
            Err(failure) => {
                tracing::error!(webhook = %id, %failure, "nothing can be sent to a webhook: rotate its secret, or put the earlier tag key back");
                return Ok(Vec::new());
            }
        };
        if let Some(resealed) = resealed {
            let expected = claimed.secrets.current.clone();
            let write = self.context.store.write(move |tx| {
                Box::pin(async move { Ok::<_, Failure>(tx.reseal_webhook(id, &resealed, &expected).await?) })
            });
            write.await?;
        }
        Ok(secrets)
    }

    async fn attempt<S, F>(&self, url: &str, secrets: &[WebhookSecret], delivery: &DueDelivery, send: &S) -> Answer
    where
        S: Fn(Posted) -> F + Send + Sync,
        F: Future<Output = Result<u16, Unsent>> + Send,
    {
        let no_answer = |error| Answer { status: None, error: Some(error) };
        if secrets.is_empty() {
            return no_answer(DeliveryError::SecretUnavailable);
        }
        let (id, body) = (delivery.id.to_string(), delivery.body.clone());
        // Receivers compare it with their own clocks.
        let seconds = self.context.wall().as_micros().div_euclid(1_000_000);
        let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(&id, seconds, &body)).collect();
        let posted = Posted { url: url.to_owned(), id, seconds, signature: signatures.join(" "), body };
        match send(posted).await {
            Ok(status) => Answer { status: Some(status), error: None },
            Err(Unsent::Forbidden(why)) => {
                tracing::warn!(delivery = %delivery.id, why, "a webhook's address is not allowed");
                no_answer(DeliveryError::AddressNotAllowed)
            }
            Err(Unsent::NoAnswer(why)) => {
                tracing::debug!(delivery = %delivery.id, why, "a webhook did not answer");
                no_answer(DeliveryError::NoAnswer)
            }
        }
    }

    /// Records an attempt, and plans the next one after a failure.
    async fn record(&self, id: WebhookId, delivery: &DueDelivery, answer: &Answer) -> Result<(), Failure> {
        let counter = if answer.is_success() { &self.counters.delivered } else { &self.counters.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        let at = self.context.now();
        let end = match wait_after(delivery.attempts) {
            _ if answer.is_success() => AttemptEnd::Delivered,
            Some(wait) if !answer.is_gone() => {
                AttemptEnd::Again(at + jittered(wait, random(self.context.entropy.as_ref())?))
            }
            Some(_) | None => AttemptEnd::Failed,
        };
        let attempt =
            DeliveryAttempt { before: delivery.attempts, at, status: answer.status, error: answer.error, end };
        let delivery = delivery.id;
        let write = self.context.store.write(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.end_delivery_attempt(id, delivery, &attempt).await?) })
        });
        write.await.map(drop)
    }

    /// Gives the webhook back, to be taken again when its next delivery is due and its rest is over.
    async fn give_back(&self, id: WebhookId, until: Timestamp, failures: u32) -> Result<(), Failure> {
        let now = self.context.now();
        // One that was served just now comes after those that wait for a turn.
        let rests_until = Some(if failures > 0 { now + rest_after(failures) } else { now });
        let write = self.context.store.write(move |tx| {
            Box::pin(async move {
                tx.fail_old_deliveries(id, now - KEPT, now).await?;
                tx.release_webhook(id, until, rests_until, failures).await?;
                Ok::<_, Failure>(tx.plan_webhook(id).await?)
            })
        });
        write.await
    }

    /// Disables a webhook whose endpoint is gone, and records it.
    async fn disable(&self, gone: &Webhook) -> Result<(), Failure> {
        let (organization, id, url) = (gone.organization_id, gone.id, gone.url.clone());
        let ask = Ask::of(Principal::System, Some(organization), &Origin::internal());
        let changed = self.context.change(ask, move |change| {
            Box::pin(async move {
                let Some(mut webhook) = change.tx.webhook(organization, id).await? else { return Ok(()) };
                if !webhook.is_enabled || webhook.url != url {
                    return Ok(());
                }
                (webhook.is_enabled, webhook.gone_at) = (false, Some(change.now));
                (webhook.updated_at, webhook.updated_by) = (change.now, change.by());
                change.tx.update_webhook(&webhook).await?;
                change.tx.plan_webhook(id).await?;
                note(change, organization).await?;
                let event = change.event("webhook.update").on("webhook", id);
                Ok::<_, WebhookError>(change.record(event.with("enabled", false).with("reason", "gone")).await?)
            })
        });
        match changed.await {
            Ok(()) => Ok(()),
            Err(WebhookError::Failed(failure)) => Err(failure),
            // The service itself needs no right and is refused nothing.
            Err(refused) => Err(Failure::Inconsistent(format!("a webhook that is gone stays enabled: {refused}"))),
        }
    }
}

/// The wait before the next attempt, after so many before this one; nothing after the last.
fn wait_after(attempts_before: u32) -> Option<Span> {
    WAITS.get(usize::try_from(attempts_before).unwrap_or(usize::MAX)).copied()
}

/// A wait, up to a tenth longer: deliveries that failed together are not tried again together.
fn jittered(wait: Span, random: [u8; 2]) -> Span {
    let tenth = wait.as_micros() / 10;
    Span::micros(wait.as_micros() + tenth * i64::from(u16::from_le_bytes(random)) / i64::from(u16::MAX))
}

/// How long an endpoint rests after so many failures in a row.
fn rest_after(failures: u32) -> Span {
    let doublings = failures.saturating_sub(1).min(10);
    Span::micros(FIRST_REST.as_micros() << doublings).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_ten_times_over_three_days_and_an_endpoint_rests_a_minute_at_most() {
        let waits: Vec<i64> = (0..).map_while(wait_after).map(Span::as_seconds).collect();
        assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert!(waits.iter().sum::<i64>() < KEPT.as_seconds());
        let rests: Vec<i64> = [1, 2, 3, 4, 5, u32::MAX].map(|failures| rest_after(failures).as_seconds()).into();
        assert_eq!(rests, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_wait_is_never_shorter_and_at_most_a_tenth_longer() {
        let wait = Span::seconds(100);
        assert_eq!(jittered(wait, [0, 0]), wait);
        assert_eq!(jittered(wait, [255, 255]), Span::seconds(110));
    }
}
