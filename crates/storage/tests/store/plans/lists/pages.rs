//! Lists by page, in every order from either end, and searched.
//!
//! The page is the one in the middle, as far as any is from its nearer end. What is before it is walked over in the index
//! alone; a search looks at all that is in the parent, and at nothing of its neighbours.

use super::{Found, List, NEIGHBOUR, few, list, page};
use crate::plans::fill::{self, id};
use storage::model::{ActorFilter, Listing, ScopedTo};
use token_domain::access::{Direction, OrderBy, OrderField, Paging};

/// Half of the longest lists.
fn half() -> u64 {
    fill::rows() / 2 + 10
}

/// The page of ten in the middle of them.
fn middle_page() -> String {
    (fill::rows() / 20 - 1).to_string()
}

/// And of an eighth of one.
fn middle_page_of_eighth() -> String {
    (fill::rows() / 160 - 25).to_string()
}

pub(super) fn all() -> Vec<List> {
    let mut all = Vec::new();
    for field in [OrderField::Slug, OrderField::Name, OrderField::CreatedAt, OrderField::UpdatedAt] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = OrderBy { field, direction };
            all.push(projects(order));
            all.push(access_scopes(order));
            for scoped_to in [ScopedTo::Anything, ScopedTo::Nothing, ScopedTo::This(id(fill::SCOPE))] {
                all.push(actors(order, scoped_to));
            }
            all.extend(searches(order));
        }
    }
    let scopes = [id(fill::SCOPE), id(1_000_500)];
    all.push(list!(actor_counts(id(fill::PROJECT), &scopes), "", page("access_scope_totals_pkey")));
    all.push(list!(places_of_actors(id(fill::PROJECT), &[id(500), id(600)]), "", page("actors_pkey")));
    let of_scope = Found { indexes: vec!["actors_access_scope_"], ..page("") };
    all.push(list!(actor_ids(id(fill::PROJECT), id(fill::SCOPE), 129), "some of them", of_scope));
    all
}

fn listing(order: OrderBy, number: &str, search: Option<&str>) -> Listing {
    let listing =
        Listing { order, paging: Paging::parse(Some(number), Some("10")).unwrap(), search: search.map(str::to_owned) };
    let Listing { order: _, paging: _, search: _ } = &listing;
    listing
}

/// The ids of a page, walked to in this index alone.
fn ids(index: &'static str) -> Found {
    Found { rows: half(), is_alone: true, ..page(index) }
}

fn projects(order: OrderBy) -> List {
    let listing = listing(order, &middle_page(), None);
    let index = match order.field {
        OrderField::Slug => "projects_slug_key",
        OrderField::Name => "projects_name_idx",
        OrderField::CreatedAt => "projects_created_idx",
        OrderField::UpdatedAt => "projects_updated_idx",
    };
    list!(
        list_projects(id(fill::LARGE), &listing),
        format!("{listing:?}"),
        page("organization_totals_pkey"),
        ids(index),
        page("projects_pkey")
    )
}

fn access_scopes(order: OrderBy) -> List {
    let listing = listing(order, &middle_page(), None);
    let index = match order.field {
        OrderField::Slug => "access_scopes_slug_key",
        OrderField::Name => "access_scopes_name_idx",
        OrderField::CreatedAt => "access_scopes_created_idx",
        OrderField::UpdatedAt => "access_scopes_updated_idx",
    };
    list!(
        list_access_scopes(id(fill::PROJECT), &listing),
        format!("{listing:?}"),
        page("project_totals_pkey"),
        ids(index),
        page("access_scopes_pkey")
    )
}

/// Actors have no slug; their name stands in.
fn actors(order: OrderBy, scoped_to: ScopedTo) -> List {
    let filter = ActorFilter { project_id: id(fill::PROJECT), scoped_to };
    let ActorFilter { project_id: _, scoped_to: _ } = filter;
    let (number, total, indexes) = match scoped_to {
        ScopedTo::Anything => (
            middle_page(),
            "project_totals_pkey",
            match order.field {
                OrderField::Slug | OrderField::Name => vec!["actors_project_name_idx"],
                OrderField::CreatedAt => vec!["actors_project_created_idx"],
                OrderField::UpdatedAt => vec!["actors_project_updated_idx"],
            },
        ),
        ScopedTo::Nothing => (
            middle_page_of_eighth(),
            "project_totals_pkey",
            match order.field {
                OrderField::Slug | OrderField::Name => vec!["actors_unscoped_name_idx"],
                // SQLite finds the rows of no access scope in the index of those that have one, in the same order.
                OrderField::CreatedAt => vec!["actors_unscoped_created_idx", "actors_access_scope_idx"],
                OrderField::UpdatedAt => vec!["actors_unscoped_updated_idx"],
            },
        ),
        ScopedTo::This(_) => (
            middle_page_of_eighth(),
            "access_scope_totals_pkey",
            match order.field {
                OrderField::Slug | OrderField::Name => vec!["actors_access_scope_name_idx"],
                OrderField::CreatedAt => vec!["actors_access_scope_idx"],
                OrderField::UpdatedAt => vec!["actors_access_scope_updated_idx"],
            },
        ),
    };
    let listing = listing(order, &number, None);
    list!(
        list_actors(&filter, &listing),
        format!("{scoped_to:?} {listing:?}"),
        page(total),
        Found { indexes, ..ids("") },
        page("actors_pkey"),
        few("tokens_actor_idx")
    )
}

/// Counted, then walked to: no index finds parts of names.
fn searches(order: OrderBy) -> Vec<List> {
    let within = |indexes| Found { indexes: vec![indexes], rows: NEIGHBOUR, ..page("") };
    let listing = || listing(order, "2", Some("7"));
    let details = format!("{:?}", listing());
    let (of_projects, of_scopes) = (listing(), listing());
    let mut all = vec![
        list!(
            list_projects(id(fill::SMALL), &of_projects),
            details,
            within("projects_"),
            within("projects_"),
            page("projects_pkey")
        ),
        list!(
            list_access_scopes(id(fill::SMALL_PROJECT), &of_scopes),
            details,
            within("access_scopes_"),
            within("access_scopes_"),
            page("access_scopes_pkey")
        ),
    ];
    for scoped_to in [ScopedTo::Anything, ScopedTo::Nothing, ScopedTo::This(id(fill::SMALL_SCOPE))] {
        let filter = ActorFilter { project_id: id(fill::SMALL_PROJECT), scoped_to };
        let of_actors = listing();
        all.push(list!(
            list_actors(&filter, &of_actors),
            format!("{scoped_to:?} {of_actors:?}"),
            within("actors_"),
            within("actors_"),
            page("actors_pkey"),
            few("tokens_actor_idx")
        ));
    }
    all
}
