//! Lists of tokens.

use super::{Found, List, OLDER, SEARCHED, from, list, searched_seconds};
use crate::plans::fill::{self, at, id};
use storage::model::{Narrowing, OwnerFilter, SEARCHED_ROWS, TokenFilter};
use token_domain::access::ExternalId;
use token_domain::record::{Principal, TokenOwner};
use token_domain::text::AgentType;
use token_domain::token::{Kind, Status};
use token_domain::{Span, Timestamp};

/// When some of the tokens have expired and some are rotating.
const NOW: Timestamp = at(200_000);

const STATUSES: [Option<Status>; 5] =
    [None, Some(Status::Active), Some(Status::Rotating), Some(Status::Revoked), Some(Status::Expired)];

pub(super) fn all() -> Vec<List> {
    // An actor's are asked for as they are, or for the one that counts, and never from further back.
    let mut all: Vec<List> = [None, Some(Status::Active)].into_iter().flat_map(of_actor).collect();
    for after in [None, Some((at(50_000), id(fill::middle())))] {
        let filter = |owner: TokenOwner, status, project_id, name: Option<&str>| TokenFilter {
            organization_id: id(fill::LARGE),
            owner: owner.into(),
            project_id,
            status,
            name_contains: name.map(str::to_owned),
            narrowed: Narrowing::default(),
            now: NOW,
            after,
            until: None,
            limit: 101,
        };
        for owner in [TokenOwner::Organization, TokenOwner::Person(id(fill::PERSON))] {
            for status in STATUSES {
                for project in [None, Some(id(fill::PROJECT))] {
                    for name in [None, Some("t77")] {
                        all.extend(of(filter(owner, status, project, name)));
                    }
                }
            }
        }
        for narrowed in narrowings() {
            all.extend(of(TokenFilter { narrowed, ..filter(TokenOwner::Organization, None, None, None) }));
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

fn of_actor(status: Option<Status>) -> Vec<List> {
    of(TokenFilter {
        organization_id: id(fill::LARGE),
        owner: OwnerFilter::Actor(id(fill::ACTOR)),
        project_id: None,
        status,
        name_contains: None,
        narrowed: Narrowing::default(),
        now: NOW,
        after: None,
        until: None,
        limit: 101,
    })
}

fn of(mut filter: TokenFilter) -> Vec<List> {
    let mut lists = Vec::new();
    if filter.is_search() {
        let newest = filter.after.map_or(at(100_000), |(moment, _)| moment);
        filter.until = Some((newest - Span::long_seconds(searched_seconds()), id(0)));
        let found = Found { is_alone: true, rows: SEARCHED, ..from(listing(filter.owner), filter.after.and(OLDER)) };
        let end = filter.clone();
        lists.push(list!(search_end_of_tokens(&end, SEARCHED_ROWS), format!("{filter:?}"), found));
    }
    let found = found(&filter);
    lists.push(list!(list_tokens(&filter), format!("{filter:?}"), found));
    lists
}

/// The index of the order.
const fn listing(owner: OwnerFilter) -> &'static str {
    match owner {
        OwnerFilter::Kind(_) => "tokens_listing_idx",
        OwnerFilter::Person(_) => "tokens_owner_user_idx",
        OwnerFilter::Actor(_) => "tokens_actor_idx",
    }
}

/// One index serves the order and one filter. What else is asked for is looked at row by row, as far as a search goes at a
/// time.
fn found(filter: &TokenFilter) -> Found {
    let TokenFilter {
        organization_id: _,
        owner,
        project_id,
        status,
        name_contains: _,
        narrowed,
        now: _,
        after,
        until,
        limit: _,
    } = filter;
    let Narrowing {
        text: _,
        scope: _,
        created_by: _,
        agent_type: _,
        external_id,
        unused_since: _,
        expires_before,
        revoked_after,
    } = narrowed;
    let (ended, expiring, bound) = match owner {
        OwnerFilter::Kind(_) => ("tokens_ended_idx", "tokens_expiring_idx", Some("tokens_bound_idx")),
        // A person who comes by a key that is bound to a project sees that among their own.
        OwnerFilter::Person(_) => ("tokens_owner_user_ended_idx", "tokens_owner_user_expiring_idx", None),
        OwnerFilter::Actor(_) => ("tokens_actor_idx", "tokens_actor_idx", None),
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
    let listing = listing(*owner);
    let mut indexes: Vec<&str> = by_status.into_iter().chain(by_project).chain(by_holder).collect();
    if indexes.is_empty() || until.is_some() {
        indexes.push(listing);
        indexes.extend(by_end);
    }
    let page = from(listing, after.and(OLDER));
    let rows = if until.is_some() { SEARCHED } else { page.rows };
    Found { indexes, rows, ..page }
}
