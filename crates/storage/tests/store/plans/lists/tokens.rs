//! Lists of tokens.

use super::{Found, List, NARROWED, OLDER, WHOLE, from, list};
use crate::plans::fill::{self, at, id};
use storage::model::{Narrowing, OwnerFilter, Principal, TokenFilter, TokenOwner};
use token_domain::Timestamp;
use token_domain::access::ExternalId;
use token_domain::text::AgentType;
use token_domain::token::{Kind, Status};

/// When some of the tokens have expired and some are rotating.
const NOW: Timestamp = at(200_000);

const STATUSES: [Option<Status>; 5] =
    [None, Some(Status::Active), Some(Status::Rotating), Some(Status::Revoked), Some(Status::Expired)];

pub(super) fn all() -> Vec<List> {
    // An actor's are asked for as they are, or for the one that counts, and never from further back.
    let mut all: Vec<List> = [None, Some(Status::Active)].map(of_actor).into();
    for after in [None, Some((at(50_000), id(fill::MIDDLE)))] {
        let filter = |owner: TokenOwner, status, project_id, name: Option<&str>| TokenFilter {
            organization_id: id(fill::LARGE),
            owner: owner.into(),
            project_id,
            status,
            name_contains: name.map(str::to_owned),
            narrowed: Narrowing::default(),
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
        for narrowed in narrowings() {
            all.push(of(TokenFilter { narrowed, ..filter(TokenOwner::Organization, None, None, None) }));
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

/// One of each condition, with a value that hardly any token has.
fn narrowings() -> Vec<Narrowing> {
    let none = Narrowing::default;
    vec![
        Narrowing { text: Some("t77".to_owned()), ..none() },
        Narrowing { scope: Some("rare".to_owned()), ..none() },
        Narrowing { created_by: Some(Principal::Service), ..none() },
        Narrowing { agent_type: AgentType::parse("rare").ok(), ..none() },
        Narrowing { external_id: ExternalId::parse("rare").ok(), ..none() },
        Narrowing { unused_since: Some(at(500)), ..none() },
        Narrowing { expires_before: Some(at(500)), ..none() },
        Narrowing { revoked_after: Some(at(150_000)), ..none() },
    ]
}

fn of_actor(status: Option<Status>) -> List {
    of(TokenFilter {
        organization_id: id(fill::LARGE),
        owner: OwnerFilter::Actor(id(fill::ACTOR)),
        project_id: None,
        status,
        name_contains: None,
        narrowed: Narrowing::default(),
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
    let TokenFilter { organization_id: _, owner, project_id, status, name_contains, narrowed, now: _, after, limit: _ } =
        filter;
    let Narrowing { text, scope, created_by, agent_type, external_id, unused_since, expires_before, revoked_after } =
        narrowed;
    // Looked at row by row, as parts of names are: nobody pages through these at every request, and an index for each would
    // be written with every new token.
    let is_searched = name_contains.is_some()
        || text.is_some()
        || scope.is_some()
        || created_by.is_some()
        || agent_type.is_some()
        || unused_since.is_some()
        || expires_before.is_some()
        || revoked_after.is_some();
    let (listing, ended, expiring, bound) = match owner {
        OwnerFilter::Kind(_) => {
            ("tokens_listing_idx", "tokens_ended_idx", "tokens_expiring_idx", Some("tokens_bound_idx"))
        }
        // A person who comes by a key that is bound to a project sees that among their own.
        OwnerFilter::Person(_) => {
            ("tokens_owner_user_idx", "tokens_owner_user_ended_idx", "tokens_owner_user_expiring_idx", None)
        }
        OwnerFilter::Actor(_) => ("tokens_actor_idx", "tokens_actor_idx", "tokens_actor_idx", None),
    };
    let by_status = match status {
        None | Some(Status::Active) => None,
        Some(Status::Rotating | Status::Revoked) => Some(ended),
        Some(Status::Expired) => Some(expiring),
    };
    let by_project = project_id.and(bound);
    // Those that end by themselves have an index, which either database may take.
    let by_end = expires_before.and(Some(expiring)).or(revoked_after.and(Some(ended)));
    let by_holder = external_id.as_ref().and(Some("tokens_external_id_idx"));
    let mut indexes: Vec<&str> = by_status.into_iter().chain(by_project).chain(by_holder).collect();
    if indexes.is_empty() {
        indexes.push(listing);
        indexes.extend(by_end);
    }
    let is_found_by_all = match (by_status, project_id, is_searched) {
        (_, None, false) => true,
        (None, Some(_), false) => bound.is_some(),
        (Some(_), Some(_), _) | (_, _, true) => false,
    };
    let page = from(listing, after.and(OLDER));
    let rows = match (is_found_by_all, indexes.contains(&listing)) {
        (true, _) => page.rows,
        (false, false) => NARROWED,
        (false, true) => WHOLE,
    };
    Found { indexes, rows, ..page }
}
