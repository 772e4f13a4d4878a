//! Making and changing roles.

use token_domain::person::RoleRef;
use token_domain::record::CustomRole;
use token_domain::role::{Power, RoleName};
use token_domain::token::Kind;

use super::{MOST_ROLES, Roles, WRITE, check_name, own};
use crate::audit::MOST_NAMED;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;

/// A role asked for.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Its name.
    pub name: RoleName,
    /// Its scopes, as asked.
    pub scopes: Vec<String>,
}

/// A change to a role.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// A new name.
    pub name: Option<RoleName>,
    /// Other scopes instead of those it has.
    pub scopes: Option<Vec<String>>,
}

impl Roles {
    /// Makes a role.
    ///
    /// # Errors
    /// Unknown or too wide scopes, a name in use, as many roles as there may be.
    pub async fn create(
        &self,
        seat: &Seat,
        request: NewRole,
        origin: &Origin,
    ) -> Result<CustomRole, OrganizationError> {
        let grants = self.context.catalogue.grant(&request.scopes, Kind::Personal)?;
        let now = self.context.now();
        let role = CustomRole {
            id: self.context.id(now)?,
            organization_id: seat.organization(),
            name: request.name.name().clone(),
            scopes: self.context.names_of(&grants),
            created_at: now,
            updated_at: now,
        };
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, WRITE)?;
                    OrganizationError::unless_reached(
                        change.context().catalogue(),
                        &mine,
                        &Power::of(grants.effective()),
                    )?;
                    if check_name(change.tx, &seat, &request.name, None).await? >= MOST_ROLES {
                        return Err(OrganizationError::TooManyRoles(MOST_ROLES));
                    }
                    change.tx.insert_role(&role).await?;
                    let event = change
                        .event("role.create")
                        .on("role", role.id)
                        .with("name", role.name.as_str())
                        .with("scopes", role.scopes.clone());
                    change.record(event).await?;
                    Ok(role)
                })
            })
            .await
    }

    /// Changes a role. When this returns, the new scopes apply to its members and their personal keys.
    ///
    /// Narrowing a role takes from everyone who wears it, so it needs to be within the caller's own both before and after.
    ///
    /// # Errors
    /// No such role, a built-in one, one that holds more than the caller or would, a name in use.
    pub async fn edit(
        &self,
        seat: &Seat,
        role: RoleRef,
        asked: RoleChange,
        origin: &Origin,
    ) -> Result<CustomRole, OrganizationError> {
        let id = own(role)?;
        let catalogue = self.context.catalogue();
        let grants = asked.scopes.as_ref().map(|scopes| catalogue.grant(scopes, Kind::Personal)).transpose()?;
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let (organization, context) = (seat.organization(), change.context());
                    let mine = seat.open(change, WRITE)?;
                    let before = change.tx.role(organization, id).await?.ok_or(OrganizationError::NotFound)?;
                    let held = context.power(RoleRef::Custom(id), Some(&before.scopes))?;
                    OrganizationError::unless_reached(context.catalogue(), &mine, &held)?;
                    let name = asked.name.filter(|name| *name.name() != before.name);
                    let scopes = grants.map(|grants| (context.names_of(&grants), Power::of(grants.effective())));
                    let scopes = scopes.filter(|(names, _)| *names != before.scopes);
                    if name.is_none() && scopes.is_none() {
                        return Ok(before);
                    }
                    let mut event = change.event("role.update").on("role", id);
                    if let Some(name) = &name {
                        check_name(change.tx, &seat, name, Some(id)).await?;
                        event = event.with("name", name.name().as_str());
                    }
                    if let Some((names, asked)) = &scopes {
                        OrganizationError::unless_reached(context.catalogue(), &mine, asked)?;
                        if held.reaches(asked).is_err() {
                            // More than it had, for all who wear it and longer than a grace.
                            change.check_not_superseded()?;
                        }
                        // One more than the trail names shows that there are more.
                        let most = u32::try_from(MOST_NAMED + 1).unwrap_or(u32::MAX);
                        let wearers = change.tx.members_of_role(organization, id, most).await?;
                        seat.fence(change, &wearers).await?;
                        let count = if wearers.len() > MOST_NAMED {
                            change.tx.count_members_of_role(organization, id).await?
                        } else {
                            wearers.len()
                        };
                        event = event.with("scopes", names.clone()).with_some_ids("members", count, &wearers);
                    }
                    let name = name.as_ref().map(RoleName::name);
                    let scopes = scopes.as_ref().map(|(names, _)| names.as_slice());
                    let changed = change.tx.update_role(organization, id, name, scopes, change.now).await?;
                    change.record(event).await?;
                    changed.ok_or(OrganizationError::NotFound)
                })
            })
            .await
    }
}
