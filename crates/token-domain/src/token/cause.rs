//! Why a person or a program revoked a token: their own words for it, kept beside what the service derives.

use serde::Serialize;

use super::RevokeReason;
use crate::access::Description;

/// Why somebody revoked a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeCause {
    /// Its secret was seen by somebody who should not have it.
    Leaked,
    /// Another token does its work.
    Replaced,
    /// The person who used it has left.
    PersonLeft,
    /// Nobody uses it.
    Unused,
    /// Anything else; the note tells.
    Other,
}

/// What the caller says about a revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The cause, if one is given.
    pub cause: Option<RevokeCause>,
    /// A sentence for the trail.
    pub note: Option<Description>,
}

impl RevokeCause {
    /// Every cause.
    pub const ALL: [Self; 5] = [Self::Leaked, Self::Replaced, Self::PersonLeft, Self::Unused, Self::Other];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaked => "leaked",
            Self::Replaced => "replaced",
            Self::PersonLeft => "person_left",
            Self::Unused => "unused",
            Self::Other => "other",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

impl Explanation {
    /// What the facts record: a leak is a leak by whichever report, everything else was asked for.
    pub const fn reason(&self) -> RevokeReason {
        match self.cause {
            Some(RevokeCause::Leaked) => RevokeReason::Leaked,
            Some(RevokeCause::Replaced | RevokeCause::PersonLeft | RevokeCause::Unused | RevokeCause::Other) | None => {
                RevokeReason::Requested
            }
        }
    }

    /// Whether nothing is said.
    pub const fn is_empty(&self) -> bool {
        self.cause.is_none() && self.note.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_one_name_everywhere() {
        for cause in RevokeCause::ALL {
            assert_eq!(RevokeCause::parse(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_string(&cause).unwrap(), format!("\"{}\"", cause.as_str()));
        }
        assert_eq!(RevokeCause::parse("Leaked"), None);
    }

    #[test]
    fn a_leak_is_recorded_as_one() {
        let reason = |cause| Explanation { cause, note: None }.reason();
        assert_eq!(reason(None), RevokeReason::Requested);
        for cause in RevokeCause::ALL {
            assert_eq!(reason(Some(cause)) == RevokeReason::Leaked, cause == RevokeCause::Leaked);
        }
    }
}
