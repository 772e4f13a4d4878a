//! The typed configuration. What a key means and which values it takes is said once, in [`super::keys::KEYS`]; fields here
//! bear the names of that table (`_seconds` and `_ms` become a [`Duration`]), and a test holds the two together.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::key;
use super::secret::{Secret, SecretKey};
use edge::listen::Listen;

/// Everything an operator can set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// Where the facts are.
    pub database: Database,
    /// Hints between nodes.
    pub redis: Redis,
    /// How secrets are stored.
    pub hashing: Hashing,
    /// Tag keys.
    pub keys: Keys,
    /// Sessions.
    pub sessions: Sessions,
    /// People and their organisations.
    pub people: People,
    /// Passwords.
    pub passwords: Passwords,
    /// Tokens.
    pub tokens: Tokens,
    /// What a node keeps in memory.
    pub cache: Cache,
    /// Agreement between nodes.
    pub cluster: Cluster,
    /// Counts and last-used times.
    pub usage: Usage,
    /// Coverage executions.
    pub executions: Executions,
    /// The scope catalogue.
    pub scopes: Scopes,
    /// What gateways ask.
    pub gateways: Gateways,
    /// Sign-in back-off.
    pub rate_limit: RateLimit,
    /// Logging.
    pub log: Log,
    /// `/metrics`.
    pub metrics: Metrics,
}

/// `server.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Server {
    pub listen: Listen,
    pub workers: usize,
    pub max_connections: usize,
    #[serde(rename = "keep_alive_seconds", deserialize_with = "seconds")]
    pub keep_alive: Duration,
    #[serde(rename = "head_deadline_seconds", deserialize_with = "seconds")]
    pub head_deadline: Duration,
    #[serde(rename = "request_deadline_seconds", deserialize_with = "seconds")]
    pub request_deadline: Duration,
    #[serde(rename = "drain_delay_seconds", deserialize_with = "seconds")]
    pub drain_delay: Duration,
    #[serde(rename = "shutdown_grace_seconds", deserialize_with = "seconds")]
    pub shutdown_grace: Duration,
    pub allowed_origins: Vec<String>,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub public_url: Option<Url>,
}

/// `database.*`; `url_file` has been read into `url` by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Database {
    pub url: Secret,
    pub pool_size: usize,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    #[serde(rename = "acquire_timeout_ms", deserialize_with = "millis")]
    pub acquire_timeout: Duration,
    #[serde(rename = "statement_timeout_ms", deserialize_with = "millis")]
    pub statement_timeout: Duration,
    #[serde(rename = "validation_timeout_ms", deserialize_with = "millis")]
    pub validation_timeout: Duration,
    #[serde(rename = "lock_timeout_ms", deserialize_with = "millis")]
    pub lock_timeout: Duration,
    pub migrate_at_start: bool,
}

/// `redis.*`; `url_file` has been read into `url` by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Redis {
    pub url: Option<Secret>,
}

/// How the secret of a new token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenScheme {
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
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Hashing {
    pub token_scheme: TokenScheme,
    pub bcrypt_cost: u32,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub argon2_lanes: u32,
    pub slow_lane_threads: usize,
    pub slow_lane_queue: usize,
    pub insecure_test_costs: bool,
}

/// `keys.*`; the files have been read into the keys by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Keys {
    pub tag_key: Option<SecretKey>,
    pub tag_key_path: Option<PathBuf>,
    pub previous_tag_keys: Vec<SecretKey>,
}

/// `sessions.*`; `service_token_file` has been read into `service_token` by now.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Sessions {
    #[serde(rename = "ttl_seconds", deserialize_with = "seconds")]
    pub ttl: Duration,
    pub service_token: Option<Secret>,
}

/// `people.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct People {
    #[serde(rename = "invitation_ttl_seconds", deserialize_with = "seconds")]
    pub invitation_ttl: Duration,
    pub open_founding: bool,
}

/// `passwords.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Passwords {
    pub min_characters: usize,
}

/// `tokens.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Tokens {
    #[serde(rename = "default_grace_seconds", deserialize_with = "seconds")]
    pub default_grace: Duration,
    #[serde(rename = "max_grace_seconds", deserialize_with = "seconds")]
    pub max_grace: Duration,
    #[serde(rename = "first_use_seconds", deserialize_with = "seconds")]
    pub first_use: Duration,
    #[serde(rename = "idempotency_ttl_seconds", deserialize_with = "seconds")]
    pub idempotency_ttl: Duration,
    pub cap_per_organization: Option<u64>,
    pub expiry_warning_days: u32,
    pub legacy_lookup: bool,
}

/// `cache.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Cache {
    pub max_bytes: u64,
    #[serde(rename = "negative_ttl_ms", deserialize_with = "millis")]
    pub negative_ttl: Duration,
    pub negative_max_entries: usize,
    pub miss_lane: usize,
    #[serde(rename = "miss_wait_ms", deserialize_with = "millis")]
    pub miss_wait: Duration,
}

/// When a revocation is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// When every node has it.
    Strict,
    /// At once; other nodes follow within `max_staleness`.
    Relaxed,
}

/// `cluster.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Cluster {
    pub freshness: Freshness,
    #[serde(rename = "poll_interval_ms", deserialize_with = "millis")]
    pub poll_interval: Duration,
    #[serde(rename = "lease_ms", deserialize_with = "millis")]
    pub lease: Duration,
    #[serde(rename = "max_staleness_ms", deserialize_with = "millis")]
    pub max_staleness: Duration,
}

/// `usage.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Usage {
    #[serde(rename = "flush_interval_seconds", deserialize_with = "seconds")]
    pub flush_interval: Duration,
    pub flush_share_percent: u8,
    pub retention_days: u32,
}

/// `executions.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Executions {
    pub retention_days: Option<u32>,
}

/// `scopes.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Scopes {
    pub file: Option<PathBuf>,
    pub additions: Vec<PathBuf>,
}

/// `gateways.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Gateways {
    pub route_tables: Vec<PathBuf>,
}

/// `rate_limit.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct RateLimit {
    pub sign_in_attempts: u32,
    #[serde(rename = "sign_in_window_seconds", deserialize_with = "seconds")]
    pub sign_in_window: Duration,
    pub sign_in_concurrent_per_account: usize,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Pretty,
}

/// `log.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
    pub access: bool,
}

/// `metrics.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table of keys documents each field")]
pub struct Metrics {
    pub enabled: bool,
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
    parsed.ok_or_else(|| serde::de::Error::custom("a trusted proxy is not a network"))
}
