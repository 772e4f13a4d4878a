//! Adding somebody: at once if the caller knows them from another organisation, else by invitation.

use std::sync::Arc;

use storage::Tx;
use storage::model::{Invited, Membership, MembershipStanding, User};
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::person::RoleRef;
use token_domain::text::Email;

use super::{MANAGE, Members};
use crate::audit::{Event, Trail};
use crate::invitations::{InvitationCode, Offer, invite};
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::sessions::name_of_role;

/// Who is to become a member.
#[derive(Clone, Debug)]
pub enum Whom {
    /// A person of this deployment.
    Person(UserId),
    /// Whoever has this address.
    Email(Email),
}

/// What became of it.
#[derive(Debug)]
pub enum Added {
    /// They are a member.
    Member(Box<MembershipStanding>),
    /// They are invited. The code is nowhere else.
    Invited(Box<Invited>, InvitationCode),
}

impl Members {
    /// Makes somebody a member with a role. Who shares an organisation with the caller is added at once; anybody else is
    /// invited by their address, whether they have an account or not: an administrator learns no more of strangers than
    /// that, and nobody becomes a member of what they never heard of.
    ///
    /// # Errors
    /// A role that holds more than the caller, a member, an address that is invited, an id of nobody the caller knows.
    pub async fn add(
        &self,
        seat: &Seat,
        whom: Whom,
        role: RoleRef,
        origin: &Origin,
    ) -> Result<Added, OrganizationError> {
        let now = self.context.now();
        let (context, seat, origin) = (Arc::clone(&self.context), seat.clone(), origin.clone());
        let offer = Offer::draw(&context, role, now)?;
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move {
                    let (mut trail, mine) = seat.open(&context, tx, MANAGE).await?;
                    let given = seat.role(&context, tx, role).await?;
                    OrganizationError::unless_reached(context.catalogue(), &mine, &given)?;
                    let found = match &whom {
                        Whom::Person(id) => tx.user(*id).await?,
                        Whom::Email(email) => tx.user_by_email_key(&email.key()).await?,
                    };
                    if let Some(user) = &found
                        && tx.membership_standing(seat.organization(), user.id).await?.is_some()
                    {
                        return Err(OrganizationError::AlreadyMember);
                    }
                    match (known(tx, &seat, found).await?, whom) {
                        (Some(user), _) => {
                            let member = join(tx, &mut trail, &seat, &user, role, (now, &origin)).await?;
                            Ok(Added::Member(Box::new(member)))
                        }
                        (None, Whom::Email(email)) => {
                            let (invited, code) = invite(tx, &mut trail, &seat, email, offer, &origin).await?;
                            Ok(Added::Invited(Box::new(invited), code))
                        }
                        (None, Whom::Person(_)) => Err(OrganizationError::NoSuchPerson),
                    }
                })
            })
            .await
    }
}

/// The person, if the caller works with them somewhere already.
async fn known(tx: &mut Tx, seat: &Seat, found: Option<User>) -> Result<Option<User>, OrganizationError> {
    let (Some(user), Some(caller)) = (found, seat.person()) else { return Ok(None) };
    let is_known = user.disabled_at.is_none() && tx.share_organization(caller, user.id).await?;
    Ok(Some(user).filter(|_| is_known))
}

async fn join(
    tx: &mut Tx,
    trail: &mut Trail,
    seat: &Seat,
    user: &User,
    role: RoleRef,
    (now, origin): (Timestamp, &Origin),
) -> Result<MembershipStanding, OrganizationError> {
    let organization = seat.organization();
    let membership =
        Membership { organization_id: organization, user_id: user.id, role, disabled_at: None, created_at: now };
    tx.insert_membership(&membership).await?;
    // What they were offered before has become pointless.
    if let Some(offered) = tx.invitation_for(organization, &user.email.key()).await? {
        tx.delete_invitation(organization, offered.id).await?;
    }
    let event =
        Event::new(now, "member.add", seat.by(), origin).on("user", user.id).with("role", name_of_role(role, None));
    trail.append(tx, event).await?;
    tx.membership_standing(organization, user.id).await?.ok_or(OrganizationError::Overtaken)
}
