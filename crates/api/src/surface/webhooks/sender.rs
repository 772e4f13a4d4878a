//! Sends to webhooks by the outbound client, which decides at each connection which addresses are reached.

use std::time::Duration;

use authority::webhooks::{Posted, Targets, Unsent};
use edge::outbound::{Outbound, OutboundError, Post};
use token_domain::text::{HOLDS_SECRET, holds_secret};
use url::Url;

/// How long an attempt may take: what Standard Webhooks gives a receiver at the least, and a receiver that works longer should
/// work after its answer.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The longest URL.
const LONGEST: usize = 2_048;

/// Sends to webhooks.
#[derive(Clone, Debug)]
pub struct Sender {
    outbound: Outbound,
}

impl Sender {
    /// Over a client whose deadline is [`DEADLINE`].
    pub const fn new(outbound: Outbound) -> Self {
        Self { outbound }
    }

    /// Sends a message; the status it was answered with.
    ///
    /// # Errors
    /// Why there was no answer.
    pub async fn send(&self, posted: Posted) -> Result<u16, Unsent> {
        let url = Url::parse(&posted.url).map_err(|error| Unsent::NoAnswer(error.to_string()))?;
        let seconds = posted.seconds.to_string();
        let headers = [
            ("webhook-id", posted.id.as_str()),
            ("webhook-timestamp", seconds.as_str()),
            ("webhook-signature", posted.signature.as_str()),
        ];
        let sent = self.outbound.post(Post { url: &url, headers: &headers, json: posted.body }).await;
        sent.map_err(|error| match error {
            OutboundError::Forbidden(_) => Unsent::Forbidden(error.to_string()),
            OutboundError::Status(_) | OutboundError::Failed(_) | OutboundError::Stopped => {
                Unsent::NoAnswer(error.to_string())
            }
        })
    }
}

impl Targets for Sender {
    fn check(&self, text: &str) -> Result<(), &'static str> {
        if holds_secret(text) {
            return Err(HOLDS_SECRET);
        }
        let Some(url) = Url::parse(text).ok().filter(|url| url.has_host() && text.len() <= LONGEST) else {
            return Err("must be an https URL");
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("must have no user name, password or fragment");
        }
        // Only networks that the operator opened are reached without TLS.
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.outbound.reaches_private_networks() => Ok(()),
            _ => Err("must be an https URL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_unless_the_operator_opened_networks() {
        let closed = Sender::new(Outbound::new(Vec::new()));
        let open = Sender::new(Outbound::new(vec!["10.0.0.0/8".parse().unwrap()]));
        for (url, by_default, opened) in [
            ("https://hooks.example.com/a?key=1", true, true),
            ("http://hooks.example.com/", false, true),
            ("https://user@hooks.example.com/", false, false),
            ("https://hooks.example.com/#a", false, false),
            ("ftp://hooks.example.com/", false, false),
            ("hooks.example.com", false, false),
            ("https://", false, false),
        ] {
            assert_eq!((closed.check(url).is_ok(), open.check(url).is_ok()), (by_default, opened), "{url}");
        }
        assert!(closed.check(&format!("https://hooks.example.com/{}", "a".repeat(LONGEST))).is_err());
        assert!(closed.check(&format!("https://hooks.example.com/nlp_{}", "0".repeat(40))).is_err());
    }
}
