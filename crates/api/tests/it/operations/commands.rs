//! The program as a command: exit codes, and one line on standard error that says what to do.

use crate::support::{Backend, Finished, Options, Server, both, finish, program, texts};

both!(
    migrations_go_up_and_down,
    a_database_behind_refuses_to_serve,
    the_schema_does_not_change_under_a_server,
    a_copy_of_a_database_in_use_can_be_served
);

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    run_with(arguments, environment, "")
}

fn run_with(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Finished {
    let environment: Vec<_> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut command = program(&environment);
    command.args(arguments);
    finish(command, input)
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &[][..],
        &["fly"],
        &["serve", "--no-such-flag"],
        &["serve", "extra"],
        &["migrate", "sideways"],
        &["migrate", "down", "--steps", "x"],
        &["setup"],
        &["config"],
    ] {
        let said = run(arguments, &[]);
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(said.out.is_empty() && !said.err.is_empty(), "{arguments:?}: {said:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["help"], &["serve", "--help"]] {
        let said = run(arguments, &[]);
        assert!(said.code == Some(0) && !said.out.is_empty() && said.err.is_empty(), "{arguments:?}: {said:?}");
    }
}

/// An environment, and texts of the error.
type Wrong = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn a_wrong_configuration_exits_with_1_and_names_every_problem() {
    let rows: [Wrong; 7] = [
        (
            &[("NOLAPSE__HASHING__BCRYPT_COST", "9")],
            &["hashing.bcrypt_cost", "environment NOLAPSE__HASHING__BCRYPT_COST"],
        ),
        (&[("NOLAPSE__SERVER__WROKERS", "2")], &["server.wrokers", "server.workers"]),
        (
            &[("NOLAPSE__SERVER__WORKERS", "many"), ("NOLAPSE__LOG__FORMAT", "xml")],
            &["2 problems", "server.workers", "log.format"],
        ),
        (&[("DATABASE_URL", "mysql://s3cret@localhost/db")], &["database.url"]),
        (&[("DATABASE_URL", "postgres://u:s3cret@localhost/db")], &["keys.tag_key_path"]),
        (&[("NOLAPSE_CONFIG", "/nowhere/nolapse.toml")], &["/nowhere/nolapse.toml"]),
        (&[("NOLAPSE__KEYS__TAG_KEY", "s3cret")], &["keys.tag_key"]),
    ];
    for (environment, parts) in rows {
        for arguments in [&["serve"][..], &["config", "check"], &["migrate", "status"]] {
            let said = run(arguments, environment);
            let error = said.fails(1);
            assert!(parts.iter().all(|part| error.contains(part)), "{environment:?} {arguments:?}: {error}");
            assert!(!error.contains("s3cret") && said.out.is_empty(), "{said:?}");
        }
    }
}

#[test]
fn what_is_printed_masks_secrets() {
    let environment = [
        ("DATABASE_URL", "postgres://u:s3cret-1@localhost/db"),
        ("SERVICE_TOKEN", "s3cret-2-s3cret-2-s3cret-2-s3cret-2-s3cret-2"),
        ("NOLAPSE__KEYS__TAG_KEY", "5ec4e7005ec4e7005ec4e7005ec4e7005ec4e7005ec4e7005ec4e7005ec4e700"),
    ];
    let said = run(&["config", "print"], &environment);
    let text = said.succeeds();
    assert!(text.contains("database.url") || text.contains("[database]"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("5ec4e7"), "{text}");
    assert!(text.contains("environment SERVICE_TOKEN"), "the origin of each value is said: {text}");
    run(&["config", "check"], &environment).succeeds();
}

#[test]
fn an_unreachable_database_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key").display().to_string();
    let missing = format!("sqlite://{}/no/such/folder/nolapse.db", folder.path().display());
    // Port 1 is never listened on; the address cannot leave this machine.
    for url in [missing.as_str(), "postgres://u:s3cret@127.0.0.1:1/db"] {
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate", "up"]] {
            let said = run(arguments, &[("DATABASE_URL", url), ("NOLAPSE__KEYS__TAG_KEY_PATH", &key)]);
            let error = said.fails(1);
            // The error names the database without its password.
            let place = if url == missing { "no/such/folder/nolapse.db" } else { "postgres://u:***@127.0.0.1:1/db" };
            assert!(error.contains(place) && !error.contains("s3cret"), "{error}");
            assert!(!said.out.contains("listening"), "{said:?}");
        }
    }
}

#[test]
fn a_taken_port_exits_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    let address = taken.local_addr().unwrap().to_string();
    let said = server.command(&["serve", "--listen", &address], "");
    let error = said.fails(1);
    assert!(error.contains("in use") && error.contains(&address), "{error}");
    // The command released the database.
    server.serve();
}

