//! Passwords: which texts are accepted, known answers, and the hash for accounts that do not exist.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret_hash::password::{self, Argon2Params, MAX_CHARS, MIN_CHARS, Password, PasswordError, PasswordHash};
use secret_hash::{HashError, SchemeKind};

const CHEAP: Argon2Params = Argon2Params::insecure_for_tests();

/// By the reference implementation (argon2-cffi 25.1), salt 0x10 to 0x1f.
const KNOWN: &str = "$argon2id$v=19$m=64,t=2,p=1$EBESExQVFhcYGRobHB0eHw$Jl1h8Wm03GXOYMnjSxLhpza4sE27vsRVziOdgJvF9ro";
const KNOWN_PARAMS: Argon2Params = Argon2Params { memory_kib: 64, iterations: 2, parallelism: 1 };

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("12 to 1024 characters")
}

#[test]
fn length_is_counted_in_characters_and_nothing_else_matters() {
    let cases = [
        (String::new(), Err(PasswordError::TooShort)),
        ("a".repeat(MIN_CHARS - 1), Err(PasswordError::TooShort)),
        ("é".repeat(MIN_CHARS - 1), Err(PasswordError::TooShort)),
        ("a".repeat(MIN_CHARS), Ok(())),
        (" ".repeat(MIN_CHARS), Ok(())),
        ("🦀".repeat(MIN_CHARS), Ok(())),
        ("🦀".repeat(MAX_CHARS), Ok(())),
        ("a".repeat(MAX_CHARS), Ok(())),
        ("a".repeat(MAX_CHARS + 1), Err(PasswordError::TooLong)),
        ("🦀".repeat(MAX_CHARS + 1), Err(PasswordError::TooLong)),
        ("a".repeat(1 << 20), Err(PasswordError::TooLong)),
    ];
    for (text, expected) in cases {
        let (chars, bytes) = (text.chars().count(), text.len());
        assert_eq!(Password::new(text).map(drop), expected, "{chars} characters, {bytes} bytes");
    }
}

#[test]
fn unicode_forms_of_one_text_are_one_password() {
    let composed = password("caf\u{e9} caf\u{e9} caf\u{e9}");
    let decomposed = password("cafe\u{301} cafe\u{301} cafe\u{301}");
    assert_eq!(decomposed.chars(), 14, "counted as it is hashed");
    let stored = password::hash(&composed, &CHEAP, [7; 16]).unwrap();
    assert!(password::verify(&decomposed, &stored).unwrap());
    assert!(!password::verify(&password("cafe cafe cafe"), &stored).unwrap());
    // Twelve code points that are six characters.
    assert_eq!(Password::new("e\u{301}".repeat(6)).map(drop), Err(PasswordError::TooShort));
    assert_eq!(Password::new("e\u{301}".repeat(MAX_CHARS)).map(drop), Ok(()));
    assert_eq!(Password::new("e\u{301}".repeat(MAX_CHARS + 1)).map(drop), Err(PasswordError::TooLong));
}

