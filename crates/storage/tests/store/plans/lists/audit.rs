//! Audit trails.

use super::{Found, List, NARROWED, list, page};
use crate::plans::fill::{self, at, id};
use storage::model::{AuditFilter, Principal};
use token_domain::access::Direction;

pub(super) fn all() -> Vec<List> {
    let mut all = Vec::new();
    let times =
        [(None, None), (Some(at(50_000)), None), (None, Some(at(50_000))), (Some(at(20_000)), Some(at(50_000)))];
    for direction in [Direction::Ascending, Direction::Descending] {
        for action in [None, Some("rare"), Some("x3")] {
            for actor in [None, Some(Principal::Service)] {
                for target_id in [None, Some("rare")] {
                    for (from, until) in times {
                        for after in [None, Some(40_000)] {
                            all.push(of(AuditFilter {
                                organization_id: Some(id(fill::LARGE)),
                                action: action.map(str::to_owned),
                                actor,
                                target_id: target_id.map(str::to_owned),
                                from,
                                until,
                                direction,
                                after,
                                limit: 101,
                            }));
                        }
                    }
                }
            }
        }
    }
    all
}

fn of(filter: AuditFilter) -> List {
    let AuditFilter {
        organization_id: _,
        action,
        actor,
        target_id,
        from,
        until,
        // An index is read as well from either end.
        direction: Direction::Ascending | Direction::Descending,
        after,
        limit: _,
    } = &filter;
    let narrowed = [
        action.as_ref().map(|_| "audit_events_action_idx"),
        actor.map(|_| "audit_events_actor_idx"),
        target_id.as_ref().map(|_| "audit_events_target_idx"),
    ];
    let mut indexes: Vec<&str> = narrowed.into_iter().flatten().collect();
    // One index serves the order, the times and one filter; what else is asked for is looked at event by event.
    let rows = if indexes.len() > 1 { NARROWED } else { page("").rows };
    if indexes.is_empty() {
        indexes.push("audit_events_pkey");
    }
    let is_later = from.is_some() || (after.is_some() && filter.direction == Direction::Ascending);
    let is_earlier = until.is_some() || (after.is_some() && filter.direction == Direction::Descending);
    let sought = match (is_later, is_earlier) {
        (true, _) => Some(["seq>", "seq >"]),
        (false, true) => Some(["seq<", "seq <"]),
        (false, false) => None,
    };
    let place = Found { sought: Some(["at>", "at >="]), is_alone: true, rows: 1, ..page("audit_events_at_idx") };
    let places = usize::from(from.is_some()) + usize::from(until.is_some());
    let mut statements = vec![place; places];
    statements.push(Found { indexes, sought, rows, ..page("") });
    List { statements, ..list!(list_audit(&filter), format!("{filter:?}"), page("")) }
}
