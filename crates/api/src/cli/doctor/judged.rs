//! What the facts mean that `doctor` found: a line for each, with what to do.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use edge::listen::Listen;
use storage::migrate::MigrationStatus;
use storage::model::RegisteredNode;
use storage::nodes::ServerSettings;
use token_domain::record::Organization;
use token_domain::text::Slug;
use token_domain::{Span, Timestamp};
use url::Url;

/// A report of a node is good for five seconds; after twice as long it has stopped.
const SILENT: Span = Span::seconds(10);
/// More than what clocks that are kept right differ by.
const CLOCKS: Span = Span::seconds(2);
/// A log that is written to the database is cut to 64 MiB.
const LARGE_LOG: u64 = 256 * 1024 * 1024;
/// More messages than a mail server that works leaves waiting.
const MUCH_MAIL: i64 = 100;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Good,
    Warning,
    Problem,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) outcome: Outcome,
    found: String,
    next: Option<&'static str>,
}

impl Line {
    pub(super) fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, outcome: Outcome::Good, found: found.into(), next: None }
    }

    pub(super) fn warning(what: &'static str, found: impl Into<String>, next: &'static str) -> Self {
        Self { what, outcome: Outcome::Warning, found: found.into(), next: Some(next) }
    }

    pub(super) fn problem(what: &'static str, found: impl Into<String>, next: &'static str) -> Self {
        Self { what, outcome: Outcome::Problem, found: found.into(), next: Some(next) }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Good => "ok",
            Outcome::Warning => "warning",
            Outcome::Problem => "problem",
        };
        let found = self.found.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        writeln!(f, "{outcome:8} {}: {found}", self.what)?;
        self.next.map_or(Ok(()), |next| writeln!(f, "         what to do: {next}"))
    }
}

/// How clients get here.
pub(super) fn front(listen: &Listen, public_url: Option<&Url>, is_proxy_unnamed: bool) -> Line {
    const WHAT: &str = "public_url";
    let is_local = match listen {
        Listen::Network(address) => address.ip().is_loopback(),
        Listen::Socket(_) => true,
    };
    match public_url {
        _ if is_proxy_unnamed => Line::warning(
            WHAT,
            "server.public_url is https, so there is a proxy, but server.trusted_proxies is empty",
            "set server.trusted_proxies; otherwise all clients share the proxy's rate limits",
        ),
        Some(url) if url.scheme() == "https" => Line::good(WHAT, url.as_str()),
        Some(url) if !is_local => Line::warning(
            WHAT,
            format!("{url}: passwords and tokens travel in plain text"),
            "put a proxy with TLS in front (\"Behind TLS\" in docs/OPERATIONS.md), and set an https address",
        ),
        Some(url) => Line::good(WHAT, url.as_str()),
        None if !is_local => Line::warning(
            WHAT,
            "not set, and others can reach this address: is there TLS in front?",
            "set server.public_url to the https address that people use",
        ),
        None => Line::good(WHAT, "not set; only this machine can connect"),
    }
}

/// A file that only the service's user may read. `open` is its mode, if others may read it.
pub(super) fn file(what: &'static str, path: &Path, open: Option<String>) -> Line {
    match open {
        None => Line::good(what, path.display().to_string()),
        Some(mode) => {
            let found = format!("{} can be read by other users of this machine (mode {mode})", path.display());
            Line::problem(what, found, "chmod 600 it")
        }
    }
}

pub(super) fn log_size(bytes: u64) -> Line {
    const WHAT: &str = "write-ahead log";
    let found = format!("{} MiB", bytes / (1024 * 1024));
    if bytes < LARGE_LOG {
        return Line::good(WHAT, found);
    }
    Line::warning(WHAT, found, "end what reads the database for long, such as a backup: until then the log only grows")
}

