//! Builds the services from a configuration, for `serve` and for the commands on a database.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use authority::access_scopes::AccessScopes;
use authority::actors::Actors;
use authority::audit::read::Audit;
use authority::env::{Clock, Entropy, Lease, SystemClock, SystemEntropy, random};
use authority::executions::Executions;
use authority::hashing::{Argon2Params, HmacKey, Keyring, Scheme, TagKey};
use authority::imports::Imports;
use authority::invitations::Invitations;
use authority::leaks::Leaks;
use authority::ledger::Ledger;
use authority::ledger::format::{Folder, Hold, Limits as LedgerLimits};
use authority::legacy::Legacy;
use authority::limits::{SharedCounts, SignInLimits};
use authority::mail::Outbox;
use authority::members::Members;
use authority::notices::NoticeSettings;
use authority::organizations::Organizations;
use authority::password_resets::PasswordResets;
use authority::people::People;
use authority::policies::Policies;
use authority::projects::Projects;
use authority::roles::Roles;
use authority::second_factors::SecondFactors;
use authority::sessions::Sessions;
use authority::setup::Setup;
use authority::shared::SharedCache;
use authority::slow::LaneLimits;
use authority::sso::{IdentityProviders, Provider, Sso};
use authority::tokens::Tokens;
use authority::trust::{Issuers, Trust};
use authority::validate::{CacheLimits, Limits, Validator};
use authority::webhooks::{Targets, Webhooks};
use authority::{Context, MailPolicy, Parts, Policy};
use edge::outbound::Outbound;
use storage::{DatabaseUrl, Store, StoreOptions};
use token_domain::scope::Source;
use token_domain::token::RotationPolicy;
use token_domain::{ScopeCatalogue, Span};
use tokio::runtime::Handle;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::config::secret::{Secret, SecretKey};
use crate::config::{Config, sections};
use crate::sso::{self, ProviderRequests};
use crate::surface::PERMISSIONS;
use crate::surface::auth::forward::routes::RouteTables;
use crate::surface::leaks::alert_hosts::{self, CodeHost, CodeHosts, Resolving};
use crate::surface::leaks::partner_keys::PartnerKeys;
use crate::surface::public_url::PublicUrl;
use crate::surface::trust::issuer_keys::{self, IssuerKeys};
use crate::surface::webhooks::sender::{self, Sender};

/// Why the services cannot be built; one line that says what to do.
pub(crate) type Misfit = Box<dyn std::error::Error>;

/// Declares [`Services`], so that a service is one field here and one line in [`Services::new`]: handlers find it by its
/// type, because `install` registers every field.
macro_rules! services {
    ($($field:ident: $service:ty,)+) => {
        /// The services, over one context.
        #[derive(Clone)]
        pub(crate) struct Services {
            $(pub(crate) $field: Data<$service>,)+
        }

        impl Services {
            /// Makes the services available to all handlers of an application.
            pub(crate) fn install(&self, routes: &mut ServiceConfig<'_>) {
                $(routes.app_data(self.$field.clone());)+
            }
        }
    };
}

services! {
    context: Context,
    validator: Validator,
    tokens: Tokens,
    executions: Executions,
    sessions: Sessions,
    sso: Sso,
    people: People,
    password_resets: PasswordResets,
    organizations: Organizations,
    members: Members,
    roles: Roles,
    imports: Imports,
    invitations: Invitations,
    outbox: Outbox,
    policies: Policies,
    second_factors: SecondFactors,
    projects: Projects,
    access_scopes: AccessScopes,
    actors: Actors,
    audit: Audit,
    setup: Setup,
    route_tables: RouteTables,
    leaks: Leaks,
    public_url: PublicUrl,
    partner_keys: PartnerKeys,
    code_hosts: CodeHosts,
    trust: Trust,
    issuer_keys: IssuerKeys,
    issuers: dyn Issuers,
    webhooks: Webhooks,
    notice_settings: NoticeSettings,
    sender: Sender,
    targets: dyn Targets,
}

