//! The ledgers of nodes that share a PostgreSQL database: it is restored while they are stopped, and goes back under them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::kinds::{are_dead, end, one_of_each};
use super::{has_repeated, make};
use crate::support::{Backend, Database, Fault, Faults, Options, Proxy, Server, eventually, texts};

/// A node with a ledger of its own.
fn node(beside: Option<&Server>) -> Server {
    if let Some(server) = beside {
        return server.beside(with_ledger(Options::default(), server.database.folder(), "ledger-second"));
    }
    node_with(|_| Options::default())
}

/// A first node with these options, beside its ledger.
fn node_with(options: impl FnOnce(&Database) -> Options) -> Server {
    let database = Database::new(Backend::PostgreSql);
    let options = with_ledger(options(&database), database.folder(), "ledger-first");
    Server::start_on(database, options)
}

fn with_ledger(options: Options, folder: &Path, name: &str) -> Options {
    options.with("ledger.directory", folder.join(name).display())
}

/// The folder of its ledger.
fn ledger(server: &Server) -> PathBuf {
    server.options.value("ledger.directory").into()
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(done.status.success(), "{program}: {done:?}");
}

/// Runs statements on its database; what they print.
fn sql(server: &Server, statements: &str) -> String {
    let arguments = ["--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-c", statements];
    let done = Command::new("psql").args(arguments).arg(server.database.url()).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Writes a backup by `pg_dump`.
fn dump(server: &Server) -> PathBuf {
    let file = server.database.folder().join("dump");
    run("pg_dump", &["--format=custom", "--file", file.to_str().unwrap(), &server.database.url()]);
    file
}

/// Restores it by `pg_restore`.
fn restore(server: &Server, file: &Path) {
    let url = server.database.url();
    run("pg_restore", &["--clean", "--if-exists", "--exit-on-error", "--dbname", &url, file.to_str().unwrap()]);
}

/// Puts the rows of an earlier moment in the place of those of now, in one transaction under running nodes: what a failover to a
/// server without the last commits looks like to them.
struct Earlier(PathBuf);

impl Earlier {
    fn of(server: &Server) -> Self {
        let file = server.database.folder().join("rows.sql");
        let to = file.to_str().unwrap();
        run("pg_dump", &["--data-only", "--disable-triggers", "--file", to, &server.database.url()]);
        Self(file)
    }

    fn put_back(&self, server: &Server) {
        let url = server.database.url();
        let empty = "DO $$DECLARE t text; BEGIN SET session_replication_role = replica; \
                     SELECT string_agg(quote_ident(tablename), ',') INTO t FROM pg_tables WHERE schemaname = 'public'; \
                     EXECUTE 'TRUNCATE ' || t; END$$";
        let file = self.0.to_str().unwrap();
        let stop = "ON_ERROR_STOP=1";
        run("psql", &["--quiet", "--single-transaction", "-v", stop, "-c", empty, "-f", file, &url]);
    }
}

#[test]
fn what_ended_after_a_dump_stays_dead_when_it_is_restored() {
    let mut first = node(None);
    let mut second = node(Some(&first));
    let doomed = one_of_each(&first);
    let [id, on_second] = make(&first);
    let dump = dump(&first);
    second.caller(first.owner().credential()).revoke(&id);
    end(&first, &doomed);
    first.stop();
    second.stop();
    restore(&first, &dump);
    // The ledgers of both, by hand, before any node starts.
    let said = first.command(&["ledger", "replay", ledger(&second).to_str().unwrap()], "");
    assert!(said.succeeds().contains("repeated what the database had lost"), "{said:?}");
    first.serve();
    assert!(!has_repeated(&first), "{}", first.log_since_start());
    are_dead(&first, &doomed);
    assert!(!first.anyone().is_valid(&on_second));
    second.serve();
    are_dead(&second, &doomed);
    first.command(&["audit", "verify"], "").succeeds();
}

#[test]
fn two_nodes_that_repeat_the_same_changes_at_once_make_each_once() {
    let mut first = node(None);
    let mut second = node(Some(&first));
    let tokens: Vec<[String; 2]> = (0..40).map(|_| make(&first)).collect();
    let dump = dump(&first);
    let mut owner = first.owner();
    for [id, _] in &tokens {
        owner.revoke(id);
    }
    first.stop();
    second.stop();
    for part in fs::read_dir(ledger(&first)).unwrap().map(|part| part.unwrap().path()) {
        fs::copy(&part, ledger(&second).join(part.file_name().unwrap())).unwrap();
    }
    restore(&first, &dump);
    std::thread::scope(|scope| {
        scope.spawn(|| first.serve());
        scope.spawn(|| second.serve());
    });
    for server in [&first, &second] {
        assert!(tokens.iter().all(|[_, secret]| !server.anyone().is_valid(secret)));
    }
    let audit = first.facts().audit();
    for [id, _] in &tokens {
        let events = audit.iter().filter(|event| event.action == "token.revoke" && event.target_id == *id);
        assert_eq!(events.count(), 1, "{id}");
    }
    first.command(&["audit", "verify"], "").succeeds();
}

#[test]
fn a_database_that_goes_back_under_running_nodes_is_repaired_and_nothing_is_valid_meanwhile() {
    let first = node(None);
    let second = node(Some(&first));
    let servers = [first, second];
    let mut owner = servers[0].owner();
    let [_, good] = make(&servers[0]);
    let doomed: Vec<[String; 2]> = (0..20).map(|_| make(&servers[0])).collect();
    let earlier = Earlier::of(&servers[0]);
    for (number, [id, secret]) in doomed.iter().enumerate() {
        assert!(servers.iter().all(|server| server.anyone().is_valid(secret)));
        servers[number % 2].caller(owner.credential()).revoke(id);
    }
    // A ledger that cannot be read: the comparison does not end.
    let (folder, aside) = (ledger(&servers[0]), ledger(&servers[0]).with_extension("aside"));
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "").unwrap();
    earlier.put_back(&servers[0]);
    eventually("it to be noticed", || {
        servers[0].log().contains("until the ledger of revocations is compared").then_some(())
    });
    let mut anyone = servers[0].anyone();
    for secret in [&good, &doomed[0][1], &doomed[1][1]] {
        assert_eq!(anyone.validate(secret).status, 503, "what may have been revoked is not valid");
    }
    assert_eq!(servers[0].caller(owner.credential()).get("/v1/me").status, 503);
    let failing = anyone.get("/ready").fails(503, "unavailable");
    assert!(failing["failing"].as_array().unwrap().contains(&"ledger".into()), "{failing}");
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    eventually("the end of the comparison", || (anyone.validate(&good).status == 200).then_some(()));
    for server in &servers {
        eventually("a word about it", || has_repeated(server).then_some(()));
        let revived = doomed.iter().filter(|[_, secret]| server.anyone().is_valid(secret)).count();
        assert_eq!(revived, 0);
        assert!(server.metrics().get("nolapse_ledger_repeated_total") > 0);
    }
    let [fresh] = texts(&owner.create("changes go on"), ["secret"]);
    assert!(servers.iter().all(|server| server.anyone().is_valid(&fresh)));
    servers[0].command(&["audit", "verify"], "").succeeds();
}

