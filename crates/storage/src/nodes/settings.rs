//! What a server of PostgreSQL is set to, as far as acknowledged changes and the clocks of nodes depend on it.

use super::Registry;
use crate::backend::postgresql::{Conn, Purpose, connect};
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::sql_types::Moment;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;
use token_domain::Timestamp;

/// Settings of a server, and its clock.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct ServerSettings {
    /// `synchronous_commit` as sessions get it that do not set it; those of this program do.
    #[diesel(sql_type = Text)]
    pub synchronous_commit: String,
    /// Whether commits reach the disk.
    #[diesel(sql_type = Bool)]
    pub fsync: bool,
    /// Whether pages survive that were half written when the power was cut.
    #[diesel(sql_type = Bool)]
    pub full_page_writes: bool,
    /// The server's clock.
    #[diesel(sql_type = Moment)]
    pub now: Timestamp,
}

impl Registry {
    /// What the primary is set to.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn settings(&self) -> Result<ServerSettings, StoreError> {
        let connection = connect(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        let mut connection: Conn<'_> = &connection;
        let question = diesel::sql_query(
            "SELECT (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS synchronous_commit, \
             current_setting('fsync') = 'on' AS fsync, current_setting('full_page_writes') = 'on' AS full_page_writes, \
             clock_timestamp() AS now",
        );
        Ok(question.get_result(&mut connection).await?)
    }
}
