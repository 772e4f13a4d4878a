//! What the pages about tokens share. The organisation's tokens and a person's own keys have the same pages and call
//! different verbs.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use authority::organizations::Seat;
use authority::records::{Principal, Token, TokenOrigin, TokenOwner};
use authority::tokens::TokenError;
use token_domain::id::{TokenId, UserId};
use token_domain::token::{Kind, Status};
use token_domain::{Span, Timestamp};

use super::session_line::client;
use crate::layout::Section;
use crate::services::Services;
use crate::show::{self, Badge, When};
use crate::visit::{Visitor, explain_refused};

/// The most people whose names a page looks up.
const NAMED: u32 = 200;

/// Whose tokens a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    /// The organisation's tokens; also personal keys, to view and to revoke them.
    Organization,
    /// The visitor's own keys.
    Own,
}

impl Area {
    /// The area that the request's path belongs to.
    pub(super) fn of(request: &HttpRequest) -> Self {
        if request.path().starts_with("/keys") { Self::Own } else { Self::Organization }
    }

    pub(super) const fn base(self) -> &'static str {
        match self {
            Self::Organization => "/tokens",
            Self::Own => "/keys",
        }
    }

    pub(super) const fn section(self) -> Section {
        match self {
            Self::Organization => Section::Tokens,
            Self::Own => Section::Keys,
        }
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Organization => Kind::Organization,
            Self::Own => Kind::Personal,
        }
    }

    /// What one of its tokens is called.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Organization => "token",
            Self::Own => "key",
        }
    }

    pub(super) const fn reading(self) -> &'static str {
        match self {
            Self::Organization => "tokens:read",
            Self::Own => "user:read",
        }
    }

    pub(super) const fn managing(self) -> &'static str {
        match self {
            Self::Organization => "tokens:manage",
            Self::Own => "user:write",
        }
    }
}

/// The names of an organisation's people, and which of them looks.
pub(super) struct Names {
    people: HashMap<UserId, String>,
    /// Whether everybody who is not in `people` has left.
    is_complete: bool,
    visitor: UserId,
}

impl Names {
    pub(super) async fn read(visitor: &Visitor, services: &Services) -> Self {
        let own = &visitor.me.standing.user;
        let (mut names, mut is_complete) = (HashMap::from([(own.id, own.name.to_string())]), false);
        if visitor.may("org.memberships:read")
            && let Ok(seat) = Seat::of(&visitor.caller, visitor.caller.organization_id)
            && let Ok(page) = services.members.list(&seat, None, NAMED).await
        {
            is_complete = page.next.is_none();
            names.extend(page.members.into_iter().map(|member| (member.user.id, member.user.name.to_string())));
        }
        Self { people: names, is_complete, visitor: own.id }
    }

    pub(super) fn of(&self, principal: Principal) -> String {
        show::principal(principal, |user| match self.people.get(&user) {
            Some(name) => name.clone(),
            None if self.is_complete => "a former member".to_owned(),
            None => format!("person {}", show::short(&user.to_string())),
        })
    }

    /// As [`of`](Self::of), where the sentence goes on: the visitor is "you".
    fn person(&self, principal: Principal) -> String {
        match principal {
            Principal::User(user) if user == self.visitor => "you".to_owned(),
            // Anybody who holds a secret may report it as leaked.
            Principal::Anonymous => "somebody who held it".to_owned(),
            other => self.of(other),
        }
    }

    pub(super) fn owner(&self, owner: TokenOwner) -> String {
        match owner {
            TokenOwner::Organization => "the organisation".to_owned(),
            TokenOwner::Person(user) => self.of(Principal::User(user)),
            TokenOwner::Actor(id) => format!("actor {}", show::short(&id.to_string())),
        }
    }
}

/// A token as a line of a list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) hint: String,
    /// At most three.
    pub(super) scopes: Vec<String>,
    pub(super) more_scopes: usize,
    pub(super) owner: String,
    pub(super) creator: String,
    pub(super) created: When,
    pub(super) used: Option<When>,
    /// The addresses it was used from, the latest first.
    pub(super) used_from: Vec<OriginLine>,
    pub(super) has_new_address: bool,
    pub(super) expires: Option<When>,
    pub(super) badge: Badge,
    pub(super) is_live: bool,
    /// Created more than a month ago and never used.
    pub(super) is_forgotten: bool,
}

/// How long an address counts as new after its first use.
const NEW_FOR: Span = Span::days(7);

/// An address that a token was used from.
#[derive(Clone, Debug)]
pub(super) struct OriginLine {
    pub(super) address: String,
    pub(super) client: String,
    pub(super) used: When,
    /// First used lately, and not the token's first address.
    pub(super) is_new: bool,
}

impl OriginLine {
    fn all(token: &Token, now: Timestamp) -> Vec<Self> {
        let first = token.used_from.iter().map(|origin| origin.first_used_at).min();
        let line = |origin: &TokenOrigin| Self {
            address: origin.address.clone(),
            client: origin.agent.as_deref().map(client).unwrap_or_default(),
            used: When::new(origin.last_used_at, now),
            is_new: first.is_some_and(|first| first < origin.first_used_at) && origin.first_used_at + NEW_FOR > now,
        };
        token.used_from.iter().map(line).collect()
    }
}

