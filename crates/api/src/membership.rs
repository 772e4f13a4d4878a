//! How this process shares its database with others: it holds an SQLite file alone, or registers as one of many nodes
//! on PostgreSQL. Servers and commands that change the database do so in the same way.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::Context;
use authority::env::{Lease, SystemClock, SystemEntropy, new_id};
use authority::limits::SharedCounts;
use authority::shared::{SharedAnswer, SharedCache};
pub(crate) use cluster::RedisStatus;
use cluster::{Kept, Memory, Node, Profile, Redis, Settled};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use storage::instance::{InstanceLock, Lost};
use storage::model::{Consistency, LogMark, LogPlace, Touched};
use storage::nodes::{Registration, Registry};
use storage::{DatabaseUrl, Store, migrate};
use token_domain::id::{OrganizationId, TokenId};
use token_domain::{Span, Timestamp};
use tokio::runtime::Handle;

use crate::assembly::{Misfit, Services, holder, keyring, store_options};
use crate::config::{Config, sections};

/// A process that may use its database, before its schema is checked.
pub(crate) struct Entrance(Kind);

enum Kind {
    Alone(InstanceLock),
    Shared(Registry),
}

/// A process that holds the SQLite file or is registered as a node.
pub(crate) struct Membership {
    place: Place,
    ack_wait: Histogram,
}

enum Place {
    Alone(InstanceLock),
    Node { node: Node, consistency: Consistency },
}

/// The state of a node at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeStatus {
    pub(crate) applied: i64,
    pub(crate) lag: Duration,
    pub(crate) lease_left: Duration,
    pub(crate) registrations: u64,
}

impl Entrance {
    /// Takes the lock on an SQLite file, or checks that a PostgreSQL database can be shared.
    pub(crate) async fn enter(url: &DatabaseUrl) -> Result<Self, Misfit> {
        let kind = match (url.sqlite_path(), Registry::of(url)) {
            (Some(path), _) => Kind::Alone(InstanceLock::acquire(path, &holder()?)?),
            (None, Some(registry)) => {
                registry.enter().await?;
                Kind::Shared(registry)
            }
            (None, None) => return Err("a database is a file or a server".into()),
        };
        Ok(Self(kind))
    }

    /// Fails while other servers use the database.
    pub(crate) async fn be_alone(&self) -> Result<(), Misfit> {
        let Kind::Shared(registry) = &self.0 else { return Ok(()) };
        match registry.live_nodes().await? {
            0 => Ok(()),
            count => Err(format!("the database is in use (nodes: {count}): stop them first").into()),
        }
    }

    /// Releases the lock without joining.
    pub(crate) fn leave(self) {
        match self.0 {
            Kind::Alone(lock) => lock.release(),
            Kind::Shared(_) => {}
        }
    }

    /// Registers the process, once the schema is there, and builds the services over its store. It answers nothing from memory and
    /// changes nothing before [`Membership::follow`].
    pub(crate) async fn join(self, config: &Config, url: &DatabaseUrl, background: &Handle) -> Result<Joined, Misfit> {
        let membership = self.register(config, url, background).await?;
        let options = store_options(&config.database);
        let store = Store::open_registered(url, options, background.clone(), membership.registration()).await?;
        let lease = Arc::clone(&membership) as _;
        let (cache, counts) = (membership.shared(), membership.shared_counts());
        let services = Services::new(config, store.clone(), lease, cache, counts, background.clone())?;
        Ok(Joined { membership, store, services })
    }

    async fn register(
        self,
        config: &Config,
        url: &DatabaseUrl,
        background: &Handle,
    ) -> Result<Arc<Membership>, Misfit> {
        let place = match self.0 {
            Kind::Alone(lock) => Place::Alone(lock),
            Kind::Shared(registry) => {
                let consistency = match config.cluster.consistency {
                    sections::Consistency::Strict => Consistency::Strict,
                    sections::Consistency::Relaxed => Consistency::Relaxed,
                };
                let profile = Profile {
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    migration: migrate::newest().to_owned(),
                    tag_key: keyring(&config.keys, url)?.current_id().to_string(),
                    consistency,
                };
                let clock = SystemClock::default();
                let ids = Arc::new(move || new_id(authority::env::Clock::now(&clock), &SystemEntropy).ok());
                let redis = redis(&config.redis, background)?;
                Place::Node { node: Node::join(registry, profile, ids, redis).await?, consistency }
            }
        };
        // A millisecond to eight seconds, which is longer than a revocation waits for a dead node.
        let ack_wait = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        Ok(Arc::new(Membership { place, ack_wait }))
    }
}

