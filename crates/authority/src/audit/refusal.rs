//! Refusals that have an event: what a guesser or a flood is told, and what the trail says of it.
//!
//! Refusals of a credential (`auth.denied`) are log lines alone: anybody may send as many as they like, and nothing was guessed
//! at that could be hit.

use token_domain::Timestamp;
use token_domain::record::Principal;

use super::Event;
use crate::context::Context;
use crate::origin::{Caller, Origin};

/// A refusal that has an event. A new one is added to [`Refusal::ALL`], and then to the table of `it/refusals.rs`, which provokes
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A wrong password, or a wrong code beside the right one, at a sign-in.
    SignIn,
    /// A sign-in that has to wait.
    SignInLimited,
    /// A wrong password or code where a signed-in person is asked for it again.
    Confirmation,
    /// A guess at a one-time code that has to wait.
    CodeLimited,
    /// A wrong service token.
    ServiceToken,
    /// A service token from where too many wrong ones came.
    ServiceTokenLimited,
    /// A code that belongs to no invitation.
    Invitation,
    /// A wrong code for setting the deployment up.
    SetupCode,
    /// A new secret, for a principal that has as many under way as one may.
    SecretsLimited,
    /// A code for an address of a person, to whose addresses too many went.
    AddressCodesLimited,
    /// An invitation, in an organisation that had too many mailed.
    InvitationsLimited,
    /// A report of leaked credentials from where too many came.
    ReportsLimited,
    /// A code for a new password that is wrong, used or expired.
    PasswordReset,
    /// A request for a new password from where too many came, or for an address that too many messages went to.
    PasswordResetsLimited,
    /// Somebody whom an identity provider sent, or seemed to send, and who is not let in.
    Sso,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SignIn,
        Self::SignInLimited,
        Self::Confirmation,
        Self::CodeLimited,
        Self::ServiceToken,
        Self::ServiceTokenLimited,
        Self::Invitation,
        Self::SetupCode,
        Self::SecretsLimited,
        Self::AddressCodesLimited,
        Self::InvitationsLimited,
        Self::ReportsLimited,
        Self::PasswordReset,
        Self::PasswordResetsLimited,
        Self::Sso,
    ];

    /// What the event is called.
    pub const fn action(self) -> &'static str {
        match self {
            Self::SignIn => "session.create.denied",
            Self::SignInLimited => "session.create.limited",
            Self::Confirmation => "user.confirm.denied",
            Self::CodeLimited => "second_factor.limited",
            Self::ServiceToken => "service_token.denied",
            Self::ServiceTokenLimited => "service_token.limited",
            Self::Invitation => "invitation.accept.denied",
            Self::SetupCode => "setup.denied",
            Self::SecretsLimited => "token.create.limited",
            Self::AddressCodesLimited => "user.email.limited",
            Self::InvitationsLimited => "invitation.create.limited",
            Self::ReportsLimited => "leak_report.limited",
            Self::PasswordReset => "user.password.reset.denied",
            Self::PasswordResetsLimited => "user.password.reset.limited",
            Self::Sso => "sso.denied",
        }
    }

    /// Its event, with where the request came from.
    pub(crate) fn event(self, at: Timestamp, by: Principal, origin: &Origin) -> Event {
        Event::new(at, self.action(), by, origin).seen_from(origin)
    }
}

/// Why a credential was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial<'a> {
    /// It is not a credential, or not a valid one.
    Invalid,
    /// It lacks this scope.
    Lacks(&'a str),
    /// It was presented from elsewhere than it may be.
    Elsewhere,
    /// Its person has to set up a second factor first.
    SecondFactor,
}

/// Writes the log line for a refused credential, with its owner if known.
pub fn log_denial(context: &Context, denial: Denial<'_>, caller: Option<&Caller>, origin: &Origin) {
    let by = caller.map_or(Principal::Anonymous, Caller::principal);
    let event = Event::new(context.now(), "auth.denied", by, origin).seen_from(origin);
    let event = match denial {
        Denial::Invalid => event.with("reason", "credential"),
        Denial::Lacks(scope) => event.with("reason", "scope").with("scope", scope),
        Denial::Elsewhere => event.with("reason", "network"),
        Denial::SecondFactor => event.with("reason", "second_factor"),
    };
    event.log(caller.map(|caller| caller.organization_id));
}
