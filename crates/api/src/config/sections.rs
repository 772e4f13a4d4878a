//! The typed configuration. [`super::keys::KEYS`] defines the meaning and the values of each key; the fields here have
//! the names of that table (`_seconds` and `_ms` become a [`Duration`]), and a test compares the two.
//!
//! Nothing here is `pub`: the compiler then reports a key that no code reads.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use authority::legacy::{LegacyShape, LegacyShapes};
use ipnet::IpNet;
use lettre::message::Mailbox;
use serde::{Deserialize, Deserializer};
use token_domain::text::Slug;
use url::Url;

use super::key;
use super::secret::{Secret, SecretKey};
use edge::listen::Listen;

/// Everything an operator can set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The HTTP server.
    pub(crate) server: Server,
    /// The database.
    pub(crate) database: Database,
    /// How secrets are stored.
    pub(crate) hashing: Hashing,
    /// Tag keys.
    pub(crate) keys: Keys,
    /// Sessions.
    pub(crate) sessions: Sessions,
    /// People and their organisations.
    pub(crate) people: People,
    /// Mail to people.
    pub(crate) mail: Mail,
    /// Passwords.
    pub(crate) passwords: Passwords,
    /// Tokens.
    pub(crate) tokens: Tokens,
    /// The cache of tokens.
    pub(crate) cache: Cache,
    /// The deployment as a whole.
    pub(crate) deployment: Deployment,
    /// Nodes that share a database.
    pub(crate) cluster: Cluster,
    /// What the nodes share beside it.
    pub(crate) redis: Redis,
    /// The ledger of revocations.
    pub(crate) ledger: Ledger,
    /// Counts and last-used times.
    pub(crate) usage: Usage,
    /// Coverage executions.
    pub(crate) executions: Executions,
    /// The scope catalogue.
    pub(crate) scopes: Scopes,
    /// Identity providers.
    pub(crate) sso: Sso,
    /// Route tables for gateways.
    pub(crate) gateways: Gateways,
    /// Reports of leaked tokens.
    pub(crate) leaks: Leaks,
    /// Requests to other servers.
    pub(crate) webhooks: Webhooks,
    pub(crate) outbound: Outbound,
    /// Sign-in back-off.
    pub(crate) rate_limit: RateLimit,
    /// Logging.
    pub(crate) log: Log,
    /// `/metrics`.
    pub(crate) metrics: Metrics,
}

/// `server.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: Listen,
    pub(crate) workers: usize,
    pub(crate) max_connections: usize,
    #[serde(rename = "keep_alive_seconds", deserialize_with = "seconds")]
    pub(crate) keep_alive: Duration,
    #[serde(rename = "head_deadline_seconds", deserialize_with = "seconds")]
    pub(crate) head_deadline: Duration,
    #[serde(rename = "request_deadline_seconds", deserialize_with = "seconds")]
    pub(crate) request_deadline: Duration,
    #[serde(rename = "drain_delay_seconds", deserialize_with = "seconds")]
    pub(crate) drain_delay: Duration,
    #[serde(rename = "shutdown_grace_seconds", deserialize_with = "seconds")]
    pub(crate) shutdown_grace: Duration,
    pub(crate) allowed_origins: Vec<String>,
    #[serde(deserialize_with = "networks")]
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) public_url: Option<Url>,
}

/// `database.*`; `url_file` has been read into `url` by now, and `direct_url_file` into `direct_url`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: Secret,
    pub(crate) direct_url: Option<Secret>,
    pub(crate) pool_size: usize,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub(crate) connect_timeout: Duration,
    #[serde(rename = "acquire_timeout_ms", deserialize_with = "millis")]
    pub(crate) acquire_timeout: Duration,
    #[serde(rename = "statement_timeout_ms", deserialize_with = "millis")]
    pub(crate) statement_timeout: Duration,
    #[serde(rename = "validation_timeout_ms", deserialize_with = "millis")]
    pub(crate) validation_timeout: Duration,
    #[serde(rename = "lock_timeout_ms", deserialize_with = "millis")]
    pub(crate) lock_timeout: Duration,
    pub(crate) migrate_at_start: bool,
}

/// `deployment.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    #[serde(default, deserialize_with = "slug")]
    pub(crate) operator_organization: Option<Slug>,
}

/// `cluster.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) consistency: Consistency,
    pub(crate) advertise: Option<String>,
}

/// `redis.*`; `url_file` has been read into `url` by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    pub(crate) url: Option<Secret>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// `ledger.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) keep_days: u32,
    pub(crate) max_mib: u64,
}

/// When a change that takes rights away is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Consistency {
    /// Once it holds on all nodes.
    Strict,
    /// Once it is committed.
    Relaxed,
}

/// How the secret of a new token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenScheme {
    /// bcrypt, modular-crypt form.
    Bcrypt,
    /// argon2id, PHC form.
    Argon2id,
    /// Plain SHA-256: enough for 128 random bits, and a thousand times cheaper.
    Sha256,
}

/// `hashing.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hashing {
    pub(crate) token_scheme: TokenScheme,
    pub(crate) bcrypt_cost: u32,
    pub(crate) argon2_memory_kib: u32,
    pub(crate) argon2_passes: u32,
    pub(crate) argon2_lanes: u32,
    pub(crate) slow_lane_threads: usize,
    pub(crate) slow_lane_queue: usize,
    #[expect(dead_code, reason = "read by the rules that span keys, before there is such a struct")]
    pub(crate) insecure_test_costs: bool,
}

