//! Where the server listens: on the network, or on a Unix socket.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// The prefix of a socket's path.
const UNIX: &str = "unix:";
/// The longest path of a socket in bytes, including its NUL (`sun_path` in unix(7)).
const LONGEST_PATH: usize = 108;

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port.
    Network(SocketAddr),
    /// A Unix-domain socket.
    Socket(PathBuf),
}

/// Neither an address with a port nor the path of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither an address with a port nor unix: with an absolute path shorter than {LONGEST_PATH} bytes")]
pub struct NoPlace;

impl FromStr for Listen {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        match text.strip_prefix(UNIX) {
            None => text.parse().map(Self::Network).map_err(|_| NoPlace),
            Some(path) => {
                let fits = Path::new(path).is_absolute() && path.len() < LONGEST_PATH && !path.contains('\0');
                if fits { Ok(Self::Socket(path.into())) } else { Err(NoPlace) }
            }
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Socket(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_an_absolute_path() {
        let long = format!("unix:/{}", "x".repeat(LONGEST_PATH));
        let rows = [
            ("127.0.0.1:8080", true),
            ("[::1]:0", true),
            ("unix:/run/nolapse/api.sock", true),
            ("localhost:8080", false),
            ("127.0.0.1", false),
            ("unix:", false),
            ("unix:api.sock", false),
            ("/run/nolapse/api.sock", false),
            ("unix:/run/\0", false),
            (long.as_str(), false),
        ];
        for (text, good) in rows {
            let read = text.parse::<Listen>();
            assert_eq!(read.is_ok(), good, "{text:?}");
            assert!(read.is_err() || read.is_ok_and(|listen| listen.to_string() == text), "{text:?}");
        }
    }
}
