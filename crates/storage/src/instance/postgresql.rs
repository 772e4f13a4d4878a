//! The advisory lock of a PostgreSQL session, and the thread that proves it.
//!
//! The row `instance` of `deployment` names the last holder: `held <holder>` or `released <holder>`. It tells a holder
//! that lost its session whether anyone else was there before it got the lock again, and it tells a newcomer whether
//! the last one may still be answering.
//!
//! The holder also raises the epoch in the row of the log's clock, which changes are compared with ([`Registration`]).
//!
//! An empty database has no such row, nor its table: the lock is taken first, so that no schema changes under a server
//! that runs. Until the table is made and the row is written the holder proves nothing, so it trusts no memory.

use super::{AcquireError, AlreadyRunning, Holding, InstanceLock, LEASE, Lost};
use crate::backend::postgresql::{Conn, Purpose, connect, repo};
use crate::boottime::boottime_nanos;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::url::Server;
use diesel::sql_types::{BigInt, Bool, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{sleep, timeout};

/// The advisory lock of the serving process.
const INSTANCE_LOCK: i64 = 0x6e6c_705f_0000_0002;
/// The row of `deployment`.
const ROW: &str = "instance";
/// Between two proofs.
const BEAT: Duration = Duration::from_millis(500);
/// Between two looks at whether a holder that said goodbye is gone.
const GOODBYE: Duration = Duration::from_millis(50);
/// Looks before it counts as still there: three seconds.
const GOODBYES: u32 = 60;
/// Tries to register behind an unfinished change, each as long as a statement may wait for a lock.
const REGISTRATIONS: u32 = 10;
/// How long a proof may take. Less than the lease, so that a slow answer leaves time for another try.
const ANSWER: Duration = Duration::from_secs(1);

/// What the thread works with.
struct Keeper {
    server: Server,
    holder: String,
    registration: Registration,
    good_until: Arc<AtomicI64>,
    /// Asks for a proof before the next one is due.
    wake: Arc<Notify>,
    /// The clock of the log when it was read last. It never goes backwards in one database.
    clock: i64,
}

/// A session that holds, or asks for, the lock.
struct Session {
    connection: AsyncPgConnection,
    /// The server process behind it. Another one answers only if something in between deals out connections.
    pid: i32,
}

/// What a proof showed.
enum Proof {
    /// The session is the one that holds the lock, and the database is the one it was.
    Holds,
    /// No answer, or none in time.
    Unknown,
    /// The database is not what this process remembers: why.
    Over(&'static str),
}

/// How an attempt to get the lock back ended.
enum Regained {
    Yes(Box<Session>),
    NotYet,
    Never(&'static str),
}

/// A row of the log's clock, and who answered.
#[derive(diesel::QueryableByName)]
struct Clock {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
    #[diesel(sql_type = Integer)]
    pid: i32,
}

type Ready = oneshot::Sender<Result<(), AcquireError>>;

/// A thread of its own, so that proofs are sent on time however busy the workers are.
pub(super) async fn acquire(server: Server, holder: String) -> Result<InstanceLock, AcquireError> {
    let good_until = Arc::new(AtomicI64::new(0));
    let registration = Registration::new(Arc::clone(&good_until));
    let wake = Arc::new(Notify::new());
    let keeper = Keeper {
        server,
        holder,
        registration: registration.clone(),
        good_until: Arc::clone(&good_until),
        wake: Arc::clone(&wake),
        clock: 0,
    };
    let (tell_lost, lost) = watch::channel(None);
    let (stop, stopped) = oneshot::channel();
    let (tell_ended, ended) = oneshot::channel();
    let (ready, acquired) = oneshot::channel();
    std::thread::Builder::new()
        .name("storage-instance".to_owned())
        .spawn(move || {
            match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(keeper.keep(ready, stopped, &tell_lost)),
                Err(error) => drop(ready.send(Err(no_thread(&error).into()))),
            }
            // Nobody may be waiting for the end.
            tell_ended.send(()).ok();
        })
        .map_err(|error| no_thread(&error))?;
    acquired.await.map_err(|_| StoreError::Broken("the instance thread ended early".to_owned()))??;
    let holding = Mutex::new(Some(Holding::Session { stop, ended, beat: wake }));
    Ok(InstanceLock { good_until, lost, registration: Some(registration), holding })
}

fn no_thread(error: &std::io::Error) -> StoreError {
    StoreError::Broken(format!("the instance lock cannot be kept: {error}"))
}

impl Keeper {
    async fn keep(mut self, ready: Ready, mut stopped: oneshot::Receiver<()>, lost: &watch::Sender<Option<Lost>>) {
        let session = match self.take().await {
            Ok(session) => session,
            Err(error) => return drop(ready.send(Err(error))),
        };
        if ready.send(Ok(())).is_err() {
            // The caller went away: leave no trace of a holder.
            return self.say_goodbye(&session).await;
        }
        let mut held = Some(session);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                () = sleep(BEAT) => {}
                () = self.wake.notified() => {}
            }
            let over = match &held {
                Some(session) => match self.beat(session).await {
                    Proof::Holds => continue,
                    Proof::Unknown => None,
                    Proof::Over(why) => Some(why),
                },
                None => None,
            };
            held = None;
            let over = match over {
                Some(why) => Some(why),
                None => match self.regain().await {
                    Regained::Yes(session) => {
                        held = Some(*session);
                        None
                    }
                    Regained::NotYet => None,
                    Regained::Never(why) => Some(why),
                },
            };
            if let Some(why) = over {
                self.good_until.store(0, Ordering::Release);
                tracing::error!("the instance lock is lost: {why}");
                lost.send_replace(Some(Lost::TakenOver));
                return;
            }
        }
        if let Some(session) = &held {
            self.say_goodbye(session).await;
        }
    }

    /// Takes the lock, and registers where there are tables already.
    async fn take(&mut self) -> Result<Session, AcquireError> {
        let session = self.connect().await.map_err(pooler_or)?;
        match self.is_pooled(&session).await {
            Ok(false) => {}
            Ok(true) => return Err(AcquireError::TransactionPooler),
            Err(error) => return Err(pooler_or(error)),
        }
        let connection = &session.connection;
        let (mut locked, mut said) = (try_lock(connection).await?, said(connection).await?);
        // A holder that has said goodbye is gone in a moment: PostgreSQL ends its session a little later.
        for _ in 0..GOODBYES {
            if locked || !said.as_deref().is_some_and(|said| said.starts_with("released ")) {
                break;
            }
            sleep(GOODBYE).await;
            (locked, said) = (try_lock(connection).await?, self::said(connection).await?);
        }
        if !locked {
            let holder = said.and_then(|said| said.split_once(' ').map(|(_, holder)| holder.to_owned()));
            return Err(AcquireError::AlreadyRunning(AlreadyRunning { holder }));
        }
        if !self.register_in_turn(connection).await? {
            return Ok(session);
        }
        if said.is_some_and(|said| said.starts_with("held ")) {
            tracing::warn!("the previous server did not release the instance lock: waiting for its lease to run out");
            // Two clocks that count seconds differ by far less than a fiftieth.
            sleep(LEASE + LEASE / 50).await;
        }
        match self.prove(&session).await {
            Proof::Holds => Ok(session),
            Proof::Unknown | Proof::Over(_) => {
                Err(StoreError::outage(OutageKind::Lost, "the session of the instance lock was lost at once").into())
            }
        }
    }

    /// Whether connections are dealt out for each transaction: then a second one has the server process of the first, or the
    /// first is given another one while the second is in the middle of a transaction.
    async fn is_pooled(&self, session: &Session) -> Result<bool, StoreError> {
        let mut other = self.connect().await?;
        if other.pid == session.pid {
            return Ok(true);
        }
        other.connection.batch_execute("BEGIN").await?;
        let kept = still_answered_by(&session.connection, session.pid).await?
            && still_answered_by(&other.connection, other.pid).await?;
        other.connection.batch_execute("COMMIT").await?;
        // A pooler that deals out the connection used last would give the first client that of the second now.
        Ok(!kept || !still_answered_by(&session.connection, session.pid).await?)
    }

    /// Shows that the session holds the lock. Registers first where that is still to be done; until then nothing is
    /// proved, and no memory trusted.
    async fn beat(&mut self, session: &Session) -> Proof {
        if self.registration.epoch() == 0 {
            match timeout(ANSWER, self.register(&session.connection)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return Proof::Holds,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "cannot write the name of this server to the row of the instance lock");
                    return Proof::Unknown;
                }
                Err(_) => return Proof::Unknown,
            }
        }
        self.prove(session).await
    }

    /// Registers, also behind a change that a server left unfinished: PostgreSQL ends that for being idle.
    async fn register_in_turn(&mut self, connection: &AsyncPgConnection) -> Result<bool, StoreError> {
        let mut tries = 0..REGISTRATIONS;
        loop {
            match self.register(connection).await {
                Err(StoreError::Unavailable(outage))
                    if outage.kind == OutageKind::Timeout && tries.next().is_some() =>
                {
                    tracing::warn!("waiting for PostgreSQL to end an unfinished transaction of the previous server");
                }
                result => return result,
            }
        }
    }

    /// Notes the holder and raises the epoch, if there are tables by now. Nobody can have been before: the tables are made
    /// under this lock. A change that another server has under way holds the row until its end, so this waits for it.
    async fn register(&mut self, connection: &AsyncPgConnection) -> Result<bool, StoreError> {
        if !has_tables(connection).await? {
            return Ok(false);
        }
        let mut session: Conn<'_> = connection;
        repo::settings::meta_set(&mut session, ROW, &self.held()).await?;
        let raised = diesel::sql_query(
            "UPDATE revocation_clock SET epoch = epoch + 1 WHERE id = 1 RETURNING n, epoch, pg_backend_pid() AS pid",
        );
        let clock: Clock = raised.get_result(&mut session).await?;
        self.clock = clock.n;
        self.registration.begin(clock.epoch);
        Ok(true)
    }

    /// Sends a proof. Its answer shows that the session, and with it the lock, was there when it was sent, and that nobody
    /// has put another copy of the database in its place.
    async fn prove(&mut self, session: &Session) -> Proof {
        let sent = boottime_nanos();
        let mut connection: Conn<'_> = &session.connection;
        let question = diesel::sql_query("SELECT n, epoch, pg_backend_pid() AS pid FROM revocation_clock WHERE id = 1");
        let Ok(Ok(clock)) = timeout(ANSWER, question.get_result::<Clock>(&mut connection)).await else {
            return Proof::Unknown;
        };
        if clock.pid != session.pid {
            return Proof::Over("something between this server and PostgreSQL deals out connections");
        }
        if let Some(why) = self.differs(&clock) {
            return Proof::Over(why);
        }
        self.clock = clock.n;
        let lease = i64::try_from(LEASE.as_nanos()).unwrap_or(0);
        self.good_until.store(sent.saturating_add(lease), Ordering::Release);
        Proof::Holds
    }

    /// Why the clock is not that of the database this process remembers, if so.
    fn differs(&self, clock: &Clock) -> Option<&'static str> {
        if clock.epoch != self.registration.epoch() {
            return Some("another server has registered since");
        }
        (clock.n < self.clock).then_some("the database went back to an earlier state: an older copy was restored")
    }

    async fn regain(&mut self) -> Regained {
        let registered = self.registration.epoch() != 0;
        let attempt = async {
            let session = self.connect().await?;
            // The row is read under the lock, or else it may be our own old session that still holds it.
            let locked = try_lock(&session.connection).await?;
            let said = said(&session.connection).await?;
            Ok::<_, StoreError>((session, locked, said))
        };
        match timeout(LEASE, attempt).await {
            Ok(Ok((session, locked, said))) => {
                let is_as_left = if registered { said == Some(self.held()) } else { said.is_none() };
                if !is_as_left {
                    return Regained::Never("another process has, or has had, the database meanwhile");
                }
                if !locked {
                    return Regained::NotYet;
                }
                if !registered {
                    return Regained::Yes(Box::new(session));
                }
                match self.prove(&session).await {
                    Proof::Holds => Regained::Yes(Box::new(session)),
                    Proof::Unknown => Regained::NotYet,
                    Proof::Over(why) => Regained::Never(why),
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot prove that this server still holds the instance lock");
                Regained::NotYet
            }
            Err(_) => Regained::NotYet,
        }
    }

    async fn say_goodbye(&self, session: &Session) {
        self.good_until.store(0, Ordering::Release);
        if self.registration.epoch() == 0 {
            return;
        }
        let mut connection: Conn<'_> = &session.connection;
        let released = format!("released {}", self.holder);
        if let Ok(Err(error)) = timeout(ANSWER, repo::settings::meta_set(&mut connection, ROW, &released)).await {
            tracing::warn!(%error, "cannot mark the instance lock as released: the next server waits for the lease to run out");
        }
    }

    async fn connect(&self) -> Result<Session, StoreError> {
        let connection = connect(&self.server, &StoreOptions::default(), Purpose::Serving).await?;
        let pid = backend_pid(&connection).await?;
        Ok(Session { connection, pid })
    }

    fn held(&self) -> String {
        format!("held {}", self.holder)
    }
}