/// The organisation that the configuration names as the operators'.
pub(super) fn operators(slug: &Slug, organization: Option<&Organization>) -> Line {
    const WHAT: &str = "operator organization";
    match organization {
        None => Line::problem(
            WHAT,
            format!("there is no organisation {slug}"),
            "correct deployment.operator_organization, or create the organisation yourself before somebody else does",
        ),
        Some(organization) if organization.disabled_at.is_some() => Line::warning(
            WHAT,
            format!("{slug} is disabled"),
            "`nolapse-api organization enable` it, or name another in deployment.operator_organization",
        ),
        Some(_) => Line::good(WHAT, slug.as_str()),
    }
}

pub(super) fn schema(statuses: &[MigrationStatus], migrate_at_start: bool) -> Line {
    const WHAT: &str = "schema";
    let pending: Vec<&str> =
        statuses.iter().filter(|status| !status.applied).map(|status| status.name.as_str()).collect();
    if pending.is_empty() {
        return Line::good(WHAT, "the one of this program");
    }
    let found = format!("migrations are missing: {}", pending.join(", "));
    if migrate_at_start {
        return Line::warning(WHAT, found, "the next start of a server of this version applies them; back up first");
    }
    Line::problem(WHAT, found, "back up, then `nolapse-api migrate up`")
}

/// `ids` are the keys at hand, the current one first; `noted` is the one that the database remembers.
pub(super) fn tag_key(ids: &[String], noted: Option<&str>) -> Line {
    const WHAT: &str = "tag key";
    match noted {
        None => Line::good(WHAT, "at hand; no server has used it with this database yet"),
        Some(noted) if ids.first().is_some_and(|id| id == noted) => Line::good(WHAT, "the one of this database"),
        Some(noted) if ids.iter().any(|id| id == noted) => Line::warning(
            WHAT,
            "another than at the last start, which is listed as a previous one",
            "restart the servers, and keep the previous key until all tags are rewritten",
        ),
        Some(_) => Line::problem(
            WHAT,
            "not the one that this database was used with, which is missing",
            "restore it before a server starts: second factors and secrets of webhooks cannot be read without it",
        ),
    }
}

pub(super) fn settings(settings: &ServerSettings) -> Line {
    const WHAT: &str = "PostgreSQL";
    let off: Vec<&str> = [("fsync", settings.fsync), ("full_page_writes", settings.full_page_writes)]
        .into_iter()
        .filter_map(|(name, is_on)| (!is_on).then_some(name))
        .collect();
    if !off.is_empty() {
        let found = format!("off: {}; after a power cut the database may be damaged", off.join(", "));
        return Line::problem(WHAT, found, "turn them on in postgresql.conf");
    }
    match settings.synchronous_commit.as_str() {
        weak @ ("off" | "local" | "remote_write") => {
            Line::good(WHAT, format!("its synchronous_commit is {weak}; sessions of this program set it to on"))
        }
        strong => Line::good(WHAT, format!("fsync and full_page_writes are on, synchronous_commit is {strong}")),
    }
}

/// The database's clock, which was asked between two readings of this machine's.
pub(super) fn clock(before: Timestamp, database: Timestamp, after: Timestamp) -> Line {
    const WHAT: &str = "clock";
    let [before, database, after] = [before, database, after].map(Timestamp::as_micros);
    let apart = (before - database).max(database - after).max(0);
    let found = format!("{} ms apart from the database's", apart / 1_000);
    if apart <= CLOCKS.as_micros() {
        return Line::good(WHAT, found);
    }
    Line::warning(
        WHAT,
        found,
        "have both clocks kept by NTP: expiry follows the database's, one-time codes this machine's",
    )
}

