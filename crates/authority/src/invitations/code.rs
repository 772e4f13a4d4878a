//! The code of an invitation: `nli_` and 64 hexadecimal digits, opaque, stored as its SHA-256.

use crate::opaque::opaque_secret;

opaque_secret! {
    /// The code of an invitation in the clear. No `Display`, no `Serialize`; `Debug` shows nothing of it.
    InvitationCode = "nli_"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_makes_and_is_no_session() {
        let code = InvitationCode::from_random([0x5a; 32]);
        assert_eq!(code.expose(), format!("nli_{}", "5a".repeat(32)));
        assert_eq!(InvitationCode::parse(code.expose()).unwrap().digest(), code.digest());
        assert_eq!(format!("{code:?}"), "InvitationCode(nli_…)");
        assert!(crate::sessions::SessionToken::parse(code.expose()).is_none());
        for text in ["", "nli_", &format!("nls_{}", "5a".repeat(32)), &format!("nli_{}", "5A".repeat(32))] {
            assert!(InvitationCode::parse(text).is_none(), "{text}");
        }
    }
}
