//! Where Redis is: one server, or the sentinels that know which of several it is at the moment.

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, RedisError,
    TlsCertificates,
};
use std::time::Duration;

/// The scheme of an address by sentinels.
const SENTINEL: &str = "redis+sentinel://";
/// Where sentinels listen if nothing else is said.
const SENTINEL_PORT: u16 = 26_379;
/// How long a connection, or an answer that nobody waits for, may take.
const ANSWER: Duration = Duration::from_secs(1);

/// Why an address cannot be used. Never holds the address, which may have a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedisUrl {
    /// It is none of the forms.
    #[error(
        "redis.url must be redis://host:6379, rediss://host:6379 (TLS), unix:///path/to/socket, or \
         redis+sentinel://host:26379,host:26379/<master>, with user:password@ before the host and /<database> at the end if need be"
    )]
    Form,
    /// A certificate for a connection without TLS.
    #[error("redis.ca_file is set, but redis.url has no TLS: use rediss://, or unset it")]
    NoTls,
    /// The file holds no certificate.
    #[error("redis.ca_file holds no certificate that can be read (PEM)")]
    Certificate,
}

/// An address of Redis.
#[derive(Clone)]
pub(super) enum Address {
    Server(Client),
    Sentinels { clients: Vec<Client>, master: String, settings: RedisConnectionInfo },
}

impl Address {
    /// Reads an address. `certificates`: the authorities that sign the server's certificate, in PEM; those of the web if not given.
    pub(super) fn parse(url: &str, certificates: Option<Vec<u8>>) -> Result<Self, InvalidRedisUrl> {
        if url.contains('#') {
            // What comes behind it would turn the check of certificates off.
            return Err(InvalidRedisUrl::Form);
        }
        if let Some(rest) = url.strip_prefix(SENTINEL) {
            return if certificates.is_some() { Err(InvalidRedisUrl::NoTls) } else { Self::by_sentinels(rest) };
        }
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        match (scheme, certificates) {
            (Some("rediss"), Some(certificates)) if !has_certificate(&certificates) => {
                Err(InvalidRedisUrl::Certificate)
            }
            (Some("rediss"), certificates) => {
                let of_file = certificates.is_some();
                let tls = TlsCertificates { client_tls: None, root_cert: certificates };
                let wrong = if of_file { InvalidRedisUrl::Certificate } else { InvalidRedisUrl::Form };
                open(url)?;
                Client::build_with_tls(url, tls).map(Self::Server).map_err(|_| wrong)
            }
            (Some("redis" | "unix"), None) => open(url).map(Self::Server),
            (Some("redis" | "unix"), Some(_)) => Err(InvalidRedisUrl::NoTls),
            _ => Err(InvalidRedisUrl::Form),
        }
    }

    /// Reads `[user:password@]host[:port],…/master[/database]`. Sentinels are asked without a password.
    fn by_sentinels(rest: &str) -> Result<Self, InvalidRedisUrl> {
        let (authority, path) = rest.split_once('/').ok_or(InvalidRedisUrl::Form)?;
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let (master, database) = path.split_once('/').unwrap_or((path, ""));
        if master.is_empty() || master.contains(['?', '/']) || database.contains('/') {
            return Err(InvalidRedisUrl::Form);
        }
        let at = if user.is_empty() { "" } else { "@" };
        let settings =
            open(&format!("redis://{user}{at}localhost/{database}"))?.get_connection_info().redis_settings().clone();
        let client = |host: &str| {
            let has_port = host
                .rsplit_once(':')
                .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
            let port = if has_port { String::new() } else { format!(":{SENTINEL_PORT}") };
            if host.is_empty() { Err(InvalidRedisUrl::Form) } else { open(&format!("redis://{host}{port}")) }
        };
        let clients = hosts.split(',').map(client).collect::<Result<_, _>>()?;
        Ok(Self::Sentinels { clients, master: master.to_owned(), settings })
    }

