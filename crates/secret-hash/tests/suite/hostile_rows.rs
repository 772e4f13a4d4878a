//! Invalid stored texts: malformed ones are refused with a reason, excessive costs are refused before any hashing, and
//! nothing panics.

use std::hint::black_box;

use crate::common::{TOKENS, token};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret_hash::password::PasswordHash;
use secret_hash::{Argon2Params, HashError, Scheme, SchemeKind, StoredHash, VerifyTag, hash, verify};

const BCRYPT_BODY: &str = "C/CQCvOTDfaWEPmZF/ycFukiyQB4VVXzctz4bK2tQKebsudBInSoy";
const ARGON2_BODY: &str = "EBESExQVFhcYGRobHB0eHw$VTNXygSOnVpjL24x+HaseIHAXzu7ILWx2ZmAGGRJRv0";
const SHA256_BODY: &str = "b4f603f25c583357ec0d51b3273f34a97544984cc16a8fa085b2a0408ab16c8c";

#[test]
fn malformed_texts_are_refused() {
    use SchemeKind::{Argon2id, Bcrypt, Sha256};
    let cases = [
        (String::new(), None),
        ("$".to_owned(), None),
        (TOKENS[0].to_owned(), None),
        (SHA256_BODY.to_owned(), None),
        (format!("$1$salt${BCRYPT_BODY}"), None),
        (format!("$argon2i$v=19$m=8,t=1,p=1${ARGON2_BODY}"), None),
        (format!("$argon2d$v=19$m=8,t=1,p=1${ARGON2_BODY}"), None),
        (format!("$ARGON2ID$v=19$m=8,t=1,p=1${ARGON2_BODY}"), None),
        (format!("$2b$04${}", "x".repeat(600)), None),
        ("$2".to_owned(), Some(Bcrypt)),
        (format!("$2x$04${BCRYPT_BODY}"), Some(Bcrypt)),
        (format!("$2c$04${BCRYPT_BODY}"), Some(Bcrypt)),
        (format!("$2b$+4${BCRYPT_BODY}"), Some(Bcrypt)),
        (format!("$2b$4${BCRYPT_BODY}x"), Some(Bcrypt)),
        (format!("$2b$-1${BCRYPT_BODY}"), Some(Bcrypt)),
        (format!("$2b$04${BCRYPT_BODY}x"), Some(Bcrypt)),
        (format!("$2b$04${}", &BCRYPT_BODY[1..]), Some(Bcrypt)),
        (format!("$2b$04$!{}", &BCRYPT_BODY[1..]), Some(Bcrypt)),
        (format!("$2b$04$é{}", &BCRYPT_BODY[2..]), Some(Bcrypt)),
        ("$argon2id$".to_owned(), Some(Argon2id)),
        ("$argon2id$v=19$m=8,t=1,p=1".to_owned(), Some(Argon2id)),
        ("$argon2id$v=19$m=8,t=1,p=1$EBESExQVFhcYGRobHB0eHw".to_owned(), Some(Argon2id)),
        (format!("$argon2id$v=18$m=8,t=1,p=1${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=8,t=1${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=8,m=8,t=1,p=1${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAA${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=8,t=1,p=1,data=AAAA${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=-8,t=1,p=1${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=99999999999,t=1,p=1${ARGON2_BODY}"), Some(Argon2id)),
        (format!("$argon2id$v=19$m=8,t=1,p=1${ARGON2_BODY}$x"), Some(Argon2id)),
        // Twelve bytes of hash.
        ("$argon2id$v=19$m=8,t=1,p=1$EBESExQVFhcYGRobHB0eHw$VTNXygSOnVpjL24x".to_owned(), Some(Argon2id)),
        (format!("$sha256${}", &SHA256_BODY[1..]), Some(Sha256)),
        (format!("$sha256${SHA256_BODY}0"), Some(Sha256)),
        (format!("$sha256${}", SHA256_BODY.to_uppercase()), Some(Sha256)),
        (format!("$sha256$g{}", &SHA256_BODY[1..]), Some(Sha256)),
    ];
    for (text, scheme) in cases {
        let found = match StoredHash::parse(&text).unwrap_err() {
            HashError::UnknownScheme => None,
            HashError::Malformed { scheme, .. } => Some(scheme),
            other => panic!("{text}: {other}"),
        };
        assert_eq!(found, scheme, "{text}");
    }
}

