//! The advisory lock of a PostgreSQL session, and the thread that proves it.
//!
//! The row `instance` of `deployment` names the last holder: `held <holder>` or `released <holder>`. It tells a holder
//! that lost its session whether anyone else was there before it got the lock again, and it tells a newcomer whether
//! the last one may still be answering.
//!
//! An empty database has no such row, nor its table: the lock is taken first, so that no schema changes under a server
//! that runs. Until the table is made and the row is written the holder proves nothing, so it trusts no memory.

use super::{AcquireError, AlreadyRunning, Holding, InstanceLock, LEASE, boottime_nanos};
use crate::backend::postgresql::{Conn, Purpose, connect, repo};
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::url::Server;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
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
/// How long a proof may take. Less than the lease, so that a slow answer leaves time for another try.
const ANSWER: Duration = Duration::from_secs(1);

/// What the thread works with.
struct Keeper {
    server: Server,
    holder: String,
    good_until: Arc<AtomicI64>,
}

/// How an attempt to get the lock back ended.
enum Regained {
    Yes(Box<AsyncPgConnection>),
    NotYet,
    Never,
}

type Ready = oneshot::Sender<Result<(), AcquireError>>;

/// A thread of its own, so that proofs are sent on time however busy the workers are.
pub(super) async fn acquire(server: Server, holder: String) -> Result<InstanceLock, AcquireError> {
    let good_until = Arc::new(AtomicI64::new(0));
    let keeper = Keeper { server, holder, good_until: Arc::clone(&good_until) };
    let (tell_lost, lost) = watch::channel(false);
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
    Ok(InstanceLock { good_until, lost, holding: Mutex::new(Some(Holding::Session { stop, ended })) })
}

fn no_thread(error: &std::io::Error) -> StoreError {
    StoreError::Broken(format!("the instance lock cannot be kept: {error}"))
}

