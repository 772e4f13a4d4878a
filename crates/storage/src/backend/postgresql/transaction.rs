//! The transaction of a unit of work, in as few round trips as its statements allow.
//!
//! A statement whose answer decides nothing waits until another has to be sent, or the commit, and goes on its way right in
//! front of that; and `BEGIN` right in front of the lock that nearly every unit starts with. A small change thus takes as
//! many round trips as it has questions, and one for the commit with all that it writes.
//!
//! What makes that safe: PostgreSQL carries statements out in the order they came, and after one that failed refuses all
//! others, a `COMMIT` with them, which then rolls back. And statements are sent in the order they are polled here, also
//! those that a connection has to prepare first: they queue for its one cache of prepared statements, the `COMMIT` among
//! them.

use super::pool::{Pool, PooledConn, discard};
use crate::error::StoreError;
use crate::kept::Keep as _;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use futures::future::{BoxFuture, join, join_all};
use std::mem::take;
use std::sync::Arc;

/// Statements that wait are sent once they are so many, so that a long unit does not pile them up.
const MOST_WAITING: usize = 16;

/// A statement nobody waits for by itself.
pub(crate) type Statement =
    Box<dyn for<'c> FnOnce(&'c AsyncPgConnection) -> BoxFuture<'c, Result<(), StoreError>> + Send>;

/// A transaction, begun with its first statement.
pub(crate) struct Transaction {
    pool: Arc<Pool>,
    session: Option<PooledConn>,
    waiting: Vec<Statement>,
}

impl Transaction {
    /// One on a connection that the pool will give.
    pub(crate) const fn new(pool: Arc<Pool>) -> Self {
        Self { pool, session: None, waiting: Vec::new() }
    }

    /// The connection for the next statement, and what has to be polled before that.
    pub(crate) async fn next(
        &mut self,
    ) -> Result<(impl Future<Output = Result<(), StoreError>>, &AsyncPgConnection), StoreError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => Box::pin(begin(&self.pool, |_| Box::pin(async { Ok(()) }))).await?.0,
        };
        let connection = self.session.insert(session).lend();
        Ok((all(connection, take(&mut self.waiting)), connection))
    }

    /// The first statement of most units, with `BEGIN` in front of it. It must be one that does no harm by itself, should
    /// `BEGIN` be refused.
    pub(crate) async fn first<T, F>(&mut self, statement: F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c AsyncPgConnection) -> BoxFuture<'c, Result<T, StoreError>>,
    {
        if self.session.is_none() && self.waiting.is_empty() {
            let (session, answer) = Box::pin(begin(&self.pool, statement)).await?;
            self.session = Some(session);
            return answer;
        }
        let (before, connection) = self.next().await?;
        let (before, answer) = join(before, statement(connection)).await;
        before.and(answer)
    }

    /// Leaves a statement for later. Whether it fails is known at the next one that is sent, or at the commit.
    pub(crate) async fn later(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.waiting.push(statement);
        if self.waiting.len() < MOST_WAITING {
            return Ok(());
        }
        self.next().await?.0.await
    }

    /// Sends what waits, and `COMMIT` behind it. After an error about the connection whether it took effect is unknown.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if self.session.is_none() && self.waiting.is_empty() {
            return Ok(());
        }
        let (before, connection) = self.next().await?;
        let (before, committed) = join(before, command(connection, "COMMIT")).await;
        self.end(committed.is_ok());
        before.and(committed)
    }

    /// Takes everything back, if need be with the connection.
    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        let Some(session) = &self.session else { return Ok(()) };
        let rolled_back = command(session.lend(), "ROLLBACK").await;
        self.end(rolled_back.is_ok());
        rolled_back
    }

    /// Throws the connection away, and with it whatever was done or was under way.
    pub(crate) fn abandon(mut self) {
        self.end(false);
    }

    /// Gives the connection back to the pool, or throws it away where nobody knows what goes on there.
    fn end(&mut self, over: bool) {
        match self.session.take() {
            Some(mut session) if over => session.close_transaction(),
            Some(session) => drop(discard(session)),
            None => {}
        }
    }
}

/// `BEGIN` and a first statement. A connection found dead is replaced: nothing was done on it yet.
async fn begin<T, F>(pool: &Pool, statement: F) -> Result<(PooledConn, Result<T, StoreError>), StoreError>
where
    F: for<'c> Fn(&'c AsyncPgConnection) -> BoxFuture<'c, Result<T, StoreError>>,
{
    // Each try discards one dead connection, so that many may have died and the last is new.
    let mut dead = 0..pool.max_size();
    loop {
        let mut session = pool.take().await?;
        session.open_transaction();
        let (begun, answer) = join(command(session.lend(), "BEGIN"), statement(session.lend())).await;
        let Err(error) = begun else { return Ok((session, answer)) };
        drop(discard(session));
        if !error.is_lost_connection() || dead.next().is_none() {
            return Err(error);
        }
    }
}

/// All of them, in order; the first error, if there is one.
async fn all(connection: &AsyncPgConnection, statements: Vec<Statement>) -> Result<(), StoreError> {
    join_all(statements.into_iter().map(|statement| statement(connection))).await.into_iter().collect()
}

/// `BEGIN`, `COMMIT` or `ROLLBACK`: prepared like all other statements, so that it queues with them.
async fn command(mut connection: &AsyncPgConnection, text: &'static str) -> Result<(), StoreError> {
    diesel::sql_query(text).kept().execute(&mut connection).await?;
    Ok(())
}