#[test]
fn a_folder_that_a_server_has_is_refused_to_another_and_not_to_commands_and_a_crash_lets_go_of_it() {
    let mut first = node(None);
    let mut second = node(Some(&first));
    let folder = ledger(&first);
    second.stop();
    second.options.set("ledger.directory", folder.display());
    assert_eq!(second.try_serve().unwrap_err().code(), Some(1));
    second.says(&["another server keeps its ledger of revocations in", "a folder of its own"]);
    let folder = folder.to_str().unwrap();
    for command in [&["ledger", "check"][..], &["ledger", "replay"], &["ledger", "replay", folder]] {
        second.command(command, "").succeeds();
    }
    let looked = second.command(&["doctor"], "");
    assert!(looked.out.contains("nodes: 1 on the list"), "the one that was refused never joined: {looked:?}");
    let [id, secret] = make(&first);
    first.owner().revoke(&id);
    first.kill();
    second.serve();
    assert!(!second.anyone().is_valid(&secret));
}

#[test]
fn a_replay_by_hand_beside_a_node_hides_nothing_that_the_node_writes() {
    let mut first = node(None);
    let mut second = node(Some(&first));
    let [[own, _], [other, of_other], [last, of_last]] = [make(&first), make(&first), make(&first)];
    let dumped = dump(&first);
    second.caller(first.owner().credential()).revoke(&other);
    first.stop();
    second.stop();
    restore(&first, &dumped);
    first.serve();
    let mut owner = first.owner();
    // The node's part is older than that of the command, and is written to afterwards.
    owner.revoke(&own);
    let said = first.command(&["ledger", "replay", ledger(&second).to_str().unwrap()], "");
    assert!(said.succeeds().contains("1 tokens revoked"), "{said:?}");
    let dumped = dump(&first);
    owner.revoke(&last);
    first.stop();
    restore(&first, &dumped);
    first.serve();
    assert!(has_repeated(&first), "{}", first.log_since_start());
    assert!(!first.anyone().is_valid(&of_other) && !first.anyone().is_valid(&of_last));
}

