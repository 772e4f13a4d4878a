//! Signing in, where the key is stored, and the output of `doctor`.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use super::support::{Home, OWNER, PASSWORD, Server, assert_code, assert_done, said};

#[test]
fn a_key_is_made_kept_used_and_revoked() {
    let server = Server::start();
    let home = server.owner();
    let kept = home.path().join("runtime/nlp/default");
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&kept).unwrap();
    let me = home.json(["whoami"]);
    assert_eq!((me["email"].as_str(), me["kind"].as_str()), (Some(OWNER), Some("personal")));
    assert!(me["expires_at"].is_string(), "a key has an end");
    assert_code(&home.nlp(["doctor"]), 0);
    assert_done(&home.nlp(["logout"]));
    assert!(!kept.exists());
    let again = Home::new(Some(&server.url)).with("NLP_TOKEN", secret.trim());
    assert_code(&again.nlp(["token", "validate"]), 3);
    assert_code(&home.nlp(["whoami"]), 4);
}

#[test]
fn without_a_keyring_the_key_is_stored_only_on_request_and_with_a_warning() {
    let server = Server::start();
    let home = Home::new(Some(&server.url)).with("XDG_RUNTIME_DIR", "");
    let input = format!("{PASSWORD}\n");
    let refused = home.nlp_with(["login", "--email", OWNER, "--password-stdin"], &input);
    assert_code(&refused, 1);
    assert!(said(&refused).contains("--insecure-storage"), "{}", said(&refused));
    let done = home.nlp_with(["login", "--email", OWNER, "--password-stdin", "--insecure-storage"], &input);
    assert_done(&done);
    let file = home.path().join(".config/nlp/credentials/default");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for command in [["whoami"], ["doctor"]] {
        let done = home.nlp(command);
        assert_done(&done);
        assert!(said(&done).contains("unencrypted"), "{command:?}: {}", said(&done));
    }
}

#[test]
fn a_later_key_replaces_the_earlier_one_wherever_that_is_stored() {
    let server = Server::start();
    let home = Home::new(Some(&server.url));
    let login = |more: &[&str]| {
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(["login", "--email", OWNER, "--password-stdin", "--scope", "admin"]).args(more);
        let done = super::support::finish(command, &format!("{PASSWORD}\n"));
        assert_done(&done);
        said(&done)
    };
    login(&["--name", "first"]);
    let told = login(&["--name", "second", "--insecure-storage"]);
    assert!(told.contains("the earlier key first is") && told.contains("next: nlp key revoke "), "{told}");
    assert!(!home.path().join("runtime/nlp/default").exists());
    assert_eq!(home.json(["whoami"])["name"], "second");
    // A key that an older version left in a second place is revoked, too.
    let other = server.owner();
    home.write("runtime/nlp/default", std::fs::read(other.path().join("runtime/nlp/default")).unwrap());
    let watcher = server.owner();
    assert_eq!(watcher.names("key", "active").len(), 4);
    assert_done(&home.nlp(["logout"]));
    assert_eq!(watcher.names("key", "active").len(), 2);
    assert_code(&home.nlp(["logout"]), 4);
}

#[test]
fn a_key_that_cannot_be_stored_does_not_stay() {
    let server = Server::start();
    let watcher = server.owner();
    let home = || Home::new(Some(&server.url));
    let unwritable = home();
    unwritable.write(".config", "");
    let damaged = home();
    damaged.write("runtime", "");
    for (what, home, more) in [
        ("no place", home().with("XDG_RUNTIME_DIR", ""), None),
        ("no home", home().with("HOME", ""), None),
        ("no home for a file", home().with("HOME", ""), Some("--insecure-storage")),
        ("a home that cannot be written", unwritable, None),
        ("a login session's folder that cannot be written", damaged, None),
    ] {
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(["login", "--email", OWNER, "--password-stdin"]).args(more);
        let done = super::support::finish(command, &format!("{PASSWORD}\n"));
        assert_code(&done, 1);
        assert!(!home.path().join("runtime/nlp/default").exists(), "{what}");
        assert_eq!(watcher.names("key", "active").len(), 1, "{what}: {}", said(&done));
    }
}