impl Services {
    /// Builds the services.
    pub(crate) fn new(
        config: &Config,
        store: Store,
        lease: Arc<dyn Lease>,
        shared: Option<Arc<dyn SharedCache>>,
        shared_counts: Option<Arc<dyn SharedCounts>>,
        runtime: Handle,
    ) -> Result<Self, Misfit> {
        let url = database_url(config)?;
        let outbound = Outbound::within(issuer_keys::DEADLINE, config.outbound.allowed_networks.clone());
        let issuer_keys = Arc::new(IssuerKeys::new(outbound.clone()));
        let providers = providers(config, &issuer_keys)?;
        let trusted = providers.iter().map(Provider::trusted).collect();
        let context = Context::new(Parts {
            store,
            clock: Arc::new(SystemClock::default()) as Arc<dyn Clock>,
            entropy: Arc::new(SystemEntropy) as Arc<dyn Entropy>,
            lease,
            catalogue: Arc::new(catalogue(&config.scopes)?),
            keyring: Arc::new(keyring(&config.keys, &url)?),
            ledger: ledger(&config.ledger, &url)?,
            lane: lane(&config.hashing),
            policy: Policy { sso: trusted, ..policy(config) },
            shared,
            shared_counts,
            runtime,
        });
        let public_url = PublicUrl::new(config.server.public_url.as_ref());
        let validator = Data::new(Validator::new(&context, &limits(&config.cache)?));
        let sessions = Data::new(Sessions::new(&context, &validator)?);
        let requests =
            Arc::new(ProviderRequests::new(outbound, &issuer_keys, &providers)) as Arc<dyn IdentityProviders>;
        let sender = Arc::new(sender(config));
        Ok(Self {
            sso: Data::new(Sso::new(&context, &sessions, providers, requests)),
            imports: Data::new(Imports::new(&context)),
            invitations: Data::new(Invitations::new(&context, &sessions)),
            sessions,
            tokens: Data::new(Tokens::new(&context)),
            executions: Data::new(Executions::new(&context)),
            people: Data::new(People::new(&context)),
            password_resets: Data::new(PasswordResets::new(&context)),
            organizations: Data::new(Organizations::new(&context)),
            members: Data::new(Members::new(&context)),
            roles: Data::new(Roles::new(&context)),
            outbox: Data::new(Outbox::new(&context)),
            policies: Data::new(Policies::new(&context)),
            second_factors: Data::new(SecondFactors::new(&context)),
            projects: Data::new(Projects::new(&context)),
            access_scopes: Data::new(AccessScopes::new(&context)),
            actors: Data::new(Actors::new(&context)),
            audit: Data::new(Audit::new(context.store().clone())),
            setup: Data::new(Setup::new(&context)),
            leaks: Data::new(Leaks::new(&context, &validator, config.rate_limit.leak_reports)),
            partner_keys: Data::new(partner_keys(config)),
            code_hosts: Data::new(code_hosts(config)),
            trust: Data::new(Trust::new(&context, public_url.get(), config.rate_limit.token_exchanges)),
            issuers: Data::from(Arc::clone(&issuer_keys) as Arc<dyn Issuers>),
            issuer_keys: Data::from(issuer_keys),
            webhooks: Data::new(Webhooks::new(&context)),
            notice_settings: Data::new(NoticeSettings::new(&context)),
            targets: Data::from(Arc::clone(&sender) as Arc<dyn Targets>),
            sender: Data::from(sender),
            public_url: Data::new(public_url),
            route_tables: Data::new(route_tables(&config.gateways, context.catalogue())?),
            validator,
            context: Data::from(context),
        })
    }
}

/// The URL of the database.
pub(crate) fn database_url(config: &Config) -> Result<DatabaseUrl, Misfit> {
    let url = config.database.direct_url.as_ref().unwrap_or(&config.database.url);
    Ok(DatabaseUrl::parse(url.expose())?)
}

/// The name that the database's lock gives its holder: unique to each start.
pub(crate) fn holder() -> Result<String, Misfit> {
    let start: [u8; 8] = random(&SystemEntropy)?;
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Ok(format!("process {} on {} (start {:016x})", std::process::id(), host.trim(), u64::from_be_bytes(start)))
}

/// The ledger of revocations, where one is kept.
fn ledger(ledger: &sections::Ledger, url: &DatabaseUrl) -> Result<Option<Ledger>, Misfit> {
    let limits =
        LedgerLimits { keep: Span::days(ledger.keep_days), max_bytes: ledger.max_mib.saturating_mul(1024 * 1024) };
    Ok(match ledger_folder(ledger, url) {
        Some(folder) => Some(Ledger::start(folder, limits)?),
        None => None,
    })
}

