//! A typed client of the nolapse tokens API: one method for each operation, one type for each body, made from
//! `docs/reference/openapi.json` by `cargo xtask check --write`. A change of the API breaks the build of this crate
//! instead of its users at run time.
//!
//! Blocking, because its users are command lines and tests that make one request after the other.
//!
//! **Invariant:** a credential travels to the address the client was made for and nowhere else: redirects are not
//! followed, and without TLS the client only connects to this machine unless the caller permits others, and never by
//! a proxy of the environment. Nothing here prints a secret.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod call;
mod error;
pub mod identity;
mod secret;
mod generated {
    //! Written by a program.
    pub(crate) mod operations;
    #[expect(missing_docs, reason = "the texts come from the API document")]
    pub mod types;
}

use std::time::Duration;

pub use call::Download;
pub use error::{Error, Refusal, Result};
/// Optional parameters of the operations that have any.
pub mod options {
    pub use crate::generated::operations::*;
}
pub use generated::types;
pub use secret::Secret;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take from the request to its last byte. Exports of a long trail take a while.
const ANSWER: Duration = Duration::from_mins(5);

/// Whether a credential may travel without TLS to another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Never: the address has to be `https`, or this machine's own.
    LocalOnly,
    /// The caller vouches for the network, such as that between containers.
    Anywhere,
}

/// A client of one authority. Connections are pooled.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    /// Without a final slash.
    base: String,
    credential: Option<Secret>,
}

impl Client {
    /// A client of the authority at `base`, such as `https://tokens.example.org`, without a credential.
    ///
    /// # Errors
    /// [`Error::Address`] if `base` is not an address, or one that a credential must not be sent to.
    pub fn new(base: &str, plain: Plain) -> Result<Self> {
        let base = base.trim().trim_end_matches('/');
        let road = check_address(base, plain)?;
        // The system's certificates, so that a company's own root certificate is trusted.
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("nolapse-client/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        if road == Road::Direct {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().into(), base: base.to_owned(), credential: None })
    }

    /// The same authority with this credential; connections are shared.
    #[must_use]
    pub fn with(&self, credential: Secret) -> Self {
        Self { credential: Some(credential), ..self.clone() }
    }

    /// The same authority without a credential.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { credential: None, ..self.clone() }
    }

    /// The authority's address, without a final slash.
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// How requests get to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    /// By the proxy that variables such as `https_proxy` name, if any: it sees only TLS.
    Proxied,
    /// Without a proxy: one would read the credential, or look for this machine's address on its own.
    Direct,
}

/// # Errors
/// Says what is wrong with the address.
fn check_address(base: &str, plain: Plain) -> Result<Road> {
    let wrong = |why: &str| Err(Error::Address(format!("{base:?} {why}")));
    let Ok(uri) = base.parse::<ureq::http::Uri>() else { return wrong("is not an address") };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return wrong("is not an address such as https://tokens.example.org");
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return wrong("holds a user or a password, which would be sent nowhere");
    }
    if uri.query().is_some() {
        return wrong("holds a query, which has no place in it");
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" if !here => Ok(Road::Proxied),
        "https" => Ok(Road::Direct),
        "http" if here || plain == Plain::Anywhere => Ok(Road::Direct),
        "http" => wrong("is not https: a credential sent there can be read on the way"),
        _ => wrong("is neither http nor https"),
    }
}

/// For fields of `PATCH` bodies: absent, `null` and a value are three different things.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::option_option, reason = "absent, null and a value are three different things here")]
    #[expect(clippy::ref_option, reason = "the signature that serde requires")]
    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "absent, null and a value are three different things here")]
    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_travels_by_tls_or_stays_on_this_machine() {
        for (base, local, anywhere) in [
            ("https://tokens.example.org", true, true),
            ("https://tokens.example.org/", true, true),
            ("https://tokens.example.org:8443/authority", true, true),
            ("http://127.0.0.1:8080", true, true),
            ("http://[::1]:8080", true, true),
            ("http://localhost:8080", true, true),
            ("http://tokens:8080", false, true),
            ("http://127.0.0.1.example.org", false, true),
            ("http://localhost.example.org", false, true),
            ("ftp://tokens.example.org", false, false),
            ("tokens.example.org", false, false),
            ("https://me:secret@tokens.example.org", false, false),
            ("https://tokens.example.org/?a=b", false, false),
            ("", false, false),
        ] {
            assert_eq!(Client::new(base, Plain::LocalOnly).is_ok(), local, "{base}");
            assert_eq!(Client::new(base, Plain::Anywhere).is_ok(), anywhere, "{base}");
        }
    }

    #[test]
    fn only_tls_to_other_machines_takes_a_proxy() {
        for (base, road) in [
            ("https://tokens.example.org", Road::Proxied),
            ("https://localhost:8443", Road::Direct),
            ("http://127.0.0.1:8080", Road::Direct),
            ("http://[::1]:8080", Road::Direct),
            ("http://tokens:8080", Road::Direct),
        ] {
            assert_eq!(check_address(base, Plain::Anywhere).unwrap(), road, "{base}");
            if road == Road::Direct {
                assert!(Client::new(base, Plain::Anywhere).unwrap().agent.config().proxy().is_none());
            }
        }
    }

    #[test]
    fn the_base_has_no_final_slash() {
        assert_eq!(Client::new("http://localhost:1/", Plain::LocalOnly).unwrap().base(), "http://localhost:1");
    }

    #[test]
    fn absent_null_and_set_fields_are_told_apart() {
        let edit = |name| types::EditScope { name, ..types::EditScope::default() };
        for (name, expected) in
            [(None, "{}"), (Some(None), r#"{"name":null}"#), (Some(Some("x".to_owned())), r#"{"name":"x"}"#)]
        {
            let text = serde_json::to_string(&edit(name.clone())).unwrap();
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<types::EditScope>(&text).unwrap().name, name);
        }
    }

    #[test]
    fn no_type_prints_its_secret() {
        let body = types::ValidateRequest {
            token: "nlp_00112233445566778899aabbccddeeff550c911c".into(),
            ..types::ValidateRequest::default()
        };
        let shown =
            format!("{body:?} {:?}", Client::new("http://[::1]:1", Plain::LocalOnly).unwrap().with("s3cr".into()));
        assert!(!shown.contains("001122") && !shown.contains("s3cr"), "{shown}");
    }
}
