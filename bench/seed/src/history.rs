//! A month behind a new development server, so that its pages have something to show: tokens with ages, their uses by
//! hour, and a trust policy with attempts. Only what lies in the past is written here; what can happen now is done
//! through the API by `cargo xtask dev`. The secrets of these tokens exist nowhere.

use authority::audit::Trail;
use authority::env::{new_id, random};
use authority::{Failure, trust};
use serde_json::{Value, json};
use storage::model::TokenCount;
use token_domain::access::Description;
use token_domain::id::{TokenId, UserId};
use token_domain::record::{
    NewToken, Principal, ScopeUse, Token, TokenDetails, TokenOrigin, TokenOwner, TrustAttempt, TrustOutcome,
    TrustPolicy,
};
use token_domain::token::{Explanation, RevokeCause, RevokeReason, Revoked, TokenFacts};
use token_domain::trust::{Conditions, DEFAULT_TTL, Preset};
use token_domain::usage::{Hour, UseCounts};
use token_domain::{Span, Timestamp};
use token_format::PlainToken;

use crate::{Seed, event, misnamed, named, stored};

/// Hours of the month.
const HOURS: u32 = 30 * 24;

/// When a token is used.
#[derive(Clone, Copy)]
enum Rhythm {
    /// By day, from Monday to Friday; so often at the busiest hour.
    Office(u64),
    /// Once a day, at this hour.
    Nightly(i32),
    /// About so often in every hour.
    Steady(u64),
    /// Never.
    Never,
}

/// What became of a token.
#[derive(Clone, Copy)]
enum End {
    /// It expires so many days from now.
    In(u32),
    /// It expired so many days ago.
    Expired(u32),
    /// It was revoked so many days ago, and is still presented now and then.
    Revoked(u32),
    /// Nothing, and it has no end.
    None,
}

/// A token of the past.
struct Past {
    name: &'static str,
    description: &'static str,
    scopes: &'static [&'static str],
    /// Those of its scopes that were asked for.
    asked: &'static [&'static str],
    /// Days since it was made.
    age: u32,
    end: End,
    rhythm: Rhythm,
    /// Addresses with the days since each was first seen.
    from: &'static [(&'static str, u32)],
}

const TOKENS: [Past; 6] = [
    Past {
        name: "CI on main",
        description: "Runs on every push to main. Ask Ada.",
        scopes: &["execute", "scans:run", "scans:read", "projects:read", "files:read"],
        asked: &["scans:run", "scans:read", "projects:read"],
        age: 130,
        end: End::In(50),
        rhythm: Rhythm::Office(38),
        from: &[("198.51.100.20", 120), ("203.0.113.50", 2)],
    },
    Past {
        name: "Nightly report",
        description: "Sends the numbers to the team every morning.",
        scopes: &["read", "org:read", "projects:read"],
        asked: &["read", "org:read", "projects:read"],
        age: 200,
        end: End::In(165),
        rhythm: Rhythm::Nightly(2),
        from: &[("10.0.3.9", 200)],
    },
    Past {
        name: "Mobile back end",
        description: "The app's server: everything stops without it.",
        scopes: &["scans:read", "projects:read", "issues:read"],
        asked: &["scans:read", "projects:read", "issues:read"],
        age: 85,
        end: End::In(5),
        rhythm: Rhythm::Steady(14),
        from: &[("10.0.3.7", 85), ("10.0.3.8", 85)],
    },
    Past {
        name: "Old integration",
        description: "Nobody remembers.",
        scopes: &["scans:read", "issues:read"],
        asked: &[],
        age: 210,
        end: End::None,
        rhythm: Rhythm::Never,
        from: &[],
    },
    Past {
        name: "Staging smoke test",
        description: "",
        scopes: &["execute", "read"],
        asked: &["execute"],
        age: 90,
        end: End::Revoked(11),
        rhythm: Rhythm::Steady(3),
        from: &[("10.0.9.4", 90)],
    },
    Past {
        name: "Contractor's script",
        description: "For the audit of the summer.",
        scopes: &["read"],
        asked: &["read"],
        age: 60,
        end: End::Expired(9),
        rhythm: Rhythm::Office(5),
        from: &[("192.0.2.77", 60)],
    },
];

/// Everything that is written, in one unit of work.
#[derive(Default)]
struct Month {
    tokens: Vec<NewToken>,
    counts: Vec<TokenCount>,
    origins: Vec<TokenOrigin>,
    scope_uses: Vec<ScopeUse>,
    attempts: Vec<TrustAttempt>,
}

