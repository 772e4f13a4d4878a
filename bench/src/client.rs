//! A signed-in client of the product's API, for the requests that a benchmark makes one at a time.

use super::contender::{EMAIL, PASSWORD, Running};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use ureq::Agent;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A signed-in client that keeps one connection open.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base: String,
    session: String,
    /// The organisation's id.
    pub(super) organisation: String,
}

impl Client {
    /// Signs in as the owner.
    pub(super) fn sign_in(running: &Running) -> Result<Self> {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        let (agent, base) = (Agent::from(config), format!("http://127.0.0.1:{}", running.port));
        let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        let mut response = agent.post(format!("{base}/v1/sessions")).send(body).attempt(|| "sign in".into())?;
        let text = response.body_mut().read_to_string().attempt(|| "sign in".into())?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        match (answer["token"].as_str(), answer["org_id"].as_str()) {
            (Some(token), Some(organisation)) => {
                Ok(Self { agent, base, session: token.to_owned(), organisation: organisation.to_owned() })
            }
            _ => Err(Fail::new(format!("cannot sign in: {text}"))),
        }
    }

    /// The credential as a header line.
    pub(super) fn header(&self) -> String {
        format!("Authorization: Bearer {}", self.session)
    }

    /// Makes a token with one scope and returns its secret.
    pub(super) fn create_token(&self, scope: &str) -> Result<String> {
        let body = json!({ "name": "bench", "scopes": [scope] }).to_string();
        let request = self.agent.post(format!("{}/v1/tokens", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.session));
        let mut response = request.send(body).attempt(|| "create a token".into())?;
        let text = response.body_mut().read_to_string().attempt(|| "create a token".into())?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let secret = answer["secret"].as_str().map(str::to_owned);
        secret.ok_or_else(|| Fail::new(format!("cannot create a token: {} {text}", response.status())))
    }

    /// Reads a JSON answer.
    ///
    /// # Errors
    /// Any status but 200.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let (text, _) = self.timed(path)?;
        serde_json::from_str(&text).attempt(|| format!("read the answer to GET {path}"))
    }

    /// Sends a GET request; returns the body and the time to its last byte.
    ///
    /// # Errors
    /// Any status but 200.
    pub(super) fn timed(&self, path: &str) -> Result<(String, Duration)> {
        let started = Instant::now();
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("Authorization", format!("Bearer {}", self.session));
        let mut response = request.call().attempt(|| format!("GET {path}"))?;
        let text = response.body_mut().read_to_string().attempt(|| format!("read the answer to GET {path}"))?;
        let elapsed = started.elapsed();
        match response.status().as_u16() {
            200 => Ok((text, elapsed)),
            status => Err(Fail::new(format!("GET {path} was answered {status} {text}"))),
        }
    }
}

/// A metric of the product, from `/metrics`.
///
/// # Errors
/// If the server does not answer, or has no such metric.
pub(super) fn metric(running: &Running, name: &str) -> Result<u64> {
    let url = format!("http://127.0.0.1:{}/metrics", running.port);
    let mut response = ureq::get(&url).call().attempt(|| "read /metrics".into())?;
    let text = response.body_mut().read_to_string().attempt(|| "read /metrics".into())?;
    value(&text, name).ok_or_else(|| Fail::new(format!("/metrics has no {name}")))
}

/// The value of a metric without labels.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# HELP cached_bytes x\ncached_bytes_total 1\ncached_bytes 77\nother{a=\"b\"} 3\n";
        assert_eq!(value(text, "cached_bytes"), Some(77));
        assert_eq!(value(text, "cached"), None);
    }
}
