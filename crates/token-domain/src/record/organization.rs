//! An organisation, the roles it made, and what it asks of its tokens.

use crate::id::{OrganizationId, RoleId};
use crate::leak::LeakAction;
use crate::person::SecondFactorRule;
use crate::text::{Name, Slug};
use crate::token::Kind;
use crate::{Span, Timestamp};

use super::Principal;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Unique in the deployment.
    pub slug: Slug,
    /// Shown to people.
    pub name: Name,
    /// Set while it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// The most live tokens it may have; nothing means no cap.
    pub token_cap: Option<u32>,
    /// Whether its people need a second factor.
    pub second_factor: SecondFactorRule,
    /// What is done with its tokens that others report as leaked.
    pub leak_action: LeakAction,
    /// Whether it makes tokens of its own under trust policies alone.
    pub trust_only: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A role an organisation made for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    /// Its id.
    pub id: RoleId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Unique in the organisation without regard to case.
    pub name: Name,
    /// The scopes it names, in order.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The rule for one kind of an organisation's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRule {
    /// The organisation.
    pub organization_id: OrganizationId,
    /// The kind.
    pub kind: Kind,
    /// Whether tokens of the kind may be made.
    pub is_permitted: bool,
    /// The lifetime of a token whose maker does not choose one.
    pub default_lifetime: Option<Span>,
    /// The longest lifetime of a token.
    pub longest_lifetime: Option<Span>,
    /// How long a token may go unused.
    pub idle_after: Option<Span>,
    /// The scopes it may carry, as listed; nothing where any will do.
    pub scopes: Option<Vec<String>>,
    /// When it was set.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Principal,
}

/// An organisation's rules for a new token of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTerms {
    /// The most live tokens it may have; nothing means no cap of its own.
    pub token_cap: Option<u32>,
    /// Whether it makes tokens of its own under trust policies alone.
    pub trust_only: bool,
    /// The rule for the kind, if there is one.
    pub rule: Option<StoredRule>,
}