/// Poolers that do not know prepared statements lose them between two transactions.
fn pooler_or(error: StoreError) -> AcquireError {
    match error {
        StoreError::Broken(text) if text.contains("prepared statement") => AcquireError::TransactionPooler,
        error => error.into(),
    }
}

/// Whether the same server process answers as before. As plain text: poolers lose statements that were prepared elsewhere.
async fn still_answered_by(mut connection: &AsyncPgConnection, pid: i32) -> Result<bool, StoreError> {
    const OTHER: &str = "another server process answers";
    let question = format!("DO $$BEGIN IF pg_backend_pid() <> {pid} THEN RAISE EXCEPTION '{OTHER}'; END IF; END$$");
    match connection.batch_execute(&question).await.map_err(StoreError::from) {
        Ok(()) => Ok(true),
        Err(StoreError::Broken(text)) if text.contains(OTHER) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The server process that answers.
async fn backend_pid(connection: &AsyncPgConnection) -> Result<i32, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let mut session: Conn<'_> = connection;
    let answer: Answer = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(&mut session).await?;
    Ok(answer.pid)
}

async fn try_lock(connection: &AsyncPgConnection) -> Result<bool, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        locked: bool,
    }
    let mut session: Conn<'_> = connection;
    let question = diesel::sql_query("SELECT pg_try_advisory_lock($1) AS locked").bind::<BigInt, _>(INSTANCE_LOCK);
    let answer: Answer = question.get_result(&mut session).await?;
    Ok(answer.locked)
}

/// The value of the row; `None` without the row or the table.
async fn said(connection: &AsyncPgConnection) -> Result<Option<String>, StoreError> {
    if !has_tables(connection).await? {
        return Ok(None);
    }
    let mut session: Conn<'_> = connection;
    repo::settings::meta_get(&mut session, ROW).await
}

/// Whether the database has the tables that registering needs. `epoch` is the younger of the two.
async fn has_tables(connection: &AsyncPgConnection) -> Result<bool, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let mut session: Conn<'_> = connection;
    let question = diesel::sql_query(
        "SELECT to_regclass('deployment') IS NOT NULL AND EXISTS (SELECT FROM pg_attribute \
         WHERE attrelid = to_regclass('revocation_clock') AND attname = 'epoch' AND NOT attisdropped) AS there",
    );
    let answer: Answer = question.get_result(&mut session).await?;
    Ok(answer.there)
}
