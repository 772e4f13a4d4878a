//! Stored hashes: known answers, hashes of other tools, and hashes that must not verify.

use crate::common::{CHEAP, LEGACY, SALT, TOKENS, token};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret_hash::{Argon2Params, Scheme, SchemeKind, StoredHash, hash, verify};
use token_format::PlainToken;

const fn argon2id(memory_kib: u32, iterations: u32, parallelism: u32) -> Scheme {
    Scheme::Argon2id(Argon2Params { memory_kib, iterations, parallelism })
}

/// Scheme, and the hash of the first example token under the common salt. bcrypt by pyca/bcrypt 5.0, argon2id by the
/// reference implementation (argon2-cffi 25.1), SHA-256 by Python's hashlib.
const KNOWN: [(Scheme, &str); 6] = [
    (Scheme::Bcrypt { cost: 4 }, "$2b$04$C/CQCvOTDfaWEPmZF/ycFukiyQB4VVXzctz4bK2tQKebsudBInSoy"),
    (Scheme::Bcrypt { cost: 10 }, "$2b$10$C/CQCvOTDfaWEPmZF/ycFuCDcf3LZwjowj7IswYTmWsnO3cjrOaTe"),
    (
        argon2id(8, 1, 1),
        "$argon2id$v=19$m=8,t=1,p=1$EBESExQVFhcYGRobHB0eHw$VTNXygSOnVpjL24x+HaseIHAXzu7ILWx2ZmAGGRJRv0",
    ),
    (
        argon2id(64, 3, 2),
        "$argon2id$v=19$m=64,t=3,p=2$EBESExQVFhcYGRobHB0eHw$ZVSKKO5oL5LGFsf8vPsch3OUT2T24GlUAUX2nva+rBE",
    ),
    (
        argon2id(19_456, 2, 1),
        "$argon2id$v=19$m=19456,t=2,p=1$EBESExQVFhcYGRobHB0eHw$k1xnYuoG6dRFqZqpkYvf6G0Mbc3MTO6Rh+QSTRJvx94",
    ),
    (Scheme::Sha256, "$sha256$b4f603f25c583357ec0d51b3273f34a97544984cc16a8fa085b2a0408ab16c8c"),
];

#[test]
fn every_scheme_gives_the_known_answer() {
    for (scheme, expected) in KNOWN {
        let made = hash(&token(TOKENS[0]), &scheme, SALT).unwrap();
        assert_eq!(made.as_str(), expected);
        assert_eq!(made.kind(), scheme.kind());
        assert_eq!(made.is_slow(), scheme.is_slow());
        assert!(verify(&token(TOKENS[0]), &made).unwrap(), "{scheme:?}");
    }
}

#[test]
fn hashes_of_other_tools_verify_and_say_whether_they_meet_the_scheme() {
    let first = TOKENS[0];
    // Text, its token, a scheme, and whether the text meets the scheme.
    let cases = [
        // perl's crypt (libxcrypt) and pyca/bcrypt.
        ("$2y$05$DBCTDBCTDBCTDBCTDBCTDOYfw5auvK7mQy23WlXrPJrfS87h3DV1i", first, Scheme::Bcrypt { cost: 5 }, true),
        ("$2a$04$C/CQCvOTDfaWEPmZF/ycFukiyQB4VVXzctz4bK2tQKebsudBInSoy", first, Scheme::Bcrypt { cost: 4 }, true),
        ("$2b$05$C/CQCvOTDfaWEPmZF/ycFuI2/KqnXVk/fFzflpmrJfH4N207yEzzm", LEGACY, Scheme::Bcrypt { cost: 10 }, false),
        ("$2b$05$C/CQCvOTDfaWEPmZF/ycFuI2/KqnXVk/fFzflpmrJfH4N207yEzzm", LEGACY, Scheme::Sha256, false),
        // argon2 of before 2016, which differs from the current one by the version only.
        (
            "$argon2id$v=16$m=32,t=2,p=1$EBESExQVFhcYGRobHB0eHw$cEJaSsB1omdrotK6r0IRF4zLTiy2D4sFtYcKvJrmvIc",
            first,
            argon2id(32, 2, 1),
            false,
        ),
        (
            "$argon2id$m=32,t=2,p=1$EBESExQVFhcYGRobHB0eHw$cEJaSsB1omdrotK6r0IRF4zLTiy2D4sFtYcKvJrmvIc",
            first,
            argon2id(32, 2, 1),
            false,
        ),
        // The same cost in another order is the same cost.
        (
            "$argon2id$v=19$t=1,p=1,m=8$EBESExQVFhcYGRobHB0eHw$VTNXygSOnVpjL24x+HaseIHAXzu7ILWx2ZmAGGRJRv0",
            first,
            argon2id(8, 1, 1),
            true,
        ),
    ];
    for (text, secret, scheme, meets) in cases {
        let stored = StoredHash::parse(text).unwrap();
        assert_eq!(stored.as_str(), text);
        assert!(verify(&token(secret), &stored).unwrap(), "{text}");
        assert!(!verify(&token(TOKENS[1]), &stored).unwrap(), "{text}");
        assert_eq!(stored.meets(&scheme), meets, "{text}");
    }
}

