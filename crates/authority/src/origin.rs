//! Who is asking, and with which request.

use std::net::IpAddr;

use token_domain::id::{AccessScopeId, OrganizationId, ProjectId, SessionId, TokenId, UserId};
use token_domain::record::Principal;
use token_domain::{Requirement, ScopeSet, Timestamp};

/// The request something came with, for the audit trail and the limiter.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The id every answer carries as `X-Request-ID`.
    pub request_id: String,
    /// Where it came from, as far as the edge can tell.
    pub client_ip: Option<IpAddr>,
    /// Where the credential in question was presented: the client's address, and at validation the address that the asking
    /// gateway names. What a token's allowed networks are judged against.
    pub presented_from: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// The most characters of a client's name that are kept.
const LONGEST_AGENT: usize = 200;

impl Origin {
    /// What happens beside requests, or after one was answered.
    pub const fn internal() -> Self {
        Self { request_id: String::new(), client_ip: None, presented_from: None, user_agent: None }
    }

    /// What the client calls itself, as it may be kept and shown: not longer than 200 characters, and not at all when somebody
    /// put a secret there.
    pub fn agent(&self) -> Option<String> {
        let agent = self.user_agent.as_deref().filter(|agent| !token_domain::text::holds_secret(agent))?;
        Some(agent.chars().filter(|letter| !letter.is_control()).take(LONGEST_AGENT).collect())
    }
}

/// The request that presents a token, as far as a validation wants to know it. Validations are many, so each part is asked
/// for only where it is needed.
pub trait Presentation {
    /// Where the token was presented, if that is known: what its allowed networks are judged against.
    fn address(&self) -> Option<IpAddr>;

    /// The same where it is to be remembered as the place of the token's holder; nothing where somebody else asks about the
    /// token. Cheap: asked for at every validation of a good token.
    fn holder_address(&self) -> Option<IpAddr>;

    /// What the holder's client calls itself, as it may be kept.
    fn holder_agent(&self) -> Option<String>;

    /// The whole of it, for the audit trail.
    fn origin(&self) -> Origin;
}

/// By the holder.
impl Presentation for Origin {
    fn address(&self) -> Option<IpAddr> {
        self.presented_from
    }

    fn holder_address(&self) -> Option<IpAddr> {
        self.presented_from
    }

    fn holder_agent(&self) -> Option<String> {
        self.agent()
    }

    fn origin(&self) -> Origin {
        self.clone()
    }
}

/// By somebody who asks about a token of which they are not the holder.
impl<F: Fn() -> Origin> Presentation for F {
    fn address(&self) -> Option<IpAddr> {
        self().presented_from
    }

    fn holder_address(&self) -> Option<IpAddr> {
        None
    }

    fn holder_agent(&self) -> Option<String> {
        None
    }

    fn origin(&self) -> Origin {
        self()
    }
}

/// A caller whose credential was found good at this very request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The organisation the credential is for; nothing it does reaches any other.
    pub organization_id: OrganizationId,
    /// How the caller showed it.
    pub via: Via,
    /// What it may do now.
    pub effective: ScopeSet,
    /// What the request was let in for.
    pub admission: Admission,
}

/// On what terms a request was let in. The same terms are applied again, to the rights of that moment, where its change is
/// made: a verb cannot forget what the door asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Admission {
    /// What the operation takes.
    pub requirement: Requirement,
    /// Whether it is open to a person who still has to set up the second factor that their organisation asks for.
    pub is_enrolling: bool,
}

/// Where the person of a session proved who they are, which decides how far the session counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    /// Here, or at a front end that the operator trusts: the session is the person's in all of their organisations.
    Here,
    /// At the identity provider of the session's organisation, which speaks for that organisation alone.
    AtProvider,
}

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By a session: a person is at the other end.
    Session {
        /// The session.
        session_id: SessionId,
        /// The person.
        user_id: UserId,
        /// Where the person proved who they are.
        proven: Proven,
    },
    /// By an `nlp_` token.
    Token {
        /// The token.
        token_id: TokenId,
        /// The person it belongs to, if it is a personal key.
        user_id: Option<UserId>,
        /// The project it is bound to, if any.
        project_id: Option<ProjectId>,
        /// The tenant boundary of the actor it belongs to, if it is of one: it sees nothing outside.
        boundary: Option<AccessScopeId>,
        /// When it ends by itself: its expiry, or the end of its grace if that is sooner.
        ends_at: Option<Timestamp>,
    },
}

impl Caller {
    /// Who this is in the audit trail and in `created_by`.
    pub const fn principal(&self) -> Principal {
        match self.via {
            Via::Session { user_id, .. } => Principal::User(user_id),
            Via::Token { token_id, .. } => Principal::Token(token_id),
        }
    }

    /// When the caller's token ends by itself; nothing for a session, or for a token that does not.
    pub const fn token_ends_at(&self) -> Option<Timestamp> {
        match self.via {
            Via::Session { .. } => None,
            Via::Token { ends_at, .. } => ends_at,
        }
    }

    /// The same caller, let in on these terms.
    #[must_use]
    pub const fn admitted(self, admission: Admission) -> Self {
        Self { admission, ..self }
    }

    /// Whether a person is here themselves, by a session.
    pub const fn is_signed_in(&self) -> bool {
        matches!(self.via, Via::Session { .. })
    }

    /// Whether the person is here in all of their organisations, rather than in one alone: by a key, or by a session of that
    /// organisation's identity provider.
    pub const fn is_person_everywhere(&self) -> bool {
        matches!(self.via, Via::Session { proven: Proven::Here, .. })
    }

    /// The project the credential is bound to; nothing where it reaches the whole organisation.
    pub const fn bound_project(&self) -> Option<ProjectId> {
        match self.via {
            Via::Session { .. } => None,
            Via::Token { project_id, .. } => project_id,
        }
    }

    /// The one access scope the credential is confined to, if it is an actor's of one.
    pub const fn boundary(&self) -> Option<AccessScopeId> {
        match self.via {
            Via::Session { .. } => None,
            Via::Token { boundary, .. } => boundary,
        }
    }

    /// Whether the credential reaches the whole organisation: it is bound to no project and confined to no access scope.
    pub const fn reaches_whole_organization(&self) -> bool {
        self.bound_project().is_none() && self.boundary().is_none()
    }

    /// The person behind the caller, if there is one.
    pub const fn user_id(&self) -> Option<UserId> {
        match self.via {
            Via::Session { user_id, .. } => Some(user_id),
            Via::Token { user_id, .. } => user_id,
        }
    }
}
