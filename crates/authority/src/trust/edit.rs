//! Making, changing and removing trust policies.

use token_domain::id::{ActorId, OrganizationId, ProjectId, TrustPolicyId};
use token_domain::record::TrustPolicy;
use token_domain::scope::Grants;
use token_domain::text::Name;
use token_domain::token::Kind;
use token_domain::trust::{Conditions, Preset};

use super::{MOST_POLICIES, Trust, TrustError, check_place, check_still};
use crate::audit::Event;
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::origin::{Caller, Origin};
use crate::records::Change as Edited;
use crate::tokens::{TokenError, within};

/// A policy asked for.
#[derive(Clone, Debug)]
pub struct NewTrustPolicy {
    /// Its name.
    pub name: Name,
    /// The preset; nothing for the one of the issuer.
    pub preset: Option<Preset>,
    /// The issuer; nothing for the one of the preset.
    pub issuer: Option<String>,
    /// What `aud` must be; nothing for the public address of the deployment.
    pub audience: Option<String>,
    /// What claims must be.
    pub conditions: Conditions,
    /// Scopes, by name.
    pub scopes: Vec<String>,
    /// The project the tokens are bound to.
    pub project_id: Option<ProjectId>,
    /// The actor of that project the tokens are of.
    pub actor_id: Option<ActorId>,
    /// How long a token lives.
    pub ttl_seconds: u32,
    /// Whether it is in force.
    pub is_enabled: bool,
}

/// What to change of a policy. Its issuer stays.
#[derive(Clone, Debug, Default)]
pub struct TrustPolicyEdit {
    /// A new name.
    pub name: Option<Name>,
    /// Another audience.
    pub audience: Edited<String>,
    /// Other conditions.
    pub conditions: Option<Conditions>,
    /// Other scopes.
    pub scopes: Option<Vec<String>>,
    /// Another project.
    pub project_id: Edited<ProjectId>,
    /// Another actor.
    pub actor_id: Edited<ActorId>,
    /// Another life.
    pub ttl_seconds: Option<u32>,
    /// Whether it is in force.
    pub is_enabled: Option<bool>,
}

impl Trust {
    /// Makes a policy.
    ///
    /// # Errors
    /// Another organisation, a confined caller, issuer and conditions that do not fit, scopes that are not the caller's, too
    /// many policies.
    pub async fn create(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        asked: NewTrustPolicy,
        origin: &Origin,
    ) -> Result<TrustPolicy, TrustError> {
        check_place(caller, organization)?;
        let (preset, issuer) = Preset::settle(asked.preset, asked.issuer.as_deref())?;
        let has_audience = self.audience.is_some();
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_still(change, organization)?;
                    change.check_present()?;
                    let most = usize::try_from(MOST_POLICIES).unwrap_or(usize::MAX);
                    let others = change.tx.list_trust_policies(organization, MOST_POLICIES).await?;
                    let is_full = others.len() >= most;
                    let mut policy = TrustPolicy {
                        id: change.context().id(change.now)?,
                        organization_id: organization,
                        name: asked.name,
                        preset,
                        issuer,
                        audience: asked.audience,
                        conditions: asked.conditions,
                        scopes: asked.scopes,
                        project_id: asked.project_id,
                        actor_id: asked.actor_id,
                        ttl_seconds: asked.ttl_seconds,
                        is_enabled: asked.is_enabled,
                        created_at: change.now,
                        created_by: change.by(),
                        updated_at: change.now,
                        updated_by: change.by(),
                    };
                    check(change, &mut policy, has_audience).await?;
                    // A request sent twice makes one policy: a twin would tie with it at every exchange.
                    if let Some(twin) = others.into_iter().find(|other| is_twin(other, &policy)) {
                        return Ok(twin);
                    }
                    if is_full {
                        return Err(TrustError::TooMany);
                    }
                    change.tx.insert_trust_policy(&policy).await?;
                    let event = described(change.event("trust_policy.create"), &policy);
                    change.record(event).await?;
                    Ok(policy)
                })
            })
            .await
    }

    /// Changes a policy. The caller must have the policy's scopes, as for a new one: a different condition gives them to other
    /// workloads.
    ///
    /// # Errors
    /// As for a new one; no such policy.
    pub async fn edit(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: TrustPolicyId,
        asked: TrustPolicyEdit,
        origin: &Origin,
    ) -> Result<TrustPolicy, TrustError> {
        check_place(caller, organization)?;
        let has_audience = self.audience.is_some();
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_still(change, organization)?;
                    let before = change.tx.trust_policy(organization, id).await?.ok_or(TrustError::NotFound)?;
                    let mut policy = asked.applied_to(before.clone());
                    if policy == before {
                        return Ok(before);
                    }
                    (policy.updated_at, policy.updated_by) = (change.now, change.by());
                    // Switching it off takes something away, and needs no more than the right to change policies.
                    let is_switched_off =
                        !policy.is_enabled && policy == TrustPolicy { is_enabled: false, ..stamped(&before, &policy) };
                    if !is_switched_off {
                        change.check_present()?;
                        check(change, &mut policy, has_audience).await?;
                    }
                    if !change.tx.update_trust_policy(&policy).await? {
                        return Err(TrustError::NotFound);
                    }
                    let event = described(change.event("trust_policy.update"), &policy);
                    change.record(event).await?;
                    Ok(policy)
                })
            })
            .await
    }

    /// Removes a policy. Tokens that were made under it end by themselves, within the hour.
    ///
    /// # Errors
    /// No such policy.
    pub async fn delete(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: TrustPolicyId,
        origin: &Origin,
    ) -> Result<(), TrustError> {
        check_place(caller, organization)?;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    check_place(change.caller()?, organization)?;
                    if !change.tx.delete_trust_policy(organization, id).await? {
                        return Err(TrustError::NotFound);
                    }
                    let event = change.event("trust_policy.delete").on("trust_policy", id);
                    change.record(event).await?;
                    Ok(())
                })
            })
            .await
    }
}

