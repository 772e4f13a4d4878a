//! Alerts of code hosts: a webhook says where a secret was found, and the secret is fetched afterwards.
//!
//! Code hosts deliver a webhook once and wait ten seconds at most, while their own interface may be away for hours. So an alert is
//! written down before it is answered, and worked off from there: fetched, compared, acted on. An attempt that fails, or that a
//! crash interrupts, is made again later, for three days. Doing it twice does nothing more, so nothing has to be remembered of
//! alerts that are done.
//!
//! **Invariant:** no part of an address comes from a payload, except names that are checked here and become one segment each.

use data_encoding::HEXLOWER_PERMISSIVE;
use ring::hmac;
use serde::{Deserialize, Serialize};
use storage::model::LeakAlert;
use subtle::ConstantTimeEq as _;
use token_domain::leak::LeakSource;
use token_domain::{Span, Timestamp};
use zeroize::Zeroizing;

use super::{Leaks, Reported};
use crate::error::Failure;
use crate::origin::Origin;
use crate::webhooks::secret::{self, WebhookSecret};

/// Alerts of one round.
const AT_ONCE: u32 = 16;
/// The waits after failed attempts; after the last the alert is given up, three days after it came. An attempt takes less than the
/// first, so that no two nodes work on one alert.
const WAITS: [Span; 9] = [
    Span::seconds(60),
    Span::seconds(5 * 60),
    Span::seconds(30 * 60),
    Span::seconds(2 * 3_600),
    Span::seconds(5 * 3_600),
    Span::seconds(10 * 3_600),
    Span::seconds(14 * 3_600),
    Span::seconds(20 * 3_600),
    Span::seconds(24 * 3_600),
];
/// The most texts of one alert that are looked up.
const MOST_TEXTS: usize = 1_000;
/// How far the moment of a signature may be from now.
const TOLERANCE_SECONDS: u64 = 300;

/// Where a code host says that it found a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Alert {
    /// An alert of GitHub's secret scanning.
    GitHub {
        /// The person or organisation whose repository it is.
        owner: String,
        /// The repository.
        repository: String,
        /// The alert's number there.
        number: u64,
    },
    /// A file in which GitLab's secret detection found something.
    GitLab {
        /// The project's id.
        project: u64,
        /// The path of the file.
        file: String,
        /// The commit, or `HEAD` for the newest of the default branch.
        commit: String,
    },
}

impl Alert {
    /// An alert of GitHub; nothing where the names cannot be those of an owner and a repository.
    pub fn github(owner: &str, repository: &str, number: u64) -> Option<Self> {
        (is_github_name(owner) && is_github_name(repository)).then(|| Self::GitHub {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            number,
        })
    }

    /// A finding of GitLab; nothing where the path or the commit cannot be one. Without a commit, and with the one that consists
    /// of zeros, it is about the default branch.
    pub fn gitlab(project: u64, file: &str, commit: Option<&str>) -> Option<Self> {
        let is_path = !file.is_empty()
            && file.len() <= 1_024
            && !file.chars().any(char::is_control)
            && file.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        let commit = commit.filter(|commit| commit.bytes().any(|byte| byte != b'0')).unwrap_or("HEAD");
        let is_commit =
            commit == "HEAD" || (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_path && is_commit).then(|| Self::GitLab { project, file: file.to_owned(), commit: commit.to_owned() })
    }

    /// The code host.
    pub const fn source(&self) -> LeakSource {
        match self {
            Self::GitHub { .. } => LeakSource::GitHub,
            Self::GitLab { .. } => LeakSource::GitLab,
        }
    }
}

/// A name that is one segment of a path and leads nowhere else.
fn is_github_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && name.bytes().any(|byte| byte != b'.')
}

/// A secret that a webhook's deliveries are verified with.
pub struct WebhookKey(Zeroizing<String>);

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

