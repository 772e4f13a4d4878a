//! Look-up hints and keyed tags: known answers, key rotation, and tags that must not match.

use crate::common::{TOKENS, token};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret_hash::{KeyId, Keyring, KeyringError, LookupHint, TagCheck, TagKey, TagKeyError, VerifyTag, lookup_hint};
use token_format::PlainToken;

/// Key of bytes 0x00 to 0x1f: its digits, its id, and the HMAC of each example token. By Python's hashlib and hmac.
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_ID: KeyId = KeyId(0x9c6c_3e5c);
const MACS: [&str; 3] = [
    "3f87bef86e6190da2cff196e440381b5af3b3f83a69790469c6640f920d7cccc",
    "4eae90210764449d8e47932e7d0fda4a520d72380a7f47b1fb462a3d4dc06766",
    "509ea9229046704b9428d5027722c01b3c0c228b2e0284e8c19248d5dd634ae0",
];
/// Key of 32 times 0x42: its id, and the HMAC of the first example token.
const OTHER_KEY_ID: KeyId = KeyId(0x487a_0b4e);
const OTHER_MAC: &str = "211ef8e778199ba024d8b21c2c2ae381f2cc988679b6ced6f5f5a8a8d2cb9bfd";

fn key() -> TagKey {
    TagKey::from_hex(KEY).expect("64 digits")
}

fn other_key() -> TagKey {
    TagKey::from_bytes([0x42; 32])
}

fn ring(current: &TagKey, previous: &[TagKey]) -> Keyring {
    Keyring::new(current, previous).expect("different keys")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn look_up_hints_are_as_computed_elsewhere() {
    let expected = [-811_196_005_188_993_178, 5_331_670_301_722_910_509, 7_510_674_750_680_734_372];
    for (text, hint) in TOKENS.into_iter().zip(expected) {
        assert_eq!(lookup_hint(&token(text)), LookupHint(hint), "{text}");
    }
}

#[test]
fn tags_are_as_computed_elsewhere() {
    let ring = ring(&key(), &[]);
    assert_eq!((key().id(), ring.current_id(), other_key().id()), (KEY_ID, KEY_ID, OTHER_KEY_ID));
    for (text, mac) in TOKENS.into_iter().zip(MACS) {
        let digest = ring.digest(&token(text));
        assert_eq!(hex(digest.as_bytes()), mac);
        assert_eq!(hex(&ring.seal(&digest).to_bytes()), format!("9c6c3e5c{mac}"));
    }
    assert_eq!(hex(self::ring(&other_key(), &[]).digest(&token(TOKENS[0])).as_bytes()), OTHER_MAC);
}

#[test]
fn each_tag_gets_its_verdict() {
    let (first, second) = (token(TOKENS[0]), token(TOKENS[1]));
    let (old, new) = (ring(&key(), &[]), ring(&other_key(), &[key()]));
    let by_old = old.seal(&old.digest(&first));
    let by_new = new.seal(&new.digest(&first));
    // Ring, token, stored tag of the first token, verdict.
    let cases = [
        (&old, &first, by_old, TagCheck::Match),
        (&old, &second, by_old, TagCheck::Mismatch),
        (&old, &first, by_new, TagCheck::UnknownKey),
        (&old, &second, by_new, TagCheck::UnknownKey),
        (&new, &first, by_new, TagCheck::Match),
        (&new, &second, by_new, TagCheck::Mismatch),
        (&new, &first, by_old, TagCheck::MatchPreviousKey),
        (&new, &second, by_old, TagCheck::Mismatch),
    ];
    for (ring, token, stored, expected) in cases {
        let found = ring.check(token, &ring.digest(token), &stored);
        assert_eq!(found, expected, "{ring:?}, {token:?}, {stored:?}");
    }
}

#[test]
fn a_tag_does_not_match_under_another_keys_id() {
    let (first, ring) = (token(TOKENS[0]), ring(&other_key(), &[key()]));
    let mut bytes = ring.seal(&ring.digest(&first)).to_bytes();
    bytes[..4].copy_from_slice(&KEY_ID.0.to_be_bytes());
    let renamed = VerifyTag::from_bytes(&bytes).unwrap();
    assert_eq!(ring.check(&first, &ring.digest(&first), &renamed), TagCheck::Mismatch);
}

#[test]
fn a_key_given_twice_is_refused() {
    let cases = [
        (vec![], Ok(())),
        (vec![other_key()], Ok(())),
        (vec![key()], Err(KeyringError { id: KEY_ID })),
        (vec![other_key(), key()], Err(KeyringError { id: KEY_ID })),
        (vec![other_key(), other_key()], Err(KeyringError { id: OTHER_KEY_ID })),
    ];
    for (previous, expected) in cases {
        assert_eq!(Keyring::new(&key(), &previous).map(drop), expected, "{previous:?}");
    }
}

#[test]
fn keys_are_64_hexadecimal_digits() {
    assert_eq!(TagKey::from_hex(&KEY.to_uppercase()).unwrap().id(), KEY_ID);
    for text in [
        "",
        "00",
        &KEY[1..],
        &format!("{KEY}0"),
        &format!(" {}", &KEY[1..]),
        &format!("{}g", &KEY[1..]),
        &format!("{}é", &KEY[2..]),
    ] {
        assert_eq!(TagKey::from_hex(text).map(drop), Err(TagKeyError), "{text:?}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let ring = ring(&key(), &[other_key()]);
    let digest = ring.digest(&token(TOKENS[0]));
    assert_eq!(format!("{:?}", key()), "TagKey(9c6c3e5c)");
    assert_eq!(format!("{ring:?}"), "Keyring { current: KeyId(9c6c3e5c), previous: [KeyId(487a0b4e)] }");
    assert_eq!(format!("{digest:?}"), "Tag(…)");
    assert_eq!(format!("{:?}", ring.seal(&digest)), "VerifyTag(key 9c6c3e5c)");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, rng_seed: RngSeed::Fixed(0x7461_6773), failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn a_tag_proves_its_own_token_and_no_other(bytes: [u8; 32], one: [u8; 16], other: [u8; 16]) {
        prop_assume!(one != other);
        let ring = ring(&TagKey::from_bytes(bytes), &[]);
        let (one, other) = (PlainToken::from_random(one), PlainToken::from_random(other));
        let stored = VerifyTag::from_bytes(&ring.seal(&ring.digest(&one)).to_bytes()).unwrap();
        prop_assert_eq!(ring.check(&one, &ring.digest(&one), &stored), TagCheck::Match);
        prop_assert_eq!(ring.check(&other, &ring.digest(&other), &stored), TagCheck::Mismatch);
        prop_assert_ne!(ring.digest(&one), ring.digest(&other));
        prop_assert_ne!(lookup_hint(&one), lookup_hint(&other));
    }

    #[test]
    fn a_tag_with_one_bit_changed_proves_nothing(bit in 0..8 * VerifyTag::LEN) {
        let (first, ring) = (token(TOKENS[0]), ring(&key(), &[]));
        let mut bytes = ring.seal(&ring.digest(&first)).to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let changed = VerifyTag::from_bytes(&bytes).unwrap();
        let expected = if bit < 32 { TagCheck::UnknownKey } else { TagCheck::Mismatch };
        prop_assert_eq!(ring.check(&first, &ring.digest(&first), &changed), expected);
    }
}
