//! A node's proof that its server is still the primary: a commit that the standby has.
//!
//! A standby that takes its primary's place first ends the connection to it. So a commit that waited for the standby, and was
//! sent after a moment, shows that nothing was committed anywhere else before that moment.

use super::Registry;
use crate::backend::postgresql::{Purpose, Watched, connect_watched, history_of, names_standby};
use crate::error::StoreError;
use crate::options::StoreOptions;
use diesel_async::SimpleAsyncConnection as _;
use std::fmt;
use std::sync::atomic::Ordering;

/// A node's connection for proofs. It is its own, since a commit that waits for its standby may wait for ever, and reports and
/// news must not wait with it.
pub struct Witness {
    watched: Watched,
    history: String,
}

impl Registry {
    /// Connects.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn connect_witness(&self) -> Result<Witness, StoreError> {
        let watched = connect_watched(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        let history = history_of(&watched.connection).await?;
        Ok(Witness { watched, history })
    }
}

impl Witness {
    /// The history of the server that this is connected to.
    pub fn history(&self) -> &str {
        &self.history
    }

    /// Commits a message that nobody reads, which takes no lock and changes no table. Whether the commit waited for its standby to
    /// the end, and the server has one; it waits for as long as that takes.
    ///
    /// # Errors
    /// The connection is lost, or the server refuses.
    pub async fn prove(&self) -> Result<bool, StoreError> {
        let is_cancelled = &self.watched.heard.wait_cancelled;
        is_cancelled.store(false, Ordering::Release);
        let mut connection = &self.watched.connection;
        connection.batch_execute("BEGIN; SELECT pg_logical_emit_message(true, 'nolapse', ''); COMMIT").await?;
        Ok(names_standby(connection).await? && !is_cancelled.load(Ordering::Acquire))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}
