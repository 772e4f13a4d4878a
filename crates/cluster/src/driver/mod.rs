//! What carries the protocol out: one thread of a node that polls the database, and those who wait for it.

mod follow;
mod redis;
mod standby;

use crate::protocol::{Nanos, PATIENCE, Proof, Question, Recent, Ticket, Waiting, has_applied};
use futures::future::{Either, select};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use storage::model::{Consistency, LogMark, LogPlace, NodeRecord, RegisteredNode, SHARDS, Touched};
use storage::nodes::{EnterError, Registration, Registry};
use storage::{StoreError, boottime_nanos};
use token_domain::Timestamp;
use token_domain::id::{NodeId, OrganizationId, TokenId};
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

pub use self::redis::{InvalidRedisUrl, Kept, Redis, RedisStatus};

use self::follow::Follow;

/// How long the first lease may take.
const FIRST_LEASE: Duration = Duration::from_secs(10);

/// A node's cache of facts from the database. The node's own thread calls this to mark facts as outdated.
pub trait Memory: Send + Sync {
    /// Outdates every read, begun before this call, of what a change touched.
    fn outdate(&self, touched: Touched);
    /// Outdates every read begun before this call.
    fn forget(&self);
    /// A look at the log is about to be asked for.
    fn asked(&self);
    /// What the last one asked for showed is applied.
    fn caught_up(&self);
    /// Another server or an older copy may have taken the place of the database.
    fn replaced(&self);
    /// What took its place is followed from now on, and read.
    fn followed(&self);
    /// The database's clock showed this at some time between a question and its answer; both since the machine's start.
    fn tell_time(&self, now: Timestamp, asked_at: Nanos, answered_at: Nanos);
}

/// The facts that a node reports about itself to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The version of the program.
    pub version: String,
    /// The newest migration the program knows.
    pub migration: String,
    /// Which key its tags are made with.
    pub tag_key: String,
    /// When it answers changes.
    pub consistency: Consistency,
}

/// Draws ids that were never used; nothing when the generator fails.
pub type Ids = Arc<dyn Fn() -> Option<NodeId> + Send + Sync>;

/// Why a process does not become a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The database is not fit for it.
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// Nodes that follow other rules are there.
    #[error(
        "a node of version {version} shares this database by rules (number {theirs}) that this version ({ours}) does not \
         know: stop the nodes of that version first"
    )]
    OtherProtocol {
        /// Of the other node.
        version: String,
        /// The number of its rules.
        theirs: i16,
        /// The number of ours.
        ours: i16,
    },
    /// No lease came.
    #[error("PostgreSQL is too slow to grant this node a lease")]
    NoLease,
    /// The operating system's generator failed.
    #[error("no id could be drawn for this node")]
    NoId,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a change came to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// All nodes have applied it.
    Acknowledged,
    /// All leases granted before its commit are over.
    LeasesOver,
    /// It was not waited for.
    Relaxed,
}

/// A node, from its registration on. Clones are the same node.
#[derive(Clone)]
pub struct Node(Arc<Shared>);

/// The state shared by the node's thread and the callers that wait for it.
struct Shared {
    registry: Registry,
    registration: Registration,
    profile: Profile,
    ids: Ids,
    /// The number it registered with.
    first_beat: i64,
    /// Of each shard, the last entry applied.
    applied: [AtomicI64; SHARDS],
    /// The moment noted before the last poll that was answered.
    read_at: AtomicI64,
    /// The last commit that the standby has.
    proof: Mutex<Option<Proof>>,
    /// Until when others may follow the primary before this one.
    moving_until: AtomicI64,
    waits: Mutex<Waits>,
    /// What was touched lately.
    recent: Mutex<Recent>,
    /// Whether the others are to be notified with the next poll.
    is_news: AtomicBool,
    /// Has the next poll sent at once.
    wake: Arc<Notify>,
    /// The Redis beside the database, if there is one.
    redis: Option<Redis>,
    registrations: AtomicU64,
    /// Where this node is reached, once it listens.
    address: Mutex<Option<String>>,
    thread: Mutex<Option<Thread>>,
}

#[derive(Default)]
struct Waits {
    waiting: Waiting,
    told: HashMap<Ticket, oneshot::Sender<()>>,
    /// Places of this node's own changes, whose fences are raised already.
    own: HashSet<LogPlace>,
}

