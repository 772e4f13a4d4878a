//! The transaction of a unit of work, in as few round trips as its statements allow.
//!
//! A statement whose answer decides nothing is held back and sent together with the next statement that needs an answer, or
//! with the commit. Likewise `BEGIN` is sent with the lock that nearly every unit starts with. So a small change takes one
//! round trip for each question, and one for the commit together with all writes.
//!
//! What makes that safe:
//!
//! - PostgreSQL carries statements out in the order they came, and after one that failed refuses all others, a `COMMIT` with
//!   them, which then rolls back.
//! - A statement that fails before it is sent, for a value that cannot be written down, is known by then, and no `COMMIT` is
//!   sent.
//! - Statements are sent in the order they are polled here, also those that a connection has to prepare first: they queue for
//!   its one cache of prepared statements, the `COMMIT` among them. (What would not queue: a batch of plain text, and a type
//!   that the driver has to look up by name. There is neither.)

use super::connect::names_standby;
use super::pool::{Lent, Pool};
use super::turns::{Queue, Turn};
use crate::error::{OutageKind, StoreError};
use crate::kept::Keep as _;
use diesel_async::AsyncPgConnection;
use futures::future::{BoxFuture, join, join_all, join3};
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use token_domain::id::NodeId;

/// The most statements that are buffered before they are sent, so that a long unit does not grow the buffer.
const MOST_WAITING: usize = 16;

/// A statement nobody waits for by itself.
pub(crate) type Statement =
    Box<dyn for<'c> FnOnce(&'c AsyncPgConnection) -> BoxFuture<'c, Result<(), StoreError>> + Send>;

/// A transaction, begun with its first statement. Dropped before its end it is lost, with its connection.
pub(crate) struct Transaction {
    pool: Arc<Pool>,
    lent: Option<Lent>,
    waiting: Vec<Statement>,
    /// At what it locks first, until the end.
    turn: Option<Turn>,
}

impl Transaction {
    /// One on a connection that the pool will give.
    pub(crate) const fn new(pool: Arc<Pool>) -> Self {
        Self { pool, lent: None, waiting: Vec::new(), turn: None }
    }

    /// The node that changes are made by; `None` where it is not looked for.
    pub(crate) fn node(&self) -> Result<Option<NodeId>, StoreError> {
        self.pool.node()
    }

    /// The connection for the next statement, and what has to be polled before that.
    pub(crate) async fn next(
        &mut self,
    ) -> Result<(impl Future<Output = Result<(), StoreError>>, &AsyncPgConnection), StoreError> {
        let waiting = take(&mut self.waiting);
        let connection = self.connection().await?;
        Ok((all(connection, waiting, None), connection))
    }

