//! Tokens that were never issued, from a fixed seed, so that every run uses the same ones.

use std::fmt::Write as _;
use std::path::Path;
use task_support::fail::{Context as _, Fail, Result};

/// Length of a token: prefix, 32 random and 8 checksum digits.
pub(super) const TOKEN_LENGTH: usize = 44;
/// First state of the generator below.
const SEED: u64 = 0x6e6f_6c61_7073_6521;

/// Writes `count` tokens, one a line. The checksum (CRC-32 of what precedes it) is right, or off by one bit.
pub(super) fn write_strangers(file: &Path, count: usize, right_checksum: bool) -> Result {
    let mut state = SEED;
    let mut text = String::with_capacity(count * (TOKEN_LENGTH + 1));
    for _ in 0..count {
        let body = format!("nlp_{:016x}{:016x}", next(&mut state), next(&mut state));
        let checksum = crc32fast::hash(body.as_bytes()) ^ u32::from(!right_checksum);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{body}{checksum:08x}");
    }
    std::fs::write(file, text).attempt(|| format!("write {}", file.display()))
}

/// Checks a file of tokens that another program wrote.
///
/// # Errors
/// If it does not hold `count` lines of one token each.
pub(super) fn check(file: &Path, count: usize) -> Result {
    let text = std::fs::read_to_string(file).attempt(|| format!("read {}", file.display()))?;
    let good = text.lines().filter(|line| line.len() == TOKEN_LENGTH && line.starts_with("nlp_")).count();
    if good == count && text.len() == count * (TOKEN_LENGTH + 1) {
        return Ok(());
    }
    Err(Fail::new(format!("{} holds {good} tokens, one a line, instead of {count}", file.display())))
}

/// `SplitMix64`, the generator that spreads any seed evenly. Source: Steele, Lea and Flood, OOPSLA 2014.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut state = 1_234_567;
        let drawn: Vec<_> = std::iter::repeat_with(|| next(&mut state)).take(3).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn unissued_tokens_have_a_checksum_that_is_right_or_one_bit_off() {
        let folder = tempfile::tempdir().unwrap();
        for right in [true, false] {
            let file = folder.path().join("tokens");
            write_strangers(&file, 50, right).unwrap();
            check(&file, 50).unwrap();
            let text = std::fs::read_to_string(&file).unwrap();
            for token in text.lines() {
                let checksum = u32::from_str_radix(&token[36..], 16).unwrap();
                assert_eq!(checksum == crc32fast::hash(&token.as_bytes()[..36]), right);
            }
        }
        // One of the format's published vectors.
        assert_eq!(crc32fast::hash(b"nlp_00000000000000000000000000000000"), 0x65b6_27bc);
    }

    #[test]
    fn short_or_ragged_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        write_strangers(&file, 3, true).unwrap();
        assert!(check(&file, 4).unwrap_err().to_string().contains("holds 3 tokens"));
        std::fs::write(&file, "nlp_short\n").unwrap();
        assert!(check(&file, 1).unwrap_err().to_string().contains("holds 0 tokens"));
    }
}
