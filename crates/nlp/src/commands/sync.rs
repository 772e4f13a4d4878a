//! `nlp sync`: rotates a token and stores the new secret where it is used: rotate, write, verify, finish.
//!
//! **Invariant:** the old token stays valid until the new one is stored and was validated. A failure at any step
//! reports the state of both tokens.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use client::{Secret, types};
use serde_json::json;

use super::token::{Family, Rotation, taken_back};
use crate::failure::{Failure, Result};
use crate::folders::write_private;
use crate::output::Printer;
use crate::settings::Settings;
use crate::signals::Interrupts;

/// Options of `sync`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    place: Place,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Place {
    /// A file that only you can read.
    File {
        /// The file. Its whole content is replaced.
        file: PathBuf,
        #[command(flatten)]
        what: What,
    },
    /// A secret of a GitHub repository. Requires the program `gh`.
    GithubSecret {
        /// The name of the secret.
        name: String,
        /// The repository as OWNER/NAME. Defaults to the repository of the current folder.
        #[arg(long, value_name = "OWNER/NAME")]
        repo: Option<String>,
        #[command(flatten)]
        what: What,
    },
    /// A masked variable of a GitLab project. Requires the program `glab`.
    GitlabVar {
        /// The name of the variable.
        name: String,
        /// The project as GROUP/NAME. Defaults to the project of the current folder.
        #[arg(long, value_name = "GROUP/NAME")]
        repo: Option<String>,
        #[command(flatten)]
        what: What,
    },
}

/// Which token, and how it is rotated.
#[derive(Debug, Clone, clap::Args)]
struct What {
    /// The id of the token to rotate.
    #[arg(long = "rotate", value_name = "TOKEN-ID", required = true)]
    id: String,
    #[command(flatten)]
    rotation: Rotation,
    /// Revoke the old token as soon as the new one is stored and validated, instead of after the grace period.
    #[arg(long)]
    finish: bool,
}

impl Place {
    const fn what(&self) -> &What {
        match self {
            Self::File { what, .. } | Self::GithubSecret { what, .. } | Self::GitlabVar { what, .. } => what,
        }
    }

    /// The place's name in messages.
    fn named(&self) -> String {
        match self {
            Self::File { file, .. } => file.display().to_string(),
            Self::GithubSecret { name, .. } => format!("the GitHub secret {name}"),
            Self::GitlabVar { name, .. } => format!("the GitLab variable {name}"),
        }
    }

    /// Checks before the rotation that the program that writes the place is installed and signed in.
    fn ready(&self) -> Result<()> {
        let program = match self {
            Self::File { .. } => return Ok(()),
            Self::GithubSecret { .. } => "gh",
            Self::GitlabVar { .. } => "glab",
        };
        let status =
            Command::new(program).args(["auth", "status"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(Failure::new(format!("{program} is not signed in")).next(format!("{program} auth login"))),
            Err(error) => {
                Err(Failure::new(format!("{program} cannot be started: {error}")).next(format!("install {program}")))
            }
        }
    }

    /// Writes the secret to the place.
    fn write(&self, secret: &Secret) -> Result<()> {
        match self {
            Self::File { file, .. } => write_private(file, &format!("{}\n", secret.expose())),
            Self::GithubSecret { name, repo, .. } => {
                let mut command = Command::new("gh");
                command.args(["secret", "set", name]);
                pipe(with_repo(&mut command, repo.as_deref()), secret)
            }
            Self::GitlabVar { name, repo, .. } => {
                // `glab` has two commands: one fails if the variable is missing, the other if it exists.
                let call = |verb: &str| {
                    let mut command = Command::new("glab");
                    command.args(["variable", verb, name, "--masked"]);
                    pipe(with_repo(&mut command, repo.as_deref()), secret)
                };
                call("update").or_else(|_| call("set"))
            }
        }
    }
}

fn with_repo<'a>(command: &'a mut Command, repo: Option<&str>) -> &'a mut Command {
    if let Some(repo) = repo {
        command.args(["--repo", repo]);
    }
    command
}

/// Passes the secret on standard input, which other processes cannot see.
fn pipe(command: &mut Command, secret: &Secret) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(secret.expose().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::new(token_format::redact(said.trim()).to_string()))
}

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let place = &args.place;
    place.ready()?;
    let id = &place.what().id;
    let rotation = &place.what().rotation;
    // Ctrl-C between two steps must not leave a new token that is stored nowhere.
    let interrupts = Interrupts::watch(printer, format!("nlp token show {id}"))?;
    let progress = printer.progress();
    progress.tell(|| "rotating".to_owned());
    let made = Family::Organization.rotate(&client, id, rotation.grace, rotation.mode(), None)?;
    progress.tell(|| format!("writing {}", place.named()));
    if let Err(failure) = place.write(&made.secret) {
        let failure = failure.after(format!("{} was not written", place.named()));
        return Err(taken_back(&client, Family::Organization, &made, failure));
    }
    progress.tell(|| "validating the new token".to_owned());
    let body = types::ValidateRequest { token: made.secret.clone(), ..Default::default() };
    if let Err(error) = client.anonymous().validate(&body) {
        let state = format!(
            "{} has the new token {}, which does not validate; the old one is valid until {}",
            place.named(),
            made.id,
            made.grace_period_ends_at
        );
        return Err(Failure::from(error).after(state).next(format!("nlp token show {}", made.id)));
    }
    let state = format!("{} has the new token {}", place.named(), made.id);
    let interrupted = interrupts.noted();
    let finish = place.what().finish && !interrupted;
    if finish {
        progress.tell(|| "revoking the old token".to_owned());
        Family::Organization.revoke(&client, id).map_err(|failure| {
            failure.after(format!("{state}; the old one was not revoked")).next(format!("nlp token revoke {id}"))
        })?;
    }
    let old = match (finish, interrupted) {
        (true, _) => "the old one is revoked".to_owned(),
        (false, true) => format!(
            "the old one is valid until {} (the interruption did not leave anything incomplete)",
            made.grace_period_ends_at
        ),
        (false, false) => format!("the old one is valid until {}", made.grace_period_ends_at),
    };
    let value = json!({
        "id": made.id, "old_token_id": made.old_token_id, "written_to": place.named(),
        "grace_period_ends_at": (!finish).then_some(&made.grace_period_ends_at), "finished": finish,
    });
    printer.done(&format!("{state}; {old}"), &value)
}
