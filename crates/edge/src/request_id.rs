//! Request ids: the client's if it is well formed, else a generated one.
//!
//! A generated id is a random prefix per worker and a counter: unique without a call to the random generator for each
//! request, which would cost more than finding the token. It identifies log lines and is not a secret.

use std::cell::Cell;

use actix_web::HttpMessage as _;
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue};

/// The header in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its extensions on all routes but the hot ones.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    /// The id as text; ids are ASCII by construction.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id of this request.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

/// Generates ids; one generator for each worker.
#[derive(Debug)]
pub struct RequestIds {
    /// The sixteen digits that all ids of this worker begin with.
    start: [u8; 16],
    count: Cell<u32>,
}

impl RequestIds {
    /// A generator whose ids begin with these 64 random bits.
    pub fn new(start: u64) -> Self {
        Self { start: digits(start.to_be_bytes()), count: Cell::new(0) }
    }

    /// The client's id if it is 1–64 letters, digits, `.`, `_` or `-`; else the next generated one, 24 hexadecimal
    /// digits.
    pub fn choose(&self, presented: Option<&HeaderValue>) -> HeaderValue {
        match presented {
            Some(value) if is_sane(value.as_bytes()) => value.clone(),
            Some(_) | None => self.next(),
        }
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let mut text = [0; 24];
        text[..16].copy_from_slice(&self.start);
        text[16..].copy_from_slice(&digits::<4, 8>(count.to_be_bytes()));
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Hexadecimal, two digits a byte; `TWICE` is twice `N`.
fn digits<const N: usize, const TWICE: usize>(bytes: [u8; N]) -> [u8; TWICE] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; TWICE];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    text
}

/// Whether a client's id is accepted. It goes into the audit trail, so an id with a secret's prefix is refused: the
/// client put a secret there by mistake.
fn is_sane(id: &[u8]) -> bool {
    (1..=64).contains(&id.len())
        && !id.windows(4).any(|part| matches!(part, [b'n', b'l', b'p' | b's' | b'i' | b'e' | b'r', b'_']))
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sane_ids_are_kept_and_others_replaced() {
        let ids = RequestIds::new(0x0123_4567_89ab_cdef);
        let long = "a".repeat(65);
        let rows = [
            (Some("abc-1.2_3"), "abc-1.2_3"),
            (Some(&long[..64]), &long[..64]),
            (None, "0123456789abcdef00000000"),
            (Some(""), "0123456789abcdef00000001"),
            (Some("a b"), "0123456789abcdef00000002"),
            (Some("\"quoted\""), "0123456789abcdef00000003"),
            (Some(long.as_str()), "0123456789abcdef00000004"),
            (Some("req-nlp_00112233445566778899aabbccddeeff550c911c"), "0123456789abcdef00000005"),
            (Some("nls_0"), "0123456789abcdef00000006"),
            (Some("nli_0"), "0123456789abcdef00000007"),
            (Some("nle_0"), "0123456789abcdef00000008"),
            (Some("nlr_0"), "0123456789abcdef00000009"),
        ];
        for (presented, chosen) in rows {
            let presented = presented.map(|text| HeaderValue::from_str(text).unwrap());
            assert_eq!(ids.choose(presented.as_ref()), chosen);
        }
    }
}
