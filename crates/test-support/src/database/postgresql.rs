//! Databases on the PostgreSQL server of the test run, copied from a template that is migrated once.

use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::path::Path;
use storage::{DatabaseUrl, migrate};
use tokio_postgres::{Client, NoTls};

/// The variable with the server's URL, for a superuser that may create databases.
const SERVER: &str = "NOLAPSE_TEST_POSTGRES_URL";
/// The advisory lock for making the template.
const TEMPLATE_LOCK: i64 = 0x6e6c_705f_0000_7465;

/// A database of one test.
pub(super) struct Database {
    admin: Client,
    name: String,
}

impl Database {
    /// A copy of the migrated template.
    pub(super) async fn create() -> Self {
        let admin = connect(&server()).await;
        let template = template(&admin).await;
        let name = unique("nolapse_test");
        execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { admin, name }
    }

    /// Creates a database without tables.
    pub(super) async fn create_empty() -> Self {
        let admin = connect(&server()).await;
        let name = unique("nolapse_test");
        execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { admin, name }
    }

    pub(super) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&url_of(&self.name)).expect("a URL")
    }

    /// Drops the database, even with connections still open.
    pub(super) async fn remove(self) {
        execute(&self.admin, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// Makes the template if it is missing, and returns its name. The name changes with the migrations, so that a server
/// can be used across versions.
async fn template(admin: &Client) -> String {
    let name = format!("nolapse_template_{:016x}", fingerprint());
    let exists = |rows: Vec<tokio_postgres::Row>| !rows.is_empty();
    let query = "SELECT 1 FROM pg_database WHERE datname = $1";
    if exists(admin.query(query, &[&name]).await.expect("the list of databases")) {
        return name;
    }
    admin.query("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.expect("the template's lock");
    if !exists(admin.query(query, &[&name]).await.expect("the list of databases")) {
        let unfinished = unique("nolapse_unfinished");
        execute(admin, &format!("CREATE DATABASE {unfinished} TEMPLATE template0")).await;
        let url = DatabaseUrl::parse(&url_of(&unfinished)).expect("a URL");
        migrate::up(&url).expect("the migrations");
        // The finished template appears under its name at once, or not at all.
        execute(admin, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    admin.query("SELECT pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await.expect("the template's lock");
    name
}

fn fingerprint() -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgresql");
    let mut migrations: Vec<_> =
        std::fs::read_dir(&folder).expect("the migrations").map(|entry| entry.expect("a migration").path()).collect();
    migrations.sort();
    // The same in every process: `DefaultHasher::new` has no random key.
    let mut hasher = DefaultHasher::new();
    for migration in migrations {
        migration.file_name().hash(&mut hasher);
        std::fs::read(migration.join("up.sql")).expect("up.sql").hash(&mut hasher);
    }
    hasher.finish()
}

fn unique(prefix: &str) -> String {
    format!("{prefix}_{}_{:016x}", std::process::id(), RandomState::new().hash_one(prefix))
}

fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("no PostgreSQL to test with: run through `cargo xtask test`, or set {SERVER} to a superuser's URL")
    })
}

/// The server's URL with another database.
fn url_of(name: &str) -> String {
    let server = server();
    let (address, query) = server.split_once('?').map_or((server.as_str(), None), |(a, q)| (a, Some(q)));
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let authority = address[host_at..].find('/').map_or(address, |slash| &address[..host_at + slash]);
    query.map_or_else(|| format!("{authority}/{name}"), |query| format!("{authority}/{name}?{query}"))
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|error| {
        panic!("PostgreSQL of {SERVER} cannot be reached: {error}");
    });
    tokio::spawn(connection);
    client
}

async fn execute(client: &Client, statement: &str) {
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
