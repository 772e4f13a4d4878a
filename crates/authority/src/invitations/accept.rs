//! Accepting an invitation.

use storage::model::{Invitation, Membership, MembershipStanding, Principal, User};
use token_domain::person::RoleRef;
use token_domain::role::Power;
use token_domain::text::Name;
use zeroize::Zeroizing;

use super::{InvitationCode, Invitations, event};
use crate::attempts::{self, is_still};
use crate::audit::Refusal;
use crate::change::{Ask, Change};
use crate::organizations::OrganizationError;
use crate::origin::{Caller, Origin, Via};
use crate::passwords::NewPassword;
use crate::people::{hash_password, named_after};
use crate::rights::candidate_caller;
use crate::slow::Work;
use crate::standing::{MANAGE, is_welcome, name_of_role};

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
    /// Makes the holder of the code, with the invited address, a member. A person without an account gets one; a person with one
    /// has to be signed in or prove it by their password: the code alone, which the inviting person knows as well, never
    /// speaks for an account that exists.
    ///
    /// # Errors
    /// One answer for every reason why an invitation does not count; a password that is missing, wrong or none.
    pub async fn accept(&self, acceptance: Acceptance, origin: &Origin) -> Result<Accepted, OrganizationError> {
        let context = &self.context;
        let digest = acceptance.code.digest();
        let found = context.store.read(move |reads| Box::pin(async move { reads.invitation_by_digest(&digest).await }));
        let invitation = found.await?.filter(|invitation| invitation.expires_at > context.now());
        let Some(invitation) = invitation else {
            let by = (None, Principal::Anonymous);
            attempts::refused(context, Refusal::Invitation, by, origin, |event| event).await?;
            return Err(OrganizationError::InvalidInvitation);
        };
        let session = acceptance.caller;
        let who = self.who(acceptance, &invitation, origin).await?;
        let organization = invitation.organization_id;
        let ask = match (&session, &who) {
            (Some(caller), _) => Ask::by(caller, origin).in_trail_of(organization),
            (None, Who::Known(user)) => {
                Ask::of(Principal::User(user.id), Some(organization), origin).of_person(user.id)
            }
            (None, Who::New(user)) => Ask::of(Principal::User(user.id), Some(organization), origin),
        };
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let taken = change.tx.take_invitation(&digest, change.now).await?;
                    let taken = taken.ok_or(OrganizationError::InvalidInvitation)?;
                    if !still_counts(change, &taken).await? {
                        return Err(OrganizationError::InvalidInvitation);
                    }
                    if let (Who::Known(user), None) = (&who, &session) {
                        check_still_proven(change, user).await?;
                    }
                    admit(change, &taken, who).await
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
                let proven = proven.filter(|proven| proven.id == user.id);
                proven.map(Who::Known).ok_or(OrganizationError::WrongPassword)
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
        let hash = hash_password(&self.context, password.into_password(), Work::Stranger).await?;
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

/// Whether the organisation is enabled and the inviting credential could make the invitation now.
async fn still_counts(change: &mut Change<'_>, invitation: &Invitation) -> Result<bool, OrganizationError> {
    let organization = invitation.organization_id;
    if change.tx.organization(organization).await?.is_none_or(|organization| organization.disabled_at.is_some()) {
        return Ok(false);
    }
    let Some(power) = power_of_maker(change, invitation).await? else { return Ok(false) };
    let context = change.context();
    let scopes = match invitation.role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => change.tx.role(organization, id).await?.map(|role| role.scopes),
    };
    let offered = context.power(invitation.role, scopes.as_deref())?;
    let may_manage = context.catalogue().find(MANAGE).is_some_and(|manage| power.scopes().contains(manage));
    Ok(may_manage && power.reaches(&offered).is_ok())
}

/// What the credential that made the invitation may do now: the token itself, or the person who was signed in. Nothing when it
/// counts no more. A token that was rotated is another one: what the old one made ends with it.
async fn power_of_maker(change: &mut Change<'_>, invitation: &Invitation) -> Result<Option<Power>, OrganizationError> {
    let (organization, context) = (invitation.organization_id, change.context());
    match (invitation.created_by, invitation.sponsor) {
        (Principal::Token(token), _) => {
            let Some(found) = change.tx.candidate(organization, token).await? else { return Ok(None) };
            let caller = candidate_caller(&context, &found, change.now)?;
            Ok(caller.map(|(caller, _)| Power::of(caller.effective)))
        }
        (Principal::User(_) | Principal::Service | Principal::System | Principal::Anonymous, Some(sponsor)) => {
            let standing = change.tx.membership_standing(organization, sponsor).await?.filter(is_welcome);
            let power = standing.map(|place| context.power(place.role, place.custom_scopes.as_deref()));
            Ok(power.transpose()?)
        }
        (Principal::User(_) | Principal::Service | Principal::System | Principal::Anonymous, None) => Ok(None),
    }
}

/// Whether the password that was proven is still the one, and still enough.
async fn check_still_proven(change: &mut Change<'_>, proven: &User) -> Result<(), OrganizationError> {
    let current = change.tx.user(proven.id).await?.filter(|user| user.disabled_at.is_none());
    let is_proven = |now: &User| is_still(proven.password_hash.as_deref(), now.password_hash.as_deref());
    if !current.as_ref().is_some_and(is_proven) {
        return Err(OrganizationError::WrongPassword);
    }
    let factor = change.tx.second_factor(proven.id).await?;
    if factor.is_some_and(|factor| factor.confirmed_at.is_some()) {
        return Err(OrganizationError::SessionNeeded);
    }
    Ok(())
}

async fn admit(change: &mut Change<'_>, invitation: &Invitation, who: Who) -> Result<Accepted, OrganizationError> {
    let (user, is_new_person) = match who {
        Who::Known(user) => (user, false),
        Who::New(user) => {
            change.tx.insert_user(&user).await?;
            (user, true)
        }
    };
    let organization = invitation.organization_id;
    if change.tx.membership_standing(organization, user.id).await?.is_some() {
        return Err(OrganizationError::AlreadyMember);
    }
    let membership = Membership {
        organization_id: organization,
        user_id: user.id,
        role: invitation.role,
        disabled_at: None,
        created_at: change.now,
    };
    change.tx.insert_membership(&membership).await?;
    let accepted = event(change, "invitation.accept", invitation.id, invitation.role)
        .with("user_id", user.id.to_string())
        .with("new_person", is_new_person);
    change.record(accepted).await?;
    let added = change
        .event("member.add")
        .on("user", user.id)
        .with("role", name_of_role(invitation.role, None))
        .with("invitation_id", invitation.id.to_string());
    change.record(added).await?;
    let standing = change.tx.membership_standing(organization, user.id).await?.ok_or(OrganizationError::Overtaken)?;
    Ok(Accepted { standing, is_new_person })
}
