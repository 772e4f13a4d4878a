//! The public keys of issuers that trust policies name: found by discovery (`OpenID` Connect Discovery 1.0 §4) and
//! cached for an hour.
//!
//! **Invariant:** an issuer is requested only if a policy trusts it, by one request at a time, and for an unknown key
//! id at most once a minute: forged tokens cannot cause more requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authority::Context;
use authority::trust::jwt::{Algorithm, Jwt, KeySet};
use authority::trust::{FindingKeys, Issuers};
use edge::outbound::{Call, Got, Outbound};
use serde::Deserialize;
use token_domain::text::{HOLDS_SECRET, holds_secret};
use token_domain::{Span, Timestamp};
use url::Url;

/// How long keys are cached.
const GOOD: Span = Span::seconds(3_600);
/// The least time between two requests for a key id that is not among the cached keys.
const PAUSE: Span = Span::seconds(60);
/// The least time between two requests after a failure.
const RETRY: Span = Span::seconds(5);
/// The deadline of one request: two of them fit into the deadline of the request that needs them.
pub const DEADLINE: Duration = Duration::from_secs(4);
/// The most bytes of a discovery document.
const MOST_METADATA: u64 = 64 * 1024;
/// The most bytes of a key set.
const MOST_KEYS: u64 = 256 * 1024;
/// The most issuers cached; beyond it the cache is emptied.
const MOST_ISSUERS: usize = 10_000;

/// The longest issuer.
const LONGEST: usize = 512;

/// The path of an issuer's discovery document.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The keys of issuers.
#[derive(Debug)]
pub struct IssuerKeys {
    outbound: Outbound,
    kept: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Kept>>>>,
}

#[derive(Debug, Default)]
struct Kept {
    found: Option<Found>,
    /// The time of the last failed request.
    failed_at: Option<Timestamp>,
    /// The time of the last request for an unknown key id.
    sought_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Found {
    keys: Arc<KeySet>,
    /// The issuer's signing algorithms; `None` if its discovery document names none.
    algorithms: Option<Vec<String>>,
    endpoints: Endpoints,
    at: Timestamp,
}

/// Where people sign in at an issuer, and where codes are exchanged; an issuer for machines alone has neither.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// Where browsers are sent to.
    pub authorization: Option<Url>,
    /// Where a code is exchanged for tokens.
    pub token: Option<Url>,
    /// Where more is said about a person.
    pub user_info: Option<Url>,
    /// Whether a client shows its secret there in the form and cannot do so by HTTP Basic, which is the usual way.
    pub takes_secret_in_form: bool,
    /// Whether answers always name the issuer (RFC 9207).
    pub names_issuer: bool,
}

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::surface) enum NoKeys {
    /// They cannot be fetched, so a signature can be neither accepted nor refused.
    Unreachable,
    /// The issuer does not sign with this algorithm.
    Algorithm,
}

