//! The checksum of an issued token: CRC-32 (ISO-HDLC, the one of zlib and PNG) over the 36 ASCII bytes before it, as
//! eight lowercase hexadecimal digits, most significant first.
//!
//! It is not a signature: anybody can compute it. It tells a scanner, without asking a server, that a string is a token
//! and not a look-alike; and it catches every single-character slip of a token typed by hand.

use crate::{CHECKSUM_LEN, CHECKSUM_START, TOKEN_LEN};

const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";

/// The eight digits that belong after `covered`, the 36 bytes before them.
pub(crate) fn digits(covered: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut out = [0; CHECKSUM_LEN];
    write_hex(&crc32fast::hash(covered).to_be_bytes(), &mut out);
    out
}

/// Whether these bytes are an issued token: lowercase hexadecimal whose checksum matches. The caller has checked the
/// prefix.
///
/// Not constant-time, and need not be: it compares the token with itself, so its duration says nothing about any other
/// token.
pub(crate) fn holds(token: &[u8; TOKEN_LEN]) -> bool {
    let Some((covered, found)) = token.split_first_chunk::<CHECKSUM_START>() else { return false };
    let random = &token[crate::PREFIX.len()..CHECKSUM_START];
    // `&` and not `&&`: without an early exit the loop becomes a few vector instructions.
    let is_hex = random.iter().fold(true, |ok, b| ok & matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hex && found == digits(covered)
}

/// Writes `bytes` as lowercase hexadecimal; `out` is twice as long.
pub(crate) fn write_hex(bytes: &[u8], out: &mut [u8]) {
    debug_assert_eq!(out.len(), 2 * bytes.len());
    for (byte, pair) in bytes.iter().zip(out.as_chunks_mut::<2>().0) {
        *pair = [LOWER_HEX[usize::from(byte >> 4)], LOWER_HEX[usize::from(byte & 15)]];
    }
}
