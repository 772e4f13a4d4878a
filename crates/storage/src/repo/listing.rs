//! Lists by page: their order as SQL, the same on both databases, and the nearer end to read a page from.
//!
//! A page is read in two steps. The first finds the ids on it and touches nothing but the index of the order, because all
//! entries before the page are walked over; the second fetches these rows.

use super::dialect::BYTEWISE;
use crate::error::StoreError;
use crate::model::Listing;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Bool;
use std::collections::HashMap;
use std::hash::Hash;
use token_domain::access::{Direction, OrderBy, OrderField};

/// What lists of a table are ordered by, besides `created_at` and `updated_at`.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) table: &'static str,
    /// Unique in the list; without one the name stands in.
    pub(super) slug: Option<&'static str>,
    pub(super) name: &'static str,
}

/// The stretch of a list that a page is, read from whichever end is nearer: no page costs more than the one in the middle,
/// and one past the end costs nothing, however far past.
pub(super) struct Window {
    pub(super) offset: i64,
    /// How many entries the page has; none for a page past the end.
    pub(super) limit: i64,
    by: OrderBy,
    is_reversed: bool,
}

impl Window {
    /// The page of a list with `total` entries.
    pub(super) fn new(listing: &Listing, total: u64) -> Self {
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        let before = listing.paging.offset();
        let limit = (total - before).clamp(0, i64::from(listing.paging.limit()));
        let behind = total - before - limit;
        let OrderBy { field, direction } = listing.order;
        if behind >= before {
            return Self { offset: before, limit, by: listing.order, is_reversed: false };
        }
        let direction = match direction {
            Direction::Ascending => Direction::Descending,
            Direction::Descending => Direction::Ascending,
        };
        Self { offset: behind.max(0), limit, by: OrderBy { field, direction }, is_reversed: true }
    }

    /// `ORDER BY` of the stretch. Text is compared byte by byte, and what has no name comes last when names ascend:
    /// databases differ in both by themselves. There is an index for each of these orders.
    pub(super) fn order(&self, columns: Columns) -> SqlLiteral<Bool> {
        let Columns { table, slug, name } = columns;
        let (direction, nothing) = match self.by.direction {
            Direction::Ascending => ("ASC", "LAST"),
            Direction::Descending => ("DESC", "FIRST"),
        };
        let then_id = format!("{table}.id {direction}");
        sql(&match (self.by.field, slug) {
            (OrderField::Slug, Some(slug)) => format!("{table}.{slug} COLLATE {BYTEWISE} {direction}"),
            (OrderField::Slug, None) | (OrderField::Name, _) => {
                format!("{table}.{name} COLLATE {BYTEWISE} {direction} NULLS {nothing}, {then_id}")
            }
            (OrderField::CreatedAt, _) => format!("{table}.created_at {direction}, {then_id}"),
            (OrderField::UpdatedAt, _) => format!("{table}.updated_at {direction}, {then_id}"),
        })
    }

    /// The rows fetched, each found by its id, in the order asked for. `ids` are in the order they were read in; one whose
    /// row is gone since then is left out.
    pub(super) fn arrange<Id: Eq + Hash, Row>(
        &self,
        mut ids: Vec<Id>,
        rows: Vec<Row>,
        id: impl Fn(&Row) -> Id,
    ) -> Vec<Row> {
        if self.is_reversed {
            ids.reverse();
        }
        let mut rows: HashMap<Id, Row> = rows.into_iter().map(|row| (id(&row), row)).collect();
        ids.iter().filter_map(|id| rows.remove(id)).collect()
    }
}

/// The rows of a page: their ids walked in the index of the order, then the rows of these ids alone. `$listed` are the
/// entries of the list, `$columns` what they are ordered by.
macro_rules! rows_of {
    ($conn:expr, $window:expr, $columns:expr, $listed:expr, $table:ident, $row:ty, $id:ty) => {{
        let ids: Vec<$id> = $listed
            .order($window.order($columns))
            .limit($window.limit)
            .offset($window.offset)
            .select($table::id)
            .load($conn)
            .await?;
        let rows: Vec<$row> = $table::table
            .filter($table::id.eq_any(ids.iter().map(|id| id.bind())))
            .select(<$row>::as_select())
            .load($conn)
            .await?;
        $window.arrange(ids, rows, |row| row.id)
    }};
}

/// A count as the database gives it.
pub(super) fn total(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::Broken("a negative count".to_owned()))
}

pub(super) use rows_of;

#[cfg(test)]
mod tests {
    use super::*;
    use token_domain::access::Paging;

    #[test]
    fn a_page_is_read_from_the_nearer_end() {
        for (page, limit, total, expected) in [
            (1, 10, 0, (0, 0, false)),
            (1, 10, 5, (0, 5, false)),
            (1, 10, 100, (0, 10, false)),
            (5, 10, 100, (40, 10, false)),
            (6, 10, 100, (40, 10, true)),
            (10, 10, 100, (0, 10, true)),
            (10, 10, 95, (0, 5, true)),
            (11, 10, 100, (0, 0, true)),
            (Paging::LAST_PAGE, 100, 100_000, (0, 0, true)),
            (1_000, 100, 100_000, (0, 100, true)),
            (1_000, 10, 100_000, (9_990, 10, false)),
        ] {
            let paging = Paging::parse(Some(&page.to_string()), Some(&limit.to_string())).unwrap();
            let listing = Listing { order: OrderBy::default(), paging, search: None };
            let window = Window::new(&listing, total);
            let found = (window.offset, window.limit, window.is_reversed);
            assert_eq!(found, expected, "page {page} of {limit} in {total}");
            assert_eq!(window.by == listing.order, !window.is_reversed);
        }
    }

    #[test]
    fn rows_come_in_the_order_of_their_ids() {
        let listing = |page| Listing {
            order: OrderBy::default(),
            paging: Paging::parse(Some(page), Some("3")).unwrap(),
            search: None,
        };
        // Rows come in any order, and one was removed since its id was read.
        for (page, expected) in [("1", vec!["7a", "5b"]), ("2", vec!["5b", "7a"])] {
            let window = Window::new(&listing(page), 6);
            let rows = window.arrange(vec!['a', 'x', 'b'], vec!["5b", "7a"], |row| row.chars().last().unwrap());
            assert_eq!(rows, expected, "page {page}");
        }
    }
}
