//! `doctor`: looks at everything that an operator can get wrong, and says what to do. It asks the same functions as a start and
//! `/ready` do.
//!
//! **Invariant:** it changes nothing, takes no lock that a server needs, and may run beside one.

mod judged;

use std::fmt;
use std::path::Path;

use authority::audit::read::Audit;
use authority::env::{Clock as _, SystemClock};
use authority::tag_key::noted_tag_key;
use storage::nodes::Registry;
use storage::{DatabaseUrl, Store, migrate};
use token_domain::{Span, Timestamp};

use self::judged::{Line, Outcome};
use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::{beside, database_url, file_is_open, key_path, store_options, tag_key_ids};
use crate::compose::is_proxy_unnamed;
use crate::config::Config;

/// How long something may be due before it counts as left lying.
const OVERDUE: Span = Span::seconds(600);
/// Webhooks that are looked for.
const WEBHOOKS: u32 = 100;

/// Options of `doctor`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let mut lines = Vec::new();
    match args.sources.load(Vec::new()) {
        Ok(loaded) => examine(&loaded.config, &mut lines)?,
        Err(problems) => lines.push(Line::problem(
            "configuration",
            problems.to_string(),
            "correct each of these; docs/reference/config.md has all keys",
        )),
    }
    output::emit(&lines.iter().map(Line::to_string).collect::<String>())?;
    match lines.iter().filter(|line| line.outcome == Outcome::Problem).count() {
        0 => Ok(()),
        1 => Err("1 problem".into()),
        count => Err(format!("{count} problems").into()),
    }
}

/// Looks at the configuration and the files, and at the database if there is one.
fn examine(config: &Config, lines: &mut Vec<Line>) -> Result<(), Failure> {
    lines.push(Line::good("configuration", "valid"));
    lines.push(judged::front(&config.server.listen, config.server.public_url.as_ref(), is_proxy_unnamed(config)));
    let url = database_url(config)?;
    if let Some(path) = url.sqlite_path() {
        if !path.exists() {
            lines.push(Line::warning(
                "database",
                format!("{} does not exist", path.display()),
                "check database.url; if this is a new deployment, the first start makes it",
            ));
            return Ok(());
        }
        lines.push(judged::file("database file", path, file_is_open(path)));
        lines.push(judged::log_size(size_of_log(path)));
    }
    if config.keys.tag_key.is_none()
        && let Ok(path) = key_path(&config.keys, &url)
        && path.exists()
    {
        lines.push(judged::file("tag key file", &path, file_is_open(&path)));
    }
    match migrate::status(&url) {
        Ok(statuses) => {
            let schema = judged::schema(&statuses, config.database.migrate_at_start);
            let is_complete = schema.outcome == Outcome::Good;
            lines.push(schema);
            if !is_complete {
                // The checks below read tables and columns that the missing migrations add.
                return Ok(());
            }
        }
        Err(error) => {
            lines.push(unusable(&error));
            return Ok(());
        }
    }
    let background = serve::background()?;
    background.block_on(async {
        let now = match Registry::of(&url) {
            Some(registry) => server(&registry, lines).await,
            None => None,
        };
        let store = match Store::open(&url, store_options(&config.database), background.handle().clone()).await {
            Ok(store) => store,
            Err(error) => {
                lines.push(unusable(&error));
                return Ok(());
            }
        };
        let looked = contents(&store, config, &url, now, lines).await;
        store.shutdown().await;
        looked
    })
}

/// The PostgreSQL server and the way to it; the moment by its clock.
async fn server(registry: &Registry, lines: &mut Vec<Line>) -> Option<Timestamp> {
    lines.push(match registry.enter().await {
        Ok(()) => Line::good("connections", "they lead to a primary, and keep their server process"),
        Err(error) => Line::problem("connections", error.to_string(), "see \"PostgreSQL\" in docs/OPERATIONS.md"),
    });
    let before = SystemClock::default().wall();
    // Where it cannot be reached, that is said above.
    let settings = registry.settings().await.ok()?;
    lines.push(judged::settings(&settings));
    lines.push(judged::clock(before, settings.now, SystemClock::default().wall()));
    Some(settings.now)
}

/// Checks the rows of the database. `now` is the time of PostgreSQL's clock; `None` on SQLite.
async fn contents(
    store: &Store,
    config: &Config,
    url: &DatabaseUrl,
    now: Option<Timestamp>,
    lines: &mut Vec<Line>,
) -> Result<(), Failure> {
    lines.push(match store.check_disk().await {
        Ok(()) => Line::good("disk", "there is room for changes"),
        Err(error) => Line::problem("disk", error.to_string(), "free disk space; changes are refused until then"),
    });
    let noted = noted_tag_key(store).await?;
    let ids = tag_key_ids(&config.keys, url);
    if let Some(now) = now {
        let nodes = store.read(|reads| Box::pin(reads.list_nodes())).await?;
        let key = ids.as_ref().ok().and_then(|ids| ids.first());
        lines.push(judged::nodes(&nodes, now, key.map(String::as_str)));
    }
    lines.push(match ids {
        Ok(ids) => judged::tag_key(&ids, noted.as_deref()),
        Err(error) => Line::problem("tag key", error.to_string(), "restore the key from its backup"),
    });
    if let Some(slug) = config.deployment.operator_organization.clone() {
        let sought = slug.clone();
        let read = store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&sought).await }));
        lines.push(judged::operators(&slug, read.await?.as_ref()));
    }
    let waiting = store.read(|reads| Box::pin(reads.count_mail())).await?;
    lines.push(judged::mail(waiting, config.mail.server.is_some()));
    let since = Timestamp::from_micros(SystemClock::default().wall().as_micros() - OVERDUE.as_micros());
    let due = store.read(move |reads| Box::pin(reads.due_webhooks(since, WEBHOOKS))).await?;
    lines.push(judged::webhooks(due.len(), config.webhooks.enabled));
    let trails = Audit::new(store.clone()).trails().await?.len();
    lines.push(Line::good(
        "audit",
        format!("trails: {trails}; `nolapse-api audit verify` reads and verifies all of them"),
    ));
    Ok(())
}

/// How large the write-ahead log is, in bytes.
fn size_of_log(database: &Path) -> u64 {
    std::fs::metadata(beside(database, "-wal")).map_or(0, |metadata| metadata.len())
}

/// The database cannot be used.
fn unusable(error: &dyn fmt::Display) -> Line {
    Line::problem("database", error.to_string(), "check database.url, and that the database runs")
}
