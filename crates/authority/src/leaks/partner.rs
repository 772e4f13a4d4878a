//! Reports of code hosts that scan for leaked tokens: who signed one, and what is in it.
//!
//! The body is signed as it came, by ECDSA P-256 with SHA-256, under a key of the host's public list. A key is named by the
//! SHA-256 of its PEM text.

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What stands before the point of a P-256 key in its `SubjectPublicKeyInfo` (RFC 5480 §2): the algorithm and the curve. A key
/// of another sort has another beginning.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point.
const POINT: usize = 65;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// The public keys of a host, as it serves them.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyList {
    public_keys: Vec<ListedKey>,
}

#[derive(Clone, Debug, Deserialize)]
struct ListedKey {
    key_identifier: String,
    key: String,
}

/// One finding of a report.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// What was found.
    pub token: zeroize::Zeroizing<String>,
    /// The name the host gave the pattern.
    #[serde(rename = "type")]
    pub token_type: String,
    /// Where it stands.
    #[serde(default)]
    pub url: String,
    /// In what: `commit`, `issue` and the like.
    #[serde(default)]
    pub source: String,
}

/// What the host is told of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Feedback {
    /// The SHA-256 of the token, in Base64: it is not repeated.
    pub token_hash: String,
    /// As it came.
    pub token_type: String,
    /// Whether it was a token.
    pub label: Label,
}

/// Whether a finding was a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A token of this deployment, good or revoked already.
    TruePositive,
    /// None of ours.
    FalsePositive,
}

impl KeyList {
    /// Whether a key of that name is in the list.
    pub fn has(&self, identifier: &str) -> bool {
        self.public_keys.iter().any(|key| key.key_identifier == identifier)
    }

    /// Whether the key of that name signed this body. A key whose name is not the hash of its text signs nothing: the list
    /// was tampered with, or is not what it should be.
    pub fn has_signed(&self, identifier: &str, signature: &str, body: &[u8]) -> bool {
        let key = self.public_keys.iter().find(|key| key.key_identifier == identifier);
        let Some(point) = key.filter(|key| key.is_named_well()).and_then(ListedKey::point) else { return false };
        let Ok(signature) = BASE64.decode(signature.trim().as_bytes()) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(body, &signature).is_ok()
    }
}

impl ListedKey {
    /// Hosts hash the text with the line break at its end, whether or not they serve it.
    fn is_named_well(&self) -> bool {
        let text = format!("{}\n", self.key.trim_end());
        HEXLOWER.encode(&Sha256::digest(text.as_bytes())) == self.key_identifier
    }

    /// The point of the key, if it is one of P-256.
    fn point(&self) -> Option<[u8; POINT]> {
        let body = self.key.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let encoded: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        let decoded = BASE64.decode(encoded.as_bytes()).ok()?;
        decoded.strip_prefix(P256.as_slice())?.try_into().ok()
    }
}

impl Feedback {
    /// On this finding.
    pub fn on(finding: &Finding, label: Label) -> Self {
        Self {
            token_hash: BASE64.encode(&Sha256::digest(finding.token.as_bytes())),
            token_type: finding.token_type.clone(),
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c";
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----";
    const BODY: &str =
        r#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
    const SIGNATURE: &str =
        "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";

    fn list(name: &str, key: &str) -> KeyList {
        KeyList { public_keys: vec![ListedKey { key_identifier: name.to_owned(), key: key.to_owned() }] }
    }

    /// The example of the host's own documentation.
    #[test]
    fn the_published_example_verifies_and_nothing_beside_it() {
        assert!(list(NAME, KEY).has_signed(NAME, SIGNATURE, BODY.as_bytes()));
        assert!(list(NAME, &format!("{KEY}\n")).has_signed(NAME, SIGNATURE, BODY.as_bytes()));
        let other_key = KEY.replace("YAGM", "YAGN");
        assert_ne!(other_key, KEY);
        let other_name = HEXLOWER.encode(&Sha256::digest(format!("{other_key}\n").as_bytes()));
        let padded = format!("{SIGNATURE}AAAA");
        let rows = [
            (list(NAME, KEY), NAME, SIGNATURE, BODY.replace("some_token", "some_tokem")),
            (list(NAME, KEY), NAME, SIGNATURE, format!("{BODY}\n")),
            (list(NAME, KEY), "unknown", SIGNATURE, BODY.to_owned()),
            (list(NAME, KEY), NAME, "", BODY.to_owned()),
            (list(NAME, KEY), NAME, "not base64", BODY.to_owned()),
            (list(NAME, KEY), NAME, padded.as_str(), BODY.to_owned()),
            (list("made-up", KEY), "made-up", SIGNATURE, BODY.to_owned()),
            (list(NAME, &other_key), NAME, SIGNATURE, BODY.to_owned()),
            (list(&other_name, &other_key), other_name.as_str(), SIGNATURE, BODY.to_owned()),
            (list(NAME, "no key"), NAME, SIGNATURE, BODY.to_owned()),
        ];
        for (keys, name, signature, body) in rows {
            assert!(!keys.has_signed(name, signature, body.as_bytes()), "{name} {signature} {body}");
        }
    }

    #[test]
    fn feedback_repeats_no_token() {
        let findings: Vec<Finding> = serde_json::from_str(BODY).unwrap();
        let told = serde_json::to_value(Feedback::on(&findings[0], Label::FalsePositive)).unwrap();
        let expected = serde_json::json!({
            "token_hash": "mkVSChIT8VAW0tdotfs9kESSpE7idLRNTeiAPgD7U2o=",
            "token_type": "some_type",
            "label": "false_positive",
        });
        assert_eq!(told, expected);
        assert!(!told.to_string().contains("some_token"));
    }
}
