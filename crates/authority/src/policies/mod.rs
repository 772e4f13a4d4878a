//! What an organisation asks of its tokens: read, set, and tried out before it is set.
//!
//! Where a policy takes effect is where tokens are made, rotated and validated; here it is only kept.

mod preview;

use std::collections::BTreeMap;
use std::sync::Arc;

use storage::StoreError;
use storage::model::Touched;
use token_domain::id::OrganizationId;
use token_domain::policy::{AllowedScopes, Breach, KindRule, Making};
use token_domain::record::{Principal, StoredRule};
use token_domain::scope::{GrantError, Grants};
use token_domain::token::Kind;
use token_domain::{ScopeCatalogue, Timestamp};

pub use preview::{Counts, Examined, PolicyCursor, Preview, PreviewRequest};

use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use crate::rights::Refused;

/// The rules of an organisation, by kind; a kind that is not in it is asked nothing.
pub type Rules = BTreeMap<&'static str, (Kind, KindRule)>;

/// Why something asked of a policy was not done.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Another organisation than the caller's.
    #[error("no such organisation")]
    NotFound,
    /// The caller is bound to a project, and a policy is the organisation's.
    #[error("the caller is bound to a project")]
    Confined,
    /// Scopes that cannot be allowed, since nobody can carry them.
    #[error("{1}")]
    Scopes(Kind, GrantError),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for PolicyError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// A breach of a policy, in names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} tokens: {breach}")]
pub struct PolicyBreach {
    /// The kind of token.
    pub kind: Kind,
    /// What is against the policy.
    pub breach: Breach,
    /// The scopes that are not allowed.
    pub scopes: Vec<String>,
}

/// A rule as asked for, with scopes still by name.
#[derive(Clone, Debug)]
pub struct AskedRule {
    /// The kind it is for.
    pub kind: Kind,
    /// The rule, apart from its scopes.
    pub rule: KindRule,
    /// The scopes it allows; nothing for any.
    pub scopes: Option<Vec<String>>,
}

/// The policy in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The rules.
    pub rules: Rules,
    /// When they were set, and by whom; nothing where none is set.
    pub set: Option<(Timestamp, Principal)>,
}

/// The policies of organisations.
pub struct Policies {
    context: Arc<Context>,
}

impl Policies {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The policy of the caller's organisation.
    ///
    /// # Errors
    /// Another organisation.
    pub async fn get(&self, caller: &Caller, organization: OrganizationId) -> Result<InForce, PolicyError> {
        check_organization(caller, organization)?;
        let stored = self.context.store.read(move |reads| Box::pin(reads.token_rules(organization))).await?;
        Ok(self.in_force(&stored)?)
    }

    /// Sets the policy in place of the one before. When this returns, no validation that starts from now on overlooks it.
    ///
    /// # Errors
    /// Another organisation; a caller bound to a project; scopes that tokens of the kind cannot carry.
    pub async fn set(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        asked: Vec<AskedRule>,
        origin: &Origin,
    ) -> Result<InForce, PolicyError> {
        check_organization(caller, organization)?;
        check_unconfined(caller)?;
        let rules = self.read(asked)?;
        let written = self.context.change(Ask::by(caller, origin), move |change| {
            Box::pin(async move {
                check_unconfined(change.caller()?)?;
                change.check_not_superseded()?;
                change.touch(Touched::Organization(organization));
                let (context, set) = (change.context(), (change.now, change.by()));
                let one = |(kind, rule): &(Kind, KindRule)| stored(&context.catalogue, organization, *kind, rule, set);
                let written: Vec<StoredRule> = rules.values().map(one).collect();
                write(change, organization, &written).await?;
                Ok::<_, PolicyError>(written)
            })
        });
        Ok(self.in_force(&written.await?)?)
    }

    /// Reads rules that are asked for.
    fn read(&self, asked: Vec<AskedRule>) -> Result<Rules, PolicyError> {
        let mut rules = Rules::new();
        for AskedRule { kind, mut rule, scopes } in asked {
            if let Some(scopes) = scopes {
                let grants = self.context.catalogue.grant(&scopes, kind);
                rule.scopes = AllowedScopes::Only(grants.map_err(|error| PolicyError::Scopes(kind, error))?);
            }
            rules.insert(kind.as_str(), (kind, rule));
        }
        Ok(rules)
    }

