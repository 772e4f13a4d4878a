//! Secrets that must be read again, such as those of second factors: encrypted under a key that the database never sees.
//!
//! The key is derived from the tag key, so that operators keep and rotate one key only. The alternative, a separate
//! key, would be another one to create, mount, rotate and lose. Unlike a tag, which can be written again, a secret
//! sealed under a lost key is lost.

use core::array;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{KeyId, Keyring};

/// Domain separation of the sealing key from other uses of the tag key.
const PURPOSE: &[u8] = b"nolapse-tokens/seal/v1\0";
/// Bytes before the ciphertext: the key id, big-endian, and the nonce.
const FRONT: usize = 4 + NONCE_LEN;

/// The id of the key that sealed these bytes; `None` if they are too short.
pub fn sealing_key(sealed: &[u8]) -> Option<KeyId> {
    sealed.first_chunk().map(|id| KeyId(u32::from_be_bytes(*id)))
}

/// An opened secret.
pub struct Opened {
    /// The secret. Overwritten when dropped.
    pub plain: Zeroizing<Vec<u8>>,
    /// Whether a previous key sealed it: then seal it again.
    pub by_previous_key: bool,
}

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The sealed bytes name a key that this node does not have.
    #[error("it is sealed under key {0}, which this node does not have: put that key back into keys.previous_tag_keys")]
    UnknownKey(KeyId),
    /// The bytes were changed, or were sealed for another owner.
    #[error("it is not what was sealed: restore the row from a backup")]
    Broken,
}

impl Keyring {
    /// Encrypts a secret under the current key. `about` is authenticated with it: the secret opens only with the same
    /// `about`, so that rows cannot be swapped. `nonce` is fresh from a cryptographic generator; 96 bits at random are
    /// good for billions of secrets.
    ///
    /// 4 bytes of key id, 12 of nonce, then ChaCha20-Poly1305, which is fast without AES instructions and needs no
    /// tables. The result is 32 bytes longer than the secret.
    pub fn encrypt(&self, plain: &[u8], about: &[u8], nonce: [u8; NONCE_LEN]) -> Result<Vec<u8>, SealError> {
        let front = self.current.id.0.to_be_bytes();
        seal(&self.current.derive(PURPOSE), &front, nonce, about, plain).ok_or(SealError::Broken)
    }

    /// Decrypts what [`Keyring::encrypt`] made with the same `about`, under any key of this ring.
    pub fn decrypt(&self, sealed: &[u8], about: &[u8]) -> Result<Opened, SealError> {
        let (front, encrypted) = sealed.split_first_chunk::<FRONT>().ok_or(SealError::Broken)?;
        let id = KeyId(u32::from_be_bytes(array::from_fn(|i| front[i])));
        let by_previous_key = id != self.current.id;
        let keyed = if by_previous_key { self.previous.iter().find(|key| key.id == id) } else { Some(&self.current) };
        let key = keyed.ok_or(SealError::UnknownKey(id))?.derive(PURPOSE);
        let plain = open(&key, array::from_fn(|i| front[4 + i]), about, encrypted).ok_or(SealError::Broken)?;
        Ok(Opened { plain, by_previous_key })
    }
}

/// `front`, the nonce, and the ciphertext with its tag. `None` only if the cipher fails.
pub(crate) fn seal(
    key: &[u8; 32],
    front: &[u8],
    nonce: [u8; NONCE_LEN],
    about: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    // With its full capacity at once: a buffer that grows would leave a copy of the secret in freed memory.
    let begin = front.len() + NONCE_LEN;
    let mut sealed = Vec::with_capacity(begin + plain.len() + CHACHA20_POLY1305.tag_len());
    sealed.extend_from_slice(front);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher(key)?.seal_in_place_separate_tag(nonce, Aad::from(about), &mut sealed[begin..]).ok()?;
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

/// What was sealed with this key, nonce and `about`; `None` for anything else.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: [u8; NONCE_LEN],
    about: &[u8],
    encrypted: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(encrypted.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key)?.open_in_place(nonce, Aad::from(about), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// Fails only for a key of another length.
fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).ok()
}
