//! Errors of the authority as errors of the wire, exhaustively.

use authority::executions::ExecutionError;
use authority::leaks::LeakError;
use authority::limits::TooManyAttempts;
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

/// A failure of the service itself: 503 where waiting helps, 500 where it does not.
pub(super) fn failed(failure: &Failure) -> ApiError {
    if failure.is_transient() { ApiError::unavailable(failure) } else { ApiError::internal(failure) }
}

/// A request that was let in, and lost its right before it took effect: what the door would say now.
pub(super) fn refused(refused: &Refused) -> ApiError {
    match refused {
        Refused::Gone => Code::InvalidToken.into(),
        Refused::Lacks(missing) => ApiError::insufficient_scope(missing),
        Refused::SecondFactorRequired => second_factor_required(),
        Refused::Superseded => ApiError::from(Code::Forbidden).saying("token was rotated").message(
            "Use the successor: a token in its grace makes no tokens, rotates nothing and takes no rotation back.",
        ),
    }
}

/// An error of ending tokens by their secrets.
pub(super) fn leak(error: &LeakError) -> ApiError {
    match error {
        LeakError::TooMany(wait) => too_many(*wait),
        LeakError::Refused(refused) => self::refused(refused),
        LeakError::Failed(failure) => failed(failure),
    }
}

/// A session that is good for setting up a second factor alone.
pub(super) fn second_factor_required() -> ApiError {
    ApiError::from(Code::Forbidden)
        .saying("second factor required")
        .message("Your organisation asks for a second factor: set one up, POST /v1/me/totp. Until then this session is good for nothing else.")
}

/// An error of the token family.
pub(super) fn token(error: TokenError) -> ApiError {
    match error {
        TokenError::Scopes(error) => scopes(&error, "scopes"),
        TokenError::Policy(breach) => against_policy(&breach),
        TokenError::Excess { missing, accepted } => ApiError::insufficient_scope(&missing)
            .accepting(&accepted)
            .message("Nobody makes or is shown a token with scopes they lack; they are listed in `missing`."),
        TokenError::NotAToken => ApiError::from(Code::Forbidden)
            .message("Present the API token itself: this credential is a session."),
        TokenError::NotAPerson => not_a_person(),
        TokenError::ExpiryPassed => ApiError::invalid("expires_at", "must lie ahead"),
        TokenError::NoSuchProject => ApiError::invalid("project_id", "must be a project of this organisation"),
        TokenError::NotFound => Code::NotFound.into(),
        TokenError::OtherCount { matched } => ApiError::from(Code::Conflict)
            .saying("count differs")
            .message("Another number of tokens matches than `expected_count` says: look again before revoking.")
            .with("matched", matched),
        TokenError::TooMany { most } => ApiError::invalid("filter", format!("must match at most {most} tokens")),
        TokenError::WrongStatus(status) => wrong_status(status),
        TokenError::CapReached { used, cap } => ApiError::from(Code::LimitReached)
            .saying(format!(
                "token limit reached for your plan ({used}/{cap} tokens used). Revoke a token that is not needed, or raise the limit."
            ))
            .with("used", used)
            .with("limit", cap),
        TokenError::Replayed { token_id } => ApiError::from(Code::Conflict)
            .saying("request already carried out")
            .message("This Idempotency-Key made the token in `id`; its secret was shown then and cannot be shown again.")
            .with("id", token_id.to_string()),
        TokenError::KeyReused => key_reused(),
        TokenError::Refused(refused) => self::refused(&refused),
        TokenError::Failed(failure) => failed(&failure),
    }
}

/// A good token that was presented from where it may not be used.
pub(super) fn elsewhere() -> ApiError {
    ApiError::from(Code::Forbidden).saying(ELSEWHERE).message(ELSEWHERE_MESSAGE)
}

/// What a good token is told that was presented from elsewhere.
pub(super) const ELSEWHERE: &str = "address not allowed";
/// What to do about it.
pub(super) const ELSEWHERE_MESSAGE: &str =
    "The token may be used from its allowed networks only: present it from there, and say from where in `ip`.";

