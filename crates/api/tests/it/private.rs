//! Private addresses are never connected to: in a network of its own, where something listens on them and counts.

use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/private.py");

/// A command in new network and mount namespaces.
fn apart() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--mount"]);
    command
}

#[test]
fn nothing_connects_to_private_addresses() {
    let may = apart().args(["ip", "link", "set", "lo", "up"]).output();
    if !may.is_ok_and(|tried| tried.status.success()) {
        println!("not tested: this machine allows no network namespaces");
        return;
    }
    let ran = apart().args(["python3", SCRIPT, env!("CARGO_BIN_EXE_nolapse-api")]).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.trim_end().ends_with("done"), "{said}\n{complained}");
}
