//! Lists of tokens.

use super::{Found, List, NARROWED, OLDER, WHOLE, from, list};
use crate::plans::fill::{self, at, id};
use storage::model::{TokenFilter, TokenOwner};
use token_domain::Timestamp;
use token_domain::token::{Kind, Status};

/// When some of the tokens have expired and some are rotating.
const NOW: Timestamp = at(200_000);

const STATUSES: [Option<Status>; 5] =
    [None, Some(Status::Active), Some(Status::Rotating), Some(Status::Revoked), Some(Status::Expired)];

pub(super) fn all() -> Vec<List> {
    // An actor's are asked for as they are, or for the one that counts, and never from further back.
    let mut all: Vec<List> = [None, Some(Status::Active)].map(of_actor).into();
    for after in [None, Some((at(50_000), id(fill::MIDDLE)))] {
        let filter = |owner, status, project_id, name: Option<&str>| TokenFilter {
            organization_id: id(fill::LARGE),
            owner,
            project_id,
            status,
            name_contains: name.map(str::to_owned),
            now: NOW,
            after,
            limit: 101,
        };
        for owner in [TokenOwner::Organization, TokenOwner::Person(id(fill::PERSON))] {
            for status in STATUSES {
                for project in [None, Some(id(fill::PROJECT))] {
                    for name in [None, Some("t77")] {
                        all.push(of(filter(owner, status, project, name)));
                    }
                }
            }
        }
        for kind in [Kind::Organization, Kind::Personal, Kind::Actor] {
            let details = format!("{kind:?} {after:?}");
            all.push(list!(
                live_tokens_of_kind(id(fill::LARGE), kind, after, NOW, 101),
                details,
                from("tokens_listing_idx", after.and(OLDER))
            ));
        }
    }
    all
}

fn of_actor(status: Option<Status>) -> List {
    of(TokenFilter {
        organization_id: id(fill::LARGE),
        owner: TokenOwner::Actor(id(fill::ACTOR)),
        project_id: None,
        status,
        name_contains: None,
        now: NOW,
        after: None,
        limit: 101,
    })
}

fn of(filter: TokenFilter) -> List {
    let found = found(&filter);
    list!(list_tokens(&filter), format!("{filter:?}"), found)
}

/// One index serves the order and one filter; what else is asked for is looked at row by row. Those that are active have no
/// index: they are most, and every new token would be written there. Where they are not, a page is looked for among all
/// of the owner.
fn found(filter: &TokenFilter) -> Found {
    let TokenFilter { organization_id: _, owner, project_id, status, name_contains, now: _, after, limit: _ } = filter;
    let (listing, ended, expiring, bound) = match owner {
        TokenOwner::Organization => {
            ("tokens_listing_idx", "tokens_ended_idx", "tokens_expiring_idx", Some("tokens_bound_idx"))
        }
        // A person who comes by a key that is bound to a project sees that among their own.
        TokenOwner::Person(_) => {
            ("tokens_owner_user_idx", "tokens_owner_user_ended_idx", "tokens_owner_user_expiring_idx", None)
        }
        TokenOwner::Actor(_) => ("tokens_actor_idx", "tokens_actor_idx", "tokens_actor_idx", None),
    };
    let by_status = match status {
        None | Some(Status::Active) => None,
        Some(Status::Rotating | Status::Revoked) => Some(ended),
        Some(Status::Expired) => Some(expiring),
    };
    let by_project = project_id.and(bound);
    let mut indexes: Vec<&str> = by_status.into_iter().chain(by_project).collect();
    if indexes.is_empty() {
        indexes.push(listing);
    }
    let is_found_by_all = match (by_status, project_id, name_contains) {
        (_, None, None) => true,
        (None, Some(_), None) => bound.is_some(),
        (Some(_), Some(_), _) | (_, _, Some(_)) => false,
    };
    let page = from(listing, after.and(OLDER));
    let rows = match (is_found_by_all, indexes == [listing]) {
        (true, _) => page.rows,
        (false, false) => NARROWED,
        (false, true) => WHOLE,
    };
    Found { indexes, rows, ..page }
}
