//! Opens the database of a deployment that is set up and has no running server.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use storage::instance::InstanceLock;
use storage::nodes::Registry;
use storage::{DatabaseUrl, Store, StoreOptions};
use token_domain::id::OrganizationId;
use token_domain::text::Slug;
use tokio::runtime::{Handle, Runtime};

/// Runs the work of a program to its end, and prints its error.
pub fn program(name: &str, work: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    match Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(work)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Write errors are ignored.
            let _ = writeln!(std::io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Calls `fill` with the store and the organisation called `slug`. `program` is what the database's lock names.
///
/// # Errors
/// The database is in use, or has no such organisation; those of `fill`.
pub async fn with_store(
    url: &DatabaseUrl,
    slug: &Slug,
    program: &str,
    fill: impl AsyncFnOnce(&Store, OrganizationId) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    // Exclude a running server: it may have cached that a token does not exist, and is not told of new ones.
    let lock = url.sqlite_path().map(|path| InstanceLock::acquire(path, program)).transpose()?;
    if let Some(registry) = Registry::of(url)
        && registry.live_nodes().await? > 0
    {
        return Err("the database is in use: stop the servers first".into());
    }
    let store = Store::open(url, StoreOptions::default(), Handle::current()).await?;
    let slug = slug.clone();
    let found = store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await })).await;
    let filled = match found {
        Ok(Some(organization)) => fill(&store, organization.id).await,
        Ok(None) => Err("no organisation has this slug: set the deployment up first".into()),
        Err(error) => Err(error.into()),
    };
    store.shutdown().await;
    drop(lock);
    filled
}
