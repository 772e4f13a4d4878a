//! Static tokens that are used from where jobs exchange their identity tokens: what the jobs can now do without.

use std::collections::{HashMap, HashSet};

use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TrustPolicyId};
use token_domain::record::{Principal, Token, TrustOutcome};
use token_domain::token::Kind;

use super::{Trust, TrustError};
use crate::origin::Caller;

/// The live tokens of an organisation that are looked at, newest first.
const MOST_LOOKED_AT: usize = 10_000;
/// The most tokens that are listed.
const MOST_LISTED: usize = 100;
/// Tokens of one read.
const AT_ONCE: u32 = 1_000;

/// A token of the organisation that was used from an address of the jobs of a policy.
#[derive(Clone, Debug)]
pub struct StaticToken {
    /// The token.
    pub token: Token,
    /// From where.
    pub address: String,
    /// When it was last used from there, to the minute.
    pub used_at: Timestamp,
}

impl Trust {
    /// The organisation's live tokens, made under no policy, that were lately used from an address from which identity tokens were
    /// exchanged under this one; those used last first. At most a hundred, of the ten thousand newest tokens.
    ///
    /// # Errors
    /// No such policy.
    pub async fn tokens_of_jobs(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: TrustPolicyId,
    ) -> Result<Vec<StaticToken>, TrustError> {
        let attempts = self.attempts(caller, organization, id).await?;
        let exchanged = attempts.into_iter().filter(|attempt| attempt.outcome == TrustOutcome::Exchanged);
        let addresses: HashSet<String> = exchanged.filter_map(|attempt| attempt.address).collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.context.now();
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                let (mut found, mut looked_at, mut after) = (Vec::new(), 0, None);
                while looked_at < MOST_LOOKED_AT {
                    let kind = Kind::Organization;
                    let mut tokens = reads.live_tokens_of_kind(organization, kind, after, now, AT_ONCE).await?;
                    let Some(last) = tokens.last() else { break };
                    after = Some((last.facts.created_at, last.id));
                    looked_at += tokens.len();
                    tokens.retain(|token| {
                        token.last_used_at.is_some() && !matches!(token.created_by, Principal::Policy(_))
                    });
                    let ids: Vec<_> = tokens.iter().map(|token| token.id).collect();
                    let mut last_use = HashMap::new();
                    for origin in reads.origins_of(&ids).await? {
                        if addresses.contains(&origin.address) {
                            // The last use comes first.
                            last_use.entry(origin.token_id).or_insert(origin);
                        }
                    }
                    found.extend(tokens.into_iter().filter_map(|token| {
                        let origin = last_use.remove(&token.id)?;
                        Some(StaticToken { address: origin.address, used_at: origin.last_used_at, token })
                    }));
                }
                Ok(found)
            })
        });
        let mut found = read.await?;
        found.sort_by(|one, other| other.used_at.cmp(&one.used_at).then(one.token.id.cmp(&other.token.id)));
        found.truncate(MOST_LISTED);
        Ok(found)
    }
}
