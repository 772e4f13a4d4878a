//! The composition root: the only module that connects the concrete implementations.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::Arc;

use actix_web::web::Data;
use authority::Context;
use authority::env::Lease as _;
use authority::replay::Thoroughness;
use authority::setup::{PendingSetup, SetupCode};
use authority::tag_key::note_tag_key;
use authority::validate::Validator;
use futures::FutureExt as _;
use futures::future::select;
use prometheus_client::registry::Registry;
use storage::{DatabaseUrl, StoreError, migrate};
use tokio::runtime::Runtime;
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use crate::assembly::{Misfit, Services, database_url, hold_ledger, tag_key_ids};
use crate::config::{Config, sections};
use crate::mail::Mailer;
use crate::membership::{Entrance, Joined, Membership};
use crate::surface::public_url::PublicUrl;
use crate::surface::{self, sessions::ServiceToken};
use crate::{metrics, openapi, telemetry, workers};
use edge::app::{Description, Insight, Site, SiteParts, Surfaces};
use edge::cors::Cors;
use edge::drain::Drain;
use edge::gate::Gate;
use edge::health::Readiness;
use edge::listen::Listen;
use edge::metrics::HttpMetrics;
use edge::parts::{EdgeParts, Limits, Transport};
use edge::server::{self, HangUps, Settings};
use edge::untrusted_proxy::UntrustedProxy;

/// The announcement on standard output, for the program that started this one.
pub struct Announcement {
    /// Where connections are accepted.
    pub place: Listen,
    /// The link that sets up an empty deployment; it works once.
    pub setup_link: Option<String>,
}

/// Serves until a signal arrives. The runtime `background` outlives the server: it runs units of work, slow hashes and
/// flushes.
pub(crate) async fn serve(
    config: &Config,
    background: &Runtime,
    log: &telemetry::Queue,
    reload: impl Fn() -> Result<Config, Misfit> + 'static,
    announce: impl FnOnce(Announcement),
) -> Result<(), Misfit> {
    // Before anything that takes time: without a handler, SIGHUP would end the process.
    let hang_ups = server::hang_ups()?;
    let url = database_url(config)?;
    warn_of_unnamed_proxy(config);
    let mailer = Mailer::new(config)?;
    let entrance = Entrance::enter(&url).await?;
    // Before the other nodes hear of this one. It is let go of at the very end.
    let _alone_in_its_ledger = hold_ledger(&config.ledger, &url)?;
    {
        let (url, migrate_at_start) = (url.clone(), config.database.migrate_at_start);
        background.spawn_blocking(move || bring_up_to_date(&url, migrate_at_start)).await??;
    }
    let Joined { membership, store, services } = entrance.join(config, &url, background.handle()).await?;
    membership.watch(&store);
    membership.follow(&services.context).await?;
    services.context.resume_time().await?;
    if let Some(ledger) = services.context.ledger() {
        ledger.settle(&services.context, Thoroughness::Newest).await?;
    }
    note_tag_key(&services.context).await?;
    let (code, pending) = pending_setup(&services).await?;
    services.sso.check_organizations().await?;
    services.context.check_operators().await?;

    let service_token = ServiceToken::new(service_token(config));
    let tag_keys = TagKeys { ids: tag_key_ids(&config.keys, &url)?, url };
    actix_web::rt::spawn(read_anew(hang_ups, reload, service_token.clone(), tag_keys));

    let mut registry = Registry::default();
    let http = HttpMetrics::register(metrics::register(&mut registry, &services, &membership, log.dropped()));
    let registry = config.metrics.enabled.then(|| Arc::new(registry));
    let drain = Drain::default();
    let gate = pending.0.is_some().then(|| gate(&services));
    let site = Site::new(SiteParts {
        edge: EdgeParts { gate: gate.clone(), ..edge(config, http, drain, &services.validator) },
        readiness: readiness(&services.context, &membership, gate),
        registry,
        surfaces: surfaces_with(config, services.clone(), service_token, pending),
        description: DESCRIPTION,
        pages: vec![dashboard::PAGES],
        insight: if config.metrics.listen.is_some() { Insight::Elsewhere } else { Insight::Here },
    });
    let insight = config.metrics.listen.clone().map(|place| (place, site.insight(DESCRIPTION.collect)));

    let flusher = workers::start(config, &services, mailer, background.handle());
    // Before the address is announced: a signal may follow at once.
    let signal = server::signal()?;
    let running = server::start_with(site, &settings(&config.server), insight)?;
    if let Some(place) = &running.insight {
        tracing::info!(%place, "/metrics, /docs and /openapi.json have their own listener");
    }
    let place = running.place.clone();
    let base = match (&config.server.public_url, &place) {
        (Some(url), _) => url.as_str().trim_end_matches('/').to_owned(),
        (None, Listen::Network(address)) => format!("http://{address}"),
        // A browser reaches a Unix socket through a gateway, whose address is not known here.
        (None, Listen::Socket(_)) => "http://localhost".to_owned(),
    };
    membership.reached_at(config.cluster.advertise.clone().unwrap_or_else(|| place.to_string()));
    announce(Announcement { place, setup_link: code.map(|code| format!("{base}/setup#{code}")) });
    let lost = Cell::new(None);
    let losing = async {
        let how = membership.lost().await;
        tracing::error!("{how}; this server stops");
        lost.set(Some(how));
    };
    let ending = async {
        select(pin!(signal), pin!(losing)).await;
    };
    running.until(ending).await?;

    // The order matters: stop the workers, finish what they began, write the last usage, close the store.
    flusher.stop().await;
    services.context.drain().await;
    let written = services.validator.flush().await;
    if let Err(error) = &written {
        tracing::error!(%error, "the last token usage could not be written before shutdown");
    }
    store.shutdown().await;
    membership.release().await;
    tracing::info!("stopped");
    // An error, so that a supervisor restarts the server: it would not after a clean exit.
    if let Some(how) = lost.get() {
        return Err(how.into());
    }
    written.map(drop).map_err(Into::into)
}

