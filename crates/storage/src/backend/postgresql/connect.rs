//! Opening one connection on the runtime that awaits it.

use super::tls;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::url::{Server, TlsMode};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

/// What a connection is for, which decides its time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Serving requests: everything bounded.
    Serving,
    /// Migrations and the instance lock: waiting is the point.
    Waiting,
}

/// Connects, within the time limit, and sets the session's own limits.
pub(crate) async fn connect(
    server: &Server,
    options: &StoreOptions,
    purpose: Purpose,
) -> Result<AsyncPgConnection, StoreError> {
    timeout(options.connect_timeout, open(server, options, purpose))
        .await
        .unwrap_or_else(|_| Err(StoreError::outage(OutageKind::Connect, "connecting to PostgreSQL took too long")))
}

async fn open(server: &Server, options: &StoreOptions, purpose: Purpose) -> Result<AsyncPgConnection, StoreError> {
    let mut config = server.config.clone();
    config.ssl_mode(match server.tls {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyFull => SslMode::Require,
    });
    config.connect_timeout(options.connect_timeout);
    // A peer that vanishes without a word is noticed well before the kernel's own quarter of an hour.
    config.tcp_user_timeout(options.statement_timeout + options.connect_timeout);
    let connected = match server.tls {
        TlsMode::Disable => {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(server, &error))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
        TlsMode::Prefer | TlsMode::Require | TlsMode::VerifyFull => {
            let tls = tls::connector(server)?;
            let (client, connection) = config.connect(tls).await.map_err(|error| refused(server, &error))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
    };
    let mut connection =
        connected.map_err(|error| StoreError::outage(OutageKind::Connect, format!("PostgreSQL: {error}")))?;
    let (statement, lock) = match purpose {
        Purpose::Serving => (options.statement_timeout, options.lock_timeout),
        Purpose::Waiting => (Duration::ZERO, Duration::ZERO),
    };
    // Serialisable or repeatable-read defaults would turn the guarded updates' "no row" into an error.
    let settings = format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off",
        statement.as_millis(),
        lock.as_millis(),
        options.idle_transaction_timeout.as_millis(),
    );
    connection.batch_execute(&settings).await?;
    Ok(connection)
}

/// The driver's error with its causes: its own text is as short as "error connecting to server".
fn refused(server: &Server, error: &tokio_postgres::Error) -> StoreError {
    let mut detail = format!("PostgreSQL: {error}");
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
