//! Tables of configurations: precedence, refused values, messages.

use std::collections::BTreeSet;
use std::path::Path;

use super::key::{Kind, Raw, mask_url};
use super::keys::{KEYS, TWIN_LISTS, TWINS};
use super::*;

const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const TOKEN: &str = "a-service-token-of-forty-characters-0000";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn problems(sources: &Sources) -> Vec<String> {
    match load(sources) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_defaults_load_and_every_key_reaches_the_struct() {
    let loaded = load(&Sources::default()).map_err(|problems| problems.to_string()).unwrap();
    assert_eq!(loaded.config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(loaded.config.hashing.token_scheme, sections::TokenScheme::Bcrypt);
    assert_eq!(loaded.config.sessions.ttl.as_secs(), 86_400);
    assert!(loaded.config.tokens.cap_per_organization.is_none());
    // `deny_unknown_fields` makes a key without a field fail, `Deserialize` a field without a key: fill every key.
    let mut sources = Sources::default();
    // Rules that span keys ask for PostgreSQL and TLS.
    sources.environment.push(("DATABASE_URL".to_owned(), "postgres://localhost/tokens".to_owned()));
    let twins: BTreeSet<&str> = TWINS.iter().chain(TWIN_LISTS).map(|(_, twin)| *twin).collect();
    for key in KEYS.iter().filter(|key| key.default.is_none() && !twins.contains(key.path)) {
        let value = match key.kind {
            Kind::HttpUrl => "https://tokens.example.com",
            Kind::Address => "127.0.0.1:9090",
            Kind::MailServer => "smtps://mail.example.com",
            Kind::Mailbox => "tokens@example.com",
            Kind::HexKey => HEX,
            Kind::RedisUrl => "rediss://localhost",
            Kind::DatabaseUrl => "postgres://localhost/tokens",
            Kind::Slug => "acme",
            Kind::Secret(_) => TOKEN,
            Kind::Integer { .. } => "7",
            _ => "some/path",
        };
        sources.environment.push((key.env(), value.to_owned()));
    }
    assert_eq!(problems(&sources), Vec::<String>::new());
}

#[test]
fn every_key_is_told_apart_and_its_default_is_accepted() {
    let paths: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(paths.len(), KEYS.len());
    let mut sections: Vec<&str> = KEYS.iter().map(key::Key::section).collect();
    sections.dedup();
    assert_eq!(sections.len(), sections.iter().collect::<BTreeSet<_>>().len(), "a section's keys stand together");
    for (plain, twin) in TWINS.iter().chain(TWIN_LISTS) {
        assert!(paths.contains(plain) && paths.contains(twin), "{plain} and {twin}");
    }
    for key in KEYS.iter().filter(|key| key.kind.is_secret()) {
        let twin = TWINS.iter().chain(TWIN_LISTS).any(|(plain, _)| *plain == key.path);
        assert!(twin, "{} is a secret and has no file twin", key.path);
    }
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "c.toml", "[server]\nlisten = \"127.0.0.1:1\"\n");
    let variable = env(&[("NOLAPSE__SERVER__LISTEN", "127.0.0.1:2")]);
    let alias = env(&[("NOLAPSE_LISTEN", "127.0.0.1:3")]);
    let both = [variable.clone(), alias.clone()].concat();
    let flag = vec![("server.listen", "--listen", "127.0.0.1:4".to_owned())];
    #[rustfmt::skip]
    let rows = [
        (None,             vec![],           vec![],       8080, "default".to_owned()),
        (Some(&file),      vec![],           vec![],       1,    format!("{}:2", file.display())),
        (None,             alias.clone(),    vec![],       3,    "environment NOLAPSE_LISTEN".into()),
        (Some(&file),      variable.clone(), vec![],       2,    "environment NOLAPSE__SERVER__LISTEN".into()),
        (Some(&file),      both.clone(),     vec![],       2,    "environment NOLAPSE__SERVER__LISTEN".into()),
        (Some(&file),      both,             flag.clone(), 4,    "flag --listen".into()),
        (None,             vec![],           flag,         4,    "flag --listen".into()),
    ];
    for (file, environment, flags, port, origin) in rows {
        let loaded = load(&Sources { file: file.cloned(), environment, flags })
            .map_err(|problems| problems.to_string())
            .unwrap();
        assert_eq!(loaded.config.server.listen.to_string(), format!("127.0.0.1:{port}"));
        assert_eq!(loaded.merged.origin("server.listen"), origin);
    }
}

#[test]
fn an_advertised_address_fits_its_row() {
    for (length, expected) in [(255, 0), (256, 1)] {
        let text = "a".repeat(length);
        let environment = env(&[
            ("DATABASE_URL", "postgres://localhost/nolapse"),
            ("NOLAPSE__KEYS__TAG_KEY_PATH", "/k"),
            ("NOLAPSE__CLUSTER__ADVERTISE", &text),
        ]);
        let found = problems(&Sources { file: None, environment, flags: vec![] });
        assert_eq!(found.len(), expected, "{found:?}");
    }
}

#[test]
fn redis_is_named_in_four_ways_and_only_beside_postgresql() {
    const PG: &str = "postgres://localhost/tokens";
    const FORMS: &str = "redis.url: ";
    #[rustfmt::skip]
    let rows = [
        (PG, "redis://localhost", None),
        (PG, "redis://user:p%40ss@[::1]:6380/2", None),
        (PG, "rediss://cache.example:6380", None),
        (PG, "unix:///run/redis/redis.sock", None),
        (PG, "redis+sentinel://:word@a:1,b,[::1]:3/main/2", None),
        (PG, "", Some(FORMS)),
        (PG, "localhost:6379", Some(FORMS)),
        (PG, "http://localhost", Some(FORMS)),
        (PG, "redis://", Some(FORMS)),
        (PG, "redis://localhost/x", Some(FORMS)),
        (PG, "rediss://localhost/#insecure", Some(FORMS)),
        (PG, "redis+sentinel://a,b", Some(FORMS)),
        (PG, "redis+sentinel://a,,b/main", Some(FORMS)),
        (PG, "redis+sentinel://a/main/x", Some(FORMS)),
        ("sqlite://a.db", "redis://localhost", Some("redis.url: is set, and database.url is not PostgreSQL (environment REDIS_URL); unset it")),
    ];
    for (database, redis, expected) in rows {
        let environment =
            env(&[("DATABASE_URL", database), ("NOLAPSE__KEYS__TAG_KEY_PATH", "/k"), ("REDIS_URL", redis)]);
        let found = problems(&Sources { file: None, environment, flags: vec![] });
        match expected {
            None => assert_eq!(found, Vec::<String>::new(), "{redis}"),
            Some(text) => assert!(found.len() == 1 && found[0].starts_with(text), "{redis}: {found:?}"),
        }
    }
    let certificates =
        [("DATABASE_URL", PG), ("NOLAPSE__KEYS__TAG_KEY_PATH", "/k"), ("NOLAPSE__REDIS__CA_FILE", "/ca.pem")];
    for (redis, expected) in [("rediss://localhost", 0), ("redis://localhost", 1)] {
        let environment = env(&[&certificates[..], &[("REDIS_URL", redis)]].concat());
        assert_eq!(problems(&Sources { file: None, environment, flags: vec![] }).len(), expected, "{redis}");
    }
}

#[test]
fn a_database_url_may_name_several_servers_with_their_ports() {
    for url in ["postgres://a:1,b:2/db", "postgres://u:p%40ss@a:1,[::1]:2,c/db?target_session_attrs=read-write"] {
        let environment = env(&[("DATABASE_URL", url), ("NOLAPSE__KEYS__TAG_KEY_PATH", "/key")]);
        let loaded = load(&Sources { file: None, environment, flags: vec![] });
        assert!(loaded.is_ok(), "{url}: {:?}", loaded.map_err(|problems| problems.to_string()).err());
    }
    let environment = env(&[("DATABASE_URL", "postgres://a:1,b:99999/db"), ("NOLAPSE__KEYS__TAG_KEY_PATH", "/key")]);
    let problems = load(&Sources { file: None, environment, flags: vec![] }).map_err(|problems| problems.to_string());
    assert!(problems.is_err_and(|problems| problems.contains("database.url")), "a port of one of them that is none");
}

#[test]
fn values_that_do_not_fit_are_refused_with_what_would_be_right() {
    #[rustfmt::skip]
    let rows = [
        ("NOLAPSE__SERVER__LISTEN", "localhost", "server.listen: \"localhost\" is not valid (environment NOLAPSE__SERVER__LISTEN); write an address and a port, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path/to/socket"),
        ("NOLAPSE_LISTEN", "", "server.listen: is empty (environment NOLAPSE_LISTEN); write an address and a port, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path/to/socket"),
        ("NOLAPSE__SERVER__WORKERS", "two", "server.workers: \"two\" is not valid (environment NOLAPSE__SERVER__WORKERS); write a whole number from 0 to 512"),
        ("NOLAPSE__SERVER__WORKERS", "-1", "server.workers: \"-1\" is not valid (environment NOLAPSE__SERVER__WORKERS); write a whole number from 0 to 512"),
        ("NOLAPSE__SERVER__WORKERS", "513", "server.workers: 513 is out of range (environment NOLAPSE__SERVER__WORKERS); write a whole number from 0 to 512"),
        ("NOLAPSE__CACHE__MAX_BYTES", "99999999999999999999", "cache.max_bytes: \"99999999999999999999\" is out of range (environment NOLAPSE__CACHE__MAX_BYTES); write a whole number of at least 1048576"),
        ("NOLAPSE__LOG__ACCESS", "yes", "log.access: \"yes\" is not valid (environment NOLAPSE__LOG__ACCESS); write true or false"),
        ("NOLAPSE__LOG__FORMAT", "JSON", "log.format: \"JSON\" is not valid (environment NOLAPSE__LOG__FORMAT); write one of: json, pretty"),
        ("NOLAPSE__LOG__FILTER", "a=b=c", "log.filter: \"a=b=c\" is not valid (environment NOLAPSE__LOG__FILTER); write a level (error, warn, info, debug, trace) or parts such as authority=debug,info"),
        ("DATABASE_URL", "mysql://h/d", "database.url: scheme \"mysql\" is not supported (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "nolapse.db", "database.url: has no scheme (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "sqlite://", "database.url: does not name a file (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "sqlite://a.db?mode=ro", "database.url: has options, which a sqlite URL does not support (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "SQLITE://a.db", "database.url: scheme \"SQLITE\" is not supported (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "http://:secret@h", "database.url: scheme \"http\" is not supported (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "secret@h:5432", "database.url: has no scheme (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("DATABASE_URL", "u:secret@h://x", "database.url: has a scheme that is not supported (environment DATABASE_URL); write sqlite://path/to/file.db or postgres://user@host/database"),
        ("ALLOWED_ORIGINS", "*", "server.allowed_origins: \"*\" is not valid (environment ALLOWED_ORIGINS); write origins without a path, such as https://app.example.com"),
        ("ALLOWED_ORIGINS", "https://a.example,https://b.example/", "server.allowed_origins: \"https://b.example/\" is not valid (environment ALLOWED_ORIGINS); write origins without a path, such as https://app.example.com"),
        ("NOLAPSE__SERVER__TRUSTED_PROXIES", "10.0.0.0/33", "server.trusted_proxies: \"10.0.0.0/33\" is not valid (environment NOLAPSE__SERVER__TRUSTED_PROXIES); write networks such as 10.0.0.0/8 or single addresses"),
        ("NOLAPSE__SERVER__PUBLIC_URL", "tokens.example.com", "server.public_url: \"tokens.example.com\" is not valid (environment NOLAPSE__SERVER__PUBLIC_URL); write an absolute URL without query, such as https://tokens.example.com"),
        ("SERVICE_TOKEN", "short", "sessions.service_token: 5 characters that are not valid (environment SERVICE_TOKEN); use at least 32 visible ASCII characters, for instance from `openssl rand -hex 32`"),
        ("NOLAPSE__KEYS__TAG_KEY", "0x00", "keys.tag_key: 4 characters that are not valid (environment NOLAPSE__KEYS__TAG_KEY); use 64 hexadecimal digits, for instance from `openssl rand -hex 32`"),
        ("NOLAPSE__HASHING__BCRYPT_COST", "9", "hashing.bcrypt_cost: is below 10 (environment NOLAPSE__HASHING__BCRYPT_COST); use at least 10, or set hashing.insecure_test_costs = true for tests"),
        ("NOLAPSE__TOKENS__MAX_GRACE_SECONDS", "60", "tokens.default_grace_seconds: 86400 is more than tokens.max_grace_seconds (60) (default); lower it, or raise tokens.max_grace_seconds"),
        ("NOLAPSE__CACHE__MISS_WAIT_MS", "10001", "cache.miss_wait_ms: 10001 is out of range (environment NOLAPSE__CACHE__MISS_WAIT_MS); write a whole number from 1 to 10000"),
        ("NOLAPSE__CACHE__MISS_WAIT_MS", "1000", ""),
        ("DATABASE_URL", "postgres://u:p@h/d", "keys.tag_key_path: is required with PostgreSQL (default); set keys.tag_key_path to a file where this node can store its key, or give all nodes the same key with keys.tag_key_file"),
        ("NOLAPSE__SERVER__LISTENS", "x", "server.listens: is not a key (environment NOLAPSE__SERVER__LISTENS); did you mean server.listen?"),
        ("NOLAPSE__NONSENSE", "x", "nonsense: is not a key (environment NOLAPSE__NONSENSE); see `nolapse-api reference config` for the keys"),
        ("NOLAPSE_DATABASE_URL", "sqlite://a.db", "database.url: is not a known variable (environment NOLAPSE_DATABASE_URL); use NOLAPSE__DATABASE__URL"),
        ("UNRELATED", "x", ""),
    ];
    for (name, value, expected) in rows {
        let said = problems(&Sources { environment: env(&[(name, value)]), ..Sources::default() }).join("\n");
        assert_eq!(said, expected, "{name}={value}");
    }
}

#[test]
fn mail_that_could_not_be_sent_is_refused_before_anybody_waits_for_it() {
    type Row = &'static [(&'static str, &'static str)];
    const SERVER: (&str, &str) = ("NOLAPSE__MAIL__SERVER", "smtp://mail.example.com:2525");
    const FROM: (&str, &str) = ("NOLAPSE__MAIL__FROM", "nolapse tokens <tokens@example.com>");
    const URL: (&str, &str) = ("NOLAPSE__SERVER__PUBLIC_URL", "https://tokens.example.com");
    const USER: (&str, &str) = ("NOLAPSE__MAIL__USERNAME", "tokens@example.com");
    const PASSWORD: (&str, &str) = ("NOLAPSE__MAIL__PASSWORD", "secret");
    const PLAIN: (&str, &str) = ("NOLAPSE__MAIL__PLAINTEXT", "true");
    let rows: [(Row, &[&str]); 13] = [
        (&[SERVER, FROM, URL], &[]),
        (&[SERVER, FROM, URL, USER, PASSWORD], &[]),
        (&[SERVER, FROM, URL, PLAIN], &[]),
        (&[SERVER], &["mail.from: is needed with mail.server", "server.public_url: is needed with mail.server"]),
        (&[SERVER, FROM, URL, USER], &["mail.password: is needed with mail.username"]),
        (&[SERVER, FROM, URL, PASSWORD], &["mail.username: is needed with mail.password"]),
        (&[SERVER, FROM, URL, USER, PASSWORD, PLAIN], &["mail.plaintext: is set, and mail.username as well"]),
        (&[("NOLAPSE__MAIL__SERVER", "smtps://h"), FROM, URL, PLAIN], &["mail.plaintext: is set, and mail.server has"]),
        (&[FROM], &["mail.server: is needed with mail.from"]),
        (&[("NOLAPSE__MAIL__SERVER", "smtp://u:hunter2@h"), FROM, URL], &["mail.server: \"smtp://"]),
        (&[("NOLAPSE__MAIL__SERVER", "mail.example.com"), FROM, URL], &["mail.server: \"***\" is not valid"]),
        (&[SERVER, ("NOLAPSE__MAIL__FROM", "nobody"), URL], &["mail.from: \"nobody\" is not valid"]),
        (&[SERVER, FROM, URL, ("NOLAPSE__MAIL__KEEP_DAYS", "0")], &["mail.keep_days: 0 is out of range"]),
    ];
    for (set, expected) in rows {
        let said = problems(&Sources { environment: env(set), ..Sources::default() });
        assert_eq!(said.len(), expected.len(), "{set:?}: {said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{set:?}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_file_is_refused_line_by_line_and_all_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = "stray = 1\n[server]\nlisten = 8080\nworkers = \"4\"\nwrokers = 4\n\n[colour]\nred = 1\n[log]\nformat = \"xml\"\naccess = 1.5\n";
    let file = write(dir.path(), "c.toml", text);
    let name = file.display();
    let environment = env(&[("SERVICE_TOKEN", "no"), ("NOLAPSE__LOG__ACCESS", "maybe")]);
    #[rustfmt::skip]
    let expected = [
        format!("colour.red: is not a key ({name}:8); see `nolapse-api reference config` for the keys"),
        format!("log.access: is a decimal number ({name}:11); write true or false"),
        format!("log.format: \"xml\" is not valid ({name}:10); write one of: json, pretty"),
        format!("server.listen: is an integer ({name}:3); write an address and a port, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path/to/socket"),
        format!("server.workers: \"4\" is not valid ({name}:4); write a whole number from 0 to 512"),
        format!("server.wrokers: is not a key ({name}:5); did you mean server.workers?"),
        format!("stray: is not a section ({name}:1); see `nolapse-api reference config` for the keys"),
        "log.access: \"maybe\" is not valid (environment NOLAPSE__LOG__ACCESS); write true or false".to_owned(),
        "sessions.service_token: 2 characters that are not valid (environment SERVICE_TOKEN); use at least 32 visible ASCII characters, for instance from `openssl rand -hex 32`".to_owned(),
    ];
    let mut said = problems(&Sources { file: Some(file.clone()), environment, flags: vec![] });
    said.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(said, expected);

    let broken = write(dir.path(), "broken.toml", "[server\nlisten = \n[log]\nformat = \"xml\"\n");
    let said = problems(&Sources { file: Some(broken), ..Sources::default() });
    assert!(said.len() >= 2 && said.iter().any(|line| line.contains("broken.toml:1")), "{said:?}");

    let missing = problems(&Sources { file: Some(dir.path().join("none.toml")), ..Sources::default() });
    assert!(missing[0].contains("cannot be read"), "{missing:?}");
}

#[test]
fn secrets_come_from_files_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| write(dir.path(), name, text).to_str().unwrap().to_owned();
    let good = path("good", &format!("{TOKEN}\n"));
    let crlf = path("crlf", &format!("{TOKEN}\r\n"));
    let bare = path("bare", TOKEN);
    let two_lines = path("two", &format!("{TOKEN}\n\n"));
    let empty = path("empty", "\n");
    let none = dir.path().join("none").to_str().unwrap().to_owned();
    for file in [&good, &crlf, &bare] {
        let loaded = load(&Sources { environment: env(&[("SERVICE_TOKEN_FILE", file)]), ..Sources::default() });
        let loaded = loaded.map_err(|problems| problems.to_string()).unwrap();
        assert_eq!(loaded.config.sessions.service_token.unwrap().expose(), TOKEN);
    }
    #[rustfmt::skip]
    let rows = [
        (vec![("SERVICE_TOKEN_FILE", two_lines.as_str())], "does not contain a valid value of sessions.service_token"),
        (vec![("SERVICE_TOKEN_FILE", empty.as_str())], "is empty (environment SERVICE_TOKEN_FILE); write sessions.service_token to it"),
        (vec![("SERVICE_TOKEN_FILE", none.as_str())], "cannot be read"),
        (vec![("SERVICE_TOKEN_FILE", good.as_str()), ("SERVICE_TOKEN", TOKEN)], "sessions.service_token_file: is set together with sessions.service_token"),
        (vec![("NOLAPSE__KEYS__TAG_KEY_FILE", good.as_str())], "does not contain a valid value of keys.tag_key"),
        (vec![("DATABASE_URL_FILE", good.as_str())], "does not contain a valid value of database.url"),
    ];
    for (environment, expected) in rows {
        let said = problems(&Sources { environment: env(&environment), ..Sources::default() });
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(expected) && !said[0].contains(TOKEN), "{said:?}");
    }
}

#[test]
fn of_a_secret_and_its_file_the_higher_layer_wins() {
    let dir = tempfile::tempdir().unwrap();
    let url = write(dir.path(), "url", "sqlite://from-file.db\n");
    let file = write(dir.path(), "c.toml", &format!("[database]\nurl_file = {:?}\n", url.to_str().unwrap()));
    let rows =
        [(vec![], "sqlite://from-file.db"), (vec![("DATABASE_URL", "sqlite://direct.db")], "sqlite://direct.db")];
    for (environment, expected) in rows {
        let loaded = load(&Sources { file: Some(file.clone()), environment: env(&environment), flags: vec![] });
        assert_eq!(loaded.map_err(|problems| problems.to_string()).unwrap().config.database.url.expose(), expected);
    }
}

#[test]
fn the_direct_address_of_the_database_counts_unless_a_flag_names_another() {
    const POOLER: &str = "postgres://pooler:6432/tokens";
    const DIRECT: &str = "postgres://primary:5432/tokens";
    let dir = tempfile::tempdir().unwrap();
    let named = write(dir.path(), "direct", &format!("{DIRECT}\n")).to_str().unwrap().to_owned();
    let key = ("NOLAPSE__KEYS__TAG_KEY_PATH", "/k");
    #[rustfmt::skip]
    let rows = [
        (vec![("DATABASE_URL", POOLER)], None, Ok(POOLER)),
        (vec![("DATABASE_URL", POOLER), ("DATABASE_DIRECT_URL", DIRECT)], None, Ok(DIRECT)),
        (vec![("DATABASE_URL", POOLER), ("DATABASE_DIRECT_URL_FILE", named.as_str())], None, Ok(DIRECT)),
        (vec![("DATABASE_URL", POOLER), ("DATABASE_DIRECT_URL", DIRECT)], Some("postgres://other/tokens"), Ok("postgres://other/tokens")),
        (vec![("DATABASE_URL", POOLER), ("DATABASE_DIRECT_URL", DIRECT)], Some("sqlite://a.db"), Ok("sqlite://a.db")),
        (vec![("DATABASE_DIRECT_URL", DIRECT)], None, Err("database.direct_url: is set, and one of it")),
        (vec![("DATABASE_URL", POOLER), ("DATABASE_DIRECT_URL", "sqlite://a.db")], None, Err("database.direct_url: is set, and one of it")),
    ];
    for (mut environment, flag, expected) in rows {
        environment.push(key);
        let flags = flag.map(|url| ("database.url", "--database-url", url.to_owned())).into_iter().collect();
        let loaded = load(&Sources { file: None, environment: env(&environment), flags });
        match expected {
            Ok(url) => {
                let config = loaded.map_err(|problems| problems.to_string()).unwrap().config;
                assert_eq!(crate::assembly::database_url(&config).unwrap().to_string(), url);
            }
            Err(expected) => {
                let said = loaded.err().unwrap().to_string();
                assert!(said.contains(expected), "{said}");
            }
        }
    }
}

#[test]
fn a_secret_file_that_does_not_count_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let named = dir.path().join("none");
    let file = write(dir.path(), "c.toml", &format!("[database]\nurl_file = {:?}\n", named.to_str().unwrap()));
    let url = write(dir.path(), "url", "sqlite://from-file.db\n");
    let rows = [
        (("DATABASE_URL", "sqlite://direct.db"), "environment DATABASE_URL"),
        (("NOLAPSE__DATABASE__URL_FILE", url.to_str().unwrap()), "environment NOLAPSE__DATABASE__URL_FILE"),
    ];
    for (variable, origin) in rows {
        let loaded = load(&Sources { file: Some(file.clone()), environment: env(&[variable]), flags: vec![] });
        assert_eq!(loaded.map_err(|problems| problems.to_string()).unwrap().merged.origin("database.url"), origin);
    }
    let alone = problems(&Sources { file: Some(file.clone()), ..Sources::default() });
    assert!(alone.len() == 1 && alone[0].contains(&format!("({}:2)", file.display())), "{alone:?}");
}

#[test]
fn a_layer_shows_its_keys_and_not_their_values() {
    let layers = read::layers(&Sources { environment: env(&[("SERVICE_TOKEN", TOKEN)]), ..Sources::default() });
    let shown = format!("{layers:?}");
    assert!(shown.contains("sessions.service_token") && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn earlier_keys_are_gathered_from_both_lists() {
    let dir = tempfile::tempdir().unwrap();
    let old = write(dir.path(), "old", &"ab".repeat(32));
    let environment = env(&[
        ("NOLAPSE__KEYS__PREVIOUS_TAG_KEYS", HEX),
        ("NOLAPSE__KEYS__PREVIOUS_TAG_KEY_FILES", old.to_str().unwrap()),
    ]);
    let loaded = load(&Sources { environment, ..Sources::default() }).map_err(|problems| problems.to_string()).unwrap();
    let keys = &loaded.config.keys.previous_tag_keys;
    assert_eq!(keys.len(), 2);
    assert_eq!((keys[0].expose()[1], keys[1].expose()[31]), (0x11, 0xab));
}

#[test]
fn printing_shows_origins_and_no_secret() {
    let secrets =
        [("SERVICE_TOKEN", TOKEN), ("NOLAPSE__KEYS__TAG_KEY", HEX), ("NOLAPSE__KEYS__PREVIOUS_TAG_KEYS", HEX)];
    let urls = [("DATABASE_URL", "postgres://u:hunter2@h/d")];
    let sources = Sources { environment: env(&[secrets.as_slice(), &urls].concat()), ..Sources::default() };
    let loaded = load(&sources).map_err(|problems| problems.to_string()).unwrap();
    let printed = loaded.print();
    for line in [
        "listen = \"127.0.0.1:8080\"  # default",
        "url = \"postgres://u:***@h/d\"  # environment DATABASE_URL",
        "service_token = \"***\"  # environment SERVICE_TOKEN",
        "previous_tag_keys = [\"***\"]  # environment NOLAPSE__KEYS__PREVIOUS_TAG_KEYS",
        "# public_url is unset",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    for text in [printed, format!("{:?}", loaded.config)] {
        assert!(!text.contains("hunter2") && !text.contains(TOKEN) && !text.contains(HEX), "{text}");
    }
    assert!(toml::from_str::<toml::Table>(&loaded.print()).is_ok());
}

#[test]
fn passwords_in_urls_are_masked_in_every_place() {
    let rows = [
        ("postgres://u:p@h/d?sslpassword=q&sslmode=require", "postgres://u:***@h/d?sslpassword=***&sslmode=require"),
        ("postgres://u@h/d", "postgres://u@h/d"),
        ("sqlite:///var/lib/a@b.db", "sqlite:///var/lib/a@b.db"),
        ("postgres://u:p:q@[h/d", "***"),
    ];
    for (url, masked) in rows {
        assert_eq!(mask_url(url), masked);
    }
}

#[test]
fn toml_types_are_not_converted() {
    let rows = [
        (Kind::Bool, Raw::Text("true".into())),
        (Kind::Integer { min: 0, max: 9 }, Raw::Text("1".into())),
        (Kind::Path, Raw::Integer(1)),
        (Kind::Origins, Raw::Text("https://a.example".into())),
        (Kind::Address, Raw::List(vec![])),
    ];
    for (kind, raw) in rows {
        assert!(kind.accept(raw.clone()).is_err(), "{kind:?} {raw:?}");
    }
}

#[test]
fn generated_files_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, text) in
        [("config/default.toml", reference::default_toml()), ("docs/reference/config.md", reference::markdown())]
    {
        let committed = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        assert!(committed == text, "{file} is out of date: run `nolapse-api reference …` and commit it");
    }
    let sources = Sources { file: Some(root.join("config/default.toml")), ..Sources::default() };
    assert_eq!(problems(&sources), Vec::<String>::new());
    let sources = Sources { file: Some(root.join("config/development.toml")), ..Sources::default() };
    assert_eq!(problems(&sources), Vec::<String>::new());
}
