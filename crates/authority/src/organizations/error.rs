//! Why something asked of an organisation, its members, roles or invitations was not done.

use storage::{Constraint, StoreError};
use token_domain::ScopeCatalogue;
use token_domain::id::InvitationId;
use token_domain::person::BuiltInRole;
use token_domain::role::{Beyond, Power};
use token_domain::scope::GrantError;

use crate::env::EntropyError;
use crate::error::Failure;
use crate::limits::TooManyAttempts;
use crate::passwords::WeakPassword;
use crate::rights::Refused;
use crate::sessions::SignInError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    /// Not there for this caller: absent, or of another organisation.
    #[error("no such organisation, member, role or invitation")]
    NotFound,
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The caller is no person, or shows a token where a person has to be signed in.
    #[error("the caller is no signed-in person")]
    NotAPerson,
    /// A personal key, where what its owner's sign-in takes is decided: that takes a session.
    #[error("a personal key does not decide about signing in")]
    KeyRefused,
    /// The credential is confined to a project, and this reaches beyond it.
    #[error("the credential is confined")]
    Confined,
    /// What is to be given, changed or taken holds these scopes on top of the caller's.
    #[error("beyond the caller's own scopes: {}", .0.join(", "))]
    Excess(Vec<String>),
    /// Only a signed-in owner decides about owners.
    #[error("only an owner decides about owners")]
    OwnersOnly,
    /// The deployment does not let people make organisations.
    #[error("people may not make organisations here")]
    FoundingClosed,
    /// An owner without a second factor cannot require one of others.
    #[error("the caller has no second factor")]
    OwnSecondFactorMissing,
    /// The slug is in use.
    #[error("the slug is taken")]
    SlugTaken,
    /// A slug never changes.
    #[error("the slug cannot be changed")]
    SlugFixed,
    /// Nobody would be left to decide about everything.
    #[error("it is the last owner")]
    LastOwner,
    /// The person is a member.
    #[error("a member already")]
    AlreadyMember,
    /// The address has an invitation that can still be accepted.
    #[error("invited already")]
    AlreadyInvited(InvitationId),
    /// No person of that id whom the caller could know.
    #[error("no such person")]
    NoSuchPerson,
    /// The organisation has no such role.
    #[error("no such role")]
    NoSuchRole,
    /// Built-in roles stay as they are.
    #[error("{0} is built in")]
    BuiltIn(BuiltInRole),
    /// The organisation has a role of that name, or of one that looks like it.
    #[error("the role's name is taken")]
    RoleNameTaken,
    /// The organisation has as many roles as it may.
    #[error("an organisation has at most {0} roles")]
    TooManyRoles(usize),
    /// The scopes cannot be granted to anybody.
    #[error("{0}")]
    Scopes(#[from] GrantError),
    /// Unknown, used, withdrawn, expired, or no longer its maker's to give: one answer for all.
    #[error("the invitation is unknown, used, withdrawn or expired")]
    InvalidInvitation,
    /// Somebody without an account has to choose a password, somebody with one to prove it.
    #[error("a password is needed")]
    PasswordNeeded,
    /// The password a newcomer chose cannot be one.
    #[error("{0}")]
    Password(#[from] WeakPassword),
    /// Not the password of the account the invitation is for.
    #[error("wrong password")]
    WrongPassword,
    /// The account has a second factor, which only signing in asks for.
    #[error("a session is needed")]
    SessionNeeded,
    /// Signed in as somebody else than the invitation is for.
    #[error("the invitation is for another address")]
    ForSomebodyElse,
    /// Too many attempts lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// Somebody else did something at the same moment that changes what this means.
    #[error("something changed meanwhile")]
    Overtaken,
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl OrganizationError {
    /// Refuses what goes beyond the caller's own power.
    pub(crate) fn unless_reached(catalogue: &ScopeCatalogue, mine: &Power, other: &Power) -> Result<(), Self> {
        mine.reaches(other).map_err(|beyond| match beyond {
            Beyond::Owner => Self::OwnersOnly,
            Beyond::Scopes(excess) => Self::Excess(catalogue.names(excess).into_iter().map(str::to_owned).collect()),
        })
    }
}

impl From<StoreError> for OrganizationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::OrganizationSlug) => Self::SlugTaken,
            StoreError::Conflict(Constraint::RoleName) => Self::RoleNameTaken,
            StoreError::Conflict(Constraint::Membership) => Self::AlreadyMember,
            StoreError::Conflict(Constraint::UserEmail) => Self::Overtaken,
            other => Self::Failed(Failure::Store(other)),
        }
    }
}

impl From<EntropyError> for OrganizationError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

impl From<SignInError> for OrganizationError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Denied | SignInError::WrongCode => Self::WrongPassword,
            SignInError::SecondFactorRequired | SignInError::SsoRequired => Self::SessionNeeded,
            SignInError::TooMany(wait) => Self::TooMany(wait),
            SignInError::Refused(refused) => Self::Refused(refused),
            SignInError::Failed(failure) => Self::Failed(failure),
        }
    }
}