/// This process beside others, and the services it runs.
pub(crate) struct Joined {
    pub(crate) membership: Arc<Membership>,
    pub(crate) store: Store,
    pub(crate) services: Services,
}

impl Joined {
    /// Ends what a command began: its units of work, the store, the registration.
    pub(crate) async fn leave(self) {
        self.services.context.drain().await;
        self.store.shutdown().await;
        self.membership.release().await;
    }
}

impl Membership {
    /// Watches for the loss of what the open store depends on.
    pub(crate) fn watch(&self, store: &Store) {
        match &self.place {
            Place::Alone(lock) => lock.watch(store),
            Place::Node { .. } => {}
        }
    }

    /// The node that the store registers its changes for; `None` on SQLite.
    pub(crate) fn registration(&self) -> Option<Registration> {
        match &self.place {
            Place::Alone(_) => None,
            Place::Node { node, .. } => Some(node.registration()),
        }
    }

    /// Starts following the log of other nodes' changes, and waits for the first lease.
    pub(crate) async fn follow(&self, context: &Arc<Context>) -> Result<(), Misfit> {
        match &self.place {
            Place::Alone(_) => Ok(()),
            Place::Node { node, .. } => Ok(node.follow(Arc::new(Remembered(Arc::clone(context)))).await?),
        }
    }

    /// Registers the address of this node for `GET /v1/nodes`. Does nothing on SQLite, where there are no nodes.
    pub(crate) fn reached_at(&self, address: String) {
        match &self.place {
            Place::Alone(_) => {}
            Place::Node { node, .. } => node.reached_at(address),
        }
    }

    /// Resolves when the process must end. A node never must: it empties its cache and registers again.
    pub(crate) async fn lost(&self) -> Lost {
        match &self.place {
            Place::Alone(lock) => lock.lost().await,
            Place::Node { .. } => std::future::pending().await,
        }
    }

    /// Deregisters, so that no other node waits for this process.
    pub(crate) async fn release(&self) {
        match &self.place {
            Place::Alone(lock) => lock.release(),
            Place::Node { node, .. } => node.leave().await,
        }
    }

    /// The state of this node; `None` on SQLite.
    pub(crate) fn status(&self) -> Option<NodeStatus> {
        let Place::Node { node, .. } = &self.place else { return None };
        Some(NodeStatus {
            applied: node.applied(),
            lag: node.lag(),
            lease_left: node.lease_left(),
            registrations: node.registrations(),
        })
    }

    /// What the nodes keep for each other, where there is a Redis.
    pub(crate) fn shared(&self) -> Option<Arc<dyn SharedCache>> {
        Some(Arc::new(Passing(self.redis()?.clone())))
    }

    /// What the nodes count together, where there is a Redis.
    pub(crate) fn shared_counts(&self) -> Option<Arc<dyn SharedCounts>> {
        Some(Arc::new(Passing(self.redis()?.clone())))
    }

    /// The state of the Redis that the nodes share, where there is one.
    pub(crate) fn redis_status(&self) -> Option<RedisStatus> {
        self.redis().map(Redis::status)
    }

    fn redis(&self) -> Option<&Redis> {
        match &self.place {
            Place::Alone(_) => None,
            Place::Node { node, .. } => node.redis(),
        }
    }

    /// The histogram of how long changes waited for other nodes.
    pub(crate) fn ack_wait(&self) -> Histogram {
        self.ack_wait.clone()
    }
}

impl Lease for Membership {
    fn is_current(&self) -> bool {
        match &self.place {
            Place::Alone(lock) => lock.is_current(),
            Place::Node { node, .. } => node.is_current(),
        }
    }

    fn committed(&self, place: LogPlace, entries: usize) {
        match &self.place {
            Place::Alone(_) => {}
            Place::Node { node, .. } => node.committed(place, entries),
        }
    }