impl Seed<'_> {
    /// A month of the organisation, in the name of one of its people.
    ///
    /// # Errors
    /// The store's.
    pub async fn month(&self, person: UserId) -> Result<(), Failure> {
        let mut month = Month::default();
        for past in &TOKENS {
            self.past_token(&mut month, past, Principal::User(person))?;
        }
        let policy = self.policy(person)?;
        self.attempts(&mut month, &policy)?;
        let (organization, now) = (self.organization, self.now);
        let written = self.store.write(move |tx| {
            Box::pin(async move {
                let mut trail = Trail::open(tx, Some(organization)).await?;
                trail.append(tx, event(now, "demo.history").with("tokens", month.tokens.len())).await?;
                tx.insert_trust_policy(&policy).await?;
                for token in &month.tokens {
                    tx.insert_token(token).await?;
                }
                tx.add_counts(&month.counts).await?;
                tx.record_origins(&month.origins).await?;
                tx.record_scope_uses(&month.scope_uses).await?;
                for attempt in &month.attempts {
                    tx.insert_trust_attempt(attempt, trust::KEPT_ATTEMPTS).await?;
                }
                Ok::<_, Failure>(())
            })
        });
        written.await
    }

    fn past_token(&self, month: &mut Month, past: &Past, by: Principal) -> Result<(), Failure> {
        let created_at = self.now - Span::days(past.age);
        let (ended_at, expires_at) = match past.end {
            End::In(days) => (None, Some(self.now + Span::days(days))),
            End::Expired(days) => (Some(self.now - Span::days(days)), Some(self.now - Span::days(days))),
            End::Revoked(days) => (Some(self.now - Span::days(days)), None),
            End::None => (None, None),
        };
        let mut token = self.token_of(past.name, past.scopes, TokenFacts::new(created_at, expires_at), by)?;
        token.token.details = TokenDetails {
            description: Some(past.description)
                .filter(|text| !text.is_empty())
                .map(Description::parse)
                .transpose()
                .map_err(misnamed)?,
            ..TokenDetails::default()
        };
        if let (End::Revoked(_), Some(at)) = (past.end, ended_at) {
            token.token.facts.revoked = Some(Revoked { at, reason: RevokeReason::Requested });
            token.token.revoked_by = Some(by);
            token.token.explanation = Explanation { cause: Some(RevokeCause::Replaced), note: None };
        }
        let id = token.token.id;
        let mut last_used_at = None;
        for hour in self.hours() {
            let counts = uses(past.rhythm, hour, ended_at.is_some_and(|end| hour.begins() >= end));
            if counts != UseCounts::default() {
                month.counts.push(TokenCount { token_id: id, hour, counts });
            }
            if counts.allowed > 0 {
                last_used_at = Some(hour.begins() + Span::seconds(2_460));
            }
        }
        if let Some(last_used_at) = last_used_at {
            token.token.last_used_at = Some(last_used_at);
            month.origins.extend(past.from.iter().map(|(address, days)| TokenOrigin {
                token_id: id,
                address: (*address).to_owned(),
                agent: Some("curl/8.14.1".to_owned()),
                first_used_at: self.now - Span::days(*days),
                last_used_at,
            }));
            month.scope_uses.extend(past.asked.iter().map(|scope| ScopeUse {
                token_id: id,
                scope: (*scope).to_owned(),
                last_used_at,
            }));
        }
        month.tokens.push(token);
        Ok(())
    }

    /// The whole hours of the month, without the one that is under way.
    fn hours(&self) -> impl Iterator<Item = Hour> + use<> {
        let now = self.now;
        (1..=HOURS).rev().map(move |back| Hour::of(now - Span::seconds(back * 3_600)))
    }

    fn token_of(&self, name: &str, scopes: &[&str], facts: TokenFacts, by: Principal) -> Result<NewToken, Failure> {
        let secret = PlainToken::from_random(random(self.entropy)?);
        let id: TokenId = new_id(facts.created_at, self.entropy)?;
        let owner = TokenOwner::Organization;
        Ok(NewToken {
            token: Token {
                scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                ..Token::new(id, self.organization, owner, named(name)?, facts, by, secret.hint())
            },
            secret: stored(&secret, None)?,
        })
    }

    fn policy(&self, person: UserId) -> Result<TrustPolicy, Failure> {
        let created_at = self.now - Span::days(29);
        let (preset, issuer) = Preset::settle(Some(Preset::GitHub), None).map_err(misnamed)?;
        let Value::Object(conditions) = json!({"repository_id": "1296269", "ref": "refs/heads/main"}) else {
            return Err(misnamed("conditions are an object"));
        };
        Ok(TrustPolicy {
            id: new_id(created_at, self.entropy)?,
            organization_id: self.organization,
            name: named("Deploy the shop")?,
            preset,
            issuer,
            audience: Some("https://tokens.localhost.example".to_owned()),
            conditions: Conditions::read(&conditions).map_err(misnamed)?,
            scopes: vec!["execute".to_owned(), "projects:read".to_owned()],
            project_id: None,
            actor_id: None,
            ttl_seconds: DEFAULT_TTL,
            is_enabled: true,
            created_at,
            created_by: Principal::User(person),
            updated_at: created_at,
            updated_by: Principal::User(person),
        })
    }

    /// A deployment every few days, with its token that has ended since, and jobs that the policy is not about.
    fn attempts(&self, month: &mut Month, policy: &TrustPolicy) -> Result<(), Failure> {
        for day in (1..=28).rev() {
            let at = self.now - Span::days(day) + Span::seconds(day * 977);
            let (outcome, claim, branch) = match day % 7 {
                0 | 3 | 5 => (TrustOutcome::Exchanged, None, "refs/heads/main"),
                1 => (TrustOutcome::Claims, Some("ref"), "refs/heads/feature/checkout"),
                6 => (TrustOutcome::Refused, Some("event_name"), "refs/pull/118/merge"),
                _ => continue,
            };
            let token_id =
                if outcome == TrustOutcome::Exchanged { Some(self.exchanged(month, policy, at)?) } else { None };
            month.attempts.push(TrustAttempt {
                policy_id: policy.id,
                id: new_id(at, self.entropy)?,
                at,
                outcome,
                claim: claim.map(str::to_owned),
                subject: Some(format!("repo:acme/shop:ref:{branch}")),
                address: Some("203.0.113.118".to_owned()),
                token_id,
            });
        }
        Ok(())
    }

    fn exchanged(&self, month: &mut Month, policy: &TrustPolicy, at: Timestamp) -> Result<TokenId, Failure> {
        let facts = TokenFacts::new(at, Some(at + Span::seconds(policy.ttl_seconds)));
        let scopes: Vec<&str> = policy.scopes.iter().map(String::as_str).collect();
        let mut token = self.token_of(policy.name.as_str(), &scopes, facts, Principal::Policy(policy.id))?;
        token.token.last_used_at = Some(at + Span::seconds(40));
        let counts = UseCounts { allowed: 3, ..UseCounts::default() };
        let id = token.token.id;
        month.counts.push(TokenCount { token_id: id, hour: Hour::of(at), counts });
        month.tokens.push(token);
        Ok(id)
    }
}

