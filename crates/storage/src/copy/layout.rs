//! The tables of a copy: their columns, their order, and those that are not simply copied.

use crate::error::StoreError;
use std::collections::BTreeSet;

/// A table of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key, in its order: places in `columns`.
    pub(super) key: Vec<usize>,
    /// The other tables that it refers to.
    pub(super) refers_to: BTreeSet<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The type of a column, as both databases have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Uid,
    Bytes,
    Text,
    Moment,
    BigInt,
    Integer,
    SmallInt,
    Bool,
}

/// What becomes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its rows are copied.
    Copied,
    /// The clocks of the log: the target has all of them already, at zero.
    Clock,
    /// Kept up by triggers of the target as the rows arrive that they count; only compared.
    Counted,
    /// The nodes that run at this moment. A file has none.
    LeftOut,
}

impl Kind {
    /// By the name of PostgreSQL's type.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uid,
            "bytea" => Self::Bytes,
            "text" => Self::Text,
            "timestamp with time zone" => Self::Moment,
            "bigint" => Self::BigInt,
            "integer" => Self::Integer,
            "smallint" => Self::SmallInt,
            "boolean" => Self::Bool,
            _ => return None,
        })
    }
}

impl Table {
    pub(super) fn role(&self) -> Role {
        match self.name.as_str() {
            "revocation_clock" => Role::Clock,
            "organization_totals" | "project_totals" | "access_scope_totals" => Role::Counted,
            "nodes" => Role::LeftOut,
            _ => Role::Copied,
        }
    }

    /// The columns, for a statement of either database.
    pub(super) fn column_list(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        quoted.join(", ")
    }

    /// The columns of the key, each followed by `collation` where it is a text. In the order of their bytes, both databases agree.
    pub(super) fn key_list(&self, collation: &str) -> String {
        let shown = |at: &usize| {
            let column = &self.columns[*at];
            let collation = if column.kind == Kind::Text { collation } else { "" };
            format!("\"{}\"{collation}", column.name)
        };
        self.key.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// Puts tables behind those that they refer to.
pub(super) fn in_order(mut tables: Vec<Table>) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::new();
    while !tables.is_empty() {
        let is_ready = |table: &Table| {
            let is_there = |name: &String| *name == table.name || ordered.iter().any(|before| before.name == *name);
            table.refers_to.iter().all(is_there)
        };
        let (ready, rest): (Vec<Table>, Vec<Table>) = tables.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<&str> = rest.iter().map(|table| table.name.as_str()).collect();
            return Err(StoreError::Broken(format!("tables refer to each other in a circle: {}", names.join(", "))));
        }
        ordered.extend(ready);
        tables = rest;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, refers_to: &[&str]) -> Table {
        let refers_to = refers_to.iter().copied().map(str::to_owned).collect();
        Table { name: name.to_owned(), columns: Vec::new(), key: Vec::new(), refers_to }
    }

    #[test]
    fn a_table_comes_after_those_it_refers_to() {
        let tables = vec![table("a", &["c", "a"]), table("b", &["a", "c"]), table("c", &[])];
        let names: Vec<String> = in_order(tables).unwrap().into_iter().map(|table| table.name).collect();
        assert_eq!(names, ["c", "a", "b"]);
        let circle = vec![table("a", &["b"]), table("b", &["a"]), table("c", &[])];
        assert!(in_order(circle).unwrap_err().to_string().contains("a, b"));
    }
}