/// The folder of the ledger.
pub(crate) fn ledger_folder(ledger: &sections::Ledger, url: &DatabaseUrl) -> Option<Folder> {
    let default = || url.sqlite_path().map(|database| beside(database, ".ledger"));
    ledger.directory.clone().or_else(default).map(Folder::new)
}

/// Takes the folder of the ledger for this server, if one is kept. Two servers in one folder would remove each other's parts, and
/// read there what the other wrote.
pub(crate) fn hold_ledger(ledger: &sections::Ledger, url: &DatabaseUrl) -> Result<Option<Hold>, Misfit> {
    let Some(folder) = ledger_folder(ledger, url) else { return Ok(None) };
    match folder.hold() {
        Ok(Some(held)) => Ok(Some(held)),
        Ok(None) => Err(format!(
            "another server keeps its ledger of revocations in {}: give each server a folder of its own with ledger.directory",
            folder.path().display()
        )
        .into()),
        Err(error) => {
            // What keeps it from being written is said with the first entry.
            tracing::warn!(%error, "the folder of the ledger of revocations cannot be locked: whether another server uses it is unknown");
            Ok(None)
        }
    }
}

/// The options for opening the store.
pub(crate) fn store_options(database: &sections::Database) -> StoreOptions {
    StoreOptions {
        pool_size: database.pool_size,
        connect_timeout: database.connect_timeout,
        acquire_timeout: database.acquire_timeout,
        statement_timeout: database.statement_timeout,
        validation_timeout: database.validation_timeout,
        lock_timeout: database.lock_timeout,
        ..StoreOptions::default()
    }
}

/// The operator's scope catalogue or the built-in one, with the operator's additions. It must contain every scope that
/// this service's own operations require.
fn catalogue(scopes: &sections::Scopes) -> Result<ScopeCatalogue, Misfit> {
    let texts: Vec<(String, String)> =
        scopes.additions.iter().map(|path| named("additions", path)).collect::<Result<_, _>>()?;
    let additions: Vec<Source<'_>> = texts.iter().map(|(name, text)| Source { name, text }).collect();
    let (catalogue, name) = match &scopes.file {
        None => (ScopeCatalogue::built_in_with(&additions)?, "the built-in scope catalogue".to_owned()),
        Some(path) => {
            let (name, text) = named("file", path)?;
            let read = ScopeCatalogue::extended(&text, &additions);
            (read.map_err(|error| format!("{name}: {error}"))?, name)
        }
    };
    let lacking: Vec<&str> = PERMISSIONS.iter().copied().filter(|scope| catalogue.find(scope).is_none()).collect();
    if lacking.is_empty() {
        return Ok(catalogue);
    }
    Err(format!("{name} lacks scopes that this service requires: {}; add them", lacking.join(", ")).into())
}

/// Reads a catalogue file: its name and its text.
fn named(key: &str, path: &Path) -> Result<(String, String), Misfit> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("scopes.{key} {name} cannot be read: {error}"))?;
    Ok((name, text))
}

/// The public keys of code hosts that may report leaks.
fn partner_keys(config: &Config) -> PartnerKeys {
    let outbound = Outbound::new(config.outbound.allowed_networks.clone());
    PartnerKeys::new(config.leaks.github_keys_url.as_ref(), config.leaks.gitlab_keys_url.as_ref(), &outbound)
}

/// The identity providers of the operator's file.
fn providers(config: &Config, issuers: &IssuerKeys) -> Result<Vec<Provider>, Misfit> {
    let (Some(path), Some(public_url)) = (&config.sso.file, &config.server.public_url) else { return Ok(Vec::new()) };
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("sso.file {name} cannot be read: {error}"))?;
    Ok(sso::read(&name, &text, public_url, issuers)?)
}

/// The code hosts whose alerts are accepted.
fn code_hosts(config: &Config) -> CodeHosts {
    let leaks = &config.leaks;
    let host = |url, secret: Option<&Secret>, token: Option<&Secret>, resolving| {
        let (secret, token) = secret.zip(token)?;
        Some(CodeHost::new(url, secret, token, resolving))
    };
    let resolving = if leaks.github_resolve_alerts { Resolving::Revoked } else { Resolving::Never };
    let github =
        host(&leaks.github_api_url, leaks.github_webhook_secret.as_ref(), leaks.github_token.as_ref(), resolving);
    let gitlab =
        host(&leaks.gitlab_url, leaks.gitlab_webhook_secret.as_ref(), leaks.gitlab_token.as_ref(), Resolving::Never);
    CodeHosts::new(github, gitlab, Outbound::within(alert_hosts::DEADLINE, config.outbound.allowed_networks.clone()))
}

