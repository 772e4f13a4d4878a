//! `restore FILE`: puts a copy in the place of an SQLite database, and repeats the revocations that it does not have: those of the
//! ledger, and those that only the database before knows of.

use std::path::PathBuf;

use authority::audit::read::Audit;
use authority::env::{Clock as _, SystemClock};
use authority::ledger::format::Folder;
use authority::replay::{Completion, Thoroughness};
use storage::instance::Restoration;
use storage::{StoreError, migrate};

use super::ledger::said;
use super::order::serving;
use super::sources::SourceArgs;
use super::{Failure, audit, output, serve};
use crate::assembly::{database_url, holder, ledger_folder};
use crate::membership::Entrance;

/// Options of `restore`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// The copy, as `backup` wrote it. It stays where it is.
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.sources.clone().load(Vec::new())?.config;
    let url = database_url(&config)?;
    if url.sqlite_path().is_none() {
        return Err(
            "this command restores SQLite databases only: restore PostgreSQL with pg_restore while no node runs; the next start repeats what the ledger says".into(),
        );
    }
    let aside = SystemClock::default().now().rfc3339_seconds().replace(':', "");
    let restoration = Restoration::begin(&url, &args.file, &holder()?)?;
    if let Some(folder) = ledger_folder(&config.ledger, &url) {
        complete(folder, &restoration)?;
    }
    let kept = match restoration.finish(&aside)? {
        Some(kept) => format!("; the database before is {}", kept.display()),
        None => String::new(),
    };
    output::emit(&format!("restored {}{kept}\n", args.file.display()))?;
    let background = serve::background()?;
    background.block_on(async {
        let entrance = Entrance::enter(&url).await?;
        let restored = url.clone();
        tokio::task::spawn_blocking(move || migrate::up(&restored)).await??;
        serving(entrance, &config, &url, &background, async |services| {
            if let Some(ledger) = services.context.ledger() {
                let repeated = ledger.settle(&services.context, Thoroughness::Everything).await?;
                output::emit(&said(repeated.as_ref()))?;
            }
            audit::verify_trails(&Audit::new(services.context.store().clone())).await
        })
        .await
    })
}

/// Adds to the ledger what it lacks of the database before, and says since when it has everything.
fn complete(folder: Folder, restoration: &Restoration) -> Result<(), Failure> {
    // One that was never set up had nothing to revoke.
    let Some(copied) = restoration.copied()? else { return Ok(()) };
    let mut ledger = Completion::begin(folder, &copied.first)?;
    let mut knows_all = false;
    match restoration.before() {
        Ok(None) => output::emit("there is no database before that could be compared with the ledger\n")?,
        Ok(Some(mut before)) => loop {
            match before.next_events() {
                Ok(Some(events)) => ledger.add(&events, SystemClock::default().now())?,
                Ok(None) => {
                    knows_all = before.has_all_of_the_copy();
                    break;
                }
                Err(error) => {
                    output::emit(&not_compared(&error))?;
                    break;
                }
            }
        },
        Err(error) => output::emit(&not_compared(&error))?,
    }
    if ledger.added() > 0 {
        let added = ledger.added();
        output::emit(&format!(
            "the ledger lacked {added} changes that the database before has: they were added to it\n"
        ))?;
    }
    let newest = copied.newest.rfc3339_millis();
    let began = match ledger.began() {
        Some(began) => format!("the ledger begins at {}", began.rfc3339_millis()),
        None => "no ledger was kept".to_owned(),
    };
    output::emit(&format!("{began}; the newest event of the copy is of {newest}\n"))?;
    if ledger.began().is_some_and(|began| began <= copied.newest) {
        return Ok(());
    }
    if knows_all {
        output::emit("the database before has every event of the copy, and is taken to know what was revoked since\n")?;
        return Ok(());
    }
    let gap = match ledger.began() {
        Some(began) => format!("between that and {}, when the ledger begins,", began.rfc3339_millis()),
        None => "after that".to_owned(),
    };
    output::complain(&format!(
        "WARNING: the newest event of the copy is of {newest}: what was revoked {gap} may be valid again; revoke it again (exported audit trails name it), or restore a newer copy"
    ));
    Ok(())
}

fn not_compared(error: &StoreError) -> String {
    format!("the database before cannot be compared with the ledger ({error}): what only it knows of is not repeated\n")
}
