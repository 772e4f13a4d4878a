//! The PostgreSQL side of a copy: one transaction, in which tables are filled and read back.

use super::layout::{Column, Kind, Role, Table, in_order};
use super::source::Source;
use crate::backend::postgresql::connect_for_copy;
use crate::error::{OutageKind, StoreError};
use crate::nodes::TAKING_BACK;
use crate::url::Server;
use futures::{SinkExt as _, StreamExt as _};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::pin::{Pin, pin};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, CopyInSink, CopyOutStream, Row};

/// How many bytes of rows are sent at once.
const PIECE: usize = 256 * 1024;
/// How many rows one statement brings. The server notes every row that it has to check at the end of a statement.
const STATEMENT_ROWS: u64 = 50_000;
/// How each stream of a binary `COPY` begins: the signature, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// How it ends.
const TAIL: [u8; 2] = (-1_i16).to_be_bytes();

/// An open `COPY` into a table.
type Sink = Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>;

/// A transaction on the target.
pub(super) struct Target {
    runtime: Runtime,
    client: Client,
    /// Of constraints by which a table refers to itself: its name and theirs.
    own_references: Vec<(String, String)>,
}

impl Target {
    /// Connects, and keeps nodes from registering until the end.
    pub(super) fn begin(server: &Server) -> Result<Self, StoreError> {
        let built = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = built.map_err(|error| StoreError::Broken(format!("no runtime for the copy: {error}")))?;
        let client = runtime.block_on(connect_for_copy(server))?;
        let target = Self { runtime, client, own_references: Vec::new() };
        // A node that registers meanwhile waits for this lock, and for no longer than for others.
        target.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({TAKING_BACK})"))?;
        Ok(target)
    }

