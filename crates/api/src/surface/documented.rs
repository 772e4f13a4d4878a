//! The more exact errors of operations, for the API document, made by the functions that make them for requests.
//!
//! An operation that answers 402, 409 or an error of its own needs a row here; otherwise the document shows the general
//! error of the status.

use authority::imports::ImportError;
use authority::organizations::OrganizationError;
use authority::password_resets::ResetError;
use authority::people::PersonError;
use authority::projects::TenancyError;
use authority::second_factors::SecondFactorError;
use authority::sessions::SignInError;
use authority::setup::SetupError;
use authority::tokens::TokenError;
use authority::trust::TrustError;
use authority::webhooks::WebhookError;
use token_domain::id::{InvitationId, TokenId, Uuid};
use token_domain::person::BuiltInRole;
use token_domain::token::Status;

use super::failing;
use super::organizations::errors::organization;
use super::projects::errors::tenancy;
use super::second_factors::errors::second_factor;
use edge::codes::Code;
use edge::error::ApiError;

/// The more exact errors that an operation answers with this status.
pub(crate) fn failures(operation: &str, status: u16) -> Vec<ApiError> {
    let example = Uuid::from_u128(0x018f_2f3e_4c5d_7a6b_8c7d_9e0f_1a2b_3c4d);
    let replayed = || failing::token(TokenError::Replayed { token_id: TokenId::from_uuid(example) });
    let reused = || failing::token(TokenError::KeyReused);
    let status_is = |status| failing::token(TokenError::WrongStatus(status));
    match (operation, status) {
        ("create_token" | "create_key" | "create_actor" | "create_actor_bound", 402) => {
            vec![failing::token(TokenError::CapReached { used: 100, cap: 100 })]
        }
        ("create_token", 409) => vec![replayed(), reused()],
        ("import_tokens", 409) => {
            vec![failing::import(&ImportError::NotLookedUp), failing::import(&ImportError::Overtaken)]
        }
        ("create_key", 409) => {
            vec![failing::token(TokenError::KeyCapReached { used: 100, cap: 100 }), replayed(), reused()]
        }
        ("rotate_token" | "rotate_key" | "rotate_self", 409) => {
            let ended = [Status::Rotating, Status::Revoked, Status::Expired].map(status_is);
            ended.into_iter().chain([replayed(), reused()]).collect()
        }
        ("cancel_rotation" | "cancel_key_rotation", 409) => vec![status_is(Status::Active)],
        ("get_self" | "revoke_self" | "rotate_self", 403) => vec![failing::token(TokenError::NotAToken)],
        ("submit_execution", 409) => vec![reused()],
        (
            "delete_session"
            | "delete_all"
            | "end_member_sessions"
            | "create_token"
            | "import_tokens"
            | "rotate_token"
            | "create_key"
            | "rotate_key"
            | "create_actor"
            | "rotate_actor",
            403,
        ) => {
            vec![Code::RecentProofNeeded.into()]
        }
        (
            "edit_me"
            | "start_totp"
            | "switch_session"
            | "create_organization"
            | "set_notices"
            | "verify_email"
            | "change_password"
            | "create_session",
            401 | 403,
        )
        | ("verify_email", 409) => of_signing_in(operation, status),
        ("run_setup", 403) => vec![failing::setup(SetupError::WrongCode)],
        ("run_setup", 409) => vec![failing::setup(SetupError::AlreadyDone)],
        ("create_project" | "create_scope" | "create_scope_bound", 409) => vec![tenancy(TenancyError::SlugTaken)],
        ("delete_project" | "delete_scope" | "delete_scope_bound", 409) => {
            vec![tenancy(TenancyError::Assigned { actors: 3 })]
        }
        ("create_organization", 409) => vec![organization(OrganizationError::SlugTaken)],
        ("edit_organization", 409) => vec![organization(OrganizationError::OwnSecondFactorMissing)],
        ("edit_member" | "remove_member" | "leave_organization", 409) => {
            vec![organization(OrganizationError::LastOwner)]
        }
        ("add_member" | "create_invitation", 409) => vec![
            organization(OrganizationError::AlreadyMember),
            organization(OrganizationError::AlreadyInvited(InvitationId::from_uuid(example))),
        ],
        ("accept_invitation", 401) => vec![
            organization(OrganizationError::InvalidInvitation),
            organization(OrganizationError::WrongPassword),
            organization(OrganizationError::SessionNeeded),
        ],
        ("request_password_reset", 409) => vec![failing::reset(ResetError::NoMail)],
        ("confirm_password_reset", 401) => vec![failing::reset(ResetError::InvalidCode)],
        ("accept_invitation", 403) => {
            vec![organization(OrganizationError::ForSomebodyElse), Code::SessionOfProvider.into()]
        }
        ("accept_invitation", 409) => vec![organization(OrganizationError::AlreadyMember)],
        ("create_role", 409) => {
            vec![organization(OrganizationError::RoleNameTaken), organization(OrganizationError::TooManyRoles(100))]
        }
        ("edit_role", 409) => vec![
            organization(OrganizationError::BuiltIn(BuiltInRole::Member)),
            organization(OrganizationError::RoleNameTaken),
        ],
        ("delete_role", 409) => vec![organization(OrganizationError::BuiltIn(BuiltInRole::Member))],
        ("confirm_totp" | "delete_totp" | "create_recovery_codes" | "prove_session", 403 | 409)
        | ("start_totp", 409) => of_second_factors(operation, status),
        ("create_trust_policy", 409) => vec![super::trust::error(TrustError::TooMany)],
        ("create_webhook" | "test_webhook" | "replay_delivery", 403) => {
            vec![super::webhooks::error(WebhookError::Off), Code::RecentProofNeeded.into()]
        }
        ("create_webhook", 409) => vec![super::webhooks::error(WebhookError::TooMany)],
        ("test_webhook" | "replay_delivery", 409) => vec![super::webhooks::error(WebhookError::Disabled)],
        ("exchange_token", 400) => super::oauth::refusals(),
        (_, 429) => vec![ApiError::too_many_requests(30)],
        (_, 402) => vec![Code::LimitReached.into()],
        (_, 409) => vec![Code::Conflict.into()],
        _ => Vec::new(),
    }
}

