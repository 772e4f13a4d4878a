//! The node's thread: a poll, what it says applied, the next poll.

use super::standby::Standby;
use super::{JoinError, Memory, Shared, lock, record};
use crate::protocol::{Follower, Forget, News, PROTOCOL, Peers, Question, Received};
use futures::future::join;
use std::collections::HashSet;
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use storage::model::{Consistency, PollAnswer, RegisteredNode};
use storage::nodes::Session;
use storage::{OutageKind, StoreError, boottime_nanos};
use token_domain::Timestamp;
use token_domain::id::NodeId;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// Between two polls.
const POLL: Duration = Duration::from_millis(100);
/// Between two polls while changes wait for the others: notifications make them sooner, where they arrive.
const POLL_WAITING: Duration = Duration::from_millis(10);
/// How long an answer may take. A fifth of the lease, so that a connection that swallows everything leaves time for another.
const ANSWER: Duration = Duration::from_secs(1);

type Ready = oneshot::Sender<Result<(), JoinError>>;

/// The thread's own state.
pub(super) struct Follow {
    shared: Arc<Shared>,
    memory: Arc<dyn Memory>,
    follower: Follower,
    peers: Peers,
    is_registered: bool,
    /// Where the list says that this node is reached.
    told_address: Option<String>,
    session: Option<Session>,
    /// The commits that keep the lease, where there is a standby.
    standby: Option<Standby>,
    /// Told of the first lease.
    ready: Option<Ready>,
    /// Whether the last poll failed, so that an outage is logged once.
    is_failing: bool,
    /// Whether the server dropped its standby a moment ago.
    is_quarantined: bool,
    /// Nodes that were warned of.
    warned: HashSet<NodeId>,
}

/// When the next poll is due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    AtOnce,
    InTime,
}

impl Follow {
    pub(super) fn new(shared: Arc<Shared>, memory: Arc<dyn Memory>, ready: Ready) -> Self {
        let follower = Follower::new(shared.first_beat);
        Self {
            shared,
            memory,
            follower,
            peers: Peers::default(),
            is_registered: true,
            told_address: None,
            session: None,
            standby: None,
            ready: Some(ready),
            is_failing: false,
            is_quarantined: false,
            warned: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let next = match self.round().await {
                Ok(next) => {
                    if take(&mut self.is_failing) {
                        tracing::info!("the log is followed again");
                    }
                    next
                }
                Err(JoinError::Store(error)) => {
                    self.failed(&error);
                    Next::InTime
                }
                Err(error) => {
                    self.shared.registration.good_until().store(0, Ordering::Release);
                    if let Some(ready) = self.ready.take() {
                        // The caller may have given up.
                        ready.send(Err(error)).ok();
                    } else {
                        tracing::error!(%error, "the revocation log can no longer be read");
                    }
                    break;
                }
            };
            if next == Next::AtOnce {
                continue;
            }
            tokio::select! {
                _ = &mut stopped => break,
                () = self.shared.wake.notified() => {}
                () = notified(self.session.as_ref()) => {}
                () = sleep(self.pause()) => {}
            }
        }
        self.leave().await;
    }

    /// One poll, and what it says.
    async fn round(&mut self) -> Result<Next, JoinError> {
        let session = match self.session.take() {
            Some(session) => self.newest(session).await,
            None => in_time(self.shared.registry.connect()).await?,
        };
        if !self.is_registered {
            self.register_again(&session).await?;
        }
        if let Err(error) = self.tell_address(&session).await {
            // People read it. Nothing that nodes tell each other waits for it.
            tracing::debug!(%error, "the other nodes could not be told where this one is reached");
        }
        self.memory.asked();
        let question = self.follower.poll(boottime_nanos());
        let node = self.shared.registration.node();
        let is_news = self.shared.is_news.swap(false, Ordering::AcqRel);
        // In this order: the report goes first, and the hint that there is one behind it.
        let notify = async { if is_news { session.notify().await } else { Ok(()) } };
        let (answer, notified) = in_time(async { Ok(join(session.poll(node, &question.poll), notify).await) }).await?;
        let answer = answer?;
        if let (true, Some(redis)) = (is_news, &self.shared.redis) {
            // Behind the report, as the other hint.
            redis.announce();
        }
        if notified.is_err() {
            // Everybody polls without it.
            tracing::debug!("the other nodes could not be notified");
        }
        let next = self.take_in(&session, &question, answer).await;
        if !matches!(next, Err(JoinError::Store(_))) {
            self.session = Some(session);
        }
        next
    }