/// Scopes in `field` that nobody can be granted.
pub(super) fn scopes(error: &GrantError, field: &str) -> ApiError {
    match error {
        GrantError::Unknown(name) => {
            // A name of the grammar cannot be a secret; anything else is not repeated.
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

/// What the organisation's policy does not allow, whoever asks.
fn against_policy(breach: &PolicyBreach) -> ApiError {
    let refused = ApiError::from(Code::Forbidden).saying("forbidden by policy");
    match &breach.breach {
        Breach::Kind => refused
            .message(format!("The organisation's token policy allows no {} tokens.", breach.kind))
            .with("field", "kind"),
        Breach::Lifetime { longest } => refused
            .message("The organisation's token policy allows a shorter life: ask for an earlier end, or for none.")
            .with("field", "expires_at")
            .with("max_lifetime_days", longest.as_days()),
        Breach::Scopes { .. } => refused
            .message("The organisation's token policy does not allow the scopes in `scopes`: leave them out.")
            .with("field", "scopes")
            .with("scopes", breach.scopes.clone()),
    }
}

fn wrong_status(status: Status) -> ApiError {
    let advice = match status {
        Status::Active => "The token is active: there is no rotation to take back.",
        Status::Rotating => "The token is rotating: use its successor, or cancel the rotation.",
        Status::Revoked => "The token is revoked: create another one.",
        Status::Expired => "The token has expired: create another one.",
    };
    ApiError::from(Code::Conflict).saying(format!("token is {status}")).message(advice).with("status", status.as_str())
}

/// An error of the coverage family.
pub(super) fn execution(error: ExecutionError) -> ApiError {
    match error {
        ExecutionError::ForeignOrganization => {
            ApiError::from(Code::Forbidden).message("Name the organisation of your credential in `org`.")
        }
        ExecutionError::NotFound => Code::NotFound.into(),
        ExecutionError::KeyReused => key_reused(),
        ExecutionError::Refused(refused) => self::refused(&refused),
        ExecutionError::Failed(failure) => failed(&failure),
    }
}

fn key_reused() -> ApiError {
    ApiError::from(Code::Conflict)
        .saying("idempotency key reused")
        .message("This Idempotency-Key was used for another request; choose a new one.")
}

/// An error of signing in.
pub(super) fn sign_in(error: SignInError) -> ApiError {
    match error {
        SignInError::Denied => ApiError::from(Code::InvalidToken)
            .saying("invalid credentials")
            .message("Check the e-mail address, the password and the organisation."),
        SignInError::SecondFactorRequired => ApiError::from(Code::InvalidToken)
            .saying("second factor required")
            .message("The password is right: send it again with `code`, or with a `recovery_code`."),
        SignInError::WrongCode => ApiError::from(Code::InvalidToken)
            .saying("wrong code")
            .message("Send the code the app shows now; each is good once. Check the clock of the device, or send a `recovery_code`."),
        SignInError::TooMany(wait) => too_many(wait),
        SignInError::Refused(refused) => self::refused(&refused),
        SignInError::Failed(failure) => failed(&failure),
    }
}

/// An error of ending sessions.
pub(super) fn end(error: EndError) -> ApiError {
    match error {
        EndError::SessionNeeded => session_needed(),
        EndError::Refused(refused) => self::refused(&refused),
        EndError::Failed(failure) => failed(&failure),
    }
}

/// An error of going over to another organisation.
pub(super) fn switch(error: SwitchError) -> ApiError {
    match error {
        SwitchError::NotASession => {
            ApiError::from(Code::Forbidden).message("Send the session token itself: this is not a session.")
        }
        // Denied at the last moment: removed while the request was under way.
        SwitchError::NotFound | SwitchError::Failed(SignInError::Denied) => Code::NotFound.into(),
        SwitchError::Failed(error) => sign_in(error),
    }
}

/// An error of the people family.
pub(super) fn person(error: PersonError) -> ApiError {
    match error {
        PersonError::NotFound => not_a_person(),
        PersonError::SessionNeeded => session_needed(),
        PersonError::WrongPassword => ApiError::from(Code::Forbidden)
            .saying("wrong password")
            .message("Send the password in use now as `current_password`."),
        PersonError::Weak(error) => ApiError::invalid("new_password", error.to_string()),
        PersonError::TooMany(wait) => too_many(wait),
        PersonError::EmailTaken => {
            ApiError::from(Code::Conflict).saying("e-mail address taken").message("Choose another address.")
        }
        PersonError::Refused(refused) => self::refused(&refused),
        PersonError::Failed(failure) => failed(&failure),
    }
}

/// What signing in stands on, asked of a key.
fn session_needed() -> ApiError {
    ApiError::from(Code::Forbidden)
        .saying("session needed")
        .message("Sign in: the address and the sessions of a person change in a session, never by a key or token.")
}

fn not_a_person() -> ApiError {
    ApiError::from(Code::Forbidden).message("Sign in, or use a personal key: this credential belongs to no person.")
}

/// Too many attempts: when the next may be made.
pub(super) fn too_many(wait: TooManyAttempts) -> ApiError {
    ApiError::too_many_requests(u64::try_from(wait.retry_after.as_seconds()).unwrap_or(1).max(1))
}

/// An error of setting up.
pub(super) fn setup(error: SetupError) -> ApiError {
    match error {
        SetupError::AlreadyDone => {
            ApiError::from(Code::Conflict).saying("already set up").message("Sign in instead: POST /v1/sessions.")
        }
        SetupError::WrongCode => ApiError::from(Code::Forbidden)
            .saying("wrong set-up code")
            .message("Use the link that the server printed when it started last."),
        SetupError::Weak(error) => ApiError::invalid("password", error.to_string()),
        SetupError::Failed(failure) => failed(&failure),
    }
}
