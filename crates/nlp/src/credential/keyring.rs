//! The desktop's keyring, by `secret-tool` of libsecret: it speaks to the keyrings of GNOME and KDE alike, takes
//! secrets on standard input, and is there where a desktop is. A library would bring a D-Bus client and an asynchronous
//! runtime into a program that is to start in milliseconds.

use std::io::Write as _;
use std::process::{Command, Stdio};

use client::Secret;

use super::secret;
use crate::failure::{Failure, Result};

const TOOL: &str = "secret-tool";
/// Without it there is no desktop to ask, and the tool would wait for one.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// The tool, if there is a desktop.
fn tool(action: &str) -> Option<Command> {
    std::env::var_os(BUS).filter(|address| !address.is_empty())?;
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
            text.map(|text| Some(secret(&text))).map_err(|_| Failure::new("what the keyring holds is no token"))
        }
        // Nothing kept, locked, or no keyring at all: the next place is asked.
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Keeps the credential of a profile; says whether there is a keyring that did.
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
        // It fails where there is nothing to remove, too.
        let _ = command.stdout(Stdio::null()).status();
    }
}
