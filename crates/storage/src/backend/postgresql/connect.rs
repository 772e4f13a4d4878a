//! Opening one connection on the runtime that awaits it.

use super::tls;
use crate::error::{OutageKind, StoreError};
use crate::kept::Keep as _;
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::url::{Server, TlsMode};
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};

/// TCP keepalive: idle time before the first probe, interval between probes, and probes without an answer before the connection fails:
/// five seconds in all.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(2);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEPALIVE_RETRIES: u32 = 3;

/// What a session says of itself that may not choose the language of messages, and has another than English.
const TRANSLATED: &str = "nolapse: messages are translated";

/// What a connection is for, which decides its time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Serving requests: everything bounded.
    Serving,
    /// The same for lists and searches: each is planned for its own values. A plan for any values may walk the index of an
    /// action that a million events have, to find the one that is about a rare target.
    Listing,
    /// Migrations: waiting is the point.
    Waiting,
}

/// What a failover or a restore changes: a promotion starts another timeline, and a database that was initialised anew has
/// another identifier. It stays the same for as long as a connection lasts.
macro_rules! history {
    () => {
        "((SELECT system_identifier FROM pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))"
    };
}
pub(crate) use history;

/// A connection, with what PostgreSQL says on it beside its answers.
pub(crate) struct Watched {
    /// The connection.
    pub(crate) connection: AsyncPgConnection,
    pub(crate) heard: Arc<Heard>,
    /// The number of its server's history, as the node counts; 0 where no node follows anything.
    number: u64,
}

/// What PostgreSQL said on a connection beside its answers.
#[derive(Default)]
pub(crate) struct Heard {
    /// Set when the wait for a standby was cancelled: the commit is on this server's disk and perhaps on no other.
    pub(crate) wait_cancelled: AtomicBool,
    /// Set when the server's messages are in a language that this program does not read.
    is_translated: AtomicBool,
    /// Told of each notification on a channel that the connection listens to.
    pub(crate) notified: Notify,
}

impl Heard {
    /// An error with what is known of its language. diesel passes no code on but for a few, and the message that tells an outage
    /// from a fault cannot be read where it is translated. Statements are tried before a release and have no faults, so it is
    /// taken for an outage; of those for a lost connection, after which nothing is taken for granted.
    pub(crate) fn understood(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Broken(message) if self.is_translated.load(Ordering::Acquire) => {
                StoreError::outage(OutageKind::Lost, message)
            }
            error => error,
        }
    }
}

impl Watched {
    /// Whether it leads to the server that the node follows.
    pub(crate) fn is_followed(&self, registration: Option<&Registration>) -> bool {
        registration.is_none_or(|registration| registration.number() == self.number)
    }

    /// The same for a read. A read is sent again after a lost connection, but not after a time-out, because it would take as long
    /// again. The two are told apart by an empty query, answered within `patience`: if the server answers it, the connection is
    /// not lost and the read timed out. Whether the connection is closed cannot be asked: the error arrives before its end.
    pub(crate) async fn understood(&self, error: StoreError, patience: Duration) -> StoreError {
        match error {
            StoreError::Broken(message) if self.heard.is_translated.load(Ordering::Acquire) => {
                let mut shared = &self.connection;
                let kind = match timeout(patience, shared.batch_execute("")).await {
                    Ok(Err(_)) => OutageKind::Lost,
                    Ok(Ok(())) | Err(_) => OutageKind::Timeout,
                };
                StoreError::outage(kind, message)
            }
            error => error,
        }
    }
}

/// Connects, within the time limit, and sets the session's own limits.
pub(crate) async fn connect(
    server: &Server,
    options: &StoreOptions,
    purpose: Purpose,
) -> Result<AsyncPgConnection, StoreError> {
    Ok(connect_watched(server, options, purpose).await?.connection)
}

/// As [`connect`], and listens for warnings.
pub(crate) async fn connect_watched(
    server: &Server,
    options: &StoreOptions,
    purpose: Purpose,
) -> Result<Watched, StoreError> {
    timeout(options.connect_timeout, open(server, options, purpose)).await.unwrap_or_else(|_| Err(too_slow(server)))
}