#[test]
fn a_hash_meets_exactly_the_scheme_that_made_it() {
    for (made_with, text) in KNOWN {
        let stored = StoredHash::parse(text).unwrap();
        for (scheme, _) in KNOWN {
            assert_eq!(stored.meets(&scheme), scheme == made_with, "{text} and {scheme:?}");
        }
    }
}

#[test]
fn a_changed_hash_never_verifies() {
    for (_, text) in KNOWN.into_iter().filter(|(scheme, _)| CHEAP.contains(scheme)) {
        // Everything behind the cost: salt and hash, or the hash alone.
        let from = text.rfind('$').unwrap() + 1;
        for position in from..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[position] = if changed[position] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            // A change of padding bits may make it malformed instead: refused either way.
            if let Ok(stored) = StoredHash::parse(&changed) {
                assert!(!verify(&token(TOKENS[0]), &stored).unwrap(), "{changed}");
            }
        }
    }
}

#[test]
fn the_salt_changes_the_slow_hashes_only() {
    for scheme in CHEAP {
        let one = hash(&token(TOKENS[0]), &scheme, [1; 16]).unwrap();
        let other = hash(&token(TOKENS[0]), &scheme, [2; 16]).unwrap();
        assert_eq!(one.as_str() != other.as_str(), scheme.is_slow(), "{scheme:?}");
    }
    assert_eq!(CHEAP.map(|scheme| scheme.kind()), [SchemeKind::Bcrypt, SchemeKind::Argon2id, SchemeKind::Sha256]);
}

#[test]
fn debug_shows_no_hash() {
    for (scheme, text) in KNOWN {
        let shown = format!("{:?}", StoredHash::parse(text).unwrap());
        assert!(shown.contains(scheme.kind().as_str()), "{shown}");
        assert!(!shown.contains(&text[text.rfind('$').unwrap() + 1..]), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, rng_seed: RngSeed::Fixed(0x6861_7368), failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn a_hash_verifies_its_own_token_and_no_other(one: [u8; 16], other: [u8; 16], salt: [u8; 16]) {
        prop_assume!(one != other);
        for scheme in CHEAP {
            let stored = hash(&PlainToken::from_random(one), &scheme, salt).unwrap();
            prop_assert!(stored.meets(&scheme));
            let stored = StoredHash::parse(stored.as_str()).unwrap();
            prop_assert!(verify(&PlainToken::from_random(one), &stored).unwrap());
            prop_assert!(!verify(&PlainToken::from_random(other), &stored).unwrap());
        }
    }

    #[test]
    fn tokens_that_differ_in_one_character_have_different_hashes(random: [u8; 16], position in 4..44_usize, to in "[A-Za-z0-9]") {
        let right = PlainToken::from_random(random);
        let mut text = right.expose().to_owned();
        text.replace_range(position..=position, &to);
        let wrong = token(&text);
        prop_assume!(!wrong.ct_eq(&right));
        for scheme in CHEAP {
            prop_assert!(!verify(&wrong, &hash(&right, &scheme, SALT).unwrap()).unwrap());
        }
    }
}