impl Keeper {
    async fn keep(self, ready: Ready, mut stopped: oneshot::Receiver<()>, lost: &watch::Sender<bool>) {
        let (connection, mut is_noted) = match self.take().await {
            Ok(taken) => taken,
            Err(error) => return drop(ready.send(Err(error))),
        };
        if ready.send(Ok(())).is_err() {
            // Whoever asked went away: leave no trace of a holder.
            return self.say_goodbye(&connection).await;
        }
        let mut connection = Some(connection);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                () = sleep(BEAT) => {}
            }
            let alive = match &connection {
                Some(session) => self.beat(session, &mut is_noted).await,
                None => false,
            };
            if alive {
                continue;
            }
            connection = None;
            match self.regain(is_noted).await {
                Regained::Yes(session) => connection = Some(*session),
                Regained::NotYet => {}
                Regained::Never => {
                    self.good_until.store(0, Ordering::Release);
                    lost.send_replace(true);
                    return;
                }
            }
        }
        if let Some(session) = &connection {
            self.say_goodbye(session).await;
        }
    }

    /// Takes the lock; says too whether the row could be written.
    async fn take(&self) -> Result<(AsyncPgConnection, bool), AcquireError> {
        let connection = self.connect().await?;
        let (mut locked, mut said) = (try_lock(&connection).await?, said(&connection).await?);
        // Whoever has said goodbye is gone in a moment: the server ends a session when it gets round to it.
        for _ in 0..GOODBYES {
            if locked || !said.as_deref().is_some_and(|said| said.starts_with("released ")) {
                break;
            }
            sleep(GOODBYE).await;
            (locked, said) = (try_lock(&connection).await?, self::said(&connection).await?);
        }
        if !locked {
            let holder = said.and_then(|said| said.split_once(' ').map(|(_, holder)| holder.to_owned()));
            return Err(AcquireError::AlreadyRunning(AlreadyRunning { holder }));
        }
        if !self.note(&connection).await? {
            return Ok((connection, false));
        }
        if said.is_some_and(|said| said.starts_with("held ")) {
            tracing::warn!("the last server on this database ended without a word: waiting for its lease to run out");
            // Two clocks that count seconds differ by far less than a fiftieth.
            sleep(LEASE + LEASE / 50).await;
        }
        if self.prove(&connection).await {
            Ok((connection, true))
        } else {
            Err(StoreError::outage(OutageKind::Lost, "the session of the instance lock was lost at once").into())
        }
    }

    /// Shows that the session is alive. Writes the row first where that is still to be done; until then nothing is
    /// proved, and no memory trusted.
    async fn beat(&self, connection: &AsyncPgConnection, is_noted: &mut bool) -> bool {
        if !*is_noted {
            match timeout(ANSWER, self.note(connection)).await {
                Ok(Ok(noted)) => *is_noted = noted,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the holder of the instance lock cannot be noted");
                    return false;
                }
                Err(_) => return false,
            }
        }
        !*is_noted || self.prove(connection).await
    }

    /// Writes the row if there is a table for it by now. Nobody can have been before: the table is made under this lock.
    async fn note(&self, connection: &AsyncPgConnection) -> Result<bool, StoreError> {
        if !has_table(connection).await? {
            return Ok(false);
        }
        let mut session: Conn<'_> = connection;
        repo::settings::meta_set(&mut session, ROW, &self.held()).await?;
        Ok(true)
    }

    /// Sends a proof. Its answer shows that the session, and with it the lock, was there when it was sent.
    async fn prove(&self, connection: &AsyncPgConnection) -> bool {
        let sent = boottime_nanos();
        let mut session: Conn<'_> = connection;
        let answer = timeout(ANSWER, diesel::sql_query("SELECT 1").execute(&mut session)).await;
        let alive = matches!(answer, Ok(Ok(_)));
        if alive {
            let lease = i64::try_from(LEASE.as_nanos()).unwrap_or(0);
            self.good_until.store(sent.saturating_add(lease), Ordering::Release);
        }
        alive
    }

    async fn regain(&self, is_noted: bool) -> Regained {
        let attempt = async {
            let connection = self.connect().await?;
            // The row is read under the lock, or else it may be our own old session that still holds it.
            let locked = try_lock(&connection).await?;
            let said = said(&connection).await?;
            Ok::<_, StoreError>((connection, locked, said))
        };
        match timeout(LEASE, attempt).await {
            Ok(Ok((connection, locked, said))) => {
                let is_as_left = if is_noted { said == Some(self.held()) } else { said.is_none() };
                match (is_as_left, locked) {
                    (false, _) => Regained::Never,
                    (true, true) if !is_noted || self.prove(&connection).await => Regained::Yes(Box::new(connection)),
                    (true, _) => Regained::NotYet,
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the instance lock cannot be proved");
                Regained::NotYet
            }
            Err(_) => Regained::NotYet,
        }
    }

    async fn say_goodbye(&self, connection: &AsyncPgConnection) {
        self.good_until.store(0, Ordering::Release);
        if !matches!(timeout(ANSWER, has_table(connection)).await, Ok(Ok(true))) {
            return;
        }
        let mut session: Conn<'_> = connection;
        let released = format!("released {}", self.holder);
        if let Ok(Err(error)) = timeout(ANSWER, repo::settings::meta_set(&mut session, ROW, &released)).await {
            tracing::warn!(%error, "the instance lock could not be given back in order: the next server waits");
        }
    }

    async fn connect(&self) -> Result<AsyncPgConnection, StoreError> {
        connect(&self.server, &StoreOptions::default(), Purpose::Serving).await
    }

    fn held(&self) -> String {
        format!("held {}", self.holder)
    }
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

/// What the row says; nothing when there is none, or no table yet.
async fn said(connection: &AsyncPgConnection) -> Result<Option<String>, StoreError> {
    if !has_table(connection).await? {
        return Ok(None);
    }
    let mut session: Conn<'_> = connection;
    repo::settings::meta_get(&mut session, ROW).await
}

async fn has_table(connection: &AsyncPgConnection) -> Result<bool, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let mut session: Conn<'_> = connection;
    let question = diesel::sql_query("SELECT to_regclass('deployment') IS NOT NULL AS there");
    let answer: Answer = question.get_result(&mut session).await?;
    Ok(answer.there)
}
