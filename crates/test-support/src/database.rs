//! A database of its own for every test, on SQLite and on PostgreSQL.
//!
//! ```no_run
//! use test_support::Db;
//!
//! #[test]
//! fn organisations_are_counted() {
//!     Db::each(async |db| {
//!         let count = db.store().read(|r| Box::pin(r.count_organizations())).await;
//!         assert_eq!(count, Ok(0));
//!     });
//! }
//! # fn main() {}
//! ```

mod postgresql;

use std::fmt;
use std::path::PathBuf;
use storage::{DatabaseUrl, Store, StoreOptions, migrate};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

/// The databases every test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in a folder that is removed after the test.
    Sqlite,
    /// A database on the server named by `NOLAPSE_TEST_POSTGRES_URL`.
    PostgreSql,
}

/// A migrated, empty database, open.
pub struct Db {
    backend: Backend,
    url: DatabaseUrl,
    store: Store,
    background: Handle,
    folder: TempDir,
}

impl Backend {
    /// Both backends.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::PostgreSql];
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::PostgreSql => "postgresql",
        })
    }
}

impl Db {
    /// Runs a test on both backends, each time on a new database.
    ///
    /// # Panics
    /// If the test panics; the message names the backend as the thread. Also without a PostgreSQL server, so
    /// that no test is skipped silently.
    pub fn each(test: impl AsyncFn(&Self) + Sync) {
        Self::each_with(StoreOptions::default(), test);
    }

    /// As [`each`](Self::each), with options of the test's own.
    pub fn each_with(options: StoreOptions, test: impl AsyncFn(&Self) + Sync) {
        for backend in Backend::ALL {
            Self::on(backend, options, &test);
        }
    }

    /// Runs a test on one backend.
    ///
    /// The test's future runs on a single-threaded runtime of its own, as a request does under actix; units of work on
    /// PostgreSQL run on another runtime beside it.
    ///
    /// # Panics
    /// As [`each`](Self::each).
    pub fn on(backend: Backend, options: StoreOptions, test: impl AsyncFn(&Self) + Sync) {
        let run = || {
            let background = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            let foreground = Builder::new_current_thread().enable_all().build().expect("a runtime");
            match backend {
                Backend::Sqlite => Self::run_sqlite(options, &foreground, &background, &test),
                Backend::PostgreSql => Self::run_postgresql(options, &foreground, &background, &test),
            }
        };
        // The thread's name is what a panic message shows.
        let outcome = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name(backend.to_string()).spawn_scoped(scope, run);
            thread.expect("a thread").join()
        });
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    fn run_sqlite(options: StoreOptions, foreground: &Runtime, background: &Runtime, test: &impl AsyncFn(&Self)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = sqlite_url(folder.path().join("test.db"));
        migrate::up(&url).expect("the migrations");
        let db = Self::open(Backend::Sqlite, url, options, foreground, background, folder);
        foreground.block_on(test(&db));
        foreground.block_on(db.store.shutdown());
    }

    fn run_postgresql(options: StoreOptions, foreground: &Runtime, background: &Runtime, test: &impl AsyncFn(&Self)) {
        let database = foreground.block_on(postgresql::Database::create());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Self::open(Backend::PostgreSql, database.url(), options, foreground, background, folder);
        // Drop the database also when the test fails; the panic is resumed afterwards.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| foreground.block_on(test(&db))));
        if outcome.is_ok() {
            foreground.block_on(db.store.shutdown());
        }
        foreground.block_on(database.remove());
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    fn open(
        backend: Backend,
        url: DatabaseUrl,
        options: StoreOptions,
        foreground: &Runtime,
        background: &Runtime,
        folder: TempDir,
    ) -> Self {
        let handle = background.handle().clone();
        let store = foreground.block_on(Store::open(&url, options, handle.clone())).expect("the store opens");
        Self { backend, url, store, background: handle, folder }
    }

    /// Which backend this is.
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Its address.
    pub const fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The store, open.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Another store on the same database, as another process would have.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn another_store(&self) -> Store {
        Store::open(&self.url, StoreOptions::default(), self.background.clone()).await.expect("the store opens again")
    }

    /// The runtime that units of work run on.
    pub const fn background(&self) -> &Handle {
        &self.background
    }

    /// A path in a folder that is removed after the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The address of a file.
///
/// # Panics
/// If its name is not UTF-8.
pub fn sqlite_url(path: PathBuf) -> DatabaseUrl {
    let path = path.into_os_string().into_string().expect("a path in UTF-8");
    DatabaseUrl::parse(&format!("sqlite://{path}")).expect("a URL")
}

/// Runs `test` with an empty PostgreSQL database that has no tables yet, and removes the database afterwards.
///
/// # Panics
/// If the test does, or there is no server.
pub fn with_empty_postgresql(test: impl FnOnce(&DatabaseUrl)) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = runtime.block_on(postgresql::Database::create_empty());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(&database.url())));
    runtime.block_on(database.remove());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