/// The uses of an hour; `is_over` where the token had ended by then.
fn uses(rhythm: Rhythm, hour: Hour, is_over: bool) -> UseCounts {
    let number = hour.number();
    let (day, hour_of_day) = (number.div_euclid(24), number.rem_euclid(24));
    // 1970-01-01 was a Thursday.
    let is_weekday = !matches!((day + 4).rem_euclid(7), 0 | 6);
    // Some irregularity, the same for the same hour: 0 to 9.
    let noise = u64::from(number.unsigned_abs().wrapping_mul(2_654_435_761) >> 16) % 10;
    let asked = match rhythm {
        Rhythm::Office(most) if is_weekday && (7..=18).contains(&hour_of_day) => {
            let distance = u64::from((hour_of_day - 13).unsigned_abs());
            most * (8 - distance) / 8 + noise / 2
        }
        Rhythm::Office(_) => noise / 8,
        Rhythm::Nightly(at) if at == hour_of_day => 24 + noise,
        Rhythm::Steady(about) => about * (10 + noise) / 14,
        Rhythm::Nightly(_) | Rhythm::Never => 0,
    };
    if is_over {
        return UseCounts { denied: if noise > 6 { asked.min(2) } else { 0 }, ..UseCounts::default() };
    }
    UseCounts { allowed: asked, insufficient: if noise == 9 { asked / 12 } else { 0 }, denied: 0 }
}
