//! Makes text from elsewhere fit to be shown: arguments, file names and answers may hold secrets, or codes that a
//! terminal obeys.

use token_format::HINT_LEN;

/// What the product's secrets begin with: tokens, sessions, invitations, and codes that are mailed.
const PREFIXES: [&str; 5] = ["nlp_", "nls_", "nli_", "nle_", "nlr_"];
/// Letters and digits after a prefix from which on they are taken for a secret, even one that was cut short.
const SUSPICIOUS: usize = 16;

/// The text with each secret cut down to its hint, and without control characters other than line ends.
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min() {
        let start = at + PREFIXES[0].len();
        let length = run(&rest[start..]);
        if length < SUSPICIOUS {
            out.push_str(&rest[..start + length]);
        } else {
            out.push_str(&rest[..start + HINT_LEN]);
            out.push('…');
        }
        rest = &rest[start + length..];
    }
    out.push_str(rest);
    out.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// How many letters and digits the text begins with, without those that belong to the prefix of a next secret.
fn run(text: &str) -> usize {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let joined = length.checked_sub(PREFIXES[0].len() - 1);
    joined.filter(|start| PREFIXES.iter().any(|prefix| text[*start..].starts_with(prefix))).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let body = "0123456789abcdef".repeat(4);
        for prefix in PREFIXES {
            let secret = format!("{prefix}{body}");
            let hint = format!("{prefix}0123…");
            for (text, expected) in [
                (secret.clone(), hint.clone()),
                (format!("{secret}.env does not exist"), format!("{hint}.env does not exist")),
                (format!("{secret}{secret}"), format!("{hint}{hint}")),
                (format!("a{prefix}short, {secret}"), format!("a{prefix}short, {hint}")),
                (format!("{prefix}{}", &body[..30]), hint.clone()),
            ] {
                assert_eq!(harmless(&text), expected);
            }
        }
        assert_eq!(harmless("ü\u{1b}[31m\u{7}\r\nnlp"), "ü\u{fffd}[31m\u{fffd}\u{fffd}\nnlp");
    }
}
