//! Reading an SQLite database row by row, each in PostgreSQL's binary form.

use super::layout::{Kind, Table};
use crate::error::StoreError;
use crate::sql_types::POSTGRES_EPOCH;
use diesel::connection::{LoadConnection, SimpleConnection as _};
use diesel::deserialize::{self, FromSql};
use diesel::row::{Field as _, Row as _};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection};
use std::collections::BTreeSet;

/// An SQLite database as it was when this began.
pub(super) struct Source(SqliteConnection);

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Source {
    pub(super) fn begin(mut connection: SqliteConnection) -> Result<Self, StoreError> {
        connection.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA query_only = ON; BEGIN")?;
        Ok(Self(connection))
    }

    /// Refuses a database whose tables and columns are not those of the target.
    pub(super) fn check_columns(&mut self, tables: &[Table]) -> Result<(), StoreError> {
        let question = "SELECT m.name || '.' || c.name AS line FROM sqlite_schema m, pragma_table_info(m.name) c \
                        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                        AND m.name <> '__diesel_schema_migrations'";
        let found: Vec<Line> = diesel::sql_query(question).load(&mut self.0)?;
        let found: BTreeSet<String> = found.into_iter().map(|line| line.line).collect();
        let columns = |table: &Table| {
            let name = table.name.clone();
            table.columns.iter().map(move |column| format!("{name}.{}", column.name)).collect::<Vec<_>>()
        };
        let wanted: BTreeSet<String> = tables.iter().flat_map(columns).collect();
        let different: Vec<&str> = found.symmetric_difference(&wanted).map(String::as_str).collect();
        if different.is_empty() {
            return Ok(());
        }
        Err(StoreError::Broken(format!("only one of the two databases has {}", different.join(", "))))
    }

    /// Hands on each row of a table, in the order of its key.
    pub(super) fn rows(
        &mut self,
        table: &Table,
        mut take: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let question = format!(
            "SELECT {} FROM \"{}\" ORDER BY {}",
            table.column_list(),
            table.name,
            table.key_list(" COLLATE BINARY")
        );
        let (mut count, mut bytes) = (0, Vec::new());
        for row in LoadConnection::load(&mut self.0, diesel::sql_query(question))? {
            let row = row?;
            bytes.clear();
            bytes.extend(u16::try_from(table.columns.len()).unwrap_or_default().to_be_bytes());
            for (at, column) in table.columns.iter().enumerate() {
                let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
                    StoreError::Inconsistent(format!("{}.{}, row {}: {error}", table.name, column.name, count + 1))
                };
                let field = row.get(at).ok_or_else(|| unreadable("a column is missing".into()))?;
                write(&mut bytes, column.kind, field.value()).map_err(unreadable)?;
            }
            take(&bytes)?;
            count += 1;
        }
        Ok(count)
    }
}

/// Writes one value as PostgreSQL expects it in a binary `COPY`: its length, then its bytes.
fn write(bytes: &mut Vec<u8>, kind: Kind, value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<()> {
    let Some(mut value) = value.filter(|value| value.value_type().is_some()) else {
        bytes.extend((-1_i32).to_be_bytes());
        return Ok(());
    };
    let mut put = |value: &[u8]| -> deserialize::Result<()> {
        bytes.extend(i32::try_from(value.len())?.to_be_bytes());
        bytes.extend(value);
        Ok(())
    };
    match kind {
        Kind::Uid | Kind::Bytes => put(value.read_blob()),
        Kind::Text => put(<String as FromSql<Text, Sqlite>>::from_sql(value)?.as_bytes()),
        Kind::Moment => {
            let micros = integer(value)?.checked_sub(POSTGRES_EPOCH).ok_or("a moment too early for PostgreSQL")?;
            put(&micros.to_be_bytes())
        }
        Kind::BigInt => put(&integer(value)?.to_be_bytes()),
        Kind::Integer => put(&i32::try_from(integer(value)?)?.to_be_bytes()),
        Kind::SmallInt => put(&i16::try_from(integer(value)?)?.to_be_bytes()),
        Kind::Bool => put(&[u8::from(integer(value)? != 0)]),
    }
}

fn integer(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<i64> {
    <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)
}
