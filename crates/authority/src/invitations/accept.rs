//! Accepting an invitation.

use std::sync::Arc;

use storage::Tx;
use storage::model::{Invitation, Membership, MembershipStanding, Principal, User};
use token_domain::Timestamp;
use token_domain::person::RoleRef;
use token_domain::text::Name;
use zeroize::Zeroizing;

use super::{InvitationCode, Invitations, event};
use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::members::MANAGE;
use crate::organizations::OrganizationError;
use crate::origin::{Caller, Origin, Via};
use crate::passwords::NewPassword;
use crate::people::{hash_password, named_after};
use crate::sessions::{is_welcome, name_of_role};

/// An invitation being accepted.
#[derive(Debug)]
pub struct Acceptance {
    /// The code.
    pub code: InvitationCode,
    /// The newcomer's name; their address when left out.
    pub name: Option<Name>,
    /// The password a newcomer chooses, or the one that somebody with an account proves it by.
    pub password: Option<Zeroizing<String>>,
    /// Who accepts, if they are signed in.
    pub caller: Option<Caller>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The new member.
    pub standing: MembershipStanding,
    /// Whether the account was made on the way.
    pub is_new_person: bool,
}

/// Who accepts.
enum Who {
    Known(User),
    New(User),
}

impl Invitations {
    /// Makes whoever has the code and the address a member. Somebody without an account gets one; somebody with an account
    /// has to be signed in or prove it by their password: the code alone, which whoever invited them knows as well, never
    /// speaks for an account that exists.
    ///
    /// # Errors
    /// One answer for every reason why an invitation does not count; a password that is missing, wrong or none.
    pub async fn accept(&self, acceptance: Acceptance, origin: &Origin) -> Result<Accepted, OrganizationError> {
        let context = &self.context;
        let digest = acceptance.code.digest();
        let found = context.store.read(move |reads| Box::pin(async move { reads.invitation_by_digest(&digest).await }));
        let invitation = found.await?.filter(|invitation| invitation.expires_at > context.now());
        let invitation = invitation.ok_or(OrganizationError::InvalidInvitation)?;
        let who = self.who(acceptance, &invitation, origin).await?;
        let now = context.now();
        let (context, origin) = (Arc::clone(context), origin.clone());
        let organization = invitation.organization_id;
        self.context
            .units
            .run(now, self.context.units.touching(), move |tx| {
                Box::pin(async move {
                    let trail = Trail::open(tx, Some(organization)).await?;
                    let taken = tx.take_invitation(&digest, now).await?;
                    let taken = taken.ok_or(OrganizationError::InvalidInvitation)?;
                    if !still_counts(&context, tx, &taken).await? {
                        return Err(OrganizationError::InvalidInvitation);
                    }
                    admit(tx, trail, &taken, who, (now, &origin)).await
                })
            })
            .await
    }

    async fn who(
        &self,
        acceptance: Acceptance,
        invitation: &Invitation,
        origin: &Origin,
    ) -> Result<Who, OrganizationError> {
        let key = invitation.email.key();
        let read = self.context.store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        let user: Option<User> = read.await?;
        let Acceptance { code: _, name, password, caller } = acceptance;
        match (user, caller, password) {
            (Some(user), Some(Caller { via: Via::Session { user_id, .. }, .. }), _) if user.id == user_id => {
                Ok(Who::Known(user))
            }
            (_, Some(_), _) => Err(OrganizationError::ForSomebodyElse),
            (_, None, None) => Err(OrganizationError::PasswordNeeded),
            (Some(user), None, Some(password)) => {
                let proven = self.sessions.proves(&invitation.email, password, origin).await?;
                if proven == Some(user.id) { Ok(Who::Known(user)) } else { Err(OrganizationError::WrongPassword) }
            }
            (None, None, Some(password)) => self.newcomer(invitation, name, password).await.map(Who::New),
        }
    }

    async fn newcomer(
        &self,
        invitation: &Invitation,
        name: Option<Name>,
        password: Zeroizing<String>,
    ) -> Result<User, OrganizationError> {
        let password = NewPassword::new(password)?;
        let name = name.map_or_else(|| named_after(&invitation.email), Ok)?;
        password.suits(self.context.policy.password_min_chars, &[invitation.email.as_str(), name.as_str()])?;
        let hash = hash_password(&self.context, password.into_password()).await?;
        let now = self.context.now();
        Ok(User {
            id: self.context.id(now)?,
            name,
            email: invitation.email.clone(),
            password_hash: Some(hash.as_str().to_owned()),
            disabled_at: None,
            created_at: now,
            updated_at: now,
        })
    }
}

/// Whether the organisation is open and whoever answers for the invitation could make it now.
async fn still_counts(context: &Context, tx: &mut Tx, invitation: &Invitation) -> Result<bool, OrganizationError> {
    let organization = invitation.organization_id;
    if tx.organization(organization).await?.is_none_or(|organization| organization.disabled_at.is_some()) {
        return Ok(false);
    }
    let Some(sponsor) = invitation.sponsor else { return Ok(true) };
    let Some(standing) = tx.membership_standing(organization, sponsor).await?.filter(is_welcome) else {
        return Ok(false);
    };
    let power = context.power(standing.role, standing.custom_scopes.as_deref())?;
    let scopes = match invitation.role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => tx.role(organization, id).await?.map(|role| role.scopes),
    };
    let offered = context.power(invitation.role, scopes.as_deref())?;
    let may_manage = context.catalogue().find(MANAGE).is_some_and(|manage| power.scopes().contains(manage));
    Ok(may_manage && power.reaches(&offered).is_ok())
}

async fn admit(
    tx: &mut Tx,
    mut trail: Trail,
    invitation: &Invitation,
    who: Who,
    (now, origin): (Timestamp, &Origin),
) -> Result<Accepted, OrganizationError> {
    let (user, is_new_person) = match who {
        Who::Known(user) => (user, false),
        Who::New(user) => {
            tx.insert_user(&user).await?;
            (user, true)
        }
    };
    let organization = invitation.organization_id;
    if tx.membership_standing(organization, user.id).await?.is_some() {
        return Err(OrganizationError::AlreadyMember);
    }
    let membership = Membership {
        organization_id: organization,
        user_id: user.id,
        role: invitation.role,
        disabled_at: None,
        created_at: now,
    };
    tx.insert_membership(&membership).await?;
    let by = Principal::User(user.id);
    let accepted = event("invitation.accept", now, by, origin, invitation.id, invitation.role)
        .with("user_id", user.id.to_string())
        .with("new_person", is_new_person);
    trail.append(tx, accepted).await?;
    let added = Event::new(now, "member.add", by, origin)
        .on("user", user.id)
        .with("role", name_of_role(invitation.role, None))
        .with("invitation_id", invitation.id.to_string());
    trail.append(tx, added).await?;
    let standing = tx.membership_standing(organization, user.id).await?.ok_or(OrganizationError::Overtaken)?;
    Ok(Accepted { standing, is_new_person })
}
