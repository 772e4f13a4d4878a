//! The address of the client, for limits and the audit trail.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;

use crate::parts::Edge;

/// Where a request came from: the peer, or what trusted proxies say of it. On a socket of this machine the peer is a process
/// that was let at the socket, and is trusted as one. `None` where they say what cannot be read, or nobody says, off the network.
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
    /// Where this request came from.
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

/// Goes back along the proxies as long as they are trusted: each added the address it saw at the end, and what stands
/// before the first untrusted one is hearsay. Where a trusted proxy added what cannot be read nobody knows who it was: that is
/// not the proxy, whose own count of sign-ins it would fill.
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
        // No peer, "": a socket of this machine.
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
