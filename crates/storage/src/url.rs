//! Where the database is: `sqlite://path` or `postgres://…`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};

/// The address of a database, read once. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Target);

/// Which database it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The path of the file.
    Sqlite(PathBuf),
    /// A server.
    PostgreSql(Box<Server>),
}

/// A PostgreSQL server and how to trust it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Everything the driver understands.
    pub(crate) config: tokio_postgres::Config,
    /// How the connection is protected.
    pub(crate) tls: TlsMode,
    /// A file of PEM certificates to trust instead of the public roots.
    pub(crate) root_certificate: Option<PathBuf>,
    /// The address without the password.
    pub(crate) shown: String,
}

/// How a connection to PostgreSQL is protected: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it; the server is not identified.
    Prefer,
    /// Always; the server is not identified.
    Require,
    /// Always, and the server must show a certificate for its name.
    VerifyFull,
}

/// A text that is not the address of a database. Shows nothing of the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("the database URL must start with sqlite:// or postgres://")]
    Scheme,
    /// `sqlite://` without a path.
    #[error("the database URL must name a file: sqlite://nolapse.db, or sqlite:///var/lib/nolapse/nolapse.db")]
    NoFile,
    /// A database in memory, which would forget every token with the process.
    #[error("an in-memory database would lose all tokens at a restart: use a file, for example sqlite://nolapse.db")]
    InMemory,
    /// An SQLite path with a query or fragment.
    #[error("a sqlite:// URL must be a path without options: remove `?` and `#`")]
    SqliteParameters,
    /// PostgreSQL parameters that the driver does not understand.
    #[error("not a PostgreSQL URL: {0}")]
    PostgreSql(String),
    /// A user name or password with a character that ends it.
    #[error("write `@`, `/`, `?` and `%` in the user name and password of database.url as %40, %2F, %3F and %25")]
    Unencoded,
    /// A standby asked for: it may answer with what was revoked a moment ago.
    #[error("target_session_attrs must be read-write or left out: revocations must be read from the primary")]
    ReadOnly,
    /// An option that decides whom to trust is given twice.
    #[error("{0} is given twice: give it once")]
    Repeated(&'static str),
    /// `sslrootcert` without a file.
    #[error("sslrootcert must name a file of certificates")]
    NoRootCertificate,
    /// `sslrootcert` with an `sslmode` that never looks at it.
    #[error("sslrootcert is given with an sslmode that does not use it: use verify-full, or leave one of them out")]
    UnusedRootCertificate,
    /// A parameter whose name is percent-encoded.
    #[error("parameter names must not be percent-encoded")]
    EncodedName,
    /// An `sslmode` that is not supported.
    #[error("sslmode must be disable, prefer, require or verify-full")]
    SslMode,
}

impl DatabaseUrl {
    /// Reads `sqlite://relative/or/absolute/path.db`, `postgres://…` or `postgresql://…`.
    ///
    /// PostgreSQL URLs take libpq's parameters as far as the driver has them, and `sslmode` (`disable`, `prefer`,
    /// `require`, `verify-full`) and `sslrootcert`, each once. With `sslrootcert` the server is identified. Without `sslmode` a server on this machine is asked for TLS but may
    /// decline, and any other must prove its name.
    ///
    /// # Errors
    /// Any other scheme (it is never taken for a file name), a database in memory, parameters that cannot be honoured.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidDatabaseUrl::Scheme)?;
        match scheme {
            "sqlite" => sqlite(rest).map(|path| Self(Target::Sqlite(path))),
            "postgres" | "postgresql" => server(scheme, rest).map(|server| Self(Target::PostgreSql(Box::new(server)))),
            _ => Err(InvalidDatabaseUrl::Scheme),
        }
    }

    /// Whether it is a file of this machine.
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.0, Target::Sqlite(_))
    }

    /// The file, for SQLite.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::PostgreSql(_) => None,
        }
    }

    /// That of an SQLite file.
    pub(crate) fn of_sqlite(path: &Path) -> Self {
        Self(Target::Sqlite(path.to_owned()))
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.0
    }
}

fn sqlite(path: &str) -> Result<PathBuf, InvalidDatabaseUrl> {
    if path.is_empty() {
        return Err(InvalidDatabaseUrl::NoFile);
    }
    if path == ":memory:" || path == "/:memory:" {
        return Err(InvalidDatabaseUrl::InMemory);
    }
    if path.contains(['?', '#']) {
        return Err(InvalidDatabaseUrl::SqliteParameters);
    }
    Ok(PathBuf::from(path))
}

