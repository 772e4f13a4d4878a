//! `migrate`: migrates the database's schema up or down, or prints its state.

use storage::DatabaseUrl;
use storage::migrate::{self, Loss, MigrationStatus};

use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::database_url;
use crate::membership::Entrance;

/// Options of `migrate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Apply pending migrations (the default).
    Up,
    /// Revert migrations, newest first.
    Down {
        /// The number of migrations to revert.
        #[arg(long, default_value_t = 1)]
        steps: usize,
        /// Confirm. Without this flag, the command prints what would be lost and changes nothing.
        #[arg(long)]
        yes: bool,
    },
    /// Print which migrations are applied and which are pending.
    Status,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    let url = database_url(&loaded.config)?;
    let action = args.action.unwrap_or(Action::Up);
    let standing = match action {
        // Takes no lock, because it only reads.
        Action::Status => migrate::status(&url)?,
        Action::Up | Action::Down { .. } => locked(&url, &action)?,
    };
    let line = |migration: MigrationStatus| {
        let state = if migration.applied { "applied" } else { "pending" };
        format!("{state} {}\n", migration.name)
    };
    Ok(output::emit(&standing.into_iter().map(line).collect::<String>())?)
}

/// Changes the schema. On SQLite this takes the instance lock, so no server is running. On PostgreSQL `up` runs beside the nodes
/// of an older version, and `down` is refused while any node is registered.
fn locked(url: &DatabaseUrl, action: &Action) -> Result<Vec<MigrationStatus>, Failure> {
    let is_nothing = url.sqlite_path().is_some_and(|path| !path.exists()) && !matches!(action, Action::Up);
    if is_nothing {
        return Ok(migrate::status(url)?);
    }
    let background = serve::background()?;
    let entrance = background.block_on(async {
        let entrance = Entrance::enter(url).await?;
        match action {
            Action::Down { .. } => entrance.be_alone().await?,
            Action::Up | Action::Status => {}
        }
        Ok::<_, Failure>(entrance)
    })?;
    let done = change(url, action);
    entrance.leave();
    done
}

fn change(url: &DatabaseUrl, action: &Action) -> Result<Vec<MigrationStatus>, Failure> {
    match *action {
        Action::Up => Ok(migrate::up(url)?),
        Action::Status => Ok(migrate::status(url)?),
        Action::Down { steps, yes } => {
            if !yes {
                return Err(unconfirmed(&migrate::losses(url, steps)?, steps).into());
            }
            Ok(migrate::down(url, steps)?)
        }
    }
}

/// What is printed without `--yes`: the data that would be lost.
fn unconfirmed(losses: &[Loss], steps: usize) -> String {
    let what = if steps == 1 { "the last migration".to_owned() } else { format!("the last {steps} migrations") };
    if losses.is_empty() {
        return format!("reverting {what} would lose no data; add --yes to confirm");
    }
    let lost: Vec<String> = losses.iter().map(Loss::to_string).collect();
    format!("reverting {what} would lose {}; make a backup, then add --yes to confirm", lost.join(", "))
}
