//! `copy --to-file FILE`: copies an SQLite database into an empty PostgreSQL database, to go on with many nodes.

use std::fs;
use std::path::PathBuf;

use storage::copy::{Progress, sqlite_to_postgresql};
use storage::{DatabaseUrl, migrate};
use zeroize::Zeroizing;

use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::database_url;
use crate::config::without_line_break;
use crate::membership::Entrance;

/// Options of `copy`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// The database to copy to: postgres://…, without rows. What it lacks of tables is made. Other users of this machine see the
    /// command line, and a password in it: name a file with --to-file instead.
    // Read here and not by the parser of arguments, which would print the whole of a bad one, password and all.
    #[arg(long, value_name = "URL", required_unless_present = "to_file", conflicts_with = "to_file")]
    to: Option<String>,
    /// A file that contains the URL of the database to copy to.
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
}

impl Args {
    /// The database to copy to, and the option that names it.
    fn target(&self) -> Result<DatabaseUrl, Failure> {
        let (option, text) = match (&self.to, &self.to_file) {
            (Some(url), _) => ("--to", Zeroizing::new(url.clone())),
            (None, Some(file)) => {
                if file.to_string_lossy().contains("://") {
                    // Not repeated: there may be a password in it.
                    return Err("--to-file names a file that contains the URL, not the URL itself".into());
                }
                let read =
                    fs::read_to_string(file).map_err(|error| format!("--to-file {}: {error}", file.display()))?;
                if read.trim().is_empty() {
                    return Err(format!("--to-file {}: the file is empty: write the URL to it", file.display()).into());
                }
                ("--to-file", Zeroizing::new(read))
            }
            (None, None) => return Err("name the database to copy to: --to or --to-file".into()),
        };
        Ok(DatabaseUrl::parse(without_line_break(&text)).map_err(|error| format!("{option}: {error}"))?)
    }
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let to = args.target()?;
    let loaded = args.sources.load(Vec::new())?;
    let from = database_url(&loaded.config)?;
    let path =
        from.sqlite_path().ok_or("this command copies from SQLite: --database-url names the file, --to PostgreSQL")?;
    if to.is_sqlite() {
        return Err("this command copies to PostgreSQL: use `backup` for another file".into());
    }
    // The lock would make the file.
    if !path.exists() {
        return Err(format!("{} does not exist: check --database-url", path.display()).into());
    }
    // Held to the end: a server that changed something meanwhile would change only the file.
    let entrance = serve::background()?.block_on(Entrance::enter(&from))?;
    let copied = copy(&from, &to);
    entrance.leave();
    let rows = copied?;
    Ok(output::emit(&format!(
        "{rows} rows are the same in both databases. Before a server starts on {to}: set database.url, and give every node the tag key \
         of this database (keys.tag_key_file); move the SQLite file away, so that no server starts on it again\n"
    ))?)
}

/// Copies, and returns the number of rows.
fn copy(from: &DatabaseUrl, to: &DatabaseUrl) -> Result<u64, Failure> {
    let pending: Vec<String> = migrate::status(from)?
        .into_iter()
        .filter(|migration| !migration.applied)
        .map(|migration| migration.name)
        .collect();
    if !pending.is_empty() {
        return Err(format!(
            "the SQLite database lacks migrations ({}): run `nolapse-api migrate up` first",
            pending.join(", ")
        )
        .into());
    }
    // Before anything is changed there: it may be a deployment of another version, named by mistake.
    let there = migrate::status(to)?;
    if there.iter().any(|migration| migration.applied) && there.iter().any(|migration| !migration.applied) {
        return Err(format!("{to} has tables of another version: name a database that is empty").into());
    }
    migrate::up(to)?;
    let mut all = 0;
    sqlite_to_postgresql(from, to, |progress| match progress {
        Progress::Copied(table, rows) => output::progress(&format!("{table}: {rows} rows copied")),
        Progress::Compared(table, rows) => {
            all += rows;
            output::progress(&format!("{table}: {rows} rows compared"));
        }
    })
    .map_err(|error| format!("{error}; nothing was copied, and the copy can be started again"))?;
    Ok(all)
}
