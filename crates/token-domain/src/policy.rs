//! An organisation's policy about its tokens: how long they may live, when an unused one stops counting, what they may
//! carry. One rule for each kind of token; where there is none, anything goes that scopes allow.
//!
//! Lifetimes and scopes are judged when a token is made or rotated, idleness at each use. Nothing is ever swept: a rule
//! takes effect the moment it is set, and lets go the moment it is lifted.

use crate::scope::{Grants, ScopeCatalogue, ScopeSet};
use crate::time::{Span, Timestamp};
use crate::token::{Lifetime, TokenFacts};

/// The rule for one kind of token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRule {
    /// Whether tokens of this kind may be made at all.
    pub making: Making,
    /// How long a token lives whose maker says nothing.
    pub default_lifetime: Option<Span>,
    /// How long it may live at most, from its making.
    pub longest_lifetime: Option<Span>,
    /// How long it may go unused before it stops counting.
    pub idle_after: Option<Span>,
    /// What it may carry.
    pub scopes: AllowedScopes,
}

/// Whether tokens of a kind may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// They may.
    Permitted,
    /// They may not; those there are stay what they are, and are not rotated.
    Forbidden,
}

/// The scopes that tokens of a kind may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedScopes {
    /// Any.
    Any,
    /// These, and what they cover.
    Only(Grants),
}

/// What a policy forbids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Tokens of the kind are not made.
    #[error("tokens of this kind are not made")]
    Kind,
    /// Tokens of the organisation are made for workloads under trust policies alone.
    #[error("tokens of the organisation are made under trust policies alone")]
    TrustOnly,
    /// It would live too long.
    #[error("it would live longer than {} days", .longest.as_days())]
    Lifetime {
        /// The longest there is.
        longest: Span,
    },
    /// It carries scopes that are not allowed.
    #[error("it carries scopes that are not allowed")]
    Scopes {
        /// Those that are not.
        excess: ScopeSet,
    },
}

/// How a token stands to a policy that might be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent answers, any of which may be yes")]
pub struct Findings {
    /// It has been unused for too long and would not count any more.
    pub idle: bool,
    /// It lives longer than it might; a rotation would shorten that.
    pub lifetime: bool,
    /// It carries what it might not; it could not be rotated.
    pub scopes: bool,
    /// It is of a kind that is not made; it could not be rotated.
    pub kind: bool,
}

/// The end of a token by idleness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// How long it may go unused.
    pub after: Span,
    /// The last use that was written down; its making, if there was none.
    pub since: Timestamp,
}

impl Idle {
    /// Uses are written down in batches, ten seconds late unless very many tokens are in use, and other nodes hear of them only
    /// then. So much longer is waited, lest a token be refused that was used in time on another node. A minute in a span of
    /// days.
    pub const SLACK: Span = Span::seconds(60);

    /// From when on the token does not count, given the last use that is known besides what was written down.
    pub fn ends_at(&self, last_used: Option<Timestamp>) -> Timestamp {
        last_used.map_or(self.since, |used| used.max(self.since)) + self.after + Self::SLACK
    }
}

impl Default for KindRule {
    /// A rule that forbids nothing.
    fn default() -> Self {
        Self {
            making: Making::Permitted,
            default_lifetime: None,
            longest_lifetime: None,
            idle_after: None,
            scopes: AllowedScopes::Any,
        }
    }
}

impl KindRule {
    /// The most days a rule may speak of: a hundred years.
    pub const MOST_DAYS: u32 = 36_500;

    /// The lifetime of a token about to be made: the one asked for, if it is not too long; the default, or else the
    /// longest, where none is asked for.
    ///
    /// # Errors
    /// One that is too long.
    pub fn lifetime_of_new(&self, asked: Lifetime, now: Timestamp) -> Result<Lifetime, Breach> {
        let Some(longest) = self.longest_lifetime else { return Ok(self.or_default(asked)) };
        let fits = match asked {
            Lifetime::Unlimited => return Ok(Lifetime::For(self.default_lifetime.unwrap_or(longest))),
            Lifetime::Until(moment) => moment <= now + longest,
            Lifetime::For(span) => span <= longest,
        };
        if fits { Ok(asked) } else { Err(Breach::Lifetime { longest }) }
    }