#[test]
fn excessive_costs_are_refused_in_rows_and_in_requests() {
    use SchemeKind::{Argon2id, Bcrypt};
    let argon2id =
        |memory_kib, iterations, parallelism| Scheme::Argon2id(Argon2Params { memory_kib, iterations, parallelism });
    // Scheme, and what is wrong with it: parameter and the bound it breaks.
    let cases = [
        (Scheme::Bcrypt { cost: 3 }, Bcrypt, "cost"),
        (Scheme::Bcrypt { cost: 17 }, Bcrypt, "cost"),
        (Scheme::Bcrypt { cost: 31 }, Bcrypt, "cost"),
        (Scheme::Bcrypt { cost: 99 }, Bcrypt, "cost"),
        (argon2id((1 << 20) + 1, 1, 1), Argon2id, "memory in KiB"),
        (argon2id(u32::MAX, 1, 1), Argon2id, "memory in KiB"),
        (argon2id(7, 1, 1), Argon2id, "memory in KiB"),
        (argon2id(8, 1, 2), Argon2id, "memory in KiB"),
        (argon2id(8, 0, 1), Argon2id, "iterations"),
        (argon2id(8, u32::MAX, 1), Argon2id, "iterations"),
        (argon2id(1 << 20, 5, 1), Argon2id, "iterations"),
        (argon2id(19_456, 216, 1), Argon2id, "iterations"),
        (argon2id(8, 1, 0), Argon2id, "parallelism"),
        (argon2id(1024, 1, 65), Argon2id, "parallelism"),
        (argon2id(1024, 1, u32::MAX), Argon2id, "parallelism"),
    ];
    for (wrong, kind, name) in cases {
        let text = match wrong {
            Scheme::Bcrypt { cost } => format!("$2b${cost:02}${BCRYPT_BODY}"),
            Scheme::Argon2id(Argon2Params { memory_kib, iterations, parallelism }) => {
                format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${ARGON2_BODY}")
            }
            Scheme::Sha256 => unreachable!("has no cost"),
        };
        for refused in [
            StoredHash::parse(&text).unwrap_err(),
            hash(&token(TOKENS[0]), &wrong, [0; 16]).unwrap_err(),
            wrong.validate().unwrap_err(),
        ] {
            match refused {
                HashError::OutOfRange { scheme, parameter, value, min, max } => {
                    assert_eq!((scheme, parameter), (kind, name), "{text}");
                    assert!(value < min || value > max, "{text}: {refused}");
                }
                other => panic!("{text}: {other}"),
            }
        }
    }
}

#[test]
fn the_highest_costs_allowed_are_read() {
    for text in [
        format!("$2b$16${BCRYPT_BODY}"),
        format!("$argon2id$v=19$m=1048576,t=4,p=1${ARGON2_BODY}"),
        format!("$argon2id$v=19$m=65536,t=64,p=64${ARGON2_BODY}"),
        format!("$argon2id$v=19$m=8,t=524288,p=1${ARGON2_BODY}"),
    ] {
        assert!(StoredHash::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_cost_below_the_floor_is_refused() {
    let argon2id =
        |memory_kib, iterations, parallelism| Scheme::Argon2id(Argon2Params { memory_kib, iterations, parallelism });
    let cases = [
        (Scheme::DEFAULT, true),
        (Scheme::Sha256, true),
        (Scheme::Bcrypt { cost: 10 }, true),
        (Scheme::Bcrypt { cost: 16 }, true),
        (Scheme::Bcrypt { cost: 9 }, false),
        (Scheme::Argon2id(Argon2Params::DEFAULT), true),
        (Scheme::Argon2id(Argon2Params::FLOOR), true),
        (argon2id(65_536, 3, 4), true),
        (argon2id(19_455, 2, 1), false),
        (argon2id(19_456, 1, 1), false),
        (argon2id(1 << 20, 1, 1), false),
        (Scheme::Argon2id(Argon2Params::insecure_for_tests()), false),
    ];
    for (scheme, allowed) in cases {
        assert_eq!(scheme.validate().is_ok(), allowed, "{scheme:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048, rng_seed: RngSeed::Fixed(0x726f_7773), failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn reading_never_panics_and_keeps_the_text(
        text in r"\PC{0,80}|\$(2[abxy]|argon2id|sha256|scrypt)\$\PC{0,120}|\$2[aby]\$[0-9+-]{2}\$[./A-Za-z0-9]{53}|\$argon2id\$(v=[0-9]{1,3}\$)?[mtp]=[0-9]{0,11}(,[a-z]{1,6}=[0-9]{0,4}){0,4}(\$[A-Za-z0-9+/]{0,90}){0,3}"
    ) {
        if let Ok(stored) = StoredHash::parse(&text) {
            prop_assert_eq!(stored.as_str(), &text);
        }
        black_box(PasswordHash::parse(&text).is_ok());
    }

    #[test]
    fn cheap_rows_that_read_can_be_checked(salt in "[A-Za-z0-9+/]{0,70}", output in "[A-Za-z0-9+/]{0,90}", passes in 0..3_u32) {
        if let Ok(stored) = StoredHash::parse(&format!("$argon2id$v=19$m=8,t={passes},p=1${salt}${output}")) {
            prop_assert_eq!(verify(&token(TOKENS[0]), &stored), Ok(false));
        }
    }

    #[test]
    fn tags_are_read_by_length_alone(bytes in prop::collection::vec(any::<u8>(), 0..72)) {
        match VerifyTag::from_bytes(&bytes) {
            Ok(tag) => prop_assert_eq!(tag.to_bytes().to_vec(), bytes),
            Err(error) => {
                prop_assert_ne!(bytes.len(), VerifyTag::LEN);
                prop_assert_eq!(error.found, bytes.len());
            }
        }
    }
}
