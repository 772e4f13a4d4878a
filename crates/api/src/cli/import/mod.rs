//! `import FILE`: makes tokens from the hashes of another system, as many as a file has.
//!
//! The file is read in parts of 500 rows and each part is one transaction, so that memory does not grow with the file and an
//! interrupted import can be run again: rows that were imported before are reported as existing and create no second token.

mod rows;

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use authority::Origin;
use authority::imports::{Batch, Fault, Imports, Mode, Preset, RowResult};
use serde_json::Value;
use storage::Store;
use storage::instance::AcquireError;
use token_domain::id::OrganizationId;
use token_domain::text::Slug;

use self::rows::{Next, Rows};
use super::order::serving;
use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::database_url;
use crate::config::Config;
use crate::membership::Entrance;

/// Rows of one transaction.
const AT_ONCE: usize = 500;
/// Rows that were refused are named up to this many; the rest are counted.
const MOST_NAMED: usize = 1_000;
/// How often progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// Options of `import`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// The file: one JSON object per line, or a table with commas, semicolons or tabs whose first line names the fields. `-` reads
    /// standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The slug of the organisation that gets the tokens.
    #[arg(long, visible_alias = "org", value_name = "SLUG", value_parser = Slug::parse)]
    organization: Slug,
    /// The system that exported the rows: kong, unkey, sanctum, knox, drf-api-key or better-auth.
    #[arg(long, value_name = "SYSTEM", value_parser = preset)]
    preset: Option<Preset>,
    /// The scopes of every row, in place of its own. May be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Only report what would be imported.
    #[arg(long)]
    dry_run: bool,
}

fn preset(name: &str) -> Result<Preset, String> {
    Preset::parse(name).ok_or_else(|| format!("must be one of {}", Preset::ALL.map(Preset::as_str).join(", ")))
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let loaded = args.sources.clone().load(Vec::new())?;
    let background = serve::background()?;
    let told = background.block_on(import(&loaded.config, &background, args))?;
    output::emit(&told.summary(args.dry_run))?;
    if told.refused == 0 { Ok(()) } else { Err(format!("{} rows were not imported", told.refused).into()) }
}

/// As a server that changes the database does: alone on an SQLite file, as one more node on PostgreSQL.
async fn import(config: &Config, background: &tokio::runtime::Runtime, args: &Args) -> Result<Told, Failure> {
    let url = database_url(config)?;
    let entrance = Entrance::enter(&url).await.map_err(|error| match error.downcast_ref() {
        Some(AcquireError::AlreadyRunning(_)) => {
            Failure::from("a server uses this database: stop it, or import through it with POST /v1/tokens/import")
        }
        _ => error,
    })?;
    serving(entrance, config, &url, background, async |services| {
        all(services.context.store(), &services.imports, args).await
    })
    .await
}

async fn all(store: &Store, imports: &Imports, args: &Args) -> Result<Told, Failure> {
    let slug = args.organization.clone();
    let read = store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await }));
    let organization =
        read.await?.ok_or("no organisation has this slug: `nolapse-api organization list` lists all of them")?.id;
    let mut rows = rows(args)?;
    let mut told = Told::default();
    let mut progress = Progress::new();
    loop {
        let mut part = Part::default();
        while part.rows.len() < AT_ONCE {
            match rows.next()? {
                Next::Row(number, row) => part.push(number, row),
                Next::Bad(number, fault) => told.refuse(number, &fault)?,
                Next::End => break,
            }
        }
        if part.rows.is_empty() {
            progress.end();
            return Ok(told);
        }
        import_part(imports, organization, args, part, &mut told).await?;
        progress.show(&told);
    }
}

async fn import_part(
    imports: &Imports,
    organization: OrganizationId,
    args: &Args,
    part: Part,
    told: &mut Told,
) -> Result<(), Failure> {
    let batch = Batch {
        rows: part.rows,
        preset: args.preset.unwrap_or_default(),
        scopes: (!args.scopes.is_empty()).then(|| args.scopes.clone()),
        mode: if args.dry_run { Mode::DryRun } else { Mode::Carry },
    };
    let origin = Origin { request_id: "import".to_owned(), client_ip: None, presented_from: None, user_agent: None };
    let results = imports.import_into(organization, batch, &origin).await?;
    for (number, result) in part.numbers.into_iter().zip(results) {
        match result {
            RowResult::Created(_) | RowResult::Ready => told.created += 1,
            RowResult::Existing(_) => told.existing += 1,
            RowResult::Refused(fault) => told.refuse(number, &fault)?,
        }
    }
    Ok(())
}

/// Rows of one transaction, with their line numbers.
#[derive(Default)]
struct Part {
    numbers: Vec<u64>,
    rows: Vec<Value>,
}

impl Part {
    fn push(&mut self, number: u64, row: Value) {
        self.numbers.push(number);
        self.rows.push(row);
    }
}

/// Opens the file.
fn rows(args: &Args) -> Result<Rows, Failure> {
    let source: Box<dyn BufRead> = if args.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file =
            File::open(&args.file).map_err(|error| format!("{} cannot be read: {error}", args.file.display()))?;
        Box::new(BufReader::with_capacity(256 * 1024, file))
    };
    Ok(Rows::read(source)?)
}

/// What became of the rows.
#[derive(Default)]
struct Told {
    created: u64,
    existing: u64,
    refused: u64,
}

impl Told {
    /// Counts a row that was refused, and names it on standard output, as far as there are not too many.
    fn refuse(&mut self, number: u64, fault: &Fault) -> io::Result<()> {
        self.refused += 1;
        match usize::try_from(self.refused) {
            Ok(count) if count <= MOST_NAMED => output::emit(&format!("line {number}: {}\n", fault.message)),
            Ok(count) if count == MOST_NAMED + 1 => output::emit("further rows that were refused are only counted\n"),
            _ => Ok(()),
        }
    }

    fn rows(&self) -> u64 {
        self.created + self.existing + self.refused
    }

    fn summary(&self, is_dry: bool) -> String {
        let created = if is_dry { "would be created" } else { "created" };
        format!(
            "{} rows: {} {created}, {} imported before, {} refused\n",
            self.rows(),
            self.created,
            self.existing,
            self.refused
        )
    }
}

/// The number of rows on standard error, on one line that is overwritten. Shown only on a terminal.
struct Progress {
    is_shown: bool,
    last: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal(), last: Instant::now() }
    }

    fn show(&mut self, told: &Told) {
        if self.is_shown && self.last.elapsed() >= SHOW_EVERY {
            self.last = Instant::now();
            // The import goes on if its progress cannot be shown.
            let _ = write!(io::stderr(), "\r{} rows", told.rows());
        }
    }

    fn end(&self) {
        if self.is_shown {
            let _ = writeln!(io::stderr());
        }
    }
}
