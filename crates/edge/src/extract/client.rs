//! The address of the client, for limits and the audit trail.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;

use crate::parts::Edge;

/// The client's address: that of the peer, or the one that trusted proxies report. On a Unix socket the peer is trusted
/// like a proxy, because the file's permissions admitted it. `None` if a trusted proxy reports an unreadable address,
/// or none is reported on a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub Option<IpAddr>);

impl FromRequest for ClientIp {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl ClientIp {
    /// The client's address of this request.
    pub fn of(request: &HttpRequest) -> Self {
        let limits = Edge::of(request);
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let peer = request.peer_addr().map(|address| address.ip().to_canonical());
        if let Some(peer) = peer.filter(|peer| !is_trusted(*peer, &limits.trusted_proxies))
            && request.headers().contains_key("x-forwarded-for")
        {
            limits.untrusted_proxy.tell(peer);
        }
        Self(client(peer, forwarded, &limits.trusted_proxies))
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Walks `X-Forwarded-For` from its end as long as the proxies are trusted: each appended the address it saw, and
/// entries before the first untrusted address may be forged. If a trusted proxy appended an unreadable address, the
/// client is unknown; the proxy's own address would be wrong, because all such clients would share its limit on
/// sign-ins.
fn client<'a>(
    peer: Option<IpAddr>,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let mut hops = forwarded.rev().flat_map(|value| value.rsplit(','));
    let nearest = match peer {
        Some(peer) => peer,
        None => hop_address(hops.next()?)?,
    };
    let mut seen = nearest.to_canonical();
    for hop in hops {
        if !is_trusted(seen, trusted) {
            break;
        }
        seen = hop_address(hop)?.to_canonical();
    }
    Some(seen)
}

/// An address as proxies write it: alone, in brackets, with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    hop.parse().ok().or_else(|| hop.parse().ok().map(|address: SocketAddr| address.ip())).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        // The peer "" stands for a Unix socket.
        let rows: Vec<(&str, Vec<&str>, &str)> = vec![
            ("", vec![], ""),
            ("", vec!["198.51.100.7"], "198.51.100.7"),
            ("", vec!["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("", vec!["198.51.100.7, 10.0.0.1"], "198.51.100.7"),
            ("", vec!["nonsense"], ""),
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.7:4455"], "203.0.113.7"),
            ("10.0.0.1", vec!["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", vec![" [2001:db8::1] "], "2001:db8::1"),
            ("10.0.0.1", vec!["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", vec!["198.51.100.7, [::ffff:10.2.2.2]:80"], "198.51.100.7"),
            ("::1", vec!["not an address"], ""),
            ("10.0.0.1", vec!["198.51.100.7, nonsense"], ""),
            ("10.0.0.1", vec!["unknown, 10.1.1.1"], ""),
            ("10.0.0.1", vec![""], ""),
            ("192.0.2.1", vec!["nonsense"], "192.0.2.1"),
        ];
        for (peer, forwarded, expected) in rows {
            let found = client(peer.parse().ok(), forwarded.iter().copied(), &trusted);
            let found = found.map(|address| address.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{peer} {forwarded:?}");
        }
    }
}