/// As [`connect_watched`], to the server that the node follows. Of several hosts each try begins with another one.
pub(crate) async fn connect_followed(
    server: &Server,
    options: &StoreOptions,
    purpose: Purpose,
    registration: Option<&Registration>,
) -> Result<Watched, StoreError> {
    let Some(registration) = registration else {
        return connect_watched(server, options, purpose).await;
    };
    let try_hosts = async {
        for _ in 0..2 * server.config.get_hosts().len() {
            let watched = open(server, options, purpose).await?;
            let history = history_of(&watched.connection).await?;
            if let Some(number) = registration.number_of(&history) {
                return Ok(Watched { number, ..watched });
            }
        }
        let detail = "this PostgreSQL server is not the one that this node follows: another has taken its place";
        Err(StoreError::outage(OutageKind::Connect, detail))
    };
    timeout(options.connect_timeout, try_hosts).await.unwrap_or_else(|_| Err(too_slow(server)))
}

/// The history of the server at the other end of a connection.
pub(crate) async fn history_of(mut connection: &AsyncPgConnection) -> Result<String, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        history: String,
    }
    let question = diesel::sql_query(concat!("SELECT ", history!(), " AS history"));
    Ok(diesel_async::RunQueryDsl::get_result::<Answer>(question, &mut connection).await?.history)
}

/// Whether commits of the server at the other end of a connection wait for a standby. Asked behind a commit it tells whether that
/// waited: a server that is told to stop waiting tells its sessions before it lets the commits go that wait.
pub(crate) async fn names_standby(mut connection: &AsyncPgConnection) -> Result<bool, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        names: String,
    }
    let question = diesel::sql_query("SELECT current_setting('synchronous_standby_names') AS names").kept();
    Ok(!diesel_async::RunQueryDsl::get_result::<Answer>(question, &mut connection).await?.names.is_empty())
}

fn too_slow(server: &Server) -> StoreError {
    StoreError::outage(OutageKind::Connect, format!("connecting to PostgreSQL at {} took too long", server.shown))
}

/// Connects for a copy, whose rows go past diesel in PostgreSQL's own binary form. No statement has a time limit.
pub(crate) async fn connect_for_copy(server: &Server) -> Result<Client, StoreError> {
    let options = StoreOptions { idle_transaction_timeout: Duration::ZERO, ..StoreOptions::default() };
    let (client, _) =
        timeout(options.connect_timeout, reach(server, &options)).await.unwrap_or_else(|_| Err(too_slow(server)))?;
    let broken = |error: tokio_postgres::Error| StoreError::outage(OutageKind::Connect, error.to_string());
    client.batch_execute(&settings(&options, Purpose::Waiting)).await.map_err(broken)?;
    Ok(client)
}

async fn open(server: &Server, options: &StoreOptions, purpose: Purpose) -> Result<Watched, StoreError> {
    let (client, heard) = reach(server, options).await?;
    let mut connection = AsyncPgConnection::try_from(client)
        .await
        .map_err(|error| StoreError::outage(OutageKind::Connect, format!("PostgreSQL: {error}")))?;
    connection.batch_execute(&settings(options, purpose)).await?;
    Ok(Watched { connection, heard, number: 0 })
}

/// Connects, without the session's own settings.
async fn reach(server: &Server, options: &StoreOptions) -> Result<(Client, Arc<Heard>), StoreError> {
    let mut config = server.config.clone();
    config.ssl_mode(match server.tls {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyFull => SslMode::Require,
    });
    // A host that is gone without a word leaves time for the next one.
    config.connect_timeout(options.connect_timeout / u32::try_from(config.get_hosts().len().max(1)).unwrap_or(1));
    // A peer that vanishes without a word is noticed well before the kernel's own quarter of an hour, or two of hours when
    // nothing is sent.
    config.tcp_user_timeout(options.statement_timeout + options.connect_timeout);
    config
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES);
    let heard = Arc::new(Heard::default());
    let client = match server.tls {
        TlsMode::Disable => {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(server, &error))?;
            tokio::spawn(drive(connection, Arc::clone(&heard)));
            client
        }
        TlsMode::Prefer | TlsMode::Require | TlsMode::VerifyFull => {
            let tls = tls::connector(server)?;
            let (client, connection) = config.connect(tls).await.map_err(|error| refused(server, &error))?;
            tokio::spawn(drive(connection, Arc::clone(&heard)));
            client
        }
    };
    Ok((client, heard))
}

