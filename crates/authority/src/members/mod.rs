//! Members of an organisation: who they are, what they are, and whether they count.

mod add;
mod edit;
mod remove;
mod sessions;

use std::sync::Arc;

use storage::{StoreError, Tx};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, UserId, kind};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{Member, MembershipStanding};
use token_domain::role::Power;

pub use add::{Added, Whom};
pub use edit::MemberChange;

use crate::change::Change;
use crate::context::Context;
use crate::cursor::cut;
use crate::organizations::{OrganizationError, Seat};

/// Where a page of members begins.
pub type Cursor = crate::cursor::Cursor<kind::User>;

/// The members of organisations.
pub struct Members {
    context: Arc<Context>,
}

/// A page of members, those who joined last first.
#[derive(Clone, Debug)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<Member>,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<Cursor>,
}

impl Members {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The members of the caller's organisation.
    ///
    /// # Errors
    /// A credential that is bound to a project.
    pub async fn list(&self, seat: &Seat, after: Option<Cursor>, limit: u32) -> Result<MemberPage, OrganizationError> {
        seat.check_unbound()?;
        let organization = seat.organization();
        let after = after.map(|cursor| (cursor.created_at, cursor.id));
        // One more than asked tells whether there is another page.
        let read = self.context.store.read(move |reads| Box::pin(reads.list_members(organization, after, limit + 1)));
        let mut members = read.await?;
        let place = |member: &Member| Cursor { created_at: member.membership.created_at, id: member.user.id };
        let next = cut(&mut members, limit, place);
        Ok(MemberPage { members, next })
    }
}

/// The member as they are, if the caller, who has the power `mine`, may decide about them.
async fn reached(
    change: &mut Change<'_>,
    seat: &Seat,
    mine: &Power,
    user: UserId,
) -> Result<MembershipStanding, OrganizationError> {
    let found = change.tx.membership_standing(seat.organization(), user).await?;
    let found = found.ok_or(OrganizationError::NotFound)?;
    let context = change.context();
    let theirs = context.power(found.role, found.custom_scopes.as_deref())?;
    OrganizationError::unless_reached(context.catalogue(), mine, &theirs)?;
    Ok(found)
}

/// Refuses to leave an organisation without an owner who can act, when the change before was to one. Called after the
/// change and in its transaction, which is undone then.
async fn keep_an_owner(
    tx: &mut Tx,
    organization: OrganizationId,
    before: &MembershipStanding,
) -> Result<(), OrganizationError> {
    if before.role == RoleRef::BuiltIn(BuiltInRole::Owner) && tx.count_owners(organization).await? == 0 {
        return Err(OrganizationError::LastOwner);
    }
    Ok(())
}

/// A standing just made or changed, for the answer.
async fn now_standing(
    tx: &mut Tx,
    before: &MembershipStanding,
    role: RoleRef,
    disabled_at: Option<Timestamp>,
) -> Result<MembershipStanding, StoreError> {
    let custom = match role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => tx.role(before.organization.id, id).await?,
    };
    let (custom_name, custom_scopes) = custom.map(|role| (role.name, role.scopes)).unzip();
    Ok(MembershipStanding { role, custom_name, custom_scopes, disabled_at, ..before.clone() })
}