impl Line {
    pub(super) fn new(token: &Token, names: &Names, now: Timestamp) -> Self {
        const SHOWN: usize = 3;
        let created_at = token.facts.created_at;
        let is_live = token.facts.status(now).is_live();
        let used_from = OriginLine::all(token, now);
        Self {
            id: token.id.to_string(),
            name: token.name.to_string(),
            hint: hint(token),
            scopes: token.scopes.iter().take(SHOWN).cloned().collect(),
            more_scopes: token.scopes.len().saturating_sub(SHOWN),
            owner: names.owner(token.owner),
            creator: names.of(token.created_by),
            created: When::new(created_at, now),
            used: token.last_used_at.map(|used| When::new(used, now)),
            has_new_address: used_from.iter().any(|origin| origin.is_new),
            used_from,
            expires: token.facts.expires_at.map(|end| When::new(end, now)),
            badge: Badge::of(token, now, token.revoked_by.map(|by| names.person(by))),
            is_live,
            is_forgotten: is_live && token.last_used_at.is_none() && created_at + Span::days(30) < now,
        }
    }
}

pub(super) fn hint(token: &Token) -> String {
    token.hint.to_string()
}

/// The token id in the path.
pub(super) fn id_in(request: &HttpRequest) -> Option<TokenId> {
    TokenId::parse(request.match_info().get("token_id")?).ok()
}

/// The token that the path names, if it exists and this person may see it.
pub(super) async fn found(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
) -> Result<Token, HttpResponse> {
    let area = Area::of(request);
    visitor.check(request, area.reading())?;
    let id = id_in(request).ok_or_else(|| visitor.not_found(request))?;
    let found = match area {
        Area::Organization => services.tokens.get(&visitor.caller, id).await,
        Area::Own => services.tokens.key(&visitor.caller, id).await,
    };
    found.map_err(|error| failed(request, visitor, &error))
}

/// The page for an error when there is no form to show it on.
pub(super) fn failed(request: &HttpRequest, visitor: &Visitor, error: &TokenError) -> HttpResponse {
    match error {
        TokenError::NotFound => visitor.not_found(request),
        TokenError::Failed(failure) => visitor.failed(request, failure),
        TokenError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &explain(other)),
    }
}

/// What an error means, and what to do about it.
pub(super) fn explain(error: &TokenError) -> String {
    match error {
        TokenError::Scopes(error) => {
            let text = error.to_string();
            if text.starts_with("must name at least") {
                "Choose at least one scope.".to_owned()
            } else {
                format!("The scopes {text}.")
            }
        }
        TokenError::Excess { missing, .. } => {
            format!(
                "You can only grant scopes that you have. Leave these out, or ask somebody who has them: {}.",
                missing.join(", ")
            )
        }
        TokenError::Policy(breach) => match &breach.breach {
            token_domain::policy::Breach::Kind => {
                "The organisation's token policy does not allow tokens of this kind.".to_owned()
            }
            token_domain::policy::Breach::TrustOnly => {
                "Your organisation gives tokens to CI jobs under trust policies alone: make a trust policy instead. Tokens that exist are valid until they end.".to_owned()
            }
            token_domain::policy::Breach::Lifetime { longest } => {
                format!(
                    "The organisation's token policy allows at most {}: choose an earlier expiry.",
                    show::span(*longest)
                )
            }
            token_domain::policy::Breach::Scopes { .. } => {
                format!("The organisation's token policy does not allow these scopes: {}.", breach.scopes.join(", "))
            }
        },
        TokenError::ExpiryPassed => "The expiry must be in the future.".to_owned(),
        TokenError::NoSuchProject => "Choose a project of this organisation.".to_owned(),
        TokenError::NotFound => "The token no longer exists.".to_owned(),
        TokenError::WrongStatus(Status::Active) => "The token is active. There is no rotation to cancel.".to_owned(),
        TokenError::WrongStatus(Status::Rotating) => {
            "The token is already rotating: finish or cancel that rotation first.".to_owned()
        }
        TokenError::WrongStatus(Status::Revoked) => "The token is already revoked.".to_owned(),
        TokenError::WrongStatus(Status::Expired) => "The token has expired: create another one.".to_owned(),
        TokenError::CapReached { used, cap } => {
            format!(
                "The organisation has {used} of {cap} tokens. Revoke a token that is not needed, or ask for a higher cap."
            )
        }
        TokenError::KeyCapReached { used, cap } => {
            format!("You have {used} of {cap} keys in this organisation. Revoke a key that is not needed.")
        }
        TokenError::OtherCount { matched } => {
            format!("The number of matching tokens has changed to {matched}. Check them again before you revoke them.")
        }
        TokenError::TooMany { most } => format!("More than {most} tokens match: narrow the filter."),
        TokenError::Replayed { .. } => "This form was already submitted.".to_owned(),
        TokenError::KeyReused => "This form was already submitted with different values.".to_owned(),
        TokenError::Refused(refused) => explain_refused(refused),
        TokenError::NotAToken | TokenError::NotAPerson | TokenError::Failed(_) => "The action failed.".to_owned(),
    }
}

/// A nonce for a form that must not be carried out twice.
pub(super) fn nonce(services: &Services, request: &HttpRequest, visitor: &Visitor) -> Result<String, HttpResponse> {
    services.context.nonce().map_err(|failure| visitor.failed(request, &failure))
}