/// The node's thread, told to end by its sender's end.
struct Thread {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Node {
    /// Puts this process on the list of nodes. It has no lease yet: nothing is answered from memory and nothing changed before
    /// [`follow`](Self::follow).
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn join(registry: Registry, profile: Profile, ids: Ids, redis: Option<Redis>) -> Result<Self, JoinError> {
        let id = ids().ok_or(JoinError::NoId)?;
        let beat = boottime_nanos();
        registry.register(&record(id, &profile, None), beat).await?;
        Ok(Self(Arc::new(Shared {
            registry,
            registration: Registration::new(id),
            profile,
            ids,
            first_beat: beat,
            applied: [const { AtomicI64::new(0) }; SHARDS],
            read_at: AtomicI64::new(beat),
            proof: Mutex::new(None),
            moving_until: AtomicI64::new(0),
            waits: Mutex::default(),
            recent: Mutex::default(),
            is_news: AtomicBool::new(false),
            wake: Arc::default(),
            redis,
            registrations: AtomicU64::new(1),
            address: Mutex::new(None),
            thread: Mutex::new(None),
        })))
    }

    /// Begins to follow the log, on a thread of its own so that polls are sent on time however busy the workers are, and waits
    /// for the first lease.
    ///
    /// # Errors
    /// Other nodes follow other rules, or no lease came.
    pub async fn follow(&self, memory: Arc<dyn Memory>) -> Result<(), JoinError> {
        let (stop, stopped) = oneshot::channel();
        let (tell_ended, ended) = oneshot::channel();
        let (ready, first_lease) = oneshot::channel();
        let follow = Follow::new(Arc::clone(&self.0), memory, ready);
        if let Some(redis) = &self.0.redis {
            let wake = Arc::clone(&self.0.wake);
            redis.start(move || wake.notify_one());
        }
        let no_thread = |error: &std::io::Error| StoreError::Broken(format!("no thread for the log: {error}"));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| no_thread(&error))?;
        std::thread::Builder::new()
            .name("cluster".to_owned())
            .spawn(move || {
                runtime.block_on(follow.run(stopped));
                // Nobody may be waiting for the end.
                tell_ended.send(()).ok();
            })
            .map_err(|error| no_thread(&error))?;
        *lock(&self.0.thread) = Some(Thread { stop, ended });
        match timeout(FIRST_LEASE, first_lease).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(_)) | Err(_) => Err(JoinError::NoLease),
        }
    }

    /// The registration under which the store of this node makes its changes.
    pub fn registration(&self) -> Registration {
        self.0.registration.clone()
    }

    /// Whether memory may be used at this moment.
    pub fn is_current(&self) -> bool {
        self.0.registration.is_current()
    }

    /// Tells that a change of this node is committed and its fences are raised. It wrote `entries` entries of the log, the last
    /// of them at `place`.
    pub fn committed(&self, place: LogPlace, entries: usize) {
        let first = place.seq.saturating_sub(i64::try_from(entries).unwrap_or(i64::MAX)).saturating_add(1);
        let mut waits = self.0.waits();
        // Read already: there is nothing to be passed over.
        let own = (first..=place.seq).map(|seq| LogPlace { seq, ..place }).filter(|place| !self.has_applied(*place));
        waits.own.extend(own);
    }

    /// Waits until no node answers from what was true before a change that is committed. Giving up undoes nothing.
    pub async fn settled(&self, place: LogPlace) -> Settled {
        if self.0.profile.consistency == Consistency::Relaxed {
            self.0.announce();
            return Settled::Relaxed;
        }
        let (tell, told) = oneshot::channel();
        let (ticket, until) = {
            let mut waits = self.0.waits();
            let (ticket, until) = waits.waiting.begin(place, boottime_nanos());
            waits.told.insert(ticket, tell);
            (ticket, until)
        };
        let _wait = Wait { shared: &self.0, ticket };
        self.0.announce();
        match select(told, pin!(pass(until))).await {
            Either::Left((Ok(()), _)) => Settled::Acknowledged,
            // The thread never drops a sender without telling.
            Either::Left((Err(_), rest)) => {
                rest.await;
                Settled::LeasesOver
            }
            Either::Right(((), _)) => Settled::LeasesOver,
        }
    }

    /// Whether another server took the database's place so lately that other nodes may still read from the one before.
    pub fn is_moving(&self) -> bool {
        boottime_nanos() < self.0.moving_until.load(Ordering::Acquire)
    }

    /// Whether this node has applied an entry of the log.
    pub fn has_applied(&self, place: LogPlace) -> bool {
        let applied = self.0.applied.each_ref().map(|end| end.load(Ordering::Acquire));
        has_applied(&applied, place)
    }

    /// How far this node has followed the log, for facts that are read from the primary after this call. Nothing without a lease.
    pub fn mark(&self) -> Option<LogMark> {
        let mark = lock(&self.0.recent).mark();
        mark.filter(|_| self.is_current())
    }

    /// Whether facts that another node read after a mark are as this node would read them, but for what it has not applied yet.
    pub fn holds(&self, mark: &LogMark, made_at: Timestamp, token: TokenId, organization: OrganizationId) -> bool {
        lock(&self.0.recent).holds(mark, made_at, token, organization)
    }

    /// The Redis beside the database, if there is one.
    pub fn redis(&self) -> Option<&Redis> {
        self.0.redis.as_ref()
    }

    /// Entries applied, over all shards, since the log was begun.
    pub fn applied(&self) -> i64 {
        self.0.applied.iter().map(|end| end.load(Ordering::Relaxed)).sum()
    }

    /// How long ago the log was last known to have been read to its end.
    pub fn lag(&self) -> Duration {
        self.0.lag()
    }

    /// What is left of the lease.
    pub fn lease_left(&self) -> Duration {
        since(self.0.registration.good_until().load(Ordering::Relaxed), boottime_nanos())
    }

    /// How often it had to register; once, unless it was away for too long or the database failed over.
    pub fn registrations(&self) -> u64 {
        self.0.registrations.load(Ordering::Relaxed)
    }

    /// Tells the others where this node is reached, some time soon.
    pub fn reached_at(&self, address: String) {
        *lock(&self.0.address) = Some(address);
        self.0.wake.notify_one();
    }

    /// Gives up the lease and leaves the list, so that nobody waits for this node.
    pub async fn leave(&self) {
        self.0.registration.good_until().store(0, Ordering::Release);
        let thread = lock(&self.0.thread).take();
        if let Some(Thread { stop, ended }) = thread {
            drop(stop);
            drop(ended.await);
        }
        if let Some(redis) = &self.0.redis {
            redis.stop();
        }
    }
}