impl TrustPolicyEdit {
    fn applied_to(self, mut policy: TrustPolicy) -> TrustPolicy {
        fn edited<T>(value: &mut Option<T>, edit: Edited<T>) {
            match edit {
                Edited::Keep => {}
                Edited::Clear => *value = None,
                Edited::Set(new) => *value = Some(new),
            }
        }
        policy.name = self.name.unwrap_or(policy.name);
        edited(&mut policy.audience, self.audience);
        policy.conditions = self.conditions.unwrap_or(policy.conditions);
        policy.scopes = self.scopes.unwrap_or(policy.scopes);
        edited(&mut policy.project_id, self.project_id);
        edited(&mut policy.actor_id, self.actor_id);
        policy.ttl_seconds = self.ttl_seconds.unwrap_or(policy.ttl_seconds);
        policy.is_enabled = self.is_enabled.unwrap_or(policy.is_enabled);
        policy
    }
}

/// Whether two policies differ in nothing but their ids and times.
fn is_twin(one: &TrustPolicy, other: &TrustPolicy) -> bool {
    *one == TrustPolicy { id: one.id, created_at: one.created_at, updated_at: one.updated_at, ..other.clone() }
}

/// A policy with the time and author of another.
fn stamped(policy: &TrustPolicy, by: &TrustPolicy) -> TrustPolicy {
    TrustPolicy { updated_at: by.updated_at, updated_by: by.updated_by, ..policy.clone() }
}

/// Checks a policy before it is stored, against the rights of the caller. Replaces its scopes by the catalogue's names, each
/// once.
async fn check(change: &mut Change<'_>, policy: &mut TrustPolicy, has_audience: bool) -> Result<(), TrustError> {
    let context = change.context();
    policy.preset.check(&policy.conditions)?;
    if policy.audience.is_none() && !has_audience {
        return Err(TrustError::AudienceNeeded);
    }
    let grants = granted(&context, policy)?;
    within(&context.catalogue, grants.effective(), change.effective())?;
    policy.scopes = context.names_of(&grants);
    if let Some(project) = policy.project_id
        && change.tx.project(policy.organization_id, project).await?.is_none()
    {
        return Err(TokenError::NoSuchProject.into());
    }
    if let Some(actor) = policy.actor_id {
        let project = policy.project_id.ok_or(TrustError::NoSuchActor)?;
        change.tx.actor(project, actor).await?.ok_or(TrustError::NoSuchActor)?;
    }
    Ok(())
}

/// The scopes of a policy, as tokens of its kind can carry them.
pub(super) fn granted(context: &Context, policy: &TrustPolicy) -> Result<Grants, TokenError> {
    Ok(context.catalogue.grant(&policy.scopes, kind_of(policy))?)
}

/// The kind of the tokens made under a policy.
pub(super) const fn kind_of(policy: &TrustPolicy) -> Kind {
    if policy.actor_id.is_some() { Kind::Actor } else { Kind::Organization }
}

fn described(event: Event, policy: &TrustPolicy) -> Event {
    let event = event
        .on("trust_policy", policy.id)
        .with("name", policy.name.as_str())
        .with("issuer", policy.issuer.as_str())
        .with("match", policy.conditions.written())
        .with("scopes", policy.scopes.clone())
        .with("ttl", policy.ttl_seconds)
        .with("enabled", policy.is_enabled);
    let event = match &policy.audience {
        Some(audience) => event.with("audience", audience.as_str()),
        None => event,
    };
    match (policy.project_id, policy.actor_id) {
        (_, Some(actor)) => event.with("actor_id", actor.to_string()),
        (Some(project), None) => event.with("project_id", project.to_string()),
        (None, None) => event,
    }
}
