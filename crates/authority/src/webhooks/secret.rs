//! The secrets that sign what is sent: drawn here, sealed under the tag key at rest, shown once.
//!
//! The form and the signature are those of Standard Webhooks: `whsec_` and base64, and an HMAC-SHA-256 over id, moment and body
//! with dots between them, so that none of the three can be exchanged.

use data_encoding::BASE64;
use ring::hmac;
use storage::model::WebhookSecrets;
use token_domain::Timestamp;
use token_domain::id::WebhookId;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::env::random;
use crate::error::Failure;

/// What a secret that signs begins with.
pub(crate) const PREFIX: &str = "whsec_";
/// What a signature begins with.
const VERSION: &str = "v1,";

/// A webhook's secret in the clear. No `Display`, no `Serialize`; `Debug` shows nothing of it.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(whsec_…)")
    }
}

impl WebhookSecret {
    /// 256 random bits, twice what the standard asks for at least.
    pub(super) fn draw(context: &Context) -> Result<Self, Failure> {
        let bits: Zeroizing<[u8; 32]> = Zeroizing::new(random(context.entropy.as_ref())?);
        Ok(Self(Zeroizing::new(bits.to_vec())))
    }

    /// As it is shown, once.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + BASE64.encode_len(self.0.len())));
        text.push_str(PREFIX);
        BASE64.encode_append(&self.0, &mut text);
        text
    }

    /// Reads what [`WebhookSecret::text`] shows, of this deployment or of another sender; nothing where it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let key = BASE64.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// The signature of a message.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let signature = hmac::sign(&key, &signed(id, &seconds.to_string(), body.as_bytes()));
        format!("{VERSION}{}", BASE64.encode(signature.as_ref()))
    }

    /// Whether one of the signatures, with spaces between them, is that of a message. The moment is the text that came with it.
    pub(crate) fn has_signed(&self, id: &str, moment: &str, body: &[u8], signatures: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let message = signed(id, moment, body);
        let is_signature = |text: &str| {
            let decoded = text.strip_prefix(VERSION).map(|text| BASE64.decode(text.as_bytes()));
            decoded.and_then(Result::ok).is_some_and(|signature| hmac::verify(&key, &message, &signature).is_ok())
        };
        signatures.split(' ').any(is_signature)
    }

    /// As it is stored.
    pub(super) fn seal(&self, context: &Context, id: WebhookId) -> Result<Vec<u8>, Failure> {
        let sealed = context.keyring.encrypt(&self.0, &about(id), random(context.entropy.as_ref())?);
        sealed.map_err(|error| Failure::Inconsistent(format!("a webhook's secret cannot be sealed: {error}")))
    }
}

/// The bytes that are signed.
fn signed(id: &str, moment: &str, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{moment}.").as_bytes(), body].concat()
}

/// The secrets that sign at a moment, the one in force first; and the same sealed under the current key, if an earlier one had
/// sealed one of them.
///
/// # Errors
/// A secret that is sealed under a key which this node does not have, or was changed.
pub(super) fn open(
    context: &Context,
    id: WebhookId,
    secrets: &WebhookSecrets,
    now: Timestamp,
) -> Result<(Vec<WebhookSecret>, Option<WebhookSecrets>), Failure> {
    let about = about(id);
    let opened = |sealed: &[u8]| {
        let opened = context.keyring.decrypt(sealed, &about);
        opened.map_err(|error| Failure::Inconsistent(format!("the secret of webhook {id} cannot be used: {error}")))
    };
    let current = opened(&secrets.current)?;
    let previous = secrets.previous.as_ref().filter(|(_, until)| now < *until);
    let previous = previous.map(|(sealed, until)| opened(sealed).map(|opened| (opened, *until))).transpose()?;
    let is_old = current.by_previous_key || previous.as_ref().is_some_and(|(opened, _)| opened.by_previous_key);
    let until = previous.as_ref().map(|(_, until)| *until);
    let mut signing = vec![WebhookSecret(current.plain)];
    signing.extend(previous.map(|(opened, _)| WebhookSecret(opened.plain)));
    if !is_old {
        return Ok((signing, None));
    }
    let mut sealed = signing.iter().map(|secret| secret.seal(context, id)).collect::<Result<Vec<_>, _>>()?.into_iter();
    let current = sealed.next().unwrap_or_default();
    Ok((signing, Some(WebhookSecrets { current, previous: sealed.next().zip(until) })))
}

/// What a sealed secret belongs to.
fn about(id: WebhookId) -> Vec<u8> {
    [b"webhook\0".as_slice(), id.uuid().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_of_standard_webhooks() {
        let secret = WebhookSecret(Zeroizing::new(BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()));
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(secret.text().starts_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "{}", *secret.text());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(whsec_…)");
    }
}
