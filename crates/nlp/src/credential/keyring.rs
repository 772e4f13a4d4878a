//! The desktop's keyring, by `secret-tool` of libsecret: it works with the keyrings of GNOME and KDE, takes secrets on
//! standard input, and is usually installed on desktops. A library would add a D-Bus client and an asynchronous runtime
//! to a program that has to start in milliseconds.

use std::io::Write as _;
use std::process::{Command, Stdio};

use client::Secret;

use super::secret;
use crate::failure::{Failure, Result};

const TOOL: &str = "secret-tool";
/// Unset when there is no desktop session, for which the tool would wait.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// Whether there is a desktop session, whose keyring may take a credential.
pub(super) fn is_possible() -> bool {
    std::env::var_os(BUS).is_some_and(|address| !address.is_empty())
}

/// The command, if there is a desktop session.
fn tool(action: &str) -> Option<Command> {
    if !is_possible() {
        return None;
    }
    let mut command = Command::new(TOOL);
    command.arg(action).stderr(Stdio::null());
    Some(command)
}

fn attributes(command: &mut Command, profile: &str) {
    command.args(["service", "nlp", "profile", profile]);
}

/// The credential of a profile, if the keyring has one.
pub(super) fn look_up(profile: &str) -> Result<Option<Secret>> {
    let Some(mut command) = tool("lookup") else { return Ok(None) };
    attributes(&mut command, profile);
    match command.output() {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let text = String::from_utf8(output.stdout);
            text.map(|text| Some(secret(&text))).map_err(|_| Failure::new("the entry in the keyring is not a token"))
        }
        // No entry, a locked keyring, or none: the caller tries the next place.
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Stores the credential of a profile; `false` if there is no keyring that can.
pub(super) fn store(profile: &str, secret: &Secret) -> Result<bool> {
    let Some(mut command) = tool("store") else { return Ok(false) };
    command.arg(format!("--label=nlp ({profile})"));
    attributes(&mut command, profile);
    let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn() else { return Ok(false) };
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(secret.expose().as_bytes()));
    let status = child.wait()?;
    Ok(status.success() && written.is_some_and(|written| written.is_ok()))
}

/// Removes the credential of a profile.
pub(super) fn clear(profile: &str) {
    if let Some(mut command) = tool("clear") {
        attributes(&mut command, profile);
        // Errors are ignored: the tool also fails when there is no entry.
        let _ = command.stdout(Stdio::null()).status();
    }
}