/// The same for signing in and what it stands on.
fn of_signing_in(operation: &str, status: u16) -> Vec<ApiError> {
    match (operation, status) {
        ("edit_me" | "start_totp", 403) => vec![Code::RecentProofNeeded.into(), Code::SessionOfProvider.into()],
        ("switch_session" | "create_organization" | "set_notices", 403) => vec![Code::SessionOfProvider.into()],
        ("switch_session", 401) => vec![Code::SsoRequired.into()],
        ("verify_email", 403) => vec![
            Code::RecentProofNeeded.into(),
            Code::SessionOfProvider.into(),
            failing::person(PersonError::SessionNeeded),
            failing::person(PersonError::WrongAddressCode),
        ],
        ("verify_email", 409) => vec![failing::person(PersonError::AddressTaken)],
        ("change_password", 403) => {
            vec![failing::person(PersonError::WrongPassword), Code::SessionOfProvider.into()]
        }
        ("create_session", 401) => {
            [SignInError::Denied, SignInError::SecondFactorRequired, SignInError::WrongCode, SignInError::SsoRequired]
                .map(failing::sign_in)
                .into()
        }
        _ => Vec::new(),
    }
}

/// The same for the second factor of a person.
fn of_second_factors(operation: &str, status: u16) -> Vec<ApiError> {
    let errors = match (operation, status) {
        ("start_totp", 409) => vec![SecondFactorError::AlreadySet],
        (_, 409) => vec![SecondFactorError::NotSet],
        ("delete_totp" | "prove_session", _) => vec![SecondFactorError::WrongPassword, SecondFactorError::WrongCode],
        _ => vec![SecondFactorError::WrongCode],
    };
    errors.into_iter().map(second_factor).collect()
}
