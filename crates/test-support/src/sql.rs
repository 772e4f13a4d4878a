//! Plain SQL on either database, for statements that the store does not have.

use crate::database::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use std::fmt::Write as _;
use storage::DatabaseUrl;
use tokio_postgres::{Client, NoTls};

/// A raw connection.
pub enum Sql {
    /// To a file.
    Sqlite(Box<SqliteConnection>),
    /// To a database of a server.
    PostgreSql(Client),
}

diesel::define_sql_function! {
    /// The store's function, registered so that its statements can be planned; it is not evaluated here.
    fn fold_case(text: Nullable<Text>) -> Nullable<Text>;
}
diesel::define_sql_function! {
    /// The store's function.
    fn in_time() -> diesel::sql_types::Bool;
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    line: Option<String>,
}

impl Sql {
    /// Connects to the database of that address, on the current runtime.
    ///
    /// # Panics
    /// If it cannot be reached.
    pub async fn connect(url: &DatabaseUrl) -> Self {
        if let Some(path) = url.sqlite_path() {
            let mut connection =
                SqliteConnection::establish(path.to_str().expect("a path in UTF-8")).expect("the file");
            fold_case_utils::register_impl(&mut connection, |text: Option<String>| text).expect("the function");
            in_time_utils::register_nondeterministic_impl(&connection, || true).expect("the function");
            connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON").expect("the pragmas");
            Self::Sqlite(Box::new(connection))
        } else {
            let (client, connection) = tokio_postgres::connect(&url.to_string(), NoTls).await.expect("the server");
            tokio::spawn(connection);
            Self::PostgreSql(client)
        }
    }

    /// Runs statements.
    ///
    /// # Errors
    /// The violated constraint if the database names one, else its message.
    ///
    /// # Panics
    /// If the server goes away instead of answering.
    pub async fn run(&mut self, statements: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(statements).map_err(|error| error.to_string()),
            Self::PostgreSql(client) => client.batch_execute(statements).await.map_err(|error| {
                let error = error.as_db_error().expect("an answer of the server");
                error.constraint().unwrap_or(error.message()).to_owned()
            }),
        }
    }

    /// The one column, named `line`, of every row.
    ///
    /// # Panics
    /// If the query fails.
    pub async fn lines(&mut self, query: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let rows: Vec<Row> = diesel::sql_query(query).load(&mut **connection).expect(query);
                rows.into_iter().map(|row| row.line.unwrap_or_default()).collect()
            }
            Self::PostgreSql(client) => {
                let rows = client.query(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
                rows.into_iter().map(|row| row.get::<_, Option<String>>("line").unwrap_or_default()).collect()
            }
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

impl Sql {
    /// The database's query plan.
    ///
    /// # Panics
    /// If the query fails.
    pub async fn plan(&mut self, query: &str) -> String {
        let lines: Vec<String> = match self {
            Self::Sqlite(connection) => {
                let steps: Vec<Step> =
                    diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(&mut **connection).expect(query);
                steps.into_iter().map(|step| step.detail).collect()
            }
            Self::PostgreSql(client) => {
                let rows = client.query(&format!("EXPLAIN {query}"), &[]).await.expect(query);
                rows.into_iter().map(|row| row.get(0)).collect()
            }
        };
        lines.join("\n")
    }
}

/// Fills in literals: `{id:7}` an id, `{t:5}` a time, `{b:32}` 32 bytes, `{digest:3}` a digest, `{yes}` and `{no}`.
///
/// # Panics
/// On a marker it does not know.
pub fn literals(backend: Backend, template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, marked)) = rest.split_once('{') {
        let (marker, after) = marked.split_once('}').expect("a closing brace");
        text.push_str(before);
        let (kind, number) = marker.split_once(':').unwrap_or((marker, "0"));
        let number: u32 = number.parse().expect("a number");
        match (kind, backend) {
            ("id", Backend::Sqlite) => write!(text, "x'{number:032x}'"),
            ("id", Backend::PostgreSql) => write!(text, "'{number:032x}'::uuid"),
            ("t", Backend::Sqlite) => write!(text, "{number}000000"),
            ("t", Backend::PostgreSql) => write!(text, "to_timestamp({number})"),
            ("b", Backend::Sqlite) => write!(text, "zeroblob({number})"),
            ("b", Backend::PostgreSql) => write!(text, "decode(repeat('00', {number}), 'hex')"),
            ("digest", Backend::Sqlite) => write!(text, "x'{number:064x}'"),
            ("digest", Backend::PostgreSql) => write!(text, "decode('{number:064x}', 'hex')"),
            ("yes", Backend::Sqlite) => write!(text, "1"),
            ("yes", Backend::PostgreSql) => write!(text, "true"),
            ("no", Backend::Sqlite) => write!(text, "0"),
            ("no", Backend::PostgreSql) => write!(text, "false"),
            _ => panic!("{{{marker}}}"),
        }
        .expect("a String takes it");
        rest = after;
    }
    text + rest
}