/// The fields of a discovery document that are used.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    userinfo_endpoint: Option<Url>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl IssuerKeys {
    /// An empty cache.
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound, kept: Mutex::default() }
    }

    /// The keys of an issuer for verifying a token.
    pub(in crate::surface) async fn of(
        &self,
        issuer: &str,
        jwt: &Jwt,
        context: &Context,
    ) -> Result<Arc<KeySet>, NoKeys> {
        let signs =
            |algorithms: &Vec<String>| algorithms.iter().any(|name| Algorithm::parse(name) == Some(jwt.algorithm()));
        let found = self.found(issuer, jwt.key_id(), context, |found| {
            let is_refused = found.algorithms.as_ref().is_some_and(|algorithms| !signs(algorithms));
            if is_refused { Err(NoKeys::Algorithm) } else { Ok(Arc::clone(&found.keys)) }
        });
        found.await.ok_or(NoKeys::Unreachable)?
    }

    /// Where people sign in at an issuer; `None` if its description cannot be fetched.
    pub async fn endpoints(&self, issuer: &str, context: &Context) -> Option<Endpoints> {
        self.found(issuer, None, context, |found| found.endpoints.clone()).await
    }

    /// Takes from the cached description and keys of an issuer, which are fetched first if they are too old or lack the key.
    async fn found<T>(
        &self,
        issuer: &str,
        key_id: Option<&str>,
        context: &Context,
        take: impl FnOnce(&Found) -> T,
    ) -> Option<T> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= MOST_ISSUERS && !kept.contains_key(issuer) {
                kept.clear();
            }
            Arc::clone(kept.entry(issuer.to_owned()).or_default())
        };
        // One request at a time; concurrent callers wait for it and use its result.
        let mut kept = kept.lock().await;
        let now = context.now();
        let is_fresh = kept.found.as_ref().is_some_and(|found| now < found.at + GOOD);
        let is_known = is_fresh && kept.found.as_ref().is_some_and(|found| found.keys.may_have(key_id));
        let may_retry = kept.failed_at.is_none_or(|at| now >= at + RETRY);
        let may_seek = !is_fresh || kept.sought_at.is_none_or(|at| now >= at + PAUSE);
        if !is_known && may_retry && may_seek {
            if is_fresh {
                kept.sought_at = Some(now);
            }
            // Reset by a success: a request that is cancelled meanwhile counts as a failure.
            kept.failed_at = Some(now);
            match self.fetch(issuer, now).await {
                Ok(found) => (kept.found, kept.failed_at) = (Some(found), None),
                Err(error) => {
                    // Counted from now: those who waited are not to ask again one after the other.
                    kept.failed_at = Some(context.now());
                    tracing::warn!(%error, issuer, "the keys of an issuer cannot be fetched");
                }
            }
        }
        kept.found.as_ref().filter(|found| now < found.at + GOOD).map(take)
    }

    async fn fetch(&self, issuer: &str, now: Timestamp) -> Result<Found, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let address = format!("{}{DISCOVERY}", issuer.trim_end_matches('/'));
        let url = Url::parse(&address).map_err(|error| said(&error))?;
        let document = self.get(&url, MOST_METADATA).await?;
        let metadata: Metadata = serde_json::from_slice(&document).map_err(|error| said(&error))?;
        if metadata.issuer != issuer {
            return Err("its discovery document is for another issuer".to_owned());
        }
        let keys = self.get(&metadata.jwks_uri, MOST_KEYS).await?;
        let keys = KeySet::read(&keys).map_err(|error| said(&error))?;
        let methods = metadata.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.as_ref().is_some_and(|methods| methods.iter().any(|name| name == method));
        let endpoints = Endpoints {
            takes_secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            names_issuer: metadata.authorization_response_iss_parameter_supported,
            authorization: metadata.authorization_endpoint,
            token: metadata.token_endpoint,
            user_info: metadata.userinfo_endpoint,
        };
        let algorithms = metadata.id_token_signing_alg_values_supported;
        Ok(Found { keys: Arc::new(keys), algorithms, endpoints, at: now })
    }

    async fn get(&self, url: &Url, most: u64) -> Result<Vec<u8>, String> {
        match self.outbound.send(&Call::get(url, most)).await {
            Ok(Got::Document { body, .. }) => Ok(body),
            Ok(Got::Unchanged) => Err(format!("{url} answered 304 to an unconditional request")),
            Err(error) => Err(format!("{url}: {error}")),
        }
    }
}

impl Issuers for IssuerKeys {
    /// An issuer is the URL from which discovery starts, so it has no query.
    fn check(&self, text: &str) -> Result<(), &'static str> {
        if holds_secret(text) {
            return Err(HOLDS_SECRET);
        }
        let Some(url) = Url::parse(text).ok().filter(|url| url.has_host() && text.len() <= LONGEST) else {
            return Err("must be an https URL");
        };
        let has_more =
            url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some();
        if has_more {
            return Err("must be an https URL without a user, a query or a fragment");
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.outbound.reaches_private_networks() => Ok(()),
            _ => Err("must be an https URL"),
        }
    }

    fn keys<'a>(&'a self, issuer: &'a str, jwt: &'a Jwt, context: &'a Context) -> FindingKeys<'a> {
        Box::pin(async move { self.of(issuer, jwt, context).await.ok() })
    }
}