/// What came with a delivery of GitLab.
#[derive(Clone, Copy, Debug)]
pub struct GitLabHeaders<'r> {
    /// `X-Gitlab-Token`.
    pub token: Option<&'r str>,
    /// `webhook-id`.
    pub id: Option<&'r str>,
    /// `webhook-timestamp`.
    pub timestamp: Option<&'r str>,
    /// `webhook-signature`.
    pub signature: Option<&'r str>,
}

impl WebhookKey {
    /// As it is configured here and at the code host.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Whether GitHub signed a body: `X-Hub-Signature-256` is `sha256=` and the HMAC-SHA-256 of its bytes, in hexadecimal.
    pub fn has_signed(&self, signature: &str, body: &[u8]) -> bool {
        let digits = signature.strip_prefix("sha256=");
        let Some(Ok(signature)) = digits.map(|digits| HEXLOWER_PERMISSIVE.decode(digits.as_bytes())) else {
            return false;
        };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes()), body, &signature).is_ok()
    }

    /// Whether a delivery is GitLab's. A secret that begins with `whsec_` signs as Standard Webhooks does, which GitLab calls a
    /// signing token; any other is GitLab's secret token, which comes as it is.
    pub fn has_sent(&self, headers: &GitLabHeaders<'_>, body: &[u8], wall: Timestamp) -> bool {
        if !self.0.starts_with(secret::PREFIX) {
            return headers.token.is_some_and(|token| token.as_bytes().ct_eq(self.0.as_bytes()).into());
        }
        let (Some(id), Some(timestamp), Some(signatures)) = (headers.id, headers.timestamp, headers.signature) else {
            return false;
        };
        let (Some(key), Ok(seconds)) = (WebhookSecret::read(&self.0), timestamp.parse::<i64>()) else { return false };
        wall.as_micros().div_euclid(1_000_000).abs_diff(seconds) <= TOLERANCE_SECONDS
            && key.has_signed(id, timestamp, body, signatures)
    }
}

/// Fetches what alerts are about.
pub trait AlertHosts: Send + Sync {
    /// The texts among which the secret is. The reason of a failure is for the log.
    fn fetch<'h>(&'h self, alert: &'h Alert) -> futures::future::BoxFuture<'h, Result<Vec<Zeroizing<String>>, String>>;

    /// Tells the host that the secret of an alert is revoked, where that is configured.
    fn resolve<'h>(&'h self, alert: &'h Alert) -> futures::future::BoxFuture<'h, Result<(), String>>;
}

