//! SQL as an operator sends it, by `psql`.

use std::process::{Command, Stdio};
use task_support::fail::{Context as _, Fail, Result};
use task_support::services::{SUPERUSER, postgres_program};

/// Runs one statement on the server of a port, in the database `postgres`; what it says, without a final newline.
pub(crate) fn ask(port: u16, statement: &str) -> Result<String> {
    let program = postgres_program("psql")?;
    let output = Command::new(program)
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--host=127.0.0.1"])
        .args([&format!("--port={port}"), &format!("--username={SUPERUSER}"), "--dbname=postgres", "--command"])
        .arg(statement)
        // A server that is frozen or not there must not hold the task up.
        .env("PGCONNECT_TIMEOUT", "2")
        .env("PGOPTIONS", "-c statement_timeout=5000")
        .stdin(Stdio::null())
        .output()
        .attempt(|| "run psql".into())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(Fail::new(format!("psql: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }
}
