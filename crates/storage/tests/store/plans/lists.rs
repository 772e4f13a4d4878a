//! The table: which lists there are, and what each of their statements must find where.
//!
//! Filters are taken apart field by field and matched variant by variant, so that one more does not compile until it
//! has a row here.

mod audit;
mod pages;
mod tokens;

use super::fill::{self, at, id};
use crate::run::Step;
use storage::Reads;
use storage::model::{ExecutionFilter, SEARCHED_ROWS};
use token_domain::execution::{BranchName, RepositoryName};
use token_domain::text::Slug;
use token_domain::usage::Hour;

/// A unit of reading.
pub(super) type Call = Box<dyn for<'c> FnOnce(&'c mut Reads) -> Step<'c, ()> + Send>;

/// A call of an operation, and what is to be found of each statement it sends.
pub(super) struct List {
    pub(super) operation: &'static str,
    pub(super) details: String,
    pub(super) call: Call,
    pub(super) statements: Vec<Found>,
}

/// The expected query plan of a statement.
#[derive(Clone)]
pub(super) struct Found {
    /// The statement uses one of these indexes, by PostgreSQL's names; a prefix stands for all names that begin with it.
    pub(super) indexes: Vec<&'static str>,
    /// The index condition besides the first columns, as the plans of SQLite and of PostgreSQL print it.
    pub(super) sought: Option<[&'static str; 2]>,
    /// The most rows that may be read.
    pub(super) rows: u64,
    pub(super) order: Order,
    /// Whether only the index is read.
    pub(super) is_alone: bool,
}

/// Where the order of a list comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Rows are read from the index in this order.
    Read,
    /// Rows are sorted after the read; there are never many.
    Made,
}

/// A page of a hundred, and what is joined to it.
const PAGE: u64 = 404;
/// All rows of a neighbour, which has a hundredth of the table.
const NEIGHBOUR: u64 = 1_010;
/// The rows that one step of a search reads, and the page it ends with.
const SEARCHED: u64 = SEARCHED_ROWS as u64 + PAGE;
/// How far back a search goes here, where every second has a row, or several.
fn searched_seconds() -> i64 {
    i64::from(SEARCHED_ROWS) / fill::scale()
}

const OLDER: Option<[&str; 2]> = Some(["(created_at,id)<", "ROW(created_at, id) <"]);

/// Read off this index, a page and no more.
fn page(index: &'static str) -> Found {
    Found { indexes: vec![index], sought: None, rows: PAGE, order: Order::Read, is_alone: false }
}

/// Read off this index from a place in the list.
fn from(index: &'static str, sought: Option<[&'static str; 2]>) -> Found {
    Found { sought, ..page(index) }
}

/// Found in this index and sorted: there are only as many as one person or thing has, and the list is not paged or
/// ordered by what is found elsewhere.
fn few(index: &'static str) -> Found {
    Found { order: Order::Made, ..page(index) }
}

macro_rules! list {
    ($operation:ident($($argument:expr),*), $details:expr, $($statement:expr),+) => {
        List {
            operation: stringify!($operation),
            details: $details.to_string(),
            call: Box::new(move |reads| Box::pin(async move { reads.$operation($($argument),*).await.map(drop) })),
            statements: vec![$($statement),+],
        }
    };
}

use list;

