//! A token about to be stored: the one place that lists what a new token has.
//!
//! A new field begins here as it is when nobody chose it, and in [`Token::successor`] as a rotation treats it.

use token_domain::id::{OrganizationId, TokenId};
use token_domain::text::{AgentType, Name};
use token_domain::token::{Explanation, TokenFacts};

use super::{Principal, StoredSecret, Token, TokenDetails, TokenOwner};

impl Token {
    /// A token that carries no scope, is bound to nothing and was never used.
    pub fn new(
        id: TokenId,
        organization_id: OrganizationId,
        owner: TokenOwner,
        name: Name,
        facts: TokenFacts,
        created_by: Principal,
        secret: StoredSecret,
    ) -> Self {
        Self {
            id,
            organization_id,
            owner,
            name,
            agent_type: AgentType::none(),
            scopes: Vec::new(),
            project_id: None,
            facts,
            lifetime: None,
            created_by,
            revoked_by: None,
            rotated_from: None,
            first_used_at: None,
            last_used_at: None,
            reuse_detected_at: None,
            details: TokenDetails::default(),
            explanation: Explanation::default(),
            secret,
        }
    }

    /// The token that replaces this one: it may do the same, for the same owner, and was never used.
    #[must_use]
    pub fn successor(&self, id: TokenId, facts: TokenFacts, created_by: Principal, secret: StoredSecret) -> Self {
        Self {
            agent_type: self.agent_type.clone(),
            scopes: self.scopes.clone(),
            project_id: self.project_id,
            lifetime: self.lifetime,
            rotated_from: Some(self.id),
            details: self.details.clone(),
            ..Self::new(id, self.organization_id, self.owner, self.name.clone(), facts, created_by, secret)
        }
    }
}
