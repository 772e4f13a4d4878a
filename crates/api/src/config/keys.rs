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
        "The address to listen on: an IP address and a port (port 0 selects a free one, printed at start), or `unix:/path/to/socket` for a gateway on the same machine. The user and the group of this process can connect to the socket.",
    ),
    key("server.workers", int(0, 512), Some("0"), "The number of worker threads for requests; 0 is one per processor."),
    key(
        "server.max_connections",
        int(1, 1_000_000),
        Some("25000"),
        "The maximum number of open connections per worker. Further connections wait to be accepted.",
    ),
    key(
        "server.keep_alive_seconds",
        int(0, 3600),
        Some("75"),
        "How long an idle connection stays open; 0 closes it after each response.",
    ),
    key(
        "server.head_deadline_seconds",
        int(1, 60),
        Some("5"),
        "How long a client may take to send the request line and the headers.",
    ),
    key(
        "server.request_deadline_seconds",
        int(1, 300),
        Some("10"),
        "How long a request may take in total, including reading its body. After that it is answered 408 or 503, and the connection is closed.",
    ),
    key(
        "server.drain_delay_seconds",
        int(0, 300),
        Some("1"),
        "At shutdown, how long `/ready` fails before connections are refused, so that load balancers can react.",
    ),
    key(
        "server.shutdown_grace_seconds",
        int(0, 600),
        Some("30"),
        "At shutdown, how long running requests may continue.",
    ),
    aliased(
        "server.allowed_origins",
        "ALLOWED_ORIGINS",
        Kind::Origins,
        Some("[]"),
        "Web origins whose pages may call this service from a browser (CORS). Empty means none. Wildcards are not supported.",
    ),
    key(
        "server.trusted_proxies",
        Kind::Networks,
        Some("[]"),
        "Networks of proxies whose `X-Forwarded-For` header is trusted for the address of a client. Empty means none.",
    ),
    key(
        "server.public_url",
        Kind::HttpUrl,
        None,
        "The public address of this service, used in links and to decide whether cookies are `Secure`.",
    ),
    // database
    aliased(
        "database.url",
        "DATABASE_URL",
        Kind::DatabaseUrl,
        Some("\"sqlite://nolapse.db\""),
        "The database: `sqlite://path/to/file.db` or `postgres://user:password@host/database`.",
    ),
    aliased("database.url_file", "DATABASE_URL_FILE", Kind::Path, None, "A file that contains `database.url`."),
    aliased(
        "database.direct_url",
        "DATABASE_DIRECT_URL",
        Kind::DatabaseUrl,
        None,
        "PostgreSQL itself, where `database.url` leads through a pooler in transaction mode, as some platforms set it: all connections then go here. A `--database-url` on the command line counts instead of both.",
    ),
    aliased(
        "database.direct_url_file",
        "DATABASE_DIRECT_URL_FILE",
        Kind::Path,
        None,
        "A file that contains `database.direct_url`.",
    ),
    key(
        "database.pool_size",
        int(1, 256),
        Some("4"),
        "PostgreSQL: the number of connections for transactions, shared by all workers. Each worker has another one for reads.",
    ),
    key(
        "database.connect_timeout_ms",
        int(100, 60_000),
        Some("2000"),
        "How long opening a database connection may take.",
    ),
    key(
        "database.acquire_timeout_ms",
        int(10, 60_000),
        Some("2000"),
        "PostgreSQL: how long a change waits for its turn and for a free connection before it is answered 503.",
    ),
    key(
        "database.statement_timeout_ms",
        int(100, 600_000),
        Some("5000"),
        "How long one statement may run. On SQLite: one list or search.",
    ),
    key(
        "database.validation_timeout_ms",
        int(50, 60_000),
        Some("1000"),
        "PostgreSQL: how long a validation waits for the database before it is answered 503.",
    ),
    key(
        "database.lock_timeout_ms",
        int(10, 60_000),
        Some("2000"),
        "How long a statement waits for a lock. On SQLite: the busy timeout.",
    ),
    key(
        "database.migrate_at_start",
        Kind::Bool,
        Some("true"),
        "Apply pending migrations at start. If false, the server refuses to start with an outdated schema.",
    ),
    // hashing
    key(
        "hashing.token_scheme",
        Kind::Choice(&["bcrypt", "argon2id", "sha256"]),
        Some("\"bcrypt\""),
        "The hash scheme for secrets of new tokens. Existing tokens are rehashed at their next validation.",
    ),
    key(
        "hashing.bcrypt_cost",
        int(4, 16),
        Some("10"),
        "bcrypt: the cost, which is log2 of the number of rounds. Values below 10 require `insecure_test_costs`.",
    ),
    key(
        "hashing.argon2_memory_kib",
        int(8, 4_194_304),
        Some("19456"),
        "argon2id: the memory in KiB. Values below 19456 require `insecure_test_costs`.",
    ),
    key(
        "hashing.argon2_passes",
        int(1, 64),
        Some("2"),
        "argon2id: the number of passes. Values below 2 require `insecure_test_costs`.",
    ),
    key("hashing.argon2_lanes", int(1, 64), Some("1"), "argon2id: the number of lanes."),
    key(
        "hashing.slow_lane_threads",
        int(0, 256),
        Some("0"),
        "The number of threads for bcrypt and argon2id; 0 is one per processor.",
    ),
    key(
        "hashing.slow_lane_queue",
        int(1, 65_536),
        Some("256"),
        "The maximum number of waiting hashes of each kind (sign-ins from known devices, other sign-ins, new secrets, validations); further requests are answered 503. Threads serve the kinds in turn. One user or token may use a quarter of the places; its further requests are answered 429.",
    ),
    key(
        "hashing.insecure_test_costs",
        Kind::Bool,
        Some("false"),
        "Allow costs that are too low to be secure, so that tests run fast. Never use this with real tokens.",
    ),
    // keys
    key(
        "keys.tag_key",
        Kind::HexKey,
        None,
        "The key for the keyed digests (tags) of tokens, 32 bytes in hexadecimal. If unset, a key is created at the first start in `keys.tag_key_path`.",
    ),
    key("keys.tag_key_file", Kind::Path, None, "A file that contains `keys.tag_key`."),
    key(
        "keys.tag_key_path",
        Kind::Path,
        None,
        "Where the service stores the key that it created (mode 0600). Defaults to the directory of the SQLite file. Required with PostgreSQL unless a key is given.",
    ),
    key(
        "keys.previous_tag_keys",
        Kind::HexKeys,
        Some("[]"),
        "Earlier keys that are still accepted. Tags are rewritten with the current key.",
    ),
    key(
        "keys.previous_tag_key_files",
        Kind::Paths,
        Some("[]"),
        "Files that contain one earlier key each, in addition to `keys.previous_tag_keys`.",
    ),
    // sessions
    key("sessions.ttl_seconds", int(60, 7 * DAY), Some("86400"), "The lifetime of a session."),
    key(
        "sessions.fresh_seconds",
        int(30, DAY),
        Some("600"),
        "How long after a proof by password or second factor a session may change the e-mail address, the second factor and other sessions.",
    ),
    aliased(
        "sessions.service_token",
        "SERVICE_TOKEN",
        Kind::Secret(32),
        None,
        "The credential with which a separate web front end creates sessions for people whom it has signed in itself. If unset, this is disabled.",
    ),
    aliased(
        "sessions.service_token_file",
        "SERVICE_TOKEN_FILE",
        Kind::Path,
        None,
        "A file that contains `sessions.service_token`.",
    ),
    // people
    key("people.invitation_ttl_seconds", int(60, 30 * DAY), Some("604800"), "How long an invitation can be accepted."),
    key(
        "people.open_founding",
        Kind::Bool,
        Some("true"),
        "Whether people who may edit their organisation (`org:write`) may create further organisations, which they then own.",
    ),
    // sso
    key(
        "sso.file",
        Kind::Path,
        None,
        "A file (TOML) with the identity providers that people sign in by: see OPERATIONS, Single sign-on. Unset: there are none.",
    ),
    // mail
    key(
        "mail.server",
        Kind::MailServer,
        None,
        "The server that mail is handed to: `smtps://host` (TLS from the start, port 465) or `smtp://host` (STARTTLS, port 587). Unset: this service sends no mail.",
    ),
    key(
        "mail.from",
        Kind::Mailbox,
        None,
        "The sender of all mail: `tokens@example.com` or `nolapse tokens <tokens@example.com>`.",
    ),
    key("mail.username", Kind::Visible, None, "Who signs in to the mail server. Unset: nobody does."),
    key("mail.password", Kind::Secret(1), None, "The password of `mail.username`."),
    key("mail.password_file", Kind::Path, None, "A file that holds `mail.password`."),
    key(
        "mail.ca_file",
        Kind::Path,
        None,
        "Certificates (PEM) that vouch for the mail server, beside those that browsers trust.",
    ),
    key(
        "mail.plaintext",
        Kind::Bool,
        Some("false"),
        "Send without TLS, by `smtp://`: for a relay on this machine or in a network of your own. What the mail says, links included, can be read on the way.",
    ),
    key(
        "mail.keep_days",
        int(1, 30),
        Some("3"),
        "How long mail that the server does not take is tried again before it is dropped.",
    ),
    // passwords
    key(
        "passwords.min_characters",
        int(12, 128),
        Some("12"),
        "The minimum length of new passwords in characters. Common passwords are refused regardless of length.",
    ),
    // tokens
    key(
        "tokens.default_grace_seconds",
        int(0, 30 * DAY),
        Some("86400"),
        "The default grace period: how long a rotated token stays valid if the request does not set a grace period.",
    ),
    key(
        "tokens.max_grace_seconds",
        int(0, 30 * DAY),
        Some("2592000"),
        "The longest grace period that a request can set.",
    ),
    key(
        "tokens.first_use_seconds",
        int(0, DAY),
        Some("300"),
        "With `first_use`: how long the old token stays valid after the first use of the new one.",
    ),
    key(
        "tokens.idempotency_ttl_seconds",
        int(60, 7 * DAY),
        Some("86400"),
        "How long an `Idempotency-Key` is remembered.",
    ),
    key(
        "tokens.cap_per_organization",
        int(1, u64::MAX),
        None,
        "The maximum number of valid tokens per organisation. If unset, there is no maximum.",
    ),
    key(
        "tokens.keys_per_person",
        int(1, 100_000),
        Some("100"),
        "The maximum number of valid personal keys per person and organisation.",
    ),
    key(
        "tokens.expiry_warning_days",
        int(0, 365),
        Some("7"),
        "How many days before a token expires its responses start to carry `X-Token-Expires-At`. 0 means never.",
    ),
    key(
        "tokens.legacy_lookup",
        Kind::Bool,
        Some("false"),
        "Accept tokens without a checksum, as issued by an earlier system, and look up the hashes that were imported.",
    ),
    key(
        "tokens.legacy_shapes",
        Kind::Shapes,
        Some("[]"),
        "The formats of keys of other systems, which are accepted if they were imported: `prefix=sk_ alphabet=alnum length=24-64`. The alphabet is `hex`, `alnum`, `base64url` or `dotted` (with `-`, `_` and `.`), the length is that of the part behind the prefix, 16 to 256. With `id=` and a colon or a vertical bar, digits and that character may stand in front of a key. Empty means none.",
    ),
    key(
        "tokens.legacy_hmac_key",
        Kind::Secret(16),
        None,
        "The key with which another system made the HMAC-SHA-256 of its keys, for imported hashes of that kind.",
    ),
    key("tokens.legacy_hmac_key_file", Kind::Path, None, "A file that contains `tokens.legacy_hmac_key`."),
    // cache
    key(
        "cache.max_bytes",
        int(1_048_576, u64::MAX),
        Some("536870912"),
        "The maximum memory for cached valid tokens, in bytes.",
    ),
    key("cache.negative_ttl_ms", int(0, 5000), Some("5000"), "How long an unknown token is cached as unknown."),
    key(
        "cache.negative_max_entries",
        int(0, 100_000_000),
        Some("100000"),
        "The maximum number of cached unknown tokens.",
    ),
    key(
        "cache.miss_lane",
        int(1, 65_536),
        Some("64"),
        "The maximum number of concurrent token look-ups in the database. Further ones wait.",
    ),
    key(
        "cache.miss_wait_ms",
        int(1, 10_000),
        Some("250"),
        "How long a token look-up waits for its turn before it is answered 503.",
    ),
    // deployment
    key(
        "deployment.operator_organization",
        Kind::Slug,
        None,
        "The slug of the organisation whose administrators operate this deployment: `GET /v1/nodes` and the page \"Deployment\" of the dashboard are theirs. Defaults to the organisation that was created first. Must be the same on all nodes.",
    ),
    // cluster
    key(
        "cluster.consistency",
        Kind::Choice(&["strict", "relaxed"]),
        Some("\"strict\""),
        "PostgreSQL: when a change that takes rights away, such as a revocation, is answered. `strict`: when it is in force on all nodes, which takes some milliseconds, or 5.3 seconds if a node does not respond. `relaxed`: when it is committed; other nodes follow within 5 seconds, and a request can require a newer state with `X-Nlp-Min-Seq`. Must be the same on all nodes.",
    ),
    key(
        "cluster.advertise",
        Kind::Visible,
        None,
        "PostgreSQL: where this node is reached, as `GET /v1/nodes` and the dashboard show it to operators, up to 255 characters: a URL, or a name and a port. Nodes never use it to reach each other. Without it, the address that the node listens on is shown.",
    ),
    // redis
    aliased(
        "redis.url",
        "REDIS_URL",
        Kind::RedisUrl,
        None,
        "PostgreSQL: a Redis that the nodes share: `redis://user:password@host:6379`, `rediss://host` (TLS), `unix:///path/to/socket`, or by sentinels `redis+sentinel://host:26379,host:26379/<master>`. It saves reads of the database, carries hints between nodes, and counts for all nodes what is limited. It makes no token valid, and the nodes go on without it when it is away.",
    ),
    aliased("redis.url_file", "REDIS_URL_FILE", Kind::Path, None, "A file that contains `redis.url`."),
    key(
        "redis.ca_file",
        Kind::Path,
        None,
        "The certificates, in PEM, of the authority that signs the certificate of a `rediss://` server. Without it, the authorities of the web are trusted.",
    ),
    // ledger
    key(
        "ledger.directory",
        Kind::Path,
        None,
        "The folder for the ledger of revocations, which keeps an older copy of the database from reviving what was revoked. Defaults to the name of the SQLite file with `.ledger`; with PostgreSQL no ledger is kept unless this is set. Each node needs its own, and does not start with one that another uses. A disk that is not the database's survives the loss of that.",
    ),
    key(
        "ledger.keep_days",
        int(1, 3650),
        Some("30"),
        "How long the ledger is kept. A backup that is older revives what was revoked between it and the oldest entry, so keep the ledger for longer than backups.",
    ),
    key(
        "ledger.max_mib",
        int(16, 1_048_576),
        Some("256"),
        "The maximum size of the ledger in MiB, about a million single revocations. Beyond it the oldest parts are removed, which is logged.",
    ),
    // usage
    key(
        "usage.flush_interval_seconds",
        int(1, 10),
        Some("5"),
        "How often last-used times and usage counts are written to the database.",
    ),
    key(
        "usage.flush_share_percent",
        int(1, 100),
        Some("1"),
        "The share of time that writing usage may take while the processor is busy; half of the time if at least a quarter of the processor is idle. If more tokens are in use than can be written in this time, writing lags behind. Reads include uses that are not written yet.",
    ),
    key(
        "usage.retention_days",
        int(1, 36_500),
        Some("400"),
        "How long the hourly usage counts of each token are kept.",
    ),
    // executions
    key(
        "executions.retention_days",
        int(1, 36_500),
        None,
        "How long coverage executions are kept. Older ones are removed in the background; baselines are always kept. If unset, executions are kept for ever.",
    ),
    // scopes
    key("scopes.file", Kind::Path, None, "A file with a scope catalogue that replaces the built-in one."),
    key(
        "scopes.additions",
        Kind::Paths,
        Some("[]"),
        "Files in the format of the scope catalogue that add scopes in their own namespaces and presets, and assign them to built-in roles.",
    ),
    // gateways
    key(
        "gateways.route_tables",
        Kind::Paths,
        Some("[]"),
        "Files with named route tables. `/v1/auth/forward?routes=<name>` requires the scopes of the row that matches the original request.",
    ),
    // leaks
    key(
        "leaks.github_keys_url",
        Kind::HttpUrl,
        None,
        "The address of GitHub's public keys, with which reports to `POST /v1/leaks/github` are verified. If unset, reports are refused.",
    ),
    key(
        "leaks.gitlab_keys_url",
        Kind::HttpUrl,
        None,
        "The address of GitLab's public keys, with which reports to `POST /v1/leaks/gitlab` are verified. If unset, reports are refused.",
    ),
    key(
        "leaks.github_webhook_secret",
        Kind::Secret(16),
        None,
        "The secret of the webhook that delivers alerts of GitHub secret scanning to `POST /v1/leaks/github-alerts`. If unset, they are refused.",
    ),
    key("leaks.github_webhook_secret_file", Kind::Path, None, "A file that contains `leaks.github_webhook_secret`."),
    key(
        "leaks.github_token",
        Kind::Secret(1),
        None,
        "A token for GitHub's REST API that may read secret scanning alerts, with which the secret of an alert is fetched.",
    ),
    key("leaks.github_token_file", Kind::Path, None, "A file that contains `leaks.github_token`."),
    key(
        "leaks.github_api_url",
        Kind::HttpUrl,
        Some("\"https://api.github.com\""),
        "The address of GitHub's REST API; with GitHub Enterprise Server `https://HOST/api/v3`.",
    ),
    key(
        "leaks.github_resolve_alerts",
        Kind::Bool,
        Some("false"),
        "Mark an alert at GitHub as resolved once its token is revoked. `leaks.github_token` must be allowed to write secret scanning alerts.",
    ),
    key(
        "leaks.gitlab_webhook_secret",
        Kind::Secret(16),
        None,
        "The secret token or the signing token (`whsec_…`) of the webhook that delivers vulnerability events of GitLab to `POST /v1/leaks/gitlab-alerts`. If unset, they are refused.",
    ),
    key("leaks.gitlab_webhook_secret_file", Kind::Path, None, "A file that contains `leaks.gitlab_webhook_secret`."),
    key(
        "leaks.gitlab_token",
        Kind::Secret(1),
        None,
        "A token for GitLab's REST API that may read repositories, with which the file of a finding is fetched.",
    ),
    key("leaks.gitlab_token_file", Kind::Path, None, "A file that contains `leaks.gitlab_token`."),
    key("leaks.gitlab_url", Kind::HttpUrl, Some("\"https://gitlab.com\""), "The address of the GitLab instance."),
    // webhooks
    key(
        "webhooks.enabled",
        Kind::Bool,
        Some("false"),
        "Let organisations create webhooks, and send events to them. Off by default, because requests then leave this service to addresses that the people of an organisation choose. Set it on all nodes; one that has it sends.",
    ),
    // outbound
    key(
        "outbound.allowed_networks",
        Kind::Networks,
        Some("[]"),
        "Private networks to which this service may send requests, with or without TLS. Public addresses are only reached with TLS; all other addresses are refused.",
    ),
    // rate_limit
    key(
        "rate_limit.sign_in_attempts",
        int(1, 1000),
        Some("10"),
        "The number of failed sign-ins to one account from one address before further attempts have to wait. Ten times as many are allowed to all accounts from one address, and to one account from all addresses. Devices from which an account was signed in to before are counted separately. With `redis.url` all nodes count together; without it, each node counts for itself.",
    ),
    key(
        "rate_limit.sign_in_window_seconds",
        int(1, DAY),
        Some("900"),
        "How long without a failed sign-in until fewer failures than the limit are forgotten. Failures that have caused a wait are forgotten over a day. The longest wait is 900 seconds.",
    ),
    key(
        "rate_limit.sign_in_concurrent_per_account",
        int(1, 100),
        Some("2"),
        "The maximum number of concurrent password checks for one account from one address, or for one known device. Further ones are answered 429.",
    ),
    key(
        "rate_limit.leak_reports",
        int(1, 1_000_000),
        Some("60"),
        "The maximum number of reports of leaked tokens (`POST /v1/credentials/revoke`) per hour from one IPv4 address or IPv6 /64 network. Further ones are answered 429. With `redis.url` all nodes count together; without it, each node counts for itself.",
    ),
    key(
        "rate_limit.token_exchanges",
        int(1, 10_000_000),
        Some("3600"),
        "The maximum number of exchanges of identity tokens (`POST /v1/oauth/token`) per hour from one IPv4 address or IPv6 /64 network. Further ones are answered 429. With `redis.url` all nodes count together; without it, each node counts for itself.",
    ),
    // log
    key(
        "log.filter",
        Kind::Filter,
        Some("\"info,actix_server=warn,actix_http=off\""),
        "The log filter: a level, or a list such as `authority=debug,info`. `actix_http` would log every unreadable request, which any client can send.",
    ),
    key(
        "log.format",
        Kind::Choice(&["json", "pretty"]),
        Some("\"json\""),
        "The log format: one JSON object per line, or text for people.",
    ),
    key("log.access", Kind::Bool, Some("true"), "Log one line per request, except for validations and forward-auth."),
    // metrics
    key("metrics.enabled", Kind::Bool, Some("true"), "Serve `/metrics`."),
    key(
        "metrics.listen",
        Kind::Address,
        None,
        "A separate address for `/metrics`, `/docs` and `/openapi.json`, which are then no longer served at `server.listen`. It also serves `/health` and `/ready`. If unset, everything is served at `server.listen`.",
    ),
];

/// Pairs of a secret and the key that names a file holding it.
pub(crate) const TWINS: &[(&str, &str)] = &[
    ("database.url", "database.url_file"),
    ("database.direct_url", "database.direct_url_file"),
    ("redis.url", "redis.url_file"),
    ("keys.tag_key", "keys.tag_key_file"),
    ("sessions.service_token", "sessions.service_token_file"),
    ("mail.password", "mail.password_file"),
    ("tokens.legacy_hmac_key", "tokens.legacy_hmac_key_file"),
    ("leaks.github_webhook_secret", "leaks.github_webhook_secret_file"),
    ("leaks.github_token", "leaks.github_token_file"),
    ("leaks.gitlab_webhook_secret", "leaks.gitlab_webhook_secret_file"),
    ("leaks.gitlab_token", "leaks.gitlab_token_file"),
];

/// A secret list and the key for files with further items, one item per file.
pub(crate) const TWIN_LISTS: &[(&str, &str)] = &[("keys.previous_tag_keys", "keys.previous_tag_key_files")];

/// The key at this dotted path.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}