    async fn take_in(
        &mut self,
        session: &Session,
        question: &Question,
        mut answer: PollAnswer,
    ) -> Result<Next, JoinError> {
        let received_at = boottime_nanos();
        let nodes = take(&mut answer.nodes);
        if self.ready.is_some()
            && let Some(other) = nodes.iter().find(|node| node.record.protocol != PROTOCOL)
        {
            let version = other.record.version.clone();
            return Err(JoinError::OtherProtocol { version, theirs: other.record.protocol, ours: PROTOCOL });
        }
        self.memory.tell_time(answer.now, question.noted_at, received_at);
        // A relaxed node goes on answering when its standby is gone.
        answer.has_standby &= self.shared.profile.consistency == Consistency::Strict;
        let (history, now) = (answer.history.clone(), answer.now);
        let proof = lock(&self.shared.proof).clone();
        let news = match self.follower.receive(question, answer, proof.as_ref()) {
            Received::News(news) => news,
            Received::NotRegistered => {
                self.give_up();
                return Ok(Next::AtOnce);
            }
        };
        let (is_awaited, has_standby) = (news.is_awaited(), news.has_standby());
        self.note_quarantine(news.is_quarantined());
        if self.is_replacement(&news) {
            // Before another server is read: nothing of it is answered until it was compared with what was revoked.
            self.memory.replaced();
        }
        if news.forget.is_some() {
            // Nothing is passed on between the first reads of another server and what is known of its log.
            lock(&self.shared.recent).forget();
        }
        self.shared.follow_server(&history, has_standby);
        self.standby.take_if(|standby| !has_standby || standby.history() != history);
        if has_standby && self.standby.is_none() {
            self.standby = Some(Standby::watch(Arc::clone(&self.shared), history.clone()));
        }
        // Facts that a program of another version passes on may lack what this one reads.
        let log = format!("{history}/{}/{}", session.place(), self.shared.profile.migration);
        if let Some(redis) = &self.shared.redis {
            // The server and the database: what outlives a failover.
            let (server, database) = (history.split('/').next(), session.place().split('/').next());
            redis.name(&format!("{}:{}", server.unwrap_or_default(), database.unwrap_or_default()));
        }
        self.remember(&log, &news, now);
        self.apply(news);
        self.memory.caught_up();
        self.shared.read_at.store(question.noted_at, Ordering::Relaxed);
        if self.shared.registration.is_current()
            && let Some(ready) = self.ready.take()
        {
            // The caller may have given up.
            ready.send(Ok(())).ok();
        }
        self.observe(session, question, received_at, &nodes).await?;
        // Report at once to the nodes that wait for this one that it has applied the entries.
        if is_awaited && nodes.len() > 1 {
            self.shared.is_news.store(true, Ordering::Release);
            return Ok(Next::AtOnce);
        }
        Ok(Next::InTime)
    }

    /// Whether another server or an older copy may have taken the place of the database. A node that had to register again does
    /// not know.
    fn is_replacement(&self, news: &News) -> bool {
        match news.forget {
            Some(Forget::OtherHistory | Forget::Backwards) => true,
            Some(Forget::Begin) => self.ready.is_none(),
            Some(Forget::Behind) | None => false,
        }
    }

    /// Logs the beginning of a quarantine.
    fn note_quarantine(&mut self, is_quarantined: bool) {
        if is_quarantined && !self.is_quarantined {
            tracing::warn!(
                "PostgreSQL dropped its standby (synchronous_standby_names is empty now), as a replaced primary does before it \
                 stops: nothing is answered for three seconds"
            );
        }
        self.is_quarantined = is_quarantined;
    }

    /// The news is remembered, before memory hears of it, for what other nodes pass on.
    fn remember(&self, log: &str, news: &News, now: Timestamp) {
        let noted_at = boottime_nanos();
        let mut recent = lock(&self.shared.recent);
        if news.forget.is_some() {
            recent.begin(log, news.ends(), Some(now));
        } else if !recent.is_of(log) {
            // The server was started again.
            recent.begin(log, news.ends(), None);
        }
        news.entries.iter().for_each(|entry| recent.note(entry, noted_at));
        recent.sweep(noted_at);
    }

    /// Memory hears the news, and then the lease is taken up.
    fn apply(&mut self, news: News) {
        let is_replacement = self.is_replacement(&news);
        if let Some(why) = news.forget {
            self.memory.forget();
            if is_replacement {
                self.memory.followed();
            }
            match why {
                Forget::Begin => tracing::debug!("the log is followed from its end"),
                Forget::Behind => {
                    tracing::warn!("this node was too far behind the revocation log: it cleared its token cache");
                }
                Forget::OtherHistory | Forget::Backwards => tracing::warn!(
                    "another server or an older copy has replaced the database: this node cleared its token cache"
                ),
            }
        }
        let mut waits = self.shared.waits();
        for entry in &news.entries {
            // Its fence was raised right after its commit. To raise it again would outdate what was read since.
            if !waits.own.remove(&entry.place) {
                self.memory.outdate(entry.touched);
            }
        }
        let good_until = self.follower.applied(news);
        for (end, applied) in self.shared.applied.iter().zip(self.follower.ends()) {
            end.store(*applied, Ordering::Release);
        }
        let ends = self.follower.ends();
        waits.own.retain(|place| !crate::protocol::has_applied(ends, *place));
        drop(waits);
        self.shared.registration.good_until().store(good_until, Ordering::Release);
    }

