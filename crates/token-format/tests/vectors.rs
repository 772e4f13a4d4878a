//! The published format: vectors, errors for other shapes, and what is shown of a token.

use token_format::{BODY_LEN, Hint, HintError, PREFIX, ParseError, PlainToken, TOKEN_LEN, redact};

/// Random bits and the token they give; computed with another implementation of CRC-32.
const VECTORS: [([u8; 16], &str); 3] = [
    (
        [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
        "nlp_00112233445566778899aabbccddeeff550c911c",
    ),
    ([0x00; 16], "nlp_0000000000000000000000000000000065b627bc"),
    ([0xff; 16], "nlp_ffffffffffffffffffffffffffffffffb527d37d"),
];

#[test]
fn lengths_are_as_published() {
    assert_eq!((PREFIX, TOKEN_LEN, BODY_LEN), ("nlp_", 44, 40));
}

#[test]
fn vectors_are_made_and_recognised() {
    for (random, text) in VECTORS {
        assert_eq!(PlainToken::from_random(random).expose(), text);
        let parsed = PlainToken::parse(text).unwrap();
        assert_eq!(parsed.expose(), text);
        assert_eq!(parsed.expose_bytes(), text.as_bytes());
        assert!(parsed.is_checksummed(), "{text}");
        assert!(text.parse::<PlainToken>().unwrap().ct_eq(&parsed));
    }
}

#[test]
fn other_shapes_are_refused_and_told_why() {
    let body = "00112233445566778899aabbccddeeff550c911c";
    let cases = [
        (String::new(), ParseError::Length { found: 0 }),
        ("nlp_".to_owned(), ParseError::Length { found: 4 }),
        (format!("nlp_{}", &body[1..]), ParseError::Length { found: 43 }),
        (format!("nlp_{body}0"), ParseError::Length { found: 45 }),
        (format!(" nlp_{body}"), ParseError::Length { found: 45 }),
        (format!("nlp_{body}\n"), ParseError::Length { found: 45 }),
        (format!("nls_{body}"), ParseError::Prefix),
        (format!("NLP_{body}"), ParseError::Prefix),
        (format!("nlp-{body}"), ParseError::Prefix),
        (format!("nlp__{}", &body[1..]), ParseError::Character { position: 4 }),
        (format!("nlp_{} ", &body[1..]), ParseError::Character { position: 43 }),
        (format!("nlp_{}\0{}", &body[..20], &body[21..]), ParseError::Character { position: 24 }),
        // `é` has two bytes: 44 bytes, 43 characters.
        (format!("nlp_é{}", &body[2..]), ParseError::Character { position: 4 }),
        // Digits, but not ASCII ones.
        (format!("nlp_{}٠", &body[2..]), ParseError::Character { position: 42 }),
    ];
    for (text, expected) in cases {
        assert_eq!(PlainToken::parse(&text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn well_formed_is_wider_than_issued() {
    for text in [
        "nlp_LegacyTokenMadeElsewhere0123456789ABCDEF",
        "nlp_00112233445566778899AABBCCDDEEFF550C911C",
        "nlp_00112233445566778899aabbccddeeff550C911c",
        "nlp_00112233445566778899aabbccddeefF550c911c",
        "nlp_00112233445566778899aabbccddeeff1c910c55",
    ] {
        assert!(!PlainToken::parse(text).unwrap().is_checksummed(), "{text}");
    }
}

#[test]
fn debug_and_errors_show_no_more_than_the_hint() {
    let secret = "nlp_00112233445566778899aabbccddeeff550c911c";
    let token = PlainToken::parse(secret).unwrap();
    assert_eq!(format!("{token:?}"), "PlainToken(nlp_0011…)");
    assert_eq!(format!("{:#?}", Some(&token)), "Some(\n    PlainToken(nlp_0011…),\n)");
    for nearly in
        [&secret[1..], "nlp_0011223344556677 899aabbccddeeff550c911c", "xyz_00112233445566778899aabbccddeeff550c911c"]
    {
        let error = PlainToken::parse(nearly).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("2233"), "{shown}");
    }
}

#[test]
fn equality_sees_every_byte() {
    let one = PlainToken::from_random([7; 16]);
    assert!(one.ct_eq(&one.clone()));
    for position in PREFIX.len()..TOKEN_LEN {
        let mut text = one.expose().as_bytes().to_vec();
        text[position] = if text[position] == b'x' { b'y' } else { b'x' };
        let other = PlainToken::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        assert!(!one.ct_eq(&other), "byte {position}");
        assert!(!other.ct_eq(&one), "byte {position}");
    }
}

#[test]
fn hints_are_four_letters_or_digits() {
    let hint = PlainToken::from_random([0x3f; 16]).hint();
    assert_eq!(
        (hint.as_str(), hint.to_string(), format!("{hint:?}")),
        ("3f3f", "nlp_3f3f…".into(), "Hint(nlp_3f3f…)".into())
    );
    assert_eq!(Hint::parse("3f3f"), Ok(hint));
    assert_eq!("aZ09".parse::<Hint>().unwrap().as_str(), "aZ09");
    for text in ["", "3f3", "3f3f3", "nlp_", "3f f", "3f3é", "é3f", "nlp_3f3f…"] {
        assert_eq!(Hint::parse(text), Err(HintError), "{text:?}");
    }
}

#[test]
fn redacted_text_keeps_everything_but_the_tokens() {
    let token = "nlp_00112233445566778899aabbccddeeff550c911c";
    let legacy = "nlp_LegacyTokenMadeElsewhere0123456789ABCDEF";
    let cases = [
        (String::new(), ""),
        ("nothing here, nlp_ neither".to_owned(), "nothing here, nlp_ neither"),
        (token.to_owned(), "nlp_0011…"),
        (format!("a {token} b"), "a nlp_0011… b"),
        (format!("é{token}é"), "énlp_0011…é"),
        (format!("{token}{token}"), "nlp_0011…nlp_0011…"),
        (format!("{legacy}{token}_id"), "nlp_Lega…nlp_0011…_id"),
        (format!("{{\"t\":\"\\n{legacy}\"}}"), "{\"t\":\"\\nnlp_Lega…\"}"),
        (format!("?k=%22{token}%22"), "?k=%22nlp_0011…%22"),
    ];
    for (text, expected) in cases {
        assert_eq!(redact(&text).to_string(), expected);
        assert_eq!(format!("{:?}", redact(&text)), format!("Redacted(\"{expected}\")"));
    }
}