#[test]
fn a_revocation_of_unknown_outcome_that_is_found_done_when_it_is_repeated_is_in_the_ledger() {
    let mut line = None;
    let mut server = node_with(|database| {
        let proxy = line.insert(Proxy::to(database.server_address()).unwrap());
        Options::default().through(database.url_through(proxy.port()))
    });
    let proxy = line.unwrap();
    let [id, secret] = make(&server);
    let mut owner = server.owner();
    let dumped = dump(&server);
    sql(
        &server,
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON tokens DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
    let path = format!("/v1/tokens/{id}");
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| server.caller(owner.credential()).delete(&path));
        // The line is cut while the server commits, which it does nevertheless.
        let committing = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query ILIKE 'COMMIT%'
                          AND datname = current_database()";
        eventually("the commit to be under way", || (sql(&server, committing) == "1").then_some(()));
        proxy.cut();
        answer.join().unwrap().fails(503, "unavailable");
    });
    let revoked = "SELECT count(*) FROM tokens WHERE revoked_at IS NOT NULL";
    eventually("the commit", || (sql(&server, revoked) == "1").then_some(()));
    proxy.open();
    eventually("the repetition", || (owner.delete(&path).status == 204).then_some(()));
    server.stop();
    sql(&server, "DROP TRIGGER dawdle ON tokens; DROP FUNCTION dawdle");
    restore(&server, &dumped);
    server.serve();
    assert!(has_repeated(&server), "{}", server.log_since_start());
    assert!(!server.anyone().is_valid(&secret));
}

#[test]
fn a_node_that_has_to_register_again_compares_what_it_finds_with_its_ledger() {
    let server = node(None);
    let [id, secret] = make(&server);
    let earlier = Earlier::of(&server);
    server.owner().revoke(&id);
    server.signal(Signal::STOP);
    earlier.put_back(&server);
    sql(&server, "DELETE FROM nodes");
    server.signal(Signal::CONT);
    // Its first look at the log. Before that it reads what it finds: the server is the same.
    server.says(&["no longer on the list of nodes"]);
    let mut anyone = server.anyone();
    eventually("the end of the comparison", || {
        let answer = anyone.validate(&secret);
        assert!([401, 503].contains(&answer.status), "{answer:?}");
        (has_repeated(&server) && answer.status == 401).then_some(())
    });
}

#[test]
fn what_waits_for_a_disk_that_fails_is_repeated_as_well() {
    let mut switch = None;
    let server = node_with(|database| {
        let faults = switch.insert(Faults::new(database.folder()));
        Options::default().with_variables(faults.variables())
    });
    let faults = switch.unwrap();
    let [id, secret] = make(&server);
    let earlier = Earlier::of(&server);
    faults.begin(Fault::Ledger);
    server.owner().revoke(&id);
    assert_eq!(server.metrics().get("nolapse_ledger_waiting"), 1);
    earlier.put_back(&server);
    let mut anyone = server.anyone();
    eventually("its end", || (has_repeated(&server) && anyone.validate(&secret).status == 401).then_some(()));
}

#[test]
fn without_a_folder_nodes_keep_no_ledger() {
    let server = Server::start(Backend::PostgreSql, Options::default());
    assert!(!server.anyone().get("/metrics").text().contains("nolapse_ledger"));
    let refused = server.command(&["ledger", "replay"], "");
    assert!(refused.fails(1).contains("no ledger is kept"), "{refused:?}");
}
