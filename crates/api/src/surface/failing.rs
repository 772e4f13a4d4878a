//! Maps all errors of the authority to errors of the API.

use authority::executions::ExecutionError;
use authority::imports::ImportError;
use authority::leaks::LeakError;
use authority::limits::TooManyAttempts;
use authority::password_resets::ResetError;
use authority::people::PersonError;
use authority::policies::PolicyBreach;
use authority::sessions::{EndError, SignInError, SwitchError};
use authority::setup::SetupError;
use authority::tokens::TokenError;
use authority::{Failure, Refused};
use token_domain::policy::Breach;
use token_domain::scope::GrantError;
use token_domain::token::Status;

use edge::codes::Code;
use edge::error::ApiError;

/// A failure of the service itself: 503 if retrying may help, 500 if not.
pub(super) fn failed(failure: &Failure) -> ApiError {
    match failure {
        Failure::TooManyAtOnce => ApiError::too_many_requests(1),
        other if other.is_transient() => ApiError::unavailable(other),
        other => ApiError::internal(other),
    }
}

/// A request whose caller lost the right between authentication and the transaction: the answer that authentication
/// would give now.
pub(super) fn refused(refused: &Refused) -> ApiError {
    match refused {
        Refused::Gone => Code::InvalidToken.into(),
        Refused::Lacks(missing) => ApiError::insufficient_scope(missing),
        Refused::SecondFactorRequired => Code::SecondFactorSetupRequired.into(),
        Refused::ProofNeeded => Code::RecentProofNeeded.into(),
        Refused::OfProvider => Code::SessionOfProvider.into(),
        Refused::Superseded => Code::TokenRotated.into(),
    }
}

/// An error of revoking tokens by their secrets.
pub(super) fn leak(error: &LeakError) -> ApiError {
    match error {
        LeakError::TooMany(wait) => too_many(*wait),
        LeakError::Refused(refused) => self::refused(refused),
        LeakError::Failed(failure) => failed(failure),
    }
}

/// An error of importing tokens.
pub(super) fn import(error: &ImportError) -> ApiError {
    match error {
        ImportError::NotLookedUp => Code::ImportsNotLookedUp.into(),
        ImportError::Confined => ApiError::from(Code::Forbidden).message(
            "Use a credential that is not bound to a project: imported tokens belong to the whole organisation.",
        ),
        ImportError::Overtaken => ApiError::from(Code::Conflict)
            .message("Another import of the same hashes is under way. Send the request again: rows that are done are reported as existing."),
        ImportError::Refused(refused) => self::refused(refused),
        ImportError::Failed(failure) => failed(failure),
    }
}

/// An error of the token family.
pub(super) fn token(error: TokenError) -> ApiError {
    match error {
        TokenError::Scopes(error) => scopes(&error, "scopes"),
        TokenError::Policy(breach) => against_policy(&breach),
        TokenError::Excess { missing, accepted } => ApiError::insufficient_scope(&missing)
            .accepting(&accepted)
            .message("Use a credential that has all the scopes of the token. The scopes that it lacks are listed in `missing`."),
        TokenError::NotAToken => {
            ApiError::from(Code::Forbidden).message("Use an API token: this credential is a session.")
        }
        TokenError::NotAPerson => not_a_person(),
        TokenError::ExpiryPassed => ApiError::invalid("expires_at", "must be in the future"),
        TokenError::NoSuchProject => ApiError::invalid("project_id", "must be a project of this organisation"),
        TokenError::NotFound => Code::NotFound.into(),
        TokenError::OtherCount { matched } => ApiError::from(Code::CountDiffers).with("matched", matched),
        TokenError::TooMany { most } => ApiError::invalid("filter", format!("must match at most {most} tokens")),
        TokenError::WrongStatus(status) => wrong_status(status),
        TokenError::CapReached { used, cap } => ApiError::from(Code::LimitReached)
            .continued(format_args!(
                " for your plan ({used}/{cap} tokens used). Revoke a token that is not needed, or raise the limit."
            ))
            .with("used", used)
            .with("limit", cap),
        TokenError::KeyCapReached { used, cap } => {
            ApiError::from(Code::KeyLimitReached).with("used", used).with("limit", cap)
        }
        TokenError::Replayed { token_id } => ApiError::from(Code::AlreadyCarriedOut).with("id", token_id.to_string()),
        TokenError::KeyReused => Code::IdempotencyKeyReused.into(),
        TokenError::Refused(refused) => self::refused(&refused),
        TokenError::Failed(failure) => failed(&failure),
    }
}

/// Scopes in `field` that cannot be granted.
pub(super) fn scopes(error: &GrantError, field: &str) -> ApiError {
    match error {
        GrantError::Unknown(name) => {
            // Only a name in the grammar of scopes is repeated: anything else could be a secret.
            let shown =
                token_domain::ScopeName::parse(name).map_or_else(|_| format!("a name in `{field}`"), |n| n.to_string());
            ApiError::invalid(field, format!("has an unknown scope: {shown}; GET /v1/scopes/catalog lists them"))
                .with("unknown", shown)
        }
        GrantError::Empty | GrantError::TooMany | GrantError::WrongKind { .. } => {
            ApiError::invalid(field, error.to_string())
        }
    }
}

