//! The order of a list as SQL, the same on both databases.

use super::dialect::BYTEWISE;
use crate::error::StoreError;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Bool;
use token_domain::access::{Direction, OrderBy, OrderField};

/// `ORDER BY` for a table that has `created_at`, `updated_at`, `id` and these columns for slug and name. Text is compared
/// byte by byte, and what has no name comes last when names ascend: databases differ in both by themselves.
pub(super) fn order(by: OrderBy, table: &str, slug: &str, name: &str) -> SqlLiteral<Bool> {
    let direction = match by.direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    let text =
        |column: &str| format!("{table}.{column} IS NULL {direction}, {table}.{column} COLLATE {BYTEWISE} {direction}");
    let first = match by.field {
        OrderField::Slug => text(slug),
        OrderField::Name => text(name),
        OrderField::CreatedAt => format!("{table}.created_at {direction}"),
        OrderField::UpdatedAt => format!("{table}.updated_at {direction}"),
    };
    sql(&format!("{first}, {table}.id {direction}"))
}

/// "This column contains the text", without regard to ASCII case and without wildcards.
macro_rules! contains {
    ($column:literal, $text:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(&super::dialect::contains($column))
            .bind::<diesel::sql_types::Text, _>($text.to_ascii_lowercase())
            .sql(") > 0")
    };
}

/// A count as the database gives it.
pub(super) fn total(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::Broken("a negative count".to_owned()))
}

pub(super) use contains;
