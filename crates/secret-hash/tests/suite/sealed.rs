//! A sealed secret opens unchanged under a key of the ring and with the same `about`, and not otherwise.

use secret_hash::{Keyring, SealError, TagKey};

const ABOUT: &[u8] = b"user 1";
const NONCE: [u8; 12] = [9; 12];

fn key(byte: u8) -> TagKey {
    TagKey::from_bytes([byte; 32])
}

fn ring(current: u8, previous: &[u8]) -> Keyring {
    let previous: Vec<TagKey> = previous.iter().copied().map(key).collect();
    Keyring::new(&key(current), &previous).expect("distinct keys")
}

#[test]
fn a_sealed_secret_opens_while_the_ring_has_its_key() {
    let sealed = ring(1, &[]).encrypt(b"a secret", ABOUT, NONCE).unwrap();
    assert_eq!(sealed.len(), b"a secret".len() + 32);
    assert!(!sealed.windows(8).any(|window| window == b"a secret"));
    for (ring, by_previous_key) in [(ring(1, &[]), false), (ring(2, &[3, 1]), true)] {
        let opened = ring.decrypt(&sealed, ABOUT).unwrap();
        assert_eq!((opened.plain.as_slice(), opened.by_previous_key), (b"a secret".as_slice(), by_previous_key));
    }
    let unknown = ring(2, &[3]).decrypt(&sealed, ABOUT).map(drop);
    assert_eq!(unknown, Err(SealError::UnknownKey(key(1).id())));
    let other = ring(1, &[]).encrypt(b"a secret", ABOUT, [8; 12]).unwrap();
    assert_ne!(sealed[16..], other[16..], "another nonce, other bytes");
}

#[test]
fn changed_bytes_do_not_open() {
    let ring = ring(1, &[2]);
    let sealed = ring.encrypt(b"a secret", ABOUT, NONCE).unwrap();
    assert_eq!(ring.decrypt(&sealed, b"user 2").map(drop), Err(SealError::Broken), "it is somebody else's");
    for length in 0..sealed.len() {
        assert!(ring.decrypt(&sealed[..length], ABOUT).is_err(), "{length}");
    }
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(ring.decrypt(&changed, ABOUT).is_err(), "{place}");
    }
    let empty = ring.encrypt(b"", ABOUT, NONCE).unwrap();
    assert!(ring.decrypt(&empty, ABOUT).unwrap().plain.is_empty());
}
