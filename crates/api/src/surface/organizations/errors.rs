//! Maps all errors of organisations, members, roles and invitations to errors of the API.

use authority::organizations::OrganizationError;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

/// An error of this family.
pub(in crate::surface) fn organization(error: OrganizationError) -> ApiError {
    match error {
        OrganizationError::NotFound => Code::NotFound.into(),
        OrganizationError::NotAPerson => forbidden("Sign in: this takes a person, and this credential is none."),
        OrganizationError::KeyRefused => ApiError::from(Code::SessionNeeded)
            .message("Sign in: a personal key does not decide what signing in takes."),
        OrganizationError::Confined => forbidden("Use a credential that is not confined to one project."),
        OrganizationError::Refused(refused) => failing::refused(&refused),
        OrganizationError::Excess(names) => ApiError::insufficient_scope(&names).message(
            "Nobody gives, changes or takes more than they hold; what goes beyond your credential is listed in `missing`.",
        ),
        OrganizationError::OwnersOnly => {
            forbidden("Ask an owner: only a signed-in owner names, changes or removes owners.")
        }
        OrganizationError::FoundingClosed => {
            forbidden("Ask whoever operates this deployment to make the organization.")
        }
        OrganizationError::OwnSecondFactorMissing => ApiError::from(Code::NoSecondFactor)
            .message("Set up a second factor of your own before you ask others for one: POST /v1/me/totp."),
        OrganizationError::SlugTaken => ApiError::from(Code::SlugTaken).with("field", "slug"),
        OrganizationError::SlugFixed => {
            ApiError::from(Code::SlugFixed).message("Leave the slug as it is.").with("field", "slug")
        }
        OrganizationError::LastOwner => Code::LastOwner.into(),
        OrganizationError::AlreadyMember => Code::AlreadyMember.into(),
        OrganizationError::AlreadyInvited(id) => {
            ApiError::from(Code::AlreadyInvited)
                .with("id", id.to_string())
        }
        OrganizationError::NoSuchPerson => ApiError::invalid(
            "user_id",
            "must be a person you share an organization with; send `email` to invite anybody else",
        ),
        OrganizationError::NoSuchRole => super::unknown_role(),
        OrganizationError::BuiltIn(role) => {
            ApiError::from(Code::RoleBuiltIn)
                .with("role", role.as_str())
        }
        OrganizationError::RoleNameTaken => {
            ApiError::from(Code::RoleNameTaken).with("field", "name")
        }
        OrganizationError::TooManyRoles(most) => {
            ApiError::from(Code::TooManyRoles).with("limit", most)
        }
        OrganizationError::Scopes(error) => failing::scopes(&error, "scopes"),
        OrganizationError::InvalidInvitation => Code::InvalidInvitation.into(),
        OrganizationError::PasswordNeeded => ApiError::invalid(
            "password",
            "is required unless you are signed in: your own if you have an account, else one you choose",
        ),
        OrganizationError::Password(error) => ApiError::invalid("password", error.to_string()),
        OrganizationError::WrongPassword => ApiError::from(Code::InvalidCredentials)
            .message("Send the password of your account, or sign in and accept with the session."),
        OrganizationError::SessionNeeded => ApiError::from(Code::SecondFactorRequired)
            .message("Sign in with your second factor, and accept with the session."),
        OrganizationError::ForSomebodyElse => forbidden("Sign in with the address that was invited."),
        OrganizationError::TooMany(wait) => {
            ApiError::too_many_requests(u64::try_from(wait.retry_after.as_seconds()).unwrap_or(1).max(1))
        }
        OrganizationError::Overtaken => ApiError::from(Code::Conflict).message("Something changed at the same moment: send it again."),
        OrganizationError::Failed(failure) => failing::failed(&failure),
    }
}

fn forbidden(message: &'static str) -> ApiError {
    ApiError::from(Code::Forbidden).message(message)
}
