//! A separate database for each test: a file in a temporary folder, or a new database on the PostgreSQL server in
//! `NOLAPSE_TEST_POSTGRES_URL`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use test_support::Backend;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

const POSTGRES_URL: &str = "NOLAPSE_TEST_POSTGRES_URL";

/// An empty database, removed when dropped.
pub(crate) struct Database {
    folder: TempDir,
    kind: Kind,
}

enum Kind {
    Sqlite,
    PostgreSql { server: url::Url, name: String },
}

impl Database {
    /// Creates an empty database.
    pub(crate) fn new(backend: Backend) -> Self {
        let folder = tempfile::Builder::new().prefix("nolapse-it-").tempdir().unwrap();
        let kind = match backend {
            Backend::Sqlite => Kind::Sqlite,
            Backend::PostgreSql => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let name = format!("it_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                let server = server();
                administer(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
                administer(&server, &format!("CREATE DATABASE {name} TEMPLATE template0"));
                Kind::PostgreSql { server, name }
            }
        };
        Self { folder, kind }
    }

    /// Its URL for the program.
    pub(crate) fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite://{}", self.file().display()),
            Kind::PostgreSql { server, name } => at(server, name).to_string(),
        }
    }

    /// Its URL through a local proxy at this port. PostgreSQL only.
    pub(crate) fn url_through(&self, port: u16) -> String {
        let mut url: url::Url = self.url().parse().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        url.to_string()
    }

    /// The host and port of the PostgreSQL server.
    pub(crate) fn server_address(&self) -> (String, u16) {
        match &self.kind {
            Kind::Sqlite => panic!("SQLite has no server"),
            Kind::PostgreSql { server, .. } => (server.host_str().unwrap().to_owned(), server.port().unwrap_or(5432)),
        }
    }

    /// A folder for files of the deployment.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("nolapse.db")
    }

    /// Runs statements on the database directly. PostgreSQL only.
    pub(crate) fn run(&self, statements: &str) {
        let url: url::Url = self.url().parse().unwrap();
        administer(&url, statements);
    }

    /// The whole content of the database, for searches: SQLite's files, or all rows of all PostgreSQL tables as text.
    pub(crate) fn dump(&self) -> Vec<u8> {
        match &self.kind {
            Kind::Sqlite => {
                let mut all = Vec::new();
                for suffix in ["", "-wal", "-shm", ".lock"] {
                    let mut name = self.file().into_os_string();
                    name.push(suffix);
                    match std::fs::read(&name) {
                        Ok(bytes) => all.extend(bytes),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !suffix.is_empty() => {}
                        Err(error) => panic!("{}: {error}", name.display()),
                    }
                }
                all
            }
            Kind::PostgreSql { server, name } => {
                let url = at(server, name);
                on_server(&url, async |client: &Client| {
                    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
                    let mut all = String::new();
                    for row in client.query(tables, &[]).await.unwrap() {
                        let table: String = row.get(0);
                        for row in client.query(&format!("SELECT t::text FROM \"{table}\" t"), &[]).await.unwrap() {
                            all.push_str(row.get(0));
                            all.push('\n');
                        }
                    }
                    all.into_bytes()
                })
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::PostgreSql { server, name } = &self.kind {
            administer(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn server() -> url::Url {
    let url = std::env::var(POSTGRES_URL).unwrap_or_else(|_| {
        panic!("{POSTGRES_URL} is not set: run `cargo xtask test -p api`, which starts a PostgreSQL server")
    });
    url.parse().unwrap_or_else(|error| panic!("{POSTGRES_URL}: {error}"))
}

fn at(server: &url::Url, name: &str) -> url::Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

fn administer(server: &url::Url, statement: &str) {
    on_server(server, async |client: &Client| client.batch_execute(statement).await.unwrap());
}

fn on_server<T>(url: &url::Url, work: impl AsyncFnOnce(&Client) -> T) -> T {
    Runtime::new().unwrap().block_on(async {
        let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let result = work(&client).await;
        drop(client);
        driver.await.unwrap().unwrap();
        result
    })
}