impl Shared {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        lock(&self.waits)
    }

    /// Changes that the list says every node has applied may be answered.
    fn tell_those_who_wait(&self, question: &Question, me: NodeId, nodes: &[RegisteredNode]) {
        let mut waits = self.waits();
        for ticket in waits.waiting.observe(question.noted_at, me, nodes) {
            if let Some(tell) = waits.told.remove(&ticket) {
                // The caller may have given up.
                tell.send(()).ok();
            }
        }
    }

    fn lag(&self) -> Duration {
        since(boottime_nanos(), self.read_at.load(Ordering::Relaxed))
    }

    /// The node follows the server that answered, before its memory hears of it.
    fn follow_server(&self, history: &str, has_standby: bool) {
        if !self.registration.follows(history) {
            // Before this node can change anything there.
            self.moving_until.store(boottime_nanos() + PATIENCE, Ordering::Release);
        }
        self.registration.follow(history, has_standby);
    }

    /// Tells the others that there is something to read, and reads the list anew.
    fn announce(&self) {
        self.is_news.store(true, Ordering::Release);
        self.wake.notify_one();
        if let Some(redis) = &self.redis {
            redis.announce();
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.0.registration.node()).finish_non_exhaustive()
    }
}

/// A change that waits; given up when this is dropped.
struct Wait<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut waits = self.shared.waits();
        waits.waiting.end(self.ticket);
        waits.told.remove(&self.ticket);
    }
}

fn record(id: NodeId, profile: &Profile, address: Option<String>) -> NodeRecord {
    NodeRecord {
        id,
        protocol: crate::protocol::PROTOCOL,
        version: profile.version.clone(),
        migration: profile.migration.clone(),
        tag_key: profile.tag_key.clone(),
        consistency: profile.consistency,
        address,
    }
}

/// Waits for a moment of the clock that runs through suspension; the runtime's own clock may stand still meanwhile.
async fn pass(until: Nanos) {
    loop {
        let left = since(until, boottime_nanos());
        if left.is_zero() {
            return;
        }
        sleep(left).await;
    }
}

fn since(later: Nanos, earlier: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(later.saturating_sub(earlier)).unwrap_or(0))
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
