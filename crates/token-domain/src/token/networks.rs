//! Where a token may be used from: a short list of networks.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

/// Networks that a token may be used from, 1 to 32 of them, each with its host bits cleared, in the order given.
///
/// A token that may be used from anywhere has no such list at all: an empty one does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedNetworks(Box<[IpNet]>);

/// Why a list of networks was refused; the message completes the sentence "`allowed_networks` …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetworks {
    /// A list without a network: it would let nobody in.
    #[error("must name at least one network, or be left out")]
    Empty,
    /// More than 32.
    #[error("must have at most {} networks", AllowedNetworks::MOST)]
    TooMany,
    /// An entry that is neither a network in CIDR notation nor an address.
    #[error("must be networks such as 203.0.113.0/24 or 2001:db8::/32; entry {} is not a network", .0 + 1)]
    Unreadable(usize),
}

impl AllowedNetworks {
    /// The most networks of one token.
    pub const MOST: usize = 32;

    /// Reads networks in CIDR notation; an address by itself is a network of one.
    ///
    /// # Errors
    /// None, too many, or one that cannot be read.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, InvalidNetworks> {
        if texts.is_empty() {
            return Err(InvalidNetworks::Empty);
        }
        if texts.len() > Self::MOST {
            return Err(InvalidNetworks::TooMany);
        }
        let mut networks: Vec<IpNet> = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            let network = network(text.as_ref().trim()).ok_or(InvalidNetworks::Unreadable(at))?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        Ok(Self(networks.into()))
    }

    /// Reads what [`fmt::Display`] wrote.
    ///
    /// # Errors
    /// As [`AllowedNetworks::parse`].
    pub fn parse_stored(text: &str) -> Result<Self, InvalidNetworks> {
        Self::parse(&text.split_ascii_whitespace().collect::<Vec<_>>())
    }

    /// Whether an address lies in one of them. An IPv4 address that arrives inside IPv6 is the IPv4 address.
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The networks, in CIDR notation.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.0.len()
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()),
    };
    Some(network.trunc())
}

impl fmt::Display for AllowedNetworks {
    /// Separated by single spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

impl Serialize for AllowedNetworks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_in_one_form_and_read_back() {
        let read = AllowedNetworks::parse(&["10.1.2.3/8", " 203.0.113.7 ", "2001:db8::1/32", "10.0.0.0/8"]).unwrap();
        assert_eq!(read.names(), ["10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32"]);
        assert_eq!(AllowedNetworks::parse_stored(&read.to_string()).unwrap(), read);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["10.0.0.0/8","203.0.113.7/32","2001:db8::/32"]"#);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let none: [&str; 0] = [];
        assert_eq!(AllowedNetworks::parse(&none), Err(InvalidNetworks::Empty));
        assert_eq!(AllowedNetworks::parse(&vec!["10.0.0.0/8"; 33]), Err(InvalidNetworks::TooMany));
        for text in ["", "10.0.0.0/33", "10.0.0", "example.org", "10.0.0.0/8/8", "10.0.0.0-10.0.0.9", "*"] {
            assert_eq!(AllowedNetworks::parse(&["::1", text]), Err(InvalidNetworks::Unreadable(1)), "{text}");
        }
    }

    #[test]
    fn an_address_is_admitted_where_a_network_contains_it() {
        let networks = AllowedNetworks::parse(&["10.0.0.0/8", "203.0.113.7", "2001:db8::/32"]).unwrap();
        for (address, admitted) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("::ffff:10.1.1.1", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::1", false),
        ] {
            assert_eq!(networks.admits(address.parse().unwrap()), admitted, "{address}");
        }
    }
}
