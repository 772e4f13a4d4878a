//! Leaked tokens: who reports them, and what an organisation has done about them.

use crate::time::Span;

/// What an organisation has done with a token that somebody else reports as leaked.
///
/// In the order of what is taken from the token: a later report never does less than an earlier one did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakAction {
    /// People are told, and the token goes on.
    Notify,
    /// The token is rotated, and ends after [`LeakAction::GRACE`].
    RotateGrace1h,
    /// The token is revoked.
    #[default]
    Revoke,
}

impl LeakAction {
    /// Every action, the mildest first.
    pub const ALL: [Self; 3] = [Self::Notify, Self::RotateGrace1h, Self::Revoke];

    /// How long a leaked token goes on beside its successor.
    pub const GRACE: Span = Span::seconds(3_600);

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::RotateGrace1h => "rotate_grace_1h",
            Self::Revoke => "revoke",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// Who found a token that leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeakSource {
    /// Somebody who holds it.
    Holder,
    /// GitHub's secret scanning.
    GitHub,
    /// GitLab's secret detection.
    GitLab,
}

impl LeakSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Holder, Self::GitHub, Self::GitLab];

    /// The name in the audit trail and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }

    /// What is done about a report from here, where the organisation chose `policy`. A holder who asks for the end of a token
    /// could use it as well: it always ends.
    #[must_use]
    pub const fn action(self, policy: LeakAction) -> LeakAction {
        match self {
            Self::Holder => LeakAction::Revoke,
            Self::GitHub | Self::GitLab => policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_the_default_is_the_strictest() {
        for action in LeakAction::ALL {
            assert_eq!(LeakAction::parse(action.as_str()), Some(action));
            assert!(action <= LeakAction::default(), "{action:?}");
        }
        for source in LeakSource::ALL {
            assert_eq!(LeakSource::parse(source.as_str()), Some(source));
        }
        assert_eq!((LeakAction::parse("Revoke"), LeakSource::parse("")), (None, None));
        assert!(LeakAction::ALL.is_sorted());
    }

    #[test]
    fn a_holder_ends_a_token_whatever_the_organisation_chose() {
        for policy in LeakAction::ALL {
            assert_eq!(LeakSource::Holder.action(policy), LeakAction::Revoke);
            assert_eq!(LeakSource::GitHub.action(policy), policy);
            assert_eq!(LeakSource::GitLab.action(policy), policy);
        }
    }
}
