//! `nolapse-bench-seed`: fills the database of a deployment that is set up and has no running server, for benchmarks.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use authority::env::{Clock as _, SystemClock, SystemEntropy};
use clap::Parser as _;
use secret_hash::{Keyring, TagKey};
use seed::{Seed, offline};
use storage::DatabaseUrl;
use token_domain::text::Slug;

/// Fill the database of a deployment for a benchmark.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "nolapse-bench-seed")]
struct Args {
    /// Where the facts are: `sqlite://path/to/file.db` or `postgres://…`.
    #[arg(long, value_name = "URL", value_parser = DatabaseUrl::parse)]
    database_url: DatabaseUrl,
    /// The organisation to fill; its project gets the same slug.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    org: Slug,
    /// The deployment's tag key: 64 hexadecimal digits. A benchmark's guards nothing.
    #[arg(long, value_name = "HEX")]
    tag_key: String,
    /// How many tokens.
    #[arg(long, value_name = "N")]
    tokens: usize,
    /// Where to write the tokens, one a line.
    #[arg(long, value_name = "FILE")]
    tokens_file: PathBuf,
    /// How many access scopes, in a project of their own.
    #[arg(long, value_name = "N", default_value_t = 0)]
    access_scopes: usize,
    /// How many actors, in the same project.
    #[arg(long, value_name = "N", default_value_t = 0)]
    actors: usize,
    /// How many audit events.
    #[arg(long, value_name = "N", default_value_t = 0)]
    events: usize,
}

fn main() -> ExitCode {
    offline::program("nolapse-bench-seed", run(&Args::parse()))
}

async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let keyring = Keyring::new(&TagKey::from_hex(&args.tag_key)?, &[])?;
    offline::with_store(&args.database_url, &args.org, "nolapse-bench-seed", async |store, organization| {
        let seed = Seed { store, entropy: &SystemEntropy, organization, now: SystemClock::default().now() };
        seed.project(args.org.as_str(), args.access_scopes, args.actors).await?;
        seed.events(args.events).await?;
        let mut out = BufWriter::new(File::create(&args.tokens_file)?);
        for secret in seed.tokens(&keyring, args.tokens).await? {
            writeln!(out, "{}", secret.expose())?;
        }
        Ok(out.flush()?)
    })
    .await
}
