//! `cargo xtask dev`: from nothing to a running server with a first token, in one command.
//!
//! Its files are under `var/dev/`, which git ignores; the next run uses them again. `--once` also checks that the
//! printed request works, and stops: this tests the quick start.

mod demo;
mod state;

use client::options::CreateTokenOptions;
use client::types::{CreateToken, SignIn, ValidateRequest};
use client::{Client, Error, Plain};
use state::State;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Launch, POLL, Server, run as run_to_end, run_with_input};
use task_support::{interrupt, product, say};

/// The organisation and the person of a new state.
const ORGANISATION: &str = "acme";
const EMAIL: &str = "dev@localhost.example";
/// Where the server listens by default. If the port is taken, it listens on a free one.
const LISTEN: &str = "127.0.0.1:8080";
/// The settings for local development.
const CONFIG: &str = "config/development.toml";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1);
    task_support::main(|| run(Args::new(arguments)))
}

/// `cargo xtask dev [--fresh] [--empty] [--once] [--listen ADDR]`
fn run(mut args: Args) -> Result {
    let fresh = args.flag("--fresh");
    let empty = args.flag("--empty");
    let once = args.flag("--once");
    let listen = args.value("--listen")?;
    args.finish()?;
    let listen =
        listen.map_or_else(preferred_address, |address| address.parse().attempt(|| format!("read {address}")))?;

    say::step("building nolapse-api");
    let program = product::build(product::Profile::Dev)?;
    let contents = if empty { Contents::Nothing } else { Contents::Demonstration };
    let state = State::open(fresh)?;
    if state.password().is_none() {
        set_up(&program, &state, contents)?;
    }

    say::step(format!(
        "starting nolapse-api with an SQLite database in {}; it stays in the foreground until Ctrl-C",
        state.folder().display()
    ));
    let mut server = launch(&program, &state)
        .args(["serve", "--database-url", &state.database_url(), "--listen", &listen.to_string()])
        .start(Stdio::piped(), Stdio::inherit())?;
    let base = product::listening(&mut server, |line| say::out(line))?;
    let client = Client::new(&base, Plain::LocalOnly).attempt(|| "use the server's address".into())?;
    let token = working_token(&client, &state, contents)?;
    introduce(&base, &state, &token);
    if once {
        let status = server.stop()?;
        return if status.success() { Ok(()) } else { Err(Fail::new(format!("the server stopped with {status}"))) };
    }
    watch(&mut server)
}

/// The usual port, or a free one if that is taken.
fn preferred_address() -> Result<SocketAddr> {
    let preferred: SocketAddr = LISTEN.parse().attempt(|| format!("read {LISTEN}"))?;
    if TcpListener::bind(preferred).is_ok() {
        return Ok(preferred);
    }
    say::note(format!("port {} is taken: use the address below in the README's commands", preferred.port()));
    Ok(SocketAddr::new(preferred.ip(), 0))
}

fn launch(program: &Path, state: &State) -> Launch {
    Launch::new(program).env("NOLAPSE_CONFIG", task_support::project::root().join(CONFIG)).directory(state.folder())
}

/// Creates the organisation and its first person, with a month behind them, then stores the password.
fn set_up(program: &Path, state: &State, contents: Contents) -> Result {
    say::step(format!("setting up the organisation {ORGANISATION}"));
    let password = state::random_password()?;
    let mut command = Command::new(program);
    command
        .args(["setup", "--org", ORGANISATION, "--email", EMAIL, "--password-stdin"])
        .args(["--database-url", &state.database_url()])
        .current_dir(state.folder())
        .env("NOLAPSE_CONFIG", task_support::project::root().join(CONFIG))
        .stdout(std::io::stderr());
    run_with_input(&mut command, format!("{password}\n").as_bytes())
        .map_err(|fail| Fail::new(fail.to_string()).fix("cargo xtask dev --fresh"))?;
    if contents == Contents::Demonstration {
        say::step("putting a month of history behind it (--empty leaves that out)");
        let history = product::build_program("seed", "nolapse-demo-history", product::Profile::Dev)?;
        let mut command = Command::new(history);
        command.args(["--database-url", &state.database_url(), "--org", ORGANISATION, "--email", EMAIL]);
        run_to_end(&mut command)?;
    }
    state.keep_password(&password)
}