    /// The answer to a statement; a failure with what is known of the language it is told in.
    pub(crate) fn understood<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer.map_err(|error| match &self.lent {
            Some(lent) => lent.understood(error),
            None => error,
        })
    }

    /// Waits for this unit's turn at what it is about to lock, if it has not begun: a unit that waited for its turn with a
    /// connection could hold the last one that others need.
    pub(crate) async fn queue(&mut self, queue: Queue) -> Result<(), StoreError> {
        if self.lent.is_none() && self.turn.is_none() {
            self.turn = Some(self.pool.turn(queue).await?);
        }
        Ok(())
    }

    /// The first statement of most units, after its turn in a queue, with `BEGIN` in front of it. It must be one that does no
    /// harm by itself, should `BEGIN` be refused.
    pub(crate) async fn first<T, F>(&mut self, queue: Queue, statement: F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c AsyncPgConnection) -> BoxFuture<'c, Result<T, StoreError>>,
    {
        self.queue(queue).await?;
        if self.lent.is_none() && self.waiting.is_empty() {
            let (lent, answer) = Box::pin(begin(&self.pool, self.waited(), statement)).await?;
            self.lent = Some(lent);
            return self.understood(answer);
        }
        let (before, connection) = self.next().await?;
        let (before, answer) = join(before, statement(connection)).await;
        self.understood(before.and(answer))
    }

    /// Leaves a statement for later. Whether it fails is known at the next one that is sent, or at the commit.
    pub(crate) async fn later(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.waiting.push(statement);
        if self.waiting.len() < MOST_WAITING {
            return Ok(());
        }
        let answer = self.next().await?.0.await;
        self.understood(answer)
    }

    /// Sends what waits, `COMMIT` behind it, and behind that the question whether the server still has the standby that the node
    /// counts on: if not, the commit may have waited for nobody. After an error about the connection whether it took effect is
    /// unknown.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if self.lent.is_none() && self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = take(&mut self.waiting);
        self.connection().await?;
        if let Some(lent) = &self.lent {
            lent.forget_warnings();
        }
        let has_standby = self.pool.has_standby();
        let connection = self.connection().await?;
        let failed = AtomicBool::new(false);
        let end = async {
            // Polled after what waits, so that whatever could not even be sent is known.
            command(connection, if failed.load(Ordering::Relaxed) { "ROLLBACK" } else { "COMMIT" }).await
        };
        let waited = async { if has_standby { names_standby(connection).await } else { Ok(true) } };
        let (before, ended, waited) = join3(all(connection, waiting, Some(&failed)), end, waited).await;
        if self.lent.as_ref().is_some_and(Lent::wait_was_cancelled) {
            self.lent = None;
            return Err(StoreError::outage(OutageKind::Lost, "the commit's wait for its standby was cancelled"));
        }
        if (&before, &ended) == (&Ok(()), &Ok(())) && waited != Ok(true) {
            self.lent = None;
            return Err(StoreError::outage(OutageKind::Lost, "the server dropped its standby during the commit"));
        }
        let committed = self.understood(before.and_then(|()| ended.clone()));
        self.end(&ended);
        committed
    }

    /// Takes everything back, if need be with the connection.
    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        let Some(lent) = &self.lent else { return Ok(()) };
        let ended = command(lent.connection()?, "ROLLBACK").await;
        self.end(&ended);
        ended
    }

    /// Gives the connection back to the pool, if the server said that the transaction is over.
    fn end(&mut self, ended: &Result<(), StoreError>) {
        if let (Some(lent), Ok(())) = (self.lent.take(), ended) {
            lent.give_back();
        }
    }

    /// How long it has waited for its turn.
    fn waited(&self) -> Duration {
        self.turn.as_ref().map_or(Duration::ZERO, |turn| turn.waited)
    }

    /// The connection, in the transaction.
    async fn connection(&mut self) -> Result<&AsyncPgConnection, StoreError> {
        let lent = match self.lent.take() {
            Some(lent) => lent,
            None => Box::pin(begin(&self.pool, self.waited(), |_| Box::pin(async { Ok(()) }))).await?.0,
        };
        self.lent.insert(lent).connection()
    }
}

/// `BEGIN` and a first statement. A connection found dead is replaced: nothing was done on it yet.
async fn begin<T, F>(pool: &Pool, waited: Duration, statement: F) -> Result<(Lent, Result<T, StoreError>), StoreError>
where
    F: for<'c> Fn(&'c AsyncPgConnection) -> BoxFuture<'c, Result<T, StoreError>>,
{
    // Each try discards one dead connection, so that many may have died and the last is new.
    let mut dead = 0..pool.max_size();
    loop {
        let lent = pool.take(waited).await?;
        let connection = lent.connection()?;
        let (begun, answer) = join(command(connection, "BEGIN"), statement(connection)).await;
        match begun {
            Ok(()) => return Ok((lent, answer)),
            Err(error) => {
                let error = lent.understood(error);
                if !error.is_lost_connection() || dead.next().is_none() {
                    return Err(error);
                }
            }
        }
    }
}

/// All of them, in order; the first error, if there is one. `failed` is set as soon as one fails.
async fn all(
    connection: &AsyncPgConnection,
    statements: Vec<Statement>,
    failed: Option<&AtomicBool>,
) -> Result<(), StoreError> {
    let watched = statements.into_iter().map(|statement| async {
        let result = statement(connection).await;
        if let (Err(_), Some(failed)) = (&result, failed) {
            failed.store(true, Ordering::Relaxed);
        }
        result
    });
    join_all(watched).await.into_iter().collect()
}

/// `BEGIN`, `COMMIT` or `ROLLBACK`: prepared like all other statements, so that it queues with them.
async fn command(mut connection: &AsyncPgConnection, text: &'static str) -> Result<(), StoreError> {
    diesel_async::RunQueryDsl::execute(diesel::sql_query(text).kept(), &mut connection).await?;
    Ok(())
}