/// `key` is the id of the tag key at hand.
pub(super) fn nodes(nodes: &[RegisteredNode], now: Timestamp, key: Option<&str>) -> Line {
    const WHAT: &str = "nodes";
    let silent: Vec<String> =
        nodes.iter().filter(|node| node.seen_at + SILENT < now).map(|node| node.record.id.to_string()).collect();
    let all = |of: fn(&RegisteredNode) -> &str| nodes.iter().map(of).collect::<BTreeSet<&str>>();
    let (versions, keys) = (all(|node| &node.record.version), all(|node| &node.record.tag_key));
    let consistencies = all(|node| node.record.consistency.as_str());
    if keys.len() > 1 {
        return Line::problem(WHAT, "they have different tag keys", "give every node the same key, and restart them");
    }
    if key.is_some_and(|key| keys.iter().any(|other| *other != key)) {
        return Line::problem(WHAT, "they have another tag key than this machine", "configure the key that they have");
    }
    if consistencies.len() > 1 {
        return Line::problem(WHAT, "cluster.consistency is not the same on all", "set it alike, and restart them");
    }
    if !silent.is_empty() {
        let found = format!("no report for ten seconds: {}", silent.join(", "));
        return Line::warning(WHAT, found, "see whether they run and reach the database; revocations wait for them");
    }
    if versions.len() > 1 {
        let found = format!("different versions: {}", versions.into_iter().collect::<Vec<_>>().join(", "));
        return Line::warning(WHAT, found, "finish the upgrade");
    }
    Line::good(WHAT, format!("{} on the list", nodes.len()))
}

pub(super) fn mail(waiting: i64, is_configured: bool) -> Line {
    const WHAT: &str = "mail";
    let found = format!("messages that wait: {waiting}");
    if waiting > 0 && !is_configured {
        return Line::warning(WHAT, found, "mail.server is not set: set it, or they are dropped");
    }
    if waiting > MUCH_MAIL {
        return Line::warning(WHAT, found, "`nolapse-api mail test ADDRESS` says whether the mail server takes mail");
    }
    Line::good(WHAT, found)
}