/// Sends to webhooks.
fn sender(config: &Config) -> Sender {
    Sender::new(Outbound::within(sender::DEADLINE, config.outbound.allowed_networks.clone()))
}

/// The route tables for gateways.
fn route_tables(gateways: &sections::Gateways, catalogue: &ScopeCatalogue) -> Result<RouteTables, Misfit> {
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| format!("gateways.route_tables {name} cannot be read: {error}"))?;
        Ok::<_, String>((name, text))
    };
    let files: Vec<(String, String)> = gateways.route_tables.iter().map(read).collect::<Result<_, _>>()?;
    Ok(RouteTables::read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())), catalogue)?)
}

pub(crate) fn policy(config: &Config) -> Policy {
    let hashing = &config.hashing;
    let links = config.mail.server.as_ref().and(config.server.public_url.as_ref());
    let argon2 = Argon2Params {
        memory_kib: hashing.argon2_memory_kib,
        iterations: hashing.argon2_passes,
        parallelism: hashing.argon2_lanes,
    };
    Policy {
        scheme: match hashing.token_scheme {
            sections::TokenScheme::Bcrypt => Scheme::Bcrypt { cost: hashing.bcrypt_cost },
            sections::TokenScheme::Argon2id => Scheme::Argon2id(argon2),
            sections::TokenScheme::Sha256 => Scheme::Sha256,
        },
        password: argon2,
        password_min_chars: config.passwords.min_characters,
        rotation: RotationPolicy {
            default_grace: span(config.tokens.default_grace),
            longest_grace: span(config.tokens.max_grace),
            first_use_remaining: span(config.tokens.first_use),
        },
        session_lifetime: span(config.sessions.ttl),
        fresh_proof: span(config.sessions.fresh),
        invitation_lifetime: span(config.people.invitation_ttl),
        open_founding: config.people.open_founding,
        operators: config.deployment.operator_organization.clone(),
        sign_in: SignInLimits {
            attempts: config.rate_limit.sign_in_attempts,
            window: span(config.rate_limit.sign_in_window),
            concurrent: config.rate_limit.sign_in_concurrent_per_account,
        },
        idempotency_window: span(config.tokens.idempotency_ttl),
        token_cap: config.tokens.cap_per_organization.map(|cap| u32::try_from(cap).unwrap_or(u32::MAX)),
        key_cap: config.tokens.keys_per_person,
        expiry_warning: Span::days(config.tokens.expiry_warning_days),
        legacy: Legacy {
            lookup: config.tokens.legacy_lookup,
            shapes: config.tokens.legacy_shapes.clone(),
            hmac_key: config.tokens.legacy_hmac_key.as_ref().map(|key| HmacKey::new(key.expose().as_bytes())),
        },
        mail: links.map(|links| MailPolicy {
            links: links.as_str().trim_end_matches('/').to_owned(),
            keep: Span::days(config.mail.keep_days),
        }),
        webhooks: config.webhooks.enabled,
        // Known once the providers are read.
        sso: Vec::new(),
    }
}

fn lane(hashing: &sections::Hashing) -> LaneLimits {
    let width = match hashing.slow_lane_threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    LaneLimits { width, queue: hashing.slow_lane_queue }
}

fn limits(cache: &sections::Cache) -> Result<Limits, Misfit> {
    Ok(Limits {
        cache: CacheLimits { max_bytes: usize::try_from(cache.max_bytes)? },
        negative_entries: cache.negative_max_entries,
        negative_ttl: span(cache.negative_ttl),
        miss_places: cache.miss_lane,
        miss_wait: cache.miss_wait,
    })
}

