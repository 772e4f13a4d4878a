//! The description of a configuration key: its path, the kind of value it takes, its default and its meaning.
//!
//! **Invariant:** only the kind decides whether a text is a valid value; nothing later in the program refuses it.

use ::config::ValueKind;
use ipnet::IpNet;
use url::Url;

use authority::legacy::LegacyShape;
use edge::listen::Listen;
use token_domain::text::Slug;

/// One configuration key. The table of all of them is [`super::keys::KEYS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Dotted path, `section.name`; the environment name is made from it, see [`Key::env`].
    pub(crate) path: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// The default as a TOML literal; `None` if the key may be unset.
    pub(crate) default: Option<&'static str>,
    /// A conventional environment name accepted beside the systematic one.
    pub(crate) alias: Option<&'static str>,
    /// What it does, in one or two sentences for the operator.
    pub(crate) meaning: &'static str,
}

impl Key {
    /// The section before the dot.
    pub(crate) fn section(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(section, _)| section)
    }

    /// The name after the dot.
    pub(crate) fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// The systematic environment name: `NOLAPSE__SECTION__NAME`.
    pub(crate) fn env(&self) -> String {
        format!("NOLAPSE__{}__{}", self.section().to_uppercase(), self.name().to_uppercase())
    }
}

/// The kinds of value, each with what it accepts. Lists are comma-separated in the environment and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number within both bounds, inclusive. The unit is in the key's name.
    Integer {
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Where to listen: `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
    Address,
    /// A path on this machine.
    Path,
    /// Several paths.
    Paths,
    /// `sqlite://…`, `postgres://…` or `postgresql://…`. May hold a password: printed with it masked.
    DatabaseUrl,
    /// Where Redis is: `redis://…`, `rediss://…`, `unix://…` or `redis+sentinel://…`. Never printed.
    RedisUrl,
    /// An absolute `http(s)` URL without query or fragment.
    HttpUrl,
    /// A mail server: `smtp://host:port` or `smtps://host:port`, and nothing else.
    MailServer,
    /// A mail address, with a name before it or not.
    Mailbox,
    /// A text of visible ASCII characters.
    Visible,
    /// The slug of an organisation.
    Slug,
    /// Web origins, `https://app.example.com`, with no path.
    Origins,
    /// Networks, `10.0.0.0/8`, or single addresses.
    Networks,
    /// Formats of other systems' keys.
    Shapes,
    /// A `tracing` filter: a level, or `target=level` parts separated by commas.
    Filter,
    /// A shared secret of at least this many visible ASCII characters. Never printed.
    Secret(usize),
    /// A key of 32 bytes as 64 hexadecimal digits. Never printed.
    HexKey,
    /// Several such keys. Never printed.
    HexKeys,
}

/// A value from a layer, before its kind has validated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// A text from the environment, a flag or a secret file, without a type.
    Untyped(String),
    /// A TOML string.
    Text(String),
    /// A TOML boolean.
    Bool(bool),
    /// A TOML integer; one outside of `u64` is [`Raw::Other`].
    Integer(u64),
    /// A TOML array of strings.
    List(Vec<String>),
    /// Any other value; the text names its TOML type.
    Other(&'static str),
}

/// Why a kind refuses a value. `wrong` never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong with it.
    pub(crate) wrong: String,
    /// What would be right.
    pub(crate) right: String,
}

