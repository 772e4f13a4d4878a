//! Who did something, as one text: `user:<uuid>`, `token:<uuid>`, `service`, `system`, `anonymous`.

use crate::model::Principal;
use token_domain::Id;
use token_domain::id::Kind;
use uuid::Uuid;

/// The text a principal is stored as, at most 42 characters.
pub(crate) fn principal_text(principal: Principal) -> String {
    match principal {
        Principal::User(id) => format!("user:{}", id.uuid().hyphenated()),
        Principal::Token(id) => format!("token:{}", id.uuid().hyphenated()),
        Principal::Service => "service".to_owned(),
        Principal::System => "system".to_owned(),
        Principal::Anonymous => "anonymous".to_owned(),
    }
}

/// Reads it back.
pub(crate) fn parse_principal(text: &str) -> Option<Principal> {
    match text.split_once(':') {
        Some(("user", id)) => parse_id(id).map(Principal::User),
        Some(("token", id)) => parse_id(id).map(Principal::Token),
        Some(_) => None,
        None => match text {
            "service" => Some(Principal::Service),
            "system" => Some(Principal::System),
            "anonymous" => Some(Principal::Anonymous),
            _ => None,
        },
    }
}

fn parse_id<K: Kind>(text: &str) -> Option<Id<K>> {
    Uuid::try_parse(text).ok().map(Id::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_principal_reads_back() {
        let uuid = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        for principal in [
            Principal::User(Id::from_uuid(uuid)),
            Principal::Token(Id::from_uuid(uuid)),
            Principal::Service,
            Principal::System,
            Principal::Anonymous,
        ] {
            assert_eq!(parse_principal(&principal_text(principal)), Some(principal));
        }
        for bad in ["", "user", "user:", "user:x", "session:0190163d-8694-739b-aea5-966c26f8ad91", "System"] {
            assert_eq!(parse_principal(bad), None, "{bad}");
        }
    }
}