/// `overdue` counts webhooks for which something has been due for ten minutes.
pub(super) fn webhooks(overdue: usize, is_enabled: bool) -> Line {
    const WHAT: &str = "webhooks";
    if overdue == 0 {
        return Line::good(WHAT, "nothing is overdue");
    }
    let found = format!("nothing was sent for ten minutes to webhooks that wait for it: {overdue}");
    let next = if is_enabled {
        "see whether a server runs, and its log"
    } else {
        "webhooks.enabled is false: set it on a server"
    };
    Line::warning(WHAT, found, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use authority::env::{SystemEntropy, new_id};
    use storage::model::{Consistency, NodeRecord};

    use Outcome::{Good, Problem, Warning};

    #[track_caller]
    fn is(line: &Line, outcome: Outcome) {
        assert_eq!(line.outcome, outcome, "{line}");
        assert_eq!(line.next.is_some(), outcome != Good, "what is wrong has advice: {line}");
    }

    #[test]
    fn the_way_of_clients_is_encrypted_and_the_proxy_named() {
        let network = |text: &str| Listen::Network(text.parse().unwrap());
        let socket = Listen::Socket("/run/nolapse.sock".into());
        let (local, open) = (network("127.0.0.1:8080"), network("0.0.0.0:8080"));
        let (plain, tls) =
            (Url::parse("http://tokens.example").unwrap(), Url::parse("https://tokens.example").unwrap());
        for (listen, url, unnamed, outcome) in [
            (&local, None, false, Good),
            (&open, None, false, Warning),
            (&open, Some(&plain), false, Warning),
            (&local, Some(&plain), false, Good),
            (&open, Some(&tls), false, Good),
            (&open, Some(&tls), true, Warning),
            (&socket, None, false, Good),
        ] {
            is(&front(listen, url, unnamed), outcome);
        }
    }

    #[test]
    fn files_and_their_sizes() {
        is(&file("tag key file", Path::new("key"), None), Good);
        is(&file("tag key file", Path::new("key"), Some("0644".to_owned())), Problem);
        is(&log_size(LARGE_LOG - 1), Good);
        is(&log_size(LARGE_LOG), Warning);
    }

    #[test]
    fn a_schema_that_lacks_something() {
        let status = |applied| MigrationStatus { name: "a".to_owned(), applied };
        is(&schema(&[status(true)], false), Good);
        is(&schema(&[status(true), status(false)], true), Warning);
        is(&schema(&[status(true), status(false)], false), Problem);
    }

    #[test]
    fn the_tag_key_is_the_one_of_the_database() {
        let ids = ["new", "old"].map(str::to_owned);
        for (noted, outcome) in [(None, Good), (Some("new"), Good), (Some("old"), Warning), (Some("other"), Problem)] {
            is(&tag_key(&ids, noted), outcome);
        }
    }

    #[test]
    fn a_server_that_may_lose_what_it_acknowledged() {
        let moment = Timestamp::from_micros(0);
        for (fsync, full_page_writes, commit, outcome) in [
            (true, true, "on", Good),
            (true, true, "off", Good),
            (false, true, "on", Problem),
            (true, false, "on", Problem),
        ] {
            let synchronous_commit = commit.to_owned();
            is(&settings(&ServerSettings { synchronous_commit, fsync, full_page_writes, now: moment }), outcome);
        }
    }

    #[test]
    fn clocks_that_differ() {
        let at = |ms: i64| Timestamp::from_micros(ms * 1_000);
        // Slow answers are no difference.
        for (before, database, after, outcome) in [
            (0, 5_000, 9_000, Good),
            (0, -2_000, 10, Good),
            (0, -2_001, 10, Warning),
            (0, 2_010, 10, Good),
            (0, 2_011, 10, Warning),
        ] {
            is(&clock(at(before), at(database), at(after)), outcome);
        }
    }

    #[test]
    fn nodes_that_do_not_fit_together() {
        let node = |version: &str, key: &str, consistency, seen_seconds: i64| RegisteredNode {
            record: NodeRecord {
                id: new_id(Timestamp::from_micros(0), &SystemEntropy).unwrap(),
                protocol: 1,
                version: version.to_owned(),
                migration: String::new(),
                tag_key: key.to_owned(),
                consistency,
                address: None,
            },
            beat: 1,
            applied: Vec::new(),
            started_at: Timestamp::from_micros(0),
            seen_at: Timestamp::from_micros(seen_seconds * 1_000_000),
        };
        let good = || node("1", "a", Consistency::Strict, 100);
        for (others, key, outcome) in [
            (vec![], Some("a"), Good),
            (vec![good()], Some("a"), Good),
            (vec![good()], None, Good),
            (vec![good()], Some("b"), Problem),
            (vec![node("1", "b", Consistency::Strict, 100)], Some("a"), Problem),
            (vec![node("1", "a", Consistency::Relaxed, 100)], Some("a"), Problem),
            (vec![node("1", "a", Consistency::Strict, 89)], Some("a"), Warning),
            (vec![node("2", "a", Consistency::Strict, 100)], Some("a"), Warning),
        ] {
            let all = [vec![good()], others].concat();
            is(&nodes(&all, Timestamp::from_micros(100_000_000), key), outcome);
        }
        is(&nodes(&[], Timestamp::from_micros(0), Some("a")), Good);
    }

    #[test]
    fn what_waits_to_be_sent() {
        for (waiting, configured, outcome) in
            [(0, false, Good), (1, false, Warning), (100, true, Good), (101, true, Warning)]
        {
            is(&mail(waiting, configured), outcome);
        }
        for (overdue, enabled, outcome) in [(0, false, Good), (1, true, Warning), (1, false, Warning)] {
            is(&webhooks(overdue, enabled), outcome);
        }
    }

    #[test]
    fn a_line_is_a_line_and_its_advice_another() {
        let line = Line::problem("configuration", "2 problems:\n  a\n  b", "correct them");
        assert_eq!(line.to_string(), "problem  configuration: 2 problems: a b\n         what to do: correct them\n");
        assert_eq!(Line::good("disk", "there is room").to_string(), "ok       disk: there is room\n");
    }
}