impl Kind {
    /// Whether values must never be printed at all.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret(_) | Self::HexKey | Self::HexKeys | Self::RedisUrl)
    }

    /// Whether values are lists.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Paths | Self::Origins | Self::Networks | Self::Shapes | Self::HexKeys)
    }

    /// Its description in the reference page.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Integer { min, max: u64::MAX } => format!("integer, at least {min}"),
            Self::Integer { min, max } => format!("integer, {min} to {max}"),
            Self::Choice(words) => words.join(" \\| "),
            Self::Address => "address:port or unix:path".into(),
            Self::Path => "path".into(),
            Self::Paths => "list of paths".into(),
            Self::DatabaseUrl => "URL, `sqlite://` or `postgres://`".into(),
            Self::RedisUrl => "secret, URL: `redis://`, `rediss://`, `unix://` or `redis+sentinel://`".into(),
            Self::HttpUrl => "URL, `http://` or `https://`".into(),
            Self::MailServer => "URL, `smtps://` or `smtp://`".into(),
            Self::Mailbox => "mail address".into(),
            Self::Visible => "text".into(),
            Self::Slug => "slug".into(),
            Self::Origins => "list of web origins".into(),
            Self::Networks => "list of networks".into(),
            Self::Shapes => "list of key formats".into(),
            Self::Filter => "log filter".into(),
            Self::Secret(1) => "secret".into(),
            Self::Secret(min) => format!("secret, at least {min} characters"),
            Self::HexKey => "secret, 64 hexadecimal digits".into(),
            Self::HexKeys => "list of secrets, 64 hexadecimal digits each".into(),
        }
    }

    /// Validates a value; the result is a boolean, a `u64`, a string or an array of strings.
    pub(crate) fn accept(self, raw: Raw) -> Result<ValueKind, Refusal> {
        match self {
            Self::Bool => self.accept_bool(&raw),
            Self::Integer { min, max } => self.accept_integer(&raw, min, max),
            _ if self.is_list() => {
                let items = match raw {
                    Raw::List(items) => items,
                    Raw::Untyped(text) => split_list(&text),
                    other => return Err(self.refuse(self.mistyped(&other))),
                };
                items.iter().try_for_each(|item| self.judge(item))?;
                Ok(ValueKind::from(items))
            }
            _ => match raw {
                Raw::Text(text) | Raw::Untyped(text) => self.judge(&text).map(|()| ValueKind::String(text)),
                other => Err(self.refuse(self.mistyped(&other))),
            },
        }
    }

    fn accept_bool(self, raw: &Raw) -> Result<ValueKind, Refusal> {
        match raw {
            Raw::Bool(flag) => Ok(ValueKind::Boolean(*flag)),
            Raw::Untyped(text) if text == "true" => Ok(ValueKind::Boolean(true)),
            Raw::Untyped(text) if text == "false" => Ok(ValueKind::Boolean(false)),
            other => Err(self.refuse(self.mistyped(other))),
        }
    }

    fn accept_integer(self, raw: &Raw, min: u64, max: u64) -> Result<ValueKind, Refusal> {
        let number = match raw {
            Raw::Integer(number) => *number,
            Raw::Untyped(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map_err(|_| self.refuse(format!("{} is out of range", show(text))))?
            }
            other => return Err(self.refuse(self.mistyped(other))),
        };
        if (min..=max).contains(&number) {
            Ok(ValueKind::U64(number))
        } else {
            Err(self.refuse(format!("{number} is out of range")))
        }
    }

    /// Validates one text, or one item of a list.
    fn judge(self, text: &str) -> Result<(), Refusal> {
        let good = match self {
            // Unreachable: these values are not texts.
            Self::Bool | Self::Integer { .. } => false,
            Self::Choice(words) => words.contains(&text),
            Self::Address => text.parse::<Listen>().is_ok(),
            Self::Path | Self::Paths => !text.is_empty() && !text.contains('\0'),
            Self::DatabaseUrl => return judge_database_url(text).map_err(|wrong| self.refuse(wrong)),
            Self::RedisUrl => is_redis(text),
            Self::HttpUrl => is_web_url(text),
            Self::MailServer => is_mail_server(text),
            Self::Mailbox => text.parse::<lettre::message::Mailbox>().is_ok(),
            Self::Visible => is_visible(text),
            Self::Slug => Slug::parse(text).is_ok(),
            Self::Origins => is_origin(text),
            Self::Networks => parse_network(text).is_some(),
            Self::Shapes => {
                return LegacyShape::parse(text)
                    .map(drop)
                    .map_err(|error| self.refuse(format!("{}: {error}", show(text))));
            }
            Self::Filter => !text.is_empty() && text.parse::<tracing_subscriber::filter::Targets>().is_ok(),
            Self::Secret(min) => text.len() >= min && is_visible(text),
            Self::HexKey | Self::HexKeys => text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        };
        if good { Ok(()) } else { Err(self.refuse(self.unfit(text))) }
    }

    fn refuse(self, wrong: String) -> Refusal {
        let right = match self {
            Self::Bool => "write true or false".to_owned(),
            Self::Integer { min, max: u64::MAX } => format!("write a whole number of at least {min}"),
            Self::Integer { min, max } => format!("write a whole number from {min} to {max}"),
            Self::Choice(words) => format!("write one of: {}", words.join(", ")),
            Self::Address => {
                "write an address and a port, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path/to/socket".into()
            }
            Self::Path => "write a path".into(),
            Self::Paths => "write a list of paths".into(),
            Self::DatabaseUrl => "write sqlite://path/to/file.db or postgres://user@host/database".into(),
            Self::RedisUrl => "write redis://host:6379, rediss://host:6379 (TLS), unix:///path/to/socket, or redis+sentinel://host:26379,host:26379/<master>, with user:password@ before the host and /<database> at the end if need be".into(),
            Self::HttpUrl => "write an absolute URL without query, such as https://tokens.example.com".into(),
            Self::MailServer => "write smtps://mail.example.com or smtp://mail.example.com:587; the user and the password have keys of their own".into(),
            Self::Mailbox => "write an address, such as tokens@example.com or nolapse tokens <tokens@example.com>".into(),
            Self::Visible => "write visible ASCII characters".into(),
            Self::Slug => "write the slug of an organisation, such as acme-operations".into(),
            Self::Origins => "write origins without a path, such as https://app.example.com".into(),
            Self::Shapes => "write formats such as prefix=sk_ alphabet=alnum length=24-64".into(),
            Self::Networks => "write networks such as 10.0.0.0/8 or single addresses".into(),
            Self::Filter => {
                "write a level (error, warn, info, debug, trace) or parts such as authority=debug,info".into()
            }
            Self::Secret(1) => "use visible ASCII characters".into(),
            Self::Secret(min) => {
                format!("use at least {min} visible ASCII characters, for instance from `openssl rand -hex 32`")
            }
            Self::HexKey => "use 64 hexadecimal digits, for instance from `openssl rand -hex 32`".into(),
            Self::HexKeys => "use 64 hexadecimal digits for each, for instance from `openssl rand -hex 32`".into(),
        };
        Refusal { wrong, right }
    }

    /// What is wrong with a text of the right type; secrets are described, never shown.
    fn unfit(self, text: &str) -> String {
        if text.is_empty() {
            "is empty".into()
        } else if self.is_secret() {
            format!("{} characters that are not valid", text.chars().count())
        } else if self == Self::MailServer {
            format!("{} is not valid", show(&mask_url(text)))
        } else {
            format!("{} is not valid", show(text))
        }
    }

    fn mistyped(self, raw: &Raw) -> String {
        match raw {
            Raw::Untyped(text) | Raw::Text(text) => self.unfit(text),
            Raw::Bool(_) => "is a boolean".into(),
            Raw::Integer(_) => "is an integer".into(),
            Raw::List(_) => "is a list".into(),
            Raw::Other(kind) => format!("is {kind}"),
        }
    }
}

