//! A Redis beside the database: hints to other nodes, and what nodes keep for each other. Nothing that it says or fails to say is
//! relied on. Hints make a poll come sooner; what it keeps and counts is judged by those who asked for it.
//!
//! One task connects, and connects again. Whoever asks finds a connection or none, waits a few milliseconds at the most, and a
//! server that is slow is left alone for a second.

mod address;

use self::address::{Address, connect};
use ::redis::aio::{MultiplexedConnection, PubSub};
use ::redis::{Cmd, RedisError, cmd};
use futures::StreamExt as _;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::boottime_nanos;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};

pub use self::address::InvalidRedisUrl;

use super::lock;
use crate::protocol::Nanos;

/// How long somebody waits for what Redis keeps. The database answers in less, as a rule.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long somebody waits for what nodes count together. A sign-in takes as long for its slow hash, and more is kept from
/// guessers if a busy Redis gets to answer.
const COUNT_PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is not asked after it was slow or failed.
const PAUSE: Nanos = 1_000_000_000;
/// The end of no pause.
static ALWAYS: AtomicI64 = AtomicI64::new(0);
/// The longest value that is read.
const MOST_BYTES: usize = 16 * 1024;
/// Values on their way to Redis at once; further ones are left out.
const MOST_WRITES: usize = 64;
/// The least time between two polls that hints cause.
const BETWEEN_HINTS: Duration = Duration::from_millis(10);
/// How often the server is asked whether it is there, and how long everything else that nobody waits for may take.
const BEAT: Duration = Duration::from_secs(1);
/// How long the first attempt to connect again waits, and the longest wait: each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A Redis, from its first use on. Clones are the same.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    address: Address,
    runtime: Handle,
    /// The connection, while there is one.
    link: Mutex<Option<MultiplexedConnection>>,
    /// The name of this deployment, once the database is known.
    deployment: watch::Sender<Option<String>>,
    /// Redis is not asked for what it keeps before this moment.
    paused_until: AtomicI64,
    /// And has nothing counted before this one: a script that fails, as in a Redis that is full, keeps no value from being read.
    counts_paused_until: AtomicI64,
    /// There is something to announce.
    announced: Notify,
    writes: Arc<Semaphore>,
    /// Scripts that nobody waits for.
    scripts: Arc<Semaphore>,
    counters: Counters,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Counters {
    is_up: AtomicBool,
    hints_sent: AtomicU64,
    hints_heard: AtomicU64,
    failures: AtomicU64,
}

/// The state of the connection, and what happened so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisStatus {
    /// Whether it is connected.
    pub is_up: bool,
    /// Hints sent to the other nodes.
    pub hints_sent: u64,
    /// Hints heard from them, or from anybody who may publish there.
    pub hints_heard: u64,
    /// Questions that were not answered in time, or with an error.
    pub failures: u64,
}

/// What Redis keeps under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// This.
    Value(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Nobody knows: it is away, slow, or not asked at the moment.
    Unknown,
}

impl Redis {
    /// Reads the address; nothing is connected yet. `certificates`: the authorities that sign the server's certificate, in PEM;
    /// those of the web if not given. Connections are kept up on `runtime`.
    ///
    /// # Errors
    /// What is wrong with the address or the certificates.
    pub fn new(url: &str, certificates: Option<Vec<u8>>, runtime: Handle) -> Result<Self, InvalidRedisUrl> {
        Ok(Self(Arc::new(Shared {
            address: Address::parse(url, certificates)?,
            runtime,
            link: Mutex::new(None),
            deployment: watch::Sender::new(None),
            paused_until: AtomicI64::new(0),
            counts_paused_until: AtomicI64::new(0),
            announced: Notify::new(),
            writes: Arc::new(Semaphore::new(MOST_WRITES)),
            scripts: Arc::new(Semaphore::new(MOST_WRITES)),
            counters: Counters::default(),
            task: Mutex::new(None),
        })))
    }

    /// Begins to connect, and calls `heard` for hints of other nodes and after each time that hints may have been missed.
    pub(super) fn start(&self, heard: impl Fn() + Send + Sync + 'static) {
        let shared = Arc::clone(&self.0);
        let running = self.0.runtime.spawn(async move { shared.run(heard).await });
        *lock(&self.0.task) = Some(running);
    }

    /// Ends that.
    pub(super) fn stop(&self) {
        if let Some(running) = lock(&self.0.task).take() {
            running.abort();
        }
        *lock(&self.0.link) = None;
    }

    /// Names the deployment: nodes with the same name hear each other, and share what they keep.
    pub(super) fn name(&self, deployment: &str) {
        self.0.deployment.send_if_modified(|named| {
            let is_new = named.as_deref() != Some(deployment);
            if is_new {
                *named = Some(deployment.to_owned());
            }
            is_new
        });
    }