    fn run(&self, statements: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.client.batch_execute(statements)).map_err(|error| failed(&error))
    }

    fn ask(&self, question: &str) -> Result<Vec<Row>, StoreError> {
        self.runtime.block_on(self.client.query(question, &[])).map_err(|error| failed(&error))
    }

    /// The tables, each behind those that it refers to.
    pub(super) fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let mut tables: Vec<Table> = Vec::new();
        let columns = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), \
                       array_position(i.indkey::smallint[], a.attnum) \
                       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
                       WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> '__diesel_schema_migrations' \
                       ORDER BY c.relname, a.attnum";
        let mut keys: Vec<Vec<(i32, usize)>> = Vec::new();
        for row in self.ask(columns)? {
            let (table, name, of_type): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            if tables.last().is_none_or(|last| last.name != table) {
                tables.push(Table {
                    name: table.clone(),
                    columns: Vec::new(),
                    key: Vec::new(),
                    refers_to: BTreeSet::new(),
                });
                keys.push(Vec::new());
            }
            let kind = Kind::of(&of_type).ok_or_else(|| {
                StoreError::Broken(format!("{table}.{name} is of a type that is not copied: {of_type}"))
            })?;
            if let (Some(table), Some(key)) = (tables.last_mut(), keys.last_mut()) {
                key.extend(row.get::<_, Option<i32>>(3).map(|place| (place, table.columns.len())));
                table.columns.push(Column { name, kind });
            }
        }
        for (table, mut key) in tables.iter_mut().zip(keys) {
            key.sort_unstable();
            table.key = key.into_iter().map(|(_, column)| column).collect();
            if table.key.is_empty() {
                return Err(StoreError::Broken(format!("{} has no primary key", table.name)));
            }
        }
        let references = "SELECT r.conname::text, c.relname::text, t.relname::text FROM pg_constraint r \
                          JOIN pg_class c ON c.oid = r.conrelid JOIN pg_class t ON t.oid = r.confrelid \
                          JOIN pg_namespace n ON n.oid = c.relnamespace \
                          WHERE r.contype = 'f' AND n.nspname = current_schema()";
        for row in self.ask(references)? {
            let (constraint, from, to): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            if from == to {
                self.own_references.push((from, constraint));
            } else if let Some(table) = tables.iter_mut().find(|table| table.name == from) {
                table.refers_to.insert(to);
            }
        }
        in_order(tables)
    }

    /// Refuses a database that has something in it; then makes it ready to be filled.
    pub(super) fn check_empty(&self, tables: &[Table]) -> Result<(), StoreError> {
        let mut filled = Vec::new();
        for table in tables {
            let rows = match table.role() {
                Role::Clock => " WHERE n > 0",
                Role::Copied | Role::Counted | Role::LeftOut => "",
            };
            let question = format!("SELECT EXISTS (SELECT 1 FROM \"{}\"{rows})", table.name);
            if self.ask(&question)?.first().is_some_and(|row| row.get(0)) {
                filled.push(table.name.as_str());
            }
        }
        if !filled.is_empty() {
            let filled = filled.join(", ");
            return Err(StoreError::Broken(format!(
                "the database to copy to is not empty ({filled}): create another one, or drop and create this one, and copy before \
                 any server has used it"
            )));
        }
        // The successor of a token comes after it, and the other way round.
        for (table, constraint) in &self.own_references {
            self.run(&format!(
                "ALTER TABLE \"{table}\" ALTER CONSTRAINT \"{constraint}\" DEFERRABLE INITIALLY DEFERRED"
            ))?;
        }
        self.run("DELETE FROM revocation_clock")
    }

    /// Copies a table; `tell` gets the number of rows after each statement.
    pub(super) fn fill(&self, table: &Table, source: &mut Source, mut tell: impl FnMut(u64)) -> Result<(), StoreError> {
        let statement = format!("COPY \"{}\" ({}) FROM STDIN (FORMAT binary)", table.name, table.column_list());
        let mut piece = HEAD.to_vec();
        let mut sink: Option<Sink> = None;
        let mut count = 0_u64;
        let failed = |error: tokio_postgres::Error| failed_with(&table.name, &error);
        let rows = source.rows(table, |row| {
            let open = match sink.take() {
                Some(open) => open,
                None => Box::pin(self.runtime.block_on(self.client.copy_in(&statement)).map_err(failed)?),
            };
            let open = sink.insert(open);
            piece.extend_from_slice(row);
            count += 1;
            let is_full = count.is_multiple_of(STATEMENT_ROWS);
            if piece.len() >= PIECE || is_full {
                if is_full {
                    piece.extend(TAIL);
                }
                let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
                self.runtime.block_on(open.send(Cursor::new(full))).map_err(failed)?;
            }
            if is_full && let Some(mut done) = sink.take() {
                self.runtime.block_on(done.as_mut().finish()).map_err(failed)?;
                piece.extend_from_slice(HEAD);
                tell(count);
            }
            Ok(())
        })?;
        if let Some(mut open) = sink {
            piece.extend(TAIL);
            self.runtime.block_on(open.send(Cursor::new(piece))).map_err(failed)?;
            self.runtime.block_on(open.as_mut().finish()).map_err(failed)?;
        }
        tell(rows);
        Ok(())
    }

    /// Checks what was put off, and puts nothing off any more.
    pub(super) fn check_references(&self) -> Result<(), StoreError> {
        self.run("SET CONSTRAINTS ALL IMMEDIATE")?;
        for (table, constraint) in &self.own_references {
            self.run(&format!("ALTER TABLE \"{table}\" ALTER CONSTRAINT \"{constraint}\" NOT DEFERRABLE"))?;
        }
        Ok(())
    }

    /// Reads a table back, and compares it with the source byte by byte; how many rows it has.
    pub(super) fn compare(&self, table: &Table, source: &mut Source) -> Result<u64, StoreError> {
        let statement = format!(
            "COPY (SELECT {} FROM \"{}\" ORDER BY {}) TO STDOUT (FORMAT binary)",
            table.column_list(),
            table.name,
            table.key_list(" COLLATE \"C\"")
        );
        let copied = self.runtime.block_on(self.client.copy_out(&statement));
        let mut copied = ReadBack::new(copied.map_err(|error| failed_with(&table.name, &error))?);
        let different = |row: u64| {
            StoreError::Inconsistent(format!("row {row} of {} is not the same in both databases", table.name))
        };
        if !self.runtime.block_on(copied.begins_with(HEAD))? {
            return Err(different(0));
        }
        let mut count = 0;
        let rows = source.rows(table, |row| {
            count += 1;
            if self.runtime.block_on(copied.begins_with(row))? { Ok(()) } else { Err(different(count)) }
        })?;
        if !self.runtime.block_on(copied.begins_with(&TAIL))? {
            return Err(different(rows + 1));
        }
        Ok(rows)
    }

    /// Makes the copy last.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        // All clocks that nodes expect; those of the source were compared before.
        self.run(
            "INSERT INTO revocation_clock (shard, n) SELECT shard, 0 FROM generate_series(0, 63) AS shards (shard) \
             ON CONFLICT (shard) DO NOTHING",
        )?;
        // Plans for tables whose sizes are unknown would be bad ones until autovacuum comes by.
        self.run("ANALYZE; COMMIT")
    }
}

/// The bytes of a table, as they arrive.
struct ReadBack {
    stream: Pin<Box<CopyOutStream>>,
    bytes: Vec<u8>,
    /// How many of `bytes` were compared.
    used: usize,
}

impl ReadBack {
    fn new(stream: CopyOutStream) -> Self {
        Self { stream: Box::pin(stream), bytes: Vec::new(), used: 0 }
    }

    /// Whether these bytes come next. They count as read.
    async fn begins_with(&mut self, expected: &[u8]) -> Result<bool, StoreError> {
        while self.bytes.len() - self.used < expected.len() {
            if self.used > PIECE {
                self.bytes.drain(..self.used);
                self.used = 0;
            }
            match pin!(self.stream.next()).await {
                Some(more) => self.bytes.extend_from_slice(&more.map_err(|error| failed(&error))?),
                None => return Ok(false),
            }
        }
        let next = self.used + expected.len();
        let is_equal = self.bytes[self.used..next] == *expected;
        self.used = next;
        Ok(is_equal)
    }
}

fn failed_with(table: &str, error: &tokio_postgres::Error) -> StoreError {
    match failed(error) {
        StoreError::Broken(what) => StoreError::Broken(format!("{table}: {what}")),
        other => other,
    }
}

/// What the server says, with where it says that it is.
fn failed(error: &tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(said) => {
            let place = said.where_().map(|place| format!(" ({place})")).unwrap_or_default();
            StoreError::Broken(format!("PostgreSQL: {}{place}", said.message()))
        }
        None => StoreError::outage(OutageKind::Lost, format!("PostgreSQL: {error}")),
    }
}
