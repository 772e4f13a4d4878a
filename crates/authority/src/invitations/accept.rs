//! Accepting an invitation.

use token_domain::id::{OrganizationId, UserId};
use token_domain::person::RoleRef;
use token_domain::record::{Invitation, Membership, MembershipStanding, Principal, User, Verified};
use token_domain::role::Power;
use token_domain::text::{Email, Name};
use zeroize::Zeroizing;

use super::{InvitationCode, Invitations, event};
use crate::addresses::move_address;
use crate::attempts::{self, PasswordAttempt, is_still_proven};
use crate::audit::Refusal;
use crate::change::{Ask, Change};
use crate::organizations::OrganizationError;
use crate::origin::{Caller, Origin, Via};
use crate::passwords::NewPassword;
use crate::people::{hash_password, named_after};
use crate::rights::{Refused, candidate_caller};
use crate::sessions::SignInError;
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
    /// The person whose account has the address: somebody signed in, or somebody who proved this password.
    Known(User, Option<String>),
    /// Somebody who is signed in, and asked for the address before.
    Moving(User),
    /// Somebody without an account, and the hash of the password they chose.
    New(User, String),
}

impl Invitations {
    /// Makes the holder of the code, with the invited address, a member. A person without an account gets one; a person with one
    /// has to be signed in or prove it by their password: the code alone, which the inviting person knows as well, never
    /// speaks for an account that exists. Errors have the same words whether the address has an account or not.
    ///
    /// The code was sent to the address, so the organisation vouches for it from now on, for itself: adding people elsewhere
    /// takes more ([`User::has_address_in`]). A signed-in person who asked for that address before has it from now on.
    ///
    /// # Errors
    /// One error for every reason why an invitation is not valid; a password that is missing, wrong or not acceptable.
    pub async fn accept(&self, acceptance: Acceptance, origin: &Origin) -> Result<Accepted, OrganizationError> {
        let context = &self.context;
        let digest = acceptance.code.digest();
        let found = context.store.read(move |reads| {
            Box::pin(async move {
                match reads.invitation_by_digest(&digest).await? {
                    Some(invitation) => Ok(Some(invitation)),
                    None => reads.mailed_invitation(&digest).await,
                }
            })
        });
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
            // Held alone: who vouches for the address may change with it.
            (Some(caller), Who::Known(user, _) | Who::Moving(user)) => {
                Ask::by(caller, origin).in_trail_of(organization).holding(user.id)
            }
            (Some(caller), Who::New(..)) => Ask::by(caller, origin).in_trail_of(organization),
            (None, Who::Known(user, _) | Who::Moving(user)) => {
                Ask::of(Principal::User(user.id), Some(organization), origin).holding(user.id)
            }
            (None, Who::New(user, _)) => Ask::of(Principal::User(user.id), Some(organization), origin),
        };
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    change.check_person_everywhere()?;
                    let taken = take(change, &digest).await?.ok_or(OrganizationError::InvalidInvitation)?;
                    if !still_counts(change, &taken.invitation).await? {
                        return Err(OrganizationError::InvalidInvitation);
                    }
                    if let (Who::Known(user, proven), None) = (&who, &session) {
                        check_still_proven(change, user.id, proven.as_deref()).await?;
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
                Ok(Who::Known(user, None))
            }
            (None, Some(Caller { via: Via::Session { user_id, .. }, .. }), _) => {
                let read = self.context.store.read(move |reads| Box::pin(reads.user(user_id)));
                let moving = read.await?.filter(|user| is_asked_for(user, &invitation.email));
                moving.map(Who::Moving).ok_or(OrganizationError::ForSomebodyElse)
            }
            (Some(_) | None, Some(_), _) => Err(OrganizationError::ForSomebodyElse),
            (_, None, None) => Err(OrganizationError::PasswordNeeded),
            (user, None, Some(password)) => self.by_password(invitation, user, name, password, origin).await,
        }
    }

    /// Resolves a person who accepts without being signed in. A password that a new account could not have is refused for an
    /// existing account too, so that the answers do not differ; a person with a weaker, older password signs in instead.
    async fn by_password(
        &self,
        invitation: &Invitation,
        user: Option<User>,
        name: Option<Name>,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<Who, OrganizationError> {
        let chosen = NewPassword::new(password.clone())?;
        let name = name.map_or_else(|| named_after(&invitation.email), Ok)?;
        chosen.suits(self.context.policy.password_min_chars, &[invitation.email.as_str(), name.as_str()])?;
        let Some(user) = user else {
            // An attempt as for an account that exists, so that being kept waiting tells nothing either.
            let account = invitation.email.key();
            let attempt = PasswordAttempt::begin(&self.context, &account, origin).await.map_err(SignInError::from)?;
            let newcomer = self.newcomer(invitation, name, chosen).await?;
            attempt.without_account();
            return Ok(newcomer);
        };
        let proven = self.sessions.proves(&invitation.email, password, origin).await?;
        let proven = proven.filter(|proven| proven.user.id == user.id).ok_or(OrganizationError::WrongPassword)?;
        Ok(Who::Known(proven.user, proven.password_hash))
    }

    async fn newcomer(
        &self,
        invitation: &Invitation,
        name: Name,
        password: NewPassword,
    ) -> Result<Who, OrganizationError> {
        let hash = hash_password(&self.context, password.into_password(), Work::Stranger).await?;
        let now = self.context.now();
        let user = User {
            id: self.context.id(now)?,
            name,
            email: invitation.email.clone(),
            // Decided by the code, when it is taken.
            verified: None,
            pending_email: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        Ok(Who::New(user, hash.as_str().to_owned()))
    }
}

/// An invitation that was taken, by one of its codes.
struct Taken {
    invitation: Invitation,
    /// Who vouches for its address from now on. The code that was mailed was read in the mailbox, so the deployment does; the
    /// other one is known to the inviting person as well, so the organisation does, for itself.
    vouched_by: Option<OrganizationId>,
}

async fn take(change: &mut Change<'_>, digest: &[u8; 32]) -> Result<Option<Taken>, OrganizationError> {
    if let Some(invitation) = change.tx.take_invitation(digest, change.now).await? {
        let vouched_by = Some(invitation.organization_id);
        return Ok(Some(Taken { invitation, vouched_by }));
    }
    let mailed = change.tx.take_mailed_invitation(digest, change.now).await?;
    Ok(mailed.map(|invitation| Taken { invitation, vouched_by: None }))
}

/// Whether a person asked for that address.
fn is_asked_for(user: &User, email: &Email) -> bool {
    user.pending_email.as_ref().is_some_and(|pending| pending.key() == email.key())
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

/// The current power of the maker of the invitation, a token or a signed-in person; nothing if the maker is no longer valid. A
/// successor does not stand in for a rotated token: the old token's invitations end with it.
async fn power_of_maker(change: &mut Change<'_>, invitation: &Invitation) -> Result<Option<Power>, OrganizationError> {
    let (organization, context) = (invitation.organization_id, change.context());
    match (invitation.created_by, invitation.sponsor) {
        (Principal::Token(token), _) => {
            let Some(found) = change.tx.candidate(organization, token).await? else { return Ok(None) };
            let caller = candidate_caller(&context, &found, change.now)?;
            Ok(caller.map(|(caller, _)| Power::of(caller.effective)))
        }
        (
            Principal::User(_) | Principal::Policy(_) | Principal::Service | Principal::System | Principal::Anonymous,
            Some(sponsor),
        ) => {
            let standing = change.tx.membership_standing(organization, sponsor).await?.filter(is_welcome);
            // A person who was removed and joined again is a new member: their earlier invitations ended with the removal.
            let standing = standing.filter(|place| place.joined_at <= invitation.created_at);
            let power = standing.map(|place| context.power(place.role, place.custom_scopes.as_deref()));
            Ok(power.transpose()?)
        }
        (
            Principal::User(_) | Principal::Policy(_) | Principal::Service | Principal::System | Principal::Anonymous,
            None,
        ) => Ok(None),
    }
}

/// Whether the password that was proven is still the one, and still enough.
async fn check_still_proven(
    change: &mut Change<'_>,
    user: UserId,
    proven: Option<&str>,
) -> Result<(), OrganizationError> {
    if !is_still_proven(change, user, proven).await? {
        return Err(OrganizationError::WrongPassword);
    }
    let factor = change.tx.second_factor(user).await?;
    if factor.is_some_and(|factor| factor.confirmed_at.is_some()) {
        return Err(OrganizationError::SessionNeeded);
    }
    Ok(())
}

async fn admit(change: &mut Change<'_>, taken: &Taken, who: Who) -> Result<Accepted, OrganizationError> {
    let Taken { invitation, vouched_by } = taken;
    let organization = invitation.organization_id;
    let verified = Verified { at: change.now, by: *vouched_by };
    let (user, is_new_person) = match who {
        Who::Known(user, _) => {
            let current = change.tx.user(user.id).await?.ok_or(Refused::Gone)?;
            let gains = current.verified.is_none_or(|before| !before.is_by_deployment() && verified.is_by_deployment());
            if gains && current.email.key() == invitation.email.key() {
                change.tx.set_email(user.id, &current.email, Some(verified), change.now).await?;
            }
            (user, false)
        }
        Who::Moving(user) => {
            change.check_proven_lately()?;
            let current = change.tx.user(user.id).await?.filter(|current| is_asked_for(current, &invitation.email));
            let current = current.ok_or(OrganizationError::ForSomebodyElse)?;
            move_address::<OrganizationError>(change, &current, &invitation.email, *vouched_by).await?;
            (user, false)
        }
        Who::New(user, password_hash) => {
            let user = User { verified: Some(verified), ..user };
            change.tx.insert_user(&user, Some(&password_hash)).await?;
            (user, true)
        }
    };
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
        .with("new_person", is_new_person)
        // Then the mailbox was read, and the address is verified for the whole deployment.
        .with("by_mailed_code", verified.is_by_deployment());
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