/// A violation of the organisation's token policy.
fn against_policy(breach: &PolicyBreach) -> ApiError {
    let refused = ApiError::from(Code::ForbiddenByPolicy);
    match &breach.breach {
        Breach::Kind => refused
            .message(format!("The organisation's token policy does not allow {} tokens.", breach.kind))
            .with("field", "kind"),
        Breach::TrustOnly => refused.message(
            "The organisation gives tokens of its own to workloads under trust policies alone: exchange the identity token of the job (POST /v1/oauth/token) instead of storing a token. Tokens that exist are valid until they end.",
        ),
        Breach::Lifetime { longest } => refused
            .message(
                "The organisation's token policy requires a shorter lifetime: set an earlier expiry, or leave it out.",
            )
            .with("field", "expires_at")
            .with("max_lifetime_days", longest.as_days()),
        Breach::Scopes { .. } => refused
            .message("The organisation's token policy does not allow the scopes in `scopes`. Leave them out.")
            .with("field", "scopes")
            .with("scopes", breach.scopes.clone()),
    }
}

fn wrong_status(status: Status) -> ApiError {
    let code = match status {
        Status::Active => Code::TokenActive,
        Status::Rotating => Code::TokenRotating,
        Status::Revoked => Code::TokenRevoked,
        Status::Expired => Code::TokenExpired,
    };
    ApiError::from(code).with("status", status.as_str())
}

/// An error of the coverage family.
pub(super) fn execution(error: ExecutionError) -> ApiError {
    match error {
        ExecutionError::ForeignOrganization => {
            ApiError::from(Code::Forbidden).message("Send the organisation of your credential as `org`.")
        }
        ExecutionError::NotFound => Code::NotFound.into(),
        ExecutionError::KeyReused => Code::IdempotencyKeyReused.into(),
        ExecutionError::Refused(refused) => self::refused(&refused),
        ExecutionError::Failed(failure) => failed(&failure),
    }
}

/// An error of signing in.
pub(super) fn sign_in(error: SignInError) -> ApiError {
    match error {
        SignInError::Denied => Code::InvalidCredentials.into(),
        SignInError::SecondFactorRequired => Code::SecondFactorRequired.into(),
        SignInError::WrongCode => Code::WrongSignInCode.into(),
        SignInError::SsoRequired => Code::SsoRequired.into(),
        SignInError::TooMany(wait) => too_many(wait),
        SignInError::Refused(refused) => self::refused(&refused),
        SignInError::Failed(failure) => failed(&failure),
    }
}

/// An error of ending sessions.
pub(super) fn end(error: EndError) -> ApiError {
    match error {
        EndError::SessionNeeded => Code::SessionNeeded.into(),
        EndError::Refused(refused) => self::refused(&refused),
        EndError::Failed(failure) => failed(&failure),
    }
}

/// An error of switching to another organisation.
pub(super) fn switch(error: SwitchError) -> ApiError {
    match error {
        SwitchError::NotASession => {
            ApiError::from(Code::Forbidden).message("Use a session token: this credential is not a session.")
        }
        // Denied in the transaction, because the person was removed during the request.
        SwitchError::NotFound | SwitchError::Failed(SignInError::Denied) => Code::NotFound.into(),
        SwitchError::Failed(error) => sign_in(error),
    }
}

/// An error of the people family.
pub(super) fn person(error: PersonError) -> ApiError {
    match error {
        PersonError::NotFound => not_a_person(),
        PersonError::SessionNeeded => Code::SessionNeeded.into(),
        PersonError::WrongPassword => Code::WrongPassword.into(),
        PersonError::WrongAddressCode => Code::InvalidAddressCode.into(),
        PersonError::AddressTaken => Code::AddressTaken.into(),
        PersonError::Weak(error) => ApiError::invalid("new_password", error.to_string()),
        PersonError::TooMany(wait) => too_many(wait),
        PersonError::Refused(refused) => self::refused(&refused),
        PersonError::Failed(failure) => failed(&failure),
    }
}

fn not_a_person() -> ApiError {
    ApiError::from(Code::Forbidden)
        .message("Sign in, or use a personal key: this credential does not belong to a person.")
}

/// Too many attempts: when the next may be made.
/// An error of a new password by a mailed code.
pub(super) fn reset(error: ResetError) -> ApiError {
    match error {
        ResetError::NoMail => Code::MailNotConfigured.into(),
        ResetError::InvalidCode => Code::InvalidResetCode.into(),
        ResetError::Weak(error) => ApiError::invalid("new_password", error.to_string()),
        ResetError::TooMany(wait) => too_many(wait),
        ResetError::Refused(refused) => self::refused(&refused),
        ResetError::Failed(failure) => failed(&failure),
    }
}

pub(super) fn too_many(wait: TooManyAttempts) -> ApiError {
    ApiError::too_many_requests(u64::try_from(wait.retry_after.as_seconds()).unwrap_or(1).max(1))
}

/// An error of setting up.
pub(super) fn setup(error: SetupError) -> ApiError {
    match error {
        SetupError::AlreadyDone => Code::AlreadySetUp.into(),
        SetupError::WrongCode => Code::WrongSetupCode.into(),
        SetupError::Weak(error) => ApiError::invalid("password", error.to_string()),
        SetupError::Failed(failure) => failed(&failure),
    }
}