#[test]
fn a_rehash_is_of_the_same_setting_and_a_password_set_anew_is_not() {
    let word = password("correct horse battery");
    let stored = password::hash(&word, &CHEAP, [7; 16]).unwrap();
    let dearer = Argon2Params { iterations: CHEAP.iterations + 1, ..CHEAP };
    let rehashed = password::rehash(&word, &stored, &dearer, [8; 16]).unwrap();
    assert!(rehashed.as_str() != stored.as_str() && !rehashed.needs_rehash(&dearer));
    assert!(password::verify(&word, &rehashed).unwrap());
    // A foreign hash with a salt of eight bytes: the rehash has a fresh one of sixteen.
    let foreign =
        PasswordHash::parse("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
            .unwrap();
    let replaced = password::rehash(&word, &foreign, &dearer, [8; 16]).unwrap();
    assert!(!replaced.needs_rehash(&dearer));
    let anew = password::hash(&word, &CHEAP, [9; 16]).unwrap();
    for (what, other, expected) in [
        ("itself", &stored, true),
        ("rehashed", &rehashed, true),
        ("the same password, set anew", &anew, false),
        ("another's", &PasswordHash::parse(KNOWN).unwrap(), false),
        ("foreign", &foreign, false),
    ] {
        assert_eq!(stored.is_of_same_setting(other), expected, "{what}");
        assert_eq!(other.is_of_same_setting(&stored), expected, "{what}, the other way round");
    }
    assert!(foreign.is_of_same_setting(&foreign) && !foreign.is_of_same_setting(&replaced));
}

#[test]
fn a_check_of_a_cheaper_hash_is_topped_up_to_the_current_cost() {
    let work = |params: &Argon2Params| u64::from(params.memory_kib) * u64::from(params.iterations);
    let stored = PasswordHash::parse(KNOWN).unwrap();
    for params in [
        Argon2Params::DEFAULT,
        Argon2Params { memory_kib: 65_536, iterations: 3, parallelism: 1 },
        Argon2Params { memory_kib: 256, iterations: 5, parallelism: 4 },
    ] {
        let rest = password::top_up(&stored, &params).unwrap();
        let missing = work(&params) - work(&KNOWN_PARAMS) - work(&rest);
        assert!(missing < u64::from(params.iterations), "{params:?}: {missing}");
    }
    assert_eq!(password::top_up(&stored, &KNOWN_PARAMS), None, "as much");
    assert_eq!(password::top_up(&stored, &CHEAP), None, "more");
}

#[test]
fn the_known_answer_is_given() {
    let salt = std::array::from_fn(|i| 0x10 + u8::try_from(i).expect("below 16"));
    let made = password::hash(&password("correct horse battery staple"), &KNOWN_PARAMS, salt).unwrap();
    assert_eq!(made.as_str(), KNOWN);
    let stored = PasswordHash::parse(KNOWN).unwrap();
    assert!(password::verify(&password("correct horse battery staple"), &stored).unwrap());
    for wrong in ["correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple"] {
        assert!(!password::verify(&password(wrong), &stored).unwrap(), "{wrong}");
    }
}

#[test]
fn every_byte_of_a_long_password_counts() {
    let long = "é".repeat(MAX_CHARS);
    let stored = password::hash(&password(&long), &CHEAP, [3; 16]).unwrap();
    let mut changed = long.clone();
    changed.replace_range(long.len() - 2.., "e");
    assert!(password::verify(&password(&long), &stored).unwrap());
    assert!(!password::verify(&password(&changed), &stored).unwrap());
    // bcrypt would have stopped at the NUL.
    let stored = password::hash(&password("before\0behind one"), &CHEAP, [3; 16]).unwrap();
    assert!(!password::verify(&password("before\0behind two"), &stored).unwrap());
}

#[test]
fn any_other_cost_asks_for_a_new_hash() {
    let stored = PasswordHash::parse(KNOWN).unwrap();
    assert!(!stored.needs_rehash(&KNOWN_PARAMS));
    for params in [
        CHEAP,
        Argon2Params::DEFAULT,
        Argon2Params { memory_kib: 65, ..KNOWN_PARAMS },
        Argon2Params { iterations: 1, ..KNOWN_PARAMS },
        Argon2Params { parallelism: 2, ..KNOWN_PARAMS },
    ] {
        assert!(stored.needs_rehash(&params), "{params:?}");
    }
    assert!(PasswordHash::parse(&KNOWN.replace("v=19", "v=16")).unwrap().needs_rehash(&KNOWN_PARAMS));
}

#[test]
fn the_hash_for_missing_accounts_costs_the_same_and_never_matches() {
    for params in [CHEAP, KNOWN_PARAMS] {
        let nobody = password::nobody(&params).unwrap();
        assert!(!nobody.needs_rehash(&params), "{params:?}");
        for guess in ["correct horse battery staple", "\0\0\0\0\0\0\0\0\0\0\0\0"] {
            assert!(!password::verify(&password(guess), &nobody).unwrap());
        }
    }
    assert!(password::nobody(&Argon2Params { iterations: 0, ..CHEAP }).is_err());
}

#[test]
fn only_argon2id_is_a_password_hash() {
    for text in [
        "",
        "$2b$04$C/CQCvOTDfaWEPmZF/ycFukiyQB4VVXzctz4bK2tQKebsudBInSoy",
        "$sha256$b4f603f25c583357ec0d51b3273f34a97544984cc16a8fa085b2a0408ab16c8c",
        &KNOWN.replace("argon2id", "argon2i"),
    ] {
        let error = PasswordHash::parse(text).unwrap_err();
        assert!(matches!(error, HashError::Malformed { scheme: SchemeKind::Argon2id, .. }), "{text}: {error}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(format!("{:?}", password("correct horse battery staple")), "Password(…)");
    assert_eq!(
        format!("{:?}", PasswordHash::parse(KNOWN).unwrap()),
        "PasswordHash(Argon2Params { memory_kib: 64, iterations: 2, parallelism: 1 })"
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128, rng_seed: RngSeed::Fixed(0x7061_7373), failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn a_hash_verifies_its_own_password_and_no_other(one in "\\PC{12,40}", other in "\\PC{12,40}", salt: [u8; 16]) {
        prop_assume!(one != other);
        let stored = password::hash(&password(&one), &CHEAP, salt).unwrap();
        prop_assert!(password::verify(&password(&one), &stored).unwrap());
        prop_assert!(!password::verify(&password(&other), &stored).unwrap());
    }
}