    fn in_force(&self, stored: &[StoredRule]) -> Result<InForce, Failure> {
        let read = |stored: &StoredRule| {
            rule(&self.context.catalogue, stored).map(|rule| (stored.kind.as_str(), (stored.kind, rule)))
        };
        let set = stored.first().map(|rule| (rule.updated_at, rule.updated_by));
        Ok(InForce { rules: stored.iter().map(read).collect::<Result<_, _>>()?, set })
    }
}

impl PolicyBreach {
    pub(crate) fn new(catalogue: &ScopeCatalogue, kind: Kind, breach: Breach) -> Self {
        let scopes = match &breach {
            Breach::Scopes { excess } => catalogue.names(*excess).into_iter().map(str::to_owned).collect(),
            Breach::Kind | Breach::TrustOnly | Breach::Lifetime { .. } => Vec::new(),
        };
        Self { kind, breach, scopes }
    }
}

/// A stored rule in the domain's terms.
pub(crate) fn rule(catalogue: &ScopeCatalogue, stored: &StoredRule) -> Result<KindRule, Failure> {
    Ok(KindRule {
        making: if stored.is_permitted { Making::Permitted } else { Making::Forbidden },
        default_lifetime: stored.default_lifetime,
        longest_lifetime: stored.longest_lifetime,
        idle_after: stored.idle_after,
        scopes: match &stored.scopes {
            Some(scopes) => AllowedScopes::Only(restored(catalogue, scopes)?),
            None => AllowedScopes::Any,
        },
    })
}

/// Stored scopes, which the catalogue must know.
pub(crate) fn restored(catalogue: &ScopeCatalogue, scopes: &[String]) -> Result<Grants, Failure> {
    catalogue.restore(scopes).map_err(|error| Failure::Inconsistent(format!("stored scopes cannot be read: {error}")))
}

fn stored(
    catalogue: &ScopeCatalogue,
    organization_id: OrganizationId,
    kind: Kind,
    rule: &KindRule,
    (updated_at, updated_by): (Timestamp, Principal),
) -> StoredRule {
    StoredRule {
        organization_id,
        kind,
        is_permitted: rule.making == Making::Permitted,
        default_lifetime: rule.default_lifetime,
        longest_lifetime: rule.longest_lifetime,
        idle_after: rule.idle_after,
        scopes: match &rule.scopes {
            AllowedScopes::Any => None,
            AllowedScopes::Only(grants) => Some(grants.names(catalogue).into_iter().map(str::to_owned).collect()),
        },
        updated_at,
        updated_by,
    }
}

async fn write(change: &mut Change<'_>, organization: OrganizationId, rules: &[StoredRule]) -> Result<(), PolicyError> {
    change.tx.delete_token_rules(organization).await?;
    let mut event = change.event("token_policy.set").on("organization", organization);
    for rule in rules {
        change.tx.insert_token_rule(rule).await?;
        event = event.with(
            rule.kind.as_str(),
            serde_json::json!({
                "allowed": rule.is_permitted,
                "default_lifetime_days": rule.default_lifetime.map(token_domain::Span::as_days),
                "max_lifetime_days": rule.longest_lifetime.map(token_domain::Span::as_days),
                "idle_days": rule.idle_after.map(token_domain::Span::as_days),
                "allowed_scopes": rule.scopes,
            }),
        );
    }
    Ok(change.record(event).await?)
}

fn check_organization(caller: &Caller, organization: OrganizationId) -> Result<(), PolicyError> {
    if caller.organization_id == organization { Ok(()) } else { Err(PolicyError::NotFound) }
}

/// A policy is about every project's tokens.
fn check_unconfined(caller: &Caller) -> Result<(), PolicyError> {
    if caller.reaches_whole_organization() { Ok(()) } else { Err(PolicyError::Confined) }
}
