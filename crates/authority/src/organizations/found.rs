//! Making a further organisation.

use token_domain::leak::LeakAction;
use token_domain::person::{BuiltInRole, RoleRef, SecondFactorRule};
use token_domain::record::{Membership, Organization};
use token_domain::text::{Name, Slug};

use super::seat::is_bound;
use super::{OrganizationError, Organizations, Seen, named_after};
use crate::change::Ask;
use crate::origin::{Caller, Origin};

/// An organisation asked for.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// Its slug.
    pub slug: Slug,
    /// Its name; its slug when left out.
    pub name: Option<Name>,
}

impl Organizations {
    /// Makes an organisation whose owner is the person behind the caller. The caller's credential stays what it was: for
    /// the organisation it is for.
    ///
    /// # Errors
    /// A slug in use, a caller who is no person or confined to a project, a deployment that does not let people do this.
    pub async fn create(
        &self,
        caller: &Caller,
        request: NewOrganization,
        origin: &Origin,
    ) -> Result<Seen, OrganizationError> {
        let context = &self.context;
        if !context.policy.open_founding {
            return Err(OrganizationError::FoundingClosed);
        }
        if is_bound(caller) {
            return Err(OrganizationError::Confined);
        }
        let user_id = caller.user_id().ok_or(OrganizationError::NotAPerson)?;
        let now = context.now();
        let organization = Organization {
            id: context.id(now)?,
            name: request.name.map_or_else(|| named_after(&request.slug), Ok)?,
            slug: request.slug,
            disabled_at: None,
            token_cap: None,
            second_factor: SecondFactorRule::Optional,
            leak_action: LeakAction::default(),
            trust_only: false,
            created_at: now,
            updated_at: now,
        };
        let role = RoleRef::BuiltIn(BuiltInRole::Owner);
        let membership =
            Membership { organization_id: organization.id, user_id, role, disabled_at: None, created_at: now };
        let made = organization.clone();
        context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    change.check_person_everywhere()?;
                    change.tx.insert_organization(&made).await?;
                    change.tx.insert_membership(&membership).await?;
                    let event = change
                        .event("organization.create")
                        .on("organization", made.id)
                        .with("slug", made.slug.as_str())
                        .with("owner", user_id.to_string());
                    Ok::<_, OrganizationError>(change.record_in(made.id, event).await?)
                })
            })
            .await?;
        Ok(self.seen(organization, Some((role, BuiltInRole::Owner.as_str().to_owned()))))
    }
}
