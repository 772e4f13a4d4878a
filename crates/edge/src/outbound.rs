//! Requests of this service to other servers: few, small, and only to permitted addresses.
//!
//! A URL comes from an operator, from a stranger's token, or from a document of another server. So each request is
//! bounded in time and size, no redirect is followed, and all addresses that the host resolves to are checked before a
//! connection is made. The check runs in the resolver of the connection itself, so the name cannot resolve differently
//! in between. Private networks are closed unless the operator opens them; without TLS only those opened networks can
//! be reached.
//!
//! `ureq` on threads for blocking work, rather than an asynchronous client: these requests are rare, `ureq` is linked
//! for the command line anyway, and its resolver can be replaced.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use data_encoding::BASE64;
use ipnet::IpNet;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{Method, Request, StatusCode, Uri, header};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

/// The deadline of one request.
const DEADLINE: Duration = Duration::from_secs(10);

/// Makes requests to other servers.
#[derive(Clone, Debug)]
pub struct Outbound {
    agent: Agent,
    reaches_private_networks: bool,
}

/// A request to another server.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The URL.
    pub url: &'a Url,
    /// The longest answer in bytes.
    pub most: u64,
    /// Sent as `If-None-Match`.
    pub etag: Option<&'a str>,
    /// Sent as `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The JSON body of a `PATCH`; `None` for a `GET`.
    pub patch: Option<&'a str>,
    /// The form of a `POST`; `None` for a `GET`.
    pub form: Option<Form<'a>>,
}

/// A form to post.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The fields, encoded.
    pub body: &'a str,
    /// Sent as `Authorization: Basic`: name and password with a colon between them, each form-encoded (RFC 6749 §2.3.1).
    pub basic: Option<&'a str>,
}

/// Without the fields and the password, which may be secret.
impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form(…)")
    }
}

impl<'a> Call<'a> {
    /// Gets a document of at most `most` bytes.
    pub const fn get(url: &'a Url, most: u64) -> Self {
        Self { url, most, etag: None, bearer: None, patch: None, form: None }
    }
}

/// A message to another server, of whose answer only the status is read.
#[derive(Clone, Debug)]
pub struct Post<'a> {
    /// The URL.
    pub url: &'a Url,
    /// Headers beside those of the JSON body.
    pub headers: &'a [(&'static str, &'a str)],
    /// The JSON body.
    pub json: String,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// The document.
    Document {
        /// Its bytes.
        body: Vec<u8>,
        /// The document's `ETag`, for the next request.
        etag: Option<String>,
    },
    /// 304: the document is the one with the `ETag` that was sent.
    Unchanged,
}

/// Why there is no document. For the log only, because it may name addresses of private networks.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The host resolves to a forbidden address.
    #[error("{0} is not an allowed address; private networks can be allowed with outbound.allowed_networks")]
    Forbidden(IpAddr),
    /// A status other than 200 and 304, redirects included.
    #[error("the server answered {0}")]
    Status(u16),
    /// No connection, no answer in time, or an answer that is too long.
    #[error(transparent)]
    Failed(Box<ureq::Error>),
    /// The runtime is stopping.
    #[error("the request timed out or was cancelled")]
    Stopped,
}

/// A resolver that fails for forbidden addresses.
#[derive(Debug)]
struct Guarded {
    /// Private networks that the operator opened.
    allowed: Vec<IpNet>,
}

/// Carries the forbidden address through the client's error type.
#[derive(Debug, thiserror::Error)]
#[error("{0} may not be connected to")]
struct ForbiddenAddress(IpAddr);