    /// Tells the other nodes that there is something to read, some time soon.
    pub(super) fn announce(&self) {
        self.0.announced.notify_one();
    }

    /// What is kept under a name. Waits some milliseconds at the most.
    pub async fn get(&self, name: &[u8; 32]) -> Kept {
        let Some((mut link, key)) = self.0.link_and_key(name) else { return Kept::Unknown };
        // No more than it may be: others may write there, and a string has up to 512 MiB.
        let mut command = cmd("GETRANGE");
        let asked = command.arg(key).arg(0).arg(MOST_BYTES - 1).query_async::<Vec<u8>>(&mut link);
        match timeout(PATIENCE, asked).await {
            Ok(Ok(value)) if value.is_empty() => Kept::Nothing,
            Ok(Ok(value)) => Kept::Value(value),
            Ok(Err(_)) | Err(_) => {
                self.0.pause(&self.0.paused_until);
                Kept::Unknown
            }
        }
    }

    /// Has a value kept under a name for a time. Nobody waits for it, and it may be left out.
    pub fn put(&self, name: &[u8; 32], value: Vec<u8>, lifetime: Duration) {
        if value.len() > MOST_BYTES {
            return;
        }
        let Some((mut link, key)) = self.0.link_and_key(name) else { return };
        let Ok(place) = Arc::clone(&self.0.writes).try_acquire_owned() else { return };
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
            let mut command = cmd("SET");
            let written = command.arg(key).arg(value).arg("PX").arg(lifetime_ms).query_async::<()>(&mut link).await;
            if written.is_err() {
                shared.pause(&shared.paused_until);
            }
            drop(place);
        });
    }

    /// Runs a script over the counts of these names, as one step, and waits some milliseconds at the most for its numbers. Nothing
    /// if it did not answer with numbers until then; it may have run.
    ///
    /// The script is sent with each question: one and a half kilobyte, beside a slow hash as a rule, against remembering which
    /// servers know it.
    pub async fn run(&self, script: &str, names: &[[u8; 32]], numbers: &[i64]) -> Option<Vec<i64>> {
        let (mut link, command) = self.0.counting(script, names, numbers, &self.0.counts_paused_until)?;
        let answer =
            timeout(COUNT_PATIENCE, command.query_async::<Vec<i64>>(&mut link)).await.ok().and_then(Result::ok);
        if answer.is_none() {
            self.0.pause(&self.0.counts_paused_until);
        }
        answer
    }

    /// Has a script run that nobody waits for, also while Redis has nothing counted: it may take back what was. It may be left out.
    pub fn run_later(&self, script: &str, names: &[[u8; 32]], numbers: &[i64]) {
        let Some((mut link, command)) = self.0.counting(script, names, numbers, &ALWAYS) else { return };
        let Ok(place) = Arc::clone(&self.0.scripts).try_acquire_owned() else { return };
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            if command.query_async::<()>(&mut link).await.is_err() {
                shared.pause(&shared.counts_paused_until);
            }
            drop(place);
        });
    }

    /// The state of the connection, and what happened so far.
    pub fn status(&self) -> RedisStatus {
        let Counters { is_up, hints_sent, hints_heard, failures } = &self.0.counters;
        RedisStatus {
            is_up: is_up.load(Ordering::Relaxed),
            hints_sent: hints_sent.load(Ordering::Relaxed),
            hints_heard: hints_heard.load(Ordering::Relaxed),
            failures: failures.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    /// The connection and the whole name of something kept, unless Redis is not to be asked.
    fn link_and_key(&self, name: &[u8; 32]) -> Option<(MultiplexedConnection, Vec<u8>)> {
        let (link, deployment) = self.link(&self.paused_until)?;
        Some((link, [format!("nolapse:{deployment}:token:").as_bytes(), name].concat()))
    }

    /// The connection and the command for a script, unless Redis is not to be asked.
    fn counting(
        &self,
        script: &str,
        names: &[[u8; 32]],
        numbers: &[i64],
        paused_until: &AtomicI64,
    ) -> Option<(MultiplexedConnection, Cmd)> {
        let (link, deployment) = self.link(paused_until)?;
        // In braces: where a Redis divides keys into slots, those of one deployment's counts share one.
        let prefix = format!("nolapse:{{{deployment}}}:count:");
        let mut command = cmd("EVAL");
        command.arg(script).arg(names.len());
        for name in names {
            command.arg([prefix.as_bytes(), name].concat());
        }
        command.arg(numbers);
        Some((link, command))
    }

    /// The connection and the name of the deployment.
    fn link(&self, paused_until: &AtomicI64) -> Option<(MultiplexedConnection, String)> {
        if boottime_nanos() < paused_until.load(Ordering::Relaxed) {
            return None;
        }
        let link = lock(&self.link).clone()?;
        let deployment = self.deployment.borrow().clone()?;
        Some((link, deployment))
    }

    fn pause(&self, paused_until: &AtomicI64) {
        self.counters.failures.fetch_add(1, Ordering::Relaxed);
        paused_until.store(boottime_nanos() + PAUSE, Ordering::Relaxed);
    }

    async fn run(&self, heard: impl Fn()) {
        let mut named = self.deployment.subscribe();
        let (mut wait, mut is_lost) = (FIRST_WAIT, false);
        loop {
            let Ok(channel) = named.wait_for(Option::is_some).await.map(|name| channel(name.as_deref())) else {
                return;
            };
            let (began, why) = match self.connect(&channel).await {
                Ok((link, hints)) => {
                    let began = Instant::now();
                    if std::mem::take(&mut is_lost) {
                        tracing::info!("Redis is back");
                    }
                    *lock(&self.link) = Some(link.clone());
                    self.counters.is_up.store(true, Ordering::Relaxed);
                    // In this order: subscribed, and then a poll for what was not heard.
                    heard();
                    let why = self.listen(link, hints, &channel, &heard).await;
                    self.counters.is_up.store(false, Ordering::Relaxed);
                    *lock(&self.link) = None;
                    (Some(began), why)
                }
                Err(why) => (None, why),
            };
            if !std::mem::replace(&mut is_lost, true) {
                tracing::warn!(%why, "Redis cannot be used: this node goes on without it, and tries again");
            }
            if began.is_some_and(|began| began.elapsed() > LONGEST_WAIT) {
                wait = FIRST_WAIT;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Connects, to a server that answers, and subscribes.
    async fn connect(&self, channel: &str) -> Result<(MultiplexedConnection, PubSub), String> {
        let connecting = async {
            let server = self.address.server().await?;
            let mut link = connect(&server).await?;
            self.look(&mut link).await?;
            let mut hints = server.get_async_pubsub().await?;
            hints.subscribe(channel).await?;
            Ok((link, hints))
        };
        match timeout(3 * BEAT, connecting).await {
            Ok(connected) => connected.map_err(|error: RedisError| error.to_string()),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }

    /// Whether the server is there, and no other's replica: that takes no values, counts nothing, and passes no hints on.
    async fn look(&self, link: &mut MultiplexedConnection) -> Result<(), RedisError> {
        match cmd("ROLE").query_async::<Vec<::redis::Value>>(link).await {
            Ok(role) => match role.first() {
                Some(::redis::Value::BulkString(name)) if name == b"master" => Ok(()),
                _ => {
                    Err(RedisError::from((::redis::ErrorKind::Client, "the server is a replica: it takes no changes")))
                }
            },
            // The user may not ask, or the server does not know: one at a fixed address is taken as it is.
            Err(error) if error.code().is_some() && !self.address.may_move() => cmd("PING").query_async(link).await,
            Err(error) => Err(error),
        }
    }

    /// Passes hints on, in both directions, until the connection fails. Why it did.
    async fn listen(&self, mut link: MultiplexedConnection, hints: PubSub, channel: &str, heard: &impl Fn()) -> String {
        let (mut asking, mut messages) = hints.split();
        let mut beats = interval(BEAT);
        // Whoever may publish there costs polls at this rate and no more, and no memory.
        let mut earliest = Instant::now();
        let mut due: Option<Instant> = None;
        loop {
            let wake = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = messages.next() => match message {
                    Some(_) => {
                        self.counters.hints_heard.fetch_add(1, Ordering::Relaxed);
                        due.get_or_insert(earliest);
                    }
                    None => return "the connection for hints ended".to_owned(),
                },
                () = wake => {
                    heard();
                    due = None;
                    earliest = Instant::now() + BETWEEN_HINTS;
                }
                () = self.announced.notified() => {
                    self.counters.hints_sent.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = cmd("PUBLISH").arg(channel).arg("").query_async::<()>(&mut link).await {
                        return error.to_string();
                    }
                }
                _ = beats.tick() => {
                    let both = async {
                        self.look(&mut link).await?;
                        asking.ping::<()>().await
                    };
                    match timeout(BEAT, both).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return error.to_string(),
                        Err(_) => return "it does not answer".to_owned(),
                    }
                }
            }
        }
    }
}

/// Where nodes of a deployment tell each other that there is something to read.
fn channel(deployment: Option<&str>) -> String {
    format!("nolapse:{}:changes", deployment.unwrap_or_default())
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("status", &self.status()).finish_non_exhaustive()
    }
}
