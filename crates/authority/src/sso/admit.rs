//! Signing in by an identity provider: who the person is here, what their groups make of them, and their session.
//!
//! A person is found by organisation, issuer and subject. At the first sign-in a member is linked whose address is the one that the
//! provider vouches for, if the deployment vouches for it as well: an account that somebody else made for the address, perhaps by
//! an invitation that they sent and accepted themselves, still has their password. An account that is linked keeps its link: an
//! address that was given to a new colleague is no way to the account of the one before. Somebody without an account gets one where
//! a role is configured.
//!
//! **Invariant:** nobody who has an account becomes a member here. Who was removed is not a member, so the provider, which may still
//! know them, does not bring them back; and the provider makes nobody a member who has rights elsewhere. An invitation does.

use storage::StoreError;
use storage::model::Touched;
use token_domain::id::{OrganizationId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{
    Account, Identity, Membership, MembershipStanding, Organization, Principal, Session, User, Verified,
};
use token_domain::text::Email;

use super::{Claims, Provider, Seen, Sso, SsoError};
use crate::addresses::is_taken;
use crate::change::{Ask, Change};
use crate::env::random;
use crate::letters::Notice;
use crate::origin::Origin;
use crate::people::named_after;
use crate::sessions::{SessionToken, SignedIn, keep_session, new_session};
use crate::standing::{is_welcome, name_of_role, role_name};

/// Who the person is here.
enum Who {
    /// Somebody who signed in by this provider before.
    Linked(UserId),
    /// A member whose account has the address.
    Known(UserId, Email),
    /// Somebody without an account, and the role they get.
    New(Box<User>, BuiltInRole),
}

impl Who {
    const fn id(&self) -> UserId {
        match self {
            Self::Linked(id) | Self::Known(id, _) => *id,
            Self::New(user, _) => user.id,
        }
    }
}

impl Sso {
    /// Signs the person in whom a provider vouches for.
    ///
    /// # Errors
    /// Nobody that is let in, by what the operator configured for the provider.
    pub(super) async fn sign_in(
        &self,
        provider: &Provider,
        claims: Claims,
        before: Option<&SessionToken>,
        seen: &mut Seen,
        origin: &Origin,
    ) -> Result<SignedIn, SsoError> {
        let context = &self.context;
        let (organization, who) = self.recognise(provider, &claims).await?;
        if let Who::Linked(id) | Who::Known(id, _) = &who {
            (seen.organization, seen.user) = (Some(organization.id), Some(*id));
        }
        let ask = Ask::of(Principal::User(who.id()), Some(organization.id), origin);
        let ask = if matches!(who, Who::New(..)) { ask } else { ask.holding(who.id()) };
        let token = SessionToken::from_random(random(context.entropy.as_ref())?);
        let (digest, before) = (token.digest(), before.map(SessionToken::digest));
        let provider = provider.clone();
        let made = context.change(ask, move |change| {
            Box::pin(async move {
                let user = settle(change, who, organization.id, &provider, &claims).await?;
                let standing = place(change, organization.id, &user, &provider, &claims).await?;
                if !is_welcome(&standing) {
                    return Err(SsoError::Disabled);
                }
                let session = new_session(change, &standing, claims.proven_at)?;
                let session = Session { provider: Some(provider.id.clone()), ..session };
                let replaced = replace(change, &session, before.as_ref()).await?;
                keep_session(change, &session, &digest, |event| {
                    let event = event.with("provider", provider.id.as_str());
                    if let Some(id) = replaced { event.with("replaces", id) } else { event }
                })
                .await?;
                Ok::<_, SsoError>((session, standing))
            })
        });
        let (session, standing) = made.await?;
        self.sessions.was_noted(&session);
        Ok(SignedIn { session, token, role: role_name(&standing), lacks_second_factor: false })
    }

    async fn recognise(&self, provider: &Provider, claims: &Claims) -> Result<(Organization, Who), SsoError> {
        let context = &self.context;
        let Some(organization) = self.organization_of(provider).await? else {
            tracing::warn!(provider = provider.id, "the organisation of a provider does not exist");
            return Err(SsoError::NoMember);
        };
        let (id, issuer, subject) = (organization.id, claims.issuer.clone(), claims.subject.clone());
        let key = claims.email.as_ref().map(Email::key);
        let found = context.store.read(move |reads| {
            Box::pin(async move {
                let linked = reads.identity(id, &issuer, &subject).await?;
                let known = match (&linked, key) {
                    (None, Some(key)) => reads.user_by_email_key(&key).await?,
                    _ => None,
                };
                Ok((linked, known))
            })
        });
        let (linked, known) = found.await?;
        if let Some(linked) = linked {
            return Ok((organization, Who::Linked(linked)));
        }
        let email = claims.email.clone().ok_or(SsoError::Address)?;
        if let Some(user) = known {
            return Ok((organization, Who::Known(user.id, email)));
        }
        let role = provider.role_of(&claims.groups).ok_or(SsoError::NoMember)?;
        let now = context.now();
        let user = User {
            id: context.id(now)?,
            name: claims.name.clone().map_or_else(|| named_after(&email), Ok)?,
            email,
            // The organisation's word, by its provider: it counts for nothing in others.
            verified: Some(Verified { at: now, by: Some(organization.id) }),
            pending_email: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        Ok((organization, Who::New(Box::new(user), role)))
    }
}

/// The person as they are now, linked to the provider from now on. All sign-ins to an organisation hold its trail, so what is
/// read of links here stays so.
async fn settle(
    change: &mut Change<'_>,
    who: Who,
    organization: OrganizationId,
    provider: &Provider,
    claims: &Claims,
) -> Result<User, SsoError> {
    let linked = change.tx.identity(organization, &claims.issuer, &claims.subject).await?;
    let user = match who {
        Who::Linked(id) if linked == Some(id) => {
            let user = change.tx.user(id).await?.ok_or(SsoError::NoMember)?;
            return if user.disabled_at.is_some() { Err(SsoError::Disabled) } else { Ok(user) };
        }
        // Linked or parted since it was looked at: the next attempt finds it as it is.
        Who::Linked(_) => return Err(SsoError::NoAttempt),
        Who::Known(..) | Who::New(..) if linked.is_some() => return Err(SsoError::NoAttempt),
        Who::Known(id, email) => {
            let account = change.tx.account(id).await?.filter(|account| account.user.email.key() == email.key());
            let user = account.filter(|account| is_theirs(account, organization)).ok_or(SsoError::Taken)?.user;
            if change.tx.membership_standing(organization, id).await?.is_none() {
                return Err(SsoError::NoMember);
            }
            if user.disabled_at.is_some() {
                return Err(SsoError::Disabled);
            }
            if change.tx.has_identity(id, organization, &claims.issuer).await? {
                return Err(SsoError::Taken);
            }
            change.tell(&user, Notice::IdentityLinked).await?;
            user
        }
        Who::New(user, role) => {
            change.tx.insert_user(&user, None).await.map_err(taken)?;
            join(change, organization, &user, role, provider).await?;
            *user
        }
    };
    let identity = Identity {
        organization_id: organization,
        issuer: claims.issuer.clone(),
        subject: claims.subject.clone(),
        user_id: user.id,
        created_at: change.now,
    };
    change.tx.insert_identity(&identity).await?;
    let event = change.event("user.identity.link").on("user", user.id).with("provider", provider.id.as_str());
    change.record(event).await?;
    Ok(user)
}

/// Whether the account of an address is surely that of the person who has the mailbox. The word of an organisation is not enough
/// where there is a password: whoever invites an address can accept the invitation in its place and choose the password, and would
/// then share the account, with all roles that the provider gives its owner.
fn is_theirs(account: &Account, organization: OrganizationId) -> bool {
    let Account { user, password_hash } = account;
    user.is_verified_by_deployment() || (password_hash.is_none() && user.has_address_in(organization))
}

async fn join(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: &User,
    role: BuiltInRole,
    provider: &Provider,
) -> Result<(), SsoError> {
    let role = RoleRef::BuiltIn(role);
    let (now, user_id) = (change.now, user.id);
    let membership = Membership { organization_id: organization, user_id, role, disabled_at: None, created_at: now };
    change.tx.insert_membership(&membership).await?;
    let event = change
        .event("member.add")
        .on("user", user.id)
        .with("role", name_of_role(role, None))
        .with("provider", provider.id.as_str());
    Ok(change.record(event).await?)
}

/// The person's place in the organisation, with the role that their groups give.
async fn place(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: &User,
    provider: &Provider,
    claims: &Claims,
) -> Result<MembershipStanding, SsoError> {
    let before = change.tx.membership_standing(organization, user.id).await?.ok_or(SsoError::NoMember)?;
    let role = provider.role_of(&claims.groups).map(RoleRef::BuiltIn);
    let Some(role) = role.filter(|role| !provider.roles.is_empty() && before.role != *role) else { return Ok(before) };
    if is_last_owner(change, &before).await? {
        tracing::warn!(user = %user.id, "the last owner keeps the role, though their groups give another");
        return Ok(before);
    }
    change.tx.set_membership_role(organization, user.id, role).await?;
    // Their keys do less, or more, from now on.
    change.touch(Touched::Organization(organization));
    let event = change
        .event("member.role")
        .on("user", user.id)
        .with("from", role_name(&before))
        .with("to", name_of_role(role, None))
        .with("provider", provider.id.as_str());
    change.record(event).await?;
    change.tx.membership_standing(organization, user.id).await?.ok_or(SsoError::NoMember)
}

async fn is_last_owner(change: &mut Change<'_>, before: &MembershipStanding) -> Result<bool, StoreError> {
    let is_owner = before.role == RoleRef::BuiltIn(BuiltInRole::Owner);
    Ok(is_owner && change.tx.count_owners(before.organization.id).await? <= 1)
}

/// Ends the session that the browser had before, if it is the same person's in the same organisation; its id.
async fn replace(
    change: &mut Change<'_>,
    session: &Session,
    before: Option<&[u8; 32]>,
) -> Result<Option<String>, StoreError> {
    let Some(before) = before else { return Ok(None) };
    let found = change.tx.session_by_digest(before).await?.map(|found| found.session);
    let is_same =
        |before: &Session| (before.user_id, before.organization_id) == (session.user_id, session.organization_id);
    let Some(before) = found.filter(is_same) else { return Ok(None) };
    change.tx.delete_session(before.user_id, before.id).await?;
    Ok(Some(before.id.to_string()))
}

fn taken(error: StoreError) -> SsoError {
    if is_taken(&error) { SsoError::Taken } else { error.into() }
}
