//! `organization …`: lets an operator change and list organisations, whether a server runs or not.

use std::fmt::Write as _;

use authority::env::{Clock as _, SystemClock, SystemEntropy};
use authority::operator::{Order, OrganizationAct};
use storage::StoreError;
use token_domain::record::Organization;
use token_domain::text::Slug;

use super::sources::SourceArgs;
use super::{Failure, order, output, with_store};
use crate::assembly::policy;
use crate::config::Config;

/// Organisations read per page.
const PAGE: u32 = 1_000;

/// Options of `organization`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// List all organisations, one per line: slug, id, state and token cap, separated by tabs.
    List {
        #[command(flatten)]
        sources: SourceArgs,
    },
    /// Show an organisation: its state, token cap and number of valid tokens.
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Set the maximum number of valid tokens of an organisation. Existing tokens above the maximum stay valid.
    Cap {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        limit: Limit,
    },
    /// Disable an organisation: all its tokens, keys and sessions are refused.
    Disable {
        #[command(flatten)]
        which: Which,
    },
    /// Enable an organisation: its tokens, keys and sessions are accepted again unless they have expired or were revoked.
    Enable {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Clone, Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    sources: SourceArgs,
    /// The organisation's slug.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    org: Slug,
}

#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Limit {
    /// The maximum number of valid tokens.
    #[arg(long, value_name = "N")]
    tokens: Option<u32>,
    /// Use the default, `tokens.cap_per_organization`.
    #[arg(long)]
    default: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let (which, act, done) = match args.action {
        Action::List { sources } => return list(&sources.load(Vec::new())?.config),
        Action::Show { which } => return show(&which.sources.load(Vec::new())?.config, which.org),
        Action::Cap { which, limit } => {
            let tokens = limit.tokens.filter(|_| !limit.default);
            (which, OrganizationAct::Cap { tokens }, "has the new token cap")
        }
        Action::Disable { which } => (which, OrganizationAct::Disable, "is disabled"),
        Action::Enable { which } => (which, OrganizationAct::Enable, "is enabled"),
    };
    let loaded = which.sources.load(Vec::new())?;
    let order = Order::on_organization(&which.org, act, SystemClock::default().wall(), &SystemEntropy)?;
    let id = order::give(&loaded.config, &order)?;
    Ok(output::emit(&format!("organization {id} {done}\n"))?)
}

fn list(config: &Config) -> Result<(), Failure> {
    with_store(config, async |store| {
        let mut last: Option<Slug> = None;
        loop {
            let after = last.clone();
            let read =
                store.read(move |reads| Box::pin(async move { reads.list_organizations(after.as_ref(), PAGE).await }));
            let page = read.await?;
            let mut lines = String::new();
            for organization in &page {
                let cap = organization.token_cap.map_or_else(|| "-".to_owned(), |cap| cap.to_string());
                writeln!(lines, "{}\t{}\t{}\t{cap}", organization.slug, organization.id, state(organization))?;
            }
            output::emit(&lines)?;
            match page.last() {
                Some(organization) if page.len() == PAGE as usize => last = Some(organization.slug.clone()),
                Some(_) | None => return Ok(()),
            }
        }
    })
}

fn show(config: &Config, slug: Slug) -> Result<(), Failure> {
    let now = SystemClock::default().wall();
    with_store(config, async |store| {
        let read = store.read(move |reads| {
            Box::pin(async move {
                let Some(organization) = reads.organization_by_slug(&slug).await? else { return Ok(None) };
                let live = reads.live_token_count(organization.id, now).await?;
                Ok::<_, StoreError>(Some((organization, live)))
            })
        });
        let (organization, live) =
            read.await?.ok_or("no organisation has this slug: `nolapse-api organization list` lists all of them")?;
        let cap = match (organization.token_cap, policy(config).token_cap) {
            (Some(own), _) => own.to_string(),
            (None, Some(default)) => format!("{default} (the deployment's)"),
            (None, None) => "none".to_owned(),
        };
        let since = organization.disabled_at.map(|at| format!(" since {}", at.rfc3339_seconds())).unwrap_or_default();
        output::emit(&format!(
            "id\t{}\nslug\t{}\nname\t{}\ncreated\t{}\nstate\t{}{since}\ntoken cap\t{cap}\nlive tokens\t{live}\n",
            organization.id,
            organization.slug,
            organization.name,
            organization.created_at.rfc3339_seconds(),
            state(&organization),
        ))?;
        Ok(())
    })
}

const fn state(organization: &Organization) -> &'static str {
    if organization.disabled_at.is_some() { "off" } else { "on" }
}