impl Leaks {
    /// Writes an alert down, to be worked off.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn queue_alert(&self, alert: &Alert) -> Result<(), Failure> {
        let (host, place, now) = (alert.source(), place_of(alert)?, self.context.now());
        let write = self
            .context
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.queue_leak_alert(host, &place, now).await?) }));
        write.await
    }

    /// Works off the alerts that are due; how many are done.
    ///
    /// # Errors
    /// The store's. The alert it happened at is tried again later.
    pub async fn work_off_alerts(&self, hosts: &dyn AlertHosts) -> Result<usize, Failure> {
        let now = self.context.now();
        let read = self.context.store.read(move |reads| Box::pin(reads.due_leak_alerts(now, AT_ONCE)));
        let mut done = 0;
        for queued in read.await? {
            done += usize::from(self.work_off(queued, hosts).await?);
        }
        Ok(done)
    }

    async fn work_off(&self, queued: LeakAlert, hosts: &dyn AlertHosts) -> Result<bool, Failure> {
        let (host, place) = (queued.host, queued.place.clone());
        let wait = WAITS.get(usize::try_from(queued.attempts).unwrap_or(usize::MAX)).copied();
        let Some(wait) = wait else {
            tracing::error!(
                host = host.as_str(),
                place,
                "an alert about a leaked secret is given up: it could not be worked off for three days"
            );
            self.forget(queued).await?;
            return Ok(false);
        };
        // Taken by exactly one node: the moment changes, and only who read the earlier one changes it.
        let until = self.context.now() + wait;
        let taken = queued.clone();
        let claim = self
            .context
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.postpone_leak_alert(&taken, until).await?) }));
        if !claim.await? {
            return Ok(false);
        }
        let queued = LeakAlert { due_at: until, ..queued };
        let Some(alert) = alert_at(host, &place) else {
            tracing::error!(
                host = host.as_str(),
                place,
                "an alert about a leaked secret cannot be read and is given up"
            );
            self.forget(queued).await?;
            return Ok(false);
        };
        let texts = match hosts.fetch(&alert).await {
            Ok(texts) => texts,
            Err(error) => {
                tracing::warn!(host = host.as_str(), place, error, again_at = %until.rfc3339_seconds(), "the secret of an alert could not be fetched");
                return Ok(false);
            }
        };
        let (mut revoked, mut going) = (0, 0);
        for text in texts.iter().take(MOST_TEXTS) {
            let reported = self.report(text, host, &Origin::internal()).await.map_err(|error| match error {
                super::LeakError::Failed(failure) => failure,
                // A report of a code host is neither limited nor in need of a right.
                other => Failure::Inconsistent(format!("a leak was refused: {other}")),
            })?;
            match reported {
                Reported::Foreign => {}
                Reported::Goes => going += 1,
                Reported::Revoked => revoked += 1,
            }
        }
        tracing::info!(host = host.as_str(), place, revoked, going, "an alert about a leaked secret was worked off");
        if revoked > 0
            && going == 0
            && let Err(error) = hosts.resolve(&alert).await
        {
            tracing::warn!(host = host.as_str(), place, error, again_at = %until.rfc3339_seconds(), "an alert whose secret is revoked could not be resolved");
            return Ok(false);
        }
        self.forget(queued).await?;
        Ok(true)
    }

    async fn forget(&self, queued: LeakAlert) -> Result<(), Failure> {
        let write = self.context.store.write(move |tx| {
            Box::pin(
                async move { Ok::<_, Failure>(tx.delete_leak_alert(queued.host, &queued.place, queued.due_at).await?) },
            )
        });
        write.await.map(drop)
    }
}

fn place_of(alert: &Alert) -> Result<String, Failure> {
    serde_json::to_string(alert).map_err(|error| Failure::Inconsistent(format!("an alert cannot be written: {error}")))
}

