//! Requests to identity providers: their description, the exchange of a code, and their keys.
//!
//! The description (`OpenID` Connect Discovery 1.0 §4) and the keys are cached together for an hour, as those of issuers that trust
//! policies name.

use std::collections::HashMap;
use std::sync::Arc;

use authority::Context;
use authority::sso::{Authorization, Finding, IdentityProviders, Provider, Redeemed};
use authority::trust::jwt::{Jwt, KeySet};
use edge::outbound::{Call, Form, Got, Outbound};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use crate::surface::trust::issuer_keys::IssuerKeys;

/// The most bytes of a token answer: an identity token has 16 KiB at most, and there is an access token beside it.
const MOST_TOKENS: u64 = 64 * 1024;

/// The most requests to one provider at the same time; others wait. A provider that is slow holds up its own people alone.
const AT_ONCE: usize = 16;

/// Requests to providers.
#[derive(Debug)]
pub(crate) struct ProviderRequests {
    outbound: Outbound,
    keys: Arc<IssuerKeys>,
    /// By provider.
    places: HashMap<String, Arc<Semaphore>>,
}

/// A request to a provider.
struct Asked {
    url: Url,
    /// The form of a POST; nothing for a GET.
    form: Option<Zeroizing<String>>,
    basic: Option<Zeroizing<String>>,
    bearer: Option<Zeroizing<String>>,
}

/// The fields of a token answer (RFC 6749 §5.1) that are used.
#[derive(Deserialize)]
struct Tokens {
    id_token: Zeroizing<String>,
    access_token: Option<Zeroizing<String>>,
}

impl ProviderRequests {
    /// With the cache of descriptions and keys.
    pub(crate) fn new(outbound: Outbound, keys: &Arc<IssuerKeys>, providers: &[Provider]) -> Self {
        let place = |provider: &Provider| (provider.id.clone(), Arc::new(Semaphore::new(AT_ONCE)));
        Self { outbound, keys: Arc::clone(keys), places: providers.iter().map(place).collect() }
    }

    /// Sends a request; the body of the answer. A task of its own, which keeps the place until the request has really ended: the
    /// thread that makes it goes on when the browser has gone.
    async fn send(&self, provider: &Provider, asked: Asked) -> Result<Zeroizing<Vec<u8>>, String> {
        let places = self.places.get(&provider.id).ok_or("it is not configured")?;
        let place = Arc::clone(places).acquire_owned().await.map_err(|error| error.to_string())?;
        let outbound = self.outbound.clone();
        let sent = tokio::spawn(async move {
            let _place = place;
            let Asked { url, form, basic, bearer } = &asked;
            let basic = basic.as_ref().map(|basic| basic.as_str());
            let form = form.as_ref().map(|body| Form { body, basic });
            let bearer = bearer.as_ref().map(|bearer| bearer.as_str());
            outbound.send(&Call { form, bearer, ..Call::get(url, MOST_TOKENS) }).await
        });
        match sent.await.map_err(|error| error.to_string())? {
            Ok(Got::Document { body, .. }) => Ok(Zeroizing::new(body)),
            Ok(Got::Unchanged) => Err("it answered 304".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn token(
        &self,
        provider: &Provider,
        code: &str,
        verifier: &str,
        context: &Context,
    ) -> Result<Redeemed, String> {
        let endpoints = self.keys.endpoints(&provider.issuer, context).await.unwrap_or_default();
        let url = endpoints.token.filter(|url| is_as_safe(url, provider));
        let url = url.ok_or("its description has no usable token endpoint")?;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &provider.redirect_uri)
            .append_pair("code_verifier", verifier);
        let secret = provider.client_secret.as_ref();
        let (in_form, in_header) = if endpoints.takes_secret_in_form { (secret, None) } else { (None, secret) };
        if in_header.is_none() {
            form.append_pair("client_id", &provider.client_id);
        }
        if let Some(secret) = in_form {
            form.append_pair("client_secret", secret);
        }
        // Form-encoded before it is put together (RFC 6749 §2.3.1).
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let basic =
            in_header.map(|secret| Zeroizing::new(format!("{}:{}", encoded(&provider.client_id), encoded(secret))));
        let asked = Asked { url, form: Some(Zeroizing::new(form.finish())), basic, bearer: None };
        let answer = self.send(provider, asked).await?;
        let tokens: Tokens =
            serde_json::from_slice(&answer).map_err(|_| "its answer holds no identity token".to_owned())?;
        Ok(Redeemed { id_token: tokens.id_token, access_token: tokens.access_token })
    }

    async fn claims(
        &self,
        provider: &Provider,
        access_token: &str,
        context: &Context,
    ) -> Result<Map<String, Value>, String> {
        let endpoints = self.keys.endpoints(&provider.issuer, context).await.unwrap_or_default();
        let Some(url) = endpoints.user_info else { return Ok(Map::new()) };
        if !is_as_safe(&url, provider) {
            return Err("its description has no usable userinfo endpoint".to_owned());
        }
        let bearer = Some(Zeroizing::new(access_token.to_owned()));
        let answer = self.send(provider, Asked { url, form: None, basic: None, bearer }).await?;
        serde_json::from_slice(&answer).map_err(|_| "its answer is no JSON object".to_owned())
    }
}

/// Whether an address of a provider is reached as safely as the provider itself: by TLS, unless its issuer has none either. By no
/// other scheme: browsers are sent to one of them, and some schemes run something.
fn is_as_safe(url: &Url, provider: &Provider) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && provider.issuer.starts_with("http:"))
}

impl IdentityProviders for ProviderRequests {
    fn authorization<'a>(&'a self, provider: &'a Provider, context: &'a Context) -> Finding<'a, Authorization> {
        Box::pin(async move {
            let endpoints = self.keys.endpoints(&provider.issuer, context).await?;
            let endpoint = endpoints.authorization.filter(|url| is_as_safe(url, provider));
            let Some(endpoint) = endpoint else {
                tracing::warn!(
                    provider = provider.id,
                    "the description of a provider has no usable authorization endpoint"
                );
                return None;
            };
            Some(Authorization { endpoint: endpoint.into(), names_issuer: endpoints.names_issuer })
        })
    }

    fn with_query(&self, address: &str, parameters: &[(&str, &str)]) -> String {
        match Url::parse(address) {
            Ok(mut url) => {
                url.query_pairs_mut().extend_pairs(parameters);
                url.into()
            }
            Err(_) => address.to_owned(),
        }
    }

    fn redeem<'a>(
        &'a self,
        provider: &'a Provider,
        code: &'a str,
        verifier: &'a str,
        context: &'a Context,
    ) -> Finding<'a, Redeemed> {
        Box::pin(async move {
            let token = self.token(provider, code, verifier, context).await;
            token
                .map_err(|error| {
                    tracing::warn!(provider = provider.id, error, "a code could not be exchanged for a token");
                })
                .ok()
        })
    }

    fn user_info<'a>(
        &'a self,
        provider: &'a Provider,
        access_token: &'a str,
        context: &'a Context,
    ) -> Finding<'a, Map<String, Value>> {
        Box::pin(async move {
            let claims = self.claims(provider, access_token, context).await;
            claims
                .map_err(|error| {
                    tracing::warn!(provider = provider.id, error, "the claims about a person cannot be fetched");
                })
                .ok()
        })
    }

    fn keys<'a>(&'a self, issuer: &'a str, jwt: &'a Jwt, context: &'a Context) -> Finding<'a, Arc<KeySet>> {
        Box::pin(async move { authority::trust::Issuers::keys(&*self.keys, issuer, jwt, context).await })
    }
}