fn server(scheme: &str, rest: &str) -> Result<Server, InvalidDatabaseUrl> {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    if is_cut_short(address, query) {
        return Err(InvalidDatabaseUrl::Unencoded);
    }
    let mut tls = None;
    let mut root_certificate = None;
    let mut others = Vec::new();
    let mut shown_query = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=').unwrap_or((parameter, "")) {
            ("sslmode", mode) => {
                let mode = TlsMode::parse(mode).ok_or(InvalidDatabaseUrl::SslMode)?;
                once(&mut tls, mode, "sslmode")?;
            }
            ("sslrootcert", "") => return Err(InvalidDatabaseUrl::NoRootCertificate),
            ("sslrootcert", file) => once(&mut root_certificate, PathBuf::from(file), "sslrootcert")?,
            // The driver decodes names, so that these would go around what is read here.
            (name, _) if name.contains('%') => return Err(InvalidDatabaseUrl::EncodedName),
            ("password", _) => {
                others.push(parameter);
                continue;
            }
            _ => others.push(parameter),
        }
        shown_query.push(parameter);
    }
    let url = format!("{scheme}://{}", with_query(address, &others));
    let mut config = tokio_postgres::Config::from_str(&url)
        // Only the cause: the driver's own text may quote a value.
        .map_err(|error| InvalidDatabaseUrl::PostgreSql(cause(&error)))?;
    config.application_name("nolapse");
    match config.get_target_session_attrs() {
        // Of several hosts only the primary decides; a standby that answers first is passed over.
        TargetSessionAttrs::Any if config.get_hosts().len() > 1 => {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        TargetSessionAttrs::ReadOnly => return Err(InvalidDatabaseUrl::ReadOnly),
        _ => {}
    }
    if config.get_hosts().len() > 1 && !others.iter().any(|parameter| parameter.starts_with("load_balance_hosts=")) {
        // In any order: the first may be one that does not answer, or whose place another has taken without its knowledge.
        config.load_balance_hosts(LoadBalanceHosts::Random);
    }
    config.keepalives_idle(Duration::from_secs(30));
    let tls = match (tls, root_certificate.is_some()) {
        (None, has_root) => default_tls(&config, has_root),
        // As in libpq a root that is named is used; there it leaves the name unchecked, which protects from nobody whom the same
        // authority certifies.
        (Some(TlsMode::Require | TlsMode::VerifyFull), true) => TlsMode::VerifyFull,
        (Some(TlsMode::Disable | TlsMode::Prefer), true) => return Err(InvalidDatabaseUrl::UnusedRootCertificate),
        (Some(mode), false) => mode,
    };
    let shown = format!("{scheme}://{}", with_query(&without_password(address), &shown_query));
    Ok(Server { config, tls, root_certificate, shown })
}

/// Whether a password was cut where it has a character that means something in a URL. The rest of it would be taken for the
/// name of a host, which is looked up on the network and shown in errors.
fn is_cut_short(address: &str, query: &str) -> bool {
    let (authority, path) = address.split_once('/').unwrap_or((address, ""));
    let goes_on = path.contains('@') || query.contains('@');
    let Some((user, host)) = authority.split_once('@') else {
        // `user:pass/word@host` and `user:pass?word@host`: the text in the port's place is no number, and an `@` follows.
        let port = authority.rsplit(':').next().unwrap_or_default();
        let has_odd_port = authority.contains(':') && !authority.ends_with(']') && port.parse::<u16>().is_err();
        return has_odd_port && goes_on;
    };
    let is_escape = |at: usize| user.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
    host.contains('@') || (host.is_empty() && goes_on) || user.match_indices('%').any(|(at, _)| !is_escape(at))
}

/// Takes an option that decides whom to trust: given twice, it is not known which was meant.
fn once<T>(slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), InvalidDatabaseUrl> {
    if slot.replace(value).is_some() { Err(InvalidDatabaseUrl::Repeated(name)) } else { Ok(()) }
}

fn cause(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| "check its parameters".to_owned(), ToString::to_string)
}

fn with_query(address: &str, parameters: &[&str]) -> String {
    if parameters.is_empty() { address.to_owned() } else { format!("{address}?{}", parameters.join("&")) }
}

/// `user:secret@host/db` → `user:***@host/db`.
fn without_password(address: &str) -> String {
    let authority_end = address.rfind('@');
    match authority_end.map(|at| (&address[..at], &address[at..])) {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***{host}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    }
}

/// What is asked of the server when the URL does not say. Where `hostaddr` is given the connection goes there, whatever the name.
fn default_tls(config: &tokio_postgres::Config, has_root: bool) -> TlsMode {
    let addresses_local = config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    let local = addresses_local
        && config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        });
    if local && !has_root { TlsMode::Prefer } else { TlsMode::VerifyFull }
}

