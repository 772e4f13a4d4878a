//! Who did something, as one text: `user:<uuid>`, `token:<uuid>`, `policy:<uuid>`, `service`, `system`, `anonymous`.

use crate::Id;
use crate::id::{Kind, TokenId, TrustPolicyId, UserId};
use std::fmt;
use uuid::Uuid;

/// Who did something, as stored in `created_by`, `revoked_by` and the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A signed-in person.
    User(UserId),
    /// A token.
    Token(TokenId),
    /// A trust policy, under which a workload exchanged its identity token.
    Policy(TrustPolicyId),
    /// A front end that holds the service token.
    Service,
    /// The set-up of the deployment, or the process itself.
    System,
    /// Nobody who proved who they are.
    Anonymous,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{}", id.uuid().hyphenated()),
            Self::Token(id) => write!(f, "token:{}", id.uuid().hyphenated()),
            Self::Policy(id) => write!(f, "policy:{}", id.uuid().hyphenated()),
            Self::Service => f.write_str("service"),
            Self::System => f.write_str("system"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl Principal {
    /// Reads what its display wrote; ids in any form that a UUID has.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("user", id)) => parse_id(id).map(Self::User),
            Some(("token", id)) => parse_id(id).map(Self::Token),
            Some(("policy", id)) => parse_id(id).map(Self::Policy),
            Some(_) => None,
            None => match text {
                "service" => Some(Self::Service),
                "system" => Some(Self::System),
                "anonymous" => Some(Self::Anonymous),
                _ => None,
            },
        }
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
            Principal::Policy(Id::from_uuid(uuid)),
            Principal::Service,
            Principal::System,
            Principal::Anonymous,
        ] {
            assert_eq!(Principal::parse(&principal.to_string()), Some(principal));
        }
        for bad in ["", "user", "user:", "user:x", "session:0190163d-8694-739b-aea5-966c26f8ad91", "System"] {
            assert_eq!(Principal::parse(bad), None, "{bad}");
        }
    }
}
