//! What every benchmark of the product needs: the program, a folder, a database.

use super::backend::Backend;
use super::contender::{Product, SEED};
use task_support::fail::{Context as _, Fail, Result};
use task_support::product::{self, Profile};
use task_support::say;
use tempfile::TempDir;

/// The core of server and database, which share one so that work and not scheduling is compared.
pub(super) const SERVER_CORE: usize = 1;
/// The core of the generator.
pub(super) const GENERATOR_CORE: usize = 0;

/// The product, ready to be filled and started. Dropping it stops the database and removes the folder.
#[derive(Debug)]
pub(super) struct Stage {
    // Fields are dropped in this order: the database first, then the folder.
    pub(super) product: Product,
    pub(super) folder: TempDir,
}

impl Stage {
    /// Builds the product and prepares an empty database.
    ///
    /// # Errors
    /// A machine with one core; a build that fails; a database that does not start.
    pub(super) fn prepare(profile: Profile, backend: Backend) -> Result<Self> {
        let cores = std::thread::available_parallelism().attempt(|| "count the processor cores".into())?;
        if cores.get() < 2 {
            return Err(Fail::new("a benchmark needs two processor cores: one for the servers, one for the generator"));
        }
        say::step("building nolapse-api and what fills its database");
        let program = product::build(profile)?;
        product::build_program("seed", SEED, profile)?;
        let folder = tempfile::Builder::new().prefix("nolapse-bench-").tempdir().attempt(|| "make a folder".into())?;
        let product = Product::prepare(program, folder.path(), SERVER_CORE, backend)?;
        Ok(Self { product, folder })
    }
}
