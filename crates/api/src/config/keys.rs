//! The table of every configuration key: the one source of defaults, of `config/default.toml` and of the reference page.

use super::key::{Key, Kind};

const DAY: u64 = 86_400;

const fn key(path: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Key {
    Key { path, kind, default, alias: None, meaning }
}

const fn aliased(
    path: &'static str,
    alias: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Key {
    Key { path, kind, default, alias: Some(alias), meaning }
}

const fn int(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

/// Every key, in the order of the reference page; the keys of a section stand together.
pub(crate) const KEYS: &[Key] = &[
    // server
    aliased(
        "server.listen",
        "NOLAPSE_LISTEN",
        Kind::Address,
        Some("\"127.0.0.1:8080\""),
        "Where to accept connections: an address and a port (0 takes a free one, printed at start), or `unix:/path/to/socket` for a gateway on the same machine. The socket is open to the user and the group of this process.",
    ),
    key("server.workers", int(0, 512), Some("0"), "Request workers, one thread each; 0 is one for each processor."),
    key(
        "server.max_connections",
        int(1, 1_000_000),
        Some("25000"),
        "Connections kept open by each worker; more wait to be accepted.",
    ),
    key(
        "server.keep_alive_seconds",
        int(0, 3600),
        Some("75"),
        "How long an idle connection stays open; 0 closes after each answer.",
    ),
    key(
        "server.head_deadline_seconds",
        int(1, 60),
        Some("5"),
        "How long a client may take to send the head of a request.",
    ),
    key(
        "server.request_deadline_seconds",
        int(1, 300),
        Some("10"),
        "How long a request may take in all, reading its body included; then 408 or 503 and the connection closes.",
    ),
    key(
        "server.drain_delay_seconds",
        int(0, 300),
        Some("1"),
        "How long `/ready` fails before connections are refused when stopping, so that load balancers notice.",
    ),
    key("server.shutdown_grace_seconds", int(0, 600), Some("30"), "How long running requests may go on when stopping."),
    aliased(
        "server.allowed_origins",
        "ALLOWED_ORIGINS",
        Kind::Origins,
        Some("[]"),
        "Web origins whose pages may call this service from a browser. Empty: none. There is no wildcard.",
    ),
    key(
        "server.trusted_proxies",
        Kind::Networks,
        Some("[]"),
        "Networks whose `X-Forwarded-For` is believed when the address of a client matters. Empty: nobody's.",
    ),
    key(
        "server.public_url",
        Kind::HttpUrl,
        None,
        "Where people reach this service from outside; used in links and to decide whether cookies are `Secure`.",
    ),
    // database
    aliased(
        "database.url",
        "DATABASE_URL",
        Kind::DatabaseUrl,
        Some("\"sqlite://nolapse.db\""),
        "Where the facts are: `sqlite://path/to/file.db` or `postgres://user:password@host/database`.",
    ),
    aliased("database.url_file", "DATABASE_URL_FILE", Kind::Path, None, "A file that holds `database.url`."),
    key(
        "database.pool_size",
        int(1, 256),
        Some("4"),
        "PostgreSQL: connections for transactions, shared by all workers; each worker has one more for reads.",
    ),
    key("database.connect_timeout_ms", int(100, 60_000), Some("2000"), "How long opening a connection may take."),
    key(
        "database.acquire_timeout_ms",
        int(10, 60_000),
        Some("2000"),
        "PostgreSQL: how long a change waits for its turn and for a free connection; then 503.",
    ),
    key(
        "database.statement_timeout_ms",
        int(100, 600_000),
        Some("5000"),
        "How long one statement may run; SQLite: one list or search.",
    ),
    key(
        "database.validation_timeout_ms",
        int(50, 60_000),
        Some("1000"),
        "PostgreSQL: how long a validation waits for its read; then 503.",
    ),
    key(
        "database.lock_timeout_ms",
        int(10, 60_000),
        Some("2000"),
        "How long a statement waits for a lock; SQLite: the busy timeout.",
    ),
    key(
        "database.migrate_at_start",
        Kind::Bool,
        Some("true"),
        "Bring the schema up to date when serving starts; otherwise a schema behind refuses to start.",
    ),
    // hashing
    key(
        "hashing.token_scheme",
        Kind::Choice(&["bcrypt", "argon2id", "sha256"]),
        Some("\"bcrypt\""),
        "How secrets of new tokens are stored. Older rows are brought to it the next time their token validates.",
    ),
    key(
        "hashing.bcrypt_cost",
        int(4, 16),
        Some("10"),
        "bcrypt: log2 of the rounds; below 10 only with `insecure_test_costs`.",
    ),
    key(
        "hashing.argon2_memory_kib",
        int(8, 4_194_304),
        Some("19456"),
        "argon2id: memory in KiB; below 19456 only with `insecure_test_costs`.",
    ),
    key("hashing.argon2_passes", int(1, 64), Some("2"), "argon2id: passes; below 2 only with `insecure_test_costs`."),
    key("hashing.argon2_lanes", int(1, 64), Some("1"), "argon2id: lanes."),
    key(
        "hashing.slow_lane_threads",
        int(0, 256),
        Some("0"),
        "Threads for bcrypt and argon2id; 0 is one for each processor.",
    ),
    key(
        "hashing.slow_lane_queue",
        int(1, 65_536),
        Some("256"),
        "Hashes of each kind (sign-ins from known devices, other sign-ins, new secrets, validations) that may wait for a thread; the kinds take turns, more are answered 503. One user or token may have a quarter of it, more are answered 429.",
    ),
    key(
        "hashing.insecure_test_costs",
        Kind::Bool,
        Some("false"),
        "Permit costs that protect nothing, so that tests run fast. Never for real tokens.",
    ),
    // keys
    key(
        "keys.tag_key",
        Kind::HexKey,
        None,
        "The key under which tokens are tagged, 32 bytes in hexadecimal. Unset: made at first start in `keys.tag_key_path`.",
    ),
    key("keys.tag_key_file", Kind::Path, None, "A file that holds `keys.tag_key`."),
    key(
        "keys.tag_key_path",
        Kind::Path,
        None,
        "Where the service keeps the key it made itself (mode 0600). Unset: beside the SQLite file; required with PostgreSQL unless a key is given.",
    ),
    key(
        "keys.previous_tag_keys",
        Kind::HexKeys,
        Some("[]"),
        "Earlier keys, still accepted; tags are rewritten under the current one.",
    ),
    key(
        "keys.previous_tag_key_files",
        Kind::Paths,
        Some("[]"),
        "Files that hold earlier keys, one each; added to `keys.previous_tag_keys`.",
    ),
    // sessions
    key("sessions.ttl_seconds", int(60, 7 * DAY), Some("86400"), "How long a session lives."),
    key(
        "sessions.fresh_seconds",
        int(30, DAY),
        Some("600"),
        "How long a proof by password or second factor is good for changing what signing in stands on.",
    ),
    aliased(
        "sessions.service_token",
        "SERVICE_TOKEN",
        Kind::Secret(32),
        None,
        "What a separate web front end presents to open sessions for people it signed in itself. Unset: it cannot.",
    ),
    aliased(
        "sessions.service_token_file",
        "SERVICE_TOKEN_FILE",
        Kind::Path,
        None,
        "A file that holds `sessions.service_token`.",
    ),
    // people
    key("people.invitation_ttl_seconds", int(60, 30 * DAY), Some("604800"), "How long an invitation may be accepted."),
    key(
        "people.open_founding",
        Kind::Bool,
        Some("true"),
        "Whether people who may edit their organisation (`org:write`) may make further ones, which they then own.",
    ),
    // passwords
    key(
        "passwords.min_characters",
        int(12, 128),
        Some("12"),
        "The fewest characters of a password that is chosen from now on. Common ones are refused whatever their length.",
    ),
    // tokens
    key(
        "tokens.default_grace_seconds",
        int(0, 30 * DAY),
        Some("86400"),
        "How long a rotated token goes on when the call does not say.",
    ),
    key("tokens.max_grace_seconds", int(0, 30 * DAY), Some("2592000"), "The longest grace a call may ask for."),
    key(
        "tokens.first_use_seconds",
        int(0, DAY),
        Some("300"),
        "With `first_use`, how long the old token goes on after the new one is first seen.",
    ),
    key(
        "tokens.idempotency_ttl_seconds",
        int(60, 7 * DAY),
        Some("86400"),
        "How long an `Idempotency-Key` is remembered.",
    ),
    key("tokens.cap_per_organization", int(1, u64::MAX), None, "Live tokens an organisation may have. Unset: no cap."),
    key(
        "tokens.keys_per_person",
        int(1, 100_000),
        Some("100"),
        "Live personal keys a person may have in an organisation.",
    ),
    key(
        "tokens.expiry_warning_days",
        int(0, 365),
        Some("7"),
        "How many days before a token ends its holder is told so, by `X-Token-Expires-At` on answers to it. 0: never.",
    ),
    key(
        "tokens.legacy_lookup",
        Kind::Bool,
        Some("false"),
        "Look up tokens without a checksum, which another system issued before.",
    ),
    // cache
    key("cache.max_bytes", int(1_048_576, u64::MAX), Some("536870912"), "Memory for tokens known to be live."),
    key("cache.negative_ttl_ms", int(0, 5000), Some("5000"), "How long an unknown token is remembered as unknown."),
    key("cache.negative_max_entries", int(0, 100_000_000), Some("100000"), "Unknown tokens remembered at once."),
    key("cache.miss_lane", int(1, 65_536), Some("64"), "Look-ups in the database at once; more wait."),
    key("cache.miss_wait_ms", int(1, 10_000), Some("250"), "How long a look-up waits for its place; then 503."),
    // cluster
    key(
        "cluster.consistency",
        Kind::Choice(&["strict", "relaxed"]),
        Some("\"strict\""),
        "PostgreSQL: when a change that takes rights away is answered. `strict`: once it holds on all nodes, after some milliseconds, or after 5.3 seconds while one of them does not answer. `relaxed`: once it is committed; other nodes follow within 5 seconds, and `X-Nlp-Min-Seq` asks for more. The same on all nodes.",
    ),
    // usage
    key("usage.flush_interval_seconds", int(1, 10), Some("5"), "How often last-used times and counts are written."),
    key(
        "usage.flush_share_percent",
        int(1, 100),
        Some("1"),
        "The share of the time that writing them may take while the processor is busy; with a quarter of it idle, half. With more tokens in use than fit, writing lags behind; reads show what waits.",
    ),
    key(
        "usage.retention_days",
        int(1, 36_500),
        Some("400"),
        "How long the hourly counts of each token's uses are kept.",
    ),
    // executions
    key(
        "executions.retention_days",
        int(1, 36_500),
        None,
        "How long coverage executions are kept; older ones are removed in the background, baselines never. Unset: for ever.",
    ),
    // scopes
    key("scopes.file", Kind::Path, None, "A scope catalogue that replaces the built-in one."),
    key(
        "scopes.additions",
        Kind::Paths,
        Some("[]"),
        "Files of the catalogue's form that add scopes in namespaces of their own, presets, and what built-in roles get of them.",
    ),
    // gateways
    key(
        "gateways.route_tables",
        Kind::Paths,
        Some("[]"),
        "Files with route tables, each named in its file: `/v1/auth/forward?routes=<name>` then asks for the scopes of the row that the original request has.",
    ),
    // leaks
    key(
        "leaks.github_keys_url",
        Kind::HttpUrl,
        None,
        "Where GitHub's public keys for reports of leaked tokens are, to check what comes to `POST /v1/leaks/github`. Unset: it is not taken.",
    ),
    key("leaks.gitlab_keys_url", Kind::HttpUrl, None, "The same of GitLab, for `POST /v1/leaks/gitlab`."),
    // outbound
    key(
        "outbound.allowed_networks",
        Kind::Networks,
        Some("[]"),
        "Private networks that requests to other servers may go to, with TLS or without. Public addresses are reached by TLS only, everything else never.",
    ),
    // rate_limit
    key(
        "rate_limit.sign_in_attempts",
        int(1, 1000),
        Some("10"),
        "Failed sign-ins at an account from an address before it has to wait; ten times as many at any accounts from an address, and at an account from all addresses. Devices an account was signed in to from before are counted by themselves.",
    ),
    key(
        "rate_limit.sign_in_window_seconds",
        int(1, DAY),
        Some("900"),
        "Fewer are forgotten after so long without another. What made somebody wait wears off over a day; the longest wait is 900 s.",
    ),
    key(
        "rate_limit.sign_in_concurrent_per_account",
        int(1, 100),
        Some("2"),
        "Passwords checked at once for an account from an address, or for a known device; more are answered 429.",
    ),
    key(
        "rate_limit.leak_reports",
        int(1, 1_000_000),
        Some("60"),
        "Reports of leaked tokens (`POST /v1/credentials/revoke`) that a network (an IPv4 address, an IPv6 /64) may send in an hour; more are answered 429.",
    ),
    key(
        "rate_limit.token_exchanges",
        int(1, 10_000_000),
        Some("3600"),
        "Exchanges of identity tokens (`POST /v1/oauth/token`) that a network (an IPv4 address, an IPv6 /64) may ask for in an hour; more are answered 429.",
    ),
    // log
    key(
        "log.filter",
        Kind::Filter,
        Some("\"info,actix_server=warn,actix_http=off\""),
        "What is logged: a level, or parts such as `authority=debug,info`. `actix_http` logs each unreadable request, which anybody can send.",
    ),
    key(
        "log.format",
        Kind::Choice(&["json", "pretty"]),
        Some("\"json\""),
        "One JSON object a line, or text for people.",
    ),
    key("log.access", Kind::Bool, Some("true"), "Log a line for every request, except on validation and forward-auth."),
    // metrics
    key("metrics.enabled", Kind::Bool, Some("true"), "Serve `/metrics`."),
    key(
        "metrics.listen",
        Kind::Address,
        None,
        "An address at which `/metrics`, `/docs` and `/openapi.json` are served, with `/health` and `/ready`, and no longer with everything else. Unset: they are served where everything is.",
    ),
];

/// Pairs of a secret and the key that names a file holding it.
pub(crate) const TWINS: &[(&str, &str)] = &[
    ("database.url", "database.url_file"),
    ("keys.tag_key", "keys.tag_key_file"),
    ("sessions.service_token", "sessions.service_token_file"),
];

/// A secret list and the key for files with further items, one item per file.
pub(crate) const TWIN_LISTS: &[(&str, &str)] = &[("keys.previous_tag_keys", "keys.previous_tag_key_files")];

/// The key at this dotted path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}