/// The statements that set a session up.
fn settings(options: &StoreOptions, purpose: Purpose) -> String {
    let (statement, lock) = match purpose {
        Purpose::Serving | Purpose::Listing => (options.statement_timeout, options.lock_timeout),
        Purpose::Waiting => (Duration::ZERO, Duration::ZERO),
    };
    let plans = if purpose == Purpose::Listing { "SET plan_cache_mode = force_custom_plan; " } else { "" };
    // The same for the server's side: the lock of a machine that lost its power is free within seconds.
    // A commit that is acknowledged is on disk, whatever the server's own default; a stronger one is left as it is.
    // A standby would answer with what was valid a moment ago.
    // Messages in English, as errors are told by them. Only superusers may choose, and those who were granted it: for others it is
    // the server's choice, or that of their role, and the refusal itself shows what it is.
    // Serialisable or repeatable-read defaults would turn the guarded updates' "no row" into an error.
    format!(
        "{plans}SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off; \
         SET tcp_keepalives_idle = {}; SET tcp_keepalives_interval = {}; SET tcp_keepalives_count = {}; \
         SET tcp_user_timeout = {}; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write'); \
         DO $$BEGIN PERFORM set_config('lc_messages', 'C', false); EXCEPTION WHEN insufficient_privilege THEN \
         IF SQLERRM NOT LIKE 'permission denied%' THEN RAISE INFO '{TRANSLATED}'; END IF; END$$; \
         DO $$BEGIN IF pg_is_in_recovery() THEN \
         RAISE EXCEPTION 'the database system is a standby, which may lag behind: name the primary'; END IF; END$$",
        statement.as_millis(),
        lock.as_millis(),
        options.idle_transaction_timeout.as_millis(),
        KEEPALIVE_IDLE.as_secs(),
        KEEPALIVE_INTERVAL.as_secs(),
        KEEPALIVE_RETRIES,
        (options.statement_timeout + options.connect_timeout).as_millis(),
    )
}

/// Carries a connection's bytes until its client is gone.
///
/// An operator who cancels a commit that waits for its standby makes PostgreSQL report success, with a warning. The driver
/// delivers both in order, so the warning is noted before the answer to the commit arrives.
async fn drive<S, T>(mut connection: Connection<S, T>, heard: Arc<Heard>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) if is_cancelled_wait(&notice) => {
                tracing::warn!(
                    "the wait for the standby of a commit was cancelled: it is unknown whether the commit would survive a failover"
                );
                heard.wait_cancelled.store(true, Ordering::Release);
            }
            Ok(AsyncMessage::Notice(notice)) if notice.message() == TRANSLATED => {
                heard.is_translated.store(true, Ordering::Release);
            }
            Ok(AsyncMessage::Notification(_)) => heard.notified.notify_one(),
            Ok(_) => {}
            // Those who wait for an answer are told by the end of the connection.
            Err(_) => return,
        }
    }
}

/// "canceling wait for synchronous replication due to user request", or "… and terminating connection …", in PostgreSQL's
/// source `SyncRepWaitForLSN`. The text may be translated; no other warning has this code at a commit.
fn is_cancelled_wait(notice: &DbError) -> bool {
    *notice.code() == SqlState::WARNING
}

/// The driver's error with its causes: its own text is as short as "error connecting to server".
fn refused(server: &Server, error: &tokio_postgres::Error) -> StoreError {
    let mut detail = format!("PostgreSQL at {}: {error}", server.shown);
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    match server.tls {
        TlsMode::VerifyFull | TlsMode::Require => {
            detail.push_str(" (the connection must be encrypted; on a trusted network ?sslmode=disable lifts that)");
        }
        TlsMode::Disable | TlsMode::Prefer => {}
    }
    StoreError::outage(OutageKind::Connect, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_outage_and_what_can_be_is_what_it_says() {
        let heard = Heard::default();
        let timed_out = StoreError::Broken("breche Anweisung wegen Zeitüberschreitung der Anweisung ab".to_owned());
        assert_eq!(heard.understood(timed_out.clone()), timed_out);
        heard.is_translated.store(true, Ordering::Release);
        assert!(heard.understood(timed_out).is_lost_connection());
        let conflict = StoreError::Conflict(crate::error::Constraint::UserEmail);
        assert_eq!(heard.understood(conflict.clone()), conflict);
    }
}