/// A network, or a single address as the network that holds only it.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// Masks the password of a URL, and parameters that contain one. A text that is not a URL is masked whole.
pub(crate) fn mask_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "***".to_owned() };
    if url.scheme() == "sqlite" {
        return text.to_owned();
    }
    // `set_password` fails only for URLs that cannot have a password.
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return format!("{}://***", url.scheme());
    }
    let secret = |name: &str| name.to_ascii_lowercase().contains("password");
    if url.query_pairs().any(|(name, _)| secret(&name)) {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| (name.to_string(), if secret(&name) { "***".to_owned() } else { value.to_string() }))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.to_string()
}

fn judge_database_url(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("has no scheme".into());
    };
    match scheme {
        "sqlite" if rest.is_empty() => Err("does not name a file".into()),
        "sqlite" if rest.contains(['?', '#', '\0']) => Err("has options, which a sqlite URL does not support".into()),
        "sqlite" => Ok(()),
        "postgres" | "postgresql" => judge_servers(scheme, rest),
        other => Err(unknown_scheme(other)),
    }
}

/// Validates a PostgreSQL URL with several servers, `postgres://user@a:1,b:2/db`, which URL parsers refuse: once for
/// each server, as if it were the only one.
fn judge_servers(scheme: &str, rest: &str) -> Result<(), String> {
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let hosts_begin = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, hosts) = authority.split_at(hosts_begin);
    for host in hosts.split(',') {
        Url::parse(&format!("{scheme}://{user}{host}{path}")).map_err(|error| format!("is not a URL ({error})"))?;
    }
    Ok(())
}

/// Shows an unknown scheme only if it has a scheme's form: the text before `://` in a malformed URL may be a password.
fn unknown_scheme(scheme: &str) -> String {
    let plausible = scheme.len() <= 12 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    if plausible {
        format!("scheme {} is not supported", show(scheme))
    } else {
        "has a scheme that is not supported".into()
    }
}

/// By sentinels, several hosts and the name of a master: judged host by host. A fragment would switch checks of certificates off.
fn is_redis(text: &str) -> bool {
    let is_number = |text: &str| text.is_empty() || text.parse::<u32>().is_ok();
    let is_server = |url: &str| {
        Url::parse(url).is_ok_and(|url| {
            let has_host = url.host_str().is_some_and(|host| !host.is_empty());
            has_host && url.query().is_none() && url.port() != Some(0) && is_number(url.path().trim_start_matches('/'))
        })
    };
    if text.contains('#') {
        return false;
    }
    if let Some(path) = text.strip_prefix("unix://") {
        return path.starts_with('/');
    }
    let Some(rest) = text.strip_prefix("redis+sentinel://") else {
        return ["redis://", "rediss://"].iter().any(|scheme| text.starts_with(scheme)) && is_server(text);
    };
    let Some((authority, path)) = rest.split_once('/') else { return false };
    let (user, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    let (master, database) = path.split_once('/').unwrap_or((path, ""));
    let is_named = !master.is_empty() && !master.contains('?') && is_number(database);
    is_named && hosts.split(',').all(|host| is_server(&format!("redis://{user}{}", host.trim_start_matches('@'))))
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// A password in the URL is refused, because it would be shown: it has a key of its own.
fn is_mail_server(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "smtp" | "smtps")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.port() != Some(0)
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text has exactly the form that browsers send in `Origin`. Origins are compared as texts, so an entry with
/// a trailing slash or an upper-case host would never match.
fn is_origin(text: &str) -> bool {
    is_web_url(text) && Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Quotes a value for a message: escaped, and cut after 60 characters.
fn show(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("{:?}", cut + "…") } else { format!("{cut:?}") }
}
