//! The options for the configuration's sources, shared by all commands that load it.

use std::path::PathBuf;

use crate::config::{self, Loaded, Sources, problem::Problems};

/// Options of any command that reads the configuration. Taken before and after the name of a sub-command.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct SourceArgs {
    #[arg(long, global = true, value_name = "FILE", help = "Configuration file [env: NOLAPSE_CONFIG]")]
    config: Option<PathBuf>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Where the facts are: sqlite://path/to/file.db or postgres://… [env: DATABASE_URL]"
    )]
    database_url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "A Redis that the nodes on a PostgreSQL database share: redis://…, rediss://…, unix://… or redis+sentinel://… [env: REDIS_URL]"
    )]
    redis_url: Option<String>,
}

impl SourceArgs {
    /// Loads the configuration, with values from this command's own flags: `(key, flag, value)`.
    pub(super) fn load(self, more: Vec<(&'static str, &'static str, String)>) -> Result<Loaded, Problems> {
        let own = self.database_url.map(|url| ("database.url", "--database-url", url));
        let redis = self.redis_url.map(|url| ("redis.url", "--redis-url", url));
        config::load(&Sources::of_process(self.config, own.into_iter().chain(redis).chain(more).collect()))
    }
}
