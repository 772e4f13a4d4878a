//! What an organisation asks of its tokens, as stored.

use super::Principal;
use token_domain::id::OrganizationId;
use token_domain::token::Kind;
use token_domain::{Span, Timestamp};

/// The rule for one kind of an organisation's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    /// The organisation.
    pub organization_id: OrganizationId,
    /// The kind.
    pub kind: Kind,
    /// Whether tokens of the kind may be made.
    pub is_permitted: bool,
    /// How long one lives whose maker says nothing.
    pub default_lifetime: Option<Span>,
    /// How long one may live.
    pub longest_lifetime: Option<Span>,
    /// How long one may go unused.
    pub idle_after: Option<Span>,
    /// The scopes it may carry, as listed; nothing where any will do.
    pub scopes: Option<Vec<String>>,
    /// When it was set.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Principal,
}

/// What an organisation has to say about a new token of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTerms {
    /// The most live tokens it may have; nothing means no cap of its own.
    pub token_cap: Option<u32>,
    /// What it asks of the kind, if anything.
    pub rule: Option<StoredRule>,
}