#[test]
fn options_are_taken_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nolapse.toml");
    std::fs::write(&file, "[server]\nworkers = 3\n").unwrap();
    let [file, url] = [file.display().to_string(), format!("sqlite://{}/a.db", folder.path().display())];
    let options = ["--config", &file, "--database-url", &url];
    let commands: [&[&str]; 5] =
        [&["migrate"], &["migrate", "up"], &["migrate", "status"], &["config", "check"], &["config", "print"]];
    for command in commands {
        for place in 0..=command.len() {
            let arguments = [&command[..place], &options[..], &command[place..]].concat();
            let said = run(&arguments, &[]);
            let out = said.succeeds();
            assert!(
                *command != ["config", "print"] || out.contains("workers = 3") && out.contains(&url),
                "{arguments:?}: {out}"
            );
        }
    }
    assert!(folder.path().join("a.db").exists());
    // The option of the innermost subcommand wins.
    let said =
        run(&["--database-url", "sqlite://far.db", "config", "print", "--database-url", "sqlite://near.db"], &[]);
    assert!(said.succeeds().contains("near.db"), "{said:?}");
}

#[test]
fn a_database_file_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key").display().to_string();
    for (name, bytes) in [("notes.txt", "these are notes, and no database".repeat(40)), ("short", "x".to_owned())] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let url = format!("sqlite://{}", path.display());
        let setup = ["setup", "--org", "acme", "--email", "a@b.example", "--password-stdin"];
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate", "up"], &["migrate", "status"], &setup]
        {
            let environment = [("DATABASE_URL", url.as_str()), ("NOLAPSE__KEYS__TAG_KEY_PATH", key.as_str())];
            let said = run_with(arguments, &environment, "a password of this test\n");
            assert!(said.fails(1).contains("not a database"), "{arguments:?}: {said:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), bytes, "{arguments:?}");
        }
    }
}

fn migrations_go_up_and_down(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    server.stop();
    let status = server.command(&["migrate", "status"], "");
    let lines: Vec<&str> = status.succeeds().lines().collect();
    assert!(lines.len() >= 6 && lines.iter().all(|line| line.starts_with("applied ")), "{lines:?}");
    let up = server.command(&["migrate"], "");
    up.succeeds();
    // The schema is up to date: nothing changes, and the data remains.
    server.serve();
    assert!(server.anyone().is_valid(&secret));
    server.stop();

    // Without `--yes` the command says what would be lost, and does nothing.
    let all = lines.len().to_string();
    let told = server.command(&["migrate", "down", "--steps", &all], "");
    let said = told.fails(1);
    assert!(said.contains("tokens (1 row)") && said.contains("--yes"), "{said}");
    let status = server.command(&["migrate", "status"], "");
    assert!(status.succeeds().lines().all(|line| line.starts_with("applied ")), "{status:?}");

    let down = server.command(&["migrate", "down", "--steps", "1", "--yes"], "");
    down.succeeds();
    let status = server.command(&["migrate", "status"], "");
    let pending: Vec<&str> = status.succeeds().lines().filter(|line| line.starts_with("pending ")).collect();
    assert_eq!(pending, [lines.last().unwrap().replace("applied ", "pending ")]);
    server.command(&["migrate", "up"], "").succeeds();

    server.command(&["migrate", "down", "--steps", &all, "--yes"], "").succeeds();
    let status = server.command(&["migrate", "status"], "");
    assert!(status.succeeds().lines().all(|line| line.starts_with("pending ")), "{status:?}");
    server.command(&["migrate", "up"], "").succeeds();
    server.set_up().succeeds();
    if backend == Backend::Sqlite {
        // The ledger beside the file is the former deployment's, and a start would refuse it.
        std::fs::remove_dir_all(server.database.folder().join("nolapse.db.ledger")).unwrap();
    }
    server.serve();
    assert!(!server.anyone().is_valid(&secret), "it went with its table");
}

fn the_schema_does_not_change_under_a_server(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let up = server.command(&["migrate", "up"], "");
    let why = match backend {
        Backend::Sqlite => {
            assert!(up.fails(1).contains("another process"), "{up:?}");
            "another process"
        }
        // A newer program migrates the schema while older nodes run.
        Backend::PostgreSql => {
            up.succeeds();
            "the database is in use (nodes: 1)"
        }
    };
    for arguments in [&["migrate", "down", "--yes"][..], &["migrate", "down"]] {
        let refused = server.command(arguments, "");
        assert!(refused.fails(1).contains(why), "{arguments:?}: {refused:?}");
    }
    server.command(&["migrate", "status"], "").succeeds();
    assert!(server.anyone().is_valid(&secret));
}

fn a_database_behind_refuses_to_serve(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    server.stop();
    server.command(&["migrate", "down", "--steps", "1", "--yes"], "").succeeds();
    server.options.set("database.migrate_at_start", false);
    assert_eq!(server.try_serve().unwrap_err().code(), Some(1));
    assert!(server.log().contains("migrate up"), "{}", server.log());
    server.options.set("database.migrate_at_start", true);
    server.serve();
    assert_eq!(server.anyone().get("/ready").status, 200);
}

fn a_copy_of_a_database_in_use_can_be_served(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let made = server.command(&["backup", copy.to_str().unwrap()], "");
    if backend == Backend::PostgreSql {
        assert!(made.fails(1).contains("pg_dump"), "{made:?}");
        return;
    }
    made.succeeds();
    let again = server.command(&["backup", copy.to_str().unwrap()], "");
    assert!(again.fails(1).contains("already exists"), "{again:?}");
    server.stop();
    std::fs::copy(&copy, server.database.file()).unwrap();
    server.serve();
    assert!(server.anyone().is_valid(&secret));
}
