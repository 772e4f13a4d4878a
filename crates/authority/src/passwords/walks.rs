//! Walks: characters that follow each other in the alphabet, or whose keys touch each other on a keyboard. Whoever looks for
//! something long that the fingers remember finds one, and so do the lists of those who guess.

use zeroize::Zeroizing;

/// A walk shorter than this happens in ordinary words.
const SHORTEST: usize = 3;

/// Keyboards and the number pad, row by row.
const LAYOUTS: [[&str; 4]; 4] = [
    ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"],
    ["1234567890-=", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"],
    ["1234567890°+", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"],
    ["789", "456", "123", "0"],
];
/// How far each row of a keyboard is set off to the right, in quarters of a key.
const OFFSETS: [usize; 4] = [0, 2, 3, 5];
/// Keys of neighbouring rows touch when their middles are at most this many quarters of a key apart.
const TOUCHING: usize = 3;

/// The sign on a key of digits, as the digit: `!qaz` is walked as `1qaz`.
const SHIFTED: &str = ")!@#$%^&*(";

/// Whether at least three quarters of the characters stand in walks.
pub(super) fn is_mostly_walks(folded: &str) -> bool {
    let keys: Zeroizing<Vec<char>> = Zeroizing::new(folded.chars().map(unshifted).collect());
    let mut walked = 0;
    let mut length = 1;
    for (at, key) in keys.iter().enumerate() {
        if keys.get(at + 1).is_some_and(|next| is_step(*key, *next)) {
            length += 1;
        } else {
            walked += if length >= SHORTEST { length } else { 0 };
            length = 1;
        }
    }
    walked * 4 >= keys.len() * 3
}

fn unshifted(letter: char) -> char {
    let digit = SHIFTED.chars().zip('0'..='9').find(|(sign, _)| *sign == letter);
    digit.map_or(letter, |(_, digit)| digit)
}

/// Whether two characters are the same, follow each other, or lie beside each other on a keyboard.
fn is_step(one: char, other: char) -> bool {
    let follow = u32::from(one).abs_diff(u32::from(other)) <= 1;
    follow || LAYOUTS.iter().any(|layout| touch(layout, one, other))
}

fn touch(layout: &[&str; 4], one: char, other: char) -> bool {
    let place = |letter: char| {
        layout.iter().enumerate().find_map(|(row, keys)| keys.chars().position(|key| key == letter).map(|at| (row, at)))
    };
    let Some(((row, at), (other_row, other_at))) = place(one).zip(place(other)) else { return false };
    // A number pad is a square grid.
    let offset = |row: usize| if layout[0].len() == 3 { 0 } else { OFFSETS[row] };
    match row.abs_diff(other_row) {
        0 => at.abs_diff(other_at) == 1,
        1 => (4 * at + offset(row)).abs_diff(4 * other_at + offset(other_row)) <= TOUCHING,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_are_told_from_words() {
        for (text, expected) in [
            ("qwertyuiopasdf", true),
            ("qazwsxedcrfv", true),
            ("1qaz2wsx3edc4rfv", true),
            ("!qaz@wsx#edc", true),
            ("zaq12wsxcde34rfv", true),
            ("1234qwerasdfzxcv", true),
            ("147258369147", true),
            ("741852963.00", true),
            ("aqwzsxedcrfv", true),
            ("yxcvbnmasdfgh", true),
            ("poiuytrewqlk", true),
            ("abcdefghijkl", true),
            ("zyxwvutsrqpo", true),
            ("qwerty-uiop-12", true),
            ("asdfasdfasdf", true),
            ("correct horse battery staple", false),
            ("0x7f3a91c2d4e8", false),
            ("twelve chars", false),
            ("we were deserted", false),
            ("tree house property", false),
            ("пароль из букв 🔑🔑", false),
        ] {
            assert_eq!(is_mostly_walks(text), expected, "{text}");
        }
    }
}