/// An alert as it was written down.
fn alert_at(host: LeakSource, place: &str) -> Option<Alert> {
    let alert: Alert = serde_json::from_str(place).ok()?;
    (alert.source() == host).then_some(alert)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn names_from_a_payload_lead_nowhere_else() {
        for name in ["octo-org", "Hello-World", "a", ".github", "octocat_company", "v1.2"] {
            assert!(Alert::github(name, name, 1).is_some(), "{name}");
        }
        for name in ["", ".", "..", "...", "../x", "a/b", "a%2fb", "a?b", "a#b", "a b", "é", "a\\b", &"x".repeat(101)]
        {
            assert_eq!(Alert::github(name, "x", 1), None, "{name}");
            assert_eq!(Alert::github("x", name, 1), None, "{name}");
        }
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for file in ["a", "src/main.rs", ".env", "a b/ä?#%2e.txt", "..."] {
            assert!(Alert::gitlab(1, file, Some(commit)).is_some(), "{file}");
        }
        for file in ["", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", "a\nb", &"x".repeat(1_025)] {
            assert_eq!(Alert::gitlab(1, file, Some(commit)), None, "{file}");
        }
        for commit in ["main", "a/b", "abc123", "..", &"a".repeat(65)] {
            assert_eq!(Alert::gitlab(1, "a", Some(commit)), None, "{commit}");
        }
        let head = Alert::gitlab(1, "a", None);
        for none in ["", "0000000", "0000000000000000000000000000000000000000"] {
            assert_eq!(Alert::gitlab(1, "a", Some(none)), head, "{none}");
        }
        assert!(matches!(head, Some(Alert::GitLab { commit, .. }) if commit == "HEAD"));
    }

    #[test]
    fn an_alert_reads_back_and_fits_its_column() {
        let commit = "a".repeat(64);
        let longest = [
            Alert::github(&"x".repeat(100), &"y".repeat(100), u64::MAX).unwrap(),
            // Each quotation mark takes a byte more.
            Alert::gitlab(u64::MAX, &"\"".repeat(800), Some(&commit)).unwrap(),
        ];
        for alert in longest {
            let place = place_of(&alert).unwrap();
            assert!(place.len() <= 2_000, "{}", place.len());
            assert_eq!(alert_at(alert.source(), &place), Some(alert.clone()));
            assert_eq!(alert_at(LeakSource::Holder, &place), None);
        }
        assert_eq!(alert_at(LeakSource::GitHub, "{}"), None);
    }

    #[test]
    fn the_published_vector_of_github() {
        // "Validating webhook deliveries" in GitHub's documentation.
        let key = WebhookKey::new("It's a Secret to Everybody");
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(key.has_signed(signature, b"Hello, World!"));
        let upper = signature.to_uppercase();
        for (wrong, body) in [
            (signature, "Hello, World?"),
            (&signature[..70], "Hello, World!"),
            (&signature[7..], "Hello, World!"),
            ("sha256=", "Hello, World!"),
            ("sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "Hello, World!"),
            (&upper, "Hello, World!"),
            ("", "Hello, World!"),
        ] {
            assert!(!key.has_signed(wrong, body.as_bytes()), "{wrong} {body}");
        }
        assert!(!WebhookKey::new("another").has_signed(signature, b"Hello, World!"));
        assert_eq!(format!("{key:?}"), "WebhookKey(…)");
    }

    #[test]
    fn a_signing_token_of_gitlab_signs_as_standard_webhooks_does() {
        // The vector that Standard Webhooks publishes.
        let key = WebhookKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let good = GitLabHeaders {
            token: None,
            id: Some("msg_p5jXN8AQM9LWM0D4loKWxJek"),
            timestamp: Some("1614265330"),
            signature: Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        };
        let now = at(1_614_265_330);
        assert!(key.has_sent(&good, body, now));
        let two = GitLabHeaders { signature: Some("v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), ..good };
        assert!(key.has_sent(&two, body, now), "while a secret is exchanged there are two");
        assert!(key.has_sent(&good, body, at(1_614_265_630)));
        for moment in [at(1_614_265_631), at(1_614_265_029), at(0)] {
            assert!(!key.has_sent(&good, body, moment), "an old delivery that was caught");
        }
        for wrong in [
            GitLabHeaders { id: Some("msg_x"), ..good },
            GitLabHeaders { timestamp: Some("1614265331"), ..good },
            GitLabHeaders { timestamp: Some("now"), ..good },
            GitLabHeaders { signature: Some("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), ..good },
            GitLabHeaders { signature: None, ..good },
            GitLabHeaders { id: None, token: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), ..good },
        ] {
            assert!(!key.has_sent(&wrong, body, now), "{wrong:?}");
        }
        assert!(!key.has_sent(&good, b"{}", now));
    }

    #[test]
    fn a_secret_token_of_gitlab_is_compared_as_it_is() {
        let key = WebhookKey::new("a secret token of sixteen");
        let with = |token| GitLabHeaders { token, id: None, timestamp: None, signature: None };
        assert!(key.has_sent(&with(Some("a secret token of sixteen")), b"{}", at(0)));
        for wrong in [None, Some(""), Some("a secret token of sixteeN"), Some("a secret token of sixteen ")] {
            assert!(!key.has_sent(&with(wrong), b"{}", at(0)), "{wrong:?}");
        }
    }

    #[test]
    fn an_alert_is_tried_for_three_days() {
        let whole: i64 = WAITS.iter().map(|wait| wait.as_seconds()).sum();
        assert!((3 * 86_400..4 * 86_400).contains(&whole), "{whole}");
    }
}
