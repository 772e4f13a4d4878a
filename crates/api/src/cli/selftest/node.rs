//! A node as the self-test asks it. Each failure names the node, and what to do.
//!
//! `ureq` itself, rather than the package `client`, which is written from the API document that this program prints: a mistake in
//! it would keep the program from being built that prints the next one.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;
use url::Url;
use zeroize::Zeroizing;

/// The name of the test's tokens.
pub(super) const NAME: &str = "selftest";
/// How long a request may take. A revocation waits for a dead node some five seconds.
const DEADLINE: Duration = Duration::from_secs(20);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// A node.
pub(super) struct Node {
    base: String,
    agent: Agent,
    authorization: Zeroizing<String>,
}

/// A token of the test.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

/// Why there is no token.
pub(super) enum Trouble {
    /// The node refused.
    Refused(String),
    /// There may be a token: no answer came, or one that says nothing about it.
    Unknown(String),
}

/// The fields that the test needs of the answer to a creation.
#[derive(Deserialize)]
struct Created {
    id: String,
    secret: Zeroizing<String>,
}

/// Checks the address of a node, and returns it without a final slash.
pub(super) fn address(text: &str) -> Result<String, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("{error}: an address is like http://10.0.0.5:8080"))?;
    let is_plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_plain {
        return Err("an address is like http://10.0.0.5:8080, without a user, a query or a fragment".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Node {
    pub(super) fn new(base: &str, credential: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(DEADLINE))
            .max_redirects(0)
            .http_status_as_error(false)
            // The test is about the node itself.
            .proxy(None)
            .user_agent("nolapse-api selftest");
        let authorization = Zeroizing::new(format!("Bearer {credential}"));
        Self { base: base.to_owned(), agent: config.build().into(), authorization }
    }

    /// Its address.
    pub(super) fn name(&self) -> &str {
        &self.base
    }

    /// Creates a token that expires by itself after a day.
    pub(super) fn create(&self, key: &str, scope: &str) -> Result<Made, Trouble> {
        let (status, body) = self.ask_for_token(key, scope).map_err(Trouble::Unknown)?;
        match status {
            201 => match serde_json::from_slice::<Created>(&body) {
                Ok(created) => Ok(Made { id: created.id, secret: created.secret }),
                Err(_) => Err(Trouble::Unknown(self.unexpected("creating a token", status))),
            },
            401 => Err(Trouble::Refused(format!(
                "{} refuses the credential: check NOLAPSE_TOKEN or --token-file, and that the token is not revoked or expired",
                self.base
            ))),
            402..=499 => Err(Trouble::Refused(format!(
                "{} refuses to create a token ({status}): {}. The credential needs tokens:manage and the scope {scope}",
                self.base,
                message(&body)
            ))),
            _ => Err(Trouble::Unknown(self.unexpected("creating a token", status))),
        }
    }

    /// The id of the token that was created with this key; of a new one, if there was none.
    pub(super) fn created_before(&self, key: &str, scope: &str) -> Result<String, String> {
        let (status, body) = self.ask_for_token(key, scope)?;
        let id = serde_json::from_slice::<Value>(&body).ok().and_then(|body| body["id"].as_str().map(str::to_owned));
        id.filter(|_| matches!(status, 201 | 409)).ok_or_else(|| self.unexpected("looking for a token", status))
    }

    fn ask_for_token(&self, key: &str, scope: &str) -> Result<(u16, Zeroizing<Vec<u8>>), String> {
        let body = json!({ "name": NAME, "scopes": [scope], "expires_in_days": 1 }).to_string();
        let request = self
            .agent
            .post(format!("{}/v1/tokens", self.base))
            .header("authorization", self.authorization.as_str())
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.read(request.send(body))
    }

    /// Whether the node says that the token is valid.
    pub(super) fn is_valid(&self, secret: &str) -> Result<bool, String> {
        let body = Zeroizing::new(json!({ "token": secret }).to_string());
        let request =
            self.agent.post(format!("{}/v1/auth/validate", self.base)).header("content-type", "application/json");
        let (status, body) = self.read(request.send(body.as_str()))?;
        let valid = serde_json::from_slice::<Value>(&body).ok().and_then(|body| body["valid"].as_bool());
        match (status, valid) {
            (200, Some(true)) => Ok(true),
            (401, Some(false)) => Ok(false),
            _ => Err(self.unexpected("validating", status)),
        }
    }

    /// Revokes a token.
    pub(super) fn revoke(&self, id: &str) -> Result<(), String> {
        let request = self.agent.delete(format!("{}/v1/tokens/{id}", self.base));
        let (status, _) = self.read(request.header("authorization", self.authorization.as_str()).call())?;
        if status == 204 { Ok(()) } else { Err(self.unexpected("revoking a token", status)) }
    }

    fn read(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<(u16, Zeroizing<Vec<u8>>), String> {
        let gone =
            |error: ureq::Error| format!("{} does not answer ({error}): check its address and that it runs", self.base);
        let mut answer = answer.map_err(gone)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec().map_err(gone)?;
        Ok((status, Zeroizing::new(body)))
    }

    fn unexpected(&self, what: &str, status: u16) -> String {
        let advice = match status {
            404 | 405 => "is this the address of nolapse-api?",
            429 => "it limits these requests; try again later with fewer --rounds",
            500..=599 => "see its /ready and its log",
            _ => "see its log",
        };
        format!("{} answered {status} to {what}: {advice}", self.base)
    }
}

/// The message of an error's body, in one line.
fn message(body: &[u8]) -> String {
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let text = ["message", "error"].into_iter().find_map(|field| body[field].as_str());
    text.unwrap_or("it gives no reason").chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_place_without_anything_else() {
        for (text, expected) in [
            ("http://10.0.0.5:8080", Some("http://10.0.0.5:8080")),
            ("http://10.0.0.5:8080/", Some("http://10.0.0.5:8080")),
            (" https://tokens.example.org/authority/ ", Some("https://tokens.example.org/authority")),
            ("10.0.0.5:8080", None),
            ("localhost:8080", None),
            ("ftp://10.0.0.5", None),
            ("http://user@10.0.0.5", None),
            ("http://10.0.0.5/?a=b", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
