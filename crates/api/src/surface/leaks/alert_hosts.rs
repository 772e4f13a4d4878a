//! Fetches the secrets of alerts from GitHub and GitLab, by the operator's token and from the configured addresses alone.

use std::collections::BTreeSet;
use std::time::Duration;

use authority::leaks::alerts::{Alert, AlertHosts, WebhookKey};
use edge::outbound::{Call, Got, Outbound};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use token_format::pattern;
use url::Url;
use zeroize::Zeroizing;

use crate::config::secret::Secret;

/// The deadline of a request. Two of them take less than the first wait between attempts.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
/// The longest description of an alert in bytes. That of GitHub is a few thousand, and the secret.
const MOST_ALERT_BYTES: u64 = 256 * 1024;
/// The longest file in bytes that is searched.
const MOST_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The configured code hosts.
#[derive(Debug)]
pub struct CodeHosts {
    pub(super) github: Option<CodeHost>,
    pub(super) gitlab: Option<CodeHost>,
    outbound: Outbound,
}

/// A code host whose alerts are accepted.
#[derive(Debug)]
pub struct CodeHost {
    /// What deliveries of its webhooks are verified with.
    pub(super) key: WebhookKey,
    url: Url,
    /// The operator's token there.
    token: Secret,
    resolves: bool,
}

/// What becomes of an alert at its host once its secret is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolving {
    /// It is resolved.
    Revoked,
    /// It is left to people.
    Never,
}

/// The part of GitHub's alert that is read.
#[derive(Deserialize)]
struct GitHubAlert {
    secret: Option<Zeroizing<String>>,
}

impl CodeHost {
    /// A host with the address of its interface, the secret of its webhooks and the operator's token.
    pub(crate) fn new(url: &Url, webhook_secret: &Secret, token: &Secret, resolving: Resolving) -> Self {
        Self {
            key: WebhookKey::new(webhook_secret.expose()),
            url: url.clone(),
            token: token.clone(),
            resolves: resolving == Resolving::Revoked,
        }
    }

    /// The address of an alert's description or of a file. Names become one segment each, whatever is in them.
    fn address(&self, alert: &Alert) -> Option<Url> {
        let mut url = self.url.clone();
        match alert {
            Alert::GitHub { owner, repository, number } => {
                let number = number.to_string();
                let names = ["repos", owner, repository, "secret-scanning", "alerts", &number];
                url.path_segments_mut().ok()?.pop_if_empty().extend(names);
            }
            Alert::GitLab { project, file, commit } => {
                let project = project.to_string();
                let names = ["api", "v4", "projects", &project, "repository", "files", file, "raw"];
                url.path_segments_mut().ok()?.pop_if_empty().extend(names);
                url.query_pairs_mut().append_pair("ref", commit);
            }
        }
        Some(url)
    }
}

impl CodeHosts {
    /// The hosts whose alerts are accepted.
    pub(crate) const fn new(github: Option<CodeHost>, gitlab: Option<CodeHost>, outbound: Outbound) -> Self {
        Self { github, gitlab, outbound }
    }

    /// Whether alerts of any are.
    pub(crate) const fn accept_alerts(&self) -> bool {
        self.github.is_some() || self.gitlab.is_some()
    }

    /// The host of an alert, and where it describes it.
    fn place(&self, alert: &Alert) -> Result<(&CodeHost, Url), String> {
        let host = match alert {
            Alert::GitHub { .. } => self.github.as_ref(),
            Alert::GitLab { .. } => self.gitlab.as_ref(),
        };
        let host = host.ok_or("alerts of this host are not configured any more")?;
        let url = host.address(alert).ok_or("the configured address cannot have a path")?;
        Ok((host, url))
    }

    async fn fetch(&self, alert: &Alert) -> Result<Vec<Zeroizing<String>>, String> {
        let (host, url) = self.place(alert)?;
        let most = match alert {
            Alert::GitHub { .. } => MOST_ALERT_BYTES,
            Alert::GitLab { .. } => MOST_FILE_BYTES,
        };
        let call = Call { bearer: Some(host.token.expose()), ..Call::get(&url, most) };
        let got = self.outbound.send(&call).await.map_err(|error| error.to_string())?;
        let Got::Document { body, .. } = got else { return Err("the host answered 304".to_owned()) };
        let body = Zeroizing::new(body);
        match alert {
            Alert::GitHub { .. } => {
                let alert: GitHubAlert = serde_json::from_slice(&body)
                    .map_err(|error| format!("the host's answer is not an alert: {:?}", error.classify()))?;
                Ok(alert.secret.into_iter().collect())
            }
            Alert::GitLab { .. } => {
                // Each once: a file may hold the same token on every line.
                let different: BTreeSet<&[u8]> = pattern::scan(&body).map(|found| &body[found.range]).collect();
                let text = |bytes: &[u8]| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
                Ok(different.into_iter().map(text).collect())
            }
        }
    }

    async fn resolve(&self, alert: &Alert) -> Result<(), String> {
        let (host, url) = self.place(alert)?;
        if !host.resolves {
            return Ok(());
        }
        let patch = json!({"state": "resolved", "resolution": "revoked"}).to_string();
        let call = Call { bearer: Some(host.token.expose()), patch: Some(&patch), ..Call::get(&url, MOST_ALERT_BYTES) };
        self.outbound.send(&call).await.map(drop).map_err(|error| error.to_string())
    }
}

impl AlertHosts for CodeHosts {
    fn fetch<'h>(&'h self, alert: &'h Alert) -> BoxFuture<'h, Result<Vec<Zeroizing<String>>, String>> {
        Self::fetch(self, alert).boxed()
    }

    fn resolve<'h>(&'h self, alert: &'h Alert) -> BoxFuture<'h, Result<(), String>> {
        Self::resolve(self, alert).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[test]
    fn addresses_begin_with_the_configured_one_and_names_are_one_segment() {
        let at = |url: &str, alert: Option<Alert>| {
            let host = CodeHost::new(&Url::parse(url).unwrap(), &secret(""), &secret(""), Resolving::Never);
            host.address(&alert.unwrap()).unwrap().to_string()
        };
        let alert = || Alert::github("octo-org", "Hello.World", 42);
        let path = "/repos/octo-org/Hello.World/secret-scanning/alerts/42";
        assert_eq!(at("https://api.github.com", alert()), format!("https://api.github.com{path}"));
        assert_eq!(
            at("https://github.example.com/api/v3/", alert()),
            format!("https://github.example.com/api/v3{path}")
        );
        let file = Alert::gitlab(7, "src/a b?#%2e.txt", Some("0123456789abcdef"));
        assert_eq!(
            at("https://gitlab.example.com/git", file),
            "https://gitlab.example.com/git/api/v4/projects/7/repository/files/src%2Fa%20b%3F%23%252e.txt/raw?ref=0123456789abcdef"
        );
    }

    #[test]
    fn nothing_shows_the_token_of_a_host() {
        let url = Url::parse("https://api.github.com").unwrap();
        let host = CodeHost::new(&url, &secret("the webhook's secret"), &secret("ghp_secret"), Resolving::Revoked);
        let shown = format!("{host:?}");
        assert!(!shown.contains("ghp_secret") && !shown.contains("the webhook's secret"), "{shown}");
    }
}