pub(super) fn all() -> Vec<List> {
    let mut all = vec![
        list!(organization_by_slug(&slug("o-500")), "", page("organizations_slug_key")),
        list!(
            list_organizations(Some(&slug("o-5")), 101),
            "",
            from("organizations_slug_key", Some(["slug>", "slug >"]))
        ),
        // A person's organisations are few, and ordered by what stands with the organisations.
        list!(organizations_of_user(id(fill::PERSON), None, 101), "", few("memberships_user_idx")),
        list!(organizations_of_user(id(fill::PERSON), Some(&slug("m")), 101), "after", few("memberships_user_idx")),
        list!(first_organization(id(fill::PERSON)), "", few("memberships_user_idx")),
        list!(
            share_organization(id(fill::PERSON), id(1_000_500)),
            "",
            Found { indexes: vec!["memberships_user_idx", "memberships_pkey"], ..page("") }
        ),
        list!(members_of_role(id(fill::LARGE), id(fill::ROLE), 129), "", few("memberships_role_idx")),
        list!(roles(id(fill::SMALL)), "", page("roles_name_key_key")),
        // A person's sessions are few: they end by themselves.
        list!(sessions_of_user(id(fill::PERSON), None, at(200_000), 101), "", few("sessions_user_idx")),
        list!(
            sessions_of_user(id(fill::PERSON), Some(id(fill::LARGE)), at(200_000), 101),
            "of one organisation",
            Found { indexes: vec!["sessions_membership_idx", "sessions_user_idx"], ..few("") }
        ),
        list!(
            session_uses(id(fill::PERSON), 1_000),
            "",
            Found { indexes: vec!["sessions_user_idx", "session_uses_pkey"], ..few("") }
        ),
        list!(origins_of(&[id(fill::middle())]), "", page("token_origins_pkey")),
        list!(scope_uses(id(fill::middle())), "", page("token_scope_uses_pkey")),
        list!(token_rules(id(1_000_500)), "", page("token_policies_pkey")),
        list!(
            token_usage(id(fill::middle()), hour(50_000), hour(50_100)),
            "",
            from("token_usage_pkey", Some(["hour>", "hour >="]))
        ),
        list!(
            organization_usage(id(fill::LARGE), hour(50_000), hour(50_100)),
            "",
            from("organization_usage_pkey", Some(["hour>", "hour >="]))
        ),
        list!(list_repositories(id(fill::LARGE), None, 101), "", page("repositories_name_key")),
        list!(
            list_repositories(id(fill::LARGE), Some(&repository("r-5")), 101),
            "after",
            from("repositories_name_key", Some(["name>", "name >"]))
        ),
        list!(
            published_coverage(&slug("large"), &repository("a"), Some(&branch("main"))),
            "of a branch",
            page("executions_branch_idx")
        ),
        list!(baseline_history(id(fill::REPOSITORY), None, 101), "", page("baselines_pkey")),
        list!(
            baseline_history(id(fill::REPOSITORY), Some(50_000), 101),
            "before",
            from("baselines_pkey", Some(["seq<", "seq <"]))
        ),
        // Of those that are named, at most 500 a statement.
        list!(keys_of_people(id(fill::LARGE), &[id(1_000_500), id(1_000_600)], 129), "", few("tokens_owner_user_idx")),
        list!(tokens_of_actors(&[id(500), id(600)], 129), "", few("tokens_actor_idx")),
        // However many there are, no more are looked at than are asked for.
        list!(
            keys_of_people(id(fill::LARGE), &[id(fill::PERSON)], 129),
            "of one with many",
            few("tokens_owner_user_idx")
        ),
        list!(tokens_of_actors(&[id(fill::ACTOR)], 129), "of one with many", few("tokens_actor_idx")),
        list!(tokens_by_actor(&[id(500), id(600)], 10_000), "", few("tokens_actor_idx")),
        list!(tokens_by_actor(&[id(fill::ACTOR)], 129), "of one with many", few("tokens_actor_idx")),
    ];
    for after in [None, Some((at(50_000), fill::middle()))] {
        let member = after.map(|(at, number)| (at, id(number)));
        let sought = after.and(Some(["(created_at,user_id)<", "ROW(created_at, user_id) <"]));
        let members = from("memberships_listing_idx", sought);
        all.push(list!(list_members(id(fill::LARGE), member, 101), after.map_or("", |_| "after"), members));

        let invitation = after.map(|(at, number)| (at, id(number)));
        let sought = after.and(OLDER);
        let invitations = from("invitations_listing_idx", sought);
        all.push(list!(list_invitations(id(fill::LARGE), invitation, 101), after.map_or("", |_| "after"), invitations));

        let after = after.map(|(at, number)| (at, id(number)));
        let filter = ExecutionFilter { repository_id: id(fill::REPOSITORY), after, limit: 101 };
        let ExecutionFilter { repository_id: _, after: _, limit: _ } = filter;
        let sought = after.and(OLDER);
        let executions = from("executions_listing_idx", sought);
        all.push(list!(list_executions(&filter), format!("{filter:?}"), executions));
    }
    all.extend(tokens::all());
    all.extend(audit::all());
    all.extend(pages::all());
    all
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn repository(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn branch(text: &str) -> BranchName {
    BranchName::parse(text).unwrap()
}

fn hour(number: i32) -> Hour {
    Hour::from_number(number).unwrap()
}