    fn settled(&self, place: LogPlace) -> BoxFuture<'_, ()> {
        async move {
            let Place::Node { node, .. } = &self.place else { return };
            let begun = Instant::now();
            let how = node.settled(place).await;
            match how {
                Settled::Relaxed => return,
                Settled::Acknowledged => {}
                Settled::LeasesOver => {
                    tracing::warn!(%place, "a change had to wait until all leases had expired: a node does not acknowledge");
                }
            }
            self.ack_wait.observe(begun.elapsed().as_secs_f64());
        }
        .boxed()
    }

    fn is_moving(&self) -> bool {
        match &self.place {
            Place::Alone(_) => false,
            Place::Node { node, .. } => node.is_moving(),
        }
    }

    fn has_others(&self) -> bool {
        match &self.place {
            Place::Alone(_) => false,
            Place::Node { .. } => true,
        }
    }

    fn is_relaxed(&self) -> bool {
        match &self.place {
            Place::Alone(_) => false,
            Place::Node { consistency, .. } => *consistency == Consistency::Relaxed,
        }
    }

    fn mark(&self) -> Option<LogMark> {
        match &self.place {
            Place::Alone(_) => None,
            Place::Node { node, .. } => node.mark(),
        }
    }

    fn holds(&self, mark: &LogMark, made_at: Timestamp, token: TokenId, organization: OrganizationId) -> bool {
        match &self.place {
            Place::Alone(_) => false,
            Place::Node { node, .. } => node.holds(mark, made_at, token, organization),
        }
    }

    fn has_applied(&self, place: LogPlace) -> bool {
        match &self.place {
            Place::Alone(_) => true,
            Place::Node { node, .. } => node.has_applied(place),
        }
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Membership")
    }
}

/// The Redis that the nodes share, if one is configured. It need not be there.
fn redis(config: &sections::Redis, background: &Handle) -> Result<Option<Redis>, Misfit> {
    let Some(url) = &config.url else { return Ok(None) };
    let certificates = match &config.ca_file {
        Some(path) => Some(fs::read(path).map_err(|error| format!("redis.ca_file {}: {error}", path.display()))?),
        None => None,
    };
    Ok(Some(Redis::new(url.expose(), certificates, background.clone())?))
}

/// What nodes keep for each other, in Redis.
struct Passing(Redis);

impl SharedCache for Passing {
    fn get(&self, name: [u8; 32]) -> BoxFuture<'_, SharedAnswer> {
        async move {
            match self.0.get(&name).await {
                Kept::Value(sealed) => SharedAnswer::Kept(sealed),
                Kept::Nothing => SharedAnswer::Nothing,
                Kept::Unknown => SharedAnswer::Unknown,
            }
        }
        .boxed()
    }

    fn put(&self, name: [u8; 32], sealed: Vec<u8>, lifetime: Span) {
        self.0.put(&name, sealed, Duration::from_micros(u64::try_from(lifetime.as_micros()).unwrap_or(0)));
    }
}

impl SharedCounts for Passing {
    fn run<'a>(
        &'a self,
        script: &'static str,
        names: &'a [[u8; 32]],
        numbers: &'a [i64],
    ) -> BoxFuture<'a, Option<Vec<i64>>> {
        self.0.run(script, names, numbers).boxed()
    }

    fn run_later(&self, script: &'static str, names: &[[u8; 32]], numbers: &[i64]) {
        self.0.run_later(script, names, numbers);
    }
}

/// This process's cache, as the node's thread uses it.
struct Remembered(Arc<Context>);

impl Memory for Remembered {
    fn outdate(&self, touched: Touched) {
        self.0.fences().raise(touched);
    }

    fn forget(&self) {
        self.0.fences().raise_all();
    }

    fn asked(&self) {
        self.0.fences().asked();
    }

    fn caught_up(&self) {
        self.0.fences().caught_up();
    }

    fn replaced(&self) {
        self.0.await_comparison();
    }

    fn followed(&self) {
        self.0.settle_ledger();
    }

    fn tell_time(&self, now: Timestamp, asked_at: i64, answered_at: i64) {
        self.0.follow_time(now, asked_at, answered_at);
    }
}