    /// Handles the list of nodes in an answer: which changes may be answered, which nodes are gone, which settings differ.
    async fn observe(
        &mut self,
        session: &Session,
        question: &Question,
        received_at: i64,
        nodes: &[RegisteredNode],
    ) -> Result<(), StoreError> {
        let me = self.shared.registration.node();
        self.shared.tell_those_who_wait(question, me, nodes);
        for (node, beat) in self.peers.observe(received_at, me, nodes) {
            if session.remove(node, beat).await? {
                tracing::warn!(%node, "a node stopped reporting and its lease expired: it was removed from the list");
            }
        }
        self.warned.retain(|id| nodes.iter().any(|node| node.record.id == *id));
        for other in nodes.iter().filter(|node| node.record.id != me) {
            if self.warned.insert(other.record.id) {
                self.compare(other);
            }
        }
        Ok(())
    }

    fn compare(&self, other: &RegisteredNode) {
        let (ours, theirs) = (&self.shared.profile, &other.record);
        let node = theirs.id;
        if ours.tag_key != theirs.tag_key {
            tracing::warn!(
                %node, ours = %ours.tag_key, theirs = %theirs.tag_key,
                "another node uses a different tag key: a token costs a slow hash each time it moves to another node; give \
                 all nodes the same keys.tag_key"
            );
        }
        if ours.consistency != theirs.consistency {
            tracing::warn!(
                %node, ours = ours.consistency.as_str(), theirs = theirs.consistency.as_str(),
                "another node has a different cluster.consistency: the guarantee of a revocation depends on the node that receives it"
            );
        }
        if (&ours.version, &ours.migration) != (&theirs.version, &theirs.migration) {
            tracing::info!(
                %node, version = %theirs.version, migration = %theirs.migration,
                "another node is of another version"
            );
        }
    }

    /// The node is not on the list: nobody waits for it any more.
    fn give_up(&mut self) {
        self.shared.registration.good_until().store(0, Ordering::Release);
        self.memory.replaced();
        self.memory.forget();
        self.is_registered = false;
        tracing::warn!(
            node = %self.shared.registration.node(),
            "this node is no longer on the list of nodes, because it reported too late or the database failed over: it \
             cleared its token cache and registers again"
        );
    }

    async fn register_again(&mut self, session: &Session) -> Result<(), JoinError> {
        let id = (self.shared.ids)().ok_or(JoinError::NoId)?;
        let beat = boottime_nanos();
        let address = lock(&self.shared.address).clone();
        in_time(session.register(&record(id, &self.shared.profile, address.clone()), beat)).await?;
        self.told_address = address;
        self.shared.registration.replace(id);
        self.follower = self.follower.registered_again(beat);
        // Their reports may have been read from the server that was replaced.
        self.peers = Peers::default();
        self.is_registered = true;
        self.shared.registrations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Writes down where this node is reached, if that is not on the list yet.
    async fn tell_address(&mut self, session: &Session) -> Result<(), StoreError> {
        let address = lock(&self.shared.address).clone();
        if let Some(told) = &address
            && address != self.told_address
        {
            in_time(session.tell_address(self.shared.registration.node(), told)).await?;
            self.told_address = address;
        }
        Ok(())
    }

    /// The session, or one with the server that took the place of the session's. That is looked for once the standby has been
    /// sent nothing for the time of a lease.
    async fn newest(&mut self, session: Session) -> Session {
        let is_polled = self.is_registered && self.ready.is_none() && self.shared.lag() < ANSWER;
        let is_cut_off = is_polled && !self.shared.registration.is_current();
        if !self.standby.as_mut().is_some_and(|standby| standby.is_time_to_look(is_cut_off)) {
            return session;
        }
        match in_time(self.shared.registry.connect()).await {
            // Of one database the higher timeline is the newer one.
            Ok(other) if other.history() > session.history() => other,
            Ok(_) | Err(_) => session,
        }
    }

    fn failed(&mut self, error: &StoreError) {
        self.session = None;
        self.standby = None;
        if !self.is_failing {
            self.is_failing = true;
            tracing::warn!(%error, "the revocation log cannot be read; the token cache is used until the lease of this node expires");
        }
    }

    fn pause(&self) -> Duration {
        if self.shared.waits().waiting.is_empty() { POLL } else { POLL_WAITING }
    }

    async fn leave(mut self) {
        self.shared.registration.good_until().store(0, Ordering::Release);
        let (Some(session), true) = (self.session.take(), self.is_registered) else { return };
        let node = self.shared.registration.node();
        if let Err(error) = in_time(session.remove(node, self.follower.beat())).await {
            tracing::warn!(%error, "this node could not remove itself from the list: the other nodes wait until its lease expires");
        }
        // They need not wait for their next poll to see it.
        in_time(session.notify()).await.ok();
    }
}

async fn notified(session: Option<&Session>) {
    match session {
        Some(session) => session.notified().await,
        None => std::future::pending().await,
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(ANSWER, answer).await.unwrap_or_else(|_| {
        Err(StoreError::Unavailable(storage::Outage {
            kind: OutageKind::Timeout,
            detail: "PostgreSQL did not answer a poll in time".to_owned(),
        }))
    })
}
