//! What a change stands on, read at its beginning.

use super::{Conn, dialect, memberships, policies, sessions, tokens, users};
use crate::error::StoreError;
use crate::model::{Credential, Opening, Standing};
use token_domain::record::TokenTerms;

/// Locks the person's row, if the change stands on a person.
pub(crate) async fn hold_person(conn: &mut Conn<'_>, opening: Opening) -> Result<(), StoreError> {
    match opening.person {
        Some((user, hold)) => users::hold_user(conn, user, hold).await,
        None => Ok(()),
    }
}

/// Locks the session's row, if it stands on a session.
pub(crate) async fn hold_session(conn: &mut Conn<'_>, opening: Opening) -> Result<(), StoreError> {
    match opening.credential {
        Credential::Session(id) => sessions::hold_session(conn, id).await,
        Credential::Token(..) | Credential::None => Ok(()),
    }
}

/// Locks the token's row. For a unit that does not hold the organisation's trail, which every change of a token holds.
pub(crate) async fn hold_token(conn: &mut Conn<'_>, opening: Opening) -> Result<(), StoreError> {
    match opening.credential {
        Credential::Token(_, id) => Ok(dialect::hold_token(conn, id).await?),
        Credential::Session(_) | Credential::None => Ok(()),
    }
}

/// The credential as it is now; `None` if it is gone.
pub(crate) async fn standing(conn: &mut Conn<'_>, opening: Opening) -> Result<Option<Standing>, StoreError> {
    Ok(match (opening.credential, opening.person, opening.trail) {
        (Credential::Session(id), _, _) => {
            sessions::session_standing(conn, id).await?.map(|found| Standing::Session(Box::new(found)))
        }
        (Credential::Token(organization, id), _, _) => {
            tokens::candidate(conn, organization, id).await?.map(|found| Standing::Token(Box::new(found)))
        }
        (Credential::None, Some((user, _)), Some(organization)) => {
            let found = memberships::membership_standing(conn, organization, user).await?;
            found.map(|found| Standing::Member(Box::new(found)))
        }
        (Credential::None, _, _) => None,
    })
}

/// What the organisation asks of a new token of the kind that the change makes.
pub(crate) async fn terms(conn: &mut Conn<'_>, opening: Opening) -> Result<TokenTerms, StoreError> {
    match (opening.trail, opening.terms_for) {
        (Some(organization), Some(kind)) => policies::token_terms(conn, organization, kind).await,
        _ => Ok(TokenTerms::default()),
    }
}
