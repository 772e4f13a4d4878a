//! Audit trails.

use super::{Found, List, SEARCHED, list, page};
use crate::plans::fill::{self, at, id};
use storage::model::{AuditFilter, SEARCHED_ROWS};
use token_domain::access::Direction;
use token_domain::record::Principal;

pub(super) fn all() -> Vec<List> {
    let mut all = Vec::new();
    let times =
        [(None, None), (Some(at(50_000)), None), (None, Some(at(50_000))), (Some(at(20_000)), Some(at(50_000)))];
    for direction in [Direction::Ascending, Direction::Descending] {
        for action in [None, Some("rare"), Some("x3")] {
            for actor in [None, Some(Principal::Service)] {
                for target_id in [None, Some("rare")] {
                    for (from, until) in times {
                        for after in [None, Some(40_000 * fill::scale())] {
                            all.extend(of(AuditFilter {
                                organization_id: Some(id(fill::LARGE)),
                                action: action.map(str::to_owned),
                                actor,
                                target_id: target_id.map(str::to_owned),
                                from,
                                until,
                                direction,
                                after,
                                up_to: None,
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

fn of(mut filter: AuditFilter) -> Vec<List> {
    let mut lists = Vec::new();
    if filter.is_search() {
        let end = filter.clone();
        let statements = of_stretch(&filter, Found { is_alone: true, rows: SEARCHED, ..page("audit_events_pkey") });
        let details = format!("{filter:?}");
        lists.push(List { statements, ..list!(search_end_of_audit(&end, SEARCHED_ROWS), details, page("")) });
        // The first event that any of these filters leaves, and the last.
        let (first, last) = (20_000 * fill::scale(), 100_000 * fill::scale());
        filter.up_to = Some(match filter.direction {
            Direction::Ascending => filter.after.unwrap_or_default().max(first) + i64::from(SEARCHED_ROWS),
            Direction::Descending => filter.after.unwrap_or(last) - i64::from(SEARCHED_ROWS),
        });
    }
    let AuditFilter {
        organization_id: _,
        action,
        actor,
        target_id,
        from: _,
        until: _,
        direction: _,
        after: _,
        up_to,
        limit: _,
    } = &filter;
    let narrowed = [
        action.as_ref().map(|_| "audit_events_action_idx"),
        actor.map(|_| "audit_events_actor_idx"),
        target_id.as_ref().map(|_| "audit_events_target_idx"),
    ];
    let mut indexes: Vec<&str> = narrowed.into_iter().flatten().collect();
    // One index serves the order, the times and one filter; what else is asked for is looked at event by event.
    let rows = if up_to.is_some() { SEARCHED } else { page("").rows };
    if indexes.is_empty() || up_to.is_some() {
        indexes.push("audit_events_pkey");
    }
    let statements = of_stretch(&filter, Found { indexes, rows, ..page("") });
    lists.push(List { statements, ..list!(list_audit(&filter), format!("{filter:?}"), page("")) });
    lists
}

/// What finds the places of a filter's times, and then `last`, which begins or ends at one of them.
fn of_stretch(filter: &AuditFilter, last: Found) -> Vec<Found> {
    let AuditFilter { from, until, direction, after, up_to, .. } = filter;
    // An index is read as well from either end.
    let (is_up, is_down) = match direction {
        Direction::Ascending => (after.is_some(), up_to.is_some()),
        Direction::Descending => (up_to.is_some(), after.is_some()),
    };
    let sought = match (from.is_some() || is_up, until.is_some() || is_down) {
        (true, _) => Some(["seq>", "seq >"]),
        (false, true) => Some(["seq<", "seq <"]),
        (false, false) => None,
    };
    let place = Found { sought: Some(["at>", "at >="]), is_alone: true, rows: 1, ..page("audit_events_at_idx") };
    let places = usize::from(from.is_some()) + usize::from(until.is_some());
    let mut statements = vec![place; places];
    statements.push(Found { sought, ..last });
    statements
}