/// The contents of a new state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contents {
    /// Tokens, people and projects to look at.
    Demonstration,
    /// Nothing but the first token.
    Nothing,
}

/// The token of the last run if it still validates, else a new one.
fn working_token(client: &Client, state: &State, contents: Contents) -> Result<String> {
    if let Some(token) = state.token()
        && validates(client, &token)?
    {
        return Ok(token);
    }
    let password = state.password().ok_or_else(|| Fail::new("the password is lost").fix("cargo xtask dev --fresh"))?;
    let body = SignIn {
        email: EMAIL.to_owned(),
        password: password.into(),
        organization: Some(ORGANISATION.to_owned()),
        ..SignIn::default()
    };
    let session = client.create_session(&body).attempt(|| "sign in".into());
    let person = client.with(session.map_err(|fail| fail.fix("cargo xtask dev --fresh"))?.token);
    if contents == Contents::Demonstration && state.token().is_none() {
        say::step("filling it with something to look at (--empty leaves that out)");
        // A second session, for the pages that list them.
        client.create_session(&body).attempt(|| "sign in again".into())?;
        demo::fill(client, &person).attempt(|| "make something to look at".into())?;
    }
    let body = CreateToken { name: "first token".into(), scopes: vec!["execute".into()], ..CreateToken::default() };
    let made = person.create_token(&CreateTokenOptions::default(), &body).attempt(|| "create a token".into())?;
    let token = made.secret.expose().to_owned();
    state.keep_token(&token)?;
    if validates(client, &token)? { Ok(token) } else { Err(Fail::new("a token made a moment ago does not validate")) }
}

/// Whether the server accepts the token.
///
/// # Errors
/// If the validation itself fails.
fn validates(client: &Client, token: &str) -> Result<bool> {
    let body = ValidateRequest { token: token.into(), ..ValidateRequest::default() };
    match client.validate(&body) {
        Ok(answer) => Ok(answer.valid),
        Err(Error::Refused(refusal)) if refusal.status == 401 => Ok(false),
        Err(error) => Err(error).attempt(|| "validate a token".into()),
    }
}

fn introduce(base: &str, state: &State, token: &str) {
    let password = state.password().unwrap_or_default();
    say::out(format!(
        "\nnolapse tokens is up.\n\n\
         \x20 dashboard   {base}/\n\
         \x20 sign in     {EMAIL}   {password}\n\
         \x20 API docs    {base}/docs\n\
         \x20 data        {folder}   (start over: cargo xtask dev --fresh)\n\n\
         Is this token good? It answered yes a moment ago:\n\n  {curl}\n",
        folder = state.folder().display(),
        curl = curl(base, token),
    ));
}

/// The request that [`validates`] makes, to paste into a shell.
fn curl(base: &str, token: &str) -> String {
    format!("curl -s {base}/v1/auth/validate -H 'Content-Type: application/json' -d '{{\"token\":\"{token}\"}}'")
}

/// Lets the server run until Ctrl-C, then stops it cleanly.
fn watch(server: &mut Server) -> Result {
    say::note("Ctrl-C stops the server");
    while !interrupt::seen() {
        if let Some(status) = server.ended()? {
            return Err(Fail::new(format!("the server ended by itself: {status}")));
        }
        sleep(POLL);
    }
    say::step("stopping the server");
    let status = server.stop()?;
    if status.success() { Ok(()) } else { Err(Fail::new(format!("the server stopped with {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_request_is_one_line_of_shell() {
        let line = curl("http://127.0.0.1:8080", "nlp_0011");
        assert_eq!(
            line,
            "curl -s http://127.0.0.1:8080/v1/auth/validate -H 'Content-Type: application/json' \
             -d '{\"token\":\"nlp_0011\"}'"
        );
    }

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let address = preferred_address().unwrap();
        assert!(address.ip().is_loopback());
        assert!(address.port() == 8080 || address.port() == 0);
    }
}