    /// The lifetime of a successor: that of the token before it, cut to the longest. A rotation must stay possible when a
    /// policy was tightened meanwhile, so nothing is refused here.
    #[must_use]
    pub fn lifetime_of_successor(&self, carried: Lifetime, now: Timestamp) -> Lifetime {
        let Some(longest) = self.longest_lifetime else { return carried };
        match carried {
            Lifetime::Unlimited => Lifetime::For(self.default_lifetime.unwrap_or(longest)),
            Lifetime::Until(moment) => Lifetime::Until(moment.min(now + longest)),
            Lifetime::For(span) => Lifetime::For(span.min(longest)),
        }
    }

    /// Whether a token with these scopes may be made or rotated.
    ///
    /// # Errors
    /// The kind, or the scopes that are not allowed.
    pub fn check(&self, catalogue: &ScopeCatalogue, listed: &Grants) -> Result<(), Breach> {
        match self.making {
            Making::Permitted => {}
            Making::Forbidden => return Err(Breach::Kind),
        }
        let excess = self.excess(catalogue, listed);
        if excess.is_empty() { Ok(()) } else { Err(Breach::Scopes { excess }) }
    }

    /// What this rule would mean for a token as it is now.
    pub fn findings(
        &self,
        catalogue: &ScopeCatalogue,
        facts: &TokenFacts,
        listed: &Grants,
        last_used: Option<Timestamp>,
        now: Timestamp,
    ) -> Findings {
        let idle = self.idle_after.map(|after| Idle { after, since: facts.created_at });
        let too_long = |longest: Span| facts.expires_at.is_none_or(|end| end > facts.created_at + longest);
        Findings {
            idle: idle.is_some_and(|idle| idle.ends_at(last_used) <= now),
            lifetime: self.longest_lifetime.is_some_and(too_long),
            scopes: !self.excess(catalogue, listed).is_empty(),
            kind: self.making == Making::Forbidden,
        }
    }

    /// Listed scopes that are not allowed. What an allowed one covers is allowed; what covers it is not.
    fn excess(&self, catalogue: &ScopeCatalogue, listed: &Grants) -> ScopeSet {
        match &self.scopes {
            AllowedScopes::Any => ScopeSet::EMPTY,
            AllowedScopes::Only(allowed) => {
                let beyond = |scope: &&_| !allowed.effective().covers(&catalogue.expand([**scope]));
                listed.listed().iter().filter(beyond).copied().collect()
            }
        }
    }

    fn or_default(&self, asked: Lifetime) -> Lifetime {
        match (asked, self.default_lifetime) {
            (Lifetime::Unlimited, Some(default)) => Lifetime::For(default),
            (asked, _) => asked,
        }
    }
}

impl Findings {
    /// Whether there is any.
    pub const fn any(self) -> bool {
        self.idle || self.lifetime || self.scopes || self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Kind;

    const T0: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);

    #[test]
    fn a_lifetime_is_given_kept_or_refused_when_a_token_is_made() {
        use Lifetime::{For, Unlimited, Until};
        let (week, month, year) = (Span::days(7), Span::days(30), Span::days(365));
        let refused = Err(Breach::Lifetime { longest: month });
        let rows = [
            (None, None, Unlimited, Ok(Unlimited)),
            (None, None, For(year), Ok(For(year))),
            (Some(week), None, Unlimited, Ok(For(week))),
            (Some(week), None, For(year), Ok(For(year))),
            (Some(week), Some(month), Unlimited, Ok(For(week))),
            (None, Some(month), Unlimited, Ok(For(month))),
            (None, Some(month), For(month), Ok(For(month))),
            (None, Some(month), For(Span::micros(month.as_micros() + 1)), refused.clone()),
            (None, Some(month), Until(T0 + month), Ok(Until(T0 + month))),
            (None, Some(month), Until(T0 + month + Span::micros(1)), refused),
        ];
        for (default_lifetime, longest_lifetime, asked, expected) in rows {
            let rule = KindRule { default_lifetime, longest_lifetime, ..KindRule::default() };
            assert_eq!(rule.lifetime_of_new(asked, T0), expected, "{rule:?} {asked:?}");
        }
    }