impl Outbound {
    /// Permits public addresses with TLS, and these networks with or without TLS.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self::within(DEADLINE, allowed)
    }

    /// As [`Outbound::new`], with this deadline for one request.
    pub fn within(deadline: Duration, allowed: Vec<IpNet>) -> Self {
        let config = Config::builder()
            .timeout_global(Some(deadline))
            .max_redirects(0)
            .http_status_as_error(false)
            // A proxy from the environment would connect to addresses that were not checked here.
            .proxy(None)
            .user_agent("nolapse-api")
            .build();
        let reaches_private_networks = !allowed.is_empty();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Guarded { allowed });
        Self { agent, reaches_private_networks }
    }

    /// Whether the operator opened private networks. Otherwise every request needs TLS.
    pub const fn reaches_private_networks(&self) -> bool {
        self.reaches_private_networks
    }

    /// Sends a request.
    ///
    /// # Errors
    /// A forbidden address, no usable answer, or a runtime that is stopping.
    pub async fn send(&self, call: &Call<'_>) -> Result<Got, OutboundError> {
        let Call { url, most, etag, bearer, patch, form } = *call;
        let mut request = Request::builder().uri(url.as_str()).header(header::ACCEPT, "application/json");
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let (method, body) = match (form, patch) {
            (Some(form), _) => (Method::POST, Some(form.body)),
            (None, Some(patch)) => (Method::PATCH, Some(patch)),
            (None, None) => (Method::GET, None),
        };
        if let Some(form) = form {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            if let Some(basic) = form.basic {
                request = request.header(header::AUTHORIZATION, format!("Basic {}", BASE64.encode(basic.as_bytes())));
            }
        }
        let request = request.method(method).body(body.unwrap_or_default().to_owned());
        let request = request.map_err(|error| failed(error.into()))?;
        let (agent, has_body) = (self.agent.clone(), body.is_some());
        let work = tokio::task::spawn_blocking(move || {
            let sent = if has_body { agent.run(request) } else { agent.run(request.map(drop)) };
            let mut response = sent.map_err(failed)?;
            match response.status() {
                StatusCode::NOT_MODIFIED => return Ok(Got::Unchanged),
                StatusCode::OK => {}
                other => return Err(OutboundError::Status(other.as_u16())),
            }
            let etag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let body = response.body_mut().with_config().limit(most).read_to_vec().map_err(failed)?;
            Ok(Got::Document { body, etag })
        });
        work.await.map_err(|_| OutboundError::Stopped)?
    }

    /// Sends a message; the status of the answer, whatever it is. A redirect is not followed, and the body of the answer is not
    /// read: the connection is closed instead.
    ///
    /// # Errors
    /// A forbidden address, no answer, or a runtime that is stopping.
    pub async fn post(&self, post: Post<'_>) -> Result<u16, OutboundError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(post.url.as_str())
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in post.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(post.json).map_err(|error| failed(error.into()))?;
        let agent = self.agent.clone();
        let work = tokio::task::spawn_blocking(move || agent.run(request).map(|response| response.status().as_u16()));
        work.await.map_err(|_| OutboundError::Stopped)?.map_err(failed)
    }
}

fn failed(error: ureq::Error) -> OutboundError {
    if let ureq::Error::Io(io) = &error
        && let Some(ForbiddenAddress(address)) = io.get_ref().and_then(|inner| inner.downcast_ref())
    {
        return OutboundError::Forbidden(*address);
    }
    OutboundError::Failed(Box::new(error))
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let is_secure = uri.scheme_str() == Some("https");
        // All addresses have to be permitted, because the client tries one after the other.
        match found.iter().map(SocketAddr::ip).find(|address| !self.may_reach(*address, is_secure)) {
            Some(address) => Err(ureq::Error::Io(io::Error::other(ForbiddenAddress(address)))),
            None => Ok(found),
        }
    }
}

impl Guarded {
    fn may_reach(&self, address: IpAddr, is_secure: bool) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_secure && is_public(address)
    }
}

