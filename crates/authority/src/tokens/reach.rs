//! How far a caller reaches among the tokens of an organisation.
//!
//! **Invariant:** every verb on a token by id asks here first. A credential bound to a project sees that project's tokens
//! and makes tokens of that project; one confined to an access scope sees itself alone.

use token_domain::ScopeCatalogue;
use token_domain::id::{ProjectId, TokenId, UserId};
use token_domain::record::{Token, TokenOwner};

use super::{TokenError, Tokens, within};
use crate::origin::{Caller, Via};

/// The scope that a key needs, besides that of the route, to be shown another key's secret: a leaked key must not be able to
/// make further keys, unless its owner meant it to manage keys.
const KEY_MAKER: &str = "tokens:manage";

/// The tokens that a verb applies to, by owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Anybody's in the organisation: to be looked at, and revoked.
    Anybody,
    /// The organisation's and those of actors, but no personal keys: to be changed.
    Shared,
    /// The organisation's.
    Organization,
    /// This person's.
    Person(UserId),
}

impl Whose {
    fn includes(self, owner: TokenOwner) -> bool {
        match self {
            Self::Anybody => true,
            Self::Shared => !matches!(owner, TokenOwner::Person(_)),
            Self::Organization => owner == TokenOwner::Organization,
            Self::Person(user) => owner == TokenOwner::Person(user),
        }
    }
}

impl Tokens {
    /// A token of the caller's organisation that the caller reaches.
    ///
    /// # Errors
    /// No such token: the same error whether it is absent, another organisation's, out of reach or another owner's.
    pub(super) async fn reached(&self, caller: &Caller, id: TokenId, whose: Whose) -> Result<Token, TokenError> {
        let organization = caller.organization_id;
        let found = self.context.store.read(move |reads| Box::pin(reads.token(organization, id))).await?;
        let found = found.filter(|token| whose.includes(token.owner) && reaches(caller, token));
        let mut token = found.ok_or(TokenError::NotFound)?;
        self.context.uses.add_to([&mut token]);
        Ok(token)
    }
}

/// Whether the caller's credential reaches a token of its organisation.
pub(super) fn reaches(caller: &Caller, token: &Token) -> bool {
    match caller.via {
        Via::Session { .. } => true,
        Via::Token { token_id, project_id, boundary, .. } => {
            let in_project = project_id.is_none_or(|bound| token.project_id == Some(bound));
            token.id == token_id || (boundary.is_none() && in_project)
        }
    }
}

/// Whether the caller is confined to one access scope.
pub(super) const fn is_confined(caller: &Caller) -> bool {
    caller.boundary().is_some()
}

/// The project of a token that the caller makes: the requested one, or by default the one that the caller is bound to.
///
/// # Errors
/// A project other than the one the caller is bound to; reported as absent.
pub(super) fn project_of_new(caller: &Caller, asked: Option<ProjectId>) -> Result<Option<ProjectId>, TokenError> {
    match (caller.bound_project(), asked) {
        (Some(bound), Some(asked)) if asked != bound => Err(TokenError::NoSuchProject),
        (bound, asked) => Ok(asked.or(bound)),
    }
}

/// Whether the caller may be shown the secret of a key. Asked where a request comes in, so that no hash is made in vain, and once
/// more in its change: the key may have lost the scope meanwhile.
pub(super) fn check_key_maker(catalogue: &ScopeCatalogue, caller: &Caller) -> Result<(), TokenError> {
    match caller.via {
        Via::Session { .. } => Ok(()),
        Via::Token { .. } => within(catalogue, catalogue.expand(catalogue.find(KEY_MAKER)), caller.effective),
    }
}
