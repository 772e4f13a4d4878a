//! Under what attempts are counted: digests, so that memory holds no address anybody sent and no key is longer than another.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

/// 128 bits of a SHA-256: two different things share one by accident never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 16]);

impl Key {
    /// The key of a kind of thing and what tells it apart from others of its kind.
    pub(super) fn of(kind: &str, parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in std::iter::once(&kind).chain(parts) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// As a text.
    pub(super) fn text(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

/// The network of a client, as limits tell networks apart: an IPv6 subscriber has a whole /64, which counts as one address.
/// Clients whose address cannot be told share one network.
pub(super) fn network_text(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| network_of(address).to_string())
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            },
            IpAddr::V4,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_a_subnet_of_ipv6_count_as_one() {
        let text = |address: &str| network_text(Some(address.parse().unwrap()));
        assert_eq!(text("2001:db8:0:1::1"), text("2001:db8:0:1:ffff::2"));
        assert_ne!(text("2001:db8:0:1::1"), text("2001:db8:0:2::1"));
        assert_eq!(text("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network_text(None), "unknown");
    }

    #[test]
    fn parts_are_not_run_together() {
        assert_ne!(Key::of("k", &["ab", "c"]), Key::of("k", &["a", "bc"]));
        assert_ne!(Key::of("k", &["a"]), Key::of("ka", &[]));
    }
}