    #[test]
    fn a_successor_gets_no_more_than_there_is_and_is_never_refused() {
        use Lifetime::{For, Unlimited, Until};
        let (week, month, year) = (Span::days(7), Span::days(30), Span::days(365));
        let rows = [
            (Some(week), None, Unlimited, Unlimited),
            (None, None, Until(T0 + year), Until(T0 + year)),
            (Some(week), Some(month), Unlimited, For(week)),
            (None, Some(month), Unlimited, For(month)),
            (None, Some(month), For(year), For(month)),
            (None, Some(month), For(week), For(week)),
            (None, Some(month), Until(T0 + year), Until(T0 + month)),
            (None, Some(month), Until(T0 + week), Until(T0 + week)),
        ];
        for (default_lifetime, longest_lifetime, carried, expected) in rows {
            let rule = KindRule { default_lifetime, longest_lifetime, ..KindRule::default() };
            assert_eq!(rule.lifetime_of_successor(carried, T0), expected, "{rule:?} {carried:?}");
        }
    }

    #[test]
    fn idleness_counts_from_the_last_use_or_the_making() {
        let idle = Idle { after: Span::days(30), since: T0 };
        let end = T0 + Span::days(30) + Idle::SLACK;
        assert_eq!(idle.ends_at(None), end);
        assert_eq!(idle.ends_at(Some(T0 + Span::days(1))), end + Span::days(1));
        // What was written down last stands when what is known otherwise is older.
        assert_eq!(idle.ends_at(Some(T0 - Span::days(1))), end);
    }

    #[test]
    fn what_an_allowed_scope_covers_is_allowed() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let grants = |names: &[&str]| catalogue.grant(names, Kind::Personal).unwrap();
        let rule = KindRule { scopes: AllowedScopes::Only(grants(&["scans", "execute"])), ..KindRule::default() };
        let rows: [(&[&str], &[&str]); 5] = [
            (&["scans", "execute"], &[]),
            (&["scans:read", "read"], &[]),
            (&["admin"], &["admin"]),
            (&["scans:read", "files:read", "bot"], &["files:read", "bot"]),
            (&["projects:read"], &["projects:read"]),
        ];
        for (listed, excess) in rows {
            let found = rule.check(&catalogue, &grants(listed));
            let expected: ScopeSet = excess.iter().filter_map(|name| catalogue.find(name)).collect();
            let expected = if expected.is_empty() { Ok(()) } else { Err(Breach::Scopes { excess: expected }) };
            assert_eq!(found, expected, "{listed:?}");
        }
        let none = KindRule { making: Making::Forbidden, ..KindRule::default() };
        assert_eq!(none.check(&catalogue, &grants(&["read"])), Err(Breach::Kind));
        assert_eq!(KindRule::default().check(&catalogue, &grants(&["admin"])), Ok(()));
    }

    #[test]
    fn findings_tell_what_a_rule_would_mean() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let listed = catalogue.grant(&["read"], Kind::Organization).unwrap();
        let now = T0 + Span::days(100);
        let facts = TokenFacts::new(T0, Some(T0 + Span::days(200)));
        let find = |rule: &KindRule, used| rule.findings(&catalogue, &facts, &listed, used, now);
        assert_eq!(find(&KindRule::default(), None), Findings::default());
        let idle = KindRule { idle_after: Some(Span::days(30)), ..KindRule::default() };
        assert!(find(&idle, None).idle && !find(&idle, Some(now - Span::days(29))).idle);
        let short = KindRule { longest_lifetime: Some(Span::days(199)), ..KindRule::default() };
        assert!(find(&short, None).lifetime && find(&short, None).any());
        assert!(!find(&KindRule { longest_lifetime: Some(Span::days(200)), ..KindRule::default() }, None).lifetime);
        let only = AllowedScopes::Only(catalogue.grant(&["bot"], Kind::Organization).unwrap());
        let all = KindRule { making: Making::Forbidden, scopes: only, ..short };
        assert_eq!(find(&all, None), Findings { idle: false, lifetime: true, scopes: true, kind: true });
    }
}
