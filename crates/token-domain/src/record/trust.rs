//! Trust policies and what was tried under them.

use crate::Timestamp;
use crate::id::{ActorId, OrganizationId, ProjectId, TokenId, TrustAttemptId, TrustPolicyId};
use crate::text::Name;
use crate::trust::{Conditions, Preset};

use super::Principal;

/// Which workloads of an identity provider get tokens of an organisation, and what those may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    /// Its id.
    pub id: TrustPolicyId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Shown to people, and the name of the tokens made under it.
    pub name: Name,
    /// What is known of the identity provider.
    pub preset: Preset,
    /// Who signs the identity tokens; compared as it is.
    pub issuer: String,
    /// What `aud` must be; nothing for the public address of the deployment.
    pub audience: Option<String>,
    /// What the claims must be.
    pub conditions: Conditions,
    /// What the tokens may do, by name.
    pub scopes: Vec<String>,
    /// The project the tokens are bound to.
    pub project_id: Option<ProjectId>,
    /// The actor the tokens are of; nothing for tokens of the organisation.
    pub actor_id: Option<ActorId>,
    /// How long a token lives, in seconds.
    pub ttl_seconds: u32,
    /// Whether anything is exchanged under it.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Principal,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: Principal,
}

/// An attempt to exchange an identity token that its issuer signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAttempt {
    /// The policy.
    pub policy_id: TrustPolicyId,
    /// Its id.
    pub id: TrustAttemptId,
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: TrustOutcome,
    /// The claim that did not fit, if it was one.
    pub claim: Option<String>,
    /// The `sub` of the identity token.
    pub subject: Option<String>,
    /// Where it was presented.
    pub address: Option<String>,
    /// The token that was made.
    pub token_id: Option<TokenId>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustOutcome {
    /// A token was made.
    Exchanged,
    /// `aud` names somebody else.
    Audience,
    /// Too old, expired, or not valid yet.
    Time,
    /// A claim does not meet its condition.
    Claims,
    /// A job that the policy does not name, such as a pull request's.
    Refused,
    /// The policy is switched off.
    Disabled,
    /// Another policy fits as well.
    Ambiguous,
    /// It was exchanged before.
    Replayed,
    /// More scopes than the policy has were asked for.
    Scopes,
    /// The organisation's limits or its token policy stood in the way, or the project or actor is gone.
    Limits,
}

impl TrustOutcome {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Exchanged,
        Self::Audience,
        Self::Time,
        Self::Claims,
        Self::Refused,
        Self::Disabled,
        Self::Ambiguous,
        Self::Replayed,
        Self::Scopes,
        Self::Limits,
    ];

    /// What it is called on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exchanged => "exchanged",
            Self::Audience => "wrong_audience",
            Self::Time => "not_valid_now",
            Self::Claims => "claims_differ",
            Self::Refused => "refused_by_default",
            Self::Disabled => "policy_disabled",
            Self::Ambiguous => "ambiguous",
            Self::Replayed => "replayed",
            Self::Scopes => "scopes_exceeded",
            Self::Limits => "limits",
        }
    }

    /// Reads it back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}
