//! A sign-in under way: what the browser keeps between leaving for a provider and coming back.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secret_hash::Keyring;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use token_domain::{Span, Timestamp};
use zeroize::Zeroizing;

use super::{Provider, Recency};

/// How long a person may take at the provider.
pub const ATTEMPT_LIFETIME: Span = Span::seconds(600);

/// A sign-in under way. What goes to the provider is made of its secret, and tells nothing of it.
pub(super) struct Attempt {
    secret: Zeroizing<[u8; 32]>,
    provider: String,
    recency: Recency,
    next: String,
    begun_at: Timestamp,
}

impl Attempt {
    pub(super) fn new(secret: [u8; 32], provider: &Provider, recency: Recency, next: &str, now: Timestamp) -> Self {
        let secret = Zeroizing::new(secret);
        Self { secret, provider: provider.id.clone(), recency, next: next.to_owned(), begun_at: now }
    }

    /// Reads what [`Attempt::cookie`] wrote, if it is of this deployment and provider and not over.
    pub(super) fn read(cookie: &str, provider: &Provider, keyring: &Keyring, now: Timestamp) -> Option<Self> {
        let mut parts = cookie.splitn(6, '.');
        let (mac, begun, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let (id, recency, next) = (parts.next()?, parts.next()?, parts.next()?);
        let attempt = Self {
            secret: Zeroizing::new(HEXLOWER.decode(secret.as_bytes()).ok()?.try_into().ok()?),
            provider: id.to_owned(),
            recency: if recency == Recency::Now.as_str() { Recency::Now } else { Recency::Any },
            next: next.to_owned(),
            begun_at: Timestamp::from_micros(begun.parse().ok()?),
        };
        let is_ours = bool::from(attempt.mac(keyring).as_bytes().ct_eq(mac.as_bytes()));
        (is_ours && id == provider.id && now < attempt.ends_at()).then_some(attempt)
    }

    /// The text that the browser keeps.
    pub(super) fn cookie(&self, keyring: &Keyring) -> String {
        let (mac, begun, secret) = (self.mac(keyring), self.begun_at.as_micros(), self.shown_secret());
        let Self { provider, next, .. } = self;
        format!("{mac}.{begun}.{}.{provider}.{}.{next}", secret.as_str(), self.recency.as_str())
    }

    fn shown_secret(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&*self.secret))
    }

    fn mac(&self, keyring: &Keyring) -> String {
        let begun = self.begun_at.as_micros().to_string();
        let secret = self.shown_secret();
        let texts = [begun.as_str(), &secret, &self.provider, self.recency.as_str(), &self.next];
        HEXLOWER.encode(&keyring.pseudonym("sign-in attempt", &texts))
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(b"nolapse sign-in attempt\0");
        digest.update(purpose.as_bytes());
        digest.update(b"\0");
        digest.update(*self.secret);
        digest.finalize().into()
    }

    fn shown(&self, purpose: &str) -> String {
        BASE64URL_NOPAD.encode(&self.derived(purpose))
    }

    /// What the provider has to return with its answer.
    pub(super) fn state(&self) -> String {
        self.shown("state")
    }

    /// What the identity token has to hold.
    pub(super) fn nonce(&self) -> String {
        self.shown("nonce")
    }

    /// What the code is redeemed with (RFC 7636 §4.1).
    pub(super) fn verifier(&self) -> Zeroizing<String> {
        Zeroizing::new(self.shown("verifier"))
    }

    /// What the attempt is remembered by once it was used.
    pub(super) fn spent(&self) -> [u8; 32] {
        self.derived("spent")
    }

    /// Until when it counts.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.begun_at + ATTEMPT_LIFETIME
    }

    /// When the browser left.
    pub(super) const fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Whether the person was to prove who they are anew.
    pub(super) const fn recency(&self) -> Recency {
        self.recency
    }

    /// The page to show afterwards.
    pub(super) fn next(&self) -> &str {
        &self.next
    }
}
