//! `nolapse-demo-history`: puts a month of history behind a development deployment that is set up and has no running
//! server. `cargo xtask dev` runs it.

use std::error::Error;
use std::process::ExitCode;

use authority::env::{Clock as _, SystemClock, SystemEntropy};
use clap::Parser as _;
use seed::{Seed, offline};
use storage::DatabaseUrl;
use token_domain::text::{Email, Slug};

/// Put a month of history behind a development deployment.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "nolapse-demo-history")]
struct Args {
    /// Where the facts are: `sqlite://path/to/file.db` or `postgres://…`.
    #[arg(long, value_name = "URL", value_parser = DatabaseUrl::parse)]
    database_url: DatabaseUrl,
    /// The organisation.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    org: Slug,
    /// The person to whom the history is attributed.
    #[arg(long, value_name = "EMAIL", value_parser = Email::parse)]
    email: Email,
}

fn main() -> ExitCode {
    offline::program("nolapse-demo-history", run(&Args::parse()))
}

async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    offline::with_store(&args.database_url, &args.org, "nolapse-demo-history", async |store, organization| {
        let key = args.email.key();
        let found = store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await })).await?;
        let person = found.ok_or("nobody has that address: set the deployment up first")?.id;
        let seed = Seed { store, entropy: &SystemEntropy, organization, now: SystemClock::default().now() };
        Ok(seed.month(person).await?)
    })
    .await
}