/// Whether people use `https` and no proxy is trusted. This service has no TLS, so there is a proxy in front, and all
/// clients would appear with its address.
pub(crate) fn is_proxy_unnamed(config: &Config) -> bool {
    // On a Unix socket every peer is trusted like a proxy.
    let by_network = matches!(config.server.listen, Listen::Network(_));
    is_https(config) && by_network && config.server.trusted_proxies.is_empty()
}

fn warn_of_unnamed_proxy(config: &Config) {
    if is_proxy_unnamed(config) {
        tracing::warn!(
            "server.public_url is https, so there is a proxy, but server.trusted_proxies is empty: rate limits and the audit trail use the address of the proxy instead of the clients' addresses"
        );
    }
}

fn is_https(config: &Config) -> bool {
    config.server.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
}

/// Applies missing migrations, or refuses a schema that lacks some.
fn bring_up_to_date(url: &DatabaseUrl, migrate_at_start: bool) -> Result<(), String> {
    let say = |error: StoreError| error.to_string();
    if migrate_at_start {
        return migrate::up(url).map(drop).map_err(say);
    }
    let pending = migrate::status(url).map_err(say)?.into_iter().filter(|migration| !migration.applied);
    let pending: Vec<String> = pending.map(|migration| migration.name).collect();
    if pending.is_empty() {
        migrate::begin(url);
        return Ok(());
    }
    Err(format!(
        "the database lacks migrations ({}): run `nolapse-api migrate up`, or set database.migrate_at_start",
        pending.join(", ")
    ))
}

/// How the API document is made from the surfaces.
pub const DESCRIPTION: Description = Description {
    collect: |routes| openapi::collect(routes),
    complete: openapi::complete,
    // A repository is `owner/name`.
    with_slashes: &["repo"],
};

/// All surfaces of the service without the services behind them, for the API document.
pub fn surfaces() -> Surfaces {
    Arc::new(surface::register)
}

fn service_token(config: &Config) -> Option<Zeroizing<String>> {
    config.sessions.service_token.as_ref().map(|token| Zeroizing::new(token.expose().to_owned()))
}

/// At every SIGHUP, reloads the configuration and the files it names, and applies the one value that may change while
/// the server runs: the service token. (Certificates for PostgreSQL are read for every new connection.) A configuration
/// with errors changes nothing.
async fn read_anew(
    mut hang_ups: HangUps,
    reload: impl Fn() -> Result<Config, Misfit>,
    token: ServiceToken,
    tag_keys: TagKeys,
) {
    loop {
        hang_ups.next().await;
        match reload() {
            Ok(config) => {
                token.replace(service_token(&config));
                tag_keys.compare(&config);
                tracing::info!(
                    "SIGHUP: reloaded the service token; every other change of the configuration needs a restart"
                );
            }
            Err(error) => tracing::error!(%error, "SIGHUP: the configuration has errors; the running one stays in use"),
        }
    }
}