fn span(duration: Duration) -> Span {
    Span::micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

/// The tag keys: from the configuration, or from a file that is created at the first start.
pub(crate) fn keyring(keys: &sections::Keys, url: &DatabaseUrl) -> Result<Keyring, Misfit> {
    let current = if let Some(key) = &keys.tag_key {
        key.clone()
    } else {
        let path = key_path(keys, url)?;
        let key = kept_key(&path)?;
        warn_if_others_read(&path, "the tag key");
        key
    };
    if let Some(database) = url.sqlite_path() {
        warn_if_others_read(database, "the database");
    }
    ring(&current, keys)
}

/// The ids of the tag keys that a restart would find now, the current one first. Creates no key.
pub(crate) fn tag_key_ids(keys: &sections::Keys, url: &DatabaseUrl) -> Result<Vec<String>, Misfit> {
    let current = match &keys.tag_key {
        Some(key) => key.clone(),
        None => read_key(&key_path(keys, url)?)?,
    };
    Ok(ring(&current, keys)?.ids().map(|id| id.to_string()).collect())
}

fn ring(current: &SecretKey, keys: &sections::Keys) -> Result<Keyring, Misfit> {
    let tag_key = |key: &SecretKey| TagKey::from_bytes(*key.expose());
    let previous: Vec<TagKey> = keys.previous_tag_keys.iter().map(tag_key).collect();
    Ok(Keyring::new(&tag_key(current), &previous)?)
}

/// The path of the file with the tag key, if none is configured.
pub(crate) fn key_path(keys: &sections::Keys, url: &DatabaseUrl) -> Result<PathBuf, Misfit> {
    let default = || url.sqlite_path().map(|database| beside(database, ".tag-key"));
    Ok(keys.tag_key_path.clone().or_else(default).ok_or(
        "no tag key: set keys.tag_key_file (make one with `openssl rand -hex 32`), or keys.tag_key_path to have it made",
    )?)
}

/// The mode of a file that other users of the machine may read; `None` if they may not, or it cannot be found out.
pub(crate) fn file_is_open(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| format!("{:04o}", mode & 0o7777))
}

/// Warns about a file that other users of the machine can read. Files made by this program are private; an existing or copied
/// one may not be.
fn warn_if_others_read(path: &Path, what: &str) {
    if let Some(mode) = file_is_open(path) {
        tracing::warn!(path = %path.display(), mode, "{what} can be read by other users of this machine: chmod 600 it");
    }
}

/// The path of a database with a suffix.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads the key in this file, or creates it there, readable only by this user. Of two concurrent processes, one
/// creates it.
fn kept_key(path: &Path) -> Result<SecretKey, Misfit> {
    let named = |error| unusable_key(path, &error);
    if !path.exists() {
        make_folder(folder_of(path)).map_err(named)?;
        make_key(path).map_err(named)?;
    }
    // Also for a file of another process, which may not have synced it yet.
    sync_folder(folder_of(path)).map_err(named)?;
    read_key(path)
}

fn unusable_key(path: &Path, error: &std::io::Error) -> String {
    format!("the tag key {} cannot be used: {error}", path.display())
}

fn read_key(path: &Path) -> Result<SecretKey, Misfit> {
    let text = fs::read_to_string(path).map_err(|error| unusable_key(path, &error))?;
    let text = zeroize::Zeroizing::new(text);
    SecretKey::from_hex(text.trim()).ok_or_else(|| {
        format!("the tag key {} is not 64 hexadecimal digits; put the right one back, or remove the file to start with a new one (each token then costs one slow hash)", path.display()).into()
    })
}

fn make_key(path: &Path) -> std::io::Result<()> {
    let key: [u8; 32] = random(&SystemEntropy).map_err(std::io::Error::other)?;
    let key = zeroize::Zeroizing::new(key);
    let mut text = zeroize::Zeroizing::new(String::with_capacity(65));
    for byte in key.iter() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    // Written to a temporary file and hard-linked: a reader never sees half a key, and an existing key is never
    // replaced.
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Creates a folder and its parents, readable only by this user, and syncs the directory entry of each.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(above),
    }
}

/// Syncs a folder's directory entries: after a power cut, a synced file may otherwise have no name.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn a_part_put_together_without_a_configuration_has_the_same_defaults() {
        let config = load(&Sources::default()).map_err(|problems| problems.to_string()).unwrap().config;
        assert_eq!(store_options(&config.database), StoreOptions::default());
        assert_eq!(policy(&config), Policy::default());
        assert_eq!(limits(&config.cache).unwrap(), Limits::default());
    }
}