impl TlsMode {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "disable" => Some(Self::Disable),
            "prefer" => Some(Self::Prefer),
            "require" => Some(Self::Require),
            "verify-full" => Some(Self::VerifyFull),
            _ => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        Self::parse(text)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Target::PostgreSql(server) => f.write_str(&server.shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_supported() {
        for (text, path) in
            [("sqlite://a.db", "a.db"), ("sqlite://data/a.db", "data/a.db"), ("sqlite:///var/a.db", "/var/a.db")]
        {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.sqlite_path(), Some(Path::new(path)));
            assert_eq!(url.to_string(), text);
        }
        for text in [
            "postgres://u@localhost/db",
            "postgresql://db.example/x?connect_timeout=3",
            "postgres://a:1,b:2/db",
            "postgres://u:p@a:1,b,[::1]:3/db?target_session_attrs=read-write",
        ] {
            assert!(!DatabaseUrl::parse(text).unwrap().is_sqlite(), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        use InvalidDatabaseUrl as No;
        for (text, why) in [
            ("", No::Scheme),
            ("nolapse.db", No::Scheme),
            ("sqlite:nolapse.db", No::Scheme),
            ("mysql://localhost/db", No::Scheme),
            ("host=localhost port=5432", No::Scheme),
            ("sqlite://", No::NoFile),
            ("sqlite://:memory:", No::InMemory),
            ("sqlite://a.db?mode=memory", No::SqliteParameters),
            ("postgres://localhost/db?sslmode=verify-ca", No::SslMode),
            ("postgres://a,b/db?target_session_attrs=read-only", No::ReadOnly),
            ("postgres://db.example/db?sslmode=verify-full&sslmode=disable", No::Repeated("sslmode")),
            ("postgres://db.example/db?sslmode=require&sslmode=require", No::Repeated("sslmode")),
            ("postgres://db.example/db?sslrootcert=/a.pem&sslrootcert=/b.pem", No::Repeated("sslrootcert")),
            ("postgres://db.example/db?sslmode=disable&sslrootcert=/ca.pem", No::UnusedRootCertificate),
            ("postgres://db.example/db?sslmode=prefer&sslrootcert=/ca.pem", No::UnusedRootCertificate),
            ("postgres://db.example/db?sslrootcert=", No::NoRootCertificate),
            ("postgres://db.example/db?ssl%6Dode=disable", No::EncodedName),
        ] {
            assert_eq!(DatabaseUrl::parse(text), Err(why), "{text}");
        }
        let error = DatabaseUrl::parse("postgres://u:hunter2@localhost/db?nonsense=hunter2").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_password_is_never_shown() {
        for (text, shown) in [
            ("postgres://u:hunter2@h/db", "postgres://u:***@h/db"),
            ("postgres://u:hun%40ter2@h:1/db?sslmode=require", "postgres://u:***@h:1/db?sslmode=require"),
            ("postgres://u@h/db?password=hunter2&sslmode=disable", "postgres://u@h/db?sslmode=disable"),
            ("postgres://h/db", "postgres://h/db"),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_means_something_in_a_url_is_encoded_in_passwords() {
        for (written, meant) in [
            ("p%40ss", "p@ss"),
            ("%3A%2F%3F%23%25", ":/?#%"),
            ("p%C3%A9", "pé"),
            ("p:#!$&'()*+,;=-._~", "p:#!$&'()*+,;=-._~"),
        ] {
            for host in ["h", "h:1", "a:1,[::1]:2"] {
                let url = DatabaseUrl::parse(&format!("postgres://us%40er:{written}@{host}/db")).unwrap();
                let Target::PostgreSql(server) = url.target() else { panic!("{written}") };
                assert_eq!(server.config.get_password(), Some(meant.as_bytes()), "{written}");
                assert_eq!(server.config.get_user(), Some("us@er"));
                assert_eq!(server.config.get_dbname(), Some("db"));
            }
        }
        for password in ["hun@ter2", "hun/ter2", "hun?ter2", "hun%ter2", "hun%4", "h@/?#ter2"] {
            let error = DatabaseUrl::parse(&format!("postgres://u:{password}@h/db")).unwrap_err();
            assert_eq!(error, InvalidDatabaseUrl::Unencoded, "{password}");
            assert!(!error.to_string().contains("ter2"));
        }
    }

    #[test]
    fn a_server_elsewhere_must_prove_its_name_unless_told_otherwise() {
        for (text, tls) in [
            ("postgres://localhost/db", TlsMode::Prefer),
            ("postgres://127.0.0.1/db", TlsMode::Prefer),
            ("postgres://[::1]/db", TlsMode::Prefer),
            ("postgres://db.example/db", TlsMode::VerifyFull),
            ("postgres://localhost,db.example/db", TlsMode::VerifyFull),
            ("postgres://localhost/db?sslrootcert=/ca.pem", TlsMode::VerifyFull),
            ("postgres://localhost/db?hostaddr=192.0.2.1", TlsMode::VerifyFull),
            ("postgres://localhost/db?hostaddr=127.0.0.1", TlsMode::Prefer),
            ("postgres://db.example/db?sslmode=require&sslrootcert=/ca.pem", TlsMode::VerifyFull),
            ("postgres://db.example/db?sslmode=disable", TlsMode::Disable),
            ("postgres://db.example/db?sslmode=require", TlsMode::Require),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            let Target::PostgreSql(server) = url.target() else { panic!("{text}") };
            assert_eq!(server.tls, tls, "{text}");
        }
    }
}