/// `keys.*`; the files have been read into the keys by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are the keys'")]
pub(crate) struct Keys {
    pub(crate) tag_key: Option<SecretKey>,
    pub(crate) tag_key_path: Option<PathBuf>,
    pub(crate) previous_tag_keys: Vec<SecretKey>,
}

/// `sessions.*`; `service_token_file` has been read into `service_token` by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sessions {
    #[serde(rename = "ttl_seconds", deserialize_with = "seconds")]
    pub(crate) ttl: Duration,
    #[serde(rename = "fresh_seconds", deserialize_with = "seconds")]
    pub(crate) fresh: Duration,
    pub(crate) service_token: Option<Secret>,
}

/// `people.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    #[serde(rename = "invitation_ttl_seconds", deserialize_with = "seconds")]
    pub(crate) invitation_ttl: Duration,
    pub(crate) open_founding: bool,
}

/// `mail.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    pub(crate) server: Option<Url>,
    #[serde(deserialize_with = "mailbox", default)]
    pub(crate) from: Option<Mailbox>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) plaintext: bool,
    pub(crate) keep_days: u32,
}

/// `passwords.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    pub(crate) min_characters: usize,
}

/// `tokens.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    #[serde(rename = "default_grace_seconds", deserialize_with = "seconds")]
    pub(crate) default_grace: Duration,
    #[serde(rename = "max_grace_seconds", deserialize_with = "seconds")]
    pub(crate) max_grace: Duration,
    #[serde(rename = "first_use_seconds", deserialize_with = "seconds")]
    pub(crate) first_use: Duration,
    #[serde(rename = "idempotency_ttl_seconds", deserialize_with = "seconds")]
    pub(crate) idempotency_ttl: Duration,
    pub(crate) cap_per_organization: Option<u64>,
    pub(crate) keys_per_person: u32,
    pub(crate) expiry_warning_days: u32,
    pub(crate) legacy_lookup: bool,
    #[serde(deserialize_with = "shapes")]
    pub(crate) legacy_shapes: LegacyShapes,
    pub(crate) legacy_hmac_key: Option<Secret>,
}

/// `cache.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cache {
    pub(crate) max_bytes: u64,
    #[serde(rename = "negative_ttl_ms", deserialize_with = "millis")]
    pub(crate) negative_ttl: Duration,
    pub(crate) negative_max_entries: usize,
    pub(crate) miss_lane: usize,
    #[serde(rename = "miss_wait_ms", deserialize_with = "millis")]
    pub(crate) miss_wait: Duration,
}

/// `usage.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usage {
    #[serde(rename = "flush_interval_seconds", deserialize_with = "seconds")]
    pub(crate) flush_interval: Duration,
    pub(crate) flush_share_percent: u8,
    pub(crate) retention_days: u32,
}

/// `executions.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Executions {
    pub(crate) retention_days: Option<u32>,
}

/// `scopes.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scopes {
    pub(crate) file: Option<PathBuf>,
    pub(crate) additions: Vec<PathBuf>,
}

/// `gateways.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gateways {
    pub(crate) route_tables: Vec<PathBuf>,
}

/// `sso.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sso {
    pub(crate) file: Option<PathBuf>,
}

/// `leaks.*`; the `_file` keys have been read into the others by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaks {
    pub(crate) github_keys_url: Option<Url>,
    pub(crate) gitlab_keys_url: Option<Url>,
    pub(crate) github_webhook_secret: Option<Secret>,
    pub(crate) github_token: Option<Secret>,
    pub(crate) github_api_url: Url,
    pub(crate) github_resolve_alerts: bool,
    pub(crate) gitlab_webhook_secret: Option<Secret>,
    pub(crate) gitlab_token: Option<Secret>,
    pub(crate) gitlab_url: Url,
}

/// `webhooks.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhooks {
    pub(crate) enabled: bool,
}

/// `outbound.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outbound {
    #[serde(deserialize_with = "networks")]
    pub(crate) allowed_networks: Vec<IpNet>,
}

/// `rate_limit.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimit {
    pub(crate) sign_in_attempts: u32,
    #[serde(rename = "sign_in_window_seconds", deserialize_with = "seconds")]
    pub(crate) sign_in_window: Duration,
    pub(crate) sign_in_concurrent_per_account: usize,
    pub(crate) leak_reports: u32,
    pub(crate) token_exchanges: u32,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Pretty,
}

/// `log.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) format: LogFormat,
    pub(crate) access: bool,
}

/// `metrics.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) enabled: bool,
    pub(crate) listen: Option<Listen>,
}

impl fmt::Display for TokenScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bcrypt => "bcrypt",
            Self::Argon2id => "argon2id",
            Self::Sha256 => "sha256",
        })
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parsed: Option<Vec<IpNet>> = texts.iter().map(|text| key::parse_network(text)).collect();
    parsed.ok_or_else(|| serde::de::Error::custom("not a network"))
}

fn slug<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Slug>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Slug::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

fn shapes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LegacyShapes, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let shapes: Result<Vec<_>, _> = texts.iter().map(|text| LegacyShape::parse(text)).collect();
    shapes.map(LegacyShapes::new).map_err(serde::de::Error::custom)
}

fn mailbox<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Mailbox>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse()).transpose().map_err(serde::de::Error::custom)
}