#[test]
fn a_key_goes_only_to_the_authority_that_made_it() {
    let (one, two) = (Server::start(), Server::start());
    let home = one.owner();
    assert_done(&home.nlp(["whoami", "--url", &format!("{}/", one.url)]));
    let asked = |server: &Server| {
        let metrics = server.metrics();
        metrics.lines().filter(|line| line.contains("/v1/tokens")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = asked(&two);
    for command in [&["whoami"][..], &["token", "list"], &["exec", "--", "true"], &["doctor"]] {
        let mut nlp = home.command(env!("CARGO_BIN_EXE_nlp"));
        nlp.args(command).args(["--url", &two.url]);
        if command[0] == "exec" {
            nlp = home.command(env!("CARGO_BIN_EXE_nlp"));
            nlp.args(["--url", &two.url]).args(command);
        }
        let done = super::support::finish(nlp, "");
        assert_code(&done, if command[0] == "doctor" { 1 } else { 4 });
        assert!(
            said(&done).contains(&format!("is for {}, and is not sent to {}", one.url, two.url)),
            "{}",
            said(&done)
        );
    }
    assert_eq!(asked(&two), before);
    // Signing out concerns the authority that made the key.
    assert_done(&home.nlp(["logout", "--url", &two.url]));
    assert_eq!(one.owner().names("key", "active").len(), 1);
}

#[test]
fn a_proxy_sees_no_credential_in_the_clear() {
    let server = Server::start();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let home = server.owner().with("http_proxy", &address).with("ALL_PROXY", &address);
    assert_done(&home.nlp(["whoami"]));
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_profile_remembers_its_authority_and_its_key() {
    let (one, two) = (Server::start(), Server::start());
    let home = Home::new(None);
    for (profile, server) in [("work", &one), ("home", &two)] {
        let login = ["login", "--profile", profile, "--url", &server.url, "--email", OWNER, "--password-stdin"];
        assert_done(&home.nlp_with(login, &format!("{PASSWORD}\n")));
    }
    for (profile, server) in [("work", &one), ("home", &two)] {
        assert_eq!(home.json(["whoami", "--profile", profile])["url"], server.url);
    }
    let profiles = home.path().join(".config/nlp/profiles.json");
    assert_eq!(profiles.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // No profile of the default name was signed in to.
    assert_code(&home.nlp(["whoami"]), 4);
    assert_done(&home.nlp(["logout", "--profile", "work"]));
    assert_code(&home.nlp(["whoami", "--profile", "work"]), 4);
    assert_done(&home.nlp(["whoami", "--profile", "home"]));
}

#[test]
fn a_desktop_keeps_the_key_in_its_keyring() {
    let server = Server::start();
    let home = Home::new(Some(&server.url)).with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    // A stand-in for libsecret's tool, with a file as the keyring.
    home.program(
        "secret-tool",
        concat!(
            "#!/bin/sh\nring=\"$HOME/ring\"\ncase $1 in\n",
            "store) cat >\"$ring\";;\nlookup) cat \"$ring\" 2>/dev/null;;\nclear) rm -f \"$ring\";;\nesac\n"
        ),
    );
    assert_done(&home.nlp_with(["login", "--email", OWNER, "--password-stdin"], &format!("{PASSWORD}\n")));
    assert!(std::fs::read_to_string(home.path().join("ring")).unwrap().starts_with("nlp_"));
    assert!(!home.path().join("runtime").exists());
    assert_eq!(home.json(["whoami"])["kept_in"], "the desktop's keyring");
    assert_done(&home.nlp(["logout"]));
    assert!(!home.path().join("ring").exists());
}

#[test]
fn the_doctor_names_each_fault_and_its_fix() {
    let done = Home::new(Some("http://127.0.0.1:1")).nlp(["doctor"]);
    assert_code(&done, 1);
    assert!(said(&done).contains("reachable") && said(&done).contains("next: nlp login"), "{}", said(&done));
}

#[test]
fn the_doctor_reports_to_programs_in_one_list() {
    let server = Server::start();
    let home = server.owner();
    let kept = home.path().join("runtime/nlp/default");
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let checks = home.json(["doctor"]);
    let open = checks.as_array().unwrap().iter().find(|check| check["check"] == "credential file").unwrap();
    assert_eq!(open["outcome"], "warning");
    assert_eq!(open["next"], format!("chmod 600 {}", kept.display()));
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o600)).unwrap();
    let fields = home.nlp(["doctor", "--field", "outcome"]);
    assert_done(&fields);
    assert!(fields.stdout.starts_with(b"ok\nok\nok\n"), "{}", said(&fields));
    let failed = Home::new(Some("http://127.0.0.1:1")).nlp(["doctor", "-o", "json"]);
    assert_code(&failed, 1);
    assert!(failed.stderr.is_empty(), "{}", said(&failed));
    let checks: serde_json::Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert!(checks.as_array().unwrap().iter().any(|check| check["outcome"] == "failed"), "{checks}");
}
