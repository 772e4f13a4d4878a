//! The databases that a benchmark can be asked for.

use task_support::fail::{Fail, Result};

/// Which database the product runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    /// A file, in the product's own process.
    Sqlite,
    /// A throw-away cluster that waits for the disk, on the same core as the server.
    Postgres,
}

impl Backend {
    /// Reads the option `--backend`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            other => Err(Fail::usage(format!("no backend {other:?}: sqlite or postgres"))),
        }
    }

    /// As the option is written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
