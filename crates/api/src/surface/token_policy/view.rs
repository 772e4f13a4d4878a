//! A policy in requests and answers.

use authority::policies::{AskedRule, InForce};
use serde::{Deserialize, Serialize};
use token_domain::id::OrganizationId;
use token_domain::policy::{AllowedScopes, KindRule, Making};
use token_domain::token::Kind;
use token_domain::{ScopeCatalogue, Span};
use utoipa::ToSchema;

use super::object::Object;
use edge::error::{ApiError, ApiResult};

/// The token policy of an organisation.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenPolicy)]
pub(super) struct PolicyView {
    org_id: String,
    kinds: TokenRules,
    /// When the policy was set; `null` if there is none.
    updated_at: Option<String>,
    /// Who set the policy: `user:<id>` or `token:<id>`.
    updated_by: Option<String>,
}

/// The rules by kind of token.
#[derive(Serialize, ToSchema)]
struct TokenRules {
    /// Tokens of the organisation itself.
    organization: RuleView,
    /// Personal keys of members.
    personal: RuleView,
    /// Tokens of actors. They expire with their actor.
    actor: RuleView,
}

/// The rules for one kind of token.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenRule)]
struct RuleView {
    /// Whether tokens of this kind may be created and rotated.
    allowed: bool,
    /// The lifetime in days of a token created without an expiry.
    default_lifetime_days: Option<i64>,
    /// The maximum lifetime in days.
    max_lifetime_days: Option<i64>,
    /// The number of days without use after which a token stops being valid.
    idle_days: Option<i64>,
    /// The scopes that tokens of this kind may carry, together with the scopes they imply; `null` for all scopes.
    allowed_scopes: Option<Vec<String>>,
}

/// A token policy to set or preview. It replaces the current policy; a rule that is left out is not in force.
#[derive(Deserialize, ToSchema)]
pub(super) struct AskedPolicy {
    #[schema(value_type = AskedRules)]
    kinds: Object<AskedRules>,
}

/// The rules by kind of token. A kind that is left out has no rules.
#[derive(Deserialize, ToSchema)]
#[schema(as = AskedTokenRules)]
struct AskedRules {
    /// Tokens of the organisation itself.
    #[serde(default)]
    #[schema(value_type = Option<RuleAsked>)]
    organization: Option<Object<RuleAsked>>,
    /// Personal keys of members.
    #[serde(default)]
    #[schema(value_type = Option<RuleAsked>)]
    personal: Option<Object<RuleAsked>>,
    /// Tokens of actors. They expire with their actor, so lifetimes cannot be set.
    #[serde(default)]
    #[schema(value_type = Option<RuleAsked>)]
    actor: Option<Object<RuleAsked>>,
}

/// The rules for one kind of token.
#[derive(Deserialize, ToSchema)]
#[schema(as = AskedTokenRule)]
struct RuleAsked {
    /// Whether tokens of this kind may be created and rotated. Defaults to `true`.
    #[serde(default)]
    allowed: Option<bool>,
    /// The lifetime of a token created without an expiry: 1–36500 days, at most `max_lifetime_days`.
    #[serde(default)]
    default_lifetime_days: Option<u32>,
    /// The maximum lifetime: 1–36500 days.
    #[serde(default)]
    max_lifetime_days: Option<u32>,
    /// A token stops being valid after this many days without use: 1–36500.
    #[serde(default)]
    idle_days: Option<u32>,
    /// The 1–64 scopes that tokens of this kind may carry. Defaults to all scopes.
    #[serde(default)]
    allowed_scopes: Option<Vec<String>>,
}

impl AskedPolicy {
    /// Parses and checks the rules.
    pub(super) fn read(self) -> ApiResult<Vec<AskedRule>> {
        let Object(AskedRules { organization, personal, actor }) = self.kinds;
        let asked = [(Kind::Organization, organization), (Kind::Personal, personal), (Kind::Actor, actor)];
        asked.into_iter().filter_map(|(kind, rule)| rule.map(|Object(rule)| rule.read(kind))).collect()
    }
}

impl RuleAsked {
    fn read(self, kind: Kind) -> ApiResult<AskedRule> {
        let days = |name: &str, days: Option<u32>| match days {
            None => Ok(None),
            Some(days @ 1..=KindRule::MOST_DAYS) => Ok(Some(Span::days(days))),
            Some(_) => Err(ApiError::invalid(
                format!("kinds.{kind}.{name}"),
                format!("must be 1 to {}, or null", KindRule::MOST_DAYS),
            )),
        };
        let default_lifetime = days("default_lifetime_days", self.default_lifetime_days)?;
        let longest_lifetime = days("max_lifetime_days", self.max_lifetime_days)?;
        if longest_lifetime.is_some_and(|longest| default_lifetime.is_some_and(|default| default > longest)) {
            let field = format!("kinds.{kind}.default_lifetime_days");
            return Err(ApiError::invalid(field, "must be at most max_lifetime_days"));
        }
        let ends = [("default_lifetime_days", default_lifetime), ("max_lifetime_days", longest_lifetime)];
        if let Some((name, _)) = ends.iter().find(|(_, set)| kind == Kind::Actor && set.is_some()) {
            let advice =
                "must be left out: the token of an actor expires with the actor, so set expiresAt on the actor";
            return Err(ApiError::invalid(format!("kinds.{kind}.{name}"), advice));
        }
        let rule = KindRule {
            making: if self.allowed.unwrap_or(true) { Making::Permitted } else { Making::Forbidden },
            default_lifetime,
            longest_lifetime,
            idle_after: days("idle_days", self.idle_days)?,
            scopes: AllowedScopes::Any,
        };
        Ok(AskedRule { kind, rule, scopes: self.allowed_scopes })
    }
}

impl PolicyView {
    pub(super) fn new(organization: OrganizationId, policy: &InForce, catalogue: &ScopeCatalogue) -> Self {
        let of = |kind: Kind| {
            let rule = policy.rules.get(kind.as_str()).map(|(_, rule)| rule.clone()).unwrap_or_default();
            RuleView::new(&rule, catalogue)
        };
        Self {
            org_id: organization.to_string(),
            kinds: TokenRules {
                organization: of(Kind::Organization),
                personal: of(Kind::Personal),
                actor: of(Kind::Actor),
            },
            updated_at: policy.set.map(|(at, _)| at.rfc3339_seconds()),
            updated_by: policy.set.map(|(_, by)| by.to_string()),
        }
    }
}

impl RuleView {
    fn new(rule: &KindRule, catalogue: &ScopeCatalogue) -> Self {
        Self {
            allowed: rule.making == Making::Permitted,
            default_lifetime_days: rule.default_lifetime.map(Span::as_days),
            max_lifetime_days: rule.longest_lifetime.map(Span::as_days),
            idle_days: rule.idle_after.map(Span::as_days),
            allowed_scopes: match &rule.scopes {
                AllowedScopes::Any => None,
                AllowedScopes::Only(grants) => Some(grants.names(catalogue).into_iter().map(str::to_owned).collect()),
            },
        }
    }
}