/// Whether an address is globally reachable (the registries of RFC 6890) and no tunnel to an embedded IPv4 address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = match first {
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&second),
        169 => second == 254,
        172 => (16..32).contains(&second),
        192 => second == 168 || (second == 0 && (third == 0 || third == 2)) || (second == 88 && third == 99),
        198 => second == 18 || second == 19 || (second == 51 && third == 100),
        203 => second == 0 && third == 113,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Global unicast is 2000::/3, except for its ranges for tunnels with an IPv4 address, documentation and benchmarks.
    let is_global = segments[0] & 0xe000 == 0x2000;
    let is_special = match segments[0] {
        0x2001 => segments[1] < 0x200 || segments[1] == 0xdb8,
        0x2002 => true,
        0x3fff => segments[1] < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let rows = [
            (
                true,
                vec![
                    "1.1.1.1",
                    "9.255.255.255",
                    "100.63.0.1",
                    "100.128.0.1",
                    "172.15.0.1",
                    "172.32.0.1",
                    "192.0.1.1",
                    "2606:4700::1111",
                ],
            ),
            (
                false,
                vec![
                    "0.0.0.0",
                    "10.0.0.1",
                    "100.64.0.1",
                    "127.0.0.1",
                    "169.254.169.254",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.0.0.1",
                    "192.0.2.1",
                    "192.88.99.1",
                    "192.168.1.1",
                    "198.18.0.1",
                    "198.51.100.1",
                    "203.0.113.1",
                    "224.0.0.1",
                    "255.255.255.255",
                    "::",
                    "::1",
                    "fe80::1",
                    "fc00::1",
                    "fd12::1",
                    "ff02::1",
                    "64:ff9b::7f00:1",
                    "2001:db8::1",
                    "2001::1",
                    "2002:7f00:1::",
                    "3fff::1",
                ],
            ),
        ];
        for (expected, addresses) in rows {
            for address in addresses {
                assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[test]
    fn private_networks_are_opened_by_the_operator_alone_and_plain_text_with_them() {
        let guarded = Guarded { allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        let rows = [
            ("10.1.2.3", true, true),
            ("10.1.2.3", false, true),
            ("::ffff:10.1.2.3", false, true),
            ("10.2.2.3", true, false),
            ("::ffff:127.0.0.1", true, false),
            ("1.1.1.1", true, true),
            ("1.1.1.1", false, false),
        ];
        for (address, is_secure, expected) in rows {
            assert_eq!(guarded.may_reach(address.parse().unwrap(), is_secure), expected, "{address} {is_secure}");
        }
    }

    /// Starts a server that answers every request with these bytes; returns its port and its count of connections.
    fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, count) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&count);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (port, count)
    }

    #[tokio::test]
    async fn an_address_that_is_closed_is_never_connected_to() {
        let (port, count) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1"] {
            for scheme in ["http", "https"] {
                let Ok(url) = Url::parse(&format!("{scheme}://{host}:{port}/")) else { continue };
                let refused = Outbound::new(vec!["10.0.0.0/8".parse().unwrap()]).send(&Call::get(&url, 100)).await;
                assert!(matches!(refused, Err(OutboundError::Forbidden(_))), "{url}: {refused:?}");
            }
        }
        assert_eq!(count.load(Ordering::SeqCst), 0, "connections to an address that is not allowed");
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        let open = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]).send(&Call::get(&url, 100)).await.unwrap();
        assert_eq!(open, Got::Document { body: b"{}".to_vec(), etag: None });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_document_is_bounded_and_no_redirect_is_followed() {
        let open = || Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let (elsewhere, count) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        let redirect =
            format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
        let rows = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", "too long"),
            ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "Status(500)"),
            (&*redirect.leak(), "Status(302)"),
            ("nonsense", "Failed"),
        ];
        for (answer, expected) in rows {
            let (port, _) = server(answer);
            let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
            let refused = format!("{:?}", open().send(&Call::get(&url, 8)).await.unwrap_err());
            let is_expected = refused.contains(if expected == "too long" { "BodyExceedsLimit" } else { expected });
            assert!(is_expected, "{expected}: {refused}");
        }
        assert_eq!(count.load(Ordering::SeqCst), 0, "redirects that were followed");
        let (port, _) = server("HTTP/1.1 304 Not Modified\r\n\r\n");
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        assert_eq!(open().send(&Call { etag: Some("\"a\""), ..Call::get(&url, 8) }).await.unwrap(), Got::Unchanged);
    }
}