    /// The server that is to be used at this moment.
    pub(super) async fn server(&self) -> Result<Client, RedisError> {
        let (clients, master, settings) = match self {
            Self::Server(client) => return Ok(client.clone()),
            Self::Sentinels { clients, master, settings } => (clients, master, settings),
        };
        let mut last = None;
        for client in clients {
            match ask_sentinel(client, master).await {
                Ok(Some((host, port))) => {
                    let info = ConnectionAddr::Tcp(host, port).into_connection_info()?;
                    return Client::open(info.set_redis_settings(settings.clone()));
                }
                Ok(None) => {}
                Err(error) => last = Some(error),
            }
        }
        let unknown = || RedisError::from((redis::ErrorKind::Client, "no sentinel knows the master of that name"));
        Err(last.unwrap_or_else(unknown))
    }

    /// Whether a server is known by sentinels, and so may become another's replica.
    pub(super) const fn may_move(&self) -> bool {
        matches!(self, Self::Sentinels { .. })
    }
}

async fn ask_sentinel(client: &Client, master: &str) -> Result<Option<(String, u16)>, RedisError> {
    let mut connection = client.get_multiplexed_async_connection_with_config(&limits()).await?;
    redis::cmd("SENTINEL").arg("get-master-addr-by-name").arg(master).query_async(&mut connection).await
}

/// A connection that answers.
pub(super) async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    client.get_multiplexed_async_connection_with_config(&limits()).await
}

fn limits() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER))
}

/// Whether a text in PEM has any. One without would have every server refused, long after the start.
fn has_certificate(pem: &[u8]) -> bool {
    String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----")
}

fn open(url: &str) -> Result<Client, InvalidRedisUrl> {
    Client::open(url).map_err(|_| InvalidRedisUrl::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_an_address() {
        for url in [
            "redis://localhost",
            "redis://127.0.0.1:6380/2",
            "redis://:word@localhost:6379",
            "redis://user:p%40ss@[::1]:6379/0",
            "rediss://cache.example:6380",
            "unix:///run/redis/redis.sock",
            "redis+sentinel://a/main",
            "redis+sentinel://user:word@a:1,b,c:3/main/2",
        ] {
            assert!(Address::parse(url, None).is_ok(), "{url}");
        }
        for url in [
            "",
            "localhost",
            "http://localhost",
            "redis://localhost/x",
            "rediss://cache.example/#insecure",
            "redis+sentinel://a",
            "redis+sentinel://a/",
            "redis+sentinel://a,,b/main",
            "redis+sentinel://a/main/x",
            "redis+sentinel://a/main/1/2",
        ] {
            assert_eq!(Address::parse(url, None).err(), Some(InvalidRedisUrl::Form), "{url}");
        }
    }

    #[test]
    fn sentinels_are_asked_at_their_own_ports_and_the_master_gets_the_password() {
        let parsed = Address::parse("redis+sentinel://user:word@a:1,b,[::1]/main/2", None);
        let Ok(Address::Sentinels { clients, master, settings }) = parsed else { panic!() };
        let places: Vec<String> =
            clients.iter().map(|client| client.get_connection_info().addr().to_string()).collect();
        assert_eq!(places, ["a:1", "b:26379", "::1:26379"]);
        assert!(clients.iter().all(|client| client.get_connection_info().redis_settings().password().is_none()));
        assert_eq!(
            (master.as_str(), settings.username(), settings.password(), settings.db()),
            ("main", Some("user"), Some("word"), 2)
        );
    }

    #[test]
    fn certificates_go_with_tls_alone_and_have_to_be_some() {
        let parse = |url: &str| Address::parse(url, Some(b"no certificate".to_vec())).err();
        assert_eq!(parse("redis://localhost"), Some(InvalidRedisUrl::NoTls));
        assert_eq!(parse("redis+sentinel://a/main"), Some(InvalidRedisUrl::NoTls));
        assert_eq!(parse("rediss://cache.example"), Some(InvalidRedisUrl::Certificate));
    }
}