/// The ids of the tag keys in use.
///
/// The keys stay in use until the process ends, whatever is configured meanwhile: tags in memory are made with them,
/// other nodes know their id, and only a start checks what would be lost by replacing a key.
struct TagKeys {
    ids: Vec<String>,
    url: DatabaseUrl,
}

impl TagKeys {
    /// Logs a difference between the keys in use and those that a restart would find.
    fn compare(&self, config: &Config) {
        match tag_key_ids(&config.keys, &self.url) {
            Ok(ids) if ids == self.ids => {}
            Ok(ids) if ids.contains(&self.ids[0]) => {
                tracing::warn!("SIGHUP: the tag keys changed: restart the server to use the new ones");
            }
            Ok(_) => tracing::error!(
                "SIGHUP: the tag key changed, and the current one is not in keys.previous_tag_keys: add it before a restart, or second factors that are encrypted with it are lost"
            ),
            Err(error) => {
                tracing::error!(%error, "SIGHUP: the tag key cannot be read any more: the server continues with it, but cannot restart");
            }
        }
    }
}

fn surfaces_with(config: &Config, services: Services, service_token: ServiceToken, pending: PendingSetup) -> Surfaces {
    let service_token = Data::new(service_token);
    let pending = Data::new(pending);
    let origin = config.server.public_url.as_ref().map(|url| url.origin().ascii_serialization());
    let place = Data::new(dashboard::Place { origin });
    Arc::new(move |routes: &mut ServiceConfig<'_>| {
        services.install(routes);
        routes.app_data(service_token.clone()).app_data(pending.clone()).app_data(place.clone());
        surface::register(routes);
    })
}

async fn pending_setup(services: &Services) -> Result<(Option<String>, PendingSetup), Misfit> {
    if !services.setup.is_due().await? {
        return Ok((None, PendingSetup(None)));
    }
    let (text, code) = SetupCode::generate(&services.context)?;
    Ok((Some(text), PendingSetup(Some(code))))
}

fn edge(config: &Config, metrics: HttpMetrics, drain: Drain, validator: &Arc<Validator>) -> EdgeParts {
    EdgeParts {
        limits: Limits {
            deadline: config.server.request_deadline,
            trusted_proxies: config.server.trusted_proxies.clone(),
            untrusted_proxy: UntrustedProxy::default(),
        },
        transport: if is_https(config) { Transport::Https } else { Transport::Any },
        cors: Cors::new(&config.server.allowed_origins),
        drain,
        gate: None,
        metrics,
        hot: surface::hot::routes(validator, validator.context().lease().is_relaxed()),
        access_log: config.log.access,
        resource_metadata: PublicUrl::new(config.server.public_url.as_ref())
            .get()
            .map(|url| format!("{url}{}", surface::oauth::RESOURCE_METADATA).into()),
        // Request ids are not secrets, so the standard library's random seed for hash maps is good enough.
        draw: Arc::new(|| RandomState::new().hash_one(0)),
    }
}

fn settings(server: &sections::Server) -> Settings {
    Settings {
        listen: server.listen.clone(),
        workers: server.workers,
        max_connections: server.max_connections,
        keep_alive: server.keep_alive,
        head_deadline: server.head_deadline,
        drain_delay: server.drain_delay,
        shutdown_grace: server.shutdown_grace,
    }
}

/// The gate that refuses requests until the deployment is set up.
fn gate(services: &Services) -> Gate {
    let setup = Arc::clone(&services.setup);
    let is_set_up = move || {
        let setup = Arc::clone(&setup);
        async move { setup.is_due().await.map(|is_due| !is_due).map_err(|error| error.to_string()) }.boxed()
    };
    let open = surface::setup::WAYS_IN.map(str::to_owned).into_iter().chain(dashboard::asset_paths());
    Gate::new(Arc::new(is_set_up), open)
}

fn readiness(context: &Arc<Context>, membership: &Arc<Membership>, gate: Option<Gate>) -> Readiness {
    let (context, membership) = (Arc::clone(context), Arc::clone(membership));
    Arc::new(move || {
        let (context, membership, gate) = (Arc::clone(&context), Arc::clone(&membership), gate.clone());
        let store = context.store().clone();
        async move {
            let mut failing = Vec::new();
            if let Some(gate) = gate
                && matches!(gate.is_set_up().await, Ok(false))
            {
                failing.push("setup");
            }
            if store.ping().await.is_err() {
                failing.push("database");
            }
            if store.check_disk().await.is_err() {
                failing.push("disk");
            }
            if !membership.is_current() {
                failing.push("lease");
            }
            if context.comparisons().is_under_way() {
                failing.push("ledger");
            }
            failing
        }
        .boxed()
    })
}
