//! The audit trail: one row for every security-relevant event, in the transaction of the change, chained by hashes.
//!
//! Each organisation has a trail of its own (and the deployment one for what belongs to none), so an organisation can
//! verify its trail without seeing anybody else's. Opening a trail locks its end: within an organisation, changes
//! happen one after the other, which is also what makes "the last owner" and "the cap" safe to count.
//!
//! Events are written here; [`chain`] says what holds them together, [`line`](mod@line) how they leave in a file, and
//! [`read`] answers questions about them.

pub(crate) mod announce;
pub mod export;
pub mod read;
mod refusal;

use std::mem::take;

use serde_json::{Map, Value};
use storage::{StoreError, Tx};
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::record::{AuditHead, AuditRecord, Principal};

pub use audit_trail::chain::hash;
pub use audit_trail::{chain, file, line};
pub use refusal::{Denial, Refusal, log_denial};

use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;

/// The most ids that one event names.
pub(crate) const MOST_NAMED: usize = 1_000;

/// What happened, before it has its place in a trail.
#[derive(Clone, Debug)]
pub struct Event {
    at: Timestamp,
    action: &'static str,
    actor: Principal,
    target_kind: &'static str,
    target_id: String,
    request_id: String,
    detail: Map<String, Value>,
}

/// The end of a trail, locked until the transaction is over.
pub struct Trail {
    organization_id: Option<OrganizationId>,
    head: AuditHead,
}

impl Event {
    /// An event without a target.
    pub fn new(at: Timestamp, action: &'static str, actor: Principal, origin: &Origin) -> Self {
        Self {
            at,
            action,
            actor,
            target_kind: "",
            target_id: String::new(),
            request_id: origin.request_id.clone(),
            detail: Map::new(),
        }
    }

    /// Names what it was done to.
    #[must_use]
    pub fn on(mut self, kind: &'static str, id: impl std::fmt::Display) -> Self {
        self.target_kind = kind;
        self.target_id = id.to_string();
        self
    }

    /// Adds a detail. Never a secret, never text that may hold one.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// Adds further targets of the event: their number under `key`, and their ids under `key` with `_ids`. At most a thousand
    /// ids are listed; the number shows whether there were more.
    #[must_use]
    pub fn with_ids<I: std::fmt::Display>(self, key: &str, ids: &[I]) -> Self {
        self.with_some_ids(key, ids.len(), ids)
    }

    /// The same, where not all ids were read.
    #[must_use]
    pub(crate) fn with_some_ids<I: std::fmt::Display>(self, key: &str, count: usize, ids: &[I]) -> Self {
        let named: Vec<String> = ids.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        self.with(key, count).with(&format!("{key}_ids"), named)
    }

    /// Adds where the request came from: its address, and what the client calls itself unless that holds a secret.
    #[must_use]
    pub fn seen_from(mut self, origin: &Origin) -> Self {
        if let Some(address) = origin.client_ip {
            self = self.with("client_ip", address.to_string());
        }
        match origin.agent() {
            Some(agent) => self.with("agent", agent),
            None => self,
        }
    }

    /// Writes the event as a log line and nowhere else. It carries what a row of the trail would have.
    pub(crate) fn log(&self, organization_id: Option<OrganizationId>) {
        let detail = Value::Object(self.detail.clone()).to_string();
        self.log_with(organization_id, &detail, "was logged alone");
    }

    fn log_with(&self, organization_id: Option<OrganizationId>, detail: &str, what: &str) {
        tracing::info!(
            target: "audit",
            action = self.action,
            actor = %self.actor,
            organization = organization_id.map(tracing::field::display),
            target_kind = self.target_kind,
            target_id = %self.target_id,
            request_id = %self.request_id,
            detail,
            "{} {what}", self.action
        );
    }
}

impl Trail {
    /// Opens an organisation's trail, or the deployment's, and locks its end.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn open(tx: &mut Tx, organization_id: Option<OrganizationId>) -> Result<Self, StoreError> {
        let head = tx.audit_head(organization_id).await?;
        Ok(Self { organization_id, head })
    }

    /// A trail whose end the transaction holds already.
    pub(crate) const fn at(organization_id: Option<OrganizationId>, head: AuditHead) -> Self {
        Self { organization_id, head }
    }

    /// Whose trail it is; nothing: the deployment's.
    pub(crate) const fn organization_id(&self) -> Option<OrganizationId> {
        self.organization_id
    }

    /// Appends an event. It is logged as well, once it is committed.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn append(&mut self, tx: &mut Tx, mut event: Event) -> Result<(), StoreError> {
        let mut record = AuditRecord {
            seq: self.head.seq + 1,
            organization_id: self.organization_id,
            // The clocks of two nodes differ a little, and a clock can be set back. Times in a trail never decrease, so that
            // a time can be used as a position in it.
            at: event.at.max(self.head.at),
            action: event.action.to_owned(),
            actor: event.actor.to_string(),
            target_kind: event.target_kind.to_owned(),
            target_id: event.target_id.clone(),
            request_id: event.request_id.clone(),
            detail: Value::Object(take(&mut event.detail)).to_string(),
            prev_hash: self.head.hash,
            hash: [0; 32],
        };
        record.hash = hash(&record);
        self.head = AuditHead { seq: record.seq, hash: record.hash, at: record.at, ..self.head };
        let organization_id = self.organization_id;
        let detail = record.detail.clone();
        tx.afterwards(move || event.log_with(organization_id, &detail, "was recorded"));
        let Some(organization) = organization_id.filter(|_| self.head.has_webhooks) else {
            return tx.append_audit(record).await;
        };
        tx.append_audit(record.clone()).await?;
        announce::announce(tx, organization, &record).await
    }
}

/// Records an event by itself.
pub(crate) async fn record(
    context: &Context,
    organization: Option<OrganizationId>,
    event: Event,
) -> Result<(), Failure> {
    let work = context.units.run(context.now(), context.units.touching(), move |tx| {
        Box::pin(async move { Ok::<_, Failure>(Trail::open(tx, organization).await?.append(tx, event).await?) })
    });
    work.await
}
