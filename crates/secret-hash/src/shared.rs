//! Facts about a token that nodes keep for each other in a cache that others may read and write: named and encrypted so that
//! only who knows the token's digest and the tag key can read an entry, or make one that opens.
//!
//! Each token's entries have a key of their own. One key for all would need a nonce that never repeats over billions of
//! entries; 96 bits at random are good for the entries of one token, and an entry of another token does not open.

use core::mem;

use ring::aead::NONCE_LEN;
use zeroize::Zeroizing;

use crate::sealed::{open, seal};
use crate::{Keyring, Tag};

/// Domain separation of the names and keys of entries from other uses of the tag key. The number is that of the format: entries
/// of another do not open.
const NAME: &[u8] = b"nolapse-tokens/shared-entry-name/v1\0";
const KEY: &[u8] = b"nolapse-tokens/shared-entry/v1\0";

impl Keyring {
    /// What the entry of a token goes by. Without the tag key it tells nothing about the token.
    pub fn shared_name(&self, digest: &Tag) -> [u8; 32] {
        *self.current.derive(&[NAME, digest.as_bytes()].concat())
    }

    /// Encrypts and authenticates an entry of a token: the nonce, then ChaCha20-Poly1305. `nonce` is fresh from a cryptographic
    /// generator. `None` only if the cipher fails.
    pub fn seal_shared(&self, digest: &Tag, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        seal(&self.shared_key(digest), &[], nonce, &[], plain)
    }

    /// What was sealed for this token under the current key; `None` for anything else. The comparison is constant-time.
    pub fn open_shared(&self, digest: &Tag, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = open(&self.shared_key(digest), *nonce, &[], encrypted)?;
        Some(mem::take(&mut *plain))
    }

    fn shared_key(&self, digest: &Tag) -> Zeroizing<[u8; 32]> {
        self.current.derive(&[KEY, digest.as_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use token_format::PlainToken;

    use super::*;
    use crate::TagKey;

    fn keyring(key: u8) -> Keyring {
        Keyring::new(&TagKey::from_bytes([key; 32]), &[]).unwrap()
    }

    fn digest(keyring: &Keyring, secret: &str) -> Tag {
        keyring.digest(&PlainToken::parse(secret).unwrap())
    }

    const ONE: &str = "nlp_00112233445566778899aabbccddeeff550c911c";
    const OTHER: &str = "nlp_00112233445566778899aabbccddeeff550c911d";

    #[test]
    fn an_entry_opens_for_its_token_and_key_alone() {
        let (ours, theirs) = (keyring(1), keyring(2));
        let (one, other) = (digest(&ours, ONE), digest(&ours, OTHER));
        let sealed = ours.seal_shared(&one, b"facts", [9; NONCE_LEN]).unwrap();
        assert_eq!(ours.open_shared(&one, &sealed).as_deref(), Some(&b"facts"[..]));
        assert_eq!(ours.open_shared(&other, &sealed), None, "an entry of another token");
        assert_eq!(theirs.open_shared(&one, &sealed), None, "another tag key");
        assert_eq!(theirs.open_shared(&digest(&theirs, ONE), &sealed), None, "another tag key");
        assert_eq!(ours.open_shared(&one, b""), None);
    }

    #[test]
    fn a_changed_bit_anywhere_and_a_missing_end_are_noticed() {
        let ours = keyring(1);
        let one = digest(&ours, ONE);
        let sealed = ours.seal_shared(&one, b"some facts about a token", [9; NONCE_LEN]).unwrap();
        for (at, bit) in (0..sealed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(ours.open_shared(&one, &changed), None, "bit {bit} of byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(ours.open_shared(&one, &sealed[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn names_differ_by_token_and_key_and_show_neither_digest_nor_text() {
        let (ours, theirs) = (keyring(1), keyring(2));
        let one = digest(&ours, ONE);
        let names = [ours.shared_name(&one), ours.shared_name(&digest(&ours, OTHER)), theirs.shared_name(&one)];
        assert!(names[0] != names[1] && names[0] != names[2] && names[0] != *one.as_bytes());
        let sealed = ours.seal_shared(&one, b"acme", [9; NONCE_LEN]).unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"acme"));
    }
}
