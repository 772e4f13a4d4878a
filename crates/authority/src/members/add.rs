//! Adding somebody: at once if the caller knows them from another organisation, else by invitation.

use storage::Tx;
use token_domain::id::UserId;
use token_domain::person::RoleRef;
use token_domain::record::{Invited, Membership, MembershipStanding, User};
use token_domain::text::Email;

use super::Members;
use crate::change::Change;
use crate::invitations::{InvitationCode, Offer, invite, recorded};
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::standing::{MANAGE, name_of_role};

/// Who is to become a member.
#[derive(Clone, Debug)]
pub enum Whom {
    /// A person of this deployment.
    Person(UserId),
    /// The person with this address.
    Email(Email),
}

/// The outcome of adding a member.
#[derive(Debug)]
pub enum Added {
    /// They are a member.
    Member(Box<MembershipStanding>),
    /// They are invited. The code is nowhere else.
    Invited(Box<Invited>, InvitationCode),
}

impl Members {
    /// Adds a person as a member with a role. A person who shares an organisation with the caller is added at once; if they are
    /// named by address, only if that address was verified by the operator or by this organisation. All other people are
    /// invited by address, with or without an account. So the answer does not tell an administrator which addresses have
    /// accounts, people join an organisation of strangers only by accepting, and an account with an unverified address of
    /// another person gets no access that was meant for that person.
    ///
    /// # Errors
    /// A role that holds more than the caller, a member, an invited address, an id that is unknown to the caller, too many mailed
    /// invitations.
    pub async fn add(
        &self,
        seat: &Seat,
        whom: Whom,
        role: RoleRef,
        origin: &Origin,
    ) -> Result<Added, OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        let offer = Offer::draw(&self.context, role)?;
        let added = self
            .context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, MANAGE)?;
                    change.check_not_superseded()?;
                    let given = seat.role(change, role).await?;
                    OrganizationError::unless_reached(change.context().catalogue(), &mine, &given)?;
                    let found = match &whom {
                        Whom::Person(id) => change.tx.user(*id).await?,
                        Whom::Email(email) => change.tx.user_by_email_key(&email.key()).await?,
                    };
                    let is_sure = |user: &User| match &whom {
                        Whom::Person(_) => true,
                        Whom::Email(_) => user.has_address_in(seat.organization()),
                    };
                    if let Some(user) = &found
                        && change.tx.membership_standing(seat.organization(), user.id).await?.is_some()
                    {
                        return Err(OrganizationError::AlreadyMember);
                    }
                    // A session by an identity provider is not the person elsewhere: it knows nobody from there.
                    let found = found.filter(|user| is_sure(user) && !change.is_by_provider());
                    match (known(change.tx, &seat, found).await?, whom) {
                        (Some(user), _) => {
                            let member = join(change, &seat, &user, role).await?;
                            Ok(Added::Member(Box::new(member)))
                        }
                        (None, Whom::Email(email)) => {
                            let (invited, code) = invite(change, &seat, email, offer).await?;
                            Ok(Added::Invited(Box::new(invited), code))
                        }
                        (None, Whom::Person(_)) => Err(OrganizationError::NoSuchPerson),
                    }
                })
            })
            .await;
        recorded(&self.context, &seat, origin, added).await
    }
}

/// The person, if the caller works with them somewhere already.
async fn known(tx: &mut Tx, seat: &Seat, found: Option<User>) -> Result<Option<User>, OrganizationError> {
    let (Some(user), Some(caller)) = (found, seat.person()) else { return Ok(None) };
    let is_known = user.disabled_at.is_none() && tx.share_organization(caller, user.id).await?;
    Ok(Some(user).filter(|_| is_known))
}

async fn join(
    change: &mut Change<'_>,
    seat: &Seat,
    user: &User,
    role: RoleRef,
) -> Result<MembershipStanding, OrganizationError> {
    let organization = seat.organization();
    let membership =
        Membership { organization_id: organization, user_id: user.id, role, disabled_at: None, created_at: change.now };
    change.tx.insert_membership(&membership).await?;
    // What they were offered before has become pointless.
    if let Some(offered) = change.tx.invitation_for(organization, &user.email.key()).await? {
        change.tx.delete_invitation(organization, offered.id).await?;
    }
    let event = change.event("member.add").on("user", user.id).with("role", name_of_role(role, None));
    change.record(event).await?;
    change.tx.membership_standing(organization, user.id).await?.ok_or(OrganizationError::Overtaken)
}
